"""Commands of aquasim as functions.

Keyword arguments are the options of the command of the same name, with ``_`` for ``-``; ``None`` leaves an option at its
default.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal, Union

from . import _native
from ._error import Warning
from ._options import file, options, toml
from ._results import Answers, Comparison, Mapped, Run, Sweep
from ._watch import ProgressOption, Watch

Path = Union[str, "os.PathLike[str]"]
"""A path, or a preset where there are any."""
Bits = Union[int, str, Sequence[int]]
"""Bits of all layers, of each layer, or a name such as ``varied``."""
Edges = Union[str, Sequence[str]]
"""Edges: ``top``, ``bottom``, ``left``, ``right``; or ``none``."""
Changes = Mapping[str, Any]
"""Values of a machine by their keys, as in ``{"adc.bits": 6}``."""
Policy = Literal["none", "fixed", "predicted", "oracle"]
Measure = Literal["entropy", "gradient", "interest", "combined"]
Fidelity = Literal["operation", "iteration"]


def run(
    *,
    arch: Path = "isaac-ce",
    set: Changes | None = None,
    network: Path = "vgg16",
    weights: Bits | None = None,
    activations: Bits | None = None,
    crop: Edges | None = None,
    plan: Path | None = None,
    mapping: Path | Mapped | None = None,
    fill: str | bool | None = None,
    policy: Policy | None = None,
    threshold: float | None = None,
    measure: Measure | None = None,
    precisions: Sequence[int] | None = None,
    margin: float | None = None,
    image: Path | None = None,
    label: int | None = None,
    weights_file: Path | None = None,
    calibrate: int | Path | Sequence[Path] | None = None,
    ranges: Path | None = None,
    save_ranges: Path | None = None,
    images: int | Literal["auto"] | None = None,
    every_image: bool = False,
    fidelity: Fidelity | None = None,
    uncontended: bool = False,
    progress: ProgressOption = None,
) -> Run:
    """Runs a network on a machine: ``aquasim run``.

    Machine
        arch: preset or TOML file. set: values of it to change, as in ``{"adc.bits": 6}``.
    Network and mapping
        network: preset, TOML or ONNX file. weights, activations: bits, 16 by default; 0 crops a layer. crop: edges cut
        from the map of every convolution. plan: TOML file in place of these three. mapping: file, or the result of
        ``map``. fill: ``True`` or ``"board"`` for as many replicas as fit, ``"8-chips"``, ``"784-cycles"``.
    Choice of a plan
        policy: ``predicted`` or ``oracle`` choose the plan from the picture image; threshold, measure, precisions and
        margin tune the prediction; label, weights_file, calibrate, ranges and save_ranges are for the oracle.
    Simulation
        images: number from 1 to 10000, or ``"auto"``: until their rate has settled; 1 by default. every_image: no
        fast-forward. fidelity: ``operation`` or ``iteration``, with the same results. uncontended: unlimited capacity of
        every shared resource.
    progress
        ``None`` shows long work on a terminal and in a notebook, ``True`` always, ``False`` never. A function gets a
        ``Progress`` some 20 times a second; an exception of it stops the work.

    Raises ``Error`` with all mistakes. Ctrl-C stops the simulation.
    """
    with options(_given(locals())) as words, Watch(progress) as watch:
        text, table, csv = _native.run(words, watch)
    return Run(json.loads(text), table, dict(csv), text)


def map(
    *,
    arch: Path = "isaac-ce",
    set: Changes | None = None,
    network: Path = "vgg16",
    weights: Bits | None = None,
    activations: Bits | None = None,
    crop: Edges | None = None,
    plan: Path | None = None,
    mapping: Path | Mapped | None = None,
    fill: str | bool | None = None,
    policy: Policy | None = None,
    threshold: float | None = None,
    measure: Measure | None = None,
    precisions: Sequence[int] | None = None,
    margin: float | None = None,
    image: Path | None = None,
    label: int | None = None,
    weights_file: Path | None = None,
    calibrate: int | Path | Sequence[Path] | None = None,
    ranges: Path | None = None,
    save_ranges: Path | None = None,
    rebalance: bool = False,
    optimise: bool = False,
    all_crops: bool = False,
    starts: int | None = None,
    chips: int | None = None,
    progress: ProgressOption = None,
) -> Mapped:
    """Maps a network to a machine: ``aquasim map``.

    rebalance: replicas are balanced for the windows that the plan does not crop. optimise: replicas are moved until no
    router port and no link holds the crossbars up; all_crops: one placement for all 16 crops; starts: starts of the
    search at most; chips: chips to be used at most. The other arguments, and what is raised, are those of ``run``.
    """
    with options(_given(locals())) as words, Watch(progress) as watch:
        (text, table, _), mapped, floorplan = _native.map(words, watch)
    return Mapped(json.loads(text), table, mapped, floorplan)


def infer(
    *,
    images: Path,
    weights_file: Path,
    labels: Path | None = None,
    skip_bad_images: bool = False,
    arch: Path = "isaac-ce",
    set: Changes | None = None,
    network: Path = "vgg16",
    weights: Bits | None = None,
    activations: Bits | None = None,
    crop: Edges | None = None,
    plan: Path | None = None,
    mapping: Path | Mapped | None = None,
    policy: Policy | None = None,
    threshold: float | None = None,
    measure: Measure | None = None,
    precisions: Sequence[int] | None = None,
    margin: float | None = None,
    calibrate: int | Path | Sequence[Path] | None = None,
    ranges: Path | None = None,
    save_ranges: Path | None = None,
    bit_serial: bool = False,
    programming_error: float | None = None,
    read_noise: float | None = None,
    stuck_off: float | None = None,
    stuck_on: float | None = None,
    on_off_ratio: float | None = None,
    seed: int | None = None,
    top: int | None = None,
    plans: Path | None = None,
    progress: ProgressOption = None,
) -> Answers:
    """Answers pictures on the crossbars, bit by bit, with what each answer costs: ``aquasim infer``.

    Pictures
        images: PNG, JPEG or npy file, or a folder of them. labels: CSV file ``image,label``. skip_bad_images: pictures
        that cannot be used are left out, with a warning.
    Weights
        weights_file: safetensors, npz or ONNX. calibrate: pictures that decide the ranges of activations: so many of
        those to answer, or files and folders. ranges, save_ranges: file with them, to read or to write.
    Crossbars
        bit_serial: every conversion is modelled, even where the integer product is provably the same. programming_error:
        spread of the logarithm of a cell's conductance. read_noise: spread in steps of the ADC. stuck_off, stuck_on:
        share of cells, 0 to 1. on_off_ratio: highest over lowest conductance. seed: of all that is drawn.
    Results
        policy: each picture's plan; the oracle needs labels. top: classes in the text. plans: folder for the plans.

    The other arguments, and what is raised, are those of ``run``. Ctrl-C stops after the pictures in progress.
    """
    with options(_given(locals())) as words, Watch(progress) as watch:
        text, table, csv = _native.infer(words, watch)
    return Answers(json.loads(text), table, dict(csv)["pictures"])


def compare(
    *subjects: Path | Run | Sweep,
    set: Changes | None = None,
    network: Path = "vgg16",
    weights: Bits | None = None,
    activations: Bits | None = None,
    crop: Edges | None = None,
    plan: Path | None = None,
    mapping: Path | Mapped | None = None,
    fill: str | bool | None = None,
    policy: Policy | None = None,
    threshold: float | None = None,
    measure: Measure | None = None,
    precisions: Sequence[int] | None = None,
    margin: float | None = None,
    image: Path | None = None,
    label: int | None = None,
    weights_file: Path | None = None,
    calibrate: int | Path | Sequence[Path] | None = None,
    ranges: Path | None = None,
    save_ranges: Path | None = None,
    images: int | Literal["auto"] | None = None,
    every_image: bool = False,
    fidelity: Fidelity | None = None,
    uncontended: bool = False,
    progress: ProgressOption = None,
) -> Comparison:
    """Compares machines, runs and sweeps with the first of them: ``aquasim compare``.

    subjects: presets or files of machines, which are run with the arguments; results of ``run`` and ``sweep``; reports
    that were saved; folders of sweeps or points of them, as in ``"DIR:3"``. set: the first machine is compared with
    itself with these changes, too. The other arguments, and what is raised, are those of ``run``.
    """
    given = _given(locals())
    del given["subjects"]
    with ExitStack() as files:
        names = [_subject(subject, files) for subject in subjects]
        words = files.enter_context(options(given, names))
        watch = files.enter_context(Watch(progress))
        text, table, _ = _native.compare(words, watch)
    return Comparison(json.loads(text), table)


def sweep(
    grid: Path | Mapping[str, Any],
    *,
    out: Path | None = None,
    threads: int | None = None,
    shard: str | None = None,
    progress: ProgressOption = None,
) -> Sweep:
    """Simulates every point of a grid on all cores: ``aquasim sweep``.

    grid: TOML file, or its content as a dictionary, as in ``{"network": "vgg16", "arch.adc.bits": [6, 7, 8]}``; paths in a
    dictionary begin at the current folder. out: folder for the results; by default named like the file, and a temporary
    one for a dictionary. Finished points are kept: the same call goes on where one was stopped. threads: one for each
    core by default. shard: part ``"I/N"`` of the points.

    Points that fail are no error: a warning says so, and their rows say why. Raises ``Error`` with all mistakes. Ctrl-C
    stops after the points in progress.
    """
    text = None
    if isinstance(grid, Mapping):
        text = "".join(f"{key} = {toml(value)}\n" for key, value in grid.items())
    name = "sweep" if isinstance(grid, Mapping) else os.fspath(grid)
    with ExitStack() as undone:
        if text is not None and out is None:
            out = tempfile.mkdtemp(prefix="aquasim-")
            undone.callback(shutil.rmtree, out)
        given = {"out": out, "threads": threads, "shard": shard}
        with options(given, [name]) as words, Watch(progress) as watch:
            folder, points, (failed, failure), (warned, warning) = _native.sweep(words, text, watch)
        swept = Sweep(folder, points, failed, shard)
        # A temporary folder lasts as long as its sweep.
        weakref.finalize(swept, undone.pop_all().close)
    for count, what, first in [(warned, "have warnings", warning), (failed, "failed", failure)]:
        if count:
            warnings.warn(f"{count} of the points {what}. The first: {first}", Warning, stacklevel=2)
    return swept


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options among a function's arguments."""
    return {name: value for name, value in arguments.items() if name != "progress"}


def _subject(subject: Path | Run | Sweep, files: ExitStack) -> str:
    if isinstance(subject, Run):
        return files.enter_context(file(subject.json, ".json"))
    return os.fspath(subject.folder if isinstance(subject, Sweep) else subject)



"""Keyword arguments are the options of the commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import aquasim
import numpy
import pytest
from aquasim._options import toml

# Options of files of results, which attributes and methods stand for.
FILES = {"json", "csv", "html", "plots", "what-ifs", "against", "out", "floorplan"}
# Options that record a run for other programs.
RECORDING = {"trace", "trace-cycles", "trace-detail", "trace-layers", "trace-limit", "trace-units"}
ARGUMENTS = {"progress", "subjects", "grid"}


@pytest.mark.parametrize("name", ["run", "map", "infer", "compare", "sweep"])
def test_every_option_is_an_argument(name: str, command: Callable[..., str]) -> None:
    options = set(re.findall(r"^ {2,6}(?:-\w, )?--([a-z-]+)", command(name, "--help"), re.MULTILINE))
    options -= {"help", "verbose"} | RECORDING | (FILES - ({"out"} if name == "sweep" else set()))
    arguments = {argument.replace("_", "-") for argument in inspect.signature(getattr(aquasim, name)).parameters}
    assert arguments - ARGUMENTS == options


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6, "6"),
        (0.32, "0.32"),
        (1e-7, "1e-07"),
        (True, "true"),
        ('a "b"\n\x7f', '"a \\"b\\"\\n\\u007F"'),
        ([1, 2], "[1, 2]"),
        ({"pj": 1.5, "source": "mine"}, '{ "pj" = 1.5, "source" = "mine" }'),
        (numpy.int64(6), "6"),
        (numpy.float64(0.1), "0.1"),
    ],
)
def test_values_are_written_as_toml(value: Any, text: str) -> None:
    assert toml(value) == text


def test_a_value_of_a_machine_may_be_of_any_kind() -> None:
    changes = {"energy.edram_bit": {"pj": 0.5, "source": "mine"}, "router.multicast": False, "name": "my tiny"}
    run = aquasim.run(arch="tiny", network="tiny", set=changes)
    machine = run.report["machine"]
    assert machine["energy"]["edram_bit"] == {"pj": 0.5, "source": "mine"}
    assert machine["router"]["multicast"] is False and run.arch.startswith("my tiny")

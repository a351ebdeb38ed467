"""Results of calls.

Attributes are the main figures, with their units in the name or in the docstring: ``pj``, ``ns``, ``cycles``. ``report``
has everything, as the command's JSON has it.
"""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas


class _Result:
    report: dict[str, Any]
    """The JSON of the command, as a dictionary."""

    def __init__(self, report: dict[str, Any], text: str) -> None:
        self.report = report
        self._text = text

    def __str__(self) -> str:
        """The tables that the command prints."""
        return self._text

    def _headline(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<aquasim.{type(self).__name__} {self._headline()}>"

    @property
    def arch(self) -> str:
        """Name of the machine."""
        return str(self.report["arch"])

    @property
    def network(self) -> str:
        """Name of the network."""
        return str(self.report["network"])

    @property
    def plan(self) -> str:
        """Name of the plan: weights, activations, crop."""
        return str(self.report["plan"])


class Run(_Result):
    """A network run on a machine. Quantities are those of all images together, unless stated otherwise."""

    def __init__(self, report: dict[str, Any], text: str, tables: dict[str, str], json: str) -> None:
        super().__init__(report, text)
        self._tables = tables
        self.json = json

    def _headline(self) -> str:
        pj = self.dynamic_pj
        return f"{self.network} on {self.arch}: {_count(self.images, 'image')}, {self.cycles:,} cycles, {1e-9 * pj:.4g} mJ dynamic"

    @property
    def images(self) -> int:
        """Number of images."""
        return int(self.report["images"])

    @property
    def cycles(self) -> int:
        """Cycles from the start to the last result."""
        return int(self.report["cycles"])

    @property
    def time_ns(self) -> float:
        """Time from the start to the last result, ns."""
        return float(self.report["time_ns"])

    @property
    def dynamic_pj(self) -> float:
        """Dynamic energy, pJ."""
        return float(self.report["energy_pj"]["dynamic_total"])

    @property
    def static_pj(self) -> float:
        """Static energy of the chips in use, pJ."""
        return float(self.report["energy_pj"]["static_total"])

    @property
    def dynamic_pj_per_image(self) -> float:
        """Dynamic energy of an image, pJ."""
        return float(self.report["figures"]["dynamic_pj_per_image"])

    @property
    def settled(self) -> bool:
        """True if the intervals between images have stopped drifting. Rates exist for settled runs only."""
        return bool(self.report["figures"]["settled"])

    @property
    def cycles_per_image(self) -> float | None:
        """Mean cycles from one image's end to the next one's; ``None`` unless settled."""
        return _number(self.report["figures"]["cycles_per_image"])

    @property
    def images_per_second(self) -> float | None:
        """Images per second; ``None`` unless settled."""
        return _number(self.report["figures"]["images_per_second"])

    @property
    def latency_cycles(self) -> int | None:
        """Cycles from the first image's first inputs to its last result; ``None`` if it has no result."""
        latency = self.report["figures"]["first_latency_cycles"]
        return None if latency is None else int(latency)

    @property
    def average_power_mw(self) -> float | None:
        """Energy over time of the whole run, mW; ``None`` for a run of 0 cycles."""
        return _number(self.report["figures"]["average_power_mw"])

    @property
    def macs(self) -> int:
        """Multiply-accumulates that were computed."""
        return int(self.report["macs"])

    @property
    def crossbars(self) -> int:
        """Crossbars that hold weights."""
        return int(self.report["crossbars"]["mapped"])

    @property
    def chips(self) -> int:
        """Chips in use."""
        return int(self.report["chips"])

    @property
    def bound_cycles(self) -> float:
        """Cycles that an image needs of the busiest resource: no interval is shorter."""
        return float(self.report["bound"]["cycles"])

    @property
    def stalls(self) -> dict[str, int]:
        """IMA-cycles of all IMAs that hold weights, by what they went to: working, and each cause of waiting."""
        return dict(self.report["stalls"])

    @property
    def digest(self) -> str:
        """Digest of all completions and their cycles, equal for equal behaviour."""
        return str(self.report["digest"])

    def to_pandas(self, table: str = "layers") -> pandas.DataFrame:
        """A table as a data frame, with the columns of ``aquasim run --csv``.

        ``layers``: a row for each layer, with shape, cycles, counts and energy. ``components``: a row for each component
        group, with count and energies. ``stalls``: a row for each layer, with IMA-cycles by cause.
        """
        return _read_csv(_table(self._tables, table))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the report as ``aquasim run --json`` does, for ``compare`` and ``aquasim stalls``."""
        with open(path, "w", encoding="utf-8") as out:
            out.write(self.json)


class Mapped(_Result):
    """A network's place on a machine. ``run`` takes it as ``mapping``."""

    toml: str
    """The mapping as a file, as ``aquasim map --out`` writes it."""
    floorplan: str
    """Drawing of the chips in use, as SVG."""

    def __init__(self, report: dict[str, Any], text: str, toml: str, floorplan: str) -> None:
        super().__init__(report, text)
        self.toml = toml
        self.floorplan = floorplan

    def _headline(self) -> str:
        return f"{self.network} on {self.arch}: {self.crossbars:,} crossbars, bound {self.bound_cycles:,.0f} cycles"

    @property
    def crossbars(self) -> int:
        """Crossbars that hold weights."""
        return int(self.report["crossbars"]["mapped"])

    @property
    def replicas(self) -> dict[str, int]:
        """Replicas of each layer."""
        return {layer["name"]: layer["replicas"] for layer in self.report["layers"]}

    @property
    def bound_cycles(self) -> float:
        """Cycles that an image needs of the busiest resource: no interval is shorter."""
        return float(self.report["bound"]["cycles"])

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each layer: shape, replicas, IMAs, tiles, chips, buffer, utilisation of the cells."""
        import pandas

        return pandas.DataFrame(self.report["layers"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the mapping, to be edited and given as ``mapping``."""
        with open(path, "w", encoding="utf-8") as out:
            out.write(self.toml)

    def _repr_svg_(self) -> str:
        return self.floorplan


class Answers(_Result):
    """Answers to pictures, and what each costs."""

    def __init__(self, report: dict[str, Any], text: str, csv: str) -> None:
        super().__init__(report, text)
        self._csv = csv

    def _headline(self) -> str:
        right = "" if self.right is None else f", {self.right} right"
        return f"of {self.network} on {self.arch}: {_count(len(self.pictures), 'picture')}{right}"

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """The answer to each picture: its likeliest classes with scores, its plan, energy in pJ and latency in ns."""
        return list(self.report["pictures"])

    @property
    def right(self) -> int | None:
        """Pictures whose likeliest class is their label; ``None`` without labels."""
        right = self.report["totals"]["right_top1"]
        return None if right is None else int(right)

    @property
    def accuracy(self) -> float | None:
        """Fraction of pictures answered right, 0 to 1; ``None`` without labels."""
        return None if self.right is None else self.right / len(self.pictures)

    @property
    def energy_pj(self) -> float:
        """Dynamic energy of all pictures, without choosing their plans, pJ."""
        return float(sum(picture["energy_pj"] for picture in self.pictures))

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each picture, with the columns of ``aquasim infer --csv``."""
        return _read_csv(self._csv)


class Comparison(_Result):
    """Machines, runs or sweeps side by side. All are compared with the first."""

    def _headline(self) -> str:
        return "of " + ", ".join(self.subjects)

    @property
    def subjects(self) -> list[str]:
        """Names of what is compared."""
        return [subject["name"] for subject in self.report["subjects"]]

    @property
    def machine(self) -> dict[str, list[Any]]:
        """Values of the machines that differ, by key; ``None`` where one states none."""
        return {setting["key"]: setting["values"] for setting in self.report["machine"]}

    @property
    def settings(self) -> dict[str, list[Any]]:
        """Other differences: network, plan, images."""
        return {setting["key"]: setting["values"] for setting in self.report["settings"]}

    def to_pandas(self, of: str = "values") -> pandas.DataFrame:
        """A row for each figure, with a column for each subject.

        ``of`` is ``values``, or ``differences`` or ``ratios`` to the first subject. Table, figure and unit are the index.
        """
        import pandas

        if of not in ("values", "differences", "ratios"):
            raise ValueError(f"there are no {of} in a comparison: give values, differences or ratios")
        rows = [(table, row) for table in self.report["tables"] for row in table["rows"]]
        index = pandas.MultiIndex.from_tuples(
            [(table["name"], row["name"], row["unit"]) for table, row in rows], names=["table", "figure", "unit"]
        )
        return pandas.DataFrame([row[of] for _, row in rows], index=index, columns=self.subjects, dtype=float)


class Sweep:
    """A sweep whose points are all simulated, in its folder."""

    folder: str
    """Folder with points, components and layers as .csv and .parquet."""
    points: int
    """Points that were simulated; of points that mean the same, one."""
    failed: int
    """Points that failed: their rows say why."""
    shard: str | None
    """Shard, as in ``1/4``; ``None`` if the sweep is whole. A shard has no tables: ``aquasim merge`` makes them."""

    def __init__(self, folder: str, points: int, failed: int, shard: str | None) -> None:
        self.folder = folder
        self.points = points
        self.failed = failed
        self.shard = shard

    def __repr__(self) -> str:
        return f"<aquasim.Sweep of {self.points} points in {self.folder}>"

    def to_pandas(self, table: str = "points") -> pandas.DataFrame:
        """A table as a data frame: ``points``, ``components`` or ``layers``."""
        import pandas

        names = {name: os.path.join(self.folder, name + ".parquet") for name in ("points", "components", "layers")}
        return pandas.read_parquet(_table(names, table))


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _table(tables: dict[str, str], name: str) -> str:
    if name not in tables:
        raise ValueError(f"there is no table {name}: give one of {', '.join(tables)}")
    return tables[name]


# Columns of words: a layer or a plan may be called 1.
_TEXTS = ("layer", "component", "counted", "image", "classes", "plan")


def _read_csv(text: str) -> pandas.DataFrame:
    import pandas

    headings = next(csv.reader(io.StringIO(text)))
    texts = {name: str for name in headings if name in _TEXTS}
    return pandas.read_csv(io.StringIO(text), dtype=texts, keep_default_na=False, na_values={
        name: [""] for name in headings if name not in texts
    })


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"

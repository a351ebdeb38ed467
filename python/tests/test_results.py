"""Results are those of the program."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Callable
from typing import Any

import aquasim
import pandas
import pytest

TINY: dict[str, Any] = {"arch": "tiny", "network": "tiny"}
TINY_WORDS = ["--arch", "tiny", "--network", "tiny"]
Command = Callable[..., str]
CommandJson = Callable[..., dict[str, Any]]


def same_table(frame: pandas.DataFrame, csv: str) -> None:
    """Holds that a data frame has the columns and the texts of a CSV file, number for number."""
    cells = pandas.read_csv(io.StringIO(csv), dtype=str, keep_default_na=False)
    assert list(frame.columns) == list(cells.columns)
    for column in frame:
        for cell, text in zip(frame[column], cells[column], strict=True):
            if isinstance(cell, str):
                assert cell == text, column
            elif text == "":
                assert pandas.isna(cell), column
            else:
                assert float(cell) == float(text), column


def test_a_run_has_the_report_of_the_program(command_json: CommandJson) -> None:
    run = aquasim.run(**TINY, set={"edram.bytes": 16384, "router.multicast": False}, weights=[16, 12, 8, 8, 16], images=3)
    words = ["--set", "edram.bytes=16384", "--set", "router.multicast=false", "--weights", "16,12,8,8,16", "--images", 3]
    assert run.report == command_json("run", *TINY_WORDS, *words)


def test_figures_of_a_run_are_those_of_its_report() -> None:
    run = aquasim.run(**TINY, images="auto")
    report, figures = run.report, run.report["figures"]
    assert (run.arch, run.network, run.plan) == ("tiny", "tiny", "weights 16, activations 16, crop none")
    assert (run.images, run.cycles, run.time_ns) == (report["images"], report["cycles"], report["time_ns"])
    assert run.settled and run.cycles_per_image == figures["cycles_per_image"] == run.bound_cycles == 256
    assert run.images_per_second == figures["images_per_second"]
    assert run.latency_cycles == figures["first_latency_cycles"]
    assert run.average_power_mw == figures["average_power_mw"]
    assert run.dynamic_pj == pytest.approx(sum(report["energy_pj"]["dynamic"].values()))
    assert run.static_pj == pytest.approx(sum(report["energy_pj"]["static"].values()))
    assert run.dynamic_pj_per_image == pytest.approx(run.dynamic_pj / run.images)
    assert sum(run.stalls.values()) == run.report["imas"]["mapped"] * run.cycles
    assert run.crossbars == sum(layer["crossbars"] * layer["replicas"] for layer in report["layers"])


def test_a_run_that_has_not_settled_has_no_rate() -> None:
    run = aquasim.run(**TINY)
    assert not run.settled and run.cycles_per_image is None and run.images_per_second is None


def test_the_text_is_what_the_program_prints(command: Command) -> None:
    assert str(aquasim.run(**TINY)) == command("run", *TINY_WORDS)
    assert str(aquasim.map(**TINY)) == command("map", *TINY_WORDS)
    changed = {"edram.bytes_per_cycle": 64}
    words = ["compare", "tiny", "--set", "edram.bytes_per_cycle=64", "--network", "tiny"]
    assert str(aquasim.compare("tiny", set=changed, network="tiny")) == command(*words)


def test_tables_of_a_run_are_those_of_the_program(command: Command, tmp_path: pathlib.Path) -> None:
    run = aquasim.run(**TINY, crop=["top", "left"], images=2)
    command("run", *TINY_WORDS, "--crop", "top,left", "--images", 2, "--csv", tmp_path)
    for table in ["layers", "components", "stalls"]:
        same_table(run.to_pandas(table), (tmp_path / f"{table}.csv").read_text())


def test_a_saved_run_is_the_file_of_the_program(command: Command, tmp_path: pathlib.Path) -> None:
    aquasim.run(**TINY).save(tmp_path / "run.json")
    assert (tmp_path / "run.json").read_text() == command("run", *TINY_WORDS, "--json", "-")


def test_the_default_is_that_of_the_program(command_json: CommandJson) -> None:
    run = aquasim.run()
    assert run.report == command_json("run")
    assert run.images == 1


def test_both_fidelities_give_the_same_run() -> None:
    operation, iteration = aquasim.run(**TINY, fidelity="operation"), aquasim.run(**TINY, fidelity="iteration")
    assert operation.digest == iteration.digest and iteration.report["fidelity"] == "iteration"


def test_a_mapping_is_that_of_the_program_and_can_be_run(
    command: Command, command_json: CommandJson, tmp_path: pathlib.Path
) -> None:
    mapped = aquasim.map(**TINY, fill="1024-cycles")
    assert mapped.report == command_json("map", *TINY_WORDS, "--fill", "1024-cycles")
    assert mapped.toml == command("map", *TINY_WORDS, "--fill", "1024-cycles", "--out", "-")
    assert "<svg" in mapped.floorplan
    mapped.save(tmp_path / "mapping.toml")
    run = aquasim.run(**TINY, mapping=mapped)
    assert run.digest == aquasim.run(**TINY, mapping=tmp_path / "mapping.toml").digest
    assert run.digest == aquasim.run(**TINY, fill="1024-cycles").digest != aquasim.run(**TINY).digest
    assert mapped.crossbars == run.crossbars and mapped.bound_cycles == run.bound_cycles
    layers = mapped.to_pandas().set_index("name")
    assert layers["replicas"].to_dict() == mapped.replicas
    assert (layers["crossbars"] * layers["replicas"]).sum() == mapped.crossbars


def test_a_comparison_is_that_of_the_program_also_of_runs(command_json: CommandJson) -> None:
    changes, words = {"edram.bytes_per_cycle": 64}, ["--set", "edram.bytes_per_cycle=64"]
    comparison = aquasim.compare("tiny", set=changes, network="tiny", images=2)
    assert comparison.report == command_json("compare", "tiny", *words, "--network", "tiny", "--images", 2)
    assert comparison.machine == {"edram.bytes_per_cycle": [128, 64]}
    runs = [aquasim.run(**TINY, images=2), aquasim.run(**TINY, images=2, set=changes)]
    assert aquasim.compare(*runs).report == comparison.report
    values = comparison.to_pandas()
    assert list(values.loc[("figures", "cycles", "cycles")]) == [run.cycles for run in runs]
    ratios = comparison.to_pandas("ratios").loc[("figures", "cycles", "cycles")]
    assert list(ratios) == [1.0, runs[1].cycles / runs[0].cycles]


def test_a_sweep_is_that_of_the_program(command: Command, tmp_path: pathlib.Path) -> None:
    grid = {"arch.file": "tiny", "network": "tiny", "weights": ["16", "12"], "arch.edram.bytes": [8192, 16384]}
    (tmp_path / "grid.toml").write_text(
        'arch.file = "tiny"\nnetwork = "tiny"\nweights = ["16", "12"]\narch.edram.bytes = [8192, 16384]\n'
    )
    command("sweep", tmp_path / "grid.toml", "--out", tmp_path / "command")
    sweep = aquasim.sweep(grid, out=tmp_path / "package")
    assert (sweep.points, sweep.failed, sweep.shard) == (4, 0, None)
    for table in ["points", "components", "layers"]:
        expected = pandas.read_parquet(tmp_path / "command" / f"{table}.parquet")
        pandas.testing.assert_frame_equal(sweep.to_pandas(table), expected)
    temporary = aquasim.sweep(grid, threads=1)
    pandas.testing.assert_frame_equal(temporary.to_pandas(), sweep.to_pandas())
    assert aquasim.compare(sweep, temporary).report["tables"]


def test_points_that_fail_are_a_warning() -> None:
    with pytest.warns(aquasim.Warning, match="1 of the points failed. The first: VGG16 needs"):
        sweep = aquasim.sweep({"arch.file": "tiny", "network": ["tiny", "vgg16"]})
    assert sweep.failed == 1
    assert list(sweep.to_pandas()["status"]) == ["done", "failed"]


def test_answers_are_those_of_the_program(
    command: Command, command_json: CommandJson, digits: dict[str, Any], pictures: pathlib.Path
) -> None:
    labels = pictures.parent / "labels.csv"
    answers = aquasim.infer(**digits, images=pictures, labels=labels, calibrate=4, policy="predicted", threshold=0.01)
    words = ["infer", "--network", digits["network"], "--weights-file", digits["weights_file"], "--images", pictures]
    words += ["--labels", labels, "--calibrate", 4, "--policy", "predicted"]
    assert answers.report == command_json(*words)
    same_table(answers.to_pandas(), command(*words, "--csv", "-"))
    assert answers.right is not None and answers.accuracy == answers.right / 4
    assert answers.energy_pj == pytest.approx(answers.to_pandas()["energy_pj"].sum())


@pytest.mark.parametrize(
    ("result", "table"), [(lambda: aquasim.run(**TINY), "lines"), (lambda: aquasim.compare("tiny", "tiny", network="tiny"), "sums")]
)
def test_a_table_that_there_is_not_is_named(result: Callable[[], Any], table: str) -> None:
    with pytest.raises(ValueError, match=table):
        result().to_pandas(table)

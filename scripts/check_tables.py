#!/usr/bin/env python3
"""Checks that pandas reads the tables of a sweep as they are, and that the scripts that plot them do.

    pip install pandas pyarrow matplotlib
    scripts/check_tables.py target/release/aquasim

Ends with an error that says what is wrong, or with a line for each thing that is right.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import plot_figure5

SCRIPTS = pathlib.Path(__file__).resolve().parent
SWEEPS = SCRIPTS.parent / "sweeps"
TABLES = ["points", "components", "layers"]

# Some points fail: VGG16 does not fit the tiny machine. So there are empty cells of every kind.
MIXED = """
network = ["tiny", "vgg16"]
arch.file = "tiny"
arch.adc.rate_gsps = [0.16, 0.32]
weights = ["16", "9"]
crop = ["none", "left", "top,bottom"]
rebalance = [false, true]
images = [1, 4]
"""


def run(aquasim: pathlib.Path, *words: object, status: int = 0) -> None:
    done = subprocess.run([aquasim, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == status, f"{words} ended with {done.returncode}: {done.stderr}"


def check_mixed(aquasim: pathlib.Path, folder: pathlib.Path) -> None:
    (folder / "mixed.toml").write_text(MIXED)
    out = folder / "mixed"
    run(aquasim, "sweep", folder / "mixed.toml", "--out", out, status=1)
    for name in TABLES:
        parquet = pd.read_parquet(out / f"{name}.parquet")
        # Texts stay texts: a weight set may be called 16.
        texts = {column: str for column in parquet.columns[parquet.dtypes.map(pd.api.types.is_string_dtype)]}
        # Points that failed have no truth values; pandas then needs to be told that the others are.
        truths = {column: "boolean" for column in parquet if is_truth(parquet[column].dropna())}
        parquet = parquet.astype(truths)
        csv = pd.read_csv(out / f"{name}.csv", dtype=texts | truths, keep_default_na=False, na_values=[""])
        assert list(parquet.columns) == list(csv.columns), name
        pd.testing.assert_frame_equal(parquet, csv, check_dtype=False, check_exact=True)
        assert parquet["point"].is_monotonic_increasing, name
        whole = ["tool_version", "arch.file_hash", "network_hash", "arch.adc.rate_gsps", "crop", "images", "rebalance"]
        assert parquet[whole].notna().all(axis=None), name
        assert parquet["arch.adc.rate_gsps"].dtype == float and parquet["images"].dtype.kind == "i", name
    points, components = (pd.read_parquet(out / f"{name}.parquet") for name in TABLES[:2])
    assert list(points["point"]) == list(range(96))
    assert points.groupby("network")["status"].unique().map(list).to_dict() == {"tiny": ["done"], "vgg16": ["failed"]}
    assert points.loc[points["network"] == "vgg16", "error"].str.contains("tiny has").all()
    # What is in one table adds up to what is in the other.
    sums = components.groupby("point")["dynamic_energy_pj"].sum()
    done = points[points["status"] == "done"].set_index("point")["dynamic_energy_pj"]
    assert ((sums - done).abs() < 1e-9 * done).all()
    print(f"pandas reads {', '.join(TABLES)} as CSV and as Parquet, with equal values")


def is_truth(values: pd.Series) -> bool:
    return len(values) > 0 and all(isinstance(value, (bool, np.bool_)) for value in values)


def check_design_space(aquasim: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    out = folder / "design-space"
    run(aquasim, "sweep", SWEEPS / "isaac-design-space.toml", "--out", out)
    points = pd.read_parquet(out / "points.parquet")
    place = {"arch.crossbar.rows": 128, "arch.adc.count": 8, "arch.ima.crossbars": 8, "arch.tile.imas": 12}
    ce = points[pd.concat([points[key] == value for key, value in place.items()], axis=1).all(axis=1)]
    assert len(ce) == 1
    # 41,287.68 GOPS over 65.808 W; the paper prints 65.8 W, and so 627.5.
    assert abs(ce["peak_gops_per_watt"].iloc[0] - 627.395) < 0.001
    assert round(ce["peak_gops"].iloc[0] / round(ce["chip_power_mw"].iloc[0] / 1000, 1), 1) == 627.5
    print("ISAAC-CE has its place in the design space")
    return out


def check_figure5(aquasim: pathlib.Path, folder: pathlib.Path) -> tuple:
    sweep, paper = folder / "figure5", folder / "paper"
    run(aquasim, "sweep", SWEEPS / "figure5.toml", "--out", sweep)
    run(aquasim, "paper", "--out", paper)
    means = plot_figure5.oracle(plot_figure5.energies(sweep), paper / "oracle.csv")
    assert list(means.index) == ["16", "varied", "12"], "in the order of the sweep"
    printed = pd.read_csv(paper / "figure5.csv", dtype={"weights": str})
    printed = printed[printed["policy"] == "oracle"].set_index(["weights", "population", "top"])
    for weights in means.index:
        for population, top in means.columns:
            energy = printed.loc[(weights, population, top), "relative_energy"]
            assert abs(means.loc[weights, (population, top)] - energy) < 1e-9, (weights, population, top)
    saving = printed.loc[("16", "right"), "saving"].round(6).to_dict()
    assert saving == {"top-1": 0.335, "top-5": 0.42}, saving
    print("Figure 5 follows from the sweep and from the oracle's crops as pandas computes it")
    return sweep, paper / "oracle.csv"


def make_crops(aquasim: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A small sweep of the kind of sweeps/captured-throughput.toml."""
    crops = 'network = "tiny"\narch.file = "tiny"\nimages = "auto"\nrebalance = [false, true]\ncrop = ["none", "left", "top"]\n'
    (folder / "crops.toml").write_text(crops)
    run(aquasim, "sweep", folder / "crops.toml", "--out", folder / "crops")
    return folder / "crops"


def check_plots(folder: pathlib.Path, plots: dict) -> None:
    for script, inputs in plots.items():
        out = folder / f"{script}.pdf"
        subprocess.run([sys.executable, SCRIPTS / f"{script}.py", *inputs, "--out", out], check=True)
        assert out.read_bytes().startswith(b"%PDF"), script
        print(f"{script}.py plots")


def check_refusals(folder: pathlib.Path, sweep: pathlib.Path, oracle: pathlib.Path) -> None:
    """A plot draws all that it is asked for, or says what is missing."""
    points = pd.read_parquet(sweep / "points.parquet")
    crop = points["crop"]
    for name, kept, message in [
        ("no crop", crop != "none", "has no point with weights 16 and no crop"),
        ("a crop", ~((points["weights"] == "12") & (crop == "top,left")), "no point with weights 12 under crop 1010"),
        ("a set", points["weights"] != "16", "has no point with weights 16 and no crop"),
    ]:
        expect_refusal(folder / "part", points[kept], oracle, message, name)
    unknown = points.assign(weights=points["weights"].replace("12", "9"))
    expect_refusal(folder / "part", unknown, oracle, "has no crops of weights 9 at top-1", "an unknown set")
    failed = points.assign(status=points["status"].where(points["point"] != 7, "failed"))
    expect_refusal(folder / "part", failed, oracle, "points 7 of", "a failed point")
    twice = pd.concat([points, points.assign(images=2)])
    expect_refusal(folder / "part", twice, oracle, "several points have weights 16, cut 0000", "two points in one place")
    print("plot_figure5.py refuses what is missing by its name")


def expect_refusal(folder: pathlib.Path, points: pd.DataFrame, oracle: pathlib.Path, message: str, what: str) -> None:
    folder.mkdir(exist_ok=True)
    points.to_parquet(folder / "points.parquet")
    out = folder / "figure5.pdf"
    words = [sys.executable, SCRIPTS / "plot_figure5.py", folder, oracle, "--out", out]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode != 0 and message in done.stderr and not out.exists(), (what, done.stderr)


def main() -> None:
    aquasim = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_mixed(aquasim, folder)
        plots = {
            "plot_throughput": [make_crops(aquasim, folder)],
            "plot_design_space": [check_design_space(aquasim, folder)],
            "plot_figure5": check_figure5(aquasim, folder),
        }
        check_plots(folder, plots)
        check_refusals(folder, *plots["plot_figure5"])


if __name__ == "__main__":
    main()

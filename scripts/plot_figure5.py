#!/usr/bin/env python3
"""Plots AQuA's Figure 5 from a sweep of weight sets and crops, and from the crops that images get.

    aquasim sweep sweeps/figure5.toml --out sweep
    aquasim paper --out paper
    scripts/plot_figure5.py sweep paper/oracle.csv --out figure5.pdf

Draws the weight sets of the sweep, in its order. An image that is wrong without a crop is not cropped: means over images
that are right without one, and over all.
"""

import argparse
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

import points

EDGES = ["top", "bottom", "left", "right"]
NO_CROP = "0000"
BASELINE = "16"
TOPS = ["top-1", "top-5"]
TITLES = {"right": "images right without a crop", "all": "all images"}


def digits(crop: str) -> str:
    """A crop of a sweep as Table I has it: 1 for an edge that is cut."""
    edges = [] if crop == "none" else crop.split(",")
    return "".join("1" if edge in edges else "0" for edge in EDGES)


def energies(sweep: pathlib.Path) -> pd.DataFrame:
    """Energy by weight set (rows, in the order of the sweep) and crop (columns), relative to 16 bits without a crop."""
    table = points.read(sweep, ["weights", "crop", "dynamic_energy_pj"])
    table = table.assign(cut=table["crop"].map(digits))
    points.one_each(table, ["weights", "cut"])
    energy = table.pivot(index="weights", columns="cut", values="dynamic_energy_pj").loc[table["weights"].unique()]
    if BASELINE not in energy.index or NO_CROP not in energy:
        points.refuse(f"{sweep} has no point with weights {BASELINE} and no crop", "sweep it, too: energies are relative to it")
    return energy / energy.loc[BASELINE, NO_CROP]


def oracle(energy: pd.DataFrame, path: pathlib.Path) -> pd.DataFrame:
    """Mean energy by weight set (rows), and by images and what counts as right (columns)."""
    shares = pd.read_csv(path, dtype={"weights": str, "cut": str})
    means = {}
    for weights in energy.index:
        for top in TOPS:
            of = shares[(shares["weights"] == weights) & (shares["top"] == top)].set_index("cut")
            if of.empty:
                points.refuse(f"{path} has no crops of weights {weights} at {top}", "leave that set out of the sweep")
            given = of.index[of["share"] > 0]
            missing = [cut for cut in given if cut not in energy or pd.isna(energy.loc[weights, cut])]
            if missing:
                points.refuse(
                    f"the sweep has no point with weights {weights} under crop {points.listed(missing)} "
                    f"({', '.join(EDGES)}), which images get",
                    "sweep all 16 crops with each weight set",
                )
            right = (of.loc[given, "share"] * energy.loc[weights, given]).sum()
            accuracy = of["accuracy"].iloc[0]
            means[weights, "right", top] = right
            means[weights, "all", top] = accuracy * right + (1 - accuracy) * energy.loc[weights, NO_CROP]
    means = pd.Series(means).unstack([1, 2])
    return means.loc[energy.index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, help="folder of the sweep")
    parser.add_argument("oracle", type=pathlib.Path, help="oracle.csv of aquasim paper")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("figure5.pdf"))
    arguments = parser.parse_args()

    energy = energies(arguments.sweep)
    means = oracle(energy, arguments.oracle)
    # A trace may have some weight sets and not others.
    rows = pd.read_csv(arguments.oracle, dtype={"weights": str})
    reconstructed = set(rows.loc[rows["tolerance_from"] == "reconstructed", "weights"])
    names = {name: f"{name}\n(reconstructed)" for name in reconstructed}
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(9, 3.6))
    for axes, (population, title) in zip(panels, TITLES.items()):
        bars = pd.DataFrame({"no crop": energy[NO_CROP]} | {f"AQuA, {top}": means[population, top] for top in TOPS})
        bars.rename(index=names).plot.bar(ax=axes, rot=0, width=0.8, legend=False)
        axes.set_title(title, fontsize="medium")
        axes.set_xlabel("weights")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("energy relative to 16 bits\nwithout a crop")
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, ncols=3, fontsize="small", loc="upper center")
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(arguments.out)


if __name__ == "__main__":
    main()

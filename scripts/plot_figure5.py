#!/usr/bin/env python3
"""Plots AQuA's Figure 5 from a sweep of weight sets and crops, and from how much cropping images tolerate.

    aquasim sweep sweeps/figure5.toml --out sweep
    aquasim paper --out paper
    scripts/plot_figure5.py sweep paper/figure4.csv --out figure5.pdf
"""

import argparse
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd


def energies(sweep: pathlib.Path) -> pd.DataFrame:
    """Mean energy by weight set (rows) and number of cuts (columns), relative to 16 bits without a crop."""
    points = pd.read_parquet(sweep / "points.parquet")
    points = points[points["status"] == "done"]
    cuts = points["crop"].map(lambda crop: 0 if crop == "none" else len(crop.split(",")))
    table = points.assign(cuts=cuts).pivot_table(index="weights", columns="cuts", values="dynamic_energy_pj")
    return table / table.loc["16", 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, help="folder of the sweep")
    parser.add_argument("tolerance", type=pathlib.Path, help="figure4.csv of aquasim paper")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("figure5.pdf"))
    arguments = parser.parse_args()

    energy = energies(arguments.sweep)
    tolerance = pd.read_csv(arguments.tolerance, dtype={"weights": str})
    sets = [weights for weights in ("16", "varied", "12") if weights in energy.index]
    bars = {"no crop": energy.loc[sets, 0]}
    for top in ("top-1", "top-5"):
        shares = tolerance[tolerance["top"] == top].pivot(index="weights", columns="cuts", values="share")
        bars[f"AQuA, {top}"] = (energy.loc[sets] * shares.loc[sets]).sum(axis=1)
    # A trace may have some weight sets and not others.
    reconstructed = set(tolerance.loc[tolerance["tolerance_from"] == "reconstructed", "weights"])
    bars = pd.DataFrame(bars).rename(index=lambda name: f"{name}\n(reconstructed)" if name in reconstructed else name)
    axes = bars.plot.bar(rot=0, figsize=(6, 3.4), width=0.8)
    axes.set_xlabel("weights")
    axes.set_ylabel("energy relative to 16 bits\nwithout a crop")
    axes.legend(frameon=False, ncols=3, fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    plt.tight_layout()
    plt.savefig(arguments.out)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Plots ISAAC's design space: peak throughput per area against that per power.

    aquasim sweep sweeps/isaac-design-space.toml --out design-space
    scripts/plot_design_space.py design-space --out design-space.pdf
"""

import argparse
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

import points

ISAAC_CE = {"arch.crossbar.rows": 128, "arch.adc.count": 8, "arch.ima.crossbars": 8, "arch.tile.imas": 12}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, help="folder of the sweep")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("design-space.pdf"))
    arguments = parser.parse_args()

    table = points.read(arguments.sweep, ["peak_gops_per_mm2", "peak_gops_per_watt", *ISAAC_CE])
    figure, axes = plt.subplots(figsize=(6, 4))
    for rows, group in table.groupby("arch.crossbar.rows", sort=False):
        axes.scatter(group["peak_gops_per_mm2"], group["peak_gops_per_watt"], s=16, label=f"{rows} rows")
    is_ce = pd.concat([table[key] == value for key, value in ISAAC_CE.items()], axis=1).all(axis=1)
    if not is_ce.any():
        points.refuse(f"{arguments.sweep} has no point of ISAAC-CE ({points.named(*zip(*ISAAC_CE.items()))})", "sweep it, too")
    ce = table[is_ce].iloc[0]
    place = (ce["peak_gops_per_mm2"], ce["peak_gops_per_watt"])
    axes.scatter(*place, s=90, facecolors="none", edgecolors="black")
    label = f"ISAAC-CE: {place[1]:.1f} GOPS/W"
    axes.annotate(label, place, xytext=(0.6, 0.2), textcoords="axes fraction", arrowprops={"arrowstyle": "-"})
    axes.set_xlabel("peak GOPS/mm$^2$")
    axes.set_ylabel("peak GOPS/W")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(arguments.out)


if __name__ == "__main__":
    main()

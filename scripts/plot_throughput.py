#!/usr/bin/env python3
"""Plots how much of the work that a crop saves becomes throughput, before and after rebalancing.

    aquasim sweep sweeps/captured-throughput.toml --out throughput
    scripts/plot_throughput.py throughput --out throughput.pdf
"""

import argparse
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

import points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, help="folder of the sweep")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("throughput.pdf"))
    arguments = parser.parse_args()

    table = points.read(arguments.sweep, ["crop", "rebalance", "macs", "settled", "cycles_per_image"])
    unsettled = table[table["settled"] != True]  # noqa: E712, it may be empty
    if len(unsettled):
        points.refuse(f"{len(unsettled)} of {len(table)} points are not settled", 'run them with images = "auto"')
    points.one_each(table, ["crop", "rebalance"])
    baseline = table[(table["crop"] == "none") & ~table["rebalance"]]
    if baseline.empty:
        points.refuse(f"{arguments.sweep} has no point without a crop and rebalance", "sweep it, too: shares are relative to it")
    baseline = baseline.iloc[0]
    speed_up = baseline["cycles_per_image"] / table["cycles_per_image"]
    work_reduction = baseline["macs"] / table["macs"]
    crops = table["crop"].unique()
    table = table.assign(captured=speed_up / work_reduction)
    table = table.pivot(index="crop", columns="rebalance", values="captured").loc[crops]
    missing = [(crop, rebalance) for crop in crops for rebalance in table if pd.isna(table.loc[crop, rebalance])]
    if missing:
        points.refuse(f"{arguments.sweep} has no point with {points.named(['crop', 'rebalance'], missing[0])}", "sweep it, too")
    table.columns = ["for the crop" if rebalanced else "for the whole map" for rebalanced in table.columns]
    axes = table.plot.bar(rot=25, figsize=(7, 4), width=0.8)
    axes.set_xlabel("")
    plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    axes.set_ylabel("captured share of saved work")
    axes.legend(title="copies balanced", frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    plt.tight_layout()
    plt.savefig(arguments.out)


if __name__ == "__main__":
    main()

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, help="folder of the sweep")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("throughput.pdf"))
    arguments = parser.parse_args()

    points = pd.read_parquet(arguments.sweep / "points.parquet")
    points = points[points["status"] == "done"]
    unsettled = points[points["settled"] != True]  # noqa: E712, it may be empty
    if len(unsettled):
        raise SystemExit(f"{len(unsettled)} of {len(points)} points are not settled: run them with images = \"auto\"")
    baseline = points[(points["crop"] == "none") & ~points["rebalance"]].iloc[0]
    speed_up = baseline["cycles_per_image"] / points["cycles_per_image"]
    work_reduction = baseline["macs"] / points["macs"]
    captured = points.assign(captured=speed_up / work_reduction)
    table = captured.pivot(index="crop", columns="rebalance", values="captured").loc[points["crop"].unique()]
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

#!/usr/bin/env python3
"""Measures what a sweep costs beside its simulations, how well it uses two cores, and how much memory it takes.

    cargo build --release
    scripts/measure_sweep.py [--points 1000] [--small 10000]

Runs sweeps/thousand-points.toml, or its first points, with one worker and with two, and the same simulations one by
one as `aquasim run`. Costs are user + system time, which other work on the machine disturbs little; the speed-up is of
wall-clock time and wants a quiet machine. Memory is the largest resident set, also for many points of a tiny network.
Needs nothing beyond Python.
"""

import argparse
import itertools
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CROPS = ["none", "top", "top,left", "top,left,right", "top,bottom,left,right"]


def run(command: list) -> dict:
    """Wall-clock seconds, user + system seconds and largest resident set (MB) of a command."""
    begun = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with status {status}")
    child.returncode = 0
    return {
        "wall": time.monotonic() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1000, help="points of VGG16 (a multiple of 5)")
    parser.add_argument("--small", type=int, default=10000, help="most points of a tiny network, for memory")
    parser.add_argument("--rounds", type=int, default=1, help="times that everything is measured")
    parser.add_argument("--aquasim", type=pathlib.Path, default=ROOT / "target/release/aquasim")
    arguments = parser.parse_args()
    program = arguments.aquasim
    widths = [1024 + 8 * index for index in range(arguments.points // len(CROPS))]

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sweep = folder / "sweep.toml"
        sweep.write_text(f"arch.bus.bytes_per_cycle = {widths}\ncrop = {CROPS}\n".replace("'", '"'))
        machine = subprocess.run([program, "arch", "show", "isaac-ce"], check=True, capture_output=True, text=True).stdout
        machines = {}
        for width in widths:
            lines = machine.splitlines()
            bus = lines.index("[bus]")
            value = next(i for i in range(bus, len(lines)) if lines[i].startswith("bytes_per_cycle"))
            lines[value] = f"bytes_per_cycle = {width}"
            machines[width] = folder / f"{width}.toml"
            machines[width].write_text("\n".join(lines) + "\n")

        results = {"one worker": [], "two workers": [], "one by one": []}
        for number in range(arguments.rounds):
            for name, threads in [("one worker", 1), ("two workers", 2)]:
                out = folder / f"{threads}-{number}"
                results[name].append(run([program, "sweep", sweep, "--out", out, "--threads", threads]))
            alone = [
                run([program, "run", "--arch", machines[width], "--crop", crop, "--json", folder / "run.json"])
                for width, crop in itertools.product(widths, CROPS)
            ]
            results["one by one"].append(
                {
                    "wall": sum(one["wall"] for one in alone),
                    "cpu": sum(one["cpu"] for one in alone),
                    "memory": max(one["memory"] for one in alone),
                }
            )
        print(f"{len(widths) * len(CROPS)} points of VGG16, median of {arguments.rounds}:")
        median = {
            name: {key: statistics.median(one[key] for one in all) for key in all[0]} for name, all in results.items()
        }
        for name, one in median.items():
            print(f"  {name:12} {one['wall']:8.1f} s wall {one['cpu']:8.1f} s user + system {one['memory']:6.0f} MB")
        speed_up = median["one worker"]["wall"] / median["two workers"]["wall"]
        alone = median["one by one"]["cpu"]
        print(f"  two workers against one: {speed_up:.2f} x (wall)")
        for name in ["one worker", "two workers"]:
            print(f"  {name} against one by one: {100 * (median[name]['cpu'] / alone - 1):+.1f} % (user + system)")

        points = arguments.small // 100
        while points <= arguments.small:
            sweep.write_text(
                'network = "tiny"\narch.file = "tiny"\nimages = [1, 2]\n'
                "arch.bus.bytes_per_cycle = { from = 64, to = 113 }\n"
                f"arch.edram.bytes_per_cycle = {{ from = 64, to = {63 + points // 100} }}\n"
            )
            one = run([program, "sweep", sweep, "--out", folder / f"small-{points}"])
            print(f"  {points} points of a tiny network: {one['memory']:.0f} MB, {one['wall']:.1f} s")
            points *= 10


if __name__ == "__main__":
    main()

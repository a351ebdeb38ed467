#!/usr/bin/env python3
"""Measures what tracing costs a run that asks for it: time against no trace, events a second, memory.

    scripts/tracing_on.py [PROGRAM [RUNS]]

One VGG16 image on ISAAC-CE, .pftrace, at each detail; the program is target/release/aquasim. Runs with and without a
trace take turns, so that other work on the machine slows down both alike.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/aquasim")
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 9


def run(*options):
    """Wall seconds, user and system seconds, peak memory in MB, what was logged."""
    started = time.monotonic()
    process = subprocess.Popen([PROGRAM, "run", "-v", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    logged = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, logged
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, logged


with tempfile.TemporaryDirectory() as folder:
    trace = f"{folder}/run.pftrace"
    print("detail    wall s  ratio  cpu s  ratio  memory MB  file MB     events  M events/s  M events/cpu s")
    for detail in ("layer", "tile", "ima", "crossbar"):
        pairs = [
            (run(), run("--trace", trace, "--trace-detail", detail, "--trace-limit", "5000")) for _ in range(RUNS)
        ]
        middle = lambda of: statistics.median(of(*pair) for pair in pairs)
        events = int(re.search(r"events=(\d+)", pairs[0][1][3])[1])
        wall, cpu = middle(lambda _, on: on[0]), middle(lambda _, on: on[1])
        print(
            f"{detail:9} {wall:6.2f} {middle(lambda off, on: on[0] / off[0]):6.2f} {cpu:6.2f}"
            f" {middle(lambda off, on: on[1] / off[1]):6.2f} {middle(lambda _, on: on[2]):10.0f}"
            f" {os.path.getsize(trace) / 1e6:8.1f} {events:10,} {events / wall / 1e6:11.2f}"
            f" {events / cpu / 1e6:15.2f}"
        )
    print(f"no trace: {middle(lambda off, _: off[0]):.2f} s, {middle(lambda off, _: off[2]):.0f} MB")

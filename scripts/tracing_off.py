#!/usr/bin/env python3
"""Measures what tracing costs a run that does not ask for it, against a build without it: a ratio, in one run.

    scripts/tracing_off.py [--runs N] [--images N] [-- OPTIONS OF cargo build]

The build without it is a copy of the sources from which every call of a probe is deleted. Both are built with the same
options, then run in turns, so that other work on the machine slows down both alike. User and system time are compared.
With valgrind there, the instructions of both are counted, too: those do not depend on the machine's load.
"""
import argparse
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "tracing-off"
CALL = re.compile(r"(?:context\.probe\(\)|\bprobe)\s*\.\s*[a-z]+\((?:[^;{}]|\{[^;]*\})*?\);")


def sources(without: bool) -> pathlib.Path:
    """A copy of the sources in which nobody calls a probe, or as they are."""
    to = WORK / ("without" if without else "with") / "source"
    shutil.rmtree(to, ignore_errors=True)
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    deleted = 0
    for name in filter(None, files.split("\0")):
        if not name.endswith((".rs", ".toml", ".lock")) or not (ROOT / name).exists():
            continue
        text = (ROOT / name).read_text()
        if without and re.match(r"crates/(components|chip)/src/", name) and not name.endswith("probe.rs"):
            text, calls = CALL.subn("", text)
            deleted += calls
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_text(text)
    if without:
        assert deleted >= 10, f"only {deleted} calls of probes were found"
        print(f"{deleted} calls of probes deleted")
    return to


def build(without: bool, options: list[str]) -> str:
    """Both are built into one folder, so that what they have in common is built once. It is not that of other builds:
    Cargo would take the crates without tracing for theirs."""
    source, target = sources(without), WORK / "target"
    command = ["cargo", "build", "--release", "--package", "aquasim", "--target-dir", target, *options]
    subprocess.run(command, cwd=source, check=True, stderr=subprocess.DEVNULL if without else None)
    binary = WORK / ("aquasim-without" if without else "aquasim-with")
    shutil.copy(target / "release" / "aquasim", binary)
    return str(binary)


def seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(command: list[str]) -> int:
    with tempfile.NamedTemporaryFile() as out:
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        ran = subprocess.run([*valgrind, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return int(re.search(r"Collected : (\d+)", ran.stderr)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--images", type=int, default=4)
    own, cargo = (sys.argv[1:], []) if "--" not in sys.argv else (
        sys.argv[1 : sys.argv.index("--")],
        sys.argv[sys.argv.index("--") + 1 :],
    )
    arguments = parser.parse_args(own)
    with_it, without = (build(without, cargo) for without in (False, True))
    run = ["run", "--images", str(arguments.images)]
    printed = [subprocess.run([binary, *run], check=True, capture_output=True).stdout for binary in (with_it, without)]
    assert printed[0] == printed[1], "both must simulate the same"
    pairs = [(seconds([with_it, *run]), seconds([without, *run])) for _ in range(arguments.runs)]
    medians = [statistics.median(times) for times in zip(*pairs)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"user and system seconds, {arguments.images} images, median of {arguments.runs}: with {medians[0]:.3f}, without {medians[1]:.3f}")
    print(f"ratio of medians {medians[0] / medians[1]:.4f}, median of ratios {ratio:.4f}")
    if shutil.which("valgrind"):
        counts = [instructions([binary, "run"]) for binary in (with_it, without)]
        print(f"instructions, one image: with {counts[0]:,}, without {counts[1]:,}, ratio {counts[0] / counts[1]:.4f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Reads a waveform back with GTKWave's fst2vcd and compares its signals with the report of the same run.

    aquasim run --trace run.fst --trace-detail ima --json run.json && scripts/check-waveform.py run.fst run.json

Needs fst2vcd (Debian's gtkwave). A .vcd file is read as it is.
"""
import collections
import json
import subprocess
import sys

CAUSES = [
    "computing",
    "input",
    "bus",
    "ima_output_register",
    "lockstep",
    "output_register",
    "downstream_buffer",
    "max_pool",
    "router",
    "link",
    "filling",
    "finished",
]

if sys.argv[1].endswith(".fst"):
    text = subprocess.run(["fst2vcd", sys.argv[1]], check=True, capture_output=True, text=True).stdout
else:
    text = open(sys.argv[1]).read()
report = json.load(open(sys.argv[2]))
cycle_ns = report["time_ns"] / report["cycles"]

# Identifier to the paths of its signals; fst2vcd may give equal signals one identifier.
signals, scopes = collections.defaultdict(list), []
# For each signal, the values and how long each lasted, and how often it changed.
lasted, changes, most = collections.defaultdict(collections.Counter), collections.Counter(), collections.Counter()
values, since, now = {}, {}, 0


def change(identifier, value):
    value = int(value, 2)
    if identifier in values:
        if values[identifier] == value:
            return
        lasted[identifier][values[identifier]] += now - since[identifier]
        changes[identifier] += 1
    values[identifier], since[identifier] = value, now
    most[identifier] = max(most[identifier], value)


for line in text.splitlines():
    words = line.split()
    if not words:
        continue
    if words[0] == "$timescale":
        assert "1 ns" in line or "1ns" in line or line.strip() == "$timescale", line
    elif words[0] == "$scope":
        scopes.append(words[2])
    elif words[0] == "$upscope":
        scopes.pop()
    elif words[0] == "$var":
        signals[words[3]].append((*scopes, words[4]))
    elif words[0][0] == "#":
        time = int(words[0][1:])
        assert time >= now, "time goes back"
        now = time
    elif words[0][0] == "b":
        change(words[1], words[0][1:])
    elif words[0][0] in "01":
        change(words[0][1:], words[0][0])
for identifier, value in values.items():
    lasted[identifier][value] += now - since[identifier]

cycles, edges, crossbars = collections.Counter(), collections.Counter(), collections.Counter()
loads = collections.Counter()
for identifier, paths in signals.items():
    for path in paths:
        assert path[0].startswith("chip"), path
        *_, name = path
        if name.endswith("_load"):
            # A load stands for 64 cycles; the first stretch begins with cycle 1.
            loads[name] += sum(value * time for value, time in lasted[identifier].items()) / cycle_ns / 64
        if len(path) == 5:
            assert path[3].startswith("crossbar") and name == "busy"
            crossbars[path[2].split("_", 1)[1]] += lasted[identifier][1]
        if len(path) != 4:
            continue
        layer = path[2].split("_", 1)[1]
        edges[layer, name] += changes[identifier]
        if name == "cause":
            for code, time in lasted[identifier].items():
                if code > 0:
                    cycles[layer, CAUSES[code]] += time
        elif name in ("busy", "waiting", "converting"):
            cycles[layer, name] += lasted[identifier][1]
        elif name in ("input_occupancy", "output_occupancy"):
            assert most[identifier] <= 2, f"{path} holds more than two operations"
for layer in report["layers"]:
    name, stalls, counts = layer["name"], layer["stalls"], layer["counts"]
    got = lambda what: round(cycles[name, what] / cycle_ns)
    assert got("busy") == stalls["computing"], f"{name}: busy {got('busy')}, {stalls['computing']} in the report"
    for cause in CAUSES[1:-1]:
        assert got(cause) == stalls[cause], f"{name}, {cause}: {got(cause)}, {stalls[cause]} in the report"
    assert got("waiting") == sum(stalls[cause] for cause in CAUSES[1:-2]), f"{name}: waiting"
    if (name, "read_toggle") in edges and report["fidelity"] == "iteration":
        reads = counts["crossbar_reads"] // (counts["crossbar_operations"] // counts["ima_operations"])
        for toggle in ("read_toggle", "convert_toggle", "accumulate_toggle"):
            assert edges[name, toggle] == reads, f"{name}: {edges[name, toggle]} changes of {toggle}, {reads} reads"
    if crossbars:
        of_all = counts["crossbar_operations"] / counts["ima_operations"] * stalls["computing"]
        assert round(crossbars[name] / cycle_ns) == round(of_all), f"{name}: crossbars"
if loads["bus_load"]:
    # All but the first stretch last 64 cycles, so a little is missing of that.
    bits = report["counts"]["bus_bits"]
    assert 0.97 * bits <= loads["bus_load"] <= bits, f"{loads['bus_load']:.0f} bits over the buses, {bits} in the report"
print(f"{sum(map(len, signals.values()))} signals, {sum(changes.values())} changes: as in the report")

#!/usr/bin/env python3
"""Reads a Perfetto trace back with Perfetto's own classes and compares it with the report of the same run.

    aquasim run --trace run.pftrace --trace-detail ima --json run.json && scripts/check-trace.py run.pftrace run.json

Needs PyPI's `perfetto` and `protobuf`. The classes of the package decode the file; its trace processor, which would
have to be downloaded, is not used. Everything that Perfetto asks of a file is checked here instead: slices of a track
nest, every name and track is described before it is used, and every arrow has one beginning and one end.
"""
import collections
import json
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

trace = Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())
report = json.load(open(sys.argv[2]))
counts = report["counts"]
cycle_ns = report["time_ns"] / report["cycles"]
layers = {layer["name"]: layer for layer in report["layers"]}

tracks, names = {}, {}
# (time, place in the file, track, event), as Perfetto sorts them.
events = []
assert trace.packet[0].sequence_flags == 1, "the first packet clears the state"
for place, packet in enumerate(trace.packet):
    assert packet.trusted_packet_sequence_id == 1 and (place == 0 or packet.sequence_flags == 2)
    for name in packet.interned_data.event_names:
        assert name.iid not in names, f"{name.name} is given twice"
        names[name.iid] = name.name
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        assert not track.parent_uuid or track.parent_uuid in tracks, f"{track.name} comes before what is around it"
        tracks[track.uuid] = track
    if packet.HasField("track_event"):
        event = packet.track_event
        assert event.track_uuid in tracks, "an event comes before its track"
        if event.type in (TrackEvent.TYPE_SLICE_BEGIN, TrackEvent.TYPE_INSTANT):
            assert event.name_iid in names, "an event comes before its name"
        events.append((packet.timestamp, place, event))
events.sort(key=lambda event: event[:2])


def path(uuid):
    track = tracks[uuid]
    return (path(track.parent_uuid) if track.parent_uuid else []) + [track.name]


paths = {uuid: path(uuid) for uuid in tracks}
open_slices = collections.defaultdict(list)
spans, slices, stages = collections.Counter(), collections.Counter(), collections.Counter()
loads, samples = collections.Counter(), collections.defaultdict(list)
begun, ended, waits = {}, {}, 0
for time, _, event in events:
    where = paths[event.track_uuid]
    own = where[-1]
    kind = own.split(" (")[0].rstrip("0123456789").strip()
    for flow in event.flow_ids:
        assert flow not in begun, "an arrow begins twice"
        begun[flow] = time
    for flow in event.terminating_flow_ids:
        assert flow not in ended, "an arrow ends twice"
        assert begun[flow] <= time, "an arrow goes back in time"
        ended[flow] = time
    if event.type == TrackEvent.TYPE_SLICE_BEGIN:
        open_slices[event.track_uuid].append((time, names[event.name_iid]))
    elif event.type == TrackEvent.TYPE_SLICE_END:
        start, name = open_slices[event.track_uuid].pop()
        stages[kind] += 1
        if kind == "IMA":
            assert len(where) == 3 and where[0].startswith("chip ") and where[1].startswith("tile "), where
            layer = own[own.index("(") + 1 : -1]
            cause = "computing"
            if name.startswith("waits: "):
                cause = name.removeprefix("waits: ").split(" from ")[0].split(" of ")[0].replace(" ", "_")
            elif name in ("filling", "finished"):
                cause = name
            assert cause != "computing" or name.startswith(f"{layer} ("), f"{name} on {where}"
            slices[layer, cause] += 1
            spans[layer, cause] += time - start
            if cause not in ("computing", "finished", "filling"):
                waits += 1
    elif event.type == TrackEvent.TYPE_COUNTER:
        samples[event.track_uuid].append((time, event.counter_value))
        if own.startswith("buffer fill"):
            assert 0 <= event.counter_value <= report["arch_toml"]["edram"]["bytes"] if "arch_toml" in report else True
        elif own.endswith(" load"):
            loads[kind if kind in ("router", "link from the") else own] += event.counter_value
            if where[0] == "layers":
                loads["operations", own.removesuffix(" load")] += event.counter_value
assert not any(open_slices.values()), "every slice ends"
assert begun.keys() == ended.keys(), "every arrow has both ends"

# Loads are the run's own counts.
for name, layer in layers.items():
    assert loads["operations", name] == layer["counts"]["ima_operations"], f"operations of {name}"
assert loads["mesh load"] == counts["router_flit_hops"], "flits through routers"
link_bits = sum(amount for name, amount in loads.items() if isinstance(name, str) and name.startswith("link from"))
assert link_bits == counts["link_bits"], "bits over the links between chips"
if any(name[-1] == "bus load" for name in paths.values()):
    assert loads["bus load"] == counts["bus_bits"], "bits over the buses"
    written = counts["edram_bits_written"] - counts["host_bits_written"]
    assert loads["eDRAM writes load"] == written, "bits written to the buffers"
if slices:
    for name, layer in layers.items():
        assert slices[name, "computing"] == layer["counts"]["ima_operations"], f"operations of {name}"
        for cause, cycles in layer["stalls"].items():
            traced = round(spans[name, cause] / cycle_ns)
            assert traced == cycles, f"{name}, {cause}: {traced} cycles in the trace, {cycles} in the report"
    operations = counts["ima_operations"]
    assert stages["input register"] == stages["output register"] == operations, "a fetch and a result each"
    if stages["crossbar"] and len(trace.packet) < 40 * operations:
        assert stages["crossbar"] == counts["crossbar_operations"], "operations of the crossbars"
        assert stages["ADCs"] == stages["shift-and-adds"] == operations
    elif stages["crossbar"]:
        assert stages["crossbar"] == counts["crossbar_operations"] + counts["crossbar_reads"], "reads of the crossbars"
    assert stages["sigmoid and max-pool"] >= counts["windows"], "every window is activated"
    assert stages["eDRAM write"] > 0 and len(ended) >= 0.9 * waits, f"{len(ended)} arrows end {waits} waits"
print(
    f"{len(trace.packet)} packets, {len(tracks)} tracks, {sum(stages.values())} slices, {waits} waits, "
    f"{len(ended)} arrows, {sum(map(len, samples.values()))} samples: as in the report"
)

#!/usr/bin/env python3
"""Reads a Perfetto trace back with Perfetto's own classes and compares it with the report of the same run.

    aquasim run --trace run.pftrace --json run.json && scripts/check-trace.py run.pftrace run.json

Needs PyPI's `perfetto` and `protobuf`. The classes of the package decode the file; its trace processor, which would
have to be downloaded, is not used.
"""
import collections
import json
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

trace = Trace()
trace.ParseFromString(open(sys.argv[1], "rb").read())
report = json.load(open(sys.argv[2]))
cycle_ns = report["time_ns"] / report["cycles"]

names, tracks, open_slices = {}, {}, collections.defaultdict(list)
spans = collections.Counter()
slices = collections.Counter()
flows, ended_flows = set(), set()
assert trace.packet[0].sequence_flags == 1, "the first packet clears the state"
for packet in trace.packet[1:]:
    assert packet.sequence_flags == 2 and packet.trusted_packet_sequence_id == 1
    for name in packet.interned_data.event_names:
        names[name.iid] = name.name
    if packet.HasField("track_descriptor"):
        tracks[packet.track_descriptor.uuid] = packet.track_descriptor
    if not packet.HasField("track_event"):
        continue
    event = packet.track_event
    track = tracks[event.track_uuid]
    if event.type == TrackEvent.TYPE_SLICE_BEGIN:
        flows.update(event.flow_ids)
        ended_flows.update(event.terminating_flow_ids)
        open_slices[event.track_uuid].append((packet.timestamp, names[event.name_iid]))
    elif event.type == TrackEvent.TYPE_INSTANT:
        flows.update(event.flow_ids)
    elif event.type == TrackEvent.TYPE_SLICE_END:
        start, name = open_slices[event.track_uuid].pop()
        if track.name.startswith("IMA "):
            layer = track.name[track.name.index("(") + 1 : -1]
            kind = "computing"
            if name.startswith("waits: "):
                kind = name.removeprefix("waits: ").split(" from ")[0].split(" of ")[0].replace(" ", "_")
            elif name in ("filling", "finished"):
                kind = name
            slices[layer, kind] += 1
            spans[layer, kind] += packet.timestamp - start
assert not any(open_slices.values()), "every slice ends"
assert ended_flows and ended_flows <= flows, "every arrow comes from somewhere"
for layer in report["layers"]:
    name = layer["name"]
    assert slices[name, "computing"] == layer["counts"]["ima_operations"], f"operations of {name}"
    for cause, cycles in layer["stalls"].items():
        traced = round(spans[name, cause] / cycle_ns)
        assert traced == cycles, f"{name}, {cause}: {traced} cycles in the trace, {cycles} in the report"
print(f"{len(trace.packet)} packets, {sum(slices.values())} slices, {len(ended_flows)} arrows: as in the report")

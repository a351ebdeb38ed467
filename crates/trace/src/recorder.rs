//! Probe that records a run.
//!
//! The recorder filters before it stores anything. Loads and fills are the exception to one record per event. They are
//! summed over stretches of [`LOAD_CYCLES`](analysis::LOAD_CYCLES) cycles, since single transfers are too many to be
//! drawn; below [`Detail::Ima`] a fill is emitted once for each stretch in which it changed.

use std::ops::Range;

use analysis::{Carrier, FillId, Fills, Loads, Scene};
use components::{Event, InputId, Port, Probe};
use crossbeam_channel::{Receiver, Sender};
use des::Cycle;
use mapper::TileId;
use network::LayerId;

use crate::record::{self, Record};
use crate::{Detail, Filter};

/// Records in a chunk sent to the writer.
const CHUNK: usize = 4096;

/// Probe that sends the records of a trace to its writer thread. Created by [`start`](crate::start).
pub struct Recorder {
    filter: Filter,
    loads: Loads,
    fills: Fills,
    records: Vec<Record>,
    full: Sender<Vec<Record>>,
    empty: Receiver<Vec<Record>>,
    /// True once the writer has stopped, because of the byte limit or an error.
    ended: bool,
}

impl Probe for Recorder {
    #[inline]
    fn observe(&mut self, event: impl FnOnce() -> Event) {
        if !self.ended {
            self.record(event());
        }
    }
}

impl Recorder {
    pub(crate) fn new(
        scene: &Scene<'_>,
        filter: Filter,
        full: Sender<Vec<Record>>,
        empty: Receiver<Vec<Record>>,
    ) -> Recorder {
        Recorder {
            filter,
            loads: Loads::new(scene),
            fills: Fills::new(scene),
            records: Vec::with_capacity(CHUNK),
            full,
            empty,
            ended: false,
        }
    }

    fn record(&mut self, event: Event) {
        self.sum(&event);
        if record::detail(&event).is_some_and(|detail| detail <= self.filter.detail())
            && let Some(cycles) = self.filter.shown(&record::describe(&event))
        {
            self.push(Record::Event { event, cycles });
        }
    }

    /// Adds an event to the loads and fills.
    fn sum(&mut self, event: &Event) {
        match *event {
            Event::Operation { unit, at, .. } => self.load(Detail::Layer, Carrier::Layer(unit.layer), 1, at, at),
            Event::Fetch { unit, bits, ref cycles, .. } | Event::Result { unit, bits, ref cycles, .. } => {
                self.load(Detail::Tile, Carrier::Bus(unit.tile), bits, cycles.start, cycles.end - 1);
            }
            Event::Skip { tile, bits, ref cycles, .. } => {
                self.load(Detail::Tile, Carrier::Bus(tile), bits, cycles.start, cycles.end - 1);
            }
            Event::Write { tile, bits, ref cycles, .. } => {
                self.load(Detail::Tile, Carrier::Writes(tile), bits.into(), cycles.start, cycles.end - 1);
            }
            Event::Crossing { to, enters, bits, ref cycles, .. } => {
                self.load(Detail::Layer, Carrier::Link(to, enters), bits.into(), cycles.start, cycles.end - 1);
            }
            // Output ports only: a packet leaves each router on its route by one port.
            Event::Port { chip, router, port, flits, at, .. } if !matches!(port, Port::FromTile(_)) => {
                // `at` may lie far ahead of the events that follow, so it completes no stretch.
                let now = 0;
                self.load(Detail::Layer, Carrier::Mesh(chip), flits.into(), now, at);
                if let Port::Neighbour(direction) = port {
                    let channel = self.loads.channel(chip, router, direction);
                    self.load(Detail::Tile, channel, flits.into(), now, at);
                }
            }
            Event::Arrive { tile, layer, inputs, at, .. } => {
                if self.shows_fill(tile, inputs, at) {
                    let fill = self.fills.arrive(tile, inputs);
                    self.fill(tile, (layer, inputs), fill, at);
                }
            }
            Event::Progress { tile, layer, inputs, image, step, at } => {
                if self.shows_fill(tile, inputs, at)
                    && let (fill, 1..) = self.fills.progress(tile, inputs, image, step)
                {
                    self.fill(tile, (layer, inputs), fill, at);
                }
            }
            Event::Wait { .. }
            | Event::Stage { .. }
            | Event::Activate { .. }
            | Event::Supply { .. }
            | Event::Room { .. }
            | Event::Packet { .. }
            | Event::Port { .. } => {}
        }
    }

    /// Adds to the load of a carrier in cycle `at`, which is `now` or later. All loads of a stretch are emitted
    /// together.
    #[inline]
    fn load(&mut self, detail: Detail, carrier: Carrier, amount: u64, now: Cycle, at: Cycle) {
        if self.filter.detail() < detail || !self.filter.cycles().contains(&at) {
            return;
        }
        while self.loads.is_over(now) {
            self.emit_loads(now);
        }
        self.loads.add(carrier, amount, at);
    }

    /// Emits the loads of a completed stretch, then the fills that changed in it.
    #[cold]
    fn emit_loads(&mut self, now: Cycle) {
        for (from, carrier, amount) in self.loads.take(now) {
            if self.filter.carrier(carrier) {
                self.push(Record::Load { carrier, from, amount });
            }
        }
        self.emit_fills();
    }

    fn emit_fills(&mut self) {
        for (tile, (layer, inputs), bits, at) in self.fills.take_changed() {
            self.push(Record::Fill { tile, layer, inputs, bits, at });
        }
    }

    /// True if the fill of a buffer is recorded. Arrivals before the first selected cycle count too, since their bits
    /// are still in the buffer.
    #[inline]
    fn shows_fill(&mut self, tile: TileId, inputs: InputId, at: Cycle) -> bool {
        let Range { start, end } = self.filter.cycles();
        if !self.fills.has(tile, inputs) || self.filter.detail() < Detail::Tile || at >= end {
            return false;
        }
        if self.filter.detail() >= Detail::Ima && at > start && self.fills.has_changed() {
            self.emit_fills();
        }
        true
    }

    /// Records that a fill changed in cycle `at`.
    #[inline]
    fn fill(&mut self, tile: TileId, (layer, inputs): (LayerId, InputId), fill: FillId, at: Cycle) {
        if !self.filter.tile(tile) || !self.filter.layer(layer) {
            return;
        }
        let start = self.filter.cycles().start;
        if self.filter.detail() < Detail::Ima || at <= start {
            self.fills.change(fill, at.max(start));
        } else {
            let bits = self.fills.bits(fill);
            self.push(Record::Fill { tile, layer, inputs, bits, at });
        }
    }

    #[inline]
    fn push(&mut self, record: Record) {
        self.records.push(record);
        if self.records.len() == CHUNK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // Chunks are recycled, so memory does not grow with the trace.
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        let records = std::mem::replace(&mut self.records, next);
        self.ended |= self.full.send(records).is_err();
    }

    /// Emits the loads and fills of the remaining stretches, then sends the last chunk.
    pub(crate) fn finish(&mut self) {
        while self.loads.is_loaded() {
            self.emit_loads(0);
        }
        self.emit_fills();
        self.flush();
    }
}

//! Events of a trace, and the probe that records them.
//!
//! The recorder filters before it stores anything: each method of the probe compares detail, cycles, layer and unit
//! with the [`Filter`] and returns early. Loads and fills are the exception to one event per call. They are summed over
//! stretches of [`LOAD_CYCLES`] cycles, since single transfers are too many to be drawn; below [`Detail::Ima`] a fill
//! is emitted once for each stretch in which it changed.

use std::ops::Range;
use std::path::Path;

use analysis::{Carrier, Fills, LOAD_CYCLES, Loads, Scene};
use chip::{Cause, Probe, Stage, Unit};
use components::{Direction, ImaTiming, Port};
use crossbeam_channel::{Receiver, Sender};
use des::Cycle;

use crate::Filter;

/// Event of a run. Spans are half-open ranges of cycles.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are those of the probe's methods")]
pub enum Event {
    /// Load of a carrier in the [`LOAD_CYCLES`] cycles from `from` on, in the unit of the carrier.
    Load { carrier: Carrier, from: Cycle, amount: u64 },
    /// Bits of a layer's inputs in a buffer from the end of cycle `at` on.
    Fill { tile: u32, layer: u16, bits: u64, at: Cycle },
    /// Operation of an IMA; `cycles` are those of its crossbar reads.
    Operation { unit: Unit, window: u32, cycles: Range<Cycle>, timing: ImaTiming },
    /// Cycles in which an IMA does not compute, with their cause.
    Wait { unit: Unit, cause: Cause, cycles: Range<Cycle> },
    /// Transfer of a window's inputs to an IMA.
    Fetch { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Transfer of a window's results to the tile's output register.
    Result { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Outputs of a window in sigmoid and max-pool.
    Activate { tile: u32, layer: u16, replica: u32, window: u32, at: Cycle },
    /// Write to a buffer: inputs of `layer`, or results of the last layer if `None`.
    Write { tile: u32, layer: Option<u16>, rank: u32, bits: u32, cycles: Range<Cycle> },
    /// Write of the position with sequence number `rank`, for which windows of a replica waited.
    Supply { tile: u32, layer: u16, replica: u32, rank: u32, at: Cycle },
    /// Room that became free in a buffer, announced to the producing tile `to`.
    Room { tile: u32, layer: u16, to: u32, at: Cycle },
    /// Packet in the mesh of a chip.
    Packet { chip: u32, layer: u16, flits: u32, waited: u32, cycles: Range<Cycle> },
    /// Packet on the link that enters chip `to` on side `enters`.
    Crossing { to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle> },
    /// Stage of one iteration; only in iteration fidelity.
    Stage { unit: Unit, stage: Stage, cycles: Range<Cycle> },
}

impl Event {
    /// Returns the cycle in which the simulator reports the event.
    pub fn known_at(&self) -> Cycle {
        match self {
            Event::Load { from, .. } => from + LOAD_CYCLES,
            Event::Wait { cycles, .. } => cycles.end,
            Event::Fill { at, .. } | Event::Activate { at, .. } | Event::Supply { at, .. } | Event::Room { at, .. } => {
                *at
            }
            Event::Operation { cycles, .. }
            | Event::Fetch { cycles, .. }
            | Event::Result { cycles, .. }
            | Event::Write { cycles, .. }
            | Event::Packet { cycles, .. }
            | Event::Crossing { cycles, .. }
            | Event::Stage { cycles, .. } => cycles.start,
        }
    }
}

/// Returns the cycles in which ADCs and shift-and-adds work on an operation that is read in `reads`. ADCs follow the
/// first read by one cycle, shift-and-adds by the time of a conversion more.
pub(crate) fn stages(reads: &Range<Cycle>, timing: ImaTiming) -> [Range<Cycle>; 2] {
    let convert =
        reads.start + 1..reads.end + 1 + Cycle::from(timing.convert_cycles) - Cycle::from(timing.cycles_per_read);
    let delay = 1 + Cycle::from(timing.convert_cycles);
    let accumulate =
        reads.start + delay..reads.end + delay + Cycle::from(timing.merge_cycles) - Cycle::from(timing.cycles_per_read);
    [convert, accumulate]
}

/// Detail of a trace. Each level includes those above it in this list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Loads per 64 cycles: operations of each layer, flits of each mesh, bits of each link.
    Layer,
    /// Also loads of each tile (bus, writes, buffer fill) and of each mesh link, per 64 cycles.
    #[default]
    Tile,
    /// Also events of each IMA and window: operations, waits, fetches, results, activations, writes; and every change
    /// of a buffer's fill.
    Ima,
    /// Also stages of an operation: crossbars, ADCs and shift-and-adds; in iteration fidelity each iteration.
    Crossbar,
}

/// Format of a trace file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.pftrace`: Perfetto's protobuf.
    Perfetto,
    /// `.fst`: a compressed waveform.
    Fst,
    /// `.vcd`: a waveform as text.
    Vcd,
    /// `.csv`: one line for each event.
    Csv,
}

impl Format {
    /// Returns the format for the ending of a file name; `None` if there is none.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "pftrace" => Some(Format::Perfetto),
            "fst" => Some(Format::Fst),
            "vcd" => Some(Format::Vcd),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

/// Events in a chunk sent to the writer.
pub(crate) const CHUNK: usize = 4096;

/// Probe that sends the events of a trace to its writer thread. Created by [`start`](crate::start).
pub struct Recorder {
    filter: Filter,
    loads: Loads,
    fills: Fills,
    /// Routers in a row of a chip.
    router_columns: u32,
    events: Vec<Event>,
    full: Sender<Vec<Event>>,
    empty: Receiver<Vec<Event>>,
    /// True once the writer has stopped, because of the byte limit or an error.
    ended: bool,
}

impl Recorder {
    pub(crate) fn new(
        scene: &Scene<'_>,
        filter: Filter,
        full: Sender<Vec<Event>>,
        empty: Receiver<Vec<Event>>,
    ) -> Recorder {
        Recorder {
            filter,
            loads: Loads::new(scene),
            fills: Fills::new(scene),
            router_columns: scene.router_columns(),
            events: Vec::with_capacity(CHUNK),
            full,
            empty,
            ended: false,
        }
    }

    /// Emits the loads and fills of the remaining stretches, then sends the last chunk.
    pub(crate) fn finish(&mut self) {
        while self.loads.is_loaded() {
            self.tell(0);
        }
        self.tell_fills();
        self.flush();
    }

    fn flush(&mut self) {
        // Chunks are recycled, so memory does not grow with the trace.
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        let events = std::mem::replace(&mut self.events, next);
        self.ended |= self.full.send(events).is_err();
    }

    #[inline]
    fn push(&mut self, event: Event) {
        self.events.push(event);
        if self.events.len() == CHUNK {
            self.flush();
        }
    }

    /// Adds to the load of a carrier in cycle `at`, which is `now` or later. All loads of a stretch are emitted
    /// together.
    #[inline]
    fn load(&mut self, detail: Detail, carrier: Carrier, amount: u64, now: Cycle, at: Cycle) {
        if self.ended || self.filter.detail < detail || !self.filter.cycles.contains(&at) {
            return;
        }
        while self.loads.is_over(now) {
            self.tell(now);
        }
        self.loads.add(carrier, amount, at);
    }

    /// Emits the loads of a completed stretch, then the fills that changed in it.
    #[cold]
    fn tell(&mut self, now: Cycle) {
        for (from, carrier, amount) in self.loads.take(now) {
            if self.filter.carrier(carrier) {
                self.push(Event::Load { carrier, from, amount });
            }
        }
        self.tell_fills();
    }

    fn tell_fills(&mut self) {
        for (tile, layer, bits, at) in self.fills.take_changed() {
            self.push(Event::Fill { tile, layer, bits, at });
        }
    }

    /// True if the fill of a buffer is recorded. Arrivals before the first selected cycle count too, since their bits
    /// are still in the buffer.
    #[inline]
    fn wants_fill(&mut self, layer: u16, at: Cycle) -> bool {
        let Range { start, end } = self.filter.cycles;
        if self.ended || layer == 0 || self.filter.detail < Detail::Tile || at >= end {
            return false;
        }
        if self.filter.detail >= Detail::Ima && at > start && self.fills.has_changed() {
            self.tell_fills();
        }
        true
    }

    /// Records that fill `number` changed in cycle `at`.
    #[inline]
    fn fill(&mut self, tile: u32, layer: u16, number: u32, at: Cycle) {
        if !self.filter.tile(tile) || !self.filter.layer(layer) {
            return;
        }
        let start = self.filter.cycles.start;
        if self.filter.detail < Detail::Ima || at <= start {
            self.fills.change(number, at.max(start));
        } else {
            let bits = self.fills.bits(number);
            self.push(Event::Fill { tile, layer, bits, at });
        }
    }

    #[inline]
    fn selects(&self, detail: Detail, cycles: &Range<Cycle>) -> bool {
        !self.ended
            && detail <= self.filter.detail
            && cycles.start < self.filter.cycles.end
            && self.filter.cycles.start < cycles.end
    }

    #[inline]
    fn wants_unit(&self, detail: Detail, unit: Unit, cycles: &Range<Cycle>) -> bool {
        self.selects(detail, cycles) && self.filter.layer(unit.layer) && self.filter.unit(unit.tile, unit.ima)
    }

    #[inline]
    fn wants_tile(&self, tile: u32, layer: Option<u16>, cycles: &Range<Cycle>) -> bool {
        self.selects(Detail::Ima, cycles)
            && self.filter.tile(tile)
            && layer.is_none_or(|layer| self.filter.layer(layer))
    }

    /// Returns the part of a span within the selected cycles.
    #[inline]
    fn shown(&self, cycles: Range<Cycle>) -> Range<Cycle> {
        cycles.start.max(self.filter.cycles.start)..cycles.end.min(self.filter.cycles.end)
    }
}

impl Probe for Recorder {
    #[inline]
    fn observe(&mut self, event: impl FnOnce() -> components::Event) {
        self.record(event());
    }
}

impl Recorder {
    fn record(&mut self, event: components::Event) {
        use components::Event as E;
        match event {
            E::Operation { unit, window, at, iterations, timing } => {
                self.load(Detail::Layer, Carrier::Layer(unit.layer), 1, at, at);
                let cycles = at..at + timing.reads(iterations);
                if self.wants_unit(Detail::Ima, unit, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Operation { unit, window, cycles, timing });
                }
            }
            E::Wait { unit, cause, cycles } => {
                if self.wants_unit(Detail::Ima, unit, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Wait { unit, cause, cycles });
                }
            }
            E::Fetch { unit, window, bits, cycles } => {
                self.load(Detail::Tile, Carrier::Bus(unit.tile), bits, cycles.start, cycles.end - 1);
                if self.wants_unit(Detail::Ima, unit, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Fetch { unit, window, bits, cycles });
                }
            }
            E::Result { unit, window, bits, cycles } => {
                self.load(Detail::Tile, Carrier::Bus(unit.tile), bits, cycles.start, cycles.end - 1);
                if self.wants_unit(Detail::Ima, unit, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Result { unit, window, bits, cycles });
                }
            }
            E::Stage { unit, stage, cycles } => {
                if self.wants_unit(Detail::Crossbar, unit, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Stage { unit, stage, cycles });
                }
            }
            E::Activate { tile, layer, replica, window, at } => {
                if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
                    self.push(Event::Activate { tile, layer, replica, window, at });
                }
            }
            E::Write { tile, layer, rank, bits, cycles } => {
                self.load(Detail::Tile, Carrier::Writes(tile), bits.into(), cycles.start, cycles.end - 1);
                if self.wants_tile(tile, layer, &cycles) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Write { tile, layer, rank, bits, cycles });
                }
            }
            E::Supply { tile, layer, replica, rank, at } => {
                if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
                    self.push(Event::Supply { tile, layer, replica, rank, at });
                }
            }
            E::Arrive { tile, layer, at, .. } => {
                if self.wants_fill(layer, at) {
                    let number = self.fills.arrive(tile, layer);
                    self.fill(tile, layer, number, at);
                }
            }
            E::Progress { tile, layer, image, step, at } => {
                if self.wants_fill(layer, at)
                    && let (number, 1..) = self.fills.progress(tile, layer, image, step)
                {
                    self.fill(tile, layer, number, at);
                }
            }
            E::Room { tile, layer, to, at } => {
                if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
                    self.push(Event::Room { tile, layer, to, at });
                }
            }
            E::Packet { chip, layer, flits, waited, cycles, .. } => {
                if self.selects(Detail::Ima, &cycles) && self.filter.layer(layer) && self.filter.chip(chip) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Packet { chip, layer, flits, waited, cycles });
                }
            }
            // Output ports only: a packet leaves each router on its route by one port.
            E::Port { port: Port::FromTile(_), .. } => {}
            E::Port { chip, router: (column, row), port, flits, at } => {
                // `at` may lie far ahead of the events that follow, so it completes no stretch.
                let now = 0;
                self.load(Detail::Layer, Carrier::Mesh(chip), flits.into(), now, at);
                if let Port::Neighbour(direction) = port {
                    let router = row * self.router_columns + column;
                    self.load(Detail::Tile, Carrier::Channel(chip, router, direction as u8), flits.into(), now, at);
                }
            }
            E::Crossing { to, enters, layer, bits, cycles } => {
                self.load(Detail::Layer, Carrier::Link(to, enters as u8), bits.into(), cycles.start, cycles.end - 1);
                if self.selects(Detail::Ima, &cycles) && self.filter.layer(layer) && self.filter.chip(to) {
                    let cycles = self.shown(cycles);
                    self.push(Event::Crossing { to, enters, layer, bits, cycles });
                }
            }
        }
    }
}

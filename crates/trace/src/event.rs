//! What a trace is made of, and the probe that records it.

use std::ops::Range;
use std::path::Path;

use chip::{Cause, Probe, Stage, Unit};
use components::{Direction, ImaTiming, Port};
use crossbeam_channel::{Receiver, Sender};
use des::Cycle;

use crate::load::{Carrier, Fills, LOAD_CYCLES, Loads};
use crate::{Filter, Scene};

/// Something that happened. Spans begin with their first cycle and end before the one after their last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are those of the probe's methods")]
pub enum Event {
    /// What a shared resource carried in the stretch of cycles from `from` on.
    Load { carrier: Carrier, from: Cycle, amount: u64 },
    /// How many bits of inputs of a layer a buffer holds from the end of a cycle on.
    Fill { tile: u32, layer: u16, bits: u64, at: Cycle },
    /// An operation of an IMA: its crossbars are read in `cycles`.
    Operation { unit: Unit, window: u32, cycles: Range<Cycle>, timing: ImaTiming },
    /// An IMA waited, or had nothing to do.
    Wait { unit: Unit, cause: Cause, cycles: Range<Cycle> },
    /// Inputs of a window moved to an IMA.
    Fetch { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Results of a window moved to the tile's output register.
    Result { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Outputs of a window went through sigmoid and max-pool.
    Activate { tile: u32, layer: u16, replica: u32, window: u32, at: Cycle },
    /// Inputs of a layer were written to a buffer; no layer: results that stay.
    Write { tile: u32, layer: Option<u16>, rank: u32, bits: u32, cycles: Range<Cycle> },
    /// Windows of a replica waited for the position of `rank`, and it was written.
    Supply { tile: u32, layer: u16, replica: u32, rank: u32, at: Cycle },
    /// A buffer has more room, and tells the tile `to` that sends what it holds.
    Room { tile: u32, layer: u16, to: u32, at: Cycle },
    /// A packet crossed the mesh of a chip.
    Packet { chip: u32, layer: u16, flits: u32, waited: u32, cycles: Range<Cycle> },
    /// A packet crossed the link that enters a chip on a side.
    Crossing { to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle> },
    /// Iteration fidelity: a stage of one iteration.
    Stage { unit: Unit, stage: Stage, cycles: Range<Cycle> },
}

impl Event {
    /// The cycle in which it was known.
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

/// When the converters and the shift-and-adds work on an operation whose reads take `reads`: they follow the reads.
pub(crate) fn stages(reads: &Range<Cycle>, timing: ImaTiming) -> [Range<Cycle>; 2] {
    let convert =
        reads.start + 1..reads.end + 1 + Cycle::from(timing.convert_cycles) - Cycle::from(timing.cycles_per_read);
    let delay = 1 + Cycle::from(timing.convert_cycles);
    let accumulate =
        reads.start + delay..reads.end + delay + Cycle::from(timing.merge_cycles) - Cycle::from(timing.cycles_per_read);
    [convert, accumulate]
}

/// How much a trace shows; each step shows what the one before does, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Operations of each layer, flits in the meshes, bits over the links, every 64 cycles.
    Layer,
    /// Also each tile and each mesh link: bus, writes and fill of the buffer, every 64 cycles.
    #[default]
    Tile,
    /// Also each IMA and each window: operations, waits, fetches, results, activations and writes; every change of a
    /// buffer's fill.
    Ima,
    /// Also the stages inside: crossbars, converters and shift-and-adds, and each iteration where it is simulated.
    Crossbar,
}

/// The format of a trace file, by the end of its name.
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
    /// The format that the end of a file's name asks for.
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

/// Events in a chunk on its way to the writer.
pub(crate) const CHUNK: usize = 4096;

/// A probe that hands what a trace shows to the thread that writes it.
pub struct Recorder {
    filter: Filter,
    loads: Loads,
    fills: Fills,
    /// Routers in a row of a chip.
    router_columns: u32,
    events: Vec<Event>,
    full: Sender<Vec<Event>>,
    empty: Receiver<Vec<Event>>,
    /// The writer takes no more: the file is as large as it may be, or cannot be written.
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

    /// Hands over what is left.
    pub(crate) fn finish(&mut self) {
        while self.loads.is_loaded() {
            self.tell(0);
        }
        self.tell_fills();
        self.flush();
    }

    fn flush(&mut self) {
        // The vectors go round, so that memory does not grow with the trace.
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

    /// Adds to the load of something in cycle `at`, which is `now` or later. Those of a stretch are told together.
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

    /// Tells the loads of a stretch that is over, and how full the buffers were at its end.
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

    /// What came before the first cycle shown is in the buffer, too.
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

    /// A buffer has changed in cycle `at`.
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

    /// The part of a span that the trace shows.
    #[inline]
    fn shown(&self, cycles: Range<Cycle>) -> Range<Cycle> {
        cycles.start.max(self.filter.cycles.start)..cycles.end.min(self.filter.cycles.end)
    }
}

impl Probe for Recorder {
    fn operation(&mut self, unit: Unit, window: u32, at: Cycle, iterations: u32, timing: ImaTiming) {
        self.load(Detail::Layer, Carrier::Layer(unit.layer), 1, at, at);
        let cycles = at..at + timing.reads(iterations);
        if self.wants_unit(Detail::Ima, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Operation { unit, window, cycles, timing });
        }
    }

    fn wait(&mut self, unit: Unit, cause: Cause, cycles: Range<Cycle>) {
        if self.wants_unit(Detail::Ima, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Wait { unit, cause, cycles });
        }
    }

    fn fetch(&mut self, unit: Unit, window: u32, bits: u64, cycles: Range<Cycle>) {
        self.load(Detail::Tile, Carrier::Bus(unit.tile), bits, cycles.start, cycles.end - 1);
        if self.wants_unit(Detail::Ima, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Fetch { unit, window, bits, cycles });
        }
    }

    fn result(&mut self, unit: Unit, window: u32, bits: u64, cycles: Range<Cycle>) {
        self.load(Detail::Tile, Carrier::Bus(unit.tile), bits, cycles.start, cycles.end - 1);
        if self.wants_unit(Detail::Ima, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Result { unit, window, bits, cycles });
        }
    }

    fn stage(&mut self, unit: Unit, stage: Stage, cycles: Range<Cycle>) {
        if self.wants_unit(Detail::Crossbar, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Stage { unit, stage, cycles });
        }
    }

    fn activate(&mut self, tile: u32, layer: u16, replica: u32, window: u32, at: Cycle) {
        if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
            self.push(Event::Activate { tile, layer, replica, window, at });
        }
    }

    fn write(&mut self, tile: u32, layer: Option<u16>, rank: u32, bits: u32, cycles: Range<Cycle>) {
        self.load(Detail::Tile, Carrier::Writes(tile), bits.into(), cycles.start, cycles.end - 1);
        if self.wants_tile(tile, layer, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Write { tile, layer, rank, bits, cycles });
        }
    }

    fn supply(&mut self, tile: u32, layer: u16, replica: u32, rank: u32, at: Cycle) {
        if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
            self.push(Event::Supply { tile, layer, replica, rank, at });
        }
    }

    fn arrive(&mut self, tile: u32, layer: u16, _: u64, at: Cycle) {
        if self.wants_fill(layer, at) {
            let number = self.fills.arrive(tile, layer);
            self.fill(tile, layer, number, at);
        }
    }

    fn progress(&mut self, tile: u32, layer: u16, image: u32, step: u32, at: Cycle) {
        if self.wants_fill(layer, at)
            && let (number, 1..) = self.fills.progress(tile, layer, image, step)
        {
            self.fill(tile, layer, number, at);
        }
    }

    fn credit(&mut self, tile: u32, layer: u16, to: u32, at: Cycle) {
        if self.wants_tile(tile, Some(layer), &(at..at + 1)) {
            self.push(Event::Room { tile, layer, to, at });
        }
    }

    fn packet(&mut self, chip: u32, _: (u32, u32), layer: u16, flits: u32, waited: u32, cycles: Range<Cycle>) {
        if self.selects(Detail::Ima, &cycles) && self.filter.layer(layer) && self.filter.chip(chip) {
            let cycles = self.shown(cycles);
            self.push(Event::Packet { chip, layer, flits, waited, cycles });
        }
    }

    fn port(&mut self, chip: u32, (column, row): (u32, u32), port: Port, flits: u32, at: Cycle) {
        // A packet leaves each router that it passes by one port.
        if let Port::FromTile(_) = port {
            return;
        }
        // It may be passed long after what is told next; nothing is over by that.
        let now = 0;
        self.load(Detail::Layer, Carrier::Mesh(chip), flits.into(), now, at);
        if let Port::Neighbour(direction) = port {
            let router = row * self.router_columns + column;
            self.load(Detail::Tile, Carrier::Channel(chip, router, direction as u8), flits.into(), now, at);
        }
    }

    fn crossing(&mut self, to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle>) {
        self.load(Detail::Layer, Carrier::Link(to, enters as u8), bits.into(), cycles.start, cycles.end - 1);
        if self.selects(Detail::Ima, &cycles) && self.filter.layer(layer) && self.filter.chip(to) {
            let cycles = self.shown(cycles);
            self.push(Event::Crossing { to, enters, layer, bits, cycles });
        }
    }
}

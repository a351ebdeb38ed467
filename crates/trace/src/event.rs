//! What a trace is made of, and the probe that records it.

use std::ops::Range;
use std::path::Path;

use chip::{Cause, Probe, Stage, Unit};
use components::{Direction, ImaTiming, Port};
use crossbeam_channel::{Receiver, Sender};
use des::Cycle;

use crate::Filter;

/// Something that happened. Spans begin with their first cycle and end before the one after their last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are those of the probe's methods")]
pub enum Event {
    /// An operation of an IMA: its crossbars are read in `cycles`.
    Operation { unit: Unit, window: u32, cycles: Range<Cycle>, timing: ImaTiming },
    /// An IMA waited, or had nothing to do.
    Wait { unit: Unit, cause: Cause, cycles: Range<Cycle> },
    /// Inputs of a window moved to an IMA.
    Fetch { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Results of a window moved to the tile's output register.
    Result { unit: Unit, window: u32, bits: u64, cycles: Range<Cycle> },
    /// Iteration fidelity: a stage of one iteration.
    Stage { unit: Unit, stage: Stage, cycles: Range<Cycle> },
    /// Inputs of a layer were written to a buffer; no layer: results that stay.
    Write { tile: u32, layer: Option<u16>, bits: u32, cycles: Range<Cycle> },
    /// A buffer holds so many bits of inputs of a layer more, or fewer.
    Fill { tile: u32, layer: u16, bits: i64, at: Cycle },
    /// A packet crossed the mesh of a chip.
    Packet { chip: u32, layer: u16, flits: u32, waited: u32, cycles: Range<Cycle> },
    /// A packet crossed the link that enters a chip on a side.
    Crossing { to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle> },
}

impl Event {
    /// The cycle in which it was known.
    pub fn known_at(&self) -> Cycle {
        match self {
            Event::Wait { cycles, .. } => cycles.end,
            Event::Fill { at, .. } => *at,
            Event::Operation { cycles, .. }
            | Event::Fetch { cycles, .. }
            | Event::Result { cycles, .. }
            | Event::Stage { cycles, .. }
            | Event::Write { cycles, .. }
            | Event::Packet { cycles, .. }
            | Event::Crossing { cycles, .. } => cycles.start,
        }
    }
}

/// How much a trace shows; each step shows what the one before does, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Operations of each layer, flits in the meshes, bits over the links.
    Layer,
    /// Also each tile: its bus, its writes and the fill of its buffer.
    #[default]
    Tile,
    /// Also each IMA: operations, waits, fetches and results.
    Ima,
    /// Also the stages inside: converters and shift-and-adds, and each iteration where it is simulated.
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
    events: Vec<Event>,
    full: Sender<Vec<Event>>,
    empty: Receiver<Vec<Event>>,
    /// The writer takes no more: the file is as large as it may be, or cannot be written.
    ended: bool,
}

impl Recorder {
    pub(crate) fn new(filter: Filter, full: Sender<Vec<Event>>, empty: Receiver<Vec<Event>>) -> Recorder {
        Recorder { filter, events: Vec::with_capacity(CHUNK), full, empty, ended: false }
    }

    /// Hands over what is left.
    pub(crate) fn flush(&mut self) {
        // The vectors go round, so that memory does not grow with the trace.
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        let events = std::mem::replace(&mut self.events, next);
        self.ended |= self.full.send(events).is_err();
    }

    fn push(&mut self, event: Event) {
        self.events.push(event);
        if self.events.len() == CHUNK {
            self.flush();
        }
    }

    fn wants(&self, detail: Detail, cycles: &Range<Cycle>) -> bool {
        !self.ended
            && detail <= self.filter.detail
            && cycles.start < self.filter.cycles.end
            && self.filter.cycles.start < cycles.end
    }

    fn wants_unit(&self, detail: Detail, unit: Unit, cycles: &Range<Cycle>) -> bool {
        self.wants(detail, cycles) && self.filter.layer(unit.layer) && self.filter.unit(unit.tile, unit.ima)
    }

    /// The part of a span that the trace shows.
    fn shown(&self, cycles: Range<Cycle>) -> Range<Cycle> {
        cycles.start.max(self.filter.cycles.start)..cycles.end.min(self.filter.cycles.end)
    }
}

impl Probe for Recorder {
    fn operation(&mut self, unit: Unit, window: u32, at: Cycle, iterations: u32, timing: ImaTiming) {
        let cycles = at..at + timing.reads(iterations);
        if self.wants_unit(Detail::Layer, unit, &cycles) {
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
        if self.wants_unit(Detail::Tile, unit, &cycles) {
            let cycles = self.shown(cycles);
            self.push(Event::Fetch { unit, window, bits, cycles });
        }
    }

    fn result(&mut self, unit: Unit, window: u32, bits: u64, cycles: Range<Cycle>) {
        if self.wants_unit(Detail::Tile, unit, &cycles) {
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

    fn write(&mut self, tile: u32, layer: Option<u16>, bits: u32, cycles: Range<Cycle>) {
        if self.wants(Detail::Tile, &cycles) && self.filter.tile(tile) && layer.is_none_or(|of| self.filter.layer(of)) {
            let cycles = self.shown(cycles);
            self.push(Event::Write { tile, layer, bits, cycles });
        }
    }

    fn fill(&mut self, tile: u32, layer: u16, bits: i64, at: Cycle) {
        // What came before the first cycle shown is in the buffer, too.
        let wanted = !self.ended && Detail::Tile <= self.filter.detail && at < self.filter.cycles.end;
        if wanted && self.filter.tile(tile) && self.filter.layer(layer) {
            self.push(Event::Fill { tile, layer, bits, at });
        }
    }

    fn packet(&mut self, chip: u32, _: (u32, u32), layer: u16, flits: u32, waited: u32, cycles: Range<Cycle>) {
        if self.wants(Detail::Layer, &cycles) && self.filter.layer(layer) {
            let cycles = self.shown(cycles);
            self.push(Event::Packet { chip, layer, flits, waited, cycles });
        }
    }

    fn port(&mut self, _: u32, _: (u32, u32), _: Port, _: u32) {}

    fn crossing(&mut self, to: u32, enters: Direction, layer: u16, bits: u32, cycles: Range<Cycle>) {
        if self.wants(Detail::Layer, &cycles) && self.filter.layer(layer) {
            let cycles = self.shown(cycles);
            self.push(Event::Crossing { to, enters, layer, bits, cycles });
        }
    }
}

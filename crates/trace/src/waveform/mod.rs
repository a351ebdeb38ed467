//! Waveforms: signals of chips, tiles, IMAs and crossbars over time, for viewers from circuit design.
//!
//! A signal is a sum of changes: an event adds a value at its first cycle and subtracts it after its last, so
//! overlapping events need no bookkeeping. Waveform files require changes in the order of time, but a wait is known
//! only when it ends. Changes are therefore sorted in runs of bounded size, kept in temporary files, and merged at the
//! end: memory does not grow with the trace. `Body` is the interface of the two file formats, FST and VCD.

pub(crate) mod fst;
mod signals;
mod sorted;
pub(crate) mod vcd;

use std::io;
use std::ops::Range;

use analysis::{Carrier, LOAD_CYCLES, Scene};
use components::{Event, ImaTiming, Stage, Unit};
use des::Cycle;
use index::{Index, IndexVec};
use mapper::TileId;

use self::signals::{
    ACCUMULATE_TOGGLE, ACCUMULATING, BUFFER_BYTES, BUS_LOAD, BUS_REQUESTS, BUSY, CAUSE, CONVERT_TOGGLE, CONVERTING,
    CROSSBARS, INPUT_OCCUPANCY, OUTPUT_OCCUPANCY, READ_TOGGLE, SignalId, Signals, WAITING, WRITE_LOAD,
};
use self::sorted::{Change, Changes};
use crate::record::{Record, stages};
use crate::sink::Sink;
use crate::{Clock, Detail, Filter};

/// Interface of a file format for waveforms.
trait Body {
    /// Starts time `stamp`: the changes that follow take effect then.
    fn time(&mut self, stamp: u64) -> io::Result<()>;

    /// Sets signal `signal` of `bits` bits to a new value.
    fn change(&mut self, signal: SignalId, bits: u32, value: u64) -> io::Result<()>;

    /// Returns an upper limit of the bytes of the file if it ends now.
    fn bytes(&self) -> u64;

    /// Lowers that limit if possible, and returns whether it did. Called before a new time.
    fn make_room(&mut self) -> io::Result<bool>;

    /// Writes all that is pending.
    fn finish(&mut self) -> io::Result<()>;
}

/// Upper limits of the bytes of a time, and of a change without the bits of its value.
const TIME_BYTES: u64 = 24;
const CHANGE_BYTES: u64 = 16;

/// Largest size of the temporary files, as a multiple of the byte limit of the trace.
const TEMPORARY: u64 = 8;

/// Sink for waveforms.
struct Waveform<'a, B> {
    scene: &'a Scene<'a>,
    clock: Clock,
    detail: Detail,
    body: B,
    signals: Signals,
    changes: Changes,
    /// Changes written.
    written: u64,
    start: Cycle,
    end: Cycle,
    /// Windows of an IMA, by its first signal.
    seen: IndexVec<SignalId, Seen>,
    /// Bytes in the buffer, by tile and layer with inputs there.
    fills: IndexVec<TileId, Vec<i32>>,
    /// Present value of the toggles.
    toggled: IndexVec<SignalId, bool>,
}

/// Last windows of an IMA: the one whose inputs were fetched, and the one that was started.
#[derive(Clone, Copy, Default)]
struct Seen {
    fetched: Option<u32>,
    started: Option<u32>,
}

impl<'a, B: Body> Waveform<'a, B> {
    fn new(scene: &'a Scene<'a>, filter: &Filter, body: B) -> Self {
        let signals = Signals::new(scene);
        let start = filter.cycles().start;
        Self {
            scene,
            clock: Clock::of(scene),
            detail: filter.detail(),
            body,
            changes: Changes::default(),
            written: 0,
            start,
            end: start,
            seen: IndexVec::filled(Seen::default(), signals.bits.len()),
            fills: scene.tiles().map(|tile| vec![0; scene.buffered(tile).len()]).collect(),
            toggled: IndexVec::filled(false, signals.bits.len()),
            signals,
        }
    }

    fn change(&mut self, at: Cycle, signal: SignalId, by: i32) -> io::Result<()> {
        self.end = self.end.max(at);
        self.changes.push((at, signal, by))
    }

    fn span(&mut self, cycles: &Range<Cycle>, signal: SignalId, by: i32) -> io::Result<()> {
        self.change(cycles.start, signal, by)?;
        self.change(cycles.end, signal, -by)
    }

    /// Writes the changes cycle by cycle, as far as they fit into `limit` bytes. Signals whose value stays the same are
    /// skipped. Returns the first cycle that does not fit.
    fn write(&mut self, changes: impl Iterator<Item = io::Result<Change>>, limit: u64) -> io::Result<Option<Cycle>> {
        let mut values = IndexVec::filled(0, self.signals.bits.len());
        let mut written = values.clone();
        let mut touched: Vec<SignalId> = Vec::new();
        let mut changes = changes.peekable();
        while let Some(change) = changes.next() {
            let (at, signal, by) = change?;
            values[signal] += i64::from(by);
            touched.push(signal);
            if let Some(valid) = self.signals.valid[signal] {
                values[valid] = i64::from(values[signal] > 0);
                touched.push(valid);
            }
            let goes_on = matches!(changes.peek(), Some(Ok((next, ..))) if *next == at);
            if !goes_on && !self.write_cycle(at, &mut touched, &values, &mut written, limit)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Writes the changes of cycle `now` and returns whether they fit. If they do not, only the time is written: the
    /// waveform ends there.
    fn write_cycle(
        &mut self,
        now: Cycle,
        touched: &mut Vec<SignalId>,
        values: &IndexVec<SignalId, i64>,
        written: &mut IndexVec<SignalId, i64>,
        limit: u64,
    ) -> io::Result<bool> {
        touched.sort_unstable();
        touched.dedup();
        touched.retain(|&signal| values[signal] != written[signal]);
        let bytes = |&signal: &SignalId| CHANGE_BYTES + u64::from(self.signals.bits[signal]);
        let of_cycle = 2 * TIME_BYTES + touched.iter().map(bytes).sum::<u64>();
        let mut fits = self.body.bytes() + of_cycle <= limit;
        if !fits && self.body.make_room()? {
            fits = self.body.bytes() + of_cycle <= limit;
        }
        if !touched.is_empty() || now == self.end {
            self.body.time(self.clock.stamp(now))?;
        }
        if !fits {
            return Ok(false);
        }
        for signal in touched.drain(..) {
            let value = values[signal];
            written[signal] = value;
            self.written += 1;
            self.body.change(signal, self.signals.bits[signal], u64::try_from(value).unwrap_or(0))?;
        }
        Ok(true)
    }
}

impl<B: Body> Waveform<'_, B> {
    /// Raises an occupancy from the start of the trace on if `window` entered the register before that. `last` is the
    /// last window that was seen to enter.
    fn catch_up(&mut self, last: Option<u32>, window: u32, occupancy: SignalId) -> io::Result<()> {
        if last.is_some_and(|last| last >= window) {
            return Ok(());
        }
        self.change(self.start, occupancy, 1)
    }

    fn operation(&mut self, unit: Unit, window: u32, reads: &Range<Cycle>, timing: ImaTiming) -> io::Result<()> {
        let first = self.signals.of_ima(unit.tile, unit.ima, 0);
        self.catch_up(self.seen[first].fetched, window, first.after(INPUT_OCCUPANCY))?;
        self.seen[first].started = Some(window);
        self.span(reads, first.after(BUSY), 1)?;
        // Inputs leave with the last read; an output register is taken from the start.
        self.change(reads.end, first.after(INPUT_OCCUPANCY), -1)?;
        self.change(reads.start, first.after(OUTPUT_OCCUPANCY), 1)?;
        if self.detail < Detail::Crossbar {
            return Ok(());
        }
        let [convert, accumulate] = stages(reads, timing);
        self.span(&convert, first.after(CONVERTING), 1)?;
        self.span(&accumulate, first.after(ACCUMULATING), 1)?;
        let mut crossbars = self.scene.crossbars(unit.tile, unit.ima);
        crossbars.try_for_each(|crossbar| self.span(reads, first.after(CROSSBARS + crossbar), 1))
    }
}

impl<B: Body> Sink for Waveform<'_, B> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        let (event, cycles) = match *record {
            Record::Load { carrier, from, amount } => {
                let signal = match carrier {
                    Carrier::Mesh(chip) => Signals::of_chip(chip),
                    Carrier::Bus(tile) => self.signals.of_tile(tile, BUS_LOAD),
                    Carrier::Writes(tile) => self.signals.of_tile(tile, WRITE_LOAD),
                    // Waveforms have no signals for these carriers; Perfetto and CSV traces show them.
                    Carrier::Layer(_) | Carrier::Link(..) | Carrier::Channel(..) => return Ok(()),
                };
                return self.span(&(from.max(1)..from + LOAD_CYCLES), signal, amplitude(amount));
            }
            Record::Fill { tile, inputs, bits, at, .. } => {
                let bytes = amplitude(bits / 8);
                let held = &mut self.fills[tile][inputs.index()];
                let before = std::mem::replace(held, bytes);
                return self.change(at + 1, self.signals.of_tile(tile, BUFFER_BYTES), bytes - before);
            }
            Record::Event { ref event, ref cycles } => (event, cycles),
        };
        match *event {
            Event::Operation { unit, window, timing, .. } => self.operation(unit, window, cycles, timing),
            Event::Wait { unit, cause, .. } => {
                let first = self.signals.of_ima(unit.tile, unit.ima, 0);
                if cause.is_wait() {
                    self.span(cycles, first.after(WAITING), 1)?;
                }
                self.span(cycles, first.after(CAUSE), cause as i32)
            }
            Event::Fetch { unit, window, .. } => {
                let first = self.signals.of_ima(unit.tile, unit.ima, 0);
                self.seen[first].fetched = Some(window);
                self.change(cycles.end, first.after(INPUT_OCCUPANCY), 1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Result { unit, window, .. } => {
                let first = self.signals.of_ima(unit.tile, unit.ima, 0);
                self.catch_up(self.seen[first].started, window, first.after(OUTPUT_OCCUPANCY))?;
                self.change(cycles.end, first.after(OUTPUT_OCCUPANCY), -1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Stage { unit, stage, .. } => {
                let toggle = match stage {
                    Stage::Read => READ_TOGGLE,
                    Stage::Convert => CONVERT_TOGGLE,
                    Stage::Accumulate => ACCUMULATE_TOGGLE,
                };
                let signal = self.signals.of_ima(unit.tile, unit.ima, toggle);
                let toggled = &mut self.toggled[signal];
                *toggled = !*toggled;
                let by = if *toggled { 1 } else { -1 };
                self.change(cycles.start, signal, by)
            }
            Event::Skip { tile, .. } => self.span(cycles, self.signals.of_tile(tile, BUS_REQUESTS), 1),
            Event::Activate { .. }
            | Event::Write { .. }
            | Event::Supply { .. }
            | Event::Arrive { .. }
            | Event::Progress { .. }
            | Event::Room { .. }
            | Event::Packet { .. }
            | Event::Port { .. }
            | Event::Crossing { .. } => Ok(()),
        }
    }

    fn entries(&self) -> u64 {
        self.written
    }

    fn bytes(&self) -> u64 {
        // Changes are written at the end: in less space than in the temporary files, or cut off at the limit.
        (self.body.bytes() + TIME_BYTES).max(self.changes.temporary_bytes() / TEMPORARY)
    }

    fn finish(&mut self, limit: u64) -> io::Result<Option<Cycle>> {
        let changes = std::mem::take(&mut self.changes);
        let ended_at = self.write(changes.sorted()?, limit)?;
        self.body.finish()?;
        Ok(ended_at)
    }
}

/// Returns an amount as a change of a signal of 32 bits, which saturates.
fn amplitude(amount: u64) -> i32 {
    i32::try_from(amount).unwrap_or(i32::MAX)
}

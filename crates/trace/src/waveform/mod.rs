//! Waveforms: signals of chips, tiles, IMAs and crossbars over time, for viewers from circuit design.
//!
//! A signal is a sum of changes: an event adds a value at its first cycle and subtracts it after its last, so
//! overlapping events need no bookkeeping. Waveform files require changes in the order of time, but a wait is known
//! only when it ends. Changes are therefore sorted in runs of bounded size, kept in temporary files, and merged at the
//! end: memory does not grow with the trace. `Body` is the interface of the two file formats, FST and VCD.

mod fst;
mod signals;
mod sorted;
mod vcd;

use std::io;
use std::ops::Range;

use analysis::{Carrier, LOAD_CYCLES, Scene};
use chip::Unit;
use components::ImaTiming;
use des::Cycle;

pub(crate) use self::fst::Fst;
use self::signals::{
    ACCUMULATING, BUFFER_BYTES, BUS_LOAD, BUS_REQUESTS, BUSY, CAUSE, CONVERTING, CROSSBARS, INPUT_OCCUPANCY,
    OUTPUT_OCCUPANCY, READ_TOGGLE, Signals, WAITING, WRITE_LOAD,
};
use self::sorted::{Change, Changes};
pub(crate) use self::vcd::Vcd;
use crate::event::{Event, stages};
use crate::writer::Sink;
use crate::{Clock, Detail, Filter};

/// Interface of a file format for waveforms.
pub(crate) trait Body {
    /// Starts time `stamp`: the changes that follow take effect then.
    fn time(&mut self, stamp: u64) -> io::Result<()>;

    /// Sets signal `signal` of `bits` bits to a new value.
    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()>;

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
pub(crate) struct Waveform<'a, B> {
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
    /// Last window whose inputs were fetched and last window that was started, indexed by the first signal of an IMA.
    seen: Vec<[Option<u32>; 2]>,
    /// Bytes in the buffer, by tile and layer with inputs there.
    fills: Vec<Vec<i32>>,
    /// Present value of the toggles, by signal.
    toggled: Vec<bool>,
}

impl<'a, B: Body> Waveform<'a, B> {
    pub fn new(
        scene: &'a Scene<'a>,
        filter: Filter,
        body: impl FnOnce(&Scene<'_>, &Filter) -> io::Result<B>,
    ) -> io::Result<Self> {
        let body = body(scene, &filter)?;
        let signals = Signals::new(scene);
        let signals_count = signals.bits.len();
        Ok(Self {
            scene,
            clock: Clock::of(scene),
            detail: filter.detail,
            body,
            toggled: vec![false; signals.bits.len()],
            signals,
            changes: Changes::default(),
            written: 0,
            start: filter.cycles.start,
            end: filter.cycles.start,
            seen: vec![[None; 2]; signals_count],
            fills: (0..scene.tiles()).map(|tile| vec![0; scene.buffered(tile).len()]).collect(),
        })
    }

    fn change(&mut self, at: Cycle, signal: u32, by: i32) -> io::Result<()> {
        self.end = self.end.max(at);
        self.changes.push((at, signal, by))
    }

    fn span(&mut self, cycles: &Range<Cycle>, signal: u32, by: i32) -> io::Result<()> {
        self.change(cycles.start, signal, by)?;
        self.change(cycles.end, signal, -by)
    }

    /// Writes the changes cycle by cycle, as far as they fit into `limit` bytes. Signals whose value stays the same are
    /// skipped. Returns the first cycle that does not fit.
    fn write(&mut self, changes: impl Iterator<Item = io::Result<Change>>, limit: u64) -> io::Result<Option<Cycle>> {
        let mut values = vec![0i64; self.signals.bits.len()];
        let mut written = values.clone();
        let mut changed: Vec<u32> = Vec::new();
        let mut changes = changes.peekable();
        while let Some(change) = changes.next() {
            let (at, signal, by) = change?;
            values[signal as usize] += i64::from(by);
            changed.push(signal);
            if self.signals.fills[signal as usize] {
                values[signal as usize - 1] = i64::from(values[signal as usize] > 0);
                changed.push(signal - 1);
            }
            let goes_on = matches!(changes.peek(), Some(Ok((next, ..))) if *next == at);
            if !goes_on && !self.write_cycle(at, &mut changed, &values, &mut written, limit)? {
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
        changed: &mut Vec<u32>,
        values: &[i64],
        written: &mut [i64],
        limit: u64,
    ) -> io::Result<bool> {
        changed.sort_unstable();
        changed.dedup();
        changed.retain(|&signal| values[signal as usize] != written[signal as usize]);
        let bytes = |&signal: &u32| CHANGE_BYTES + u64::from(self.signals.bits[signal as usize]);
        let of_cycle = 2 * TIME_BYTES + changed.iter().map(bytes).sum::<u64>();
        let mut fits = self.body.bytes() + of_cycle <= limit;
        if !fits && self.body.make_room()? {
            fits = self.body.bytes() + of_cycle <= limit;
        }
        if !changed.is_empty() || now == self.end {
            self.body.time(self.clock.stamp(now))?;
        }
        if !fits {
            return Ok(false);
        }
        for signal in changed.drain(..) {
            let value = values[signal as usize];
            written[signal as usize] = value;
            self.written += 1;
            self.body.change(signal, self.signals.bits[signal as usize], value.max(0) as u64)?;
        }
        Ok(true)
    }
}

impl<B: Body> Waveform<'_, B> {
    /// Raises an occupancy of `unit` from the start of the trace on if `window` entered the register before that.
    fn catch_up(&mut self, unit: Unit, step: usize, window: u32, occupancy: u32) -> io::Result<()> {
        let first = self.signals.of_ima(unit.tile, unit.ima, 0);
        let seen = self.seen[first as usize][step];
        if seen.is_some_and(|seen| seen >= window) {
            return Ok(());
        }
        self.change(self.start, first + occupancy, 1)
    }

    fn operation(&mut self, unit: Unit, window: u32, reads: &Range<Cycle>, timing: ImaTiming) -> io::Result<()> {
        self.catch_up(unit, 0, window, INPUT_OCCUPANCY)?;
        let first = self.signals.of_ima(unit.tile, unit.ima, 0);
        self.seen[first as usize][1] = Some(window);
        self.span(reads, first + BUSY, 1)?;
        // Inputs leave with the last read; an output register is taken from the start.
        self.change(reads.end, first + INPUT_OCCUPANCY, -1)?;
        self.change(reads.start, first + OUTPUT_OCCUPANCY, 1)?;
        if self.detail < Detail::Crossbar {
            return Ok(());
        }
        let [convert, accumulate] = stages(reads, timing);
        self.span(&convert, first + CONVERTING, 1)?;
        self.span(&accumulate, first + ACCUMULATING, 1)?;
        let crossbars = self.scene.crossbars(unit.tile, unit.ima) as u32;
        (0..crossbars).try_for_each(|crossbar| self.span(reads, first + CROSSBARS + crossbar, 1))
    }
}

impl<B: Body> Sink for Waveform<'_, B> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match *event {
            Event::Load { carrier, from, amount } => {
                let signal = match carrier {
                    Carrier::Mesh(chip) => chip,
                    Carrier::Bus(tile) => self.signals.of_tile(tile, BUS_LOAD),
                    Carrier::Writes(tile) => self.signals.of_tile(tile, WRITE_LOAD),
                    // Waveforms have no signals for these carriers; Perfetto and CSV traces show them.
                    Carrier::Layer(_) | Carrier::Link(..) | Carrier::Channel(..) => return Ok(()),
                };
                self.span(&(from.max(1)..from + LOAD_CYCLES), signal, amount.min(i32::MAX as u64) as i32)
            }
            Event::Fill { tile, layer, bits, at } => {
                let of_layer = |&of: &u16| of == layer;
                let number = self.scene.buffered(tile).iter().position(of_layer).expect("it has a buffer");
                let bytes = (bits / 8) as i32;
                let before = std::mem::replace(&mut self.fills[tile as usize][number], bytes);
                self.change(at + 1, self.signals.of_tile(tile, BUFFER_BYTES), bytes - before)
            }
            Event::Operation { unit, window, ref cycles, timing } => self.operation(unit, window, cycles, timing),
            Event::Wait { unit, cause, ref cycles } => {
                let first = self.signals.of_ima(unit.tile, unit.ima, 0);
                if cause.is_wait() {
                    self.span(cycles, first + WAITING, 1)?;
                }
                self.span(cycles, first + CAUSE, cause as i32)
            }
            Event::Fetch { unit, window, ref cycles, .. } => {
                let first = self.signals.of_ima(unit.tile, unit.ima, 0);
                self.seen[first as usize][0] = Some(window);
                self.change(cycles.end, first + INPUT_OCCUPANCY, 1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Result { unit, window, ref cycles, .. } => {
                self.catch_up(unit, 1, window, OUTPUT_OCCUPANCY)?;
                self.change(cycles.end, self.signals.of_ima(unit.tile, unit.ima, OUTPUT_OCCUPANCY), -1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Stage { unit, stage, ref cycles } => {
                let signal = self.signals.of_ima(unit.tile, unit.ima, READ_TOGGLE + stage as u32);
                let toggled = &mut self.toggled[signal as usize];
                *toggled = !*toggled;
                let by = if *toggled { 1 } else { -1 };
                self.change(cycles.start, signal, by)
            }
            Event::Activate { .. }
            | Event::Write { .. }
            | Event::Supply { .. }
            | Event::Room { .. }
            | Event::Packet { .. }
            | Event::Crossing { .. } => Ok(()),
        }
    }

    fn events(&self) -> u64 {
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

//! Waveforms: signals of IMAs and tiles over time, for viewers that come from circuit design.
//!
//! Waveform files want their changes in the order of time, and a wait is known only when it ends. So changes are sorted
//! in runs of bounded size, kept in temporary files, and merged at the end: memory does not grow with the trace.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::ops::Range;

use chip::Unit;
use components::ImaTiming;
use des::Cycle;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType, FstWriteError,
};
use vcd::{IdCode, TimescaleUnit, Value};

use crate::event::Event;
use crate::load::{Carrier, LOAD_CYCLES};
use crate::perfetto::stages;
use crate::writer::{Counted, Sink};
use crate::{Detail, Filter, Scene};

/// Signals of a chip: name, bits, from which detail on. Loads are those of a stretch of 64 cycles.
const OF_CHIP: [(&str, u32, Detail); 1] = [("mesh_load", 32, Detail::Layer)];
/// Signals of a tile.
const OF_TILE: [(&str, u32, Detail); 4] = [
    ("bus_load", 32, Detail::Tile),
    ("write_load", 32, Detail::Tile),
    ("buffer_bytes", 32, Detail::Tile),
    ("bus_requests", 16, Detail::Ima),
];
/// Signals of an IMA. It is valid while it has inputs. The last three change with every iteration of a stage, where
/// iterations are simulated.
const OF_IMA: [(&str, u32, Detail); 11] = [
    ("busy", 1, Detail::Ima),
    ("waiting", 1, Detail::Ima),
    ("cause", 3, Detail::Ima),
    ("valid", 1, Detail::Ima),
    ("input_occupancy", 2, Detail::Ima),
    ("output_occupancy", 2, Detail::Ima),
    ("converting", 1, Detail::Crossbar),
    ("accumulating", 1, Detail::Crossbar),
    ("read_toggle", 1, Detail::Crossbar),
    ("convert_toggle", 1, Detail::Crossbar),
    ("accumulate_toggle", 1, Detail::Crossbar),
];
/// The signal of a crossbar.
const OF_CROSSBAR: (&str, u32, Detail) = ("busy", 1, Detail::Crossbar);

const BUS_LOAD: u32 = 0;
const WRITE_LOAD: u32 = 1;
const BUFFER_BYTES: u32 = 2;
const BUS_REQUESTS: u32 = 3;
const BUSY: u32 = 0;
const WAITING: u32 = 1;
const CAUSE: u32 = 2;
const INPUT_OCCUPANCY: u32 = 4;
const OUTPUT_OCCUPANCY: u32 = 5;
const CONVERTING: u32 = 6;
const ACCUMULATING: u32 = 7;
const READ_TOGGLE: u32 = 8;
const CROSSBARS: u32 = OF_IMA.len() as u32;

/// Changes sorted in memory.
const RUN: usize = 1 << 20;
/// Bytes of a change in a temporary file: cycle, signal, difference.
const CHANGE_BYTES: usize = 16;

/// From when on, which signal, how much more or less.
type Change = (Cycle, u32, i32);

/// A file format for waveforms.
pub(crate) trait Body {
    /// The changes that follow are from time `ns` on.
    fn time(&mut self, ns: u64) -> io::Result<()>;

    /// Signal `signal` of `bits` bits has a new value.
    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()>;

    /// Writes what is left. Returns the bytes of the file.
    fn finish(&mut self) -> io::Result<u64>;
}

/// Writes waveforms.
pub(crate) struct Waveform<'a, B> {
    scene: &'a Scene<'a>,
    detail: Detail,
    body: B,
    signals: Signals,
    changes: Vec<Change>,
    runs: Vec<File>,
    /// Until the end, what the changes take in the temporary files: about as much as in a VCD file.
    bytes: u64,
    /// Changes that are written.
    written: u64,
    start: Cycle,
    end: Cycle,
    /// By the first signal of each IMA, the last window whose inputs were seen to come, and the last that was begun.
    seen: Vec<[Option<u32>; 2]>,
    /// For each tile and layer with inputs there, bytes in the buffer.
    fills: Vec<Vec<i32>>,
    /// Whether the toggles of each signal stand at one.
    toggled: Vec<bool>,
}

/// Numbers of the signals: those of the chips, then those of each tile and of its IMAs.
pub(crate) struct Signals {
    tiles: Vec<u32>,
    per_ima: u32,
    bits: Vec<u32>,
    /// Whether it is an input occupancy: the signal before it says whether there are any inputs.
    fills: Vec<bool>,
}

impl Signals {
    fn new(scene: &Scene<'_>) -> Signals {
        let crossbars = scene.arch.ima.crossbars;
        let mut signals =
            Signals { tiles: Vec::new(), per_ima: CROSSBARS + crossbars, bits: Vec::new(), fills: Vec::new() };
        let bits = |signals: &[(&str, u32, Detail)]| signals.iter().map(|&(_, bits, _)| bits).collect::<Vec<_>>();
        (0..scene.chips()).for_each(|_| signals.bits.extend(bits(&OF_CHIP)));
        for tile in 0..scene.tiles() {
            signals.tiles.push(signals.bits.len() as u32);
            signals.bits.extend(bits(&OF_TILE));
            for _ in 0..scene.imas(tile) {
                signals.fills.resize(signals.bits.len() + INPUT_OCCUPANCY as usize, false);
                signals.fills.push(true);
                signals.bits.extend(bits(&OF_IMA));
                signals.bits.extend((0..crossbars).map(|_| OF_CROSSBAR.1));
            }
        }
        signals.fills.resize(signals.bits.len(), false);
        signals
    }

    fn of_tile(&self, tile: u32, signal: u32) -> u32 {
        self.tiles[tile as usize] + signal
    }

    fn of_ima(&self, tile: u32, ima: u8, signal: u32) -> u32 {
        self.tiles[tile as usize] + OF_TILE.len() as u32 + u32::from(ima) * self.per_ima + signal
    }
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
            detail: filter.detail,
            body,
            toggled: vec![false; signals.bits.len()],
            signals,
            changes: Vec::new(),
            runs: Vec::new(),
            bytes: 0,
            written: 0,
            start: filter.cycles.start,
            end: filter.cycles.start,
            seen: vec![[None; 2]; signals_count],
            fills: (0..scene.tiles()).map(|tile| vec![0; scene.buffered(tile).len()]).collect(),
        })
    }

    fn change(&mut self, at: Cycle, signal: u32, by: i32) -> io::Result<()> {
        self.changes.push((at, signal, by));
        self.bytes += CHANGE_BYTES as u64;
        self.end = self.end.max(at);
        if self.changes.len() < RUN {
            return Ok(());
        }
        self.changes.sort_unstable();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for (at, signal, by) in self.changes.drain(..) {
            file.write_all(&at.to_le_bytes())?;
            file.write_all(&signal.to_le_bytes())?;
            file.write_all(&by.to_le_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    fn span(&mut self, cycles: &Range<Cycle>, signal: u32, by: i32) -> io::Result<()> {
        self.change(cycles.start, signal, by)?;
        self.change(cycles.end, signal, -by)
    }

    /// Writes changes of one cycle at a time; a signal that is what it was is not written.
    fn write(&mut self, changes: impl Iterator<Item = io::Result<Change>>) -> io::Result<()> {
        let mut values = vec![0i64; self.signals.bits.len()];
        let mut written = values.clone();
        let mut changed: Vec<u32> = Vec::new();
        let mut now = None;
        for change in changes {
            let (at, signal, by) = change?;
            if now != Some(at) {
                if let Some(now) = now {
                    self.write_cycle(now, &mut changed, &values, &mut written)?;
                }
                now = Some(at);
            }
            values[signal as usize] += i64::from(by);
            changed.push(signal);
            if self.signals.fills[signal as usize] {
                values[signal as usize - 1] = i64::from(values[signal as usize] > 0);
                changed.push(signal - 1);
            }
        }
        match now {
            Some(now) => self.write_cycle(now, &mut changed, &values, &mut written),
            None => Ok(()),
        }
    }

    fn write_cycle(
        &mut self,
        now: Cycle,
        changed: &mut Vec<u32>,
        values: &[i64],
        written: &mut [i64],
    ) -> io::Result<()> {
        changed.sort_unstable();
        changed.dedup();
        changed.retain(|&signal| values[signal as usize] != written[signal as usize]);
        if !changed.is_empty() || now == self.end {
            self.body.time(self.scene.nanoseconds(now))?;
        }
        for signal in changed.drain(..) {
            let value = values[signal as usize];
            written[signal as usize] = value;
            self.written += 1;
            self.body.change(signal, self.signals.bits[signal as usize], value.max(0) as u64)?;
        }
        Ok(())
    }
}

impl<B: Body> Waveform<'_, B> {
    /// What leaves a register of `unit` may have come there before the trace begins.
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
        // Its inputs leave when they have been read; its results take their place when it starts.
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
                    // Told apart from each other by traces of other formats.
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
        self.bytes
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut last = std::mem::take(&mut self.changes);
        last.sort_unstable();
        let runs = std::mem::take(&mut self.runs);
        if runs.is_empty() {
            self.write(last.into_iter().map(Ok))?;
        } else {
            let mut runs: Vec<Box<dyn Iterator<Item = io::Result<Change>>>> =
                runs.into_iter().map(|file| Box::new(stored(file)) as Box<_>).collect();
            runs.push(Box::new(last.into_iter().map(Ok)));
            self.write(Merge::new(runs)?)?;
        }
        self.bytes = self.body.finish()?;
        Ok(())
    }
}

/// Changes of a temporary file.
fn stored(file: File) -> impl Iterator<Item = io::Result<Change>> {
    let mut file = BufReader::new(file);
    std::iter::from_fn(move || {
        let mut bytes = [0; CHANGE_BYTES];
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => Some(Err(error)),
            Ok(()) => {
                let (at, rest) = bytes.split_first_chunk().expect("16 bytes");
                let (signal, rest) = rest.split_first_chunk().expect("8 bytes");
                let by = rest.first_chunk().expect("4 bytes");
                Some(Ok((Cycle::from_le_bytes(*at), u32::from_le_bytes(*signal), i32::from_le_bytes(*by))))
            }
        }
    })
}

/// Sorted runs as one.
struct Merge<I> {
    runs: Vec<I>,
    /// The next change of each run, the earliest first.
    heads: BinaryHeap<Reverse<(Change, usize)>>,
}

impl<I: Iterator<Item = io::Result<Change>>> Merge<I> {
    fn new(mut runs: Vec<I>) -> io::Result<Self> {
        let mut heads = BinaryHeap::new();
        for (index, run) in runs.iter_mut().enumerate() {
            if let Some(change) = run.next() {
                heads.push(Reverse((change?, index)));
            }
        }
        Ok(Self { runs, heads })
    }
}

impl<I: Iterator<Item = io::Result<Change>>> Iterator for Merge<I> {
    type Item = io::Result<Change>;

    fn next(&mut self) -> Option<io::Result<Change>> {
        let Reverse((change, index)) = self.heads.pop()?;
        match self.runs[index].next() {
            Some(Ok(next)) => self.heads.push(Reverse((next, index))),
            Some(Err(error)) => return Some(Err(error)),
            None => {}
        }
        Some(Ok(change))
    }
}

/// Opens scopes and variables in the hierarchy chip / tile / IMA / crossbar, for all units that the trace shows. `scope` gets a
/// name, or nothing to close the last; `variable` the number of the signal, its name and bits.
fn declare<T>(
    scene: &Scene<'_>,
    filter: &Filter,
    to: &mut T,
    scope: impl Fn(&mut T, Option<&str>) -> io::Result<()>,
    variable: impl Fn(&mut T, u32, &str, u32) -> io::Result<()>,
) -> io::Result<()> {
    let signals = Signals::new(scene);
    let all = |to: &mut T, first: u32, of: &[(&str, u32, Detail)]| {
        let shown = (first..).zip(of).filter(|(_, (.., detail))| *detail <= filter.detail);
        shown.into_iter().try_for_each(|(signal, (name, bits, _))| variable(to, signal, name, *bits))
    };
    let mut tiles = (0..scene.tiles()).peekable();
    for chip in 0..scene.chips() {
        let of_chip = std::iter::from_fn(|| tiles.next_if(|&tile| scene.place(tile).0 == chip));
        let of_chip: Vec<u32> = of_chip.collect();
        if !filter.chip(chip) {
            continue;
        }
        scope(to, Some(&format!("chip{chip}")))?;
        all(to, chip, &OF_CHIP)?;
        let shown = |&tile: &u32| filter.detail >= Detail::Tile && filter.tile(tile);
        for tile in of_chip.into_iter().filter(shown) {
            scope(to, Some(&format!("tile{}", scene.place(tile).1)))?;
            all(to, signals.of_tile(tile, 0), &OF_TILE)?;
            let shown = |&ima: &u8| {
                let layer = filter.layer(scene.layer_of(tile, ima));
                filter.detail >= Detail::Ima && filter.unit(tile, ima) && layer
            };
            for ima in (0..scene.imas(tile) as u8).filter(shown) {
                scope(to, Some(&format!("ima{ima}_{}", scene.layer(scene.layer_of(tile, ima)))))?;
                let first = signals.of_ima(tile, ima, 0);
                all(to, first, &OF_IMA)?;
                let crossbars = if filter.detail < Detail::Crossbar { 0 } else { scene.crossbars(tile, ima) as u32 };
                for crossbar in 0..crossbars {
                    scope(to, Some(&format!("crossbar{crossbar}")))?;
                    all(to, first + CROSSBARS + crossbar, &[OF_CROSSBAR])?;
                    scope(to, None)?;
                }
                scope(to, None)?;
            }
            scope(to, None)?;
        }
        scope(to, None)?;
    }
    Ok(())
}

/// The compressed waveforms of GTKWave.
pub(crate) struct Fst {
    body: Option<FstBodyWriter<Counted>>,
    signals: Vec<Option<FstSignalId>>,
    digits: Vec<u8>,
}

/// What is wrong with the file itself, if that is it.
fn io_error(error: FstWriteError) -> io::Error {
    match error {
        FstWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Bytes of changes that a section of the file holds.
const SECTION: usize = 32 << 20;

impl Fst {
    pub fn new(scene: &Scene<'_>, filter: &Filter, file: Counted) -> io::Result<Self> {
        let info = FstInfo {
            start_time: 0,
            timescale_exponent: -9,
            version: concat!("aquasim ", env!("CARGO_PKG_VERSION")).to_owned(),
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let header = FstHeaderWriter::new(file, &info).map_err(io_error)?;
        let signals = vec![None; Signals::new(scene).bits.len()];
        let mut state = (header, signals);
        declare(
            scene,
            filter,
            &mut state,
            |(header, _), name| {
                let result = match name {
                    Some(name) => header.scope(name, "", FstScopeType::Module),
                    None => header.up_scope(),
                };
                result.map_err(io_error)
            },
            |(header, signals), signal, name, bits| {
                let kind = FstSignalType::bit_vec(bits);
                let id = header.var(name, kind, FstVarType::Wire, FstVarDirection::Implicit, None);
                signals[signal as usize] = Some(id.map_err(io_error)?);
                Ok(())
            },
        )?;
        let (header, signals) = state;
        let mut body = header.finish().map_err(io_error)?;
        // Before its first change, a signal is zero, not unknown.
        body.time_change(0).map_err(io_error)?;
        let all = Signals::new(scene).bits;
        for (signal, bits) in signals.iter().zip(all) {
            if let Some(signal) = signal {
                body.signal_change(*signal, &vec![b'0'; bits as usize]).map_err(io_error)?;
            }
        }
        Ok(Self { body: Some(body), signals, digits: Vec::new() })
    }

    fn body(&mut self) -> &mut FstBodyWriter<Counted> {
        self.body.as_mut().expect("nothing is written after the end")
    }
}

impl Body for Fst {
    fn time(&mut self, ns: u64) -> io::Result<()> {
        let body = self.body();
        // The writer takes no change between a flush and a change of time.
        if body.size() > SECTION {
            body.flush().map_err(io_error)?;
        }
        body.time_change(ns).map_err(io_error)
    }

    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()> {
        let Some(signal) = self.signals[signal as usize] else { return Ok(()) };
        let mut digits = std::mem::take(&mut self.digits);
        digits.clear();
        digits.extend((0..bits).rev().map(|bit| b'0' + (value >> bit & 1) as u8));
        let result = self.body().signal_change(signal, &digits).map_err(io_error);
        self.digits = digits;
        result
    }

    fn finish(&mut self) -> io::Result<u64> {
        let body = self.body.take().expect("it is finished once");
        let mut file = body.finish().map_err(io_error)?;
        file.flush()?;
        file.seek(io::SeekFrom::End(0))
    }
}

/// Value change dump, IEEE 1364.
pub(crate) struct Vcd {
    writer: vcd::Writer<Counted>,
    signals: Vec<Option<IdCode>>,
}

impl Vcd {
    pub fn new(scene: &Scene<'_>, filter: &Filter, file: Counted) -> io::Result<Self> {
        let mut writer = vcd::Writer::new(file);
        writer.version(concat!("aquasim ", env!("CARGO_PKG_VERSION")))?;
        writer.timescale(1, TimescaleUnit::NS)?;
        let all = Signals::new(scene).bits;
        let mut state = (writer, vec![None; all.len()]);
        declare(
            scene,
            filter,
            &mut state,
            |(writer, _), name| {
                name.map_or_else(|| Ok(()), |name| writer.add_module(name))
                    .and_then(|()| if name.is_none() { writer.upscope() } else { Ok(()) })
            },
            |(writer, signals), signal, name, bits| {
                signals[signal as usize] = Some(writer.add_wire(bits, name)?);
                Ok(())
            },
        )?;
        let (mut writer, signals) = state;
        writer.enddefinitions()?;
        writer.timestamp(0)?;
        let mut vcd = Self { writer, signals };
        for (signal, bits) in (0..).zip(all) {
            vcd.change(signal, bits, 0)?;
        }
        Ok(vcd)
    }
}

impl Body for Vcd {
    fn time(&mut self, ns: u64) -> io::Result<()> {
        self.writer.timestamp(ns)
    }

    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()> {
        let Some(id) = self.signals[signal as usize] else { return Ok(()) };
        let bit = |bit: u32| Value::from(value >> bit & 1 == 1);
        if bits == 1 {
            self.writer.change_scalar(id, bit(0))
        } else {
            self.writer.change_vector(id, (0..bits).rev().map(bit))
        }
    }

    fn finish(&mut self) -> io::Result<u64> {
        self.writer.flush()?;
        Ok(self.writer.writer().bytes)
    }
}

//! Waveforms: signals of IMAs and tiles over time, for viewers that come from circuit design.
//!
//! Waveform files want their changes in the order of time, and a wait is known only when it ends. So changes are sorted
//! in runs of bounded size, kept in temporary files, and merged at the end: memory does not grow with the trace.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use des::Cycle;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType,
};
use vcd::{IdCode, TimescaleUnit, Value};

use crate::event::Event;
use crate::writer::{Counted, Sink};
use crate::{Filter, Scene};

/// Signals of an IMA: name, bits. It is valid while it has inputs.
const OF_IMA: [(&str, u32); 6] =
    [("busy", 1), ("waiting", 1), ("cause", 3), ("valid", 1), ("input_occupancy", 2), ("output_occupancy", 2)];
/// Signals of a tile: name, bits.
const OF_TILE: [(&str, u32); 2] = [("bus_requests", 16), ("buffer_bytes", 32)];

const BUSY: u32 = 0;
const WAITING: u32 = 1;
const CAUSE: u32 = 2;
const INPUT_OCCUPANCY: u32 = 4;
const OUTPUT_OCCUPANCY: u32 = 5;
const BUS_REQUESTS: u32 = 0;
const BUFFER_BYTES: u32 = 1;

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
    body: B,
    signals: Signals,
    changes: Vec<Change>,
    runs: Vec<File>,
    /// Until the end, what the changes take in the temporary files: about as much as in a VCD file.
    bytes: u64,
    end: Cycle,
}

/// Numbers of the signals.
pub(crate) struct Signals {
    /// For each tile, the number of its first signal; those of its IMAs follow.
    tiles: Vec<u32>,
    bits: Vec<u32>,
    /// Whether it is an input occupancy: the signal before it says whether there are any inputs.
    fills: Vec<bool>,
}

impl Signals {
    fn new(scene: &Scene<'_>) -> Signals {
        let mut signals = Signals { tiles: Vec::new(), bits: Vec::new(), fills: Vec::new() };
        for tile in 0..scene.tiles() {
            signals.tiles.push(signals.bits.len() as u32);
            signals.bits.extend(OF_TILE.map(|(_, bits)| bits));
            signals.fills.extend(OF_TILE.map(|_| false));
            for _ in 0..scene.imas(tile) {
                signals.bits.extend(OF_IMA.map(|(_, bits)| bits));
                signals.fills.extend((0..).zip(OF_IMA).map(|(signal, _)| signal == INPUT_OCCUPANCY));
            }
        }
        signals
    }

    fn of_tile(&self, tile: u32, signal: u32) -> u32 {
        self.tiles[tile as usize] + signal
    }

    fn of_ima(&self, tile: u32, ima: u8, signal: u32) -> u32 {
        self.tiles[tile as usize] + OF_TILE.len() as u32 + u32::from(ima) * OF_IMA.len() as u32 + signal
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
        Ok(Self { scene, body, signals, changes: Vec::new(), runs: Vec::new(), bytes: 0, end: filter.cycles.start })
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

    fn span(&mut self, cycles: &std::ops::Range<Cycle>, signal: u32, by: i32) -> io::Result<()> {
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
            self.body.change(signal, self.signals.bits[signal as usize], value.max(0) as u64)?;
        }
        Ok(())
    }
}

impl<B: Body> Sink for Waveform<'_, B> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Operation { unit, cycles, .. } => {
                let ima = |signal| self.signals.of_ima(unit.tile, unit.ima, signal);
                let [busy, input, output] = [BUSY, INPUT_OCCUPANCY, OUTPUT_OCCUPANCY].map(ima);
                self.span(cycles, busy, 1)?;
                // Its inputs leave when they have been read; its results take their place when it starts.
                self.change(cycles.end, input, -1)?;
                self.change(cycles.start, output, 1)
            }
            Event::Wait { unit, cause, cycles } => {
                let ima = |signal| self.signals.of_ima(unit.tile, unit.ima, signal);
                let [waiting, code] = [WAITING, CAUSE].map(ima);
                if cause.is_wait() {
                    self.span(cycles, waiting, 1)?;
                }
                self.span(cycles, code, *cause as i32)
            }
            Event::Fetch { unit, cycles, .. } => {
                let input = self.signals.of_ima(unit.tile, unit.ima, INPUT_OCCUPANCY);
                self.change(cycles.end, input, 1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Result { unit, cycles, .. } => {
                let output = self.signals.of_ima(unit.tile, unit.ima, OUTPUT_OCCUPANCY);
                self.change(cycles.end, output, -1)?;
                self.span(cycles, self.signals.of_tile(unit.tile, BUS_REQUESTS), 1)
            }
            Event::Fill { tile, bits, at, .. } => {
                self.change(*at, self.signals.of_tile(*tile, BUFFER_BYTES), (bits / 8) as i32)
            }
            Event::Stage { .. } | Event::Write { .. } | Event::Packet { .. } | Event::Crossing { .. } => Ok(()),
        }
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

/// Opens scopes and variables in the hierarchy chip / tile / IMA, for all units that the trace shows. `scope` gets a
/// name, or nothing to close the last; `variable` the number of the signal, its name and bits.
fn declare<T>(
    scene: &Scene<'_>,
    filter: &Filter,
    to: &mut T,
    scope: impl Fn(&mut T, Option<&str>) -> io::Result<()>,
    variable: impl Fn(&mut T, u32, &str, u32) -> io::Result<()>,
) -> io::Result<()> {
    let signals = Signals::new(scene);
    let mut open = None;
    for tile in (0..scene.tiles()).filter(|&tile| filter.tile(tile)) {
        let (chip, number) = scene.place(tile);
        if open != Some(chip) {
            if open.is_some() {
                scope(to, None)?;
            }
            scope(to, Some(&format!("chip{chip}")))?;
            open = Some(chip);
        }
        scope(to, Some(&format!("tile{number}")))?;
        for (signal, (name, bits)) in (0..).zip(OF_TILE) {
            variable(to, signals.of_tile(tile, signal), name, bits)?;
        }
        let shown = |&ima: &u8| filter.unit(tile, ima) && filter.layer(scene.layer_of(tile, ima));
        for ima in (0..scene.imas(tile) as u8).filter(shown) {
            scope(to, Some(&format!("ima{ima}_{}", scene.layer(scene.layer_of(tile, ima)))))?;
            for (signal, (name, bits)) in (0..).zip(OF_IMA) {
                variable(to, signals.of_ima(tile, ima, signal), name, bits)?;
            }
            scope(to, None)?;
        }
        scope(to, None)?;
    }
    if open.is_some() { scope(to, None) } else { Ok(()) }
}

/// The compressed waveforms of GTKWave.
pub(crate) struct Fst {
    body: Option<FstBodyWriter<Counted>>,
    signals: Vec<Option<FstSignalId>>,
    digits: Vec<u8>,
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
        let header = FstHeaderWriter::new(file, &info).map_err(io::Error::other)?;
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
                result.map_err(io::Error::other)
            },
            |(header, signals), signal, name, bits| {
                let kind = FstSignalType::bit_vec(bits);
                let id = header.var(name, kind, FstVarType::Wire, FstVarDirection::Implicit, None);
                signals[signal as usize] = Some(id.map_err(io::Error::other)?);
                Ok(())
            },
        )?;
        let (header, signals) = state;
        let mut body = header.finish().map_err(io::Error::other)?;
        // Before its first change, a signal is zero, not unknown.
        body.time_change(0).map_err(io::Error::other)?;
        let all = Signals::new(scene).bits;
        for (signal, bits) in signals.iter().zip(all) {
            if let Some(signal) = signal {
                body.signal_change(*signal, &vec![b'0'; bits as usize]).map_err(io::Error::other)?;
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
            body.flush().map_err(io::Error::other)?;
        }
        body.time_change(ns).map_err(io::Error::other)
    }

    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()> {
        let Some(signal) = self.signals[signal as usize] else { return Ok(()) };
        let mut digits = std::mem::take(&mut self.digits);
        digits.clear();
        digits.extend((0..bits).rev().map(|bit| b'0' + (value >> bit & 1) as u8));
        let result = self.body().signal_change(signal, &digits).map_err(io::Error::other);
        self.digits = digits;
        result
    }

    fn finish(&mut self) -> io::Result<u64> {
        let body = self.body.take().expect("it is finished once");
        let mut file = body.finish().map_err(io::Error::other)?;
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

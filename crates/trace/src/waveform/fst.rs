//! FST files.
//!
//! The writer library compresses whole sections, so the byte limit is checked against an upper limit for the section in
//! progress. Ending a section early tightens that limit, at the cost of writing the values of all signals once more.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use analysis::Scene;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType, FstWriteError,
};
use index::IndexVec;

use super::signals::{SignalId, Signals, declare};
use super::{Body, Waveform};
use crate::sink::{Format, TraceFile};
use crate::{Clock, Filter};

pub(crate) const FORMAT: Format = Format {
    ending: "fst",
    viewers: "GTKWave, Surfer",
    open: |scene, filter, file| Ok(Box::new(Waveform::new(scene, filter, Fst::new(scene, filter, file)?))),
};

/// FST: the compressed waveforms of GTKWave.
///
/// Changes are compressed in sections, each of which starts with the values of all signals. The bytes of a change are
/// known only when its section is written; until then an upper limit counts.
struct Fst {
    body: Option<FstBodyWriter<TraceFile>>,
    bytes: Rc<Cell<u64>>,
    signals: IndexVec<SignalId, Option<FstSignalId>>,
    digits: Vec<u8>,
    /// Bytes of a section without changes.
    section_bytes: u64,
    /// Upper limit of the bytes of the changes in this section.
    pending: u64,
    /// Number of sections written, and the last section in which each signal changed, counted from 1.
    sections: u32,
    changed_in: IndexVec<SignalId, u32>,
}

/// Converts an error of the FST writer to an I/O error.
fn io_error(error: FstWriteError) -> io::Error {
    match error {
        FstWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Invariant of the writer's body.
const STILL_OPEN: &str = "nothing is written after the end";

/// Returns the binary digits of a value, the highest first.
fn digits(bits: u32, value: u64) -> impl Iterator<Item = u8> {
    (0..bits).rev().map(move |bit| if value >> bit & 1 == 1 { b'1' } else { b'0' })
}

/// Bytes of uncompressed changes from which on a section ends.
const SECTION: usize = 32 << 20;
/// Upper limits in bytes: a section without values and changes; a time; a change without its value; and the additional
/// bytes of a signal's first change in a section.
const SECTION_BYTES: u64 = 160;
const TIME_BYTES: u64 = 10;
const CHANGE_BYTES: u64 = 4;
const FIRST_CHANGE_BYTES: u64 = 9;

impl Fst {
    fn new(scene: &Scene<'_>, filter: &Filter, file: TraceFile) -> io::Result<Self> {
        let info = FstInfo {
            start_time: 0,
            timescale_exponent: Clock::of(scene).unit.exponent(),
            version: concat!("aquasim ", env!("CARGO_PKG_VERSION")).to_owned(),
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let bytes = file.counter();
        let header = FstHeaderWriter::new(file, &info).map_err(io_error)?;
        let all = Signals::new(scene).bits;
        let mut state = (header, IndexVec::filled(None, all.len()));
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
                signals[signal] = Some(id.map_err(io_error)?);
                Ok(())
            },
        )?;
        let (header, signals) = state;
        let mut body = header.finish().map_err(io_error)?;
        // A signal is 0, not unknown, before its first change.
        body.time_change(0).map_err(io_error)?;
        let mut section_bytes = SECTION_BYTES;
        for (signal, bits) in signals.iter().zip(all) {
            if let Some(signal) = signal {
                section_bytes += u64::from(bits);
                let zeros: Vec<u8> = digits(bits, 0).collect();
                body.signal_change(*signal, &zeros).map_err(io_error)?;
            }
        }
        let changed_in = IndexVec::filled(0, signals.len());
        let body = Some(body);
        Ok(Self { body, bytes, signals, digits: Vec::new(), section_bytes, pending: 0, sections: 0, changed_in })
    }

    /// Writes the pending changes as a section. A new time must follow, since the FST writer accepts no change before
    /// it.
    fn end_section(&mut self) -> io::Result<()> {
        self.pending = 0;
        self.sections += 1;
        self.body().flush().map_err(io_error)
    }

    fn body(&mut self) -> &mut FstBodyWriter<TraceFile> {
        self.body.as_mut().expect(STILL_OPEN)
    }
}

impl Body for Fst {
    fn time(&mut self, stamp: u64) -> io::Result<()> {
        if self.body().size() > SECTION {
            self.end_section()?;
        }
        self.pending += TIME_BYTES;
        self.body().time_change(stamp).map_err(io_error)
    }

    fn change(&mut self, signal: SignalId, bits: u32, value: u64) -> io::Result<()> {
        let Some(id) = self.signals[signal] else { return Ok(()) };
        self.pending += CHANGE_BYTES + u64::from(bits.div_ceil(8));
        if self.changed_in[signal] <= self.sections {
            self.changed_in[signal] = self.sections + 1;
            self.pending += FIRST_CHANGE_BYTES;
        }
        self.digits.clear();
        self.digits.extend(digits(bits, value));
        let body = self.body.as_mut().expect(STILL_OPEN);
        body.signal_change(id, &self.digits).map_err(io_error)
    }

    fn bytes(&self) -> u64 {
        self.bytes.get() + self.section_bytes + self.pending
    }

    fn make_room(&mut self) -> io::Result<bool> {
        // The gain of compression must exceed the values that start another section.
        let is_worth_it = self.pending > 2 * self.section_bytes;
        if is_worth_it {
            self.end_section()?;
        }
        Ok(is_worth_it)
    }

    fn finish(&mut self) -> io::Result<()> {
        let body = self.body.take().expect("it is finished once");
        body.finish().map_err(io_error)?.flush()
    }
}

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

use super::Body;
use super::signals::{Signals, declare};
use crate::writer::Counted;
use crate::{Clock, Filter};

/// FST: the compressed waveforms of GTKWave.
///
/// Changes are compressed in sections, each of which starts with the values of all signals. The bytes of a change are
/// known only when its section is written; until then an upper limit counts.
pub(crate) struct Fst {
    body: Option<FstBodyWriter<Counted>>,
    bytes: Rc<Cell<u64>>,
    signals: Vec<Option<FstSignalId>>,
    digits: Vec<u8>,
    /// Bytes of a section without changes.
    section_bytes: u64,
    /// Upper limit of the bytes of the changes in this section.
    pending: u64,
    /// Number of sections written, and the last section in which each signal changed, counted from 1.
    sections: u32,
    changed_in: Vec<u32>,
}

/// Converts an error of the FST writer to an I/O error.
fn io_error(error: FstWriteError) -> io::Error {
    match error {
        FstWriteError::Io(error) => error,
        error => io::Error::other(error),
    }
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
    pub fn new(scene: &Scene<'_>, filter: &Filter, file: Counted) -> io::Result<Self> {
        let info = FstInfo {
            start_time: 0,
            timescale_exponent: Clock::of(scene).unit.exponent(),
            version: concat!("aquasim ", env!("CARGO_PKG_VERSION")).to_owned(),
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let bytes = file.counter();
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
        // A signal is 0, not unknown, before its first change.
        body.time_change(0).map_err(io_error)?;
        let all = Signals::new(scene).bits;
        let mut section_bytes = SECTION_BYTES;
        for (signal, bits) in signals.iter().zip(all) {
            if let Some(signal) = signal {
                section_bytes += u64::from(bits);
                body.signal_change(*signal, &vec![b'0'; bits as usize]).map_err(io_error)?;
            }
        }
        let changed_in = vec![0; signals.len()];
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

    fn body(&mut self) -> &mut FstBodyWriter<Counted> {
        self.body.as_mut().expect("nothing is written after the end")
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

    fn change(&mut self, signal: u32, bits: u32, value: u64) -> io::Result<()> {
        let signal = signal as usize;
        let Some(id) = self.signals[signal] else { return Ok(()) };
        self.pending += CHANGE_BYTES + u64::from(bits.div_ceil(8));
        if self.changed_in[signal] <= self.sections {
            self.changed_in[signal] = self.sections + 1;
            self.pending += FIRST_CHANGE_BYTES;
        }
        let mut digits = std::mem::take(&mut self.digits);
        digits.clear();
        digits.extend((0..bits).rev().map(|bit| b'0' + (value >> bit & 1) as u8));
        let result = self.body().signal_change(id, &digits).map_err(io_error);
        self.digits = digits;
        result
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

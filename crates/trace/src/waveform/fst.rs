use std::io::{self, Seek, Write};

use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType, FstWriteError,
};

use super::Body;
use super::signals::{Signals, declare};
use crate::writer::Counted;
use crate::{Filter, Scene};

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

//! External merge sort of signal changes: they arrive in any order and leave in the order of time.
//!
//! Runs of 2^20 changes are sorted in memory and kept in temporary files, delta-encoded in variable-length numbers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use des::Cycle;

use super::signals::SignalId;

/// Changes per run.
const RUN: usize = 1 << 20;
/// Cycle from which on it applies, signal, and amount added to the signal.
pub(crate) type Change = (Cycle, SignalId, i32);

/// Collected changes: the latest in memory, earlier ones as sorted runs in temporary files.
#[derive(Default)]
pub(crate) struct Changes {
    last: Vec<Change>,
    runs: Vec<File>,
    /// Bytes of the temporary files.
    temporary_bytes: u64,
}

impl Changes {
    /// Adds a change.
    pub(crate) fn push(&mut self, change: Change) -> io::Result<()> {
        self.last.push(change);
        if self.last.len() < RUN {
            return Ok(());
        }
        self.last.sort_unstable();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        // Differences to the previous change, in as many bytes as they need.
        let (mut cycle, mut before) = (0, 0);
        for (at, signal, by) in self.last.drain(..) {
            before = if at == cycle { before } else { 0 };
            write_number(&mut file, at - cycle)?;
            write_number(&mut file, (signal.0 - before).into())?;
            write_number(&mut file, (by << 1 ^ by >> 31).cast_unsigned().into())?;
            (cycle, before) = (at, signal.0);
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.temporary_bytes += file.stream_position()?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// Bytes of the temporary files.
    pub(crate) fn temporary_bytes(&self) -> u64 {
        self.temporary_bytes
    }

    /// Returns all changes in the order of time.
    pub(crate) fn sorted(mut self) -> io::Result<impl Iterator<Item = io::Result<Change>>> {
        self.last.sort_unstable();
        let mut runs: Vec<Box<dyn Iterator<Item = io::Result<Change>>>> =
            self.runs.into_iter().map(|file| Box::new(stored(file)) as Box<_>).collect();
        runs.push(Box::new(self.last.into_iter().map(Ok)));
        Merge::new(runs)
    }
}

/// Writes a number seven bits at a time, the lowest first. All bytes but the last have their highest bit set.
fn write_number(to: &mut impl Write, mut number: u64) -> io::Result<()> {
    while number > 0x7f {
        to.write_all(&[number.to_le_bytes()[0] | 0x80])?;
        number >>= 7;
    }
    to.write_all(&number.to_le_bytes()[..1])
}

fn read_u32(from: &mut impl Read) -> io::Result<u32> {
    u32::try_from(read_number(from)?).map_err(io::Error::other)
}

fn read_number(from: &mut impl Read) -> io::Result<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(number);
        }
        shift += 7;
    }
}

/// Reads the changes of a temporary file.
fn stored(file: File) -> impl Iterator<Item = io::Result<Change>> {
    let mut file = BufReader::new(file);
    let (mut cycle, mut before) = (0, 0);
    std::iter::from_fn(move || {
        let later = match read_number(&mut file) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
            later => later,
        };
        let change = || {
            let later = later?;
            before = if later == 0 { before } else { 0 };
            cycle += later;
            before += read_u32(&mut file)?;
            let by = read_u32(&mut file)?;
            Ok((cycle, SignalId(before), (by >> 1).cast_signed() ^ -(by & 1).cast_signed()))
        };
        Some(change())
    })
}

/// Merge of sorted runs.
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

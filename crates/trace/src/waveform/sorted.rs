//! Changes in the order of time, whatever the order in which they come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use des::Cycle;

/// Changes sorted in memory.
const RUN: usize = 1 << 20;
/// Bytes of a change in a temporary file: cycle, signal, difference.
pub const CHANGE_BYTES: usize = 16;

/// From when on, which signal, how much more or less.
pub type Change = (Cycle, u32, i32);

/// Changes that come in any order: the last in memory, those before as sorted runs in temporary files.
#[derive(Default)]
pub struct Changes {
    last: Vec<Change>,
    runs: Vec<File>,
}

impl Changes {
    /// Keeps a change.
    pub fn push(&mut self, change: Change) -> io::Result<()> {
        self.last.push(change);
        if self.last.len() < RUN {
            return Ok(());
        }
        self.last.sort_unstable();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for (at, signal, by) in self.last.drain(..) {
            file.write_all(&at.to_le_bytes())?;
            file.write_all(&signal.to_le_bytes())?;
            file.write_all(&by.to_le_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// All changes in the order of time.
    pub fn sorted(mut self) -> io::Result<impl Iterator<Item = io::Result<Change>>> {
        self.last.sort_unstable();
        let mut runs: Vec<Box<dyn Iterator<Item = io::Result<Change>>>> =
            self.runs.into_iter().map(|file| Box::new(stored(file)) as Box<_>).collect();
        runs.push(Box::new(self.last.into_iter().map(Ok)));
        Merge::new(runs)
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

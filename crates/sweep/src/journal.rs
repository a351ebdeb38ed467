//! Journal of a sweep: an append-only file with one line for each finished point.
//!
//! A line is the hash of its content, a space, and the content as JSON. The first line is the header, which identifies
//! the sweep; every other line is a [`Record`]. A line is valid if it ends with a line feed and its hash agrees.
//! Opening a journal reads up to the first invalid line and truncates the file there: that is the line that a kill
//! interrupted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use index::count;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Cell, Grid, Shard};

/// Length of the hash of a line, in hexadecimal digits.
const HASH_DIGITS: usize = 16;

/// Identity of a journal: sweep and shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Points of the whole sweep.
    pub(crate) grid: Grid,
    /// Shard that the journal records.
    pub(crate) shard: Shard,
}

/// Finished point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number in the grid.
    pub point: u64,
    /// Outcome of the point.
    pub outcome: Outcome,
}

/// Outcome of a point: the cells of its rows in the tables, without the columns common to all rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The point could not be simulated, for this reason.
    Failed(String),
    /// The point was simulated.
    Done {
        /// Cells of the row of the point.
        point: Vec<Cell>,
        /// Cells of the row of each component group.
        components: Vec<Vec<Cell>>,
        /// Cells of the row of each layer.
        layers: Vec<Vec<Cell>>,
    },
}

/// Returns the header of the journal at `path`; `None` if there is no valid one.
pub(crate) fn header(path: &Path) -> io::Result<Option<Header>> {
    match File::open(path) {
        Ok(file) => Ok(Lines::new(file).next_line()?.and_then(|(_, line)| parse(&line))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Journal with an index of its records.
///
/// The index is an unnamed temporary file, 8 bytes per point, so memory does not grow with the sweep.
pub(crate) struct Journal {
    file: File,
    /// Bytes of valid lines.
    length: u64,
    /// Places of the records.
    pub(crate) places: Places,
}

/// Places of records: for each point the offset of its record plus 1, or 0 if it has none.
pub(crate) struct Places(File);

impl Places {
    /// Returns a handle to the same places for another thread.
    pub(crate) fn share(&self) -> io::Result<Places> {
        self.0.try_clone().map(Places)
    }

    /// True if `point` has a record.
    pub(crate) fn has(&self, point: u64) -> io::Result<bool> {
        Ok(self.get(point)?.is_some())
    }

    fn get(&self, point: u64) -> io::Result<Option<u64>> {
        let mut place = [0; 8];
        match self.0.read_exact_at(&mut place, 8 * point) {
            Ok(()) => Ok(u64::from_le_bytes(place).checked_sub(1)),
            // Beyond the last point with a record.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn set(&self, point: u64, start: u64) -> io::Result<()> {
        self.0.write_all_at(&(start + 1).to_le_bytes(), 8 * point)
    }
}

impl Journal {
    /// Opens the journal at `path` and indexes its records, or creates it with `header`.
    pub(crate) fn open(path: &Path, header: &Header) -> io::Result<Journal> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut journal = Journal { file, length: 0, places: Places(tempfile::tempfile()?) };
        let mut lines = Lines::new(journal.file.try_clone()?);
        while let Some((start, line)) = lines.next_line()? {
            if start > 0 {
                let Some(record) = parse::<Record>(&line) else { break };
                journal.places.set(record.point, start)?;
            }
            journal.length = start + count(line.len()) + 1;
        }
        // Cuts off a line that a kill interrupted.
        journal.file.set_len(journal.length)?;
        if journal.length == 0 {
            journal.write(&line(header))?;
            // The directory entry must reach the disk too.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
        }
        Ok(journal)
    }

    /// Returns the record of `point`.
    pub(crate) fn record(&self, point: u64) -> io::Result<Option<Record>> {
        let Some(start) = self.places.get(point)? else {
            return Ok(None);
        };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))?;
        let mut line = Vec::new();
        BufReader::new(file).read_until(b'\n', &mut line)?;
        line.pop();
        parse(&line).map(Some).ok_or_else(|| io::Error::other("the journal has changed while it was read"))
    }

    /// Appends records. They have reached the disk when it returns.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut text = Vec::new();
        for record in records {
            self.places.set(record.point, self.length + count(text.len()))?;
            text.extend(line(record));
        }
        self.write(&text)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.length += count(lines.len());
        Ok(())
    }
}

/// Valid lines with their offsets.
struct Lines {
    reader: BufReader<File>,
    start: u64,
}

impl Lines {
    fn new(file: File) -> Lines {
        Lines { reader: BufReader::new(file), start: 0 }
    }

    /// Returns the next line without its line feed; `None` at the end of the file or at an invalid line.
    fn next_line(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let mut line = Vec::new();
        let length = self.reader.read_until(b'\n', &mut line)?;
        let start = self.start;
        self.start += count(length);
        let whole = line.pop() == Some(b'\n') && content(&line).is_some();
        Ok(whole.then_some((start, line)))
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_string(value).expect("a record is plain data");
    format!("{} {json}\n", hash(json.as_bytes())).into_bytes()
}

/// Returns the content of a line if it agrees with the hash.
fn content(line: &[u8]) -> Option<&[u8]> {
    let (start, content) = (line.get(..HASH_DIGITS)?, line.get(HASH_DIGITS + 1..)?);
    (start == hash(content).as_bytes()).then_some(content)
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    serde_json::from_slice(content(line)?).ok()
}

fn hash(content: &[u8]) -> String {
    blake3::hash(content).to_hex()[..HASH_DIGITS].to_owned()
}

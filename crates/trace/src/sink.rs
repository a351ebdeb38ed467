//! Interface of the trace formats, and the list of them.
//!
//! A format is a file with an implementation of [`Sink`] and a [`Format`], and a line in [`FORMATS`].

use std::cell::Cell;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use analysis::Scene;
use des::Cycle;
use index::count;

use crate::{Filter, Record, csv, perfetto, waveform};

/// All formats, in the order in which the program names them.
pub const FORMATS: [Format; 4] = [perfetto::FORMAT, waveform::fst::FORMAT, waveform::vcd::FORMAT, csv::FORMAT];

/// Format of trace files.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Ending of the names of its files, without the dot.
    pub ending: &'static str,
    /// Programs that show it, for help texts.
    pub viewers: &'static str,
    /// Creates a trace and writes its header.
    pub open: Open,
}

/// Constructor of a sink.
pub type Open = for<'a> fn(&'a Scene<'a>, &Filter, TraceFile) -> io::Result<Box<dyn Sink + 'a>>;

impl Format {
    /// Returns the format for the ending of a file name; `None` if there is none.
    pub fn of(path: &Path) -> Option<Format> {
        let ending = path.extension()?;
        FORMATS.into_iter().find(|format| ending == format.ending)
    }
}

/// Writer of one trace. The writer thread asks for [`Sink::bytes`] before every record and ends the trace as soon as they
/// exceed the limit, so a file is never longer than its limit and always complete.
pub trait Sink {
    /// Adds a record. Records come when the simulator knows them, which is not the order of their cycles; those of loads
    /// and of fills each are in order.
    fn record(&mut self, record: &Record) -> io::Result<()>;

    /// Returns the number of entries so far: slices, instants and samples; changes of signals; or lines.
    fn entries(&self) -> u64;

    /// Returns an upper limit of the bytes of the file if it ends with the next record.
    fn bytes(&self) -> u64;

    /// Writes all that is pending, as far as it fits into `limit` bytes. Returns the cycle in which the file ends if
    /// not all of it fits.
    fn finish(&mut self, limit: u64) -> io::Result<Option<Cycle>>;
}

/// Destination of a trace.
pub(crate) trait Target: Write + Seek {}

impl<T: Write + Seek> Target for T {}

/// Buffered file that counts the bytes written to it.
pub struct TraceFile {
    file: BufWriter<Box<dyn Target>>,
    bytes: Rc<Cell<u64>>,
}

impl TraceFile {
    pub(crate) fn new(file: Box<dyn Target>) -> TraceFile {
        TraceFile { file: BufWriter::with_capacity(1 << 16, file), bytes: Rc::default() }
    }

    /// Returns the bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Returns a counter of the bytes written that remains readable when the file is moved into a library's writer.
    pub(crate) fn counter(&self) -> Rc<Cell<u64>> {
        self.bytes.clone()
    }
}

impl Write for TraceFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes.set(self.bytes.get() + count(written));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for TraceFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

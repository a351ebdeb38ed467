//! Writer thread of a trace, and the interface of the formats.
//!
//! The thread takes chunks of events from the recorder, passes each event to a [`Sink`], and returns the chunks for
//! reuse. A sink states before every event how large its file may become with one more. The thread ends the trace as
//! soon as that exceeds the limit, so a file is never longer than its limit and always complete.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::thread::{Scope, ScopedJoinHandle};

use analysis::Scene;
use crossbeam_channel::bounded;
use des::Cycle;

use crate::csv::Csv;
use crate::event::Event;
use crate::perfetto::Perfetto;
use crate::waveform::{Fst, Vcd, Waveform};
use crate::{Filter, Format, Recorder};

/// Capacity of the channel from the simulation to the writer, in chunks.
const UNDER_WAY: usize = 16;

/// Interface of a trace format.
pub(crate) trait Sink {
    /// Adds one event.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Returns the number of entries so far: slices, instants and samples; changes of signals; or lines.
    fn events(&self) -> u64;

    /// Returns an upper limit of the bytes of the file if it ends with the next event.
    fn bytes(&self) -> u64;

    /// Writes all that is pending, as far as it fits into `limit` bytes. Returns the cycle in which the file ends if
    /// not all of it fits.
    fn finish(&mut self, limit: u64) -> io::Result<Option<Cycle>>;
}

/// Summary of a written trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries of the file: slices, instants and samples; changes of signals; or lines.
    pub events: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Cycle in which the trace ends before the run does, because of the byte limit; `None` if the trace is whole.
    pub ended_at: Option<Cycle>,
}

/// Destination of a trace.
pub(crate) trait Target: Write + Seek {}

impl<T: Write + Seek> Target for T {}

/// File that counts the bytes written to it.
pub(crate) struct Counted {
    file: BufWriter<Box<dyn Target>>,
    bytes: Rc<Cell<u64>>,
}

impl Counted {
    pub fn new(file: Box<dyn Target>) -> Counted {
        Counted { file: BufWriter::with_capacity(1 << 16, file), bytes: Rc::default() }
    }

    /// Returns the bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Returns a counter of the bytes written that remains readable when the file is moved into a library's writer.
    pub fn counter(&self) -> Rc<Cell<u64>> {
        self.bytes.clone()
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes.set(self.bytes.get() + written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Creates a trace in `file` and writes its header.
fn open<'a>(scene: &'a Scene<'a>, filter: Filter, format: Format, file: Counted) -> io::Result<Box<dyn Sink + 'a>> {
    Ok(match format {
        Format::Perfetto => Box::new(Perfetto::new(scene, &filter, file)?),
        Format::Csv => Box::new(Csv::new(scene, file)?),
        Format::Fst => Box::new(Waveform::new(scene, filter, |scene, filter| Fst::new(scene, filter, file))?),
        Format::Vcd => Box::new(Waveform::new(scene, filter, |scene, filter| Vcd::new(scene, filter, file))?),
    })
}

/// Returns the bytes that a trace in `format` needs for its header and one event: the smallest limit for [`start`].
pub fn smallest(scene: &Scene<'_>, filter: Filter, format: Format) -> io::Result<u64> {
    let file = Counted::new(Box::new(Cursor::new(Vec::new())));
    Ok(open(scene, filter, format, file)?.bytes())
}

/// Trace that is being written on a thread of its own.
pub struct Writing<'scope> {
    thread: ScopedJoinHandle<'scope, io::Result<Summary>>,
}

/// Starts a thread that writes the events of the returned recorder to `file` in `format`. An error in place of the file
/// is returned by [`Writing::finish`].
///
/// The trace ends, complete up to that cycle, before it is longer than `limit` bytes, provided that `limit` is at least
/// [`smallest`].
pub fn start<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    scene: &'env Scene<'env>,
    filter: Filter,
    (file, format): (io::Result<File>, Format),
    limit: u64,
) -> (Recorder, Writing<'scope>) {
    let (full, chunks) = bounded::<Vec<Event>>(UNDER_WAY);
    let (recycle, empty) = bounded(UNDER_WAY);
    let recorder = Recorder::new(scene, filter.clone(), full, empty);
    let thread = scope.spawn(move || {
        let file = Counted::new(Box::new(file?));
        let bytes = file.counter();
        let mut sink = open(scene, filter, format, file)?;
        let mut ended_at = None;
        'chunks: for mut chunk in chunks {
            for event in &chunk {
                if sink.bytes() > limit {
                    ended_at = Some(event.known_at());
                    break 'chunks;
                }
                sink.event(event)?;
            }
            chunk.clear();
            // A chunk that does not fit into the channel is dropped.
            let _ = recycle.try_send(chunk);
        }
        let ended_at = sink.finish(limit)?.or(ended_at);
        Ok(Summary { events: sink.events(), bytes: bytes.get(), ended_at })
    });
    (recorder, Writing { thread })
}

impl Writing<'_> {
    /// Waits until all events of `recorder` are written.
    pub fn finish(self, mut recorder: Recorder) -> io::Result<Summary> {
        recorder.finish();
        drop(recorder);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

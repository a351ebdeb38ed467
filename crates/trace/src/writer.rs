//! The thread that writes a trace.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam_channel::bounded;
use des::Cycle;

use crate::csv::Csv;
use crate::event::Event;
use crate::perfetto::Perfetto;
use crate::waveform::{Fst, Vcd, Waveform};
use crate::{Filter, Format, Recorder, Scene};

/// Chunks under way between the simulation and the writer.
const UNDER_WAY: usize = 16;

/// What a format does with events.
pub(crate) trait Sink {
    /// Takes one event.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// What is in the file so far: slices, instants and samples, changes of signals, lines.
    fn events(&self) -> u64;

    /// The most that the file may have to take if it ends with the next event.
    fn bytes(&self) -> u64;

    /// Writes what is left, as far as it fits into `limit` bytes. Returns the cycle with which the file ends, if not
    /// all fits.
    fn finish(&mut self, limit: u64) -> io::Result<Option<Cycle>>;
}

/// What became of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Slices, instants and samples, changes of signals, or lines in it.
    pub events: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The cycle in which it ends before the run does, because the file would be too large.
    pub ended_at: Option<Cycle>,
}

/// What a trace is written to.
pub(crate) trait Target: Write + Seek {}

impl<T: Write + Seek> Target for T {}

/// A file that knows how much was written to it, and tells others.
pub(crate) struct Counted {
    file: BufWriter<Box<dyn Target>>,
    bytes: Rc<Cell<u64>>,
}

impl Counted {
    pub fn new(file: Box<dyn Target>) -> Counted {
        Counted { file: BufWriter::with_capacity(1 << 16, file), bytes: Rc::default() }
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// The same, for one who gives the file away.
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

/// A new trace in `file`: its header is written.
fn open<'a>(scene: &'a Scene<'a>, filter: Filter, format: Format, file: Counted) -> io::Result<Box<dyn Sink + 'a>> {
    Ok(match format {
        Format::Perfetto => Box::new(Perfetto::new(scene, &filter, file)?),
        Format::Csv => Box::new(Csv::new(scene, file)?),
        Format::Fst => Box::new(Waveform::new(scene, filter, |scene, filter| Fst::new(scene, filter, file))?),
        Format::Vcd => Box::new(Waveform::new(scene, filter, |scene, filter| Vcd::new(scene, filter, file))?),
    })
}

/// Bytes that a trace in `format` needs for its header and the first event.
pub fn smallest(scene: &Scene<'_>, filter: Filter, format: Format) -> io::Result<u64> {
    let file = Counted::new(Box::new(Cursor::new(Vec::new())));
    Ok(open(scene, filter, format, file)?.bytes())
}

/// A trace that is being written on a thread of its own.
pub struct Writing<'scope> {
    thread: ScopedJoinHandle<'scope, io::Result<Summary>>,
}

/// Writes what the recorder sees to `file`, if there is one, in `format`. It ends, complete as far
/// as it goes, before it is longer than `limit` bytes, if these are as many as [`smallest`] says.
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
            // Without room for it, it is dropped.
            let _ = recycle.try_send(chunk);
        }
        let ended_at = sink.finish(limit)?.or(ended_at);
        Ok(Summary { events: sink.events(), bytes: bytes.get(), ended_at })
    });
    (recorder, Writing { thread })
}

impl Writing<'_> {
    /// Waits until all that `recorder` saw is written.
    pub fn finish(self, mut recorder: Recorder) -> io::Result<Summary> {
        recorder.finish();
        drop(recorder);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

//! The thread that writes a trace.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
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

    /// Bytes of the file so far, or what they will be about.
    fn bytes(&self) -> u64;

    /// Writes what is left.
    fn finish(&mut self) -> io::Result<()>;
}

/// What became of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Slices, instants and samples, changes of signals, or lines in it.
    pub events: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The cycle in which it ends before the run does, because the file would be too large.
    pub ended_at: Option<Cycle>,
}

/// A file that knows how much was written to it.
pub(crate) struct Counted {
    file: BufWriter<File>,
    pub bytes: u64,
}

impl Counted {
    pub fn new(file: File) -> Counted {
        Counted { file: BufWriter::with_capacity(1 << 16, file), bytes: 0 }
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes += written as u64;
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

/// A trace that is being written on a thread of its own.
pub struct Writing<'scope> {
    thread: ScopedJoinHandle<'scope, io::Result<Summary>>,
}

/// Writes what the recorder sees to `file`, if there is one, in `format`, until it is about `limit` bytes long.
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
        let file = Counted::new(file?);
        let mut sink: Box<dyn Sink> = match format {
            Format::Perfetto => Box::new(Perfetto::new(scene, &filter, file)?),
            Format::Csv => Box::new(Csv::new(scene, file)?),
            Format::Fst => Box::new(Waveform::new(scene, filter, |scene, filter| Fst::new(scene, filter, file))?),
            Format::Vcd => Box::new(Waveform::new(scene, filter, |scene, filter| Vcd::new(scene, filter, file))?),
        };
        let mut summary = Summary::default();
        'chunks: for mut chunk in chunks {
            for event in &chunk {
                if sink.bytes() >= limit {
                    summary.ended_at = Some(event.known_at());
                    break 'chunks;
                }
                sink.event(event)?;
            }
            chunk.clear();
            // Without room for it, it is dropped.
            let _ = recycle.try_send(chunk);
        }
        sink.finish()?;
        (summary.events, summary.bytes) = (sink.events(), sink.bytes());
        Ok(summary)
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

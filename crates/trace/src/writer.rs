//! Writer thread of a trace.
//!
//! The thread takes chunks of records from the recorder, passes each record to a [`Sink`](crate::Sink), and returns the
//! chunks for reuse.

use std::fs::File;
use std::io::{self, Cursor};
use std::thread::{Scope, ScopedJoinHandle};

use analysis::Scene;
use crossbeam_channel::bounded;
use des::Cycle;

use crate::sink::TraceFile;
use crate::{Filter, Format, Record, Recorder};

/// Capacity of the channel from the simulation to the writer, in chunks.
const UNDER_WAY: usize = 16;

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

/// Returns the bytes that a trace in `format` needs for its header and one record: the smallest limit for [`start`].
pub fn smallest(scene: &Scene<'_>, filter: &Filter, format: Format) -> io::Result<u64> {
    let file = TraceFile::new(Box::new(Cursor::new(Vec::new())));
    Ok((format.open)(scene, filter, file)?.bytes())
}

/// Trace that is being written on a thread of its own.
pub struct Writing<'scope> {
    thread: ScopedJoinHandle<'scope, io::Result<Summary>>,
}

/// Starts a thread that writes the records of the returned recorder to `file` in `format`. An error in place of the file
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
    let (full, chunks) = bounded::<Vec<Record>>(UNDER_WAY);
    let (recycle, empty) = bounded(UNDER_WAY);
    let recorder = Recorder::new(scene, filter.clone(), full, empty);
    let thread = scope.spawn(move || {
        let file = TraceFile::new(Box::new(file?));
        let bytes = file.counter();
        let mut sink = (format.open)(scene, &filter, file)?;
        let mut ended_at = None;
        'chunks: for mut chunk in chunks {
            for record in &chunk {
                if sink.bytes() > limit {
                    ended_at = Some(record.known_at());
                    break 'chunks;
                }
                sink.record(record)?;
            }
            chunk.clear();
            // A chunk that does not fit into the channel is dropped.
            let _ = recycle.try_send(chunk);
        }
        let ended_at = sink.finish(limit)?.or(ended_at);
        Ok(Summary { events: sink.entries(), bytes: bytes.get(), ended_at })
    });
    (recorder, Writing { thread })
}

impl Writing<'_> {
    /// Waits until all records of `recorder` are written.
    pub fn finish(self, mut recorder: Recorder) -> io::Result<Summary> {
        recorder.finish();
        drop(recorder);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

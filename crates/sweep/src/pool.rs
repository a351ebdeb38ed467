//! Thread pool: jobs from an iterator, results to one consumer.
//!
//! The channel of jobs holds none, so that the iterator advances only when a thread is free. The channel of results is
//! bounded: a slow consumer holds the threads up, and memory does not grow.

use std::thread;

use crossbeam_channel::bounded;

/// Runs `work` on every job, on `threads` threads. `sink` receives results as they become ready, all that are pending
/// at once; its error ends the work.
///
/// A job is taken from `jobs` only when a thread is free, so the iterator can still skip jobs that are no longer
/// needed.
pub fn run<Job: Send, Done: Send, Error>(
    threads: usize,
    jobs: impl Iterator<Item = Job> + Send,
    work: impl Fn(Job) -> Done + Sync,
    mut sink: impl FnMut(Vec<Done>) -> Result<(), Error>,
) -> Result<(), Error> {
    thread::scope(|scope| {
        let (give, take) = bounded::<Job>(0);
        let (report, results) = bounded::<Done>(2 * threads);
        for _ in 0..threads {
            let (take, report, work) = (take.clone(), report.clone(), &work);
            scope.spawn(move || {
                // A closed channel means that the sink has failed: the result is dropped.
                take.into_iter().map(work).try_for_each(|done| report.send(done))
            });
        }
        drop((take, report));
        scope.spawn(move || jobs.into_iter().try_for_each(|job| give.send(job)));
        while let Ok(first) = results.recv() {
            sink(std::iter::once(first).chain(results.try_iter()).collect())?;
        }
        Ok(())
    })
}

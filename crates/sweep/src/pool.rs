//! Worker threads fed with jobs, and their results brought back.

use std::thread;

use crossbeam_channel::bounded;

/// Does `work` on every job on `threads` threads. Results arrive as they get ready, those that wait already together;
/// an error of `sink` ends the work.
///
/// A job is taken when a thread is free for it, so that a job that is not wanted any more can still be held back.
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
                // A closed channel means that nobody wants the result.
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

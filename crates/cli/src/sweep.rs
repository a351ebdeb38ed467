//! `aquasim sweep`: simulates every point of a grid.
//!
//! Crate `sweep` has the grid, the folder of results and the pool of threads. Finished points are appended to the
//! folder as they come, so that the same command continues an interrupted sweep. After a first signal the points in
//! progress are finished; a second one ends the program.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use document::{Fault, Faults};
use index::count;
use sweep::{Folder, FolderError, Progress, Record, Remarks, Shard, Simulator};

use crate::failure::Failure;
use crate::{interrupt, output, paper, progress};

/// Simulate every point of a grid of machines, networks, precisions and crops
///
/// Finished points are kept, whatever happens: the same command goes on where the last one stopped.
#[derive(Args)]
pub(crate) struct Sweep {
    /// TOML file with the values of each key
    #[arg(value_name = "FILE.toml")]
    file: String,
    /// Folder for the results; by default named like the file, in the current folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; by default one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Simulate only part I of N, to be put together by `aquasim merge`
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
}

impl Sweep {
    /// Simulates the points that are not done yet, and writes the tables once all are done.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let sweep = self.load()?;
        let (out, shard) = (self.folder(), self.shard()?);
        let mut folder = Folder::open(&out, &sweep.grid, shard.unwrap_or(Shard::WHOLE))?;
        interrupt::finish_first("finishing the points in hand");
        let Simulated { progress, summary } = self.simulate(&sweep, &mut folder, || interrupt::sent().is_some())?;
        output::say(&summary);
        if let Some(signal) = interrupt::sent()
            && progress.done < progress.distinct
        {
            let Progress { done, distinct: all } = progress;
            let text = format!("stopped: {done} of {all} points are done; the same command goes on from there");
            return Err(Failure::Interrupted(signal, text));
        }
        match shard {
            Some(shard) => {
                output::print(&format!(
                    "{} has shard {}/{}; `aquasim merge` puts all of them together\n",
                    out.display(),
                    shard.index,
                    shard.of
                ))?;
                report_remarks(&folder)
            }
            None => write_tables(&folder, &out),
        }
    }

    /// Reads the sweep file.
    pub(crate) fn load(&self) -> Result<sweep::Sweep, Faults> {
        sweep::Sweep::load(&self.file)
    }

    /// Folder for the results.
    pub(crate) fn folder(&self) -> PathBuf {
        let name = || PathBuf::from(&self.file).with_extension("");
        self.out.clone().unwrap_or_else(|| name().file_name().map_or_else(name, PathBuf::from))
    }

    /// Shard requested.
    pub(crate) fn shard(&self) -> Result<Option<Shard>, Fault> {
        self.shard.as_deref().map(str::parse).transpose()
    }

    /// Simulates the points that are not done yet, until `is_stopped` is true.
    pub(crate) fn simulate(
        &self,
        sweep: &sweep::Sweep,
        folder: &mut Folder,
        is_stopped: impl Fn() -> bool + Sync,
    ) -> Result<Simulated, Failure> {
        let before = folder.progress()?;
        let threads = paper::threads(self.threads);
        let bar = progress::bar("points", before.distinct, before.done);
        let (started, busy) = (Instant::now(), AtomicU64::new(0));
        let mut done = 0;
        let simulator = Simulator::new(sweep);
        let wanted = folder.missing()?.take_while(|_| !is_stopped());
        sweep::pool::run(
            threads,
            wanted,
            |point| {
                let _span = tracing::debug_span!("point", number = ?point).entered();
                let started = Instant::now();
                let outcome = simulator.simulate(point);
                let took = u64::try_from(started.elapsed().as_micros()).expect("nobody waits for so long");
                busy.fetch_add(took, Ordering::Relaxed);
                Record { point, outcome }
            },
            |records| {
                folder.append(&records)?;
                done += count(records.len());
                bar.inc(count(records.len()));
                Ok::<(), FolderError>(())
            },
        )?;
        bar.finish_and_clear();
        tracing::info!(layouts = simulator.layouts_made(), runs = simulator.runs_made(), "made for all points");
        let (elapsed, busy) = (started.elapsed(), Duration::from_micros(busy.into_inner()));
        let of_threads = busy.as_secs_f64() / (threads as f64 * elapsed.as_secs_f64());
        let summary = format!(
            "{done} points in {:.1} s on {threads} threads, which simulated for {:.1} % of the time",
            elapsed.as_secs_f64(),
            100.0 * of_threads
        );
        Ok(Simulated { progress: Progress { done: before.done + done, ..before }, summary })
    }
}

/// End of the simulation of a sweep.
pub(crate) struct Simulated {
    pub(crate) progress: Progress,
    /// Points simulated, and their time, as a line.
    summary: String,
}

/// Writes the tables of a whole sweep and prints their place; fails if points failed.
pub(crate) fn write_tables(folder: &Folder, out: &std::path::Path) -> Result<(), Failure> {
    interrupt::remove_too(folder.incomplete_tables());
    folder.write_tables()?;
    output::print(&format!("{} has points, components and layers as .csv and .parquet\n", out.display()))?;
    report_remarks(folder)
}

/// Number of points, as text.
fn counted(points: u64) -> String {
    if points == 1 { "1 point".to_owned() } else { format!("{points} points") }
}

fn report_remarks(folder: &Folder) -> Result<(), Failure> {
    let Remarks { failures, warnings } = folder.remarks()?;
    if let (points, Some(first)) = warnings {
        let points = counted(points);
        output::warn(&format!("{points} with warnings; their column says which. The first: {first}"));
    }
    match failures {
        (failed, Some(first)) => {
            let failed = counted(failed);
            Err(Failure::Partial(format!("{failed} failed; the rows say why. The first: {first}")))
        }
        _ => Ok(()),
    }
}

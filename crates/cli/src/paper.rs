//! `aquasim paper`: AQuA's tables and figures from simulated runs.
//!
//! Runs the jobs of crate `aqua` on all threads and writes the files of [`aqua::Paper`]. `aquasim paper isaac` is a
//! command of its own.

use std::path::PathBuf;
use std::thread;

use aqua::{Job, Measured, StudyError, Trace, WeightSet};
use clap::{Args, Subcommand};
use index::count;

use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::isaac::Isaac;
use crate::output::{self, Output};
use crate::progress;

/// Make AQuA's tables and figures from simulated runs, and compare them with the paper
///
/// Writes Table I, Figures 3 to 5 and a table of captured throughput as CSV and SVG, and paper.md with every published
/// number beside the simulated one.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Paper {
    #[command(subcommand)]
    other: Option<Other>,
    /// Folder for the results
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
    /// CSV file that says which images are classified right under which crops; without it, Figures 3 to 5 are
    /// reconstructed from what the paper states
    #[arg(long, value_name = "FILE")]
    trace: Option<String>,
    /// Weight sets of Figures 4 and 5, in their order: each a number of bits for all layers, varied, float, or a plan
    /// file, whose set has the file's name. 16, to which energies are relative, comes first where it is not given
    #[arg(long, value_name = "SET,...", value_delimiter = ',', default_values = WeightSet::OF_PAPER)]
    weights: Vec<String>,
    #[command(flatten)]
    machine: ChosenMachine,
    /// Threads; by default one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

/// Papers other than AQuA's.
#[derive(Subcommand)]
enum Other {
    Isaac(Isaac),
}

impl Paper {
    /// Simulates all jobs and writes the files.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        if let Some(Other::Isaac(isaac)) = self.other {
            return isaac.execute();
        }
        let out = self.out.expect("clap requires it unless there is a subcommand");
        let arch = self.machine.load()?;
        let network = network::load("vgg16")?;
        let sets = WeightSet::list(&self.weights, &network)?;
        let trace = self.trace.as_deref().map(|path| Trace::load(path, &sets)).transpose()?;
        output::create_folder(&out)?;
        let jobs = Job::all(&sets);
        let bar = progress::bar("simulating", count(jobs.len()), 0);
        let mut measured: Vec<Measured> = Vec::new();
        sweep::pool::run(
            threads(self.threads),
            jobs.into_iter(),
            |job| job.run(&arch, &network),
            |done| {
                bar.inc(count(done.len()));
                measured.extend(done.into_iter().collect::<Result<Vec<_>, StudyError>>()?);
                Ok::<(), StudyError>(())
            },
        )?;
        bar.finish_and_clear();
        let paper = aqua::Paper::new(&measured, &sets, arch.cycle_ns, trace.as_ref())
            .map_err(|error| Failure::Other(error.into()))?;
        for file in paper.files() {
            Output::create(&out.join(&file.name))?.write(&file.text)?;
        }
        output::print(&format!("{} has the tables and figures; begin with paper.md\n", out.display()))
    }
}

/// Number of threads requested, by default the number of cores.
pub(crate) fn threads(asked: Option<u16>) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(cores, usize::from)
}

//! `aquasim paper isaac`: ISAAC's evaluation from simulated runs.
//!
//! Makes the runs of [`aqua::isaac`] on all threads and writes the files of its evaluation.

use std::path::PathBuf;

use aqua::StudyError;
use aqua::isaac::{CHIPS, Evaluation, NETWORKS, Study};
use clap::Args;
use document::Faults;
use index::count;
use network::Network;

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::paper::threads;
use crate::progress;

/// Make ISAAC's evaluation from simulated runs, and compare its statements with them
///
/// Writes isaac.md with every published statement beside what is obtained, ISAAC's networks on boards of several sizes,
/// other choices of encoding, DACs, cells and cycle, and the design space; the same as CSV, and isaac.json with all.
#[derive(Args)]
pub(crate) struct Isaac {
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Networks; the first one runs on all designs
    #[arg(long, value_name = "PRESET|FILE,...", value_delimiter = ',', default_values_t = NETWORKS.map(str::to_owned))]
    networks: Vec<String>,
    /// Chips of the boards that the networks fill
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = CHIPS,
          value_parser = clap::value_parser!(u32).range(1..=1024))]
    chips: Vec<u32>,
    /// Images of the longest run that is tested for being settled
    #[arg(long, value_name = "N", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(chip::MOST_IMAGES)))]
    images: u32,
    /// Threads; by default one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl Isaac {
    /// Makes all runs and writes the files.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let base = arch::load("isaac-ce")?;
        let networks = self.networks.iter().map(|name| onnx::load(name).and_then(Network::into_chain));
        let networks: Vec<Network> = networks.collect::<Result<_, Faults>>()?;
        output::create_folder(&self.out)?;
        let study = Study { networks: &networks, chips: &self.chips, most_images: self.images };
        let runs = study.runs();
        let bar = progress::bar("simulating", count(runs.len()), 0);
        let mut rows = Vec::new();
        sweep::pool::run(
            threads(self.threads),
            runs.iter().enumerate(),
            |(index, run)| run.run(&base).map(|row| (index, row)),
            |done| {
                bar.inc(count(done.len()));
                for row in done {
                    rows.push(row?);
                }
                Ok::<(), StudyError>(())
            },
        )?;
        bar.finish_and_clear();
        rows.sort_by_key(|&(index, _)| index);
        let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
        for file in Evaluation::new(&base, &rows)?.files() {
            Output::create(&self.out.join(&file.name))?.write(&file.text)?;
        }
        output::print(&format!("{} has the tables; begin with isaac.md\n", self.out.display()))
    }
}

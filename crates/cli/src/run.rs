//! `aquasim run`: simulates a network and reports what happened.

use std::path::{Path, PathBuf};

use chip::{Fidelity, Options};
use clap::{Args, ValueEnum};
use document::Fault;
use report::{csv, terminal};

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress;
use crate::selection::Selection;

/// Simulate a network and report cycles, energy and stalls
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    selection: Selection,
    /// Images, one after another, up to 10000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    images: u32,
    /// How finely IMAs are simulated; both give the same results
    #[arg(long, value_enum, default_value_t)]
    fidelity: FidelityName,
    /// Give every shared resource unlimited capacity
    #[arg(long)]
    uncontended: bool,
    /// Write the report as JSON; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Write layers.csv, components.csv and stalls.csv
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum FidelityName {
    /// An IMA operation is one event
    #[default]
    Operation,
    /// Each read, conversion and accumulation of an IMA is an event
    Iteration,
}

impl From<FidelityName> for Fidelity {
    fn from(name: FidelityName) -> Fidelity {
        match name {
            FidelityName::Operation => Fidelity::Operation,
            FidelityName::Iteration => Fidelity::Iteration,
        }
    }
}

impl Run {
    /// Runs, writes the files that were asked for and prints the report.
    pub fn execute(self) -> Result<(), Failure> {
        let selected = self.selection.load()?;
        // Places for the results are found before the work begins.
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let csv = self.csv.as_deref().map(create_csv).transpose()?;
        let options = Options {
            images: self.images,
            fidelity: self.fidelity.into(),
            uncontended: self.uncontended,
            ..Options::default()
        };
        let report = progress::during("simulating", || selected.run(&options))?;
        if let Some(json) = json {
            json.write(&report.to_json())?;
        }
        if let Some([layers, components, stalls]) = csv {
            layers.write(&csv::layers(&report))?;
            components.write(&csv::components(&report))?;
            stalls.write(&csv::stalls(&report))?;
        }
        if self.json.as_deref() == Some(Path::new("-")) { Ok(()) } else { output::print(&terminal::run(&report)) }
    }
}

/// The CSV files in `folder`: layers, components, stalls.
fn create_csv(folder: &Path) -> Result<[Output; 3], Fault> {
    output::create_folder(folder)?;
    let create = |name: &str| Output::create(&folder.join(name));
    Ok([create("layers.csv")?, create("components.csv")?, create("stalls.csv")?])
}

//! `aquasim run`: simulates a network and reports what happened.

use std::path::{Path, PathBuf};

use clap::Args;
use document::Fault;
use report::{csv, terminal};

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress;
use crate::recording::Recording;
use crate::workload::Workload;

/// Simulate a network and report cycles, energy and stalls
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    workload: Workload,
    /// Write the report as JSON; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Write layers.csv, components.csv and stalls.csv
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    recording: Recording,
}

impl Run {
    /// Runs, writes the files that were asked for and prints the report.
    pub fn execute(self) -> Result<(), Failure> {
        let selected = self.workload.selection.load()?;
        // Places for the results are found before the work begins.
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let csv = self.csv.as_deref().map(create_csv).transpose()?;
        let options = self.workload.options();
        let recording = self.recording.prepare(&selected)?;
        let (outcome, recorded) = progress::during("simulating", || match recording {
            Some(recording) => recording.simulate(&selected, &options),
            None => (selected.simulate(&options), Ok(())),
        });
        let report = selected.report(&options, &outcome?);
        if let Some(json) = json {
            json.write(&report.to_json())?;
        }
        if let Some([layers, components, stalls]) = csv {
            layers.write(&csv::layers(&report))?;
            components.write(&csv::components(&report))?;
            stalls.write(&csv::stalls(&report))?;
        }
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&terminal::run(&report))?;
        }
        // A trace that failed does not take the numbers of the run with it.
        recorded
    }
}

/// The CSV files in `folder`: layers, components, stalls.
fn create_csv(folder: &Path) -> Result<[Output; 3], Fault> {
    output::create_folder(folder)?;
    let create = |name: &str| Output::create(&folder.join(name));
    Ok([create("layers.csv")?, create("components.csv")?, create("stalls.csv")?])
}

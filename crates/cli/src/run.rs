//! `aquasim run`: simulates a network and reports what happened.

use std::path::{Path, PathBuf};

use clap::Args;
use document::Fault;
use report::page::{self, Story};
use report::{csv, terminal};
use trace::{Analysis, Timeline};

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
    /// Write a page with charts of the run, for a browser; it needs no network
    #[arg(long, value_name = "FILE", conflicts_with = "trace")]
    html: Option<PathBuf>,
    /// Write the charts of the page as SVG
    #[arg(long, value_name = "DIR", conflicts_with = "trace")]
    plots: Option<PathBuf>,
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
        let html = self.html.as_deref().map(Output::create).transpose()?;
        if let Some(folder) = &self.plots {
            output::create_folder(folder)?;
        }
        let options = self.workload.options();
        let mut timeline = None;
        let recording = self.recording.prepare(&selected)?;
        let (outcome, recorded) = progress::during("simulating", || match recording {
            Some(recording) => recording.simulate(&selected, &options),
            None if html.is_some() || self.plots.is_some() => {
                let watching = Timeline::new(selected.layout.layers.len());
                let (outcome, watched) = chip::run_probed(&selected.arch, &selected.layout, &options, watching);
                timeline = Some(watched);
                (outcome, Ok(()))
            }
            None => (selected.simulate(&options), Ok(())),
        });
        let outcome = outcome?;
        let report = selected.report(&options, &outcome);
        if let Some(mut timeline) = timeline {
            timeline.end(outcome.cycles);
            let story = Story {
                report: &report,
                arch: &selected.arch,
                layout: &selected.layout,
                analysis: &Analysis::of(&outcome, &selected.layout),
                timeline: &timeline,
                command: &command(),
            };
            if let Some(html) = html {
                html.write(&page::page(&story))?;
            }
            if let Some(folder) = &self.plots {
                for (name, svg) in page::plots(&story) {
                    Output::create(&folder.join(name))?.write(&svg)?;
                }
            }
        }
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

/// The command as it was given.
fn command() -> String {
    let arguments = std::env::args().skip(1).map(|argument| match argument.contains(char::is_whitespace) {
        true => format!("'{argument}'"),
        false => argument,
    });
    std::iter::once("aquasim".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

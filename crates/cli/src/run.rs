//! `aquasim run`: simulates a network and reports cycles, energy and stalls.
//!
//! The report goes to the terminal, to JSON, to CSV and to a page with charts; all are made from one report. A trace or
//! a timeline observes the last run only: with `--images auto`, the settled run is repeated for it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use analysis::{Analysis, Measure, Scene, Timeline};
use clap::Args;
use document::Fault;
use report::compare::{Comparison, Subject};
use report::page::{self, Story};
use report::{Report, csv, terminal};

use crate::changes::ChosenMachine;
use crate::compare;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::progress;
use crate::recording::{self, Recording};
use crate::stalls;
use crate::workload::{self, Workload};

/// Simulate a network and report cycles, energy and stalls
#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    workload: Workload,
    /// Write the report as JSON; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Write layers.csv, components.csv and stalls.csv
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    csv: Option<PathBuf>,
    /// Write a page with charts of the run, for a browser; it needs no network
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    html: Option<PathBuf>,
    /// Write the charts of the page as SVG
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    plots: Option<PathBuf>,
    /// Causes of waiting to try a change against, for the page; 0 tries nothing
    #[arg(long, value_name = "N", default_value_t = 3, requires = "html", help_heading = "Results")]
    what_ifs: usize,
    /// Compare the run with the same one on another machine, or with a report written by --json
    #[arg(long, value_name = "PRESET|FILE", help_heading = "Results")]
    against: Option<String>,
    #[command(flatten)]
    recording: Recording,
}

impl Run {
    /// Simulates, and returns the report alone.
    pub(crate) fn report(&self) -> Result<Report, Failure> {
        self.workload.report(self.machine.load()?)
    }

    /// Simulates, writes the files requested and prints the report.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let (selected, choosing) = self.workload.load(self.machine.load()?)?;
        let against = self.against.as_deref().map(|name| compare::subject(name, &self.workload)).transpose()?;
        // Destinations are opened before the work begins.
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let csv = self.csv.as_deref().map(create_csv).transpose()?;
        let html = self.html.as_deref().map(Output::create).transpose()?;
        if let Some(folder) = &self.plots {
            output::create_folder(folder)?;
        }
        let scene = OnceCell::new();
        let scene = || scene.get_or_init(|| Scene::new(&selected.arch, &selected.layout));
        let recording = self.recording.prepare(scene)?;
        let timeline = (html.is_some() || self.plots.is_some()).then(|| Timeline::new(scene()));
        let routed = selected.routed();
        let (options, known) = progress::during("simulating", || self.workload.options(&routed))?;
        let (outcome, timeline, recorded) = match known {
            // Probes observe a repetition of the last run.
            Some(outcome) if recording.is_none() && timeline.is_none() => (Ok(outcome), None, Ok(())),
            _ => progress::during("simulating", || recording::simulate(recording, timeline, &routed, &options)),
        };
        let outcome = outcome?;
        let mut report = selected.report(&routed, &options, &outcome);
        report.predictor = workload::predictor_cost(&selected.arch, choosing);
        // The report is printed even if a file cannot be written.
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&terminal::run(&report))?;
            if let Some(other) = against {
                let comparison = Comparison::of_runs(vec![other, Subject::of(&report)]);
                output::print(&format!("\n{}", terminal::comparison(&comparison)))?;
            }
        }
        if let Some(mut timeline) = timeline {
            timeline.end(outcome.cycles);
            let analysis = Analysis::of(&outcome, &selected.layout, report.bound.clone());
            let measure = Measure::of(&outcome, analysis.bound.cycles).filter(|_| html.is_some() && self.what_ifs > 0);
            let tried = measure
                .map_or(Vec::new(), |measure| stalls::tried(&selected, &options, measure, &analysis, self.what_ifs));
            let story = Story {
                report: &report,
                arch: &selected.arch,
                layout: &selected.layout,
                analysis: &analysis,
                timeline: &timeline,
                what_ifs: measure.map(|measure| (measure, tried.as_slice())),
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
        recorded
    }
}

/// The CSV files in `folder`: layers, components, stalls.
fn create_csv(folder: &Path) -> Result<[Output; 3], Fault> {
    output::create_folder(folder)?;
    let create = |name: &str| Output::create(&folder.join(name));
    Ok([create("layers.csv")?, create("components.csv")?, create("stalls.csv")?])
}

/// The command line as given.
pub(crate) fn command() -> String {
    let arguments = std::env::args()
        .skip(1)
        .map(|argument| if argument.contains(char::is_whitespace) { format!("'{argument}'") } else { argument });
    std::iter::once("aquasim".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

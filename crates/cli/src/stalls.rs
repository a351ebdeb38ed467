//! `aquasim stalls`: the bound on a run, the causes of its stalls, and the changes that would help.
//!
//! Crate `analysis` does the work, from a new run or from a report saved as JSON. Changes are tried only on a new run:
//! each is simulated, for the causes with the most cycles.

use std::error::Error;
use std::fs;

use analysis::{Analysis, Bound, Measure, Subject, WhatIf, what_ifs};
use chip::Options;
use clap::Args;
use document::Fault;
use report::terminal;

use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::output;
use crate::progress;
use crate::selection::Selected;
use crate::workload::{Workload, simulate};

/// Say what bounds the pace, where the cycles go, who waits for whom, and what would help
#[derive(Args)]
pub(crate) struct Stalls {
    /// Report saved with `aquasim run --json`, in place of a new run; nothing is tried then
    #[arg(value_name = "FILE.json")]
    saved: Option<String>,
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    workload: Workload,
    /// Causes of waiting to try a change against, the worst first; 0 tries nothing
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Results")]
    what_ifs: usize,
}

impl Stalls {
    /// Simulates or reads a run, and prints the analysis of its cycles.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        if let Some(path) = &self.saved {
            let text = fs::read_to_string(path).map_err(|error| not_saved(path, &error))?;
            let analysis = Analysis::of_saved(&text).map_err(|error| not_saved(path, &error))?;
            return output::print(&terminal::stalls(&analysis));
        }
        let (selected, _) = self.workload.load(self.machine.load()?)?;
        let routed = selected.routed();
        let (options, known) = progress::during("simulating", || self.workload.options(&routed))?;
        let outcome = match known {
            Some(outcome) => outcome,
            None => progress::during("simulating", || simulate(&routed, &options))?,
        };
        let bound = Bound::of(&routed, options.uncontended);
        let analysis = Analysis::of(&outcome, &selected.layout, bound);
        output::print(&terminal::stalls(&analysis))?;
        if self.what_ifs == 0 {
            return Ok(());
        }
        let Some(measure) = Measure::of(&outcome, analysis.bound.cycles) else { return Ok(()) };
        let tried = tried(&selected, &options, measure, &analysis, self.what_ifs);
        output::print(&format!("\n{}", terminal::what_ifs(&analysis, measure, &tried)))
    }
}

/// Runs changes against the worst `causes` of waiting.
pub(crate) fn tried(
    selected: &Selected,
    options: &Options,
    measure: Measure,
    analysis: &Analysis,
    causes: usize,
) -> Vec<WhatIf> {
    let Selected { arch, network, plan, layout, .. } = selected;
    let subject = Subject { arch, network, plan, layout, options };
    progress::during("trying changes", || what_ifs(&subject, measure, analysis, causes))
}

fn not_saved(path: &str, error: &dyn Error) -> Fault {
    Fault::new(format!("{path}: {error}"), "write one with `aquasim run --json FILE`")
}

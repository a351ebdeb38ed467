//! `aquasim infer`: answers pictures on the crossbars, each under its own plan.
//!
//! Every answer is computed bit by bit and simulated for its cost; crate `inference` checks that the counts of both are
//! equal. Pictures are answered on all processors and printed in their order.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chip::SimulationError;
use clap::Args;
use document::Fault;
use index::count;
use inference::Ranges;
use numeric::Method;
use report::terminal::AnswerTotals;

use crate::answers::{self, Answers};
use crate::calibration::warn_of_saturation;
use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Pictures, Weights, accelerator, processors};
use crate::policy::{self, Choice, Chooser, PolicyName, without_regions};
use crate::selection::{Selected, Selection};
use crate::{progress, session};

/// Classify pictures on the crossbars, bit by bit, and report what each answer costs
#[derive(Args)]
pub(crate) struct Infer {
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    pictures: Pictures,
    #[command(flatten)]
    choice: Choice,
    /// Likeliest classes to list for each picture
    #[arg(long, value_name = "K", default_value_t = 1, help_heading = "Results")]
    top: usize,
    /// Write a line for each picture; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    csv: Option<PathBuf>,
    /// Write the answers with their scores, and the ranges, as JSON; - as for --csv
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Write the plan of each picture as TOML, for --plan and for sweeps
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    plans: Option<PathBuf>,
}

impl Infer {
    /// Answers all pictures, then prints the answers and what they cost.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let csv = self.csv.as_deref().map(Output::create).transpose()?;
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let standard = [&self.csv, &self.json].into_iter().flatten().filter(|path| *path == Path::new("-")).count();
        if standard > 1 {
            let remedy = "give one of them a file";
            return Err(Fault::new("--csv and --json cannot both be standard output", remedy).into());
        }
        let answered = self.answer()?;
        if let Some(csv) = csv {
            csv.write(&answered.answers.csv())?;
        }
        if let Some(json) = json {
            json.write(&answered.json())?;
        }
        if standard > 0 { Ok(()) } else { output::print(&answered.answers.text()) }
    }

    /// Answers all pictures, and writes their plans if requested.
    pub(crate) fn answer(&self) -> Result<Answered, Failure> {
        self.choice.check(&self.selection)?;
        let selected = self.selection.load(&self.machine)?;
        if let Some(folder) = &self.plans {
            output::create_folder(folder)?;
        }
        let oracle = self.choice.policy == PolicyName::Oracle;
        let loaded = if oracle {
            self.pictures.load_labelled(&selected.network, "the oracle")?
        } else {
            self.pictures.load(&selected.network)?
        };
        let calibrated = progress::during("reading weights", || self.weights.load(&selected, &loaded))?;
        let classifier = calibrated.program(&selected)?;
        let accelerator = accelerator(&selected);
        let chooser = Chooser::new(&self.choice, &selected.plan, &accelerator, &classifier)?;
        let whole = without_regions(&selected.plan);
        let network = &selected.network;
        let labelled = loaded.pictures[0].label.is_some();
        let mut answers = Answers::new(AnswerTotals {
            skipped: loaded.skipped,
            right: labelled.then_some([0, 0]),
            simulations: 0,
            whole_pj: accelerator.cost(&whole)?.dynamic_pj,
            method: answers::method_name(Method::Integer),
            clipped: 0,
            saturated: 0,
            calibration: calibrated.ranges.calibration.clone(),
        });
        let stop = session::stop();
        let bar = progress::bar("pictures", count(loaded.pictures.len()), 0);
        let end = inference::in_order(
            &loaded.pictures,
            processors(),
            |picture| {
                let (pixels, input) = picture.input(network)?;
                Ok::<_, Failure>(chooser.choose(&pixels, &input, picture.label)?)
            },
            |picture, chosen| {
                bar.inc(1);
                let written = chosen.and_then(|chosen| {
                    if let Some(folder) = &self.plans {
                        policy::write_plan(folder, &picture.picture.name, &chosen.plan, network)?;
                    }
                    Ok(chosen)
                });
                match written {
                    _ if stop.is_requested() => ControlFlow::Break(SimulationError::Stopped.into()),
                    Ok(chosen) => {
                        let macs = |plan: &network::Plan| plan.macs(network) as f64;
                        let computed = macs(&chosen.plan) / macs(&whole);
                        answers.add(&picture.picture.name, picture.label, &chosen, computed, &selected.arch, self.top);
                        ControlFlow::Continue(())
                    }
                    Err(failure) => ControlFlow::Break(failure),
                }
            },
        );
        bar.finish_and_clear();
        if let ControlFlow::Break(failure) = end {
            return Err(failure);
        }
        answers.totals.simulations = accelerator.simulations();
        warn_of_saturation(network, &classifier, &calibrated.ranges);
        Ok(Answered { answers, ranges: calibrated.ranges, selected })
    }
}

/// Answers to all pictures, and what they were computed with.
pub(crate) struct Answered {
    pub(crate) answers: Answers,
    ranges: Ranges,
    selected: Selected,
}

impl Answered {
    /// The answers as JSON.
    pub(crate) fn json(&self) -> String {
        self.answers.json(&self.selected, &self.ranges)
    }
}

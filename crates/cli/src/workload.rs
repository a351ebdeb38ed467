//! Options of a run, common to the commands that simulate one: selection, choice of a plan, images and fidelity.

use analysis::Bound;
use arch::Arch;
use chip::{FIRST_IMAGES, Fidelity, Forward, MOST_IMAGES, Options, Outcome, Routed, SimulationError};
use clap::{Args, ValueEnum};
use predictor::Operations;
use report::Report;
use tracing::info_span;

use crate::failure::Failure;
use crate::policy::{self, PictureChoice};
use crate::selection::{Filling, Selected, Selection};
use crate::{progress, session};

/// Network, precision, mapping, images and fidelity.
#[derive(Args)]
pub(crate) struct Workload {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    filling: Filling,
    #[command(flatten)]
    choice: PictureChoice,
    /// Images, one after another, up to 10000; auto runs more and more until their rate has settled
    #[arg(long, value_name = "N|auto", default_value = "1", value_parser = images, help_heading = "Simulation")]
    images: Images,
    /// Simulate every image, even where the state of the machine recurs; the results are the same
    #[arg(long, help_heading = "Simulation")]
    every_image: bool,
    /// Fidelity at which IMAs are simulated; both give the same results
    #[arg(long, value_enum, default_value_t, help_heading = "Simulation")]
    fidelity: FidelityName,
    /// Give every shared resource unlimited capacity
    #[arg(long, help_heading = "Simulation")]
    uncontended: bool,
}

/// Number of images of a run.
#[derive(Clone, Copy)]
enum Images {
    /// A fixed number.
    Number(u32),
    /// The number at which the run has settled.
    Auto,
}

fn images(text: &str) -> Result<Images, String> {
    match text.parse() {
        _ if text == "auto" => Ok(Images::Auto),
        Ok(number) if (1..=MOST_IMAGES).contains(&number) => Ok(Images::Number(number)),
        _ => Err(format!("give a whole number from 1 to {MOST_IMAGES}, or auto")),
    }
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

impl Workload {
    /// Loads the selection with the plan that the policy chooses, and the operations that chose it.
    pub(crate) fn load(&self, arch: Arch) -> Result<(Selected, Operations), Failure> {
        self.choice.load(arch, &self.selection, &self.filling)
    }

    /// Simulates the workload on a machine, and returns the report.
    pub(crate) fn report(&self, arch: Arch) -> Result<Report, Failure> {
        let (selected, choosing) = self.load(arch)?;
        let routed = selected.routed();
        let (options, known) = progress::during("simulating", || self.options(&routed))?;
        let outcome = known.map_or_else(|| progress::during("simulating", || simulate(&routed, &options)), Ok)?;
        let mut report = selected.report(&routed, &options, &outcome);
        report.predictor = predictor_cost(&selected.arch, choosing);
        Ok(report)
    }

    /// Options of the run, and its outcome if `--images auto` had to simulate it to find the number of images.
    pub(crate) fn options(&self, routed: &Routed<'_>) -> Result<(Options, Option<Outcome>), SimulationError> {
        let options = Options {
            fidelity: self.fidelity.into(),
            uncontended: self.uncontended,
            forward: if self.every_image { Forward::Never } else { Forward::Recurring },
            stop: session::stop(),
            ..Options::default()
        };
        match self.images {
            Images::Number(images) => Ok((Options { images, ..options }, None)),
            Images::Auto => {
                let first = Options { images: FIRST_IMAGES, ..options };
                let bound = Bound::of(routed, first.uncontended).cycles;
                let settled = info_span!("simulate").in_scope(|| routed.run_until_settled(&first, bound));
                settled.map(|(options, outcome)| (options, Some(outcome)))
            }
        }
    }
}

/// Simulates a run without a probe.
pub(crate) fn simulate(routed: &Routed<'_>, options: &Options) -> Result<Outcome, SimulationError> {
    info_span!("simulate").in_scope(|| routed.run(options))
}

/// Cost of choosing the plan; `None` if it took no operations.
pub(crate) fn predictor_cost(arch: &Arch, operations: Operations) -> Option<report::Predictor> {
    let (energy_pj, latency_ns) = policy::cost(arch, &operations);
    (operations != Operations::default()).then_some(report::Predictor { energy_pj, latency_ns })
}

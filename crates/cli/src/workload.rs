//! What is run, and how: the options that every command that simulates shares.

use chip::{FIRST_IMAGES, Fidelity, MOST_IMAGES, Options, Outcome, SimulationError};
use clap::{Args, ValueEnum};
use predictor::Operations;

use crate::failure::Failure;
use crate::policy::PictureChoice;
use crate::selection::{Selected, Selection};

/// Machine, network, precision, mapping, images and fidelity.
#[derive(Args)]
pub struct Workload {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    choice: PictureChoice,
    /// Images, one after another, up to 10000; auto runs more and more until their rate has settled
    #[arg(long, value_name = "N|auto", default_value = "1", value_parser = images)]
    images: Images,
    /// How finely IMAs are simulated; both give the same results
    #[arg(long, value_enum, default_value_t)]
    fidelity: FidelityName,
    /// Give every shared resource unlimited capacity
    #[arg(long)]
    uncontended: bool,
}

/// How many images to run.
#[derive(Clone, Copy)]
enum Images {
    /// So many.
    Number(u32),
    /// As many as it takes for the run to settle.
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
    /// What was selected, with the plan that the policy chooses, and what it took to choose it.
    pub fn load(&self) -> Result<(Selected, Operations), Failure> {
        self.choice.load(&self.selection)
    }

    /// How to run `selected`, and what came of that if it had to be run to find out.
    pub fn options(&self, selected: &Selected) -> Result<(Options, Option<Outcome>), SimulationError> {
        let options = Options { fidelity: self.fidelity.into(), uncontended: self.uncontended, ..Options::default() };
        match self.images {
            Images::Number(images) => Ok((Options { images, ..options }, None)),
            Images::Auto => {
                let first = Options { images: FIRST_IMAGES, ..options };
                selected.run_until_settled(&first).map(|(options, outcome)| (options, Some(outcome)))
            }
        }
    }
}

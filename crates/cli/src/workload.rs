//! What is run, and how: the options that every command that simulates shares.

use chip::{Fidelity, Options};
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
    /// Images, one after another, up to 10000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(chip::MOST_IMAGES)))]
    images: u32,
    /// How finely IMAs are simulated; both give the same results
    #[arg(long, value_enum, default_value_t)]
    fidelity: FidelityName,
    /// Give every shared resource unlimited capacity
    #[arg(long)]
    uncontended: bool,
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

    /// How to run it.
    pub fn options(&self) -> Options {
        Options {
            images: self.images,
            fidelity: self.fidelity.into(),
            uncontended: self.uncontended,
            ..Options::default()
        }
    }
}

//! Machine of a command, and values that it changes.

use arch::{Arch, Draft};
use clap::Args;
use document::{Document, Faults};

use crate::output;

/// A machine, with changes.
#[derive(Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct ChosenMachine {
    /// Machine: one of `aquasim arch list`, or a TOML file
    #[arg(long, value_name = "PRESET|FILE", default_value = "isaac-ce")]
    arch: String,
    #[command(flatten)]
    changes: Changes,
}

/// Changes of a machine.
#[derive(Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct Changes {
    /// Change a value of the machine, as in adc.bits=6; once for each value
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

impl ChosenMachine {
    /// Reads the machine and prints its warnings.
    pub(crate) fn load(&self) -> Result<Arch, Faults> {
        self.changes.load(&self.arch)
    }
}

impl Changes {
    /// Reads a preset or file, changed, and prints the warnings about the machine.
    pub(crate) fn load(&self, machine: &str) -> Result<Arch, Faults> {
        let arch = self.apply(Draft::load(machine)?)?;
        output::warn_of(&arch);
        Ok(arch)
    }

    /// Returns the machine with the changes.
    pub(crate) fn apply(&self, draft: Draft) -> Result<Arch, Faults> {
        if self.set.is_empty() {
            return draft.finish();
        }
        let mut changes = Document::parse("", "--set");
        for change in &self.set {
            changes.overlay(Document::parse(change, "--set"));
        }
        draft.change(changes)?.finish()
    }
}

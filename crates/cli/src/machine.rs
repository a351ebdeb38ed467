//! `aquasim arch`: checks, prints and compares machines, without a network.
//!
//! Crate `arch` reads the files and derives the figures; this module prints them.

use arch::Draft;
use clap::{Args, Subcommand};

use crate::changes::Changes;
use crate::failure::Failure;
use crate::output;

/// Check, show and compare machines
#[derive(Args)]
pub(crate) struct Machine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say whether a file describes a machine, and what is wrong with it
    Check {
        /// TOML file of a machine
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Print a machine as its file, with the figures that follow from it as comments
    Show {
        /// Machine
        #[arg(value_name = "PRESET|FILE")]
        machine: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Print the JSON Schema of machine files, for editors
    Schema,
    /// Print the values in which two machines differ
    Diff {
        /// First machine
        #[arg(value_name = "PRESET|FILE")]
        left: String,
        /// Second machine
        #[arg(value_name = "PRESET|FILE")]
        right: String,
        /// Change a value of the second machine, as in adc.bits=6; once for each value
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// List the machines that are built in
    List,
}

impl Machine {
    /// Executes the subcommand.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        match self.command {
            Command::Check { file, changes } => check(&file, &changes),
            Command::Show { machine, changes } => show(&machine, &changes),
            Command::Schema => output::print(&format!("{:#}\n", arch::schema())),
            Command::Diff { left, right, set } => diff(&left, &right, set),
            Command::List => list(),
        }
    }
}

fn check(file: &str, changes: &Changes) -> Result<(), Failure> {
    let arch = changes.load(file)?;
    output::print(&format!("{file} describes {}: nothing is wrong with it\n", arch.name))
}

fn show(machine: &str, changes: &Changes) -> Result<(), Failure> {
    let draft = Draft::load(machine)?;
    let arch = changes.apply(draft.clone())?;
    // A machine that is stated whole is shown with the comments of its file.
    let text = match draft.texts() {
        [text] if changes.set.is_empty() => text.clone(),
        _ => arch::to_toml(&arch),
    };
    output::warn_of(&arch);
    let figures = report::terminal::figures(&arch);
    let comments: String = figures.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
    output::print(&format!("{}\n\n{comments}", text.trim_end()))
}

fn diff(left: &str, right: &str, set: Vec<String>) -> Result<(), Failure> {
    let changed = Changes { set }.apply(Draft::load(right)?)?;
    let differences = arch::diff(&arch::load(left)?, &changed);
    if differences.is_empty() {
        return output::print(&format!("{left} and {right} are the same machine\n"));
    }
    output::print(&report::terminal::differences(left, right, &differences))
}

fn list() -> Result<(), Failure> {
    let load = |name| Ok((name, arch::load(name)?));
    let machines: Vec<_> = arch::names().into_iter().map(load).collect::<Result<_, Failure>>()?;
    output::print(&report::terminal::machines(&machines))
}

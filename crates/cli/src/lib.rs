//! Command line of aquasim: simulates neural networks on memristor accelerators, cycle by cycle.
//!
//! One module for each command; each has the options of the command and `execute`:
//!
//! | command | result |
//! | --- | --- |
//! | `run` | cycles, energy and stalls of a network on a machine |
//! | `compare` | differences between machines, runs and sweeps |
//! | `stalls` | bound on the pace, causes of stalls, changes that would help |
//! | `map` | place of a network on a machine |
//! | `arch` | checks, prints and compares machines |
//! | `network` | lists, prints, checks and imports networks |
//! | `paper`, `paper isaac` | AQuA's tables and figures; ISAAC's evaluation |
//! | `sweep`, `merge` | every point of a grid; shards of a sweep put together |
//! | `infer` | answers and costs of pictures |
//! | `tolerance` | the crops that each picture tolerates |
//! | `predict` | plans chosen from pictures alone |
//! | `schema`, `completions`, `man` | JSON Schemas of files; completions of shells; man pages |
//!
//! Options shared by several commands are modules of their own: `changes` (machine), `selection` (network, plan,
//! mapping), `workload` (a selection and the run), `pictures` (weights, pictures, labels), `calibration` (input ranges) and
//! `policy` (a plan for each picture). The rest is common machinery: `output` writes results, `failure` reports errors,
//! `help` groups the subcommands, `interrupt` handles signals, `progress` and `log` show progress on standard error.
//!
//! [`main`] is the program. Another program calls commands as functions of [`call`]: they take the same options, return
//! results and typed errors, and print nothing; what they would say, and their progress, goes to a [`Session`].
//!
//! Results go to standard output or to files, messages to standard error. The exit code is 0 on success, 2 for a
//! mistake of the user, 128 plus its number after a signal, and 1 otherwise.

mod answers;
mod calibration;
pub mod call;
mod changes;
mod compare;
mod compute;
mod evaluation;
mod failure;
mod help;
mod infer;
mod interrupt;
mod isaac;
mod log;
mod machine;
mod map;
mod merge;
mod network;
mod optimise;
mod output;
mod paper;
mod pictures;
mod policy;
mod predict;
mod progress;
mod recording;
mod run;
mod schema;
mod selection;
mod session;
mod stalls;
mod sweep;
mod tolerance;
mod workload;

use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

pub use failure::Failure;
pub use session::{Progress, Session};

/// Simulates neural networks on memristor accelerators of the ISAAC family, cycle by cycle.
///
/// Without a subcommand it runs one image of VGG16 on ISAAC-CE, like `aquasim run`.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log what the program does on standard error; twice for more. AQUASIM_LOG says it in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Compare(compare::Compare),
    Stalls(stalls::Stalls),
    Map(map::Map),
    Arch(machine::Machine),
    Network(network::Networks),
    Paper(paper::Paper),
    Sweep(sweep::Sweep),
    Merge(merge::Merge),
    Infer(infer::Infer),
    Tolerance(tolerance::Tolerance),
    Predict(predict::Predict),
    Schema(schema::Schema),
    Completions(help::Completions),
    #[command(name = "man")]
    Manual(help::Manual),
}

/// Runs the command of the command line, prints its results, and returns the exit code.
pub fn main() -> ExitCode {
    let arguments = std::env::args_os();
    let default = (arguments.len() <= 1).then(|| "run".into());
    let cli = help::command()
        .try_get_matches_from(arguments.chain(default))
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .unwrap_or_else(|error| help::suggest(error).exit());
    if let Err(fault) = log::start(cli.verbose) {
        return failure::Failure::from(fault).report();
    }
    output::fit_terminal();
    if let Err(error) = interrupt::listen() {
        return failure::Failure::Other(error.into()).report();
    }
    let result = match cli.command {
        Command::Run(run) => run.execute(),
        Command::Compare(compare) => compare.execute(),
        Command::Stalls(stalls) => stalls.execute(),
        Command::Map(map) => map.execute(),
        Command::Arch(machine) => machine.execute(),
        Command::Network(network) => network.execute(cli.verbose > 0),
        Command::Paper(paper) => paper.execute(),
        Command::Sweep(sweep) => sweep.execute(),
        Command::Merge(merge) => merge.execute(),
        Command::Infer(infer) => infer.execute(),
        Command::Tolerance(tolerance) => tolerance.execute(),
        Command::Predict(predict) => predict.execute(),
        Command::Schema(schema) => schema.execute(),
        Command::Completions(completions) => completions.execute(),
        Command::Manual(manual) => manual.execute(),
    };
    result.map_or_else(failure::Failure::report, |()| ExitCode::SUCCESS)
}

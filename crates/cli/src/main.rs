//! The command line: simulates neural networks on memristor accelerators, cycle by cycle.

mod failure;
mod infer;
mod log;
mod machine;
mod map;
mod output;
mod pictures;
mod policy;
mod progress;
mod run;
mod selection;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Simulates neural networks on memristor accelerators of the ISAAC family, cycle by cycle.
///
/// Without a subcommand it runs one image of VGG16 on ISAAC-CE, like `aquasim run`.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Map(map::Map),
    Arch(machine::Machine),
    Infer(infer::Infer),
}

fn main() -> ExitCode {
    log::start();
    let arguments = std::env::args_os();
    let default = (arguments.len() <= 1).then(|| "run".into());
    let result = match Cli::parse_from(arguments.chain(default)).command {
        Command::Run(run) => run.execute(),
        Command::Map(map) => map.execute(),
        Command::Arch(machine) => machine.execute(),
        Command::Infer(infer) => infer.execute(),
    };
    result.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

//! The program `aquasim`: the command line of library `aquasim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    aquasim::main()
}

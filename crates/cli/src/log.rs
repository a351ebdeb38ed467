//! The program's own log.

use std::env;
use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Says which parts of the program to log, as in `AQUASIM_LOG=info`.
const VARIABLE: &str = "AQUASIM_LOG";

/// Logs to standard error what takes how long, if the user asks for it.
pub fn start() {
    if env::var_os(VARIABLE).is_some() {
        let filter = EnvFilter::from_env(VARIABLE);
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .init();
    }
}

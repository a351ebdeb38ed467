//! Log of the program itself on standard error: phases and their wall time.

use std::env;
use std::io::{IsTerminal, stderr};

use document::Fault;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;

/// Environment variable that selects the parts of the program to log, as in `AQUASIM_LOG=info`.
const VARIABLE: &str = "AQUASIM_LOG";

/// Starts logging if requested with `-v` (phases), `-vv` (also layers and points) or in the environment, which takes
/// precedence.
pub(crate) fn start(verbosity: u8) -> Result<(), Fault> {
    let of_arguments = [None, Some(LevelFilter::INFO), Some(LevelFilter::DEBUG)][usize::from(verbosity.min(2))];
    let filter = match env::var(VARIABLE) {
        Ok(filter) => Some(filter.parse::<Targets>().map_err(|error| {
            Fault::new(
                format!("{VARIABLE}={filter}: {error}"),
                "give a level or a part and its level, as in info,chip=debug",
            )
        })?),
        Err(_) => of_arguments.map(|level: LevelFilter| Targets::new().with_default(level)),
    };
    if let Some(filter) = filter {
        let lines = tracing_subscriber::fmt::layer()
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal());
        tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    }
    Ok(())
}

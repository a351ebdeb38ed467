//! Log of the program itself on standard error: phases and their wall time.

use std::env;
use std::io::{IsTerminal, stderr};

use document::Fault;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Environment variable that selects the parts of the program to log, as in `AQUASIM_LOG=info`.
const VARIABLE: &str = "AQUASIM_LOG";

/// Starts logging if requested with `-v` (phases), `-vv` (also layers and points) or in the environment, which takes
/// precedence.
pub(crate) fn start(verbosity: u8) -> Result<(), Fault> {
    let of_arguments = [None, Some("info"), Some("debug")][usize::from(verbosity.min(2))];
    let filter = match env::var(VARIABLE) {
        Ok(filter) => Some(EnvFilter::try_new(&filter).map_err(|error| {
            Fault::new(
                format!("{VARIABLE}={filter}: {error}"),
                "give a level or a part and its level, as in info,chip=debug",
            )
        })?),
        Err(_) => of_arguments.map(EnvFilter::new),
    };
    if let Some(filter) = filter {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .init();
    }
    Ok(())
}

//! Failures of commands, their messages and exit codes.
//!
//! Errors of all crates convert to [`Failure`], so that commands use `?`. A mistake of the user is a fault with a
//! remedy, and with a place if it is in a file.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use document::{Fault, Faults};
use mapper::MappingError;

use crate::interrupt;

/// Reason for which a command stops.
#[derive(Debug)]
pub enum Failure {
    /// Mistakes of the user's.
    User(Faults),
    /// All work was done, and part of it failed: the message.
    Partial(String),
    /// Stopped by a signal: its number, and a message that says how to continue.
    Interrupted(i32, String),
    /// Any other error: a full disk, a simulation that cannot continue.
    Other(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Failure to write `what`, such as a full disk.
    pub(crate) fn not_written(what: impl Display, error: &io::Error) -> Failure {
        Failure::Other(format!("{what} could not be written: {error}").into())
    }

    /// Prints the failure to standard error and returns the exit code: 2 for the user's mistakes, 128 plus its number
    /// for a signal, 1 otherwise.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Failure::User(faults) => {
                crate::output::say(&faults.coloured());
                ExitCode::from(2)
            }
            Failure::Partial(text) => {
                crate::output::say(&text);
                ExitCode::FAILURE
            }
            Failure::Interrupted(signal, text) => {
                crate::output::say(&text);
                ExitCode::from(interrupt::exit_code(signal))
            }
            Failure::Other(error) => {
                crate::output::say(&format!("error: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Failure {
        Failure::User(faults)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::User(fault.into())
    }
}

impl From<Vec<MappingError>> for Failure {
    fn from(errors: Vec<MappingError>) -> Failure {
        let fault = |(error, alike): (MappingError, usize)| match alike {
            1 => Fault::from(error),
            alike => Fault::new(format!("{error} (the largest of {alike} such faults)"), error.remedy()),
        };
        let faults: Vec<Fault> = MappingError::distinct(errors).into_iter().map(fault).collect();
        Failure::User(faults.into())
    }
}

impl From<sweep::FolderError> for Failure {
    fn from(error: sweep::FolderError) -> Failure {
        match error {
            sweep::FolderError::User(faults) => Failure::User(faults),
            other => Failure::Other(other.into()),
        }
    }
}

impl From<aqua::StudyError> for Failure {
    fn from(error: aqua::StudyError) -> Failure {
        match error.into_faults() {
            Ok(faults) => Failure::User(faults),
            Err(error) => error.into(),
        }
    }
}

impl From<chip::SimulationError> for Failure {
    fn from(error: chip::SimulationError) -> Failure {
        match error {
            chip::SimulationError::Deadlock(deadlock) => Failure::Other(deadlock.explanation().into()),
            error @ (chip::SimulationError::TooManyImages { .. } | chip::SimulationError::Stopped) => {
                Failure::Other(error.into())
            }
        }
    }
}

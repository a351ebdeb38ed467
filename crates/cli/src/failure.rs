//! Why a command stops, and how it says so.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use document::{Fault, Faults};
use mapper::MappingError;

use crate::interrupt;

/// Why a command stops.
pub enum Failure {
    /// Mistakes of the user's.
    User(Faults),
    /// Everything was done, and some of it failed: what to say.
    Partial(String),
    /// Stopped by a signal: how to go on.
    Interrupted(i32, String),
    /// Anything else: a full disk, a simulation that cannot go on.
    Other(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// The disk is full, or the like.
    pub fn not_written(what: impl Display, error: &io::Error) -> Failure {
        Failure::Other(format!("{what} could not be written: {error}").into())
    }

    /// Says on standard error what went wrong; 2 for the user's mistakes, 128 and its number for a signal, 1 for
    /// everything else.
    pub fn report(self) -> ExitCode {
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
        let faults: Vec<Fault> = errors.into_iter().map(Fault::from).collect();
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
            error => Failure::Other(error.into()),
        }
    }
}

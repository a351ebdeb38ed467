//! Work of a command for a program that calls it as a function.
//!
//! Warnings and progress of such a command go to its [`Session`] in place of standard error, and the caller can stop it.
//! A session belongs to the thread that does the work. The program `aquasim` has none.

use std::cell::RefCell;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chip::Stop;

/// Warnings and progress of work in progress, and the request to stop it. Clones are the same session.
#[derive(Clone, Debug, Default)]
pub struct Session {
    stop: Stop,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    warnings: Vec<String>,
    progress: Option<Progress>,
}

/// Progress of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Name of the work.
    pub work: &'static str,
    /// Pieces that are done.
    pub done: u64,
    /// All pieces; `None` if the work has no pieces.
    pub of: Option<u64>,
}

thread_local! {
    static CURRENT: RefCell<Option<Session>> = const { RefCell::new(None) };
}

impl Session {
    /// Does `work`, on this thread, as the work of the session.
    pub fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.set(Some(self.clone()));
        let done = work();
        CURRENT.set(None);
        done
    }

    /// Requests the end: a simulation ends with the cycle in progress, a sweep with the points and `infer` with the
    /// pictures in progress. The work then fails.
    pub fn stop(&self) {
        self.stop.request();
    }

    /// Returns the warnings since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        mem::take(&mut self.state().warnings)
    }

    /// Returns the progress of the work that goes on; `None` before it begins.
    pub fn progress(&self) -> Option<Progress> {
        self.state().progress
    }

    pub(crate) fn warn(&self, warning: &str) {
        self.state().warnings.push(warning.to_owned());
    }

    pub(crate) fn set_progress(&self, progress: Progress) {
        self.state().progress = Some(progress);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Session of the work on this thread; `None` in the program `aquasim`.
pub(crate) fn current() -> Option<Session> {
    CURRENT.with_borrow(Clone::clone)
}

/// Request to stop the work on this thread. In the program `aquasim` it never comes: a signal ends the program.
pub(crate) fn stop() -> Stop {
    current().map_or_else(Stop::default, |session| session.stop)
}

//! Progress of long work on standard error: a bar or spinner on a terminal, a line every ten seconds in a file, as
//! of a batch job, and nothing in a pipe. In a session it goes to the session.

use std::cell::Cell;
use std::fs::File;
use std::io::{IsTerminal, stderr};
use std::os::fd::AsFd;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;
use crate::session::{self, Progress, Session};

/// Work shorter than this shows no progress on a terminal.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two lines in a file.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// True if standard error is a file.
fn is_file() -> bool {
    let file = stderr().as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.is_file())
}

/// Does `work`. If it takes long, shows its name and the time elapsed.
pub(crate) fn during<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    if let Some(session) = session::current() {
        session.set_progress(Progress { work: what, done: 0, of: None });
        return work();
    }
    let (working, done) = channel::<()>();
    // No message is ever sent: the channel closes when the work ends.
    let show = move || {
        if is_file() {
            let started = Instant::now();
            while done.recv_timeout(BETWEEN_LINES) == Err(RecvTimeoutError::Timeout) {
                output::say(&format!("{what}: {} s", started.elapsed().as_secs()));
            }
        } else if stderr().is_terminal() && done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]").expect("a valid template");
            let spinner = ProgressBar::new_spinner().with_style(style).with_message(what).with_elapsed(PATIENCE);
            spinner.enable_steady_tick(Duration::from_millis(100));
            let _ = done.recv();
            spinner.finish_and_clear();
        }
    };
    thread::scope(|scope| {
        scope.spawn(show);
        let result = work();
        drop(working);
        result
    })
}

/// Progress of work in equal pieces.
pub(crate) struct Bar {
    bar: ProgressBar,
    what: &'static str,
    /// Time of the last line; `None` if standard error is no file.
    last_line: Option<Cell<Instant>>,
    session: Option<Session>,
}

/// Shows rate and remaining time for `length` pieces of work, of which `done` are done.
pub(crate) fn bar(what: &'static str, length: u64, done: u64) -> Bar {
    let template = "{msg} {wide_bar} {pos}/{len} [{elapsed}, {per_sec:.1}, {eta} left]";
    let style = ProgressStyle::with_template(template).expect("a valid template");
    let session = session::current();
    let target = match session {
        Some(_) => ProgressDrawTarget::hidden(),
        // It draws nothing if standard error is no terminal.
        None => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
    let bar = bar.with_message(what).with_position(done);
    bar.reset_eta();
    let last_line = (session.is_none() && is_file()).then(|| Cell::new(Instant::now()));
    let bar = Bar { bar, what, last_line, session };
    bar.tell_session();
    bar
}

impl Bar {
    /// Adds finished pieces.
    pub(crate) fn inc(&self, pieces: u64) {
        self.bar.inc(pieces);
        self.tell_session();
        if let Some(last) = self.last_line.as_ref().filter(|last| last.get().elapsed() >= BETWEEN_LINES) {
            last.set(Instant::now());
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            let left = self.bar.eta().as_secs();
            output::say(&format!("{}: {done} of {all}, {left} s left", self.what));
        }
    }

    fn tell_session(&self) {
        if let Some(session) = &self.session {
            session.set_progress(Progress { work: self.what, done: self.bar.position(), of: self.bar.length() });
        }
    }

    /// Takes the bar from the terminal.
    pub(crate) fn finish_and_clear(&self) {
        self.bar.finish_and_clear();
    }
}

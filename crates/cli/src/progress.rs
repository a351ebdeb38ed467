//! Progress of long work, shown on standard error if that is a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Work shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does `work`. If it takes long, shows its name and the time elapsed on the terminal.
pub(crate) fn during<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return work();
    }
    let (working, done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if done.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]").expect("a valid template");
                let spinner = ProgressBar::new_spinner().with_style(style).with_message(what).with_elapsed(PATIENCE);
                spinner.enable_steady_tick(Duration::from_millis(100));
                // No message is ever sent: the channel closes when the work ends.
                let _ = done.recv();
                spinner.finish_and_clear();
            }
        });
        let result = work();
        drop(working);
        result
    })
}

/// Progress bar with rate and remaining time for `length` pieces of work, of which `done` are done. Hidden where
/// standard error is no terminal.
pub(crate) fn bar(what: &'static str, length: u64, done: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {pos}/{len} [{elapsed}, {per_sec:.1}, {eta} left]";
    let style = ProgressStyle::with_template(template).expect("a valid template");
    // It draws to standard error, and nothing if that is no terminal.
    let bar = ProgressBar::new(length).with_style(style).with_message(what).with_position(done);
    bar.reset_eta();
    bar
}

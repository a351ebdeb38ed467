//! SIGINT and SIGTERM: incomplete files are removed, whichever command is running.
//!
//! A thread waits for signals. On a signal it removes all files of [`temporary`] that are not [`complete`] and ends the
//! program. A command that called [`finish_first`] is given the first signal and stops by itself; a second one ends the
//! program.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::NamedTempFile;

use crate::output;

/// Files that are not complete.
static INCOMPLETE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Message of a command that finishes part of its work before it stops.
static FINISHING: OnceLock<&str> = OnceLock::new();
/// Signal sent to such a command; 0 if none.
static SENT: AtomicI32 = AtomicI32::new(0);

/// Starts the thread that waits for signals. A signal ends the program with exit code 128 + its number, by the
/// convention of shells.
pub(crate) fn listen() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(message) = FINISHING.get()
                && SENT.swap(signal, Ordering::Relaxed) == 0
            {
                output::say(message);
                continue;
            }
            // Locked until the program ends, so that no file is created or completed from here on.
            let incomplete = incomplete();
            for path in incomplete.iter() {
                // A missing file was removed by its owner.
                let _ = fs::remove_file(path);
            }
            process::exit(exit_code(signal).into());
        }
    });
    Ok(())
}

/// Makes the first signal print `message` and be kept for [`sent`]. A second signal ends the program.
pub(crate) fn finish_first(message: &'static str) {
    FINISHING.set(message).expect("one command is at work");
}

/// Signal received, for a command that called [`finish_first`].
pub(crate) fn sent() -> Option<i32> {
    Some(SENT.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// The exit code of a program that a signal ended.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).expect("signals are below 128")
}

/// Creates a temporary file in `folder`, with the usual permissions, that a signal removes.
pub(crate) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut incomplete = incomplete();
    let file = builder.tempfile_in(folder)?;
    incomplete.insert(file.path().to_owned());
    Ok(file)
}

/// Moves a file of [`temporary`] to its place.
pub(crate) fn complete(file: NamedTempFile, place: &Path) -> io::Result<()> {
    let mut incomplete = incomplete();
    incomplete.remove(file.path());
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// Adds files that a signal removes if it comes before they are moved to their places.
pub(crate) fn remove_too(paths: impl IntoIterator<Item = PathBuf>) {
    incomplete().extend(paths);
}

fn incomplete() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner)
}

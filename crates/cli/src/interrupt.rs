//! SIGINT and SIGTERM: files that are not complete are removed, whatever command is at work.

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
/// What a command says that has something to finish before it stops.
static FINISHING: OnceLock<&str> = OnceLock::new();
/// The signal that such a command was sent; 0 if none.
static SENT: AtomicI32 = AtomicI32::new(0);

/// Starts to listen. A signal ends the program with exit code 128 + its number, as shells have it.
pub fn listen() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(message) = FINISHING.get()
                && SENT.swap(signal, Ordering::Relaxed) == 0
            {
                output::say(message);
                continue;
            }
            // Held to the end: no file is created or completed from here on.
            let incomplete = incomplete();
            for path in incomplete.iter() {
                // One that is gone has been removed by its owner.
                let _ = fs::remove_file(path);
            }
            process::exit(exit_code(signal).into());
        }
    });
    Ok(())
}

/// From now on the first signal only says `message` and is kept for [`sent`]. The second ends the program.
pub fn finish_first(message: &'static str) {
    FINISHING.set(message).expect("one command is at work");
}

/// The signal that came, for a command that finishes first.
pub fn sent() -> Option<i32> {
    Some(SENT.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// The exit code of a program that a signal ended.
pub fn exit_code(signal: i32) -> u8 {
    128 + signal as u8
}

/// A nameless file in `folder`, with the permissions of any other, that a signal removes.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut incomplete = incomplete();
    let file = builder.tempfile_in(folder)?;
    incomplete.insert(file.path().to_owned());
    Ok(file)
}

/// Moves a file of [`temporary`] to its place.
pub fn complete(file: NamedTempFile, place: &Path) -> io::Result<()> {
    let mut incomplete = incomplete();
    incomplete.remove(file.path());
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// A signal removes these files, too, if it comes before they are moved to their places.
pub fn remove_too(paths: impl IntoIterator<Item = PathBuf>) {
    incomplete().extend(paths);
}

fn incomplete() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    INCOMPLETE.lock().unwrap_or_else(PoisonError::into_inner)
}

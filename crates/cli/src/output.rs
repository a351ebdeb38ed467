//! Results: standard output, and files that appear only when they are complete.
//!
//! Commands create their main outputs before the work begins, so that a path that cannot be written to is reported at
//! once. A file is written under a temporary name in the same folder and then moved to its place; an interrupted or
//! failed command leaves the previous file as it was.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Style};
use document::Fault;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::{interrupt, session};

/// Style of the word that begins a warning on a terminal.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Lets tables fit into the terminal: `COLUMNS`, or else the width of the terminal that standard output is.
pub(crate) fn fit_terminal() {
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || Some(usize::from(terminal_size::terminal_size_of(io::stdout())?.0.0));
    if let Some(columns) = given.or_else(measured) {
        report::terminal::set_width(columns);
    }
}

/// Writes to standard output, without styles unless it is a terminal.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has closed the pipe, as `head` does: no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failure::not_written("standard output", &error)),
    }
}

/// Writes a line to standard error, without styles unless it is a terminal. In a session it is a warning.
pub(crate) fn say(line: &str) {
    if let Some(session) = session::current() {
        return session.warn(line);
    }
    // If standard error is closed, the line is lost.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Prints a warning to standard error, or adds it to the session.
pub(crate) fn warn(warning: &str) {
    if let Some(session) = session::current() {
        return session.warn(warning);
    }
    say(&format!("{WARNING}warning:{WARNING:#} {warning}"));
}

/// Prints the warnings about `arch`.
pub(crate) fn warn_of(arch: &arch::Arch) {
    for warning in arch::warnings(arch) {
        warn(&warning);
    }
}

/// Destination of results, checked before the work begins.
pub(crate) struct Output {
    /// As the user gave it.
    path: PathBuf,
    place: Place,
}

enum Place {
    /// Standard output.
    Standard,
    /// A file, written in the folder of its place and moved there when it is complete.
    Beside(NamedTempFile, PathBuf),
    /// A pipe or a device, which cannot be replaced.
    Direct(File),
}

impl Output {
    /// The file at `path`, or standard output for `-`.
    pub(crate) fn create(path: &Path) -> Result<Output, Fault> {
        let place = if path == Path::new("-") { Ok(Place::Standard) } else { Place::file(path) };
        let fault = |error| cannot_be_written(path, &error, "give a file in a folder that is there");
        Ok(Output { path: path.to_owned(), place: place.map_err(fault)? })
    }

    /// File handle for results written in pieces; [`Output::complete`] must follow. Not available for standard output.
    pub(crate) fn stream(&self) -> io::Result<File> {
        match &self.place {
            Place::Standard => Err(io::ErrorKind::Unsupported.into()),
            Place::Direct(file) => file.try_clone(),
            Place::Beside(file, _) => file.as_file().try_clone(),
        }
    }

    /// Moves the file, completely written, to its place.
    pub(crate) fn complete(self) -> io::Result<()> {
        match self.place {
            Place::Beside(file, place) => interrupt::complete(file, &place),
            Place::Standard | Place::Direct(_) => Ok(()),
        }
    }

    /// Writes `text` as the whole content.
    pub(crate) fn write(mut self, text: &str) -> Result<(), Failure> {
        let path = self.path.clone();
        let written = match &mut self.place {
            Place::Standard => return print(text),
            Place::Direct(file) => file.write_all(text.as_bytes()),
            Place::Beside(file, _) => file.write_all(text.as_bytes()),
        };
        written.and_then(|()| self.complete()).map_err(|error| Failure::not_written(path.display(), &error))
    }
}

impl Place {
    fn file(path: &Path) -> io::Result<Place> {
        // A link stays a link: its target is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => Ok(Place::Direct(File::options().write(true).open(&path)?)),
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                // The error is reported for the folder, not for the temporary file, which the user does not know.
                fs::metadata(folder)?;
                Ok(Place::Beside(interrupt::temporary(folder)?, path))
            }
        }
    }
}

/// Creates a folder for results if it does not exist.
pub(crate) fn create_folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(|error| cannot_be_written(path, &error, "give a folder, or the name of a new one"))
}

fn cannot_be_written(path: &Path, error: &io::Error, remedy: &str) -> Fault {
    Fault::new(format!("{} cannot be written: {error}", path.display()), remedy)
}

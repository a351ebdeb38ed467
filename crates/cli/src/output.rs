//! Where results go: standard output, and files that appear only when they are complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Style};
use document::Fault;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::interrupt;

/// How a warning begins on a terminal.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Writes to standard output, without styles unless it is a terminal.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever was reading has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| Failure::not_written("standard output", &error)),
    }
}

/// Writes a line to standard error, without styles unless it is a terminal.
pub fn say(line: &str) {
    // If that is closed there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Warns of something.
pub fn warn(warning: &str) {
    say(&format!("{WARNING}warning:{WARNING:#} {warning}"));
}

/// Warns of what the user of `arch` should know.
pub fn warn_of(arch: &arch::Arch) {
    arch::warnings(arch).iter().for_each(|warning| warn(warning));
}

/// A place for results, found good before the work that yields them begins.
pub struct Output {
    /// As the user gave it.
    path: PathBuf,
    place: Place,
}

enum Place {
    /// Standard output.
    Standard,
    /// A file, written beside its place and moved there when it is complete.
    Beside(NamedTempFile, PathBuf),
    /// A pipe or a device, which cannot be replaced.
    Direct(File),
}

impl Output {
    /// The file at `path`, or standard output for `-`.
    pub fn create(path: &Path) -> Result<Output, Fault> {
        let place = match path == Path::new("-") {
            true => Ok(Place::Standard),
            false => Place::file(path),
        };
        let fault = |error| cannot_be_written(path, &error, "give a file in a folder that is there");
        Ok(Output { path: path.to_owned(), place: place.map_err(fault)? })
    }

    /// What writes to it bit by bit; [`Output::complete`] follows. Standard output cannot be written like this.
    pub fn stream(&self) -> io::Result<File> {
        match &self.place {
            Place::Standard => Err(io::ErrorKind::Unsupported.into()),
            Place::Direct(file) => file.try_clone(),
            Place::Beside(file, _) => file.as_file().try_clone(),
        }
    }

    /// All of it is written: moves it to its place.
    pub fn complete(self) -> io::Result<()> {
        match self.place {
            Place::Beside(file, place) => interrupt::complete(file, &place),
            Place::Standard | Place::Direct(_) => Ok(()),
        }
    }

    /// Writes all of it.
    pub fn write(mut self, text: &str) -> Result<(), Failure> {
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
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => Ok(Place::Direct(File::options().write(true).open(&path)?)),
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                // Said of the folder, not of the file beside, which the user does not know.
                fs::metadata(folder)?;
                Ok(Place::Beside(interrupt::temporary(folder)?, path))
            }
        }
    }
}

/// A folder for results, created if it is not there.
pub fn create_folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(|error| cannot_be_written(path, &error, "give a folder, or the name of a new one"))
}

fn cannot_be_written(path: &Path, error: &io::Error, remedy: &str) -> Fault {
    Fault::new(format!("{} cannot be written: {error}", path.display()), remedy)
}

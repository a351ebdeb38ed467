//! Where results go: standard output, and files that appear only when they are complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Style};
use document::Fault;
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// How a warning begins on a terminal.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Writes to standard output, without styles unless it is a terminal.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever was reading has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes a line to standard error, without styles unless it is a terminal.
pub fn complain(line: &str) {
    // If that is closed there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Warns of what the user of `arch` should know.
pub fn warn(arch: &arch::Arch) {
    arch::warnings(arch).iter().for_each(|text| warning(&text.to_string()));
}

/// Warns of something.
pub fn warning(text: &str) {
    complain(&format!("{WARNING}warning:{WARNING:#} {text}"));
}

/// A place for results, found good before the work that yields them begins.
pub enum Output {
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
        if path == Path::new("-") {
            return Ok(Output::Standard);
        }
        Output::file(path).map_err(|error| cannot_be_written(path, &error, "give a file in a folder that is there"))
    }

    fn file(path: &Path) -> io::Result<Output> {
        // A link stays a link: what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => Ok(Output::Direct(File::options().write(true).open(&path)?)),
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new("."));
                // Said of the folder, not of the file beside, which the user does not know.
                fs::metadata(folder)?;
                Ok(Output::Beside(beside(folder)?, path))
            }
        }
    }

    /// What writes to it bit by bit; [`Output::complete`] follows. Standard output cannot be written like this.
    pub fn stream(&self) -> io::Result<File> {
        match self {
            Output::Standard => Err(io::ErrorKind::Unsupported.into()),
            Output::Direct(file) => file.try_clone(),
            Output::Beside(file, _) => file.as_file().try_clone(),
        }
    }

    /// All of it is written: moves it to its place.
    pub fn complete(self) -> io::Result<()> {
        if let Output::Beside(file, path) = self {
            file.persist(path).map_err(|error| error.error)?;
        }
        Ok(())
    }

    /// Writes all of it.
    pub fn write(mut self, text: &str) -> Result<(), Failure> {
        match &mut self {
            Output::Standard => print(text)?,
            Output::Direct(file) => file.write_all(text.as_bytes())?,
            Output::Beside(file, _) => file.write_all(text.as_bytes())?,
        }
        Ok(self.complete()?)
    }
}

/// A folder for results, created if it is not there.
pub fn create_folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(|error| cannot_be_written(path, &error, "give a folder, or the name of a new one"))
}

/// A nameless file in `folder`, with the permissions of any other.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn cannot_be_written(path: &Path, error: &io::Error, remedy: &str) -> Fault {
    Fault::new(format!("{} cannot be written: {error}", path.display()), remedy)
}

//! Folder of a sweep: its lock, its journal and its tables.
//!
//! Opening a folder takes its lock, so that no two processes append to one journal, and compares the header of the
//! journal with the sweep, so that no folder mixes two sweeps. Both failures are faults of the user, with a remedy.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use document::{Fault, Faults};

use crate::journal::{self, Header, Journal};
use crate::{Grid, Outcome, Record, Shard, columns, tables};

/// File that at most one process locks at a time.
const LOCK: &str = "lock";
/// File with the records.
const JOURNAL: &str = "journal";
/// Records per write to the disk when shards are merged.
const MERGED_AT_ONCE: usize = 256;

/// Reason why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Mistake of the user, with its remedy.
    #[error(transparent)]
    User(#[from] Faults),
    /// Reading or writing failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Error of the operation.
        error: io::Error,
    },
    /// The tables could not be written.
    #[error("the tables in {} could not be written: {error}", path.display())]
    Tables {
        /// The folder.
        path: PathBuf,
        /// Error of the operation.
        error: tables::TableError,
    },
}

/// Progress of a sweep or of a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Number of points to simulate: of points that mean the same, one.
    pub distinct: u64,
    /// Number of these that are finished.
    pub done: u64,
}

/// Failures and warnings of a sweep: the number of points, and the text of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Points that failed.
    pub failures: (u64, Option<String>),
    /// Points with a machine of which `aquasim run` would warn.
    pub warnings: (u64, Option<String>),
}

/// Folder of a sweep, locked.
pub struct Folder {
    path: PathBuf,
    header: Header,
    journal: Journal,
    /// Lock, which the system releases however the process ends.
    _lock: File,
}

impl Folder {
    /// Opens and locks the folder at `path` for `shard` of `grid`. Creates it, or continues the same shard of the same
    /// sweep; any other content is an error.
    pub fn open(path: &Path, grid: &Grid, shard: Shard) -> Result<Folder, FolderError> {
        let at = |error| FolderError::Io { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(at)?;
        let lock = lock(path)?;
        let journal = path.join(JOURNAL);
        let header = Header { grid: grid.clone(), shard };
        if let Some(other) = journal::header(&journal).map_err(at)?
            && other != header
        {
            return Err(other_sweep(path, &other, &header).into());
        }
        let journal = Journal::open(&journal, &header).map_err(at)?;
        Ok(Folder { path: path.to_owned(), header, journal, _lock: lock })
    }

    /// Returns the progress.
    pub fn progress(&self) -> Result<Progress, FolderError> {
        let mut progress = Progress::default();
        for point in self.originals() {
            progress.distinct += 1;
            progress.done += u64::from(self.has(point)?);
        }
        Ok(progress)
    }

    /// Returns the points that remain to be simulated, in order. Points that are recorded during the iteration are
    /// skipped.
    pub fn missing(&self) -> Result<impl Iterator<Item = u64> + Send + use<>, FolderError> {
        let places = self.journal.places.share().map_err(|error| self.error(error))?;
        let header = self.header.clone();
        // A place that cannot be read counts as empty: its point is then recorded twice, with the same content.
        let points = 0..header.grid.points().unwrap_or(0);
        let own = points.filter(move |&point| header.grid.original(point) == point && header.shard.has(point));
        Ok(own.filter(move |&point| !places.has(point).unwrap_or(false)))
    }

    /// Records finished points. They have reached the disk when it returns.
    pub fn append(&mut self, records: &[Record]) -> Result<(), FolderError> {
        self.journal.append(records).map_err(|error| FolderError::Io { path: self.path.clone(), error })
    }

    /// Writes the tables. All points must be finished.
    pub fn write_tables(&self) -> Result<(), FolderError> {
        tables::write(&self.path, &self.header.grid, &self.journal)
            .map_err(|error| FolderError::Tables { path: self.path.clone(), error })
    }

    /// Returns the temporary files of [`Folder::write_tables`], which it renames when they are complete.
    pub fn incomplete_tables(&self) -> Vec<PathBuf> {
        tables::incomplete(&self.path)
    }

    /// Returns the failures and warnings of the finished points.
    pub fn remarks(&self) -> Result<Remarks, FolderError> {
        let mut remarks = Remarks::default();
        for point in self.originals() {
            let record = self.journal.record(point).map_err(|error| self.error(error))?;
            let (many, text) = match record.map(|record| record.outcome) {
                Some(Outcome::Failed(error)) => (&mut remarks.failures, Some(error)),
                Some(Outcome::Done { point, .. }) => (&mut remarks.warnings, columns::warnings(&point)),
                None => continue,
            };
            if let Some(text) = text {
                many.0 += 1;
                many.1.get_or_insert(text);
            }
        }
        Ok(remarks)
    }

    /// Returns the points of the shard that are simulated.
    fn originals(&self) -> impl Iterator<Item = u64> + use<'_> {
        let Header { grid, shard } = &self.header;
        (0..grid.points().unwrap_or(0)).filter(|&point| grid.original(point) == point && shard.has(point))
    }

    fn has(&self, point: u64) -> Result<bool, FolderError> {
        self.journal.places.has(point).map_err(|error| self.error(error))
    }

    fn error(&self, error: io::Error) -> FolderError {
        FolderError::Io { path: self.path.clone(), error }
    }
}

fn lock(path: &Path) -> Result<File, FolderError> {
    let at = |error| FolderError::Io { path: path.to_owned(), error };
    let lock = File::options().write(true).create(true).truncate(false).open(path.join(LOCK)).map_err(at)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Faults::from(Fault::new(
            format!("another aquasim is at work in {}", path.display()),
            "wait until it is done, or give another folder with --out",
        ))
        .into()),
        Err(TryLockError::Error(error)) => Err(at(error)),
    }
}

fn other_sweep(path: &Path, other: &Header, header: &Header) -> Faults {
    let path = path.display();
    let problem = if other.grid == header.grid {
        format!(
            "{path} holds shard {}/{} of this sweep, not {}/{}",
            other.shard.index, other.shard.of, header.shard.index, header.shard.of
        )
    } else if other.grid.tool_version != header.grid.tool_version {
        format!("{path} holds a sweep of version {} of aquasim", other.grid.tool_version)
    } else {
        format!("{path} holds another sweep: its file, or one that it names, has changed")
    };
    Fault::new(problem, "give another folder with --out, or delete this one").into()
}

/// Merges the shards in the folders `from` into the folder `to`, that of the whole sweep. All shards of one sweep must
/// be present and finished.
pub fn merge(from: &[PathBuf], to: &Path) -> Result<Folder, FolderError> {
    let mut faults = Vec::new();
    let mut headers: Vec<(&Path, Header)> = Vec::new();
    for path in from {
        match journal::header(&path.join(JOURNAL)) {
            Ok(Some(header)) => headers.push((path, header)),
            Ok(None) => faults.push(Fault::new(
                format!("{} holds no shard", path.display()),
                "give the folders of `aquasim sweep --shard I/N --out DIR`",
            )),
            Err(error) => return Err(FolderError::Io { path: path.clone(), error }),
        }
    }
    headers.sort_by_key(|(_, header)| header.shard);
    if let Some((first_path, first)) = headers.first() {
        let fault = |problem: String, remedy: &str| Fault::new(problem, remedy);
        for (path, header) in &headers[1..] {
            if header.grid != first.grid || header.shard.of != first.shard.of {
                let problem = format!("{} and {} are not of the same sweep", first_path.display(), path.display());
                faults.push(fault(problem, "give the shards of one sweep, all with the same N"));
            }
        }
        for pair in headers.windows(2).filter(|pair| pair[0].1.shard == pair[1].1.shard) {
            let [(a, Header { shard, .. }), (b, _)] = [&pair[0], &pair[1]];
            let problem = format!("{} and {} are both shard {}/{}", a.display(), b.display(), shard.index, shard.of);
            faults.push(fault(problem, "give each shard once"));
        }
        let given = |index: &u64| headers.iter().any(|(_, header)| header.shard.index == *index);
        for index in (1..=first.shard.of).filter(|index| !given(index)) {
            let problem = format!("shard {index}/{} is missing", first.shard.of);
            faults.push(fault(problem, "run it, or give its folder too"));
        }
    }
    let mut shards = Vec::new();
    for (path, header) in headers {
        match Folder::open(path, &header.grid, header.shard) {
            Ok(folder) => {
                let Progress { distinct, done } = folder.progress()?;
                if done < distinct {
                    faults.push(Fault::new(
                        format!("{} is not finished: {done} of {distinct} points are done", path.display()),
                        "start its sweep again; it goes on where it stopped",
                    ));
                }
                shards.push(folder);
            }
            Err(FolderError::User(others)) => faults.extend(others.iter().cloned()),
            Err(error) => return Err(error),
        }
    }
    if !faults.is_empty() {
        return Err(Faults::from(faults).into());
    }
    let mut whole = Folder::open(to, &shards[0].header.grid, Shard::WHOLE)?;
    for shard in &shards {
        let mut records = Vec::new();
        for point in shard.originals() {
            if !whole.has(point)? {
                let record = shard.journal.record(point).map_err(|error| shard.error(error))?;
                records.push(record.expect("a finished shard has a record for every point"));
            }
            if records.len() == MERGED_AT_ONCE {
                whole.append(&records)?;
                records.clear();
            }
        }
        whole.append(&records)?;
    }
    Ok(whole)
}

//! `aquasim merge`: puts the shards of a sweep together. The tables equal those of the unsharded sweep.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::sweep::write_tables;

/// Put the shards of a sweep together, with the result of the unsharded one
#[derive(Args)]
pub(crate) struct Merge {
    /// Folders of the shards
    #[arg(value_name = "DIR", required = true)]
    shards: Vec<PathBuf>,
    /// Folder for the whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Merge {
    /// Merges the shards and writes the tables.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let folder = sweep::merge(&self.shards, &self.out)?;
        write_tables(&folder, &self.out)
    }
}

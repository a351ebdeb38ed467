//! Sweeps: a grid of points, each an independent simulation, and what survives of them when a run is killed.
//!
//! [`Sweep`] is what a file asks for. [`Folder`] holds a sweep's journal, in which each finished point is a record that
//! has reached the disk; resuming, sharding, merging and the final tables all start from it.

mod axis;
mod cell;
mod folder;
mod journal;
pub mod pool;
mod simulate;
mod spec;
mod tables;

pub use axis::{Axis, Grid, Shard};
pub use cell::Cell;
pub use folder::{Folder, FolderError, Progress, Remarks, merge};
pub use journal::{Outcome, Record};
pub use simulate::simulate;
pub use spec::Sweep;

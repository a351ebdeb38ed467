//! Sweeps: grids of independent simulations, and folders in which they survive a kill.
//!
//! - [`Sweep`] is a checked sweep file with all files that it names. Its [`Grid`] is the Cartesian product of the swept
//!   keys; keys that are zipped advance together.
//! - [`Simulator::simulate`] runs one point and returns its [`Outcome`]: the cells of its rows in the tables, or the
//!   reason why the point failed. A failed point does not end the sweep.
//! - [`pool::run`] distributes points over threads.
//! - [`Folder`] holds the lock, the journal and the tables of a sweep. Every finished point is a [`Record`] in the
//!   journal.
//! - [`Shard`] selects every n-th point, so that several machines can share a sweep; [`merge`] joins their folders.
//!
//! # Invariants
//!
//! A grid is a pure value: the same sweep file and inputs give the same points with the same numbers, on every machine.
//! A folder accepts only the sweep with which it was created, and one process at a time.
//!
//! Points share what they have in common: a layout ([`mapper::Problem`]), the routes of its values, and runs on machines
//! that differ in costs only ([`arch::Arch::with_costs_of`]). Their rows are as if each were simulated alone.
//!
//! Points that mean the same, such as a crop given twice, are simulated once. Each still has its rows in the tables.
//!
//! A record counts once it has reached the disk. A sweep that is killed loses only points that are not yet recorded,
//! and continues with those that [`Folder::missing`] returns. The tables are made from the journal alone, in the order
//! of the grid, so they do not depend on threads, shards or interruptions.
//!
//! # Example
//!
//! ```
//! use sweep::{Folder, Outcome, Progress, Record, Shard, Simulator, Sweep};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = r#"
//!     network = "tiny"
//!     arch.file = "tiny"
//!     weights = ["16", "12"]
//! "#;
//! let out = tempfile::tempdir()?;
//! let sweep = Sweep::parse(file, "sweep.toml", out.path())?;
//! assert_eq!(sweep.points(), 2);
//!
//! let mut folder = Folder::open(out.path(), &sweep.grid, Shard::WHOLE)?;
//! let simulator = Simulator::new(&sweep);
//! for point in folder.missing()? {
//!     let outcome = simulator.simulate(point);
//!     assert!(matches!(outcome, Outcome::Done { .. }));
//!     folder.append(&[Record { point, outcome }])?;
//! }
//! assert_eq!(folder.progress()?, Progress { distinct: 2, done: 2 });
//! folder.write_tables()?;
//! assert!(out.path().join("points.csv").exists());
//! # Ok(())
//! # }
//! ```

mod axis;
mod columns;
mod folder;
mod journal;
pub mod pool;
mod recent;
mod schema;
mod simulate;
mod spec;
mod tables;

pub use axis::{Axis, Grid, Shard};
pub use folder::{Folder, FolderError, Progress, Remarks, merge};
pub use journal::{Outcome, Record};
pub use report::Cell;
pub use simulate::Simulator;
pub use spec::Sweep;

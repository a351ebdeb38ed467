//! AQuA ("A Case for Dynamic Activation Quantization in CNNs"): tables and figures of the paper from simulated runs.
//!
//! The paper crops each image as far as its classification tolerates. Three parts are needed:
//!
//! - Energy: [`Job::all`] lists the runs of the study, [`Job::run`] simulates one and returns [`Measured`]: dynamic
//!   energy (pJ), conversions, latency (cycles), settled pace (cycles per image) and the [`Bottleneck`].
//! - Tolerance: a [`Trace`] states which images are right under which [crops](crops::crops). [`Tolerance`] is the
//!   distribution of images over crops, counted from a trace or reconstructed from the [published] statements by
//!   maximum entropy. Float weights have a tolerance but no energy, since crossbars cannot hold them.
//! - [`Paper`]: Table I, Figures 3 to 5, a table of captured throughput, and a [`Comparison`] with every published
//!   number. [`Paper::files`] returns them as CSV, SVG and markdown.
//!
//! [`isaac`] does the same for the evaluation of the machine that AQuA extends.
//!
//! [`tolerance_figures`] draws Figures 4 and 5 for any network and pictures.
//!
//! Every share or mean names its [`Population`]: all images, or those that are right without a crop. The paper's
//! savings are of the latter. Relative energies are relative to 16-bit weights without a crop.
//!
//! ```
//! use aqua::published::{TOP_5, energies};
//! use aqua::{Population, Tolerance};
//!
//! let tolerance = Tolerance::reconstruct(&TOP_5, &energies()).unwrap();
//! // The reconstruction meets the saving of 42.0 % that the paper states.
//! let energy = tolerance.oracle_energy(&energies(), Population::Right);
//! assert!((energy - 0.58).abs() < 1e-9);
//! ```

pub mod crops;
mod figures;
pub mod isaac;
mod paper;
mod plot;
pub mod published;
mod study;
mod tolerance;
mod trace;
mod weights;

pub use figures::{SetEnergy, SetTolerance, tolerance_figures};
pub use paper::{
    Allowed, Comparison, Figure3Row, Figure4Row, Figure5Row, File, NO_PREDICTIONS, NOT_REPRESENTABLE, OracleRow, Paper,
    Table1Row, ThroughputRow,
};
pub use study::{Bottleneck, Job, Measured, StudyError};
pub use tolerance::{Infeasible, Population, Tolerance, most_saving};
pub use trace::{Top, Trace};
pub use weights::WeightSet;

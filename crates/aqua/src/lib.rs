//! AQuA: what images gain from being cropped one by one, and the tables and figures of its paper from simulated runs.

pub mod crops;
mod figures;
mod paper;
mod plot;
pub mod published;
mod study;
mod tolerance;
mod trace;

pub use figures::{SetEnergy, SetTolerance, tolerance_figures};
pub use paper::{
    Allowed, Comparison, Figure3Row, Figure4Row, Figure5Row, File, NOT_REPRESENTABLE, OracleRow, Paper, Table1Row,
    ThroughputRow,
};
pub use study::{Bottleneck, Job, Measured, StudyError, WeightSet};
pub use tolerance::{Infeasible, Population, Tolerance, most_saving};
pub use trace::{Top, Trace};

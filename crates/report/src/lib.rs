//! What a run did, and where its network lies, for people and for programs.
//!
//! [`Report`] is the value of a run: energy from counts, figures, layers. Serialized it is the JSON report; tables and
//! CSV are made from it. Nothing here prints.

mod chart;
pub mod csv;
mod energy;
pub mod floorplan;
mod format;
mod mapping;
pub mod page;
mod report;
pub mod terminal;

pub use energy::{GroupEnergy, StaticEnergy, energy, static_energy, total_pj};
pub use mapping::{LayerPlace, places};
pub use report::{Crossbars, Energy, Figures, Imas, LayerReport, Predictor, Report, Run, SCHEMA, Tool, fidelity_name};

//! What a run did, for people and for programs: energy from counts, tables, JSON and CSV.
//!
//! [`Report`] is the value that all of these are made from. Texts for a terminal carry ANSI styles; whoever prints them
//! takes these out where there is no terminal.

mod energy;
mod format;
mod report;
mod tables;

pub use energy::{GroupEnergy, StaticEnergy, energy, static_energy, total_pj};
pub use report::{Crossbars, Energy, Figures, Imas, LayerReport, Report, Run, SCHEMA, Tool, fidelity_name};
pub use tables::tables;

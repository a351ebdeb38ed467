//! Reports of runs, mappings and machines, as values, tables, pages and pictures.
//!
//! [`Report`] is the value of a run. [`Report::new`] makes it from a [`Run`], which borrows the inputs and the outcome
//! of the simulation: counts become energies, cycles become figures of an image, and each layer gets an entry. JSON,
//! CSV and terminal tables of a run are made from that value alone, so that no two of them can disagree. Nothing in
//! this crate prints or writes files.
//!
//! | form | made by |
//! | --- | --- |
//! | JSON, for programs; [`SCHEMA`] is its version | [`Report::to_json`] |
//! | CSV: layers, component groups, stalls | [`csv`] |
//! | differences between runs, as text, JSON and page | [`compare`] |
//! | tables for a terminal | [`terminal`] |
//! | a page that needs no other file, and its charts as SVG | [`page`] |
//! | tiles by layer, as text and SVG | [`floorplan`] |
//!
//! # Units and scope
//!
//! Energies are in pJ, times in ns, powers in mW. Counts and energies are those of the whole run, all images together;
//! only [`Figures`] are per image. Dynamic energy is a count of actions times the energy of one action
//! (`docs/model.md`, section "Energy"): components count in integers, and the product is taken once, at the end. Static
//! energy is power times the time of the run.
//!
//! Rates, and all figures that follow from them, exist for settled runs only, and are `None` otherwise.
//!
//! # Invariants
//!
//! The IMA-cycles of a layer, summed over stall causes, are its IMAs times the cycles of the run. The counts of a run
//! are the sums over its layers.
//!
//! # Example
//!
//! ```
//! use analysis::Bound;
//! use chip::{Options, Routed};
//! use network::Plan;
//! use report::{Report, Run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (arch, network) = (arch::load("tiny")?, network::load("tiny")?);
//! let plan = Plan::uniform(&network, 16, 16);
//! let layout = mapper::balance(&arch, &network, &plan).expect("it fits");
//! let options = Options::default();
//! let routed = Routed::new(&arch, &layout);
//! let outcome = routed.run(&options)?;
//!
//! let report = Report::new(&Run {
//!     arch: &arch,
//!     network: &network,
//!     plan: &plan,
//!     plan_name: "16 bits",
//!     layout: &layout,
//!     options: &options,
//!     outcome: &outcome,
//!     bound: &Bound::of(&routed, options.uncontended),
//! });
//! assert_eq!(report.schema, report::SCHEMA);
//! assert_eq!(report.stalls.total(), report.imas.mapped * report.cycles);
//! assert!(report::csv::stalls(&report).starts_with("layer,imas,cycles,"));
//! # Ok(())
//! # }
//! ```

mod cell;
mod chart;
pub mod columns;
pub mod compare;
pub mod csv;
pub mod floorplan;
mod format;
mod mapping;
pub mod page;
mod report;
pub mod terminal;

pub use cell::{Cell, Kind};
pub use mapping::{LayerPlace, MappingReport, places};
pub use report::{
    Crossbars, Energy, Figures, Imas, LayerReport, Predictor, Recurrence, Report, Run, SCHEMA, Tool, fidelity_name,
};

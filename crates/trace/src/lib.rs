//! Records runs as trace files, ranks the causes of lost cycles, and measures the gain of single changes.
//!
//! # Recording
//!
//! [`start`] returns a [`Recorder`], a probe for [`chip::run_probed`], and spawns a thread that writes the file. The
//! recorder turns the calls of the simulator into [`Event`]s, drops those outside its [`Filter`], and sends the rest in
//! chunks over a bounded channel: memory does not grow with the trace, and a slow disk holds the simulation up. A probe
//! cannot influence the simulation, so a run has the same outcome with and without a trace.
//!
//! - [`Scene`] names the units of a layout (`chip0/tile3/ima5`) and holds the [`Clock`] of the trace.
//! - [`Filter`] selects a range of cycles, a [`Detail`], layers by name, and units by path.
//! - [`Format`] follows from the ending of the file name. A format is an implementation of the `Sink` trait of
//!   `writer.rs`, a variant of [`Format`] and an arm of `open`.
//! - [`Summary`] states the events and bytes written and, if the byte limit ended the trace early, the cycle of its
//!   end. A trace that ends early is complete up to that cycle.
//!
//! # Units
//!
//! Cycles are counted from 1. A span is a half-open range: it starts with its first cycle and ends before the one after
//! its last. Loads are sums over [`LOAD_CYCLES`] cycles. Perfetto traces and waveforms stamp time in the unit of the
//! [`Clock`]; CSV states cycles.
//!
//! # Analysis
//!
//! [`Analysis`] ranks the waits of a run by IMA-cycles and follows the longest from layer to layer. Its stall causes
//! are those of `docs/model.md`, section "Stall causes". [`what_ifs`] reruns the simulation once for each change that
//! may help against a bottleneck or a wait, and compares the runs by one [`Measure`]. [`Timeline`] is a second probe:
//! it keeps a run in at most 240 time bins, whatever its length.
//!
//! # Example
//!
//! ```
//! use analysis::Bound;
//! use chip::Options;
//! use network::Plan;
//! use trace::{Analysis, Detail, Filter, Format, Scene};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (arch, network) = (arch::load("tiny")?, network::load("tiny")?);
//! let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
//! let scene = Scene::new(&arch, &layout);
//! let filter = Filter::new(&scene, 0..u64::MAX, Detail::Ima, &[], "*");
//!
//! let (outcome, summary) = std::thread::scope(|scope| {
//!     let file = (tempfile::tempfile(), Format::Csv);
//!     let (recorder, writing) = trace::start(scope, &scene, filter, file, u64::MAX);
//!     let (outcome, recorder) = chip::run_probed(&arch, &layout, &Options::default(), recorder);
//!     (outcome, writing.finish(recorder))
//! });
//! let (outcome, summary) = (outcome?, summary?);
//! assert!(summary.events > 0);
//! assert_eq!(summary.ended_at, None);
//!
//! // Every IMA with weights has one stall cause in every cycle.
//! let analysis = Analysis::of(&outcome, &layout, Bound::new(&arch, &layout, false));
//! let imas: u64 = analysis.layers.iter().map(|layer| layer.imas).sum();
//! assert_eq!(analysis.total(), imas * outcome.cycles);
//! # Ok(())
//! # }
//! ```

mod clock;
mod csv;
mod event;
mod filter;
mod load;
mod perfetto;
mod scene;
mod stalls;
mod timeline;
mod waveform;
mod what_if;
mod writer;

pub use clock::{Clock, TimeUnit};
pub use event::{Detail, Event, Format, Recorder};
pub use filter::Filter;
pub use load::{Carrier, LOAD_CYCLES};
pub use scene::Scene;
pub use stalls::{Analysis, LayerStalls, MATTERS, ReadError, Wait};
pub use timeline::Timeline;
pub use what_if::{Against, Change, Gave, Measure, Subject, WhatIf, what_ifs};
pub use writer::{Summary, Writing, smallest, start};

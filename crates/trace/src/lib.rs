//! Records runs as trace files: Perfetto, waveforms, CSV.
//!
//! [`start`] returns a [`Recorder`], a probe for [`chip::run_probed`], and spawns a thread that writes the file. The
//! recorder turns events of the simulator into [`Record`]s, drops those outside its [`Filter`], and sends the rest in
//! chunks over a bounded channel: memory does not grow with the trace, and a slow disk holds the simulation up. A probe
//! cannot influence the simulation, so a run has the same outcome with and without a trace.
//!
//! - [`Scene`](analysis::Scene) names the units of a layout (`chip0/tile3/ima5`).
//! - [`Filter`] selects a range of cycles, a [`Detail`], layers by name, and units by path.
//! - [`Format`] follows from the ending of the file name. A format is a file with a [`Sink`], and a line in
//!   [`FORMATS`].
//! - [`Summary`] states the events and bytes written and, if the byte limit ended the trace early, the cycle of its
//!   end. A trace that ends early is complete up to that cycle.
//!
//! # Units
//!
//! Cycles are counted from 1. A span is a half-open range: it starts with its first cycle and ends before the one after
//! its last. Loads are sums over [`LOAD_CYCLES`](analysis::LOAD_CYCLES) cycles. Perfetto traces and waveforms stamp time
//! in the unit of the [`Clock`]; CSV states cycles.
//!
//! # Example
//!
//! ```
//! use analysis::Scene;
//! use chip::Options;
//! use network::Plan;
//! use trace::{Detail, Filter, Format};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (arch, network) = (arch::load("tiny")?, network::load("tiny")?);
//! let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
//! let scene = Scene::new(&arch, &layout);
//! let filter = Filter::new(&scene, 0..u64::MAX, Detail::Ima, &[], "*");
//!
//! let (outcome, summary) = std::thread::scope(|scope| {
//!     let file = (tempfile::tempfile(), Format::of("run.csv".as_ref()).expect("a format"));
//!     let (recorder, writing) = trace::start(scope, &scene, filter, file, u64::MAX);
//!     let (outcome, recorder) = chip::run_probed(&arch, &layout, &Options::default(), recorder);
//!     (outcome, writing.finish(recorder))
//! });
//! assert!(outcome?.cycles > 0);
//! let summary = summary?;
//! assert!(summary.events > 0);
//! assert_eq!(summary.ended_at, None);
//! # Ok(())
//! # }
//! ```

mod clock;
mod csv;
mod filter;
mod perfetto;
mod record;
mod recorder;
mod sink;
mod waveform;
mod writer;

pub use clock::{Clock, TimeUnit};
pub use filter::{Detail, Filter};
pub use record::{Description, Place, Record};
pub use recorder::Recorder;
pub use sink::{FORMATS, Format, Open, Sink, TraceFile};
pub use writer::{Summary, Writing, smallest, start};

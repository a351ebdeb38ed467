//! Observation of a run: events, the probe that receives them, and the stall cause of every cycle of an IMA.

mod event;
mod probe;
mod stalls;

pub use event::{Event, Stage, Unit};
pub use probe::{NoProbe, Probe};
pub use stalls::{Cause, Stalls};

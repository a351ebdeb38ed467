//! Where the cycles go: traces that standard viewers open, who waited for whom, and what a change would gain.
//!
//! [`start`] gives a [`Recorder`], a probe for [`chip::run_probed`], and writes what it sees on a thread of its own.
//! [`Analysis`] ranks and follows waits, beside what bounds the run; [`what_ifs`] tries what may help.

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

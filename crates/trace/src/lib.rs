//! Where the cycles go: who waited for whom, and what a change would gain.

mod stalls;
mod what_if;

pub use stalls::{Analysis, LayerStalls, ReadError, Wait};
pub use what_if::{Change, Subject, WhatIf, what_ifs};

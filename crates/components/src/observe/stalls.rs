//! Stall causes: every cycle of every IMA with weights has exactly one, which is checked in every run.
//!
//! Reads are booked when an operation starts, and so is the pause before it, which `Ima::pause` cuts into parts. The
//! table in docs/model.md ("Stall causes") gives the meaning of each cause and the remedy.

use std::ops::{AddAssign, Index};

use des::Cycle;

/// Activity of an IMA in a cycle: computing, a cause of waiting, or no work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The crossbars are read.
    Computing,
    /// The producing layer has not delivered the inputs.
    Input,
    /// Inputs wait for the eDRAM port or the bus, or results for the bus, beyond the one cycle that idle ones take.
    Bus,
    /// Results of earlier operations keep all output registers of the IMA.
    ImaOutputRegister,
    /// Slower IMAs of the lockstep group have not reached the same point.
    Lockstep,
    /// The tile's output register has no room for the results.
    OutputRegister,
    /// Positions wait for room in the buffers of the consuming layer.
    DownstreamBuffer,
    /// Finished windows wait for a max-pool that has no room for their image.
    MaxPool,
    /// The last input was held up at ports of routers.
    Router,
    /// The last input was held up at links between chips.
    Link,
    /// The first window of the IMA misses inputs: the pipeline fills.
    Filling,
    /// The IMA has no window left.
    Finished,
    /// Windows wait for an operand of a join: a skip.
    Skip,
}

impl Cause {
    /// All causes, in the order of their numbers and of reports.
    pub const ALL: [Self; 13] = [
        Self::Computing,
        Self::Input,
        Self::Bus,
        Self::ImaOutputRegister,
        Self::Lockstep,
        Self::OutputRegister,
        Self::DownstreamBuffer,
        Self::MaxPool,
        Self::Router,
        Self::Link,
        Self::Filling,
        Self::Finished,
        Self::Skip,
    ];

    /// Name in machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computing => "computing",
            Self::Input => "input",
            Self::Bus => "bus",
            Self::ImaOutputRegister => "ima_output_register",
            Self::Lockstep => "lockstep",
            Self::OutputRegister => "output_register",
            Self::DownstreamBuffer => "downstream_buffer",
            Self::MaxPool => "max_pool",
            Self::Skip => "skip",
            Self::Router => "router",
            Self::Link => "link",
            Self::Filling => "filling",
            Self::Finished => "finished",
        }
    }

    /// True if the IMA has work and cannot do it.
    pub fn is_wait(self) -> bool {
        !matches!(self, Self::Computing | Self::Filling | Self::Finished)
    }
}

/// IMA-cycles by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stalls([u64; Cause::ALL.len()]);

impl Stalls {
    /// Counts `cycles` IMA-cycles for `cause`.
    #[inline]
    pub fn add(&mut self, cause: Cause, cycles: Cycle) {
        self.0[cause as usize] += cycles;
    }

    /// Adds the increase from `earlier` to `later` stalls of a run, `times` times.
    pub fn add_increase(&mut self, earlier: &Stalls, later: &Stalls, times: u64) {
        for (mine, (earlier, later)) in self.0.iter_mut().zip(earlier.0.iter().zip(&later.0)) {
            *mine += (later - earlier) * times;
        }
    }

    /// IMA-cycles, summed over all causes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The cause of waiting with the most cycles; `None` if no IMA waited. Computing, filling and finished do not
    /// count.
    pub fn main_wait(&self) -> Option<Cause> {
        let waits = Cause::ALL.into_iter().filter(|&cause| cause.is_wait() && self[cause] > 0);
        waits.max_by_key(|&cause| (self[cause], std::cmp::Reverse(cause)))
    }
}

impl Index<Cause> for Stalls {
    type Output = u64;

    fn index(&self, cause: Cause) -> &u64 {
        &self.0[cause as usize]
    }
}

impl AddAssign<&Stalls> for Stalls {
    fn add_assign(&mut self, other: &Stalls) {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine += other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_wait_is_neither_computing_nor_filling_nor_having_finished() {
        let mut stalls = Stalls::default();
        assert_eq!(stalls.main_wait(), None);
        for (cause, cycles) in [(Cause::Computing, 9), (Cause::Filling, 8), (Cause::Bus, 2), (Cause::Router, 3)] {
            stalls.add(cause, cycles);
        }
        assert_eq!((stalls.main_wait(), stalls.total()), (Some(Cause::Router), 22));
    }
}

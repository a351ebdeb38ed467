use std::ops::{AddAssign, Index};

use des::Cycle;

/// What an IMA does, or waits for, in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its crossbars are read.
    Computing,
    /// The layer before has not produced its inputs.
    Input,
    /// Its inputs are on their way from the eDRAM buffer, or its results to the tile's output register, for longer than
    /// the cycle that an idle bus takes.
    Bus,
    /// Results of earlier operations, not converted or merged yet, keep its output registers.
    ImaOutputRegister,
    /// The slower IMAs of its lockstep group, which share its outputs, are not as far.
    Lockstep,
    /// The tile's output register has no room for its results.
    OutputRegister,
    /// The tile cannot send its results: the buffers of the next layer are full.
    DownstreamBuffer,
    /// The tile cannot pass its results on: a max-pool has no room for another image.
    MaxPool,
    /// Its inputs are held up at ports of routers.
    Router,
    /// Its inputs are held up at links between chips.
    Link,
    /// Its first window is not there yet: the pipeline fills.
    Filling,
    /// Its last window is done.
    Finished,
}

impl Cause {
    /// All causes, in the order of reports.
    pub const ALL: [Self; 12] = [
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
            Self::Router => "router",
            Self::Link => "link",
            Self::Filling => "filling",
            Self::Finished => "finished",
        }
    }

    /// Whether work is there and something keeps it from being done.
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

    /// IMA-cycles of all causes.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The cause, other than computing, filling and having finished, with the most cycles.
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

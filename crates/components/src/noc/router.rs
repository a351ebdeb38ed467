//! Router of the concentrated mesh: ports and the time that flits take at them.
//!
//! Time is counted in steps of an exact fraction of a cycle, so that clocks which do not divide the cycle need no
//! rounding; a flit takes a whole number of steps (see `arch::Times`).

use arch::Times;
use des::{Cycle, Fingerprint};
use index::size;

/// A port of a router. Packets that arrive from a neighbour have taken the port at the neighbour's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// From a tile of the router, by its number at the router.
    FromTile(usize),
    /// To a tile of the router, by its number at the router.
    ToTile(usize),
    /// To the neighbour in a direction, or to the link at the edge of the chip.
    Neighbour(crate::Direction),
}

impl Port {
    /// Port of number `number` in a router of `tiles` tiles.
    pub fn from_number(number: usize, tiles: usize) -> Self {
        match number.checked_sub(2 * tiles) {
            Some(direction) => Self::Neighbour(crate::Direction::ALL[direction]),
            None if number < tiles => Self::FromTile(number),
            None => Self::ToTile(number - tiles),
        }
    }

    /// Number of the port in a router of `tiles` tiles: from the tiles, to the tiles, then the neighbours.
    #[inline]
    pub fn number(self, tiles: usize) -> usize {
        match self {
            Self::FromTile(tile) => tile,
            Self::ToTile(tile) => tiles + tile,
            Self::Neighbour(direction) => 2 * tiles + size(direction.number()),
        }
    }
}

/// A router of the concentrated mesh: ports to and from its tiles, and to its four neighbours.
///
/// Cut-through: the head of a packet leaves after one flit time, the tail follows one flit per flit time, and the port
/// is taken for all flits. Times are in the [steps](Times) of the flit rate.
#[derive(Clone, Debug)]
pub struct Router {
    /// Time from which each port is free, by port number.
    free_at: Vec<u64>,
    /// Flits that took each port since the start, by port number.
    taken: Vec<u64>,
    times_per_flit: u64,
}

impl Router {
    /// An idle router of `tiles` tiles.
    pub fn new(tiles: usize, times_per_flit: u64) -> Self {
        Self { free_at: vec![0; 2 * tiles + 4], taken: vec![0; 2 * tiles + 4], times_per_flit }
    }

    /// Flits that took each port since the start.
    pub(crate) fn taken(&self) -> &[u64] {
        &self.taken
    }

    /// Adds the state to a fingerprint; the present cycle ends at time `now`.
    pub(crate) fn state(&self, now: u64, print: &mut Fingerprint) {
        let Self { free_at, taken: _, times_per_flit: _ } = self;
        // Ports that are free have no past.
        print.numbers(free_at.iter().map(|free_at| free_at.saturating_sub(now)));
    }

    /// Takes the port of number `port` for `flits` flits whose head arrives at time `head`. Returns the time at which
    /// the head leaves.
    #[inline]
    pub fn pass(&mut self, port: usize, head: u64, flits: u32) -> u64 {
        self.taken[port] += u64::from(flits);
        let free_at = &mut self.free_at[port];
        let start = head.max(*free_at);
        *free_at = start + u64::from(flits) * self.times_per_flit;
        start + self.times_per_flit
    }
}

/// Cycle in which the last of `flits` flits leaves the last port, where `head_left` is the time at which the head left.
#[inline]
pub(crate) fn arrival(head_left: u64, flits: u32, flit: Times) -> Cycle {
    // The tail follows the head flit by flit; a flit leaves at the end of a time step.
    (head_left + u64::from(flits - 1) * flit.per_action - 1) / flit.per_cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;
    use crate::testing::assert_told_apart;

    #[test]
    fn a_packet_of_a_cycles_flits_takes_one_cycle_and_one_flit_more_takes_two() {
        let flit = Times { per_cycle: 100, per_action: 1 };
        let through = |flits| arrival(Router::new(4, 1).pass(Port::ToTile(0).number(4), 500, flits), flits, flit);
        assert_eq!((through(100), through(101)), (5, 6));
    }

    #[test]
    fn flits_of_a_clock_that_does_not_fit_the_cycle_go_on_in_the_next() {
        // 2.5 flits in a cycle: two times of a fifth of a cycle each. Ten flits that start with cycle 4 take four
        // cycles.
        let flit = Times { per_cycle: 5, per_action: 2 };
        let through = |flits| arrival(Router::new(4, 2).pass(Port::ToTile(0).number(4), 20, flits), flits, flit);
        assert_eq!([1, 2, 3, 5, 6, 10, 11].map(through), [4, 4, 5, 5, 6, 7, 8]);
    }

    #[test]
    fn packets_to_one_port_queue_and_others_pass() {
        let mut router = Router::new(4, 1);
        assert_eq!(router.pass(Port::ToTile(0).number(4), 500, 30), 501);
        assert_eq!(router.pass(Port::ToTile(0).number(4), 500, 30), 531);
        assert_eq!(router.pass(Port::Neighbour(Direction::East).number(4), 500, 30), 501);
        assert_eq!(router.pass(Port::FromTile(0).number(4), 500, 30), 501);
    }

    #[test]
    fn ports_that_are_taken_are_state() {
        // The present cycle ends at time 1,000.
        assert_told_apart(
            &Router::new(4, 1),
            |router, print| router.state(1000, print),
            &[
                |router| _ = router.pass(0, 1000, 30),
                |router| _ = router.pass(0, 1000, 31),
                |router| _ = router.pass(1, 1000, 30),
            ],
        );
    }
}

//! Router of the concentrated mesh: ports and the time that flits take at them.
//!
//! Time is counted in steps of an exact fraction of a cycle, so that clocks which do not divide the cycle need no
//! rounding; a flit takes a whole number of steps (see `arch::Times`).

use arch::Times;
use des::{Cycle, Fingerprint};
use index::size;

/// A port of a router. Packets that arrive from a neighbour have taken the port at the neighbour's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// The routers of a concentrated mesh: each has ports to and from its tiles, and to its four neighbours.
///
/// Cut-through: the head of a packet leaves after one flit time, the tail follows one flit per flit time, and the port
/// is taken for all flits. Times are in the [steps](Times) of the flit rate.
#[derive(Clone, Debug)]
pub struct Routers {
    /// Time from which each port is free, router by router.
    free_at: Vec<u64>,
    times_per_flit: u64,
}

impl Routers {
    /// Idle routers with `ports` ports in all.
    pub fn new(ports: usize, times_per_flit: u64) -> Self {
        Self { free_at: vec![0; ports], times_per_flit }
    }

    /// Adds the state to a fingerprint; the present cycle ends at time `now`.
    pub(crate) fn state(&self, now: u64, print: &mut Fingerprint) {
        let Self { free_at, times_per_flit: _ } = self;
        // Ports that are free have no past.
        print.numbers(free_at.iter().map(|free_at| free_at.saturating_sub(now)));
    }

    /// Takes a port for `flits` flits whose head arrives at time `head`. Returns the time at which the head leaves.
    #[inline]
    pub fn pass(&mut self, port: usize, head: u64, flits: u32) -> u64 {
        let free_at = &mut self.free_at[port];
        let start = head.max(*free_at);
        *free_at = start + u64::from(flits) * self.times_per_flit;
        start + self.times_per_flit
    }
}

/// Cycle in which the last of `flits` flits leaves the last port, where `head_left` is the time at which the head left,
/// in cycle `now` or later.
#[inline]
pub(crate) fn arrival(now: Cycle, head_left: u64, flits: u32, flit: Times) -> Cycle {
    // The tail follows the head flit by flit; a flit leaves at the end of a time step.
    let left = head_left + u64::from(flits - 1) * flit.per_action;
    // Most packets leave in the cycle in which they enter, and divisions are slow.
    if left <= (now + 1) * flit.per_cycle { now } else { (left - 1) / flit.per_cycle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;
    use crate::testing::assert_told_apart;

    #[test]
    fn a_packet_of_a_cycles_flits_takes_one_cycle_and_one_flit_more_takes_two() {
        let flit = Times { per_cycle: 100, per_action: 1 };
        let through = |flits| arrival(5, Routers::new(12, 1).pass(4, 500, flits), flits, flit);
        assert_eq!((through(100), through(101)), (5, 6));
    }

    #[test]
    fn flits_of_a_clock_that_does_not_fit_the_cycle_go_on_in_the_next() {
        // 2.5 flits in a cycle: two times of a fifth of a cycle each. Ten flits that start with cycle 4 take four
        // cycles.
        let flit = Times { per_cycle: 5, per_action: 2 };
        let through = |flits| arrival(4, Routers::new(12, 2).pass(4, 20, flits), flits, flit);
        assert_eq!([1, 2, 3, 5, 6, 10, 11].map(through), [4, 4, 5, 5, 6, 7, 8]);
    }

    #[test]
    fn packets_to_one_port_queue_and_others_pass() {
        // Two routers of four tiles.
        let mut routers = Routers::new(24, 1);
        assert_eq!(routers.pass(Port::ToTile(0).number(4), 500, 30), 501);
        assert_eq!(routers.pass(Port::ToTile(0).number(4), 500, 30), 531);
        assert_eq!(routers.pass(Port::Neighbour(Direction::East).number(4), 500, 30), 501);
        assert_eq!(routers.pass(Port::FromTile(0).number(4), 500, 30), 501);
        assert_eq!(routers.pass(12 + Port::ToTile(0).number(4), 500, 30), 501, "the same port of another router");
    }

    #[test]
    fn ports_that_are_taken_are_state() {
        // The present cycle ends at time 1,000.
        assert_told_apart(
            &Routers::new(24, 1),
            |routers, print| routers.state(1000, print),
            &[
                |routers| _ = routers.pass(0, 1000, 30),
                |routers| _ = routers.pass(0, 1000, 31),
                |routers| _ = routers.pass(1, 1000, 30),
                |routers| _ = routers.pass(12, 1000, 30),
            ],
        );
    }
}

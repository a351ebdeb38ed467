use arch::Times;
use des::Cycle;

/// A way out of a router, or from a tile into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// From the router's tile of this number.
    FromTile(usize),
    /// To the router's tile of this number.
    ToTile(usize),
    /// To the neighbour in this direction.
    Neighbour(crate::Direction),
}

impl Port {
    /// Number of the port in a router of `tiles` tiles: from the tiles, to the tiles, then the neighbours.
    #[inline]
    pub fn number(self, tiles: usize) -> usize {
        match self {
            Self::FromTile(tile) => tile,
            Self::ToTile(tile) => tiles + tile,
            Self::Neighbour(direction) => 2 * tiles + direction as usize,
        }
    }
}

/// A router of the concentrated mesh: ports to and from its tiles, and to its four neighbours.
///
/// Cut-through: the head of a packet moves on after one flit time, the tail follows one flit a flit time, and the port
/// is taken for that long. Time inside is counted in the [times](Times) of a flit.
#[derive(Clone, Debug)]
pub struct Router {
    /// When each port is free, by its number.
    free_at: Vec<u64>,
    tiles: usize,
    times_per_flit: u64,
    /// Flits that went through: out of a port to a tile or a neighbour.
    pub flits: u64,
}

impl Router {
    /// An idle router of `tiles` tiles.
    pub fn new(tiles: usize, times_per_flit: u64) -> Self {
        Self { free_at: vec![0; 2 * tiles + 4], tiles, times_per_flit, flits: 0 }
    }

    /// Takes `port` for `flits` flits whose head is here at time `head`; returns when the head moves on.
    #[inline]
    pub fn pass(&mut self, port: Port, head: u64, flits: u32) -> u64 {
        let port = port.number(self.tiles);
        self.flits += u64::from(port >= self.tiles) * u64::from(flits);
        let free_at = &mut self.free_at[port];
        let start = head.max(*free_at);
        *free_at = start + u64::from(flits) * self.times_per_flit;
        start + self.times_per_flit
    }
}

/// The cycle of the last of `flits` flits whose head left the last port at time `head_left`.
#[inline]
pub fn arrival(head_left: u64, flits: u32, flit: Times) -> Cycle {
    // The tail follows the head flit by flit; a port is left at the end of a time.
    (head_left + u64::from(flits - 1) * flit.per_action - 1) / flit.per_cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    #[test]
    fn a_packet_of_a_cycles_flits_takes_one_cycle_and_one_flit_more_takes_two() {
        let flit = Times { per_cycle: 100, per_action: 1 };
        let through = |flits| arrival(Router::new(4, 1).pass(Port::ToTile(0), 500, flits), flits, flit);
        assert_eq!((through(100), through(101)), (5, 6));
    }

    #[test]
    fn flits_of_a_clock_that_does_not_fit_the_cycle_go_on_in_the_next() {
        // 2.5 flits in a cycle: two times of a fifth of a cycle each. Ten flits that start with cycle 4 take four cycles.
        let flit = Times { per_cycle: 5, per_action: 2 };
        let through = |flits| arrival(Router::new(4, 2).pass(Port::ToTile(0), 20, flits), flits, flit);
        assert_eq!([1, 2, 3, 5, 6, 10, 11].map(through), [4, 4, 5, 5, 6, 7, 8]);
    }

    #[test]
    fn packets_to_one_port_queue_and_others_pass() {
        let mut router = Router::new(4, 1);
        assert_eq!(router.pass(Port::ToTile(0), 500, 30), 501);
        assert_eq!(router.pass(Port::ToTile(0), 500, 30), 531);
        assert_eq!(router.pass(Port::Neighbour(Direction::East), 500, 30), 501);
        assert_eq!(router.pass(Port::FromTile(0), 500, 30), 501);
    }
}

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
/// is taken for that long. Time inside is counted in flit times, of which a cycle has `flits_per_cycle`.
#[derive(Clone, Debug)]
pub struct Router {
    /// When each port is free, by its number.
    free_at: Vec<u64>,
    tiles: usize,
    /// Flits that went through: out of a port to a tile or a neighbour.
    pub flits: u64,
}

impl Router {
    /// An idle router of `tiles` tiles.
    pub fn new(tiles: usize) -> Self {
        Self { free_at: vec![0; 2 * tiles + 4], tiles, flits: 0 }
    }

    /// Takes `port` for `flits` flits whose head is here at flit time `head`; returns when the head moves on.
    #[inline]
    pub fn pass(&mut self, port: Port, head: u64, flits: u32) -> u64 {
        let port = port.number(self.tiles);
        self.flits += u64::from(port >= self.tiles) * u64::from(flits);
        let free_at = &mut self.free_at[port];
        let start = head.max(*free_at);
        *free_at = start + u64::from(flits);
        start + 1
    }
}

/// The cycle of the last of `flits` flits whose head left the last port at flit time `head_left`.
pub fn arrival(head_left: u64, flits: u32, flits_per_cycle: u64) -> Cycle {
    // The tail is `flits - 1` flit times behind the head; a port is left at the end of a flit time.
    (head_left + u64::from(flits) - 2) / flits_per_cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    #[test]
    fn a_packet_of_a_cycles_flits_takes_one_cycle_and_one_flit_more_takes_two() {
        let through = |flits| arrival(Router::new(4).pass(Port::ToTile(0), 500, flits), flits, 100);
        assert_eq!((through(100), through(101)), (5, 6));
    }

    #[test]
    fn packets_to_one_port_queue_and_others_pass() {
        let mut router = Router::new(4);
        assert_eq!(router.pass(Port::ToTile(0), 500, 30), 501);
        assert_eq!(router.pass(Port::ToTile(0), 500, 30), 531);
        assert_eq!(router.pass(Port::Neighbour(Direction::East), 500, 30), 501);
        assert_eq!(router.pass(Port::FromTile(0), 500, 30), 501);
    }
}

//! Links between chips: bits in the order of their packets, at an exact rate.
//!
//! Each chip has four outgoing links, one for each [`Direction`]. ISAAC's links are HyperTransport, 6.4 GB/s each way
//! (ISAAC Table I). A link serves the packets of a cycle in a canonical order, and a crossing takes at least a cycle.
//! The rate is a fraction of two integers; fractions of a cycle carry over to the next packet.

use arch::Rate;
use des::{Component, Cycle, Fingerprint, Recurrent, Wake};
use index::IndexVec;
use network::LayerId;

use crate::{ChipId, Context, Direction, Event, Packet, Probe};

/// A packet that is to cross a link. Distinguishes messages of links from those of meshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing(pub Packet);

/// One direction of a HyperTransport link between two chips.
#[derive(Clone, Debug)]
pub struct Link {
    /// Bits per cycle; `None` is no limit.
    bits_per_cycle: Option<Rate>,
    /// End of the last bit carried, in time steps of that rate ([`Rate::times`]).
    free_at: u64,
    /// Chip at the far end.
    to_chip: ChipId,
    /// Side of that chip on which packets enter it.
    enters: Direction,
    /// Packets received in this cycle.
    waiting: Vec<Packet>,
    /// Bits carried since the start, by producing layer.
    pub bits: IndexVec<LayerId, u64>,
}

impl Link {
    /// An idle link in `direction` to chip `to_chip`, for a network of `layers` layers. A rate of `None` is no limit.
    pub fn new(bits_per_cycle: Option<Rate>, direction: Direction, to_chip: ChipId, layers: usize) -> Self {
        Self {
            bits_per_cycle,
            free_at: 0,
            to_chip,
            enters: direction.opposite(),
            waiting: Vec::new(),
            bits: IndexVec::filled(0, layers),
        }
    }

    /// Cycles that `bits` take on an idle link.
    fn alone(&self, bits: u32) -> Cycle {
        self.bits_per_cycle.map_or(1, |rate| rate.cycles(bits.into()))
    }

    /// Carries `bits` after all earlier packets. Returns the cycle of the last bit.
    fn carry(&mut self, now: Cycle, bits: u32) -> Cycle {
        let Some(rate) = self.bits_per_cycle else { return now };
        let bit = rate.times();
        self.free_at = self.free_at.max(now * bit.per_cycle) + u64::from(bits) * bit.per_action;
        (self.free_at - 1) / bit.per_cycle
    }
}

impl<C: Context> Component<C> for Link {
    type Message = Crossing;

    fn receive(&mut self, Crossing(packet): Crossing, _: &mut C) -> Wake {
        self.waiting.push(packet);
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) -> Wake {
        self.waiting.sort_unstable();
        let mut waiting = std::mem::take(&mut self.waiting);
        for mut packet in waiting.drain(..) {
            let now = context.now();
            let done = self.carry(now, packet.bits);
            packet.waits.add_links((done + 1 - now).saturating_sub(self.alone(packet.bits)));
            self.bits[packet.layer] += u64::from(packet.bits);
            let (to, enters) = (self.to_chip, self.enters);
            context.probe().observe(|| Event::Crossing {
                to,
                enters,
                layer: packet.layer,
                bits: packet.bits,
                cycles: now..done + 1,
            });
            context.send_to_mesh(done + 1 - now, to, packet);
        }
        self.waiting = waiting;
        Wake::Sleep
    }
}

impl Recurrent for Link {
    fn state(&self, print: &mut Fingerprint) {
        let Self {
            bits_per_cycle,
            free_at,
            to_chip: _,
            enters: _,
            // Packets of a cycle leave in the same cycle.
            waiting: _,
            bits: _,
        } = self;
        // A link that is free has no past, and one without a limit is always free.
        if let Some(rate) = bits_per_cycle {
            print.number(free_at.saturating_sub((print.now() + 1) * rate.times().per_cycle));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    #[test]
    fn a_way_leads_along_the_row_first() {
        assert_eq!(Direction::towards((1, 1), (3, 0)), Some(Direction::East));
        assert_eq!(Direction::towards((3, 1), (3, 0)), Some(Direction::North));
        assert_eq!(Direction::towards((3, 0), (3, 0)), None);
    }

    #[test]
    fn a_link_that_is_taken_is_in_another_state_than_a_free_one() {
        // 5,120 bits in a cycle.
        let arch = arch::load("isaac-ce").expect("the preset is built in");
        let link = Link::new(Some(arch.link_bits_per_cycle()), Direction::East, ChipId(1), 1);
        assert_told_apart(
            &link,
            Recurrent::state,
            &[|link| _ = link.carry(100, 6000), |link| _ = link.carry(100, 7000)],
        );
    }
}

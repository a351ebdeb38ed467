use des::{Cycle, Fingerprint, Recurrent, Server};

/// The bus between a tile's eDRAM buffer, its IMAs and its output register.
///
/// Transfers are served in the order of their grants and share cycles; each IMA receives its inputs by a transfer of
/// its own, also where several IMAs need the same input.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    server: Server,
    /// Bits moved since the start.
    pub(crate) bits: u64,
}

impl Bus {
    /// An idle bus of `bits_per_cycle`; `None` is no limit.
    pub(crate) fn new(bits_per_cycle: Option<u64>) -> Self {
        Self { server: Server::new(bits_per_cycle), bits: 0 }
    }

    /// Moves `bits` after all earlier transfers. Returns the cycle in which the last bit moves, `now` at the earliest.
    #[inline]
    pub(crate) fn transfer(&mut self, now: Cycle, bits: u64) -> Cycle {
        self.bits += bits;
        self.server.serve(now, bits)
    }
}

impl Recurrent for Bus {
    fn state(&self, print: &mut Fingerprint) {
        let Self { server, bits: _ } = self;
        server.state(print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_operations_inputs_of_256_bytes_fill_a_cycle_and_the_fifth_waits() {
        let mut bus = Bus::new(Some(8 * 1024));
        let done: Vec<_> = (0..5).map(|_| bus.transfer(1, 8 * 256)).collect();
        assert_eq!(done, [1, 1, 1, 1, 2]);
        assert_eq!(bus.bits, 5 * 8 * 256);
    }
}

use des::{Cycle, Server};

/// The bus between a tile's eDRAM buffer, its IMAs and its output register.
#[derive(Clone, Debug)]
pub struct Bus {
    server: Server,
    /// Bits moved.
    pub bits: u64,
}

impl Bus {
    /// A bus that moves `bits_per_cycle`, or anything at once.
    pub fn new(bits_per_cycle: Option<u64>) -> Self {
        Self { server: Server::new(bits_per_cycle), bits: 0 }
    }

    /// Moves `bits` behind what was granted before; returns the cycle in which the last one moves.
    #[inline]
    pub fn transfer(&mut self, now: Cycle, bits: u64) -> Cycle {
        self.bits += bits;
        self.server.serve(now, bits)
    }
}

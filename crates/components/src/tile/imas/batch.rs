use des::Cycle;
use index::Set;
use mapper::TileId;

use crate::{Context, ImaId, PackedImas, TileMessage};

/// IMAs that share a message of the tile to itself, since the same event occurs to them in the same cycle.
pub(crate) struct Batch {
    tile: TileId,
    message: fn(PackedImas) -> TileMessage,
    at: Cycle,
    imas: Set<ImaId>,
}

impl Batch {
    pub(crate) fn new(tile: TileId, message: fn(PackedImas) -> TileMessage) -> Self {
        Self { tile, message, at: 0, imas: Set::EMPTY }
    }

    /// Adds IMAs whose event is in cycle `at`. Sends the previous batch first if its cycle is another.
    #[inline]
    pub(crate) fn add(&mut self, at: Cycle, imas: Set<ImaId>, context: &mut impl Context) {
        if self.at != at {
            self.send(context);
            (self.at, self.imas) = (at, Set::EMPTY);
        }
        self.imas |= imas;
    }

    #[inline]
    pub(crate) fn send(&self, context: &mut impl Context) {
        if !self.imas.is_empty() {
            context.send_to_tile(self.at - context.now(), self.tile, (self.message)(self.imas.into()));
        }
    }
}

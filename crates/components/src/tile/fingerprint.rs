//! Fingerprint of a tile, and of the messages on their way to it.
//!
//! A message has numbers that count over all images; the tile knows how many of them make an image.

use des::{Fingerprint, Recurrent};
use index::Set;

use super::Tile;
use crate::{ImaId, LockstepId, PackedImas, Policy, Stages, TileMessage};

impl<P: Policy> Recurrent for Tile<'_, P> {
    fn state(&self, print: &mut Fingerprint) {
        let Self { id: _, inputs, imas, outputs, bus } = self;
        inputs.state(print);
        imas.state(inputs, print);
        outputs.state(inputs, imas, print);
        bus.state(print);
    }
}

impl<P: Policy> Tile<'_, P> {
    /// Adds a message on its way to the tile to a fingerprint.
    pub fn state_of_message(&self, message: &TileMessage, print: &mut Fingerprint) {
        let windows = |part: LockstepId| self.inputs.controls[self.imas.groups[part].control].per_image();
        let bits = |imas: PackedImas| Set::<ImaId>::from(imas).bits();
        match *message {
            TileMessage::Start => print.number(0u64),
            TileMessage::InputsArrived { imas } => print.numbers([1, bits(imas)]),
            TileMessage::Stages { stages: Stages { read, convert, accumulate }, batch } => {
                print.numbers([2, self.imas.batch_in_progress(batch)]);
                print.numbers([read, convert, accumulate]);
            }
            TileMessage::ReadsDone { imas } => print.numbers([3, bits(imas)]),
            TileMessage::ResultsReady { imas } => print.numbers([4, bits(imas)]),
            TileMessage::ResultsMerged { imas } => print.numbers([5, bits(imas)]),
            TileMessage::PartialSum { part, window } => {
                print.numbers([6, part.0]);
                print.counted(window, windows(part));
            }
            TileMessage::PartialSumCredit { part, limit } => {
                print.numbers([7, part.0]);
                print.counted(limit, windows(part));
            }
            TileMessage::PoolValue { part, image, position } => {
                print.numbers([8, u32::from(part.0), position]);
                print.counted(image, 1);
            }
            TileMessage::PoolCredit { part, image } => {
                print.numbers([9, part.0]);
                print.counted(image, 1);
            }
            TileMessage::Delivery { inputs, held_up, bits, sequence } => {
                print.numbers([10, u32::from(inputs.0), bits]);
                print.counted(sequence, self.inputs.edram.slices[inputs].positions());
                held_up.state(print);
            }
            TileMessage::Result { bits, position } => {
                print.numbers([11, bits]);
                print.counted(position, self.inputs.edram.results.positions());
            }
            TileMessage::Written { inputs, held_up, sequence } => {
                print.numbers([12, inputs.0]);
                print.counted(sequence, self.inputs.edram.slices[inputs].positions());
                held_up.state(print);
            }
            TileMessage::Tick => print.number(13u64),
            TileMessage::Room => print.number(14u64),
        }
    }
}

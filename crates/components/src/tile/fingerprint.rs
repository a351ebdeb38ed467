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
            TileMessage::PoolValue { part, level, image, position } => {
                print.numbers([8, u32::from(part.0), u32::from(level.0), position]);
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
            TileMessage::SkipMerged { part } => print.numbers([14, part.0]),
            TileMessage::Room => print.number(13u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use mapper::{LevelId, TileId};

    use super::*;
    use crate::testing::{OneLayer, assert_told_apart};
    use crate::{Full, HeldUp, InputId, PartAddress, Waits};

    const PART: LockstepId = LockstepId(0);
    const LEVEL: LevelId = LevelId(0);
    const HERE: &[PartAddress] = &[PartAddress { tile: TileId(0), part: PART }];

    fn tile(machine: &OneLayer) -> Tile<'_, Full> {
        let (inputs, imas, outputs) = (machine.inputs(), machine.imas(), machine.outputs(4, HERE, 4));
        Tile { id: TileId(0), inputs, imas, outputs, bus: machine.bus() }
    }

    #[test]
    fn every_part_of_a_tile_is_state() {
        let machine = OneLayer::new(|_| ());
        assert_told_apart(
            &tile(&machine),
            Recurrent::state,
            &[
                |tile| _ = tile.inputs.edram.port.serve(100, 1 << 20),
                |tile| _ = tile.bus.serve(100, 1 << 20),
                |tile| tile.inputs.edram.slices.iter_mut().for_each(|slice| _ = slice.advance(0, 1)),
                |tile| tile.inputs.controls.iter_mut().for_each(|control| control.ready += 1),
                |tile| _ = tile.inputs.progress::<crate::NoProbe>(crate::ControlId(0), 1),
                |tile| tile.imas.groups[PART].fetching += 1,
                |tile| tile.imas.pipeline.inputs_arrived(Set::one(ImaId(0))),
                |tile| _ = tile.outputs.parts[PART].merge(0),
                |tile| _ = tile.outputs.merge(PART, 0..1),
            ],
        );
    }

    #[test]
    fn messages_on_their_way_are_told_apart_by_all_that_they_say() {
        let machine = OneLayer::new(|_| ());
        let tile = tile(&machine);
        let imas = |bits| PackedImas::from(Set::from_bits(bits));
        let (held_up, inputs) = (HeldUp::default(), InputId(0));
        let delayed = Waits { routers: 2, links: 0 }.into();
        let stages =
            |read, convert, accumulate| TileMessage::Stages { stages: Stages { read, convert, accumulate }, batch: 0 };
        let messages = [
            TileMessage::Start,
            TileMessage::InputsArrived { imas: imas(1) },
            TileMessage::InputsArrived { imas: imas(2) },
            stages(true, false, false),
            stages(false, true, false),
            stages(false, false, true),
            TileMessage::ReadsDone { imas: imas(1) },
            TileMessage::ResultsReady { imas: imas(1) },
            TileMessage::ResultsMerged { imas: imas(1) },
            TileMessage::PartialSum { part: PART, window: 5 },
            TileMessage::PartialSum { part: PART, window: 6 },
            TileMessage::PartialSumCredit { part: PART, limit: 5 },
            TileMessage::PartialSumCredit { part: PART, limit: 6 },
            TileMessage::PoolValue { part: PART, level: LEVEL, image: 1, position: 2 },
            TileMessage::PoolValue { part: PART, level: LEVEL, image: 2, position: 2 },
            TileMessage::PoolValue { part: PART, level: LEVEL, image: 1, position: 3 },
            TileMessage::PoolValue { part: PART, level: LevelId(1), image: 1, position: 2 },
            TileMessage::PoolCredit { part: PART, image: 1 },
            TileMessage::PoolCredit { part: PART, image: 2 },
            TileMessage::Delivery { inputs, held_up, bits: 8, sequence: 5 },
            TileMessage::Delivery { inputs, held_up: delayed, bits: 8, sequence: 5 },
            TileMessage::Delivery { inputs, held_up, bits: 9, sequence: 5 },
            TileMessage::Delivery { inputs, held_up, bits: 8, sequence: 6 },
            TileMessage::Result { bits: 8, position: 5 },
            TileMessage::Result { bits: 9, position: 5 },
            TileMessage::Result { bits: 8, position: 6 },
            TileMessage::Written { inputs, held_up, sequence: 5 },
            TileMessage::Written { inputs, held_up: delayed, sequence: 5 },
            TileMessage::Written { inputs, held_up, sequence: 6 },
            TileMessage::SkipMerged { part: PART },
            TileMessage::SkipMerged { part: LockstepId(1) },
            TileMessage::Room,
        ];
        let hash = |message: &TileMessage, image| {
            let mut print = Fingerprint::new(0, image);
            tile.state_of_message(message, &mut print);
            print.hash()
        };
        let hashes: Vec<u64> = messages.iter().map(|message| hash(message, 1)).collect();
        for (number, message) in messages.iter().enumerate() {
            assert!(!hashes[..number].contains(&hashes[number]), "{message:?}");
        }
        // Four windows and four positions in an image.
        let later = TileMessage::PartialSum { part: PART, window: 9 };
        assert_eq!(hash(&later, 2), hash(&TileMessage::PartialSum { part: PART, window: 5 }, 1));
        let later = TileMessage::Delivery { inputs, held_up, bits: 8, sequence: 9 };
        assert_eq!(hash(&later, 2), hash(&TileMessage::Delivery { inputs, held_up, bits: 8, sequence: 5 }, 1));
    }
}

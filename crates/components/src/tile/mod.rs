//! A tile: the messages that it receives, and the order in which it decides.
//!
//! The tile has three parts with their own state: [`TileInputs`], [`ImaBank`] and [`TileOutputs`]; the bus between them
//! is its own. `receive` only routes a message to its part, which records it. `evaluate` then takes the decisions of
//! the cycle, once, in this order; a step without work is skipped.
//!
//! | step | decision | part | resource | order of requests |
//! | --- | --- | --- | --- | --- |
//! | 1 | finished windows and positions leave, partial sums are sent | outputs | rooms, credits | part; pool values first |
//! | 2 | joins find the operands that have been written | outputs | - | part |
//! | 3 | limits of slices rise as windows have been read and operands merged | inputs, outputs | room table | slice |
//! | 4 | operations start | IMAs | crossbars, output registers | group of the lowest IMA |
//! | 5 | arrived packets are written | inputs | eDRAM port | slice, sequence number; results last |
//! | 6 | results are sent | IMAs | bus | group of the lowest IMA |
//! | 7 | operands of joins are asked for | outputs | eDRAM port, bus | part, window |
//! | 8 | inputs are asked for | IMAs | eDRAM port, bus | group of the lowest IMA |
//! | 9 | windows whose inputs are all written become ready, for the next cycle | inputs | - | replica |
//! | 10 | the tile asks for an evaluation in the next cycle if steps 1 to 4, or IMAs that missed inputs, have new work | - | - | - |
//!
//! Steps 5 to 8 take effect at the end of the cycle, so what they complete is decided upon in the next. Writes precede
//! reads at the port, and results precede inputs on the bus (docs/model.md, "Arbitration in a tile").
//!
//! `account` adds up counts, `fingerprint` the state and the messages on their way, and `waits` explains a tile that has stopped.

mod account;
mod fingerprint;
mod imas;
mod inputs;
mod outputs;
mod waits;

use arch::Arch;
use des::{Component, Cycle, Server, Wake};
use index::IndexVec;
use mapper::TileId;

pub(crate) use self::imas::ImaBank;
pub use self::imas::{Fidelity, Full, Ima, ImaTiming, LockstepGroup, Policy, RowBlock, SkipZeroRowBlocks, Work};
pub(crate) use self::inputs::{EdramBuffer, TileInputs};
pub use self::inputs::{LayerControl, Results, RowsRead, SliceBuffer};
pub use self::outputs::{Exit, Operand, PartAddress, PartialSums, SumsSpec, Target};
pub(crate) use self::outputs::{Obstacle, TileOutputs};
pub use self::waits::{Awaited, Part, Waiting};
use crate::{Context, ControlId, ImaId, LockstepId, TileMessage};

/// A tile: input side, IMAs and output side, joined by a bus.
///
/// Its messages come from meshes (packets), from other tiles (credits) and from itself (ends of transfers and
/// operations).
#[derive(Clone, Debug)]
pub struct Tile<'a, P> {
    /// Number on the board.
    pub id: TileId,
    /// eDRAM buffer and layer controls.
    inputs: TileInputs<'a>,
    /// IMAs and their lockstep groups.
    imas: ImaBank<P>,
    /// Output register, with sigmoid and max-pool.
    outputs: TileOutputs<'a>,
    /// The bus between eDRAM buffer, IMAs and output register. Each IMA receives its inputs by a transfer of its own, also
    /// where several need the same.
    bus: Server,
}

/// Specification of a tile: its blocks and the options of the run.
#[derive(Clone, Debug)]
pub struct TileSpec<'a> {
    /// Number on the board.
    pub id: TileId,
    /// Detail in which its IMAs are simulated.
    pub fidelity: Fidelity,
    /// Unlimited capacity of bus and eDRAM port.
    pub uncontended: bool,
    /// IMAs that hold weights.
    pub imas: IndexVec<ImaId, Ima>,
    /// Layer controls, one for each replica with IMAs in the tile.
    pub controls: IndexVec<ControlId, LayerControl<'a>>,
    /// Input slices of the layers with IMAs in the tile.
    pub slices: Vec<SliceBuffer<'a>>,
    /// Lockstep groups, one for each output group of each replica with IMAs in the tile.
    pub groups: IndexVec<LockstepId, LockstepGroup>,
    /// One part of the output register for each lockstep group.
    pub parts: IndexVec<LockstepId, PartialSums<'a>>,
    /// Results of the network that the tile finishes.
    pub results: Results,
}

impl<'a, P: Policy> Tile<'a, P> {
    /// An idle tile, before [`TileMessage::Start`], whose operations follow `policy`.
    pub fn new(arch: &Arch, spec: TileSpec<'a>, policy: P) -> Self {
        let capacity = |bytes_per_cycle: u32| (!spec.uncontended).then_some(8 * u64::from(bytes_per_cycle));
        let edram = EdramBuffer::new(capacity(arch.edram.bytes_per_cycle), spec.slices, spec.results);
        Self {
            id: spec.id,
            inputs: TileInputs::new(edram, spec.controls),
            imas: ImaBank::new(arch, spec.imas, spec.groups, spec.fidelity, policy),
            outputs: TileOutputs::new(spec.parts),
            bus: Server::new(capacity(arch.bus.bytes_per_cycle)),
        }
    }

    /// Steps 1 to 3: what the cycle before has completed is passed on, found and released.
    #[inline(never)]
    fn settle<C: Context>(&mut self, context: &mut C) {
        let Self { id: tile, inputs, imas, outputs, .. } = self;
        outputs.pass_on(inputs, imas, context);
        outputs.look_ahead(inputs, imas);
        imas.supplied(inputs.release(*tile, context));
        outputs.release(*tile, inputs, imas, context);
    }

    /// Makes windows ready in cycle `now`. Returns true if an IMA that missed inputs can ask for them.
    #[inline(never)]
    fn supply(&mut self, now: Cycle) -> bool {
        let supplied = self.inputs.look_ahead(now);
        self.imas.supplied(supplied)
    }
}

fn wake_if(decision: bool) -> Wake {
    if decision { Wake::Evaluate } else { Wake::Sleep }
}

impl<C: Context, P: Policy> Component<C> for Tile<'_, P> {
    type Message = TileMessage;

    #[inline]
    fn receive(&mut self, message: TileMessage, context: &mut C) -> Wake {
        match message {
            TileMessage::Start => self.inputs.start(context.now()),
            TileMessage::InputsArrived { imas } => {
                return wake_if(self.imas.inputs_arrived::<C>(imas.into(), &mut self.inputs));
            }
            TileMessage::Stages { stages, batch } => {
                self.imas.perform(stages, batch, self.id, &self.inputs, context);
                return Wake::Sleep;
            }
            TileMessage::ReadsDone { imas } => self.imas.pipeline.reads_done(imas.into()),
            TileMessage::ResultsReady { imas } => self.imas.pipeline.results_ready(imas.into()),
            TileMessage::ResultsMerged { imas } => {
                return wake_if(self.imas.results_merged(imas.into(), &mut self.outputs));
            }
            TileMessage::PartialSum { part, window } => return wake_if(self.outputs.merge_partial_sums(part, window)),
            TileMessage::PartialSumCredit { part, limit } => return wake_if(self.outputs.credit(part, limit)),
            TileMessage::PoolCredit { part, image } => return wake_if(self.outputs.credit_pool(part, image)),
            TileMessage::PoolValue { part, level, image, position } => {
                self.outputs.deliver_pool_value(part, level, image, position);
            }
            TileMessage::SkipMerged { part } => self.outputs.merge_skip(part),
            TileMessage::Delivery { inputs: slice, held_up, bits, sequence } => {
                self.inputs.deliver(slice, sequence, bits, held_up);
            }
            TileMessage::Result { bits, position } => self.inputs.deliver_result(position, bits),
            TileMessage::Written { inputs: slice, held_up, sequence } => {
                self.inputs.end_write(slice, sequence, held_up);
            }
            TileMessage::Room => return wake_if(self.outputs.room()),
        }
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) -> Wake {
        let tile = self.id;
        self.inputs.arrive(tile, context);
        if self.inputs.is_supplied() {
            self.supply(context.now());
        }
        // Most evaluations are for the IMAs alone.
        if self.outputs.has_work() || self.inputs.has_work() {
            self.settle(context);
        }
        let Self { inputs, imas, outputs, bus, .. } = self;
        imas.start(tile, inputs, context);
        inputs.write(tile, context);
        imas.send_results(tile, inputs, bus, outputs, context);
        outputs.ask_for_skips(tile, inputs, imas, bus, context);
        imas.fetch(tile, inputs, bus, context);
        // What has been written is ready in the next cycle. Writes whose end is a message of that cycle are waited for.
        if inputs.is_supplied() && (inputs.is_writing(context.now()) || self.supply(context.now() + 1)) {
            return Wake::Evaluate;
        }
        wake_if(self.outputs.has_work() || self.inputs.has_work() || !self.imas.pipeline.can_start().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{OneLayer, POSITION_BITS, Record};
    use crate::{HeldUp, InputId, PartAddress, Waits};

    #[test]
    fn of_writes_that_end_together_the_awaited_one_says_what_held_the_window_up() {
        // A position and a half in a cycle.
        let machine = OneLayer::new(|arch| arch.edram.bytes_per_cycle = POSITION_BITS / 8 * 3 / 2);
        let here = [PartAddress { tile: TileId(0), part: LockstepId(0) }];
        let mut tile = Tile {
            id: TileId(0),
            inputs: machine.inputs(),
            imas: machine.imas(),
            outputs: machine.outputs(4, &here, 4),
            bus: machine.bus(),
        };
        let mut context = Record::new(4);
        let delivery = |sequence, bits, held_up| TileMessage::Delivery { inputs: InputId(0), held_up, bits, sequence };
        let held_up: [HeldUp; 2] = [(3, 0), (0, 5)].map(|(routers, links)| Waits { routers, links }.into());
        // The write of position 1 takes cycles 1 and 2, that of position 0 the rest of cycle 2.
        let messages = [
            (1, TileMessage::Start),
            (1, delivery(1, 2 * POSITION_BITS, held_up[1])),
            (2, delivery(0, POSITION_BITS, held_up[0])),
            (3, TileMessage::Written { inputs: InputId(0), held_up: held_up[1], sequence: 1 }),
        ];
        for now in 1..=3 {
            context.now = now;
            for (_, message) in messages.iter().filter(|(at, _)| *at == now) {
                tile.receive(*message, &mut context);
            }
            tile.evaluate(&mut context);
        }
        assert!(context.sent.contains(&messages[3]), "{:?}", context.sent);
        let control = &tile.inputs.controls[ControlId(0)];
        assert_eq!((control.ready, control.held_up(3)), (2, held_up[0]));
    }
}

//! A tile: the messages that it receives, and the order in which it decides.
//!
//! `receive` only records: it sets bits for IMAs, controls and parts of the output register that have something new.
//! `evaluate` then takes the decisions of the cycle, once, in this order; a step without work is skipped.
//!
//! | step | decision | resource | order of requests |
//! | --- | --- | --- | --- |
//! | 1 | finished windows and positions leave, partial sums are sent | rooms, credits | part; pool values first |
//! | 2 | windows whose inputs are all written become ready | - | replica |
//! | 3 | limits of slices rise as windows have been read | room table | slice |
//! | 4 | operations start | crossbars, output registers | group of the lowest IMA |
//! | 5 | arrived packets are written | eDRAM port | slice, sequence number |
//! | 6 | results are sent | bus | group of the lowest IMA |
//! | 7 | inputs are asked for | eDRAM port, bus | group of the lowest IMA |
//! | 8 | the tile wakes itself in the next cycle if steps 1 to 4 have new work | - | - |
//!
//! Steps 5 to 7 take effect at the end of the cycle, so what they complete is decided upon in the next. Writes precede
//! reads at the port, and results precede inputs on the bus (docs/model.md, "Arbitration in a tile").
//!
//! The methods of the steps are in the files of the directory: `inputs` (2, 3, 5, 7), `operations` (4), `results` (1,
//! 6). `account` adds up counts, and `waits` explains a tile that has stopped.

mod account;
mod inputs;
mod operations;
mod results;
mod waits;

use std::ops::Range;

use arch::Arch;
use des::{Component, Cycle, Wake};

pub use self::waits::{Awaited, Part, Waiting};
use crate::bits::ImaSet;
use crate::{
    Bus, Context, EdramBuffer, Fidelity, HeldUp, Ima, Inputs, LayerControl, LockstepGroup, PartialSums, Pipeline,
    TileMessage,
};

/// A tile: eDRAM buffer, bus, IMAs, layer controls, and the output register with sigmoid and max-pool.
///
/// Its messages come from meshes (packets), from other tiles (credits) and from itself (ends of transfers and
/// operations). Decisions are taken once a cycle, after all messages: writes before reads at the eDRAM port, results
/// before inputs on the bus.
#[derive(Clone, Debug)]
pub struct Tile<'a> {
    /// Number on the board.
    pub id: u32,
    fidelity: Fidelity,
    skip_zero_row_blocks: bool,
    partial_sum_bits: u32,
    /// Reads per operation, by the bits of its activations.
    iterations: [u32; network::FULL_PRECISION_BITS as usize + 1],
    bus: Bus,
    edram: EdramBuffer<'a>,
    /// IMAs that hold weights.
    pub imas: Vec<Ima>,
    /// For each IMA, the first cycle of its present or next pause: its crossbars are free from then on.
    idle_since: Vec<Cycle>,
    /// Layer controls, one for each replica with IMAs in the tile.
    pub controls: Vec<LayerControl<'a>>,
    /// Lockstep groups, one for each output group of each replica with IMAs in the tile.
    pub locksteps: Vec<LockstepGroup>,
    /// For each IMA, the number of its lockstep group and of its part of the output register.
    lockstep_of: Vec<u8>,
    /// Output register, one part for each lockstep group.
    pub sums: Vec<PartialSums<'a>>,
    pipeline: Pipeline,
    /// IMAs whose next window misses inputs, one bit each.
    starving: u64,
    /// IMAs whose results the output register has no room for, one bit each.
    refused: u64,
    /// Layer controls of which a lockstep group has read another window, one bit each.
    progressed: u64,
    /// Parts of the output register that may have work, one bit each.
    changed: u64,
    /// Parts of the output register that wait for room in the buffers of the next layer, one bit each.
    blocked: u64,
    /// Layer controls whose awaited input has been written, one bit each.
    supplied: u64,
    /// Writes to be granted in this cycle: input slice, sequence number, bits, delay on the way.
    deliveries: Vec<(u8, u32, u32, HeldUp)>,
    /// Writes that ended with the last cycle: input slice, sequence number, delay on the way.
    arrivals: Vec<(u8, u32, HeldUp)>,
    /// Values for max-pools received in this cycle: part of the output register, image, position.
    pool_values: Vec<(u8, u32, u32)>,
    /// Results of the last layer that are finished here.
    pub outputs: Outputs,
    /// Last cycle in which a write ended or a window was finished.
    pub last_active: Cycle,
    /// Sum, modulo 2^64, of hashes of all completions. Does not depend on their order.
    pub digest: u64,
}

/// Results of the last layer that a tile finishes.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Positions per image.
    pub positions: u32,
    /// For each image, the number of results written and the cycle of the last.
    pub images: Vec<(u64, Cycle)>,
    /// Bits written since the start.
    pub bits_written: u64,
}

/// Specification of a tile: its blocks and the options of the run.
#[derive(Clone, Debug)]
pub struct TileSpec<'a> {
    /// Number on the board.
    pub id: u32,
    /// Detail in which its IMAs are simulated.
    pub fidelity: Fidelity,
    /// Unlimited capacity of bus and eDRAM port.
    pub uncontended: bool,
    /// Images of the run.
    pub images: u32,
    /// IMAs that hold weights.
    pub imas: Vec<Ima>,
    /// Layer controls, one for each replica with IMAs in the tile.
    pub controls: Vec<LayerControl<'a>>,
    /// Input slices of the layers with IMAs in the tile.
    pub inputs: Vec<Inputs<'a>>,
    /// Lockstep groups, one for each output group of each replica with IMAs in the tile.
    pub locksteps: Vec<LockstepGroup>,
    /// One part of the output register for each lockstep group.
    pub sums: Vec<PartialSums<'a>>,
    /// Output positions of the last layer, per image.
    pub output_positions: u32,
}

/// IMAs that share a message of the tile to itself, since the same event occurs to them in the same cycle.
struct Batch {
    tile: u32,
    message: fn(ImaSet) -> TileMessage,
    at: Cycle,
    imas: u64,
}

impl Batch {
    fn new(tile: u32, message: fn(ImaSet) -> TileMessage) -> Self {
        Self { tile, message, at: 0, imas: 0 }
    }

    /// Adds IMAs whose event is in cycle `at`. Sends the previous batch first if its cycle is another.
    #[inline]
    fn add(&mut self, at: Cycle, imas: u64, context: &mut impl Context) {
        if self.at != at {
            self.send(context);
            (self.at, self.imas) = (at, 0);
        }
        self.imas |= imas;
    }

    #[inline]
    fn send(&self, context: &mut impl Context) {
        if self.imas != 0 {
            context.send(self.at - context.now(), self.tile, (self.message)(ImaSet::from(self.imas)));
        }
    }
}

/// Hashes the particulars of one completion into 64 bits.
pub(crate) fn digest(particulars: &[u64]) -> u64 {
    particulars.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, &value| {
        let mixed = (hash ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 32)
    })
}

impl<'a> Tile<'a> {
    /// An idle tile, before [`TileMessage::Start`].
    pub fn new(arch: &Arch, spec: TileSpec<'a>) -> Self {
        let capacity = |bytes_per_cycle: u32| (!spec.uncontended).then_some(8 * u64::from(bytes_per_cycle));
        Self {
            id: spec.id,
            fidelity: spec.fidelity,
            skip_zero_row_blocks: arch.ima.skip_zero_row_blocks,
            partial_sum_bits: arch.tile.partial_sum_bits,
            iterations: std::array::from_fn(|bits| (bits as u32).div_ceil(arch.dac.bits)),
            bus: Bus::new(capacity(arch.bus.bytes_per_cycle)),
            edram: EdramBuffer::new(capacity(arch.edram.bytes_per_cycle), spec.inputs),
            pipeline: Pipeline::new(spec.imas.len(), arch.ima.output_registers),
            lockstep_of: lockstep_of(&spec.locksteps, spec.imas.len()),
            idle_since: vec![1; spec.imas.len()],
            imas: spec.imas,
            controls: spec.controls,
            locksteps: spec.locksteps,
            sums: spec.sums,
            starving: 0,
            refused: 0,
            progressed: 0,
            changed: 0,
            blocked: 0,
            supplied: 0,
            deliveries: Vec::new(),
            arrivals: Vec::new(),
            pool_values: Vec::new(),
            outputs: Outputs {
                positions: spec.output_positions,
                images: vec![(0, 0); spec.images as usize],
                bits_written: 0,
            },
            last_active: 0,
            digest: 0,
        }
    }

    /// Input slices in the tile's buffer.
    pub fn inputs(&self) -> &[Inputs<'a>] {
        &self.edram.inputs
    }

    /// Cycles after the last operation of an IMA, in a run whose last cycle is `last`.
    pub fn finished_cycles(&self, ima: usize, last: Cycle) -> Range<Cycle> {
        self.idle_since[ima]..last + 1
    }

    /// Number of the layer control of an IMA.
    pub fn control_of(&self, ima: usize) -> usize {
        usize::from(self.locksteps[usize::from(self.lockstep_of[ima])].control)
    }

    /// Removes the IMAs of one lockstep group from the set `imas`, that of the lowest IMA. Returns the group's number
    /// and the IMAs removed.
    #[inline]
    fn take_lockstep(lockstep_of: &[u8], locksteps: &[LockstepGroup], imas: &mut u64) -> Option<(usize, u64)> {
        let first = (*imas != 0).then(|| imas.trailing_zeros() as usize)?;
        let lockstep = usize::from(lockstep_of[first]);
        let own = *imas & locksteps[lockstep].imas;
        *imas ^= own;
        Some((lockstep, own))
    }
}

/// For each of `imas` IMAs, the number of its lockstep group.
fn lockstep_of(locksteps: &[LockstepGroup], imas: usize) -> Vec<u8> {
    let lockstep = |ima: usize| locksteps.iter().position(|lockstep| lockstep.imas >> ima & 1 == 1);
    (0..imas).map(|ima| lockstep(ima).expect("every IMA is in a lockstep") as u8).collect()
}

fn wake_if(decision: bool) -> Wake {
    if decision { Wake::Evaluate } else { Wake::Sleep }
}

impl<C: Context> Component<C> for Tile<'_> {
    type Message = TileMessage;

    #[inline]
    fn receive(&mut self, message: TileMessage, context: &mut C) -> Wake {
        let now = context.now();
        match message {
            TileMessage::Start => {
                for control in &mut self.controls {
                    control.look_ahead(now, &self.edram.inputs[usize::from(control.inputs)]);
                }
            }
            TileMessage::InputsArrived { imas } => self.inputs_arrived(imas.mask()),
            TileMessage::Read { ima, operation, iteration } => {
                self.read_once(ima, operation, iteration, context);
                return Wake::Sleep;
            }
            TileMessage::Convert { ima, operation, last } => {
                self.convert_once(ima, operation, last, context);
                return Wake::Sleep;
            }
            TileMessage::Accumulate { ima, operation, last } => {
                self.merge_once(ima, operation, last, context);
                return Wake::Sleep;
            }
            TileMessage::ReadsDone { imas } => self.pipeline.reads_done(imas.mask()),
            TileMessage::ResultsReady { imas } => self.pipeline.results_ready(imas.mask()),
            TileMessage::ResultsMerged { imas } => self.results_merged(imas.mask()),
            TileMessage::PartialSum { sums: number, window } => {
                let sums = &mut self.sums[usize::from(number)];
                let complete = sums.merge_partial_sums(window);
                self.changed |= u64::from(complete) << number;
                return wake_if(complete);
            }
            TileMessage::PartialSumCredit { sums, limit } => {
                let has_waited = self.sums[usize::from(sums)].credited(limit);
                self.changed |= u64::from(has_waited) << sums;
                return wake_if(has_waited);
            }
            TileMessage::PoolCredit { sums, image } => {
                let has_waited = self.sums[usize::from(sums)].pool_credited(image);
                self.changed |= u64::from(has_waited) << sums;
                return wake_if(has_waited);
            }
            TileMessage::PoolValue { sums, image, position } => {
                self.pool_values.push((sums, image, position));
                self.changed |= 1 << sums;
            }
            TileMessage::Delivery { inputs, held_up, bits, rank } => {
                self.deliveries.push((inputs, rank, bits, held_up))
            }
            TileMessage::Written { inputs, held_up, rank } => self.arrivals.push((inputs, rank, held_up)),
            TileMessage::Tick => {}
            TileMessage::Room => {
                self.changed |= self.blocked;
                return wake_if(self.blocked != 0);
            }
        }
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) {
        if !self.arrivals.is_empty() {
            self.arrive(context);
        }
        if self.changed != 0 {
            self.pass_on(context);
        }
        if self.supplied != 0 {
            self.look_ahead(context.now());
        }
        if self.progressed != 0 {
            self.release(context);
        }
        let starting = self.pipeline.can_start();
        if starting != 0 {
            self.start(starting, context);
        }
        // Later decisions take effect at the end of the cycle.
        if !self.deliveries.is_empty() {
            self.write(context);
        }
        loop {
            let sending = self.pipeline.can_send() & !self.refused;
            if sending == 0 {
                break;
            }
            self.send_results(sending, context);
        }
        loop {
            let fetching = self.pipeline.can_fetch() & !self.starving;
            if fetching == 0 {
                break;
            }
            self.fetch(fetching, context);
        }
        if self.changed | self.supplied | self.progressed | self.pipeline.can_start() != 0 {
            context.send(1, self.id, TileMessage::Tick);
        }
    }
}

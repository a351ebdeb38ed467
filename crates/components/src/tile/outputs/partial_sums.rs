//! Output register of a tile: partial sums, max-pool and the exit of finished positions.
//!
//! Part `i` of the register belongs to lockstep group `i` of the tile, that is to one output group of one replica. A
//! window collects a contribution from these IMAs, once all of them have merged their results, and, in the accumulator
//! tile, one from each contributor. A complete window takes one of two ways:
//!
//! - in a contributor, it is sent to the accumulator tile as soon as the credit admits it, and leaves the register;
//! - in the accumulator tile, it passes sigmoid and max-pool. Its positions then queue for the input slices of the next
//!   layer, and the window leaves the register when its last position has been sent. Results of the last layer stay in
//!   the tile's eDRAM buffer.
//!
//! Windows are stored in order and numbered over all images. Each part holds `slots` windows. docs/model.md ("Room and
//! credits") argues that no ring of waits can close.

use std::collections::VecDeque;
use std::ops::Range;

use arch::Counts;
use des::{Fingerprint, Recurrent as _};
use index::{IndexVec, count, size};
use mapper::{Destination, GroupId, Level, LevelId, Pool, ReplicaId, TileId};

use super::contributions::Contributions;
use super::pool::{PoolCredits, PoolUnit};
use super::sigmoid::Sigmoid;
use super::skips::Skips;
use super::spec::{Exit, PartAddress, SumsSpec, Target};
use crate::completions::Particulars;
use crate::{Cause, Context, Event, HeldUp, InputId, LayerControl, Packet, Payload, Probe, SegmentId, TileMessage};

/// Values of a level in one part of the output register.
#[derive(Clone, Debug)]
struct LevelUnit {
    /// Outputs of the group that belong to the level: values per position.
    values: u32,
    /// Pool that makes the level, in the accumulator tile.
    pool: Option<PoolUnit>,
    /// Ways out from here.
    exits: Range<usize>,
}

/// A finished position that waits to be sent.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    image: u32,
    /// Step of the last window under the position. Buffers of readers admit positions in this order.
    step: u32,
    /// Number of the way out.
    exit: usize,
    /// Row times width plus column.
    position: u32,
    /// Oldest window that keeps its place in the register until the position has been sent.
    window: u32,
    /// Destination, by number, that had no room when the position was to be sent last.
    awaited: u32,
}

impl Leaving {
    /// Sort key: the order in which the buffers of readers admit positions.
    fn order(&self) -> (u32, u32, usize, u32) {
        (self.image, self.step, self.exit, self.position)
    }
}

/// The part of a tile's output register for one output group of one replica: windows in progress, in order.
///
/// The tile's shift-and-add merges results of the tile's IMAs into it. In the accumulator tile it also merges the
/// partial sums of the contributors, and hands finished windows to sigmoid, max-pool and the next layer. A window
/// leaves the register when the buffers of the next layer have room for all its positions.
///
/// Two rules make every wait point to an earlier window, so that no ring of waits can close. A window goes to the
/// max-pools only when each of them has room for its image; until then it keeps its place in the register. Positions
/// leave in the order in which the buffers of the next layer admit them, not in the order of completion.
#[derive(Clone, Debug)]
pub struct PartialSums<'a> {
    /// Windows that this part of the register holds.
    slots: u32,
    /// Outputs of the group: values per window.
    outputs: u32,
    /// Values of partial sums of contributors merged since the start.
    merged: u64,
    /// Contributions to the windows: one of the IMAs here, one of each contributor and one of the operands of joins. Complete
    /// windows are, in the accumulator tile, also finished (sigmoid, max-pool).
    contributions: Contributions,
    /// Accumulator of the windows; `None` if it is this part.
    accumulator: Option<PartAddress>,
    /// Credit for partial sums: windows that may have been sent to the accumulator, counted over all images.
    credit: u32,
    /// Windows that have left the register, counted over all images.
    left: u32,
    /// Finished positions that wait for room in the buffers of readers, in the order of leaving.
    leaving: VecDeque<Leaving>,
    /// Levels of the layer.
    levels: IndexVec<LevelId, LevelUnit>,
    /// Operands of joins; `None` if nothing is merged here.
    pub(crate) skips: Option<Skips>,
    /// Credits for the pools; `None` if no pool is shared with another replica.
    pool_credits: Option<PoolCredits>,
    sigmoid: Sigmoid,
    /// Values added up for means, and additions of stages, since the start.
    additions: u64,
    /// Specification.
    spec: Box<SumsSpec<'a>>,
}

impl<'a> PartialSums<'a> {
    /// An empty register.
    pub fn new(spec: SumsSpec<'a>) -> Self {
        let layer = spec.layer;
        let outputs = &layer.groups[spec.group].outputs;
        let accumulator = spec.accumulator_of(spec.replica);
        let accumulator = (accumulator.tile != spec.tile).then_some(accumulator);
        let unit = |(id, level): (LevelId, &Level)| {
            let values = outputs.end.min(level.outputs.end).saturating_sub(outputs.start.max(level.outputs.start));
            let pools_here = level.pool.is_some() && accumulator.is_none() && values > 0;
            let pool = pools_here.then(|| PoolUnit::new(level.contributions(spec.replica).to_vec()));
            let first = spec.exits.partition_point(|exit| exit.level < id);
            LevelUnit { values, pool, exits: first..spec.exits.partition_point(|exit| exit.level <= id) }
        };
        let levels = layer.levels.enumerate().map(unit).collect();
        let skips = (!spec.operands.is_empty()).then(|| Skips::new(spec.operands.clone()));
        let contributors = u32::try_from(spec.contributors.len()).expect("fewer than the tiles");
        let contributions = 1 + contributors + u32::from(skips.is_some());
        Self {
            outputs: outputs.end - outputs.start,
            merged: 0,
            contributions: Contributions::new(contributions),
            accumulator,
            credit: spec.credit,
            left: 0,
            leaving: VecDeque::new(),
            levels,
            skips,
            pool_credits: (spec.pools > 0).then(|| PoolCredits::new(spec.pools)),
            sigmoid: Sigmoid::default(),
            additions: 0,
            slots: spec.slots,
            spec: Box::new(spec),
        }
    }

    /// First window that the register has no room for, counted over all images.
    #[inline]
    pub(crate) fn room(&self) -> u32 {
        self.left + self.slots
    }

    /// Cause for which the register has no room for another window.
    pub(crate) fn refusal(&self) -> Cause {
        match self.contributions.missing_of_oldest() {
            _ if !self.leaving.is_empty() => Cause::DownstreamBuffer,
            0 if self.pool_credits.is_some() => Cause::MaxPool,
            1 if self.waits_for_skip() => Cause::Skip,
            _ => Cause::OutputRegister,
        }
    }

    /// Merges a contribution into `window`: the results of all IMAs here, or those of another tile. Returns true if the
    /// window is complete now.
    #[inline]
    pub(crate) fn merge(&mut self, window: u32) -> bool {
        self.contributions.add(window)
    }

    /// True if the operands of the oldest window have not been merged.
    fn waits_for_skip(&self) -> bool {
        self.skips.as_ref().is_some_and(|skips| skips.merged == self.contributions.complete)
    }

    /// Merges the operands of the next window that has been asked for. Returns true if the window is complete now.
    pub(crate) fn merge_skip(&mut self) -> bool {
        let window = self.skips.as_mut().expect("only joins have operands").merge();
        self.merge(window)
    }

    /// Merges partial sums of `window` from a contributor. Returns true if the window is complete now.
    pub(crate) fn merge_partial_sums(&mut self, window: u32) -> bool {
        assert!(window < self.room(), "partial sums of window {window} came without room");
        self.merged += u64::from(self.outputs);
        self.merge(window)
    }

    /// Raises the credit for partial sums to `limit` windows. Returns true if complete windows wait here.
    pub(crate) fn credited(&mut self, limit: u32) -> bool {
        self.credit = self.credit.max(limit);
        self.left < self.contributions.complete
    }

    /// Records that a max-pool has completed `image`. Returns true if the oldest window here is complete and waits.
    pub(crate) fn pool_credited(&mut self, image: u32) -> bool {
        self.pool_credits.as_mut().expect("only feeders of several max-pools have credits").credit(image);
        self.waits_for_max_pool()
    }

    /// Passes complete windows on, as far as there is room for them.
    pub(crate) fn pass_on<C: Context>(&mut self, control: &mut LayerControl, context: &mut C) {
        while self.contributions.missing_of_oldest() == 0 && self.pools_admit(control) {
            let window = self.contributions.pass();
            if self.accumulator.is_none() {
                self.finish(control, window, context);
            }
        }
        let left = self.left;
        match self.accumulator {
            Some(accumulator) => self.send_partial_sums(accumulator, context),
            None => self.send_positions(control, context),
        }
        if self.left > left {
            for &PartAddress { tile, part } in &self.spec.contributors {
                context.send_to_tile(1, tile, TileMessage::PartialSumCredit { part, limit: self.left + self.slots });
            }
        }
    }

    /// True if the max-pools have room for the image of the oldest window.
    #[inline]
    fn pools_admit(&self, control: &LayerControl) -> bool {
        self.pool_credits.as_ref().is_none_or(|credits| credits.admit(control.split(self.contributions.complete).0))
    }

    /// Passes the values of a complete window through the stages of its levels.
    fn finish<C: Context>(&mut self, control: &mut LayerControl, window: u32, context: &mut C) {
        let at = control.window(window);
        control.counters.windows += u64::from(at.bits > 0 && self.spec.group == GroupId(0));
        let (&SumsSpec { tile, layer_id, replica, group, .. }, now) = (&*self.spec, context.now());
        context.probe().observe(|| Event::Activate { tile, layer: layer_id, replica, window, at: now });
        let (image, step) = control.split(window);
        let of_replica = u64::from(replica.0) << 32 | u64::from(step);
        let particulars = Particulars::new([layer_id.0.into(), of_replica, group.0.into()]);
        context.completions().add(image, particulars, now);
        let layer = self.spec.layer;
        for (id, level) in layer.levels.enumerate().filter(|(_, level)| level.pool.is_none()) {
            if self.levels[id].values > 0 {
                self.pass((id, level), image, (at.y.into(), at.x.into()), (step, window), context);
            }
        }
    }

    /// Passes a finished position of a level, at row and column `at`, to its ways out and to the pools above it. `finish`
    /// is the step of the last window under it, and the oldest window that keeps its place until it has been sent.
    fn pass<C: Context>(
        &mut self,
        (id, level): (LevelId, &'a Level),
        image: u32,
        at: (u32, u32),
        finish: (u32, u32),
        context: &mut C,
    ) {
        let layer = self.spec.layer;
        let LevelUnit { values, exits, .. } = &self.levels[id];
        self.sigmoid.activate(values * level.look_ups);
        self.additions += u64::from(values * level.additions);
        let position = at.0 * level.width + at.1;
        for exit in exits.clone() {
            if self.spec.exits[exit].map.stores(position) {
                self.leave(image, exit, position, finish);
            }
        }
        for &above in &level.above {
            let pool = &layer.levels[above];
            pool.positions_over(at.0, at.1).for_each(|(y, x)| {
                let finisher = pool.finishes.at(y, x).expect("a value lies under the position").replica;
                if finisher == self.spec.replica {
                    self.pool_value(above, image, y * pool.width + x, finish.1, context);
                } else {
                    self.send_pool_value(above, finisher, image, y * pool.width + x, context);
                }
            });
        }
    }

    /// Takes a value into a position of the pool that makes level `id`. If that completes the position, it passes on;
    /// `window` keeps its place in the register until the position has been sent.
    fn pool_value<C: Context>(&mut self, id: LevelId, image: u32, position: u32, window: u32, context: &mut C) {
        let layer = self.spec.layer;
        let level = &layer.levels[id];
        let Pool { of, mean, .. } = level.pool.as_ref().expect("only pools take values");
        let unit = &mut self.levels[id];
        let pool = unit.pool.as_mut().expect("a group without values of the level has none for its pool");
        let before = pool.images();
        let finish = level.finishes.of(position).expect("a value lies under the position");
        let is_complete = pool.take(image, finish.ordinal, unit.values);
        let completed = before..pool.images();
        let at = (position / level.width, position % level.width);
        if mean.is_some() {
            let to_divide = if is_complete { level.additions_to_divide(at.0, at.1, &layer.levels[*of]) } else { 0 };
            self.additions += u64::from(unit.values * (1 + to_divide));
        }
        if !is_complete {
            return;
        }
        self.pass((id, level), image, at, (finish.step, window), context);
        for image in completed {
            for &PartAddress { tile, part } in &self.spec.feeders[id] {
                context.send_to_tile(1, tile, TileMessage::PoolCredit { part, image });
            }
        }
    }

    /// Takes a value of another replica into a position of a pool here.
    pub(crate) fn merge_pool_value<C: Context>(&mut self, id: LevelId, image: u32, position: u32, context: &mut C) {
        self.pool_value(id, image, position, self.contributions.complete, context);
    }

    /// Inserts a finished position into the queue of those that leave, at its place in their order.
    fn leave(&mut self, image: u32, exit: usize, position: u32, (step, window): (u32, u32)) {
        let leaving = Leaving { image, step, exit, position, window, awaited: 0 };
        let is_before = |other: &Leaving| other.order() < leaving.order();
        if self.leaving.back().is_none_or(is_before) {
            self.leaving.push_back(leaving);
        } else {
            let at = self.leaving.iter().rposition(is_before).map_or(0, |last| last + 1);
            self.leaving.insert(at, leaving);
        }
    }

    fn send_pool_value<C: Context>(
        &self,
        level: LevelId,
        finisher: ReplicaId,
        image: u32,
        position: u32,
        context: &mut C,
    ) {
        let (spec, to) = (&self.spec, self.spec.accumulator_of(finisher));
        let message = TileMessage::PoolValue { part: to.part, level, image, position };
        match spec.trees.layer(spec.layer_id).pool_values(level, spec.replica, finisher, spec.group) {
            Some(tree) => self.send(tree, Payload::Message(message), context),
            None => context.send_to_tile(1, to.tile, message),
        }
    }

    fn send_partial_sums<C: Context>(&mut self, accumulator: PartAddress, context: &mut C) {
        while self.left < self.contributions.complete.min(self.credit) {
            let message = TileMessage::PartialSum { part: accumulator.part, window: self.left };
            let tree = self.spec.to_accumulator.expect("a contributor has a tree to its accumulator");
            self.send(tree, Payload::Message(message), context);
            self.left += 1;
        }
    }

    fn send_positions<C: Context>(&mut self, control: &mut LayerControl, context: &mut C) {
        while let Some(&first) = self.leaving.front() {
            let exit = &self.spec.exits[first.exit];
            if let Err(awaited) = self.send_position(first, exit, control, context) {
                self.leaving[0].awaited = awaited;
                break;
            }
            if let Some(result) = exit.map.result {
                self.keep_result(first.image, result + first.position, exit.values, control, context);
            }
            self.leaving.pop_front();
        }
        self.left = self.leaving.iter().map(|leaving| leaving.window).min().unwrap_or(self.contributions.complete);
    }

    /// Sends a position to its destinations when all of them have room. If one has none, returns its number.
    fn send_position<C: Context>(
        &self,
        Leaving { image, position, .. }: Leaving,
        &Exit { map, targets, is_read_here, trees, .. }: &Exit,
        control: &mut LayerControl,
        context: &mut C,
    ) -> Result<(), u32> {
        let (spec, now) = (&self.spec, context.now());
        let destinations = map.destinations(position);
        let sequence_at = |destination: &Destination| {
            let target = &targets[destination.receiver];
            (target, image * target.positions + destination.rank)
        };
        let mut bits_sent = 0;
        for (number, destination) in (0..).zip(destinations) {
            let (target, sequence) = sequence_at(destination);
            if target.bits > 0 && sequence >= context.rooms().limit(target.room, now) {
                if context.rooms().wait(target.room, spec.tile, now) {
                    context.send_to_tile(1, spec.tile, TileMessage::Room);
                }
                return Err(number);
            }
            bits_sent += u64::from(target.bits);
        }
        control.counters.result_bits_sent += bits_sent;
        if is_read_here {
            for (&Target { tile, inputs, bits, .. }, sequence) in destinations.iter().map(sequence_at) {
                if bits > 0 && tile == spec.tile {
                    let held_up = HeldUp::default();
                    context.send_to_tile(1, tile, TileMessage::Delivery { inputs, held_up, bits, sequence });
                }
            }
        }
        for &tree in trees.roots(position, spec.group) {
            let first = &destinations[size(spec.trees.segment(tree).first)];
            let (_, sequence) = sequence_at(first);
            self.send(tree, Payload::Position { sequence, position, image }, context);
        }
        Ok(())
    }

    /// Writes a position of a result to the tile's own buffer, which never refuses it.
    fn keep_result<C: Context>(
        &self,
        image: u32,
        position: u32,
        values: u32,
        control: &mut LayerControl,
        context: &mut C,
    ) {
        let bits = values * self.spec.partial_sum_bits;
        control.counters.result_bits_sent += u64::from(bits);
        let position = image * self.spec.result_positions + position;
        context.send_to_tile(1, self.spec.tile, TileMessage::Result { bits, position });
    }

    /// Sends a packet into the mesh, along a tree.
    fn send<C: Context>(&self, tree: SegmentId, payload: Payload, context: &mut C) {
        let packet = Packet::new(self.spec.tile, tree, self.spec.trees.segment(tree), payload);
        context.send_to_mesh(1, self.spec.chip, packet);
    }

    /// Adds the state to a fingerprint, for a replica of `windows` windows.
    pub(crate) fn state(&self, windows: u32, print: &mut Fingerprint) {
        let Self {
            slots: _,
            outputs: _,
            merged: _,
            contributions,
            accumulator,
            credit,
            left,
            leaving,
            levels,
            skips,
            pool_credits,
            sigmoid: _,
            additions: _,
            spec: _,
        } = self;
        // The accumulator itself needs no credit.
        if accumulator.is_some() {
            print.counted(*credit, windows);
        }
        print.counted(*left, windows);
        contributions.state(windows, print);
        print.number(count(leaving.len()));
        for &Leaving { image, step, exit, position, window, awaited } in leaving {
            print.counted(image, 1);
            print.numbers([step, position, awaited]);
            print.number(count(exit));
            print.counted(window, windows);
        }
        for LevelUnit { values: _, pool, exits: _ } in levels {
            if let Some(pool) = pool {
                pool.state(print);
            }
        }
        if let Some(skips) = skips {
            skips.state(windows, print);
        }
        if let Some(credits) = pool_credits {
            credits.state(print);
        }
    }

    /// Counts of the register, its shift-and-add, sigmoid and pools, where `results` are the values handed over by the IMAs
    /// of the tile.
    pub(crate) fn counts(&self, results: u64, partial_sum_bits: u32) -> Counts {
        let merged = self.merged + results;
        let (skipped_bits, skipped) = self.skips.as_ref().map_or((0, 0), |skips| (skips.bits, skips.values));
        let is_maximum = |id: LevelId| self.spec.layer.levels[id].pool.as_ref().is_some_and(|pool| pool.mean.is_none());
        let pools =
            self.levels.enumerate().filter(|(id, _)| is_maximum(*id)).filter_map(|(_, unit)| unit.pool.as_ref());
        Counts {
            tile_output_register_bits: merged * u64::from(partial_sum_bits),
            tile_shift_adds: merged + skipped + self.additions,
            sigmoids: self.sigmoid.values,
            max_pools: pools.map(|pool| pool.values).sum(),
            edram_bits_read: skipped_bits,
            bus_bits: skipped_bits,
            ..Counts::default()
        }
    }

    /// Specification of the part.
    pub fn spec(&self) -> &SumsSpec<'a> {
        &self.spec
    }

    /// Windows that have left the register, counted over all images.
    #[inline]
    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    /// True if positions wait for room in the buffers of the next layer.
    pub(crate) fn waits_for_buffers(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// True if the oldest window has all its contributions: after [`Self::pass_on`], a max-pool has no room for its
    /// image.
    pub(crate) fn waits_for_max_pool(&self) -> bool {
        self.contributions.missing_of_oldest() == 0
    }

    /// Images that all pools here have completed; `None` if there is no pool.
    pub fn pool_images(&self) -> Option<u32> {
        self.levels.iter().filter_map(|unit| unit.pool.as_ref()).map(PoolUnit::images).min()
    }

    /// Obstacle that keeps the oldest window from leaving; `None` if there is no window. `merging` tells that some IMAs
    /// here have merged their results of a window.
    pub(crate) fn obstacle(&self, control: &LayerControl, merging: bool) -> Option<Obstacle> {
        if let Some(first) = self.leaving.front() {
            let Exit { map, targets, .. } = self.spec.exits[first.exit];
            let awaited = map.destinations(first.position)[size(first.awaited)];
            let Target { tile, inputs, .. } = targets[awaited.receiver];
            return Some(Obstacle::Room { tile, inputs });
        }
        match (self.accumulator, self.contributions.missing_of_oldest()) {
            (Some(accumulator), _) if self.left < self.contributions.complete => Some(Obstacle::Credit(accumulator)),
            _ if self.contributions.is_empty() && !merging => None,
            (None, 0) => Some(Obstacle::Pool { image: control.split(self.contributions.complete).0.saturating_sub(2) }),
            (None, 1) if self.waits_for_skip() => Some(Obstacle::Skip(self.skips.as_ref().and_then(Skips::awaited))),
            _ => Some(Obstacle::Contributions),
        }
    }
}

/// Reason why a window stays in the output register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// A buffer has no room for a position.
    Room {
        /// Tile of the board.
        tile: TileId,
        /// Input slice in that tile's buffer.
        inputs: InputId,
    },
    /// A max-pool has not completed an image.
    Pool {
        /// The image.
        image: u32,
    },
    /// The accumulator has given no credit for partial sums.
    Credit(PartAddress),
    /// An operand that the oldest window merges is missing: the input slice that lacks it, and its row and column.
    Skip(Option<(InputId, u32, u32)>),
    /// Results of IMAs or partial sums of contributors are missing.
    Contributions,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LockstepId;
    use crate::testing::{OneLayer, assert_told_apart};

    #[test]
    fn windows_and_positions_in_the_register_are_state() {
        let machine = OneLayer::new(|_| ());
        let elsewhere = [PartAddress { tile: TileId(9), part: LockstepId(3) }];
        let outputs = machine.outputs(4, &elsewhere, 0);
        let mut sums = outputs.parts[LockstepId(0)].clone();
        sums.leave(3, 0, 1, (1, 13));
        assert_told_apart(
            &sums,
            |sums, print| sums.state(4, print),
            &[
                |sums| sums.credit += 1,
                |sums| sums.left += 1,
                |sums| sums.contributions.complete += 1,
                |sums| _ = sums.merge(0),
                |sums| _ = sums.merge(1),
                |sums| sums.leaving[0].image += 1,
                |sums| sums.leaving[0].step += 1,
                |sums| sums.leaving[0].exit += 1,
                |sums| sums.leaving[0].position += 1,
                |sums| sums.leaving[0].window += 1,
                |sums| sums.leaving[0].awaited += 1,
                |sums| sums.leaving.clear(),
                |sums| sums.levels[LevelId(0)].pool = Some(PoolUnit::new(vec![1])),
                |sums| sums.skips = Some(Skips::new(Vec::new())),
                |sums| sums.pool_credits = Some(PoolCredits::new(1)),
            ],
        );
    }
}

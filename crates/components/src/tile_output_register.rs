use std::collections::VecDeque;

use mapper::LayerLayout;

use crate::{
    Cause, Context, Counts, HeldUp, LayerControl, MaxPool, Packet, PoolCredits, Probe, Sigmoid, TileMessage, Waits,
};

/// An input slice of the next layer, as an output group sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Tile of the board.
    pub tile: u32,
    /// Number of the inputs in that tile's buffer.
    pub inputs: u8,
    /// Number of the slice on the board.
    pub slice: u32,
    /// Bits that it takes of a position of the group; 0 if it reads none of the group's channels.
    pub bits: u32,
    /// Positions that it takes of an image.
    pub positions: u32,
}

/// Partial sums in some tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contributor {
    /// Tile of the board.
    pub tile: u32,
    /// Number of the partial sums in that tile.
    pub sums: u8,
}

/// What lies around the partial sums of one output group of one replica in a tile.
#[derive(Clone, Debug)]
pub struct SumsSpec<'a> {
    /// Chip of the board.
    pub chip: u32,
    /// Tile of the board.
    pub tile: u32,
    /// The layer.
    pub layer: &'a LayerLayout,
    /// Number of the layer in the network.
    pub layer_index: u16,
    /// The shares of the layer after; `None` for the last.
    pub targets: Option<&'a [Target]>,
    /// Copy of the layer.
    pub replica: u32,
    /// Output group of the layer.
    pub group: u32,
    /// IMAs here that contribute to each window, one bit each.
    pub imas: u64,
    /// Where each (replica, group) of the layer is finished, at index replica x groups + group.
    pub accumulators: &'a [Contributor],
    /// The other tiles with IMAs of the group, if the windows are finished here.
    pub contributors: Vec<Contributor>,
    /// Max-pools that the windows finished here go to, where some are in other replicas; none otherwise.
    pub pools: u32,
    /// Where the replicas that feed the max-pool here are finished, this one among them; none if it alone feeds it.
    pub feeders: Vec<Contributor>,
    /// Windows that the register holds.
    pub slots: u32,
    /// Windows that the register of the tile that finishes them holds.
    pub credit: u32,
    /// Bits of a result or partial sum.
    pub partial_sum_bits: u32,
    /// Bits of a flit.
    pub flit_bits: u32,
}

/// A finished position on its way out.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    image: u32,
    /// The step in which it is produced: in this order the buffers of the next layer admit positions.
    step: u32,
    /// Row times width plus column, after the pool.
    position: u32,
    /// The oldest window that stays in the register until the position has been sent.
    window: u32,
    /// Destinations already served.
    served: u32,
}

impl Leaving {
    /// Orders positions as the buffers of the next layer admit them.
    fn order(&self) -> (u32, u32, u32) {
        (self.image, self.step, self.position)
    }
}

/// The part of a tile's output register for one output group of one replica: windows in progress, in order.
///
/// It takes the results of the tile's IMAs, which the tile's shift-and-add merges. The tile with most of the group's
/// IMAs finishes the windows: it also takes the partial sums of the others, and hands the result to sigmoid, max-pool
/// and the next layer. A window leaves the register when the buffers of the next layer have taken it.
///
/// Two rules keep every wait pointing to an earlier window, so that no ring of waits can close. A window goes to the
/// max-pools only when each of them has room for its image; until then it keeps its place in the register. Positions
/// leave in the order in which the buffers of the next layer admit them, not in the order in which they are complete.
#[derive(Clone, Debug)]
pub struct PartialSums<'a> {
    /// Windows that the register holds.
    slots: u32,
    /// Outputs of the group.
    outputs: u32,
    /// Partial sums of other tiles merged.
    merged: u64,
    /// Contributions to each window.
    contributions: u32,
    /// Where the windows are finished, if not here.
    accumulator: Option<Contributor>,
    /// Windows that the finishing tile has room for.
    credit: u32,
    /// Windows that have left the register.
    left: u32,
    /// Windows that have all their contributions.
    complete: u32,
    /// Contributions that the windows from `complete` on still miss.
    missing: VecDeque<u32>,
    /// Finished positions that wait for room in the buffers of the next layer, in the order in which they leave.
    leaving: VecDeque<Leaving>,
    /// The max-pool behind the layer.
    pool: Option<MaxPool>,
    /// Room in the max-pools, where windows may have to wait for it.
    pool_credits: Option<PoolCredits>,
    sigmoid: Sigmoid,
    /// What lies around it.
    spec: Box<SumsSpec<'a>>,
}

impl<'a> PartialSums<'a> {
    /// An empty register.
    pub fn new(spec: SumsSpec<'a>) -> Self {
        let layer = spec.layer;
        let outputs = &layer.groups[spec.group as usize].outputs;
        let accumulator = spec.accumulators[spec.replica as usize * layer.groups.len() + spec.group as usize];
        let accumulator = (accumulator.tile != spec.tile).then_some(accumulator);
        let pools_here = layer.layer.pool.is_some() && accumulator.is_none();
        let pool = pools_here.then(|| MaxPool::new(layer.contributions(spec.replica).to_vec()));
        Self {
            outputs: outputs.end - outputs.start,
            merged: 0,
            contributions: spec.imas.count_ones() + spec.contributors.len() as u32,
            accumulator,
            credit: spec.credit,
            left: 0,
            complete: 0,
            missing: VecDeque::new(),
            leaving: VecDeque::new(),
            pool,
            pool_credits: (spec.pools > 0).then(|| PoolCredits::new(spec.pools)),
            sigmoid: Sigmoid::default(),
            slots: spec.slots,
            spec: Box::new(spec),
        }
    }

    /// The first window whose results the register has no room for.
    #[inline]
    pub fn room(&self) -> u32 {
        self.left + self.slots
    }

    /// Why the register has no room for more.
    pub fn refusal(&self) -> Cause {
        match self.missing.front() {
            _ if !self.leaving.is_empty() => Cause::DownstreamBuffer,
            Some(0) => Cause::MaxPool,
            _ => Cause::OutputRegister,
        }
    }

    /// The shift-and-add merges `contributions` of IMAs or of another tile into `window`. Returns whether that
    /// completes it.
    #[inline]
    pub fn merge(&mut self, window: u32, contributions: u32) -> bool {
        let index = (window - self.complete) as usize;
        while self.missing.len() <= index {
            self.missing.push_back(self.contributions);
        }
        let missing = &mut self.missing[index];
        assert!(*missing >= contributions, "window {window} got a contribution too many");
        *missing -= contributions;
        *missing == 0
    }

    /// Partial sums of `window` have come from another tile. Returns whether that completes it.
    pub fn merge_partial_sums(&mut self, window: u32) -> bool {
        assert!(window < self.room(), "partial sums of window {window} came without room");
        self.merged += u64::from(self.outputs);
        self.merge(window, 1)
    }

    /// The finishing tile has room for windows up to `limit`. Returns whether any has waited for that.
    pub fn credited(&mut self, limit: u32) -> bool {
        self.credit = self.credit.max(limit);
        self.left < self.complete
    }

    /// A max-pool that windows from here go to has completed `image`. Returns whether any has waited for that.
    pub fn pool_credited(&mut self, image: u32) -> bool {
        self.pool_credits.as_mut().expect("only feeders of several max-pools have credits").credit(image);
        self.waits_for_max_pool()
    }

    /// Passes on what is complete, as far as there is room for it. Returns the digest of the windows completed.
    pub fn pass_on<C: Context>(&mut self, control: &mut LayerControl, context: &mut C) -> u64 {
        let mut digest = 0u64;
        while self.missing.front() == Some(&0) && self.pools_admit(control) {
            self.missing.pop_front();
            let window = self.complete;
            self.complete += 1;
            if self.accumulator.is_none() {
                digest = digest.wrapping_add(crate::tile::digest(&[
                    u64::from(self.spec.layer_index),
                    u64::from(self.spec.replica) << 32 | u64::from(window),
                    u64::from(self.spec.group),
                    context.now(),
                ]));
                self.finish(control, window, context);
            }
        }
        let left = self.left;
        match self.accumulator {
            Some(accumulator) => self.send_partial_sums(accumulator, context),
            None => self.send_positions(control, context),
        }
        if self.left > left {
            for &Contributor { tile, sums } in &self.spec.contributors {
                context.send(1, tile, TileMessage::PartialSumCredit { sums, limit: self.left + self.slots });
            }
        }
        digest
    }

    /// Whether the max-pools have room for the image of the oldest window.
    #[inline]
    fn pools_admit(&self, control: &LayerControl) -> bool {
        self.pool_credits.as_ref().is_none_or(|credits| credits.admit(control.split(self.complete).0))
    }

    /// Activates a complete window and hands it to the max-pool, or straight to the positions on their way out.
    fn finish<C: Context>(&mut self, control: &mut LayerControl, window: u32, context: &mut C) {
        control.counters.windows += u64::from(self.spec.group == 0);
        self.sigmoid.activate(self.outputs);
        let (SumsSpec { tile, layer_index, replica, .. }, now) = (&*self.spec, context.now());
        context.probe().activate(*tile, *layer_index, *replica, window, now);
        let (image, _) = control.split(window);
        let layer = self.spec.layer;
        let (rows, columns) = layer.positions_under(control.window(window));
        for y in rows {
            for x in columns.clone() {
                let position = y * layer.layer.pooled.width + x;
                let finisher = layer.finisher[position as usize];
                if self.pool.is_none() {
                    self.leave(image, position, window);
                } else if finisher == self.spec.replica {
                    self.pool_value(image, position, window, context);
                } else {
                    self.send_pool_value(finisher, image, position, context);
                }
            }
        }
    }

    /// Takes the outputs of one window into a position of the max-pool; `window` is the one to wait with its exit.
    fn pool_value<C: Context>(&mut self, image: u32, position: u32, window: u32, context: &mut C) {
        let pool = self.pool.as_mut().expect("a layer without max-pool has no value for one");
        let before = pool.images();
        if !pool.take(image, self.spec.layer.ordinal[position as usize], self.outputs) {
            return;
        }
        let completed = before..pool.images();
        self.leave(image, position, window);
        for image in completed {
            for &Contributor { tile, sums } in &self.spec.feeders {
                context.send(1, tile, TileMessage::PoolCredit { sums, image });
            }
        }
    }

    /// Takes the outputs of a window of another replica into a position of the max-pool.
    pub fn merge_pool_value<C: Context>(&mut self, image: u32, position: u32, context: &mut C) {
        self.pool_value(image, position, self.complete, context);
    }

    /// Puts a finished position among those that leave.
    fn leave(&mut self, image: u32, position: u32, window: u32) {
        let step = self.spec.layer.produced[position as usize];
        let leaving = Leaving { image, step, position, window, served: 0 };
        let is_before = |other: &Leaving| other.order() < leaving.order();
        if self.leaving.back().is_none_or(is_before) {
            self.leaving.push_back(leaving);
        } else {
            let at = self.leaving.iter().rposition(is_before).map_or(0, |last| last + 1);
            self.leaving.insert(at, leaving);
        }
    }

    fn send_pool_value<C: Context>(&self, finisher: u32, image: u32, position: u32, context: &mut C) {
        let layer = self.spec.layer;
        let accumulator = self.spec.accumulators[finisher as usize * layer.groups.len() + self.spec.group as usize];
        let bits = self.outputs * self.spec.partial_sum_bits;
        self.send(accumulator.tile, bits, TileMessage::PoolValue { sums: accumulator.sums, image, position }, context);
    }

    fn send_partial_sums<C: Context>(&mut self, accumulator: Contributor, context: &mut C) {
        while self.left < self.complete.min(self.credit) {
            let message = TileMessage::PartialSum { sums: accumulator.sums, window: self.left };
            self.send(accumulator.tile, self.outputs * self.spec.partial_sum_bits, message, context);
            self.left += 1;
        }
    }

    fn send_positions<C: Context>(&mut self, control: &mut LayerControl, context: &mut C) {
        while let Some(&first) = self.leaving.front() {
            let served = match self.spec.targets {
                Some(targets) => self.send_position(first, targets, control, context),
                None => self.keep_results(first, control, context),
            };
            if let Some(served) = served {
                self.leaving[0].served = served;
                break;
            }
            self.leaving.pop_front();
        }
        self.left = self.leaving.iter().map(|leaving| leaving.window).min().unwrap_or(self.complete);
    }

    /// Sends a position to its destinations in order. Returns how many have been served if one has no room.
    fn send_position<C: Context>(
        &self,
        leaving: Leaving,
        targets: &[Target],
        control: &mut LayerControl,
        context: &mut C,
    ) -> Option<u32> {
        let destinations = self.spec.layer.destinations(leaving.position);
        for (served, destination) in destinations.iter().enumerate().skip(leaving.served as usize) {
            let Target { tile, inputs, slice, bits, positions } = targets[destination.slice as usize];
            if bits == 0 {
                continue;
            }
            let rank = leaving.image * positions + destination.rank;
            let now = context.now();
            if rank >= context.shared().limit(slice, now) {
                if context.shared().wait(slice, self.spec.tile, now) {
                    context.send(1, self.spec.tile, TileMessage::Room);
                }
                return Some(served as u32);
            }
            control.counters.result_bits_sent += u64::from(bits);
            self.send(tile, bits, TileMessage::Delivery { inputs, held_up: HeldUp::default(), bits, rank }, context);
        }
        None
    }

    /// The results of the last layer stay in the tile's buffer.
    fn keep_results<C: Context>(&self, leaving: Leaving, control: &mut LayerControl, context: &mut C) -> Option<u32> {
        let bits = self.outputs * self.spec.partial_sum_bits;
        control.counters.result_bits_sent += u64::from(bits);
        let positions = self.spec.layer.produced.len() as u32;
        let rank = leaving.image * positions + leaving.position;
        let message = TileMessage::Delivery { inputs: TileMessage::RESULTS, held_up: HeldUp::default(), bits, rank };
        self.send(self.spec.tile, bits, message, context);
        None
    }

    /// To the same tile the message takes a cycle; to another it takes the mesh, and links between chips.
    fn send<C: Context>(&self, destination: u32, bits: u32, message: TileMessage, context: &mut C) {
        let source = self.spec.tile;
        if destination == source {
            context.send(1, destination, message);
            return;
        }
        let flits = bits.div_ceil(self.spec.flit_bits);
        let layer = self.spec.layer_index;
        let packet =
            Packet { source, destination, flits, bits, waits: Waits::default(), layer, entered: None, message };
        context.send(1, self.spec.chip, packet);
    }

    /// What the register, its shift-and-add, and the sigmoid and max-pool units behind it counted, where the IMAs here
    /// handed over `results`.
    pub fn counts(&self, results: u64, partial_sum_bits: u32) -> Counts {
        let merged = self.merged + results;
        Counts {
            tile_output_register_bits: merged * u64::from(partial_sum_bits),
            tile_shift_adds: merged,
            sigmoids: self.sigmoid.values,
            max_pools: self.pool.as_ref().map_or(0, |pool| pool.values),
            ..Counts::default()
        }
    }

    /// What lies around it.
    pub fn spec(&self) -> &SumsSpec<'a> {
        &self.spec
    }

    /// Windows that have left the register.
    #[inline]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Whether the buffers of the next layer keep the oldest window here.
    pub fn waits_for_buffers(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Whether the oldest window is complete, and a max-pool has no room for its image.
    pub fn waits_for_max_pool(&self) -> bool {
        self.missing.front() == Some(&0)
    }

    /// Images that the max-pool here has completed; `None` if there is none.
    pub fn pool_images(&self) -> Option<u32> {
        self.pool.as_ref().map(MaxPool::images)
    }

    /// What keeps the oldest window here from leaving; `None` if there is no window.
    pub fn obstacle(&self, control: &LayerControl) -> Option<Obstacle> {
        if let Some(first) = self.leaving.front() {
            let targets = self.spec.targets.expect("results of the last layer find room");
            let awaited = self.spec.layer.destinations(first.position)[first.served as usize];
            let Target { tile, inputs, .. } = targets[awaited.slice as usize];
            return Some(Obstacle::Room { tile, inputs });
        }
        match (self.accumulator, self.missing.front()) {
            (Some(accumulator), _) if self.left < self.complete => Some(Obstacle::Credit(accumulator)),
            (_, None) => None,
            (None, Some(0)) => Some(Obstacle::Pool { image: control.split(self.complete).0.saturating_sub(2) }),
            _ => Some(Obstacle::Contributions),
        }
    }
}

/// What a window in the output register waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Room in the buffer of a tile.
    Room {
        /// Tile of the board.
        tile: u32,
        /// Number of the inputs in that tile's buffer.
        inputs: u8,
    },
    /// A max-pool that has not completed an image.
    Pool {
        /// The image.
        image: u32,
    },
    /// Room for partial sums where windows are finished.
    Credit(Contributor),
    /// Results and partial sums.
    Contributions,
}

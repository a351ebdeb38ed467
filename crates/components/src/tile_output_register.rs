use std::collections::VecDeque;

use mapper::LayerLayout;

use crate::{Cause, Context, Counts, HeldUp, LayerControl, MaxPool, Packet, Probe, Sigmoid, TileMessage, Waits};

/// A share of the next layer, as an output group sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Tile of the board.
    pub tile: u32,
    /// Number of the inputs in that tile's buffer.
    pub inputs: u8,
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

/// What lies around the partial sums of one output group of one copy in a tile.
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
    pub copy: u32,
    /// Output group of the layer.
    pub group: u32,
    /// IMAs here that contribute to each window, one bit each.
    pub imas: u64,
    /// Where each (copy, group) of the layer is finished, at index copy x groups + group.
    pub homes: &'a [Contributor],
    /// The other tiles with IMAs of the group, if the windows are finished here.
    pub helpers: Vec<Contributor>,
    /// Windows that the register holds.
    pub slots: u32,
    /// Outlets of the tile before those of this layer.
    pub first_outlet: u16,
    /// Bits of a result or partial sum.
    pub partial_sum_bits: u32,
    /// Bits of a flit.
    pub flit_bits: u32,
}

/// A finished position on its way out.
#[derive(Clone, Copy, Debug)]
struct Leaving {
    image: u32,
    /// Row times width plus column, after the pool.
    position: u32,
    /// The window that finished it, which stays in the register until the position has been sent.
    window: u32,
    /// Destinations already served.
    served: u32,
}

/// The part of a tile's output register for one output group of one copy: windows in progress, in order.
///
/// It takes the results of the tile's IMAs, which the tile's shift-and-add merges. The tile with most of the group's
/// IMAs finishes the windows: it also takes the partial sums of the others, and hands the result to sigmoid, max-pool
/// and the next layer. A window leaves the register when the buffers of the next layer have taken it.
#[derive(Clone, Debug)]
pub struct PartialSums<'a> {
    /// Windows that the register holds.
    slots: u32,
    /// Outputs of the group.
    outputs: u32,
    /// Partial sums of other tiles merged.
    merged: u64,
    /// Contributions to each window.
    contributions: u16,
    /// Where the windows are finished, if not here.
    home: Option<Contributor>,
    /// Windows that the finishing tile has room for.
    credit: u32,
    /// Windows that have left the register.
    left: u32,
    /// Windows that have all their contributions.
    complete: u32,
    /// Contributions that the windows from `complete` on still miss.
    missing: VecDeque<u16>,
    /// Finished positions that wait for room in the buffers of the next layer.
    leaving: VecDeque<Leaving>,
    /// The max-pool behind the layer.
    pool: Option<MaxPool>,
    sigmoid: Sigmoid,
    /// What lies around it.
    spec: Box<SumsSpec<'a>>,
}

impl<'a> PartialSums<'a> {
    /// An empty register.
    pub fn new(spec: SumsSpec<'a>) -> Self {
        let layer = spec.layer;
        let outputs = &layer.groups[spec.group as usize].outputs;
        let home = spec.homes[spec.copy as usize * layer.groups.len() + spec.group as usize];
        let home = (home.tile != spec.tile).then_some(home);
        let pools_here = layer.layer.pool.is_some() && home.is_none();
        let pool = pools_here.then(|| MaxPool::new(layer.contributions(spec.copy).to_vec()));
        Self {
            outputs: outputs.end - outputs.start,
            merged: 0,
            contributions: spec.imas.count_ones() as u16 + spec.helpers.len() as u16,
            home,
            credit: spec.slots,
            left: 0,
            complete: 0,
            missing: VecDeque::new(),
            leaving: VecDeque::new(),
            pool,
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
        if self.leaving.is_empty() { Cause::OutputRegister } else { Cause::DownstreamBuffer }
    }

    /// The shift-and-add merges `contributions` of IMAs or of another tile into `window`. Returns whether that completes
    /// it.
    #[inline]
    pub fn merge(&mut self, window: u32, contributions: u16) -> bool {
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
        self.merged += u64::from(self.outputs);
        self.merge(window, 1)
    }

    /// The finishing tile has room for windows up to `limit`. Returns whether any has waited for that.
    pub fn credited(&mut self, limit: u32) -> bool {
        self.credit = self.credit.max(limit);
        self.left < self.complete
    }

    /// Passes on what is complete, as far as there is room for it. `limits` are those of the tile's outlets.
    pub fn pass_on<C: Context>(&mut self, control: &mut LayerControl, limits: &[u32], context: &mut C) -> u64 {
        let mut digest = 0u64;
        while self.missing.front() == Some(&0) {
            self.missing.pop_front();
            let window = self.complete;
            self.complete += 1;
            if self.home.is_none() {
                digest = digest.wrapping_add(crate::tile::digest(&[
                    u64::from(self.spec.layer_index),
                    u64::from(self.spec.copy) << 32 | u64::from(window),
                    u64::from(self.spec.group),
                    context.now(),
                ]));
                self.finish(control, window, context);
            }
        }
        let left = self.left;
        match self.home {
            Some(home) => self.send_partial_sums(home, context),
            None => self.send_positions(control, limits, context),
        }
        if self.left > left {
            for &Contributor { tile, sums } in &self.spec.helpers {
                context.send(1, tile, TileMessage::PartialSumCredit { sums, limit: self.left + self.slots });
            }
        }
        digest
    }

    /// Activates a complete window and hands it to the max-pool, or straight to the positions on their way out.
    fn finish<C: Context>(&mut self, control: &mut LayerControl, window: u32, context: &mut C) {
        control.tally.windows += u64::from(self.spec.group == 0);
        self.sigmoid.activate(self.outputs);
        let (SumsSpec { tile, layer_index, copy, .. }, now) = (&*self.spec, context.now());
        context.probe().activate(*tile, *layer_index, *copy, window, now);
        let (image, _) = control.split(window);
        let layer = self.spec.layer;
        let (rows, columns) = layer.positions_under(control.window(window));
        for y in rows {
            for x in columns.clone() {
                let position = y * layer.layer.pooled.width + x;
                let finisher = layer.finisher[position as usize];
                if self.pool.is_none() {
                    self.leaving.push_back(Leaving { image, position, window, served: 0 });
                } else if finisher == self.spec.copy {
                    self.pool_value(image, position, window);
                } else {
                    self.send_pool_value(finisher, image, position, context);
                }
            }
        }
    }

    /// Takes the outputs of one window into a position of the max-pool; `window` is the one to wait with its exit.
    fn pool_value(&mut self, image: u32, position: u32, window: u32) {
        let pool = self.pool.as_mut().expect("a layer without max-pool has no value for one");
        if pool.take(image, self.spec.layer.ordinal[position as usize], self.outputs) {
            self.leaving.push_back(Leaving { image, position, window, served: 0 });
        }
    }

    /// Takes the outputs of a window of another copy into a position of the max-pool.
    pub fn merge_pool_value(&mut self, image: u32, position: u32) {
        self.pool_value(image, position, self.complete);
    }

    fn send_pool_value<C: Context>(&self, finisher: u32, image: u32, position: u32, context: &mut C) {
        let layer = self.spec.layer;
        let home = self.spec.homes[finisher as usize * layer.groups.len() + self.spec.group as usize];
        let bits = self.outputs * self.spec.partial_sum_bits;
        self.send(home.tile, bits, TileMessage::PoolValue { sums: home.sums, image: image as u16, position }, context);
    }

    fn send_partial_sums<C: Context>(&mut self, home: Contributor, context: &mut C) {
        while self.left < self.complete.min(self.credit) {
            let message = TileMessage::PartialSum { sums: home.sums, window: self.left };
            self.send(home.tile, self.outputs * self.spec.partial_sum_bits, message, context);
            self.left += 1;
        }
    }

    fn send_positions<C: Context>(&mut self, control: &mut LayerControl, limits: &[u32], context: &mut C) {
        while let Some(&first) = self.leaving.front() {
            let served = match self.spec.targets {
                Some(targets) => self.send_position(first, targets, control, limits, context),
                None => self.keep_results(first, control, context),
            };
            if let Some(served) = served {
                self.leaving[0].served = served;
                break;
            }
            self.leaving.pop_front();
        }
        self.left = self.leaving.front().map_or(self.complete, |first| first.window);
    }

    /// Sends a position to its destinations in order. Returns how many have been served if one has no room.
    fn send_position<C: Context>(
        &self,
        leaving: Leaving,
        targets: &[Target],
        control: &mut LayerControl,
        limits: &[u32],
        context: &mut C,
    ) -> Option<u32> {
        let destinations = self.spec.layer.destinations(leaving.position);
        for (served, destination) in destinations.iter().enumerate().skip(leaving.served as usize) {
            let Target { tile, inputs, bits, positions } = targets[destination.share as usize];
            if bits == 0 {
                continue;
            }
            let rank = leaving.image * positions + destination.rank;
            if rank >= limits[usize::from(self.spec.first_outlet) + destination.share as usize] {
                return Some(served as u32);
            }
            control.tally.result_bits_sent += u64::from(bits);
            self.send(tile, bits, TileMessage::Delivery { inputs, held_up: HeldUp::default(), bits, rank }, context);
        }
        None
    }

    /// The results of the last layer stay in the tile's buffer.
    fn keep_results<C: Context>(&self, leaving: Leaving, control: &mut LayerControl, context: &mut C) -> Option<u32> {
        let bits = self.outputs * self.spec.partial_sum_bits;
        control.tally.result_bits_sent += u64::from(bits);
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

    /// Windows that some contributions have come for, and not all.
    pub fn incomplete(&self) -> usize {
        self.missing.len()
    }
}

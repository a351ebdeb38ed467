//! Layout of a network: everything that follows from a mapping.
//!
//! [`Layout::new`] works from the first layer to the last. For each layer it
//!
//! 1. deals the windows that are not cropped to the replicas, in the order of computation ([`Grid`]);
//! 2. finds the last window, the finisher and the contributions of each position after the max-pool;
//! 3. builds the input slice of each tile that holds IMAs of the layer. Sequence numbers follow the steps in which the
//!    previous layer produces its positions, so that layer comes first;
//! 4. inverts the slices into the destinations of the previous layer's positions.
//!
//! Last, the buffer and the output register of every tile are checked.
//!
//! Data per replica and per position are flat vectors with a vector of starts: the windows of replica `r` are
//! `windows[starts[r]..starts[r + 1]]`. A position is row times width plus column of the map after the pool; without a
//! pool, each window has a position of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use arch::Arch;
use network::{Layer, LayerKind, Network, Plan};

use crate::{Geometry, Grid, InputOrder, InputSlice, Mapping, MappingError, OutputGroup, limits};

/// Marks the step or sequence number of a position that is never produced (cropped) or never received by the tile.
pub const NEVER: u32 = u32::MAX;

/// One output position that a replica computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Row of the output map.
    pub y: u16,
    /// Column of the output map.
    pub x: u16,
    /// Bits of its activations, at least 1.
    pub bits: u8,
    /// True if no input under the kernel is padding or cropped.
    pub whole: bool,
}

impl Window {
    /// Returns rows and columns of the input map under the kernel, without padding.
    #[inline]
    pub fn receptive_field(&self, layer: &Layer) -> (Range<u32>, Range<u32>) {
        let span = |at: u16, kernel: u32, size: u32| {
            let start = u32::from(at) * layer.stride;
            start.saturating_sub(layer.padding)..(start + kernel).saturating_sub(layer.padding).min(size)
        };
        (span(self.y, layer.kernel_height, layer.input.height), span(self.x, layer.kernel_width, layer.input.width))
    }
}

/// Receiver of an output position: one tile of the next layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Index among the input slices of the next layer.
    pub slice: u32,
    /// Sequence number of the position in that slice.
    pub rank: u32,
}

/// Everything that follows from a mapping.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Mapping that the layout follows from.
    pub mapping: Mapping,
    /// One entry per layer of the network.
    pub layers: Vec<LayerLayout>,
}

/// Everything that follows from the mapping of one layer.
#[derive(Clone, Debug)]
pub struct LayerLayout {
    /// The layer.
    pub layer: Layer,
    /// Bits of each stored input: the most that any window of the layer has.
    pub stored_bits: u32,
    /// Crossbars and IMAs of one replica.
    pub geometry: Geometry,
    /// First IMA of each replica, numbered over the board.
    pub replicas: Vec<u32>,
    /// Output groups of one replica.
    pub groups: Vec<OutputGroup>,
    /// Windows that are not cropped: replica by replica, in the order of computation.
    windows: Vec<Window>,
    /// Start of each replica's entries in `windows`.
    starts: Vec<u32>,
    /// Step of the last window under each position after the pool; [`NEVER`] where all its windows are cropped.
    pub produced: Vec<u32>,
    /// Replica with the last window under each position after the pool, which finishes it; [`NEVER`] where all its
    /// windows are cropped.
    pub finisher: Vec<u32>,
    /// Number of each position after the pool among those of its finisher; [`NEVER`] where it has none.
    pub ordinal: Vec<u32>,
    /// Number of windows that are not cropped under each position after the pool: finisher by finisher, by ordinal.
    contributions: Vec<u32>,
    /// Start of each replica's entries in `contributions`.
    position_starts: Vec<u32>,
    /// Sorted pairs (finisher, feeder): a replica that finishes a position after the max-pool and a replica with a
    /// window under it. Empty where every position lies within one replica.
    pool_feeds: Vec<(u32, u32)>,
    /// Input slices of the layer, one per tile that holds IMAs of it, in order of tiles.
    pub slices: Vec<InputSlice>,
    /// Start of the entries of each position after the pool in `destinations`.
    destination_starts: Vec<u32>,
    destinations: Vec<Destination>,
}

impl Layout {
    /// Lays out `mapping` and checks it against the machine: every tile's output register and buffer must hold what
    /// they need at once. Returns all errors of the first check that fails.
    pub fn new(arch: &Arch, network: &Network, plan: &Plan, mapping: Mapping) -> Result<Self, Vec<MappingError>> {
        limits::check_network(network)?;
        let geometries = mapping.geometries(arch, network, plan)?;
        let mut layers: Vec<LayerLayout> = Vec::with_capacity(network.layers.len());
        for (index, geometry) in geometries.into_iter().enumerate() {
            let (layer, precision, mapped) = (&network.layers[index], &plan.layers[index], &mapping.layers[index]);
            let _span = tracing::debug_span!("lay out", layer = %layer.name).entered();
            let grid = Grid::new(layer, mapped.area(layer), mapped.strips, mapped.interleave);
            let produced = layers.last().map(|before| before.produced.as_slice());
            let cropped = produced.filter(|produced| produced.contains(&NEVER));
            let mut windows = Vec::with_capacity(layer.windows() as usize);
            let mut starts = vec![0];
            for replica in 0..mapped.replicas.len() as u32 {
                windows.extend(grid.windows(replica).filter_map(|(y, x)| {
                    let bits = precision.bits_at(y, x) as u8;
                    (bits > 0).then(|| whole(Window { y: y as u16, x: x as u16, bits, whole: false }, layer, cropped))
                }));
                starts.push(windows.len() as u32);
            }
            let mut laid = LayerLayout {
                layer: layer.clone(),
                stored_bits: precision.stored_bits(layer),
                groups: geometry.output_groups(),
                geometry,
                replicas: mapped.replicas.clone(),
                windows,
                starts,
                produced: Vec::new(),
                finisher: Vec::new(),
                ordinal: Vec::new(),
                contributions: Vec::new(),
                position_starts: Vec::new(),
                pool_feeds: Vec::new(),
                slices: Vec::new(),
                destination_starts: Vec::new(),
                destinations: Vec::new(),
            };
            laid.finish_positions();
            laid.slices = laid.receive(arch, produced);
            if let Some(before) = layers.last_mut() {
                let destinations = laid.slices.iter().map(|slice| u64::from(slice.order.positions)).sum();
                limits::check_layer(before, destinations)?;
                before.send_to(&laid.slices);
            }
            layers.push(laid);
        }
        if let Some(last) = layers.last_mut() {
            limits::check_layer(last, 0)?;
            last.send_to(&[]);
        }
        let layout = Self { mapping, layers };
        layout.check_tiles(arch)?;
        Ok(layout)
    }

    /// Returns the bytes that the input slices and the output groups of each tile need: (inputs, results, layers with
    /// inputs).
    fn tile_needs(&self, arch: &Arch) -> BTreeMap<u32, (u64, u64, Vec<usize>)> {
        let mut needs: BTreeMap<u32, (u64, u64, Vec<usize>)> = BTreeMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for slice in &layer.slices {
                let need = needs.entry(slice.tile).or_default();
                need.0 += slice.bytes_at_once();
                need.2.push(index);
            }
            for replica in 0..layer.replicas.len() as u32 {
                for (group, OutputGroup { outputs, .. }) in (0..).zip(&layer.groups) {
                    let bits = u64::from(outputs.end - outputs.start) * u64::from(arch.tile.partial_sum_bits);
                    for tile in layer.group_tiles(arch, replica, group).into_keys() {
                        needs.entry(tile).or_default().1 += bits.div_ceil(8);
                    }
                }
            }
        }
        needs
    }

    fn check_tiles(&self, arch: &Arch) -> Result<(), Vec<MappingError>> {
        let available = (u64::from(arch.edram.bytes), u64::from(arch.tile.output_register_bytes));
        // Tiles with the same layers fail alike; only the one with the largest need is reported.
        let mut buffers: BTreeMap<Vec<usize>, (u64, u32)> = BTreeMap::new();
        let mut registers = buffers.clone();
        for (tile, (inputs, results, layers)) in self.tile_needs(arch) {
            let note = |worst: &mut BTreeMap<Vec<usize>, (u64, u32)>, needed: u64, available: u64| {
                if needed > available {
                    let worst = worst.entry(layers.clone()).or_default();
                    *worst = (*worst).max((needed, tile));
                }
            };
            note(&mut buffers, inputs, available.0);
            note(&mut registers, results, available.1);
        }
        let names = |layers: Vec<usize>| layers.iter().map(|&index| self.layers[index].layer.name.clone()).collect();
        let buffers = buffers.into_iter().map(|(layers, (needed, tile))| MappingError::BufferTooSmall {
            tile,
            layers: names(layers),
            needed,
            available: available.0,
        });
        let registers = registers.into_iter().map(|(layers, (needed, tile))| MappingError::OutputRegisterTooSmall {
            tile,
            layers: names(layers),
            needed,
            available: available.1,
        });
        let faults: Vec<_> = buffers.chain(registers).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// Returns `window` with `whole` set if none of its inputs is padding or cropped. `cropped` holds the step in which
/// each input is produced; `None` if no input is cropped.
fn whole(mut window: Window, layer: &Layer, cropped: Option<&[u32]>) -> Window {
    let (rows, columns) = window.receptive_field(layer);
    let inside = (rows.len() * columns.len()) as u32 == layer.kernel_height * layer.kernel_width;
    let width = layer.input.width;
    let read = |y: u32| {
        let row = (y * width + columns.start) as usize..(y * width + columns.end) as usize;
        cropped.is_none_or(|produced| produced[row].iter().all(|&step| step != NEVER))
    };
    window.whole = inside && rows.clone().all(read);
    window
}

impl LayerLayout {
    /// Returns the windows of replica `replica` that are not cropped, in the order of computation.
    pub fn windows(&self, replica: u32) -> &[Window] {
        &self.windows[self.starts[replica as usize] as usize..self.starts[replica as usize + 1] as usize]
    }

    /// Returns, by ordinal, the number of windows that are not cropped under each position that replica `replica`
    /// finishes.
    pub fn contributions(&self, replica: u32) -> &[u32] {
        let starts = &self.position_starts[replica as usize..];
        &self.contributions[starts[0] as usize..starts[1] as usize]
    }

    /// Returns the windows of all replicas that are computed per image.
    pub fn computed_windows(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Returns rows and columns of the positions after the pool that `window` contributes to.
    #[inline]
    pub fn positions_under(&self, window: &Window) -> (Range<u32>, Range<u32>) {
        let Some(pool) = self.layer.pool else {
            let (y, x) = (u32::from(window.y), u32::from(window.x));
            return (y..y + 1, x..x + 1);
        };
        let span = |at: u16, size: u32| {
            let at = u32::from(at) + pool.padding;
            let first = (at + 1).saturating_sub(pool.kernel).div_ceil(pool.stride);
            first..(at / pool.stride + 1).min(size)
        };
        (span(window.y, self.layer.pooled.height), span(window.x, self.layer.pooled.width))
    }

    /// Returns the receivers of position `position` (row times width plus column, after the pool).
    #[inline]
    pub fn destinations(&self, position: u32) -> &[Destination] {
        let starts = &self.destination_starts[position as usize..];
        &self.destinations[starts[0] as usize..starts[1] as usize]
    }

    /// True if the layer sends no position: the results of the last layer stay in the tiles that finish them.
    pub fn is_last(&self) -> bool {
        self.destinations.is_empty()
    }

    /// Returns the IMAs of replica `replica`, each as (tile of the board, IMA of the tile, IMA of the replica).
    pub fn places(&self, arch: &Arch, replica: u32) -> impl Iterator<Item = (u32, u32, u32)> + use<> {
        let (first, per_tile) = (self.replicas[replica as usize], arch.tile.imas);
        (0..self.geometry.imas_per_replica()).map(move |i| ((first + i) / per_tile, (first + i) % per_tile, i))
    }

    /// Returns the accumulator tile of output group `group` of replica `replica`: the tile with most of its IMAs. Where
    /// several tiles have equally many, the groups take them in turn.
    pub fn accumulator(&self, arch: &Arch, replica: u32, group: u32) -> u32 {
        let tiles = self.group_tiles(arch, replica, group);
        let most = tiles.values().max().expect("an output group has at least one IMA");
        let candidates: Vec<u32> = tiles.iter().filter(|&(_, imas)| imas == most).map(|(&tile, _)| tile).collect();
        candidates[group as usize % candidates.len()]
    }

    /// Returns the number of IMAs of output group `group` of replica `replica` in each tile that has any.
    pub fn group_tiles(&self, arch: &Arch, replica: u32, group: u32) -> BTreeMap<u32, u32> {
        let mut tiles = BTreeMap::new();
        for col_group in self.groups[group as usize].col_groups.clone() {
            for row_group in 0..self.geometry.row_groups {
                let ima = self.replicas[replica as usize] + self.geometry.ima_at(row_group, col_group);
                *tiles.entry(ima / arch.tile.imas).or_default() += 1;
            }
        }
        tiles
    }

    /// Finds the last window, the finisher and the contributions of each position after the pool.
    fn finish_positions(&mut self) {
        let positions = (self.layer.pooled.height * self.layer.pooled.width) as usize;
        self.produced = vec![NEVER; positions];
        self.finisher = vec![NEVER; positions];
        let mut contributions = vec![0; positions];
        let mut shared = false;
        for replica in 0..self.replicas.len() as u32 {
            let range = self.starts[replica as usize] as usize..self.starts[replica as usize + 1] as usize;
            for (step, window) in self.windows[range].iter().enumerate() {
                let (rows, columns) = self.positions_under(window);
                for position in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
                    let position = (position.0 * self.layer.pooled.width + position.1) as usize;
                    contributions[position] += 1;
                    shared |= self.finisher[position] != replica && self.finisher[position] != NEVER;
                    if self.produced[position] == NEVER || step as u32 >= self.produced[position] {
                        self.produced[position] = step as u32;
                        self.finisher[position] = replica;
                    }
                }
            }
        }
        let mut counts = vec![0; self.replicas.len()];
        let ordinal = |&replica: &u32| match replica {
            NEVER => NEVER,
            replica => {
                counts[replica as usize] += 1;
                counts[replica as usize] - 1
            }
        };
        self.ordinal = self.finisher.iter().map(ordinal).collect();
        self.position_starts = vec![0];
        self.position_starts.extend(counts.iter().scan(0, |end, count| {
            *end += count;
            Some(*end)
        }));
        self.contributions = vec![0; positions];
        for ((&replica, &ordinal), contributions) in self.finisher.iter().zip(&self.ordinal).zip(contributions) {
            if replica != NEVER {
                self.contributions[(self.position_starts[replica as usize] + ordinal) as usize] = contributions;
            }
        }
        if shared {
            self.pool_feeds = self.feeds();
        }
    }

    /// Returns the pairs for [`Self::pool_feeds`].
    fn feeds(&self) -> Vec<(u32, u32)> {
        let mut feeds = Vec::new();
        for feeder in 0..self.replicas.len() as u32 {
            let under = self.windows(feeder).iter().map(|window| self.positions_under(window));
            let positions =
                under.flat_map(|(rows, columns)| rows.flat_map(move |y| columns.clone().map(move |x| (y, x))));
            let finisher = |(y, x)| self.finisher[(y * self.layer.pooled.width + x) as usize];
            let finishers: BTreeSet<u32> = positions.map(finisher).collect();
            feeds.extend(finishers.into_iter().map(|finisher| (finisher, feeder)));
        }
        feeds.sort_unstable();
        feeds
    }

    /// True if a position after the max-pool lies over windows of more than one replica.
    pub fn shares_positions(&self) -> bool {
        !self.pool_feeds.is_empty()
    }

    /// Returns, in order, the replicas with windows under the positions that `finisher` finishes. Empty where every
    /// position of the layer lies within one replica.
    pub fn feeders(&self, finisher: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.pool_feeds.partition_point(|&(of, _)| of < finisher);
        self.pool_feeds[first..].iter().take_while(move |&&(of, _)| of == finisher).map(|&(_, feeder)| feeder)
    }

    /// Builds the input slices of the tiles that hold IMAs of this layer.
    fn receive(&self, arch: &Arch, produced: Option<&[u32]>) -> Vec<InputSlice> {
        // Replicas and channels in each tile.
        let mut tiles: BTreeMap<u32, (Vec<u32>, Vec<Range<u32>>)> = BTreeMap::new();
        let channels: Vec<_> = (0..self.geometry.row_groups)
            .map(|row_group| self.geometry.channels(&self.geometry.ima(self.geometry.ima_at(row_group, 0)).rows))
            .collect();
        for replica in 0..self.replicas.len() as u32 {
            for (tile, _, i) in self.places(arch, replica) {
                let (replicas, read) = tiles.entry(tile).or_default();
                if replicas.last() != Some(&replica) {
                    replicas.push(replica);
                }
                read.push(channels[self.geometry.groups_of(i).0 as usize].clone());
            }
        }
        let mut orders: BTreeMap<Vec<u32>, Arc<InputOrder>> = BTreeMap::new();
        let slice = |(tile, (replicas, channels)): (u32, (Vec<u32>, Vec<Range<u32>>))| {
            let order = orders.entry(replicas).or_insert_with_key(|replicas| {
                let windows: Vec<_> = replicas.iter().map(|&replica| self.windows(replica)).collect();
                Arc::new(InputOrder::new(&windows, &self.layer, produced))
            });
            let channels = merged(channels);
            let read: u32 = channels.iter().map(|range| range.end - range.start).sum();
            let position_bits = u64::from(read) * u64::from(self.stored_bits);
            InputSlice { tile, channels, position_bits, order: order.clone() }
        };
        tiles.into_iter().map(slice).collect()
    }

    /// Records the destinations of each position after the pool; `slices` are those of the next layer.
    fn send_to(&mut self, slices: &[InputSlice]) {
        let width = self.layer.pooled.width;
        let mut starts = vec![0u32; self.produced.len() + 1];
        for slice in slices {
            for (position, _) in slice.order.received(width) {
                starts[position as usize + 1] += 1;
            }
        }
        for position in 1..starts.len() {
            starts[position] += starts[position - 1];
        }
        let mut next = starts.clone();
        let none = Destination { slice: NEVER, rank: NEVER };
        let mut destinations = vec![none; starts[starts.len() - 1] as usize];
        for (index, slice) in slices.iter().enumerate() {
            for (position, rank) in slice.order.received(width) {
                let next = &mut next[position as usize];
                destinations[*next as usize] = Destination { slice: index as u32, rank };
                *next += 1;
            }
        }
        (self.destination_starts, self.destinations) = (starts, destinations);
    }

    /// Returns the multiply-accumulates per image of the windows that are not cropped.
    pub fn macs(&self) -> u64 {
        self.computed_windows() * self.layer.macs_per_window()
    }

    /// True if the layer has a single window, as large as its input.
    pub fn is_fully_connected(&self) -> bool {
        self.layer.kind == LayerKind::FullyConnected
    }
}

/// Returns the union of `ranges` as disjoint ranges in order.
fn merged(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

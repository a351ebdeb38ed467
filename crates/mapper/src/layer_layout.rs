//! Layout of one layer: its replicas, their windows, the tiles that finish them, and the levels of its values.

use std::ops::Range;

use arch::Tile;
use index::{Index, IndexVec, Lists, count, size};
use network::{FULL_PRECISION_BITS, Layer, LayerId, LayerKind, MapId, Network, Part, Plan};

use crate::crops::Crops;
use crate::grid::Grid;
use crate::{
    Fabric, Finishes, Geometry, GroupId, InputSlice, Layout, Level, LevelId, MapLayout, OutputGroup, ReplicaId,
    SliceId, TileId,
};

index::index! {
    /// An output group of a replica: replica times groups plus group.
    struct PartId(u32);
}

/// One output position that a replica computes, or keeps for the operand of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Row of the output map.
    pub y: u16,
    /// Column of the output map.
    pub x: u16,
    /// Bits of its activations; 0 if the window is cropped and kept. It then passes through the tiles for what joins add
    /// to it or behind its pools alone: its crossbars read and drive nothing.
    pub bits: u8,
    /// True if no input under the kernel is padding or cropped.
    pub whole: bool,
}

impl Window {
    /// Returns rows and columns of the input map under the kernel, without padding. With dilation, the window reads every
    /// `dilation`-th of them. A cropped window reads none.
    #[inline]
    pub fn receptive_field(&self, layer: &Layer) -> (Range<u32>, Range<u32>) {
        if self.bits == 0 {
            return (0..0, 0..0);
        }
        let Layer { kernel, input, .. } = layer;
        (kernel.rows(self.y.into(), input.height), kernel.columns(self.x.into(), input.width))
    }
}

/// Everything that follows from the mapping of one layer.
#[derive(Clone, Debug)]
pub struct LayerLayout {
    /// The layer.
    pub layer: Layer,
    /// Bits of each stored input and operand: the most that any window of the layer has, or 16 if joins keep all.
    pub stored_bits: u32,
    /// Crossbars and IMAs of one replica.
    pub geometry: Geometry,
    /// First IMA of each replica, numbered over the board.
    pub replicas: IndexVec<ReplicaId, u32>,
    /// Output groups of one replica.
    pub groups: IndexVec<GroupId, OutputGroup>,
    /// Parts of the map that the crossbars read, by the channels of the layer's input.
    pub reads: Vec<Part>,
    /// Levels of the values that its tiles finish, windows before what pools make of them.
    pub levels: IndexVec<LevelId, Level>,
    /// Input slices of the layer: those of crossbars, in order of tiles, then those of skips, in order of tiles.
    pub slices: IndexVec<SliceId, InputSlice>,
    /// Tiles with IMAs of each part, in order.
    part_tiles: Lists<PartId, TileId>,
    /// Accumulator tile of each part.
    accumulators: IndexVec<PartId, TileId>,
    /// Windows of each replica in the order of computation: those that are not cropped, and those that joins keep.
    windows: Lists<ReplicaId, Window>,
    /// Windows that are not cropped.
    computed: u64,
    /// Windows of the replica with the most.
    pub(crate) steps: usize,
}

/// True if `finishes` has all positions that `window` of `layer` reads.
fn reads_finished(window: Window, layer: &Layer, finishes: &Finishes) -> bool {
    let (rows, columns) = window.receptive_field(layer);
    let (step_y, step_x) = (size(layer.kernel.dilation.y), size(layer.kernel.dilation.x));
    rows.step_by(step_y).all(|y| finishes.between(y, &columns).iter().step_by(step_x).all(Option::is_some))
}

impl LayerLayout {
    /// Lays out layer `id`, whose producers are in `layout`. It has no input slices yet.
    pub(crate) fn new(
        fabric: &Fabric,
        network: &Network,
        id: LayerId,
        plan: &Plan,
        crops: &Crops,
        geometry: Geometry,
        layout: &Layout,
    ) -> Self {
        let (layer, plan, reads) = (&network.layers[id], &plan.layers[id], network.reads[id].clone());
        let mapped = &layout.mapping.layers[id.index()];
        let grid = Grid::new(layer, mapped.area(layer), mapped.strips, mapped.interleave);
        let cropped = sources(&reads).into_iter().filter(|map| crops.stored(*map).is_some());
        let cropped: Vec<&Finishes> = cropped.filter_map(|map| layout.finishes(map)).collect();
        let replicas: IndexVec<ReplicaId, u32> = mapped.replicas.clone().into();
        // Windows that read no padding.
        let rows_within = layer.kernel.rows_within(layer.input.height);
        let columns_within = layer.kernel.columns_within(layer.input.width);
        let side = |at: u32| u16::try_from(at).expect("the side of a map fits 16 bits");
        let (mut windows, mut computed) = (Lists::default(), 0);
        for replica in replicas.indices() {
            windows.push_with(|windows| {
                grid.visit_windows(replica, |y, x| {
                    if !crops.passes(id, y, x, layer.output.width) {
                        return;
                    }
                    let bits = u8::try_from(plan.bits_at(y, x)).expect("an activation has at most 32 bits");
                    let mut window = Window { y: side(y), x: side(x), bits, whole: false };
                    window.whole = bits > 0
                        && rows_within.contains(&y)
                        && columns_within.contains(&x)
                        && cropped.iter().all(|finishes| reads_finished(window, layer, finishes));
                    windows.push(window);
                    computed += u64::from(bits > 0);
                });
            });
        }
        // Of a layer that is cropped as a whole, joins may keep windows.
        let is_cropped = computed == 0 && !windows.items().is_empty();
        let mut levels = Level::of_layer(layer, network.maps_of(id));
        Level::finish_all(&mut levels, &windows);
        let mut laid = Self {
            layer: layer.clone(),
            stored_bits: if is_cropped { FULL_PRECISION_BITS } else { plan.stored_bits(layer) },
            groups: geometry.output_groups().into(),
            geometry,
            replicas,
            reads,
            levels,
            slices: IndexVec::default(),
            part_tiles: Lists::default(),
            accumulators: IndexVec::default(),
            steps: windows.iter().map(<[Window]>::len).max().unwrap_or(0),
            windows,
            computed,
        };
        laid.place_parts(fabric);
        laid
    }

    /// Returns the windows of replica `replica` in the order of computation: those that are not cropped, and those that
    /// joins keep.
    pub fn windows(&self, replica: ReplicaId) -> &[Window] {
        &self.windows[replica]
    }

    /// Returns the windows of all replicas per image.
    pub fn all_windows(&self) -> u64 {
        count(self.windows.items().len())
    }

    /// Returns the windows of all replicas that are computed per image: those that are not cropped.
    pub fn computed_windows(&self) -> u64 {
        self.computed
    }

    /// Returns the names of the joins that its tiles do.
    pub fn joins(&self) -> Vec<&str> {
        self.levels.iter().flat_map(|level| &level.merges).map(|merge| merge.name.as_str()).collect()
    }

    /// True if a window needs several maps: those that its crossbars read and the operands that are merged into it.
    pub(crate) fn waits_for_several(&self) -> bool {
        self.sources().len() > 1 || self.levels.iter().any(|level| !level.merges.is_empty())
    }

    /// Returns the operands that are merged into values of an output group, each as a level, a map and the values of a
    /// position.
    pub fn merged(&self, maps: &IndexVec<MapId, MapLayout>, group: GroupId) -> Vec<(LevelId, MapId, u32)> {
        let mut merged: Vec<(LevelId, MapId, u32)> = Vec::new();
        for (id, level) in self.levels.enumerate() {
            for (map, outputs) in level.operands(maps, &self.groups[group]) {
                let values = outputs.end - outputs.start;
                match merged.iter_mut().find(|(at, of, _)| (*at, *of) == (id, map)) {
                    Some((_, _, all)) => *all += values,
                    None => merged.push((id, map, values)),
                }
            }
        }
        merged
    }

    /// Returns the positions of `level` into which operands are merged together with windows of `replica`: step, row and
    /// column.
    pub fn merging<'a>(
        &'a self,
        level: &'a Level,
        replica: ReplicaId,
    ) -> impl Iterator<Item = (u32, (u32, u32))> + use<'a> {
        let windows = (0..).zip(self.windows(replica));
        windows.flat_map(move |(step, window)| level.merging(replica, step, window).map(move |at| (step, at)))
    }

    /// Calls `visit` with the values that the pool of a level takes: the replica that finishes each, its row and its
    /// column.
    pub fn visit_values_under(&self, level: LevelId, mut visit: impl FnMut(ReplicaId, u32, u32)) {
        let pool = self.levels[level].pool.as_ref().expect("only pools take values");
        let below = &self.levels[pool.of];
        if below.pool.is_some() {
            for (finish, position) in below.finishes.iter().zip(0..) {
                if let Some(finish) = finish {
                    visit(finish.replica, position / below.width, position % below.width);
                }
            }
        } else {
            for replica in self.replicas.indices() {
                for window in self.windows(replica) {
                    visit(replica, window.y.into(), window.x.into());
                }
            }
        }
    }

    /// Returns the maps that the crossbars read.
    pub fn sources(&self) -> Vec<MapId> {
        sources(&self.reads)
    }

    /// Returns the IMAs of replica `replica`, each as (tile of the board, IMA of the tile, IMA of the replica).
    pub fn places(&self, tile: &Tile, replica: ReplicaId) -> impl Iterator<Item = (TileId, u32, u32)> + use<> {
        let (first, per_tile) = (self.replicas[replica], tile.imas);
        (0..self.geometry.imas_per_replica()).map(move |i| (TileId((first + i) / per_tile), (first + i) % per_tile, i))
    }

    /// Returns the accumulator tile of output group `group` of replica `replica`: the tile with most of its IMAs. Where
    /// several tiles have equally many, the groups take them in turn.
    pub fn accumulator(&self, replica: ReplicaId, group: GroupId) -> TileId {
        self.accumulators[self.part(replica, group)]
    }

    /// Returns, in order, the tiles with IMAs of output group `group` of replica `replica`.
    pub fn group_tiles(&self, replica: ReplicaId, group: GroupId) -> &[TileId] {
        &self.part_tiles[self.part(replica, group)]
    }

    fn part(&self, replica: ReplicaId, group: GroupId) -> PartId {
        PartId::new(replica.index() * self.groups.len() + group.index())
    }

    /// Finds the tiles and the accumulator tile of each output group of each replica.
    fn place_parts(&mut self, fabric: &Fabric) {
        let geometry = &self.geometry;
        let imas_of = |group: &OutputGroup| {
            let imas = group.col_groups.clone().flat_map(|col_group| {
                geometry.row_groups_of(col_group).map(move |row_group| geometry.ima_at(row_group, col_group))
            });
            let mut imas: Vec<u32> = imas.collect();
            imas.sort_unstable();
            imas
        };
        let groups: Vec<Vec<u32>> = self.groups.iter().map(imas_of).collect();
        for first in &self.replicas {
            for (group, imas) in groups.iter().enumerate() {
                let tile = |ima: &u32| TileId((first + ima) / fabric.tile.imas);
                let tiles = imas.chunk_by(|a, b| tile(a) == tile(b)).map(|imas| (tile(&imas[0]), imas.len()));
                let most = tiles.clone().map(|(_, imas)| imas).max();
                let candidates: Vec<TileId> = tiles.clone().filter(|of| Some(of.1) == most).map(|of| of.0).collect();
                self.accumulators.push(candidates[group % candidates.len()]);
                self.part_tiles.push(tiles.map(|of| of.0));
            }
        }
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

/// Returns the maps that `parts` belong to, each once.
pub(crate) fn sources(parts: &[Part]) -> Vec<MapId> {
    let mut maps = Vec::new();
    for part in parts {
        if !maps.contains(&part.map) {
            maps.push(part.map);
        }
    }
    maps
}

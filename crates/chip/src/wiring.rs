//! Addresses of components: from a layout to numbered blocks in tiles, and from these to a board.
//!
//! Within a tile, input slices, layer controls, lockstep groups and IMAs have numbers of their own. Part `i` of the
//! output register takes the results of lockstep group `i`. Over the board, input slices are numbered layer by layer
//! for the room table. The accumulator tile of each (replica, output group) comes from the layout; all other tiles with
//! IMAs of the group are its contributors. Limits of these numbers are checked by the mapper.

use arch::{Arch, Rate};
use components::{
    Contributor, Direction, Ima, Inputs, LayerControl, Link, LockstepGroup, Mesh, MeshGeometry, PartialSums, Rooms,
    SumsSpec, Target, Tile, TileSpec,
};
use index::{Index, IndexVec};
use mapper::{GroupId, LayerLayout, Layout, OutputGroup, ReceiverId, ReplicaId, SliceId, TileId};
use network::LayerId;

use crate::{Board, Options};

/// Numbers of the blocks in their tiles and addresses of producers and consumers, derived from a layout.
pub struct Wiring<'a> {
    arch: &'a Arch,
    /// Conversions per cycle, per ADC.
    conversions: Rate,
    layout: &'a Layout,
    /// One entry for each tile of the board, up to the last tile in use.
    tiles: IndexVec<TileId, TilePlan>,
    /// For each layer, the places of its input slices.
    slices: IndexVec<LayerId, IndexVec<SliceId, Place>>,
    /// For each layer and output group, the input slices of the consumers.
    targets: IndexVec<LayerId, IndexVec<GroupId, IndexVec<ReceiverId, Target>>>,
    /// For each layer, the accumulator of each (replica, group), at index replica x groups + group.
    accumulators: IndexVec<LayerId, Vec<Contributor>>,
}

/// Place of an input slice.
#[derive(Clone, Copy)]
struct Place {
    tile: TileId,
    /// Number of the inputs in the tile.
    inputs: u8,
    /// Number over the board: index in the room table.
    room: u32,
}

/// The blocks of one tile before they are built.
#[derive(Default)]
struct TilePlan {
    inputs: Vec<(LayerId, SliceId)>,
    /// (layer, replica, IMAs of the tile as bits).
    controls: Vec<(LayerId, ReplicaId, u64)>,
    sums: Vec<SumsPlan>,
    /// (IMA of the replica, control).
    imas: Vec<(u32, u8)>,
}

/// Partial sums of one (layer, replica, group) in a tile.
struct SumsPlan {
    control: u8,
    layer: LayerId,
    replica: ReplicaId,
    group: GroupId,
    /// IMAs of the tile, one bit each.
    imas: u64,
    contributors: Vec<Contributor>,
    /// Max-pools that windows finished here go to. 0 if no replica shares positions with another.
    pools: u32,
    /// Accumulators of the replicas that feed the max-pool here. Empty if no replica shares positions with another.
    feeders: Vec<Contributor>,
}

impl SumsPlan {
    fn new(control: u8, layer: LayerId, replica: ReplicaId, group: GroupId) -> Self {
        Self { control, layer, replica, group, imas: 0, contributors: Vec::new(), pools: 0, feeders: Vec::new() }
    }
}

impl<'a> Wiring<'a> {
    /// Numbers the blocks of every tile.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Self {
        let mut wiring = Self {
            arch,
            conversions: arch.conversions_per_cycle(),
            layout,
            tiles: IndexVec::default(),
            slices: IndexVec::default(),
            targets: IndexVec::default(),
            accumulators: IndexVec::default(),
        };
        for (id, layer) in layout.layers.enumerate() {
            let _span = tracing::debug_span!("wire", layer = %layer.layer.name).entered();
            wiring.place_slices(id, layer);
            wiring.place_replicas(id, layer);
        }
        wiring.targets = layout.layers.indices().map(|id| wiring.targets_of(id)).collect();
        wiring
    }

    /// The input slices of the consumers of a layer as targets, for each of its output groups.
    fn targets_of(&self, layer: LayerId) -> IndexVec<GroupId, IndexVec<ReceiverId, Target>> {
        let of_group = |group: &OutputGroup| {
            let targets = self.layout.receivers(layer).map(|((consumer, number), slice)| {
                let Place { tile, inputs, room } = self.slices[consumer][number];
                let bits = slice.overlap(&group.outputs) * self.layout.layers[consumer].stored_bits;
                Target { tile: tile.0, inputs, slice: room, bits, positions: slice.order.positions }
            });
            targets.collect()
        };
        self.layout.layers[layer].groups.iter().map(of_group).collect()
    }

    fn tile(&mut self, tile: TileId) -> &mut TilePlan {
        while self.tiles.len() <= tile.index() {
            self.tiles.push(TilePlan::default());
        }
        &mut self.tiles[tile]
    }

    fn place_slices(&mut self, id: LayerId, layer: &LayerLayout) {
        let first = self.slices.iter().map(IndexVec::len).sum::<usize>();
        let first = u32::try_from(first).expect("fewer than 2^32 input slices");
        let places = layer.slices.enumerate().zip(first..).map(|((number, slice), room)| {
            let tile = self.tile(slice.tile);
            tile.inputs.push((id, number));
            Place { tile: slice.tile, inputs: (tile.inputs.len() - 1) as u8, room }
        });
        let places = places.collect();
        self.slices.push(places);
    }

    fn place_replicas(&mut self, id: LayerId, layer: &LayerLayout) {
        let arch = self.arch;
        let groups = layer.groups.len();
        let mut accumulators = Vec::with_capacity(layer.replicas.len() * groups);
        for replica in layer.replicas.indices() {
            // Tiles with IMAs of each output group, in order of IMAs.
            let mut contributors: IndexVec<GroupId, Vec<Contributor>> = IndexVec::filled(Vec::new(), groups);
            for (tile, _, ima) in layer.places(arch, replica) {
                let (_, col_group) = layer.geometry.groups_of(ima);
                // Output groups are in order, and each column group belongs to one of them.
                let group = layer.groups.as_slice().partition_point(|group| group.col_groups.end <= col_group);
                let group = GroupId::new(group);
                let plan = self.tile(tile);
                if plan.controls.last().is_none_or(|&(layer, of, _)| (layer, of) != (id, replica)) {
                    plan.controls.push((id, replica, 0));
                }
                let control = (plan.controls.len() - 1) as u8;
                plan.controls[usize::from(control)].2 |= 1 << plan.imas.len();
                let same = |sums: &SumsPlan| (sums.layer, sums.replica, sums.group) == (id, replica, group);
                let known = plan.sums.iter().rposition(same);
                let sums = known.unwrap_or_else(|| {
                    plan.sums.push(SumsPlan::new(control, id, replica, group));
                    plan.sums.len() - 1
                }) as u8;
                plan.sums[usize::from(sums)].imas |= 1 << plan.imas.len();
                plan.imas.push((ima, control));
                let contributors = &mut contributors[group];
                if contributors.last().is_none_or(|last| last.tile != tile.0) {
                    contributors.push(Contributor { tile: tile.0, sums });
                }
            }
            for (group, contributors) in layer.groups.indices().zip(contributors) {
                let accumulator = layer.accumulator(arch, replica, group);
                let (here, others): (Vec<_>, Vec<_>) = contributors.into_iter().partition(|c| c.tile == accumulator.0);
                self.sums(here[0]).contributors = others;
                accumulators.push(here[0]);
            }
        }
        for replica in layer.replicas.indices() {
            for feeder in layer.feeders(replica) {
                for group in 0..groups {
                    let accumulator = |replica: ReplicaId| accumulators[replica.index() * groups + group];
                    let (finishes, feeds) = (accumulator(replica), accumulator(feeder));
                    self.sums(finishes).feeders.push(feeds);
                    self.sums(feeds).pools += 1;
                }
            }
        }
        self.accumulators.push(accumulators);
    }

    fn sums(&mut self, Contributor { tile, sums }: Contributor) -> &mut SumsPlan {
        &mut self.tiles[TileId(tile)].sums[usize::from(sums)]
    }

    /// Accumulators of a replica, by output group: the parts of output registers that finish its windows.
    pub fn accumulators(&self, layer: LayerId, replica: ReplicaId) -> &[Contributor] {
        let groups = self.layout.layers[layer].groups.len();
        &self.accumulators[layer][replica.index() * groups..][..groups]
    }

    /// The room table of `board`, with the first limit of each input slice.
    pub fn rooms(&self, board: &Board) -> Rooms {
        let slices = self.slices.iter().flatten();
        Rooms::new(slices.map(|place| board.tiles[place.tile.index()].inputs()[usize::from(place.inputs)].limit()))
    }

    /// Builds the components. Their arenas have the numbering of [`components::Context`].
    pub fn board(&self, options: &Options) -> Board<'_> {
        let arch = self.arch;
        let layers = self.layout.layers.len();
        let slots: IndexVec<TileId, u32> = self.tiles.iter().map(|plan| self.slots(plan, options)).collect();
        let tiles: Vec<Tile> = self.tiles.enumerate().map(|(id, plan)| self.build(id, &slots, plan, options)).collect();
        let chips = (tiles.len() as u32).div_ceil(arch.tiles_per_chip());
        // Packets between two used chips may cross any chip of the board.
        let chips = if chips > 1 { arch.board.chips } else { chips };
        let geometry = MeshGeometry::new(arch);
        let links = (0..chips).flat_map(|chip| {
            let bits = (!options.uncontended).then(|| arch.link_bits_per_cycle());
            let geometry = &geometry;
            Direction::ALL.map(|side| Link::new(bits, side, geometry.neighbour(chip, side), layers))
        });
        let meshes = (0..chips).map(|chip| Mesh::new(arch, chip, options.uncontended, layers));
        Board { tiles, meshes: meshes.collect(), links: links.collect() }
    }

    fn build(&self, id: TileId, slots: &IndexVec<TileId, u32>, plan: &TilePlan, options: &Options) -> Tile<'_> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let inputs_of =
            |layer: LayerId| plan.inputs.iter().position(|&(of, _)| of == layer).expect("every replica has inputs");
        // Layers before it are cropped as a whole.
        let first = layers.enumerate().find(|(_, layer)| layer.computed_windows() > 0).map(|(id, _)| id);
        let controls = plan.controls.iter().map(|&(layer, replica, imas)| {
            let (inputs, begins_images) = (inputs_of(layer) as u8, Some(layer) == first);
            LayerControl::new((&layers[layer], layer.0), replica.0, options.images, begins_images, inputs, imas)
        });
        let imas = plan.imas.iter().map(|&(ima, control)| {
            let layer = plan.controls[usize::from(control)].0;
            Ima::new(arch, self.conversions, layers[layer].geometry.ima(ima))
        });
        let imas: Vec<Ima> = imas.collect();
        let locksteps = plan.sums.iter().map(|sums| {
            let own = (0..imas.len()).map(|ima| (1 << ima, imas[ima].timing()));
            LockstepGroup::new(sums.control, own.filter(|(ima, _)| sums.imas & ima != 0))
        });
        Tile::new(
            arch,
            TileSpec {
                id: id.0,
                fidelity: options.fidelity,
                uncontended: options.uncontended,
                images: options.images,
                controls: controls.collect(),
                inputs: self.inputs(plan, options),
                locksteps: locksteps.collect(),
                imas,
                sums: self.partial_sums(id, slots, plan),
                output_positions: layers[self.layout.result_layer()].positions(),
            },
        )
    }

    /// Inputs of a tile. Slices divide the whole buffer in proportion to their needs.
    fn inputs(&self, plan: &TilePlan, options: &Options) -> Vec<Inputs<'_>> {
        let slices = plan.inputs.iter().map(|&(layer, slice)| &self.layout.layers[layer].slices[slice]);
        let needed = |slice: &mapper::InputSlice| u64::from(slice.order.positions_at_once) * slice.position_bits;
        let all: u64 = slices.clone().map(needed).sum();
        let buffer = 8 * u64::from(self.arch.edram.bytes);
        let inputs = plan.inputs.iter().zip(slices).map(|(&(layer, number), slice)| {
            let room = self.slices[layer][number].room;
            let groups = self.layout.producer(layer).into_iter().flat_map(|producer| &producer.groups);
            let pieces = groups.filter(|group| slice.overlap(&group.outputs) > 0).count() as u16;
            let bits = buffer * needed(slice) / all.max(1);
            // A layer that is cropped as a whole stores nothing.
            let capacity = (!options.uncontended).then(|| bits / slice.position_bits.max(1));
            Inputs::new(slice, (layer.0, room), pieces, options.images, capacity)
        });
        inputs.collect()
    }

    /// Windows that the output register of a tile holds, for each lockstep group.
    fn slots(&self, plan: &TilePlan, options: &Options) -> u32 {
        if options.uncontended {
            // Far above the windows in progress, and far below overflow.
            return u32::MAX / 4;
        }
        let one_window = |sums: &SumsPlan| {
            let outputs = &self.layout.layers[sums.layer].groups[sums.group].outputs;
            u64::from(outputs.end - outputs.start) * u64::from(self.arch.tile.partial_sum_bits)
        };
        let of_all: u64 = plan.sums.iter().map(one_window).sum();
        (8 * u64::from(self.arch.tile.output_register_bytes) / of_all.max(1)) as u32
    }

    fn partial_sums(&self, tile: TileId, slots: &IndexVec<TileId, u32>, plan: &TilePlan) -> Vec<PartialSums<'_>> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let sums = plan.sums.iter().map(|sums| {
            let is_result = sums.layer == self.layout.result_layer();
            let targets = (!is_result).then(|| self.targets[sums.layer][sums.group].as_slice());
            let accumulator = self.accumulators(sums.layer, sums.replica)[sums.group.index()];
            PartialSums::new(SumsSpec {
                chip: tile.0 / arch.tiles_per_chip(),
                tile: tile.0,
                layer: &layers[sums.layer],
                layer_index: sums.layer.0,
                targets,
                replica: sums.replica.0,
                group: sums.group.0.into(),
                imas: sums.imas,
                accumulators: &self.accumulators[sums.layer],
                contributors: sums.contributors.clone(),
                pools: sums.pools,
                feeders: sums.feeders.clone(),
                slots: slots[tile],
                credit: slots[TileId(accumulator.tile)],
                partial_sum_bits: arch.tile.partial_sum_bits,
                flit_bits: arch.router.flit_bits,
            })
        });
        sums.collect()
    }
}

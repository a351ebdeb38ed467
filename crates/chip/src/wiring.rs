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
use mapper::{LayerLayout, Layout, OutputGroup};

use crate::{Board, Options};

/// Numbers of the blocks in their tiles and addresses of producers and consumers, derived from a layout.
pub struct Wiring<'a> {
    arch: &'a Arch,
    /// Conversions per cycle, per ADC.
    conversions: Rate,
    layout: &'a Layout,
    /// One entry for each tile of the board, up to the last tile in use.
    tiles: Vec<TilePlan>,
    /// For each layer, the places of its input slices: (tile, number of the inputs in the tile).
    slices: Vec<Vec<(u32, u8)>>,
    /// For each layer, the number over the board of its first input slice.
    first_slices: Vec<u32>,
    /// For each layer and output group, the input slices of the next layer.
    targets: Vec<Vec<Vec<Target>>>,
    /// For each layer, the accumulator of each (replica, group), at index replica x groups + group.
    accumulators: Vec<Vec<Contributor>>,
}

/// The blocks of one tile before they are built.
#[derive(Default)]
struct TilePlan {
    /// (layer, input slice of the layer).
    inputs: Vec<(usize, usize)>,
    /// (layer, replica, IMAs of the tile as bits).
    controls: Vec<(usize, u32, u64)>,
    sums: Vec<SumsPlan>,
    /// (IMA of the replica, control).
    imas: Vec<(u32, u8)>,
}

/// Partial sums of one (layer, replica, group) in a tile.
struct SumsPlan {
    control: u8,
    layer: usize,
    replica: u32,
    group: u32,
    /// IMAs of the tile, one bit each.
    imas: u64,
    contributors: Vec<Contributor>,
    /// Max-pools that windows finished here go to. 0 if no replica shares positions with another.
    pools: u32,
    /// Accumulators of the replicas that feed the max-pool here. Empty if no replica shares positions with another.
    feeders: Vec<Contributor>,
}

impl SumsPlan {
    fn new(control: u8, layer: usize, replica: u32, group: u32) -> Self {
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
            tiles: Vec::new(),
            slices: Vec::new(),
            first_slices: Vec::new(),
            targets: Vec::new(),
            accumulators: Vec::new(),
        };
        for (index, layer) in layout.layers.iter().enumerate() {
            let _span = tracing::debug_span!("wire", layer = %layer.layer.name).entered();
            wiring.place_slices(index, layer);
            wiring.place_replicas(index, layer);
        }
        wiring.targets = (1..layout.layers.len()).map(|next| wiring.targets_in(next)).collect();
        wiring
    }

    /// The input slices of layer `next` as targets, for each output group of the layer before.
    fn targets_in(&self, next: usize) -> Vec<Vec<Target>> {
        let LayerLayout { slices, stored_bits, .. } = &self.layout.layers[next];
        let of_group = |group: &OutputGroup| {
            let placed = slices.iter().zip(&self.slices[next]).zip(self.first_slices[next]..);
            let target = placed.map(|((slice, &(tile, inputs)), number)| {
                let bits = slice.overlap(&group.outputs) * stored_bits;
                Target { tile, inputs, slice: number, bits, positions: slice.order.positions }
            });
            target.collect()
        };
        self.layout.layers[next - 1].groups.iter().map(of_group).collect()
    }

    fn tile(&mut self, tile: u32) -> &mut TilePlan {
        if self.tiles.len() <= tile as usize {
            self.tiles.resize_with(tile as usize + 1, TilePlan::default);
        }
        &mut self.tiles[tile as usize]
    }

    fn place_slices(&mut self, index: usize, layer: &LayerLayout) {
        let before =
            self.first_slices.last().map_or(0, |first| first + self.layout.layers[index - 1].slices.len() as u32);
        self.first_slices.push(before);
        let mut slices = Vec::with_capacity(layer.slices.len());
        for (number, slice) in layer.slices.iter().enumerate() {
            let tile = self.tile(slice.tile);
            slices.push((slice.tile, tile.inputs.len() as u8));
            tile.inputs.push((index, number));
        }
        self.slices.push(slices);
    }

    fn place_replicas(&mut self, index: usize, layer: &LayerLayout) {
        let groups = layer.groups.len() as u32;
        let arch = self.arch;
        let mut accumulators = Vec::with_capacity(layer.replicas.len() * groups as usize);
        for replica in 0..layer.replicas.len() as u32 {
            // Tiles with IMAs of each output group, in order of IMAs.
            let mut contributors: Vec<Vec<Contributor>> = vec![Vec::new(); groups as usize];
            for (tile, _, ima) in layer.places(arch, replica) {
                let (_, col_group) = layer.geometry.groups_of(ima);
                // Output groups are in order, and each column group belongs to one of them.
                let group = layer.groups.partition_point(|group| group.col_groups.end <= col_group) as u32;
                let plan = self.tile(tile);
                if plan.controls.last().is_none_or(|&(layer, of, _)| (layer, of) != (index, replica)) {
                    plan.controls.push((index, replica, 0));
                }
                let control = (plan.controls.len() - 1) as u8;
                plan.controls[usize::from(control)].2 |= 1 << plan.imas.len();
                let same = |sums: &SumsPlan| (sums.layer, sums.replica, sums.group) == (index, replica, group);
                let known = plan.sums.iter().rposition(same);
                let sums = known.unwrap_or_else(|| {
                    plan.sums.push(SumsPlan::new(control, index, replica, group));
                    plan.sums.len() - 1
                }) as u8;
                plan.sums[usize::from(sums)].imas |= 1 << plan.imas.len();
                plan.imas.push((ima, control));
                let contributors = &mut contributors[group as usize];
                if contributors.last().is_none_or(|last| last.tile != tile) {
                    contributors.push(Contributor { tile, sums });
                }
            }
            for (group, contributors) in contributors.into_iter().enumerate() {
                let accumulator = layer.accumulator(arch, replica, group as u32);
                let (here, others): (Vec<_>, Vec<_>) = contributors.into_iter().partition(|c| c.tile == accumulator);
                self.tiles[accumulator as usize].sums[usize::from(here[0].sums)].contributors = others;
                accumulators.push(here[0]);
            }
        }
        for replica in 0..layer.replicas.len() as u32 {
            for feeder in layer.feeders(replica) {
                for group in 0..groups {
                    let accumulator = |replica: u32| accumulators[(replica * groups + group) as usize];
                    let (finishes, feeds) = (accumulator(replica), accumulator(feeder));
                    self.sums(finishes).feeders.push(feeds);
                    self.sums(feeds).pools += 1;
                }
            }
        }
        self.accumulators.push(accumulators);
    }

    fn sums(&mut self, Contributor { tile, sums }: Contributor) -> &mut SumsPlan {
        &mut self.tiles[tile as usize].sums[usize::from(sums)]
    }

    /// Accumulators of a replica, by output group: the parts of output registers that finish its windows.
    pub fn accumulators(&self, layer: usize, replica: u32) -> &[Contributor] {
        let groups = self.layout.layers[layer].groups.len();
        &self.accumulators[layer][replica as usize * groups..][..groups]
    }

    /// The room table of `board`, with the first limit of each input slice.
    pub fn rooms(&self, board: &Board) -> Rooms {
        let slices = self.slices.iter().flatten();
        Rooms::new(slices.map(|&(tile, inputs)| board.tiles[tile as usize].inputs()[usize::from(inputs)].limit()))
    }

    /// Builds the components. Their arenas have the numbering of [`components::Context`].
    pub fn board(&self, options: &Options) -> Board<'_> {
        let arch = self.arch;
        let layers = self.layout.layers.len();
        let slots: Vec<u32> = self.tiles.iter().map(|plan| self.slots(plan, options)).collect();
        let tiles: Vec<Tile> = (0..).zip(&self.tiles).map(|(id, plan)| self.build(id, &slots, plan, options)).collect();
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

    fn build(&self, id: u32, slots: &[u32], plan: &TilePlan, options: &Options) -> Tile<'_> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let inputs_of =
            |layer: usize| plan.inputs.iter().position(|&(of, _)| of == layer).expect("every replica has inputs");
        // Layers before it are cropped as a whole.
        let first = layers.iter().position(|layer| layer.computed_windows() > 0);
        let controls = plan.controls.iter().map(|&(layer, replica, imas)| {
            let (inputs, begins_images) = (inputs_of(layer) as u8, Some(layer) == first);
            LayerControl::new((&layers[layer], layer as u16), replica, options.images, begins_images, inputs, imas)
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
        let last = layers.len() - 1;
        Tile::new(
            arch,
            TileSpec {
                id,
                fidelity: options.fidelity,
                uncontended: options.uncontended,
                images: options.images,
                controls: controls.collect(),
                inputs: self.inputs(plan, options),
                locksteps: locksteps.collect(),
                imas,
                sums: self.partial_sums(id, slots, plan),
                output_positions: layers[last].produced.len() as u32,
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
            let room = self.first_slices[layer] + number as u32;
            let pieces = layer.checked_sub(1).map_or(0, |before| {
                let groups = &self.layout.layers[before].groups;
                groups.iter().filter(|group| slice.overlap(&group.outputs) > 0).count() as u16
            });
            let bits = buffer * needed(slice) / all.max(1);
            // A layer that is cropped as a whole stores nothing.
            let capacity = (!options.uncontended).then(|| bits / slice.position_bits.max(1));
            Inputs::new(slice, (layer as u16, room), pieces, options.images, capacity)
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
            let outputs = &self.layout.layers[sums.layer].groups[sums.group as usize].outputs;
            u64::from(outputs.end - outputs.start) * u64::from(self.arch.tile.partial_sum_bits)
        };
        let of_all: u64 = plan.sums.iter().map(one_window).sum();
        (8 * u64::from(self.arch.tile.output_register_bytes) / of_all.max(1)) as u32
    }

    fn partial_sums(&self, tile: u32, slots: &[u32], plan: &TilePlan) -> Vec<PartialSums<'_>> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let sums = plan.sums.iter().map(|sums| {
            let targets = self.targets.get(sums.layer).map(|groups| groups[sums.group as usize].as_slice());
            let accumulator = self.accumulators(sums.layer, sums.replica)[sums.group as usize];
            PartialSums::new(SumsSpec {
                chip: tile / arch.tiles_per_chip(),
                tile,
                layer: &layers[sums.layer],
                layer_index: sums.layer as u16,
                targets,
                replica: sums.replica,
                group: sums.group,
                imas: sums.imas,
                accumulators: &self.accumulators[sums.layer],
                contributors: sums.contributors.clone(),
                pools: sums.pools,
                feeders: sums.feeders.clone(),
                slots: slots[tile as usize],
                credit: slots[accumulator.tile as usize],
                partial_sum_bits: arch.tile.partial_sum_bits,
                flit_bits: arch.router.flit_bits,
            })
        });
        sums.collect()
    }
}

//! Addresses of components: from a layout to numbered blocks in tiles, and from these to a board.
//!
//! Within a tile, input slices, layer controls, lockstep groups and IMAs have numbers of their own. Part `i` of the
//! output register takes the results of lockstep group `i`. Over the board, input slices are numbered layer by layer
//! for the room table. The accumulator tile of each (replica, output group) comes from the layout; all other tiles with
//! IMAs of the group are its contributors. Limits of these numbers are checked by the mapper.

use arch::{Arch, Rate};
use components::{
    ChipId, ControlId, Direction, Exit, Ima, ImaId, InputId, LayerControl, Link, LockstepGroup, LockstepId, Mesh,
    MeshGeometry, Operand, PartAddress, PartialSums, Policy, Results, RoomId, Rooms, SliceBuffer, SumsSpec, Target,
    Tile, TileSpec, Trees,
};
use index::{Index, IndexVec, Set, count, size};
use mapper::{
    Capacities, GroupId, InputSlice, LayerLayout, Layout, LevelId, OutputGroup, Reader, ReceiverId, ReplicaId, SliceId,
    TileId,
};
use network::{LayerId, MapId};

use crate::outcome::results_per_image;
use crate::{Board, Options, Routed};

/// Numbers of the blocks in their tiles and addresses of producers and consumers, derived from a layout.
pub(crate) struct Wiring<'a> {
    arch: &'a Arch,
    /// Conversions per cycle, per ADC.
    conversions: Rate,
    layout: &'a Layout,
    /// Routes of values between tiles.
    trees: &'a Trees,
    /// One entry for each tile of the board, up to the last tile in use.
    tiles: IndexVec<TileId, TilePlan>,
    /// For each layer, the places of its input slices.
    slices: IndexVec<LayerId, IndexVec<SliceId, Place>>,
    /// Positions of each map that is a result.
    results: Vec<u32>,
    /// For each map and output group of its producer, the input slices of the readers.
    targets: IndexVec<MapId, IndexVec<GroupId, IndexVec<ReceiverId, Target>>>,
    /// For each layer, the accumulator of each (replica, group), at index replica x groups + group.
    accumulators: IndexVec<LayerId, Vec<PartAddress>>,
    /// For each replica, whether a result depends on it. The first layer's other replicas may be images ahead of all
    /// that the results depend on, since the host keeps their buffers filled.
    needed: IndexVec<LayerId, IndexVec<ReplicaId, bool>>,
}

/// Largest number of windows in an output register: far above those in progress, and far below overflow.
const MOST_SLOTS: u32 = u32::MAX / 4;

/// Place of an input slice.
#[derive(Clone, Copy)]
struct Place {
    tile: TileId,
    /// Input slice of the tile.
    inputs: InputId,
    /// Input slice of the board.
    room: RoomId,
}

/// The blocks of one tile before they are built.
#[derive(Default)]
struct TilePlan {
    inputs: IndexVec<InputId, (LayerId, SliceId)>,
    /// (layer, replica, IMAs of the tile).
    controls: IndexVec<ControlId, (LayerId, ReplicaId, Set<ImaId>)>,
    parts: IndexVec<LockstepId, PartPlan>,
    /// (IMA of the replica, control).
    imas: IndexVec<ImaId, (u32, ControlId)>,
}

/// Partial sums of one (layer, replica, group) in a tile.
struct PartPlan {
    control: ControlId,
    layer: LayerId,
    replica: ReplicaId,
    group: GroupId,
    /// IMAs of the tile.
    imas: Set<ImaId>,
    contributors: Vec<PartAddress>,
    /// Max-pools that windows finished here go to. 0 if no replica shares positions with another.
    pools: u32,
    /// Accumulators of the replicas whose windows feed the pools of levels here. Empty if no replica shares positions with
    /// another.
    feeders: Vec<(LevelId, PartAddress)>,
}

impl PartPlan {
    fn new(control: ControlId, layer: LayerId, replica: ReplicaId, group: GroupId) -> Self {
        Self {
            control,
            layer,
            replica,
            group,
            imas: Set::EMPTY,
            contributors: Vec::new(),
            pools: 0,
            feeders: Vec::new(),
        }
    }

    /// Accumulators of the replicas whose windows feed the pool of a level here.
    fn feeders_of(&self, level: LevelId) -> Vec<PartAddress> {
        self.feeders.iter().filter(|(of, _)| *of == level).map(|(_, feeder)| *feeder).collect()
    }
}

impl<'a> Wiring<'a> {
    /// Numbers the blocks of every tile.
    pub(crate) fn new(routed: &'a Routed<'_>) -> Self {
        let Routed { arch, layout, .. } = *routed;
        let mut wiring = Self {
            arch,
            conversions: arch.conversions_per_cycle(),
            layout,
            trees: &routed.trees,
            tiles: IndexVec::default(),
            slices: IndexVec::default(),
            results: layout.results().map(|(map, _)| layout.maps[map].positions()).collect(),
            targets: IndexVec::default(),
            accumulators: IndexVec::default(),
            needed: layout.layers.iter().map(|layer| IndexVec::filled(false, layer.replicas.len())).collect(),
        };
        for (id, layer) in layout.layers.enumerate() {
            let _span = tracing::debug_span!("wire", layer = %layer.layer.name).entered();
            wiring.place_slices(id, layer);
            wiring.place_replicas(id, layer);
        }
        wiring.targets = layout.maps.indices().map(|id| wiring.targets_of(id)).collect();
        for (id, layer) in layout.layers.enumerate().rev() {
            wiring.needed[id] = wiring.needed_replicas(id, layer);
        }
        wiring
    }

    /// Replicas of a layer on which a result depends, or all if none does; those of its readers are known. Replicas of
    /// one tile keep pace with each other, since they share its input slices.
    fn needed_replicas(&self, id: LayerId, layer: &LayerLayout) -> IndexVec<ReplicaId, bool> {
        let mut needed = IndexVec::filled(false, layer.replicas.len());
        let mut others = needed.len();
        for &map in layer.levels.iter().flat_map(|level| &level.maps) {
            let is_needed = |((reader, _), slice): ((LayerId, SliceId), &InputSlice)| {
                let mut readers = self.tiles[slice.tile].controls.iter().filter(|control| control.0 == reader);
                readers.any(|&(_, replica, _)| self.needed[reader][replica])
            };
            let receivers: IndexVec<ReceiverId, bool> = self.layout.receivers(map).map(is_needed).collect();
            let finishes = self.layout.finishes(map).expect("the layer finishes the map");
            let map = &self.layout.maps[map];
            for position in 0..map.positions() {
                let mut destinations = map.destinations(position).iter();
                if (map.result.is_some() || destinations.any(|to| receivers[to.receiver]))
                    && let Some(finish) = finishes.of(position)
                    && !std::mem::replace(&mut needed[finish.replica], true)
                {
                    others -= 1;
                    if others == 0 {
                        return needed;
                    }
                }
            }
        }
        let part = |&PartAddress { tile, part }: &PartAddress| &self.tiles[tile].parts[part];
        let finishers = layer.replicas.indices().filter(|&replica| needed[replica]);
        let accumulators = finishers.flat_map(|replica| self.accumulators(id, replica)).map(part);
        let feeders: Vec<_> = accumulators.flat_map(|part| &part.feeders).map(|(_, feeder)| part(feeder)).collect();
        for feeder in feeders {
            needed[feeder.replica] = true;
        }
        if needed.iter().all(|needed| !needed) { IndexVec::filled(true, needed.len()) } else { needed }
    }

    /// The input slices of the readers of a map as targets, for each output group of its producer. The host needs none.
    fn targets_of(&self, map: MapId) -> IndexVec<GroupId, IndexVec<ReceiverId, Target>> {
        let Some((producer, _)) = self.layout.maps[map].source else { return IndexVec::default() };
        let of_group = |group: &OutputGroup| {
            let targets = self.layout.receivers(map).map(|((reader, number), slice)| {
                let Place { tile, inputs, room } = self.slices[reader][number];
                let bits = slice.overlap(&group.outputs) * self.layout.layers[reader].stored_bits;
                Target { tile, inputs, room, bits, positions: slice.order.positions }
            });
            targets.collect()
        };
        self.layout.layers[producer].groups.iter().map(of_group).collect()
    }

    fn tile(&mut self, tile: TileId) -> &mut TilePlan {
        while self.tiles.len() <= tile.index() {
            let imas = Vec::with_capacity(size(self.arch.tile.imas)).into();
            self.tiles.push(TilePlan { imas, ..TilePlan::default() });
        }
        &mut self.tiles[tile]
    }

    fn place_slices(&mut self, id: LayerId, layer: &LayerLayout) {
        let first: usize = self.slices.iter().map(IndexVec::len).sum();
        let places = layer.slices.enumerate().zip(first..).map(|((number, slice), room)| {
            let inputs = self.tile(slice.tile).inputs.push((id, number));
            assert_eq!(inputs, self.trees.input(id, number), "trees lead to another slice of the tile");
            Place { tile: slice.tile, inputs, room: RoomId::new(room) }
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
            let mut contributors: IndexVec<GroupId, Vec<PartAddress>> = IndexVec::filled(Vec::new(), groups);
            for (tile, _, ima) in layer.places(&arch.tile, replica) {
                let (_, col_group) = layer.geometry.groups_of(ima);
                // Output groups are in order, and each column group belongs to one of them.
                let group = layer.groups.as_slice().partition_point(|group| group.col_groups.end <= col_group);
                let group = GroupId::new(group);
                let plan = self.tile(tile);
                // IMAs come replica by replica, so the control of this replica, if there is one, is the last.
                let last = plan.controls.enumerate().next_back();
                let known = last.filter(|(_, of)| (of.0, of.1) == (id, replica)).map(|(control, _)| control);
                let control = known.unwrap_or_else(|| plan.controls.push((id, replica, Set::EMPTY)));
                let here = plan.imas.push((ima, control));
                plan.controls[control].2.insert(here);
                let same = |part: &PartPlan| (part.layer, part.replica, part.group) == (id, replica, group);
                let known = plan.parts.enumerate().rfind(|(_, part)| same(part)).map(|(part, _)| part);
                let part = known.unwrap_or_else(|| plan.parts.push(PartPlan::new(control, id, replica, group)));
                plan.parts[part].imas.insert(here);
                let contributors = &mut contributors[group];
                if contributors.last().is_none_or(|last| last.tile != tile) {
                    contributors.push(PartAddress { tile, part });
                }
            }
            for (group, mut contributors) in layer.groups.indices().zip(contributors) {
                let accumulator = layer.accumulator(replica, group);
                let here = contributors.iter().position(|of| of.tile == accumulator);
                let here = contributors.remove(here.expect("an accumulator tile has IMAs of its group"));
                self.part(here).contributors = contributors;
                accumulators.push(here);
            }
        }
        for (level, replica) in
            layer.levels.indices().flat_map(|level| layer.replicas.indices().map(move |replica| (level, replica)))
        {
            for feeder in layer.levels[level].window_feeders(replica) {
                for (group, _) in layer.groups.enumerate().filter(|(_, of)| layer.levels[level].values(of) > 0) {
                    let accumulator = |replica: ReplicaId| accumulators[replica.index() * groups + group.index()];
                    let (finishes, feeds) = (accumulator(replica), accumulator(feeder));
                    self.part(finishes).feeders.push((level, feeds));
                    self.part(feeds).pools += 1;
                }
            }
        }
        self.accumulators.push(accumulators);
    }

    fn part(&mut self, PartAddress { tile, part }: PartAddress) -> &mut PartPlan {
        &mut self.tiles[tile].parts[part]
    }

    /// Accumulators of a replica, by output group: the parts of output registers that finish its windows.
    pub(crate) fn accumulators(&self, layer: LayerId, replica: ReplicaId) -> &[PartAddress] {
        let groups = self.layout.layers[layer].groups.len();
        &self.accumulators[layer][replica.index() * groups..][..groups]
    }

    /// The room table of `board`, with the first limit of each input slice.
    pub(crate) fn rooms(&self, board: &Board<impl Policy>) -> Rooms {
        let slices = self.slices.iter().flatten();
        Rooms::new(slices.map(|place| board.tiles[place.tile.index()].slices()[place.inputs].limit()))
    }

    /// Windows finished and packets written for an image.
    pub(crate) fn completions_per_image(&self) -> u64 {
        let layers = self.layout.layers.iter().map(|layer| {
            let windows = layer.all_windows() * count(layer.groups.len());
            let written =
                layer.slices.iter().map(|slice| u64::from(self.pieces(slice)) * u64::from(slice.order.positions));
            windows + written.sum::<u64>()
        });
        layers.sum::<u64>() + results_per_image(self.layout)
    }

    /// Packets of a position of an input slice, one from each output group that it needs channels of.
    fn pieces(&self, slice: &InputSlice) -> u16 {
        let producer = self.layout.maps[slice.map].source.map(|(producer, _)| &self.layout.layers[producer]);
        let groups = producer.into_iter().flat_map(|producer| &producer.groups);
        let pieces = groups.filter(|group| slice.overlap(&group.outputs) > 0).count();
        u16::try_from(pieces).expect("the mapper limits the output groups of a layer to 16 bits")
    }

    /// Builds the components; operations follow `policy`. Their arenas have the numbering of [`components::Context`].
    pub(crate) fn board<P: Policy + Clone>(&self, options: &Options, policy: &P) -> Board<'_, P> {
        let arch = self.arch;
        let layers = self.layout.layers.len();
        let slots: IndexVec<TileId, u32> = self.tiles.iter().map(|plan| self.slots(plan, options)).collect();
        let capacities = self.layout.capacities(&arch.edram);
        let build =
            |(id, plan)| Tile::new(arch, self.tile_spec(id, &slots, plan, &capacities, options), policy.clone());
        let tiles: Vec<Tile<P>> = self.tiles.enumerate().map(build).collect();
        let chips = self.tiles.indices().next_back().map_or(0, |last| last.0 / arch.tiles_per_chip() + 1);
        // Packets between two used chips may cross any chip of the board.
        let chips = if chips > 1 { arch.board.chips } else { chips };
        let geometry = MeshGeometry::new(arch);
        let links = (0..chips).map(ChipId).flat_map(|chip| {
            let bits = (!options.uncontended).then(|| arch.link_bits_per_cycle());
            let geometry = &geometry;
            Direction::ALL.map(|side| Link::new(bits, side, geometry.neighbour(chip, side), layers))
        });
        let meshes =
            (0..chips).map(ChipId).map(|chip| Mesh::new(arch, chip, options.uncontended, self.layout, self.trees));
        Board { tiles, meshes: meshes.collect(), links: links.collect() }
    }

    fn tile_spec(
        &self,
        id: TileId,
        slots: &IndexVec<TileId, u32>,
        plan: &TilePlan,
        capacities: &Capacities,
        options: &Options,
    ) -> TileSpec<'_> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let inputs_of = |layer: LayerId| {
            let slices = plan.inputs.enumerate().filter(|(_, of)| of.0 == layer);
            let read = slices.filter(|(_, of)| layers[layer].slices[of.1].reader == Reader::Crossbars);
            read.map(|(inputs, _)| inputs).collect()
        };
        // Layers before it are cropped as a whole.
        let first = layers.enumerate().find(|(_, layer)| layer.all_windows() > 0).map(|(id, _)| id);
        let controls = plan.controls.iter().map(|&(layer, replica, imas)| {
            let begins_images = Some(layer) == first && self.needed[layer][replica];
            let inputs = inputs_of(layer);
            LayerControl::new((layer, &layers[layer]), replica, options.images, begins_images, inputs, imas)
        });
        let imas = plan.imas.iter().map(|&(ima, control)| {
            let layer = plan.controls[control].0;
            Ima::new(arch, self.conversions, layers[layer].geometry.ima(ima))
        });
        let imas: IndexVec<ImaId, Ima> = imas.collect();
        let groups = plan
            .parts
            .iter()
            .map(|part| LockstepGroup::new(part.control, part.imas.into_iter().map(|ima| (ima, imas[ima].timing()))));
        TileSpec {
            id,
            fidelity: options.fidelity,
            uncontended: options.uncontended,
            controls: controls.collect(),
            slices: self.slices(plan, capacities, options),
            groups: groups.collect(),
            imas,
            parts: self.partial_sums(id, slots, plan),
            results: Results::new(self.results.iter().copied()),
        }
    }

    /// Input slices of a tile, with room for these numbers of positions.
    fn slices(&self, plan: &TilePlan, capacities: &Capacities, options: &Options) -> Vec<SliceBuffer<'_>> {
        let inputs = plan.inputs.iter().map(|&(layer, number)| {
            let slice = &self.layout.layers[layer].slices[number];
            let room = self.slices[layer][number].room;
            let capacity = (!options.uncontended).then(|| capacities[layer][number]);
            SliceBuffer::new(slice, (layer, room), self.pieces(slice), options.images, capacity)
        });
        inputs.collect()
    }

    /// Windows that the output register of a tile holds, for each lockstep group.
    fn slots(&self, plan: &TilePlan, options: &Options) -> u32 {
        if options.uncontended {
            return MOST_SLOTS;
        }
        let one_window = |part: &PartPlan| {
            let outputs = &self.layout.layers[part.layer].groups[part.group].outputs;
            u64::from(outputs.end - outputs.start) * u64::from(self.arch.tile.partial_sum_bits)
        };
        let of_all: u64 = plan.parts.iter().map(one_window).sum();
        let slots = 8 * u64::from(self.arch.tile.output_register_bytes) / of_all.max(1);
        u32::try_from(slots).unwrap_or(MOST_SLOTS).min(MOST_SLOTS)
    }

    fn partial_sums(
        &self,
        tile: TileId,
        slots: &IndexVec<TileId, u32>,
        plan: &TilePlan,
    ) -> IndexVec<LockstepId, PartialSums<'_>> {
        let (arch, layers) = (self.arch, &self.layout.layers);
        let parts = plan.parts.iter().map(|part| {
            let accumulator = self.accumulators(part.layer, part.replica)[part.group.index()];
            let is_accumulator = accumulator.tile == tile;
            let (exits, operands, feeders) = if is_accumulator {
                let feeders = layers[part.layer].levels.indices().map(|level| part.feeders_of(level));
                (self.exits(tile, part), self.operands(part, plan), feeders.collect())
            } else {
                Default::default()
            };
            PartialSums::new(SumsSpec {
                chip: ChipId(tile.0 / arch.tiles_per_chip()),
                tile,
                layer: &layers[part.layer],
                layer_id: part.layer,
                exits,
                operands,
                result_positions: self.layout.result_positions(),
                replica: part.replica,
                group: part.group,
                accumulators: &self.accumulators[part.layer],
                contributors: part.contributors.clone(),
                pools: part.pools,
                feeders,
                slots: slots[tile],
                credit: slots[accumulator.tile],
                partial_sum_bits: arch.tile.partial_sum_bits,
                to_accumulator: (!is_accumulator)
                    .then(|| self.trees.layer(part.layer).partial_sums(part.replica, part.group, tile)),
                trees: self.trees,
            })
        });
        parts.collect()
    }

    /// Ways out of the tile of the maps that a part of the output register finishes positions of, by level.
    fn exits(&self, tile: TileId, part: &PartPlan) -> Vec<Exit<'_>> {
        let layer = &self.layout.layers[part.layer];
        let maps = layer.levels.enumerate().flat_map(|(level, of)| of.maps.iter().map(move |&map| (level, of, map)));
        let exits = maps.filter_map(|(level, of, map)| {
            let values = of.values(&layer.groups[part.group]);
            let targets = &self.targets[map][part.group];
            (values > 0).then(|| Exit {
                level,
                map: &self.layout.maps[map],
                targets,
                is_read_here: targets.iter().any(|target| target.tile == tile),
                trees: self.trees.map(map),
                values,
            })
        });
        exits.collect()
    }

    /// Operands that a part of the output register of a tile merges.
    fn operands(&self, part: &PartPlan, plan: &TilePlan) -> Vec<Operand> {
        let layer = &self.layout.layers[part.layer];
        let merged = layer.merged(&self.layout.maps, part.group).into_iter();
        let operands = merged.map(|(level, map, values)| {
            let same = |&(_, &(of, number)): &(InputId, &(LayerId, SliceId))| {
                let is_skip = |slice: &InputSlice| slice.reader == Reader::Register && slice.map == map;
                of == part.layer && is_skip(&layer.slices[number])
            };
            let (inputs, _) = plan.inputs.enumerate().find(same).expect("an accumulator tile receives its operands");
            Operand { level, inputs, values, bits: values * layer.stored_bits }
        });
        operands.collect()
    }
}

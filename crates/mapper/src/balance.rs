//! Balanced mappings: the replicas of each layer and their places on the board.
//!
//! 1. Shape: each layer gets the IMA shape with the fewest IMAs per replica and, of those, the least traffic on the
//!    bus.
//! 2. Replicas: a binary search finds the smallest number of windows per replica, the same for all layers, from the aim
//!    of the [`Fill`] on, for which the board is large enough.
//! 3. Places: on a board with room, each tile holds replicas of one layer only, in order of the strips that they
//!    compute. Where that saves a chip and leaves the pace, small layers share tiles. On a board without room, each
//!    layer begins where the previous one ends.
//! 4. Checks: where the buffer or output register of a tile is too small, its layers are spread over more tiles; if the
//!    board is then too small, the windows per replica are raised.
//!
//! Layers keep pace if their replicas have equally many windows, since at equal precision a window takes equally many
//! cycles in every IMA.

use arch::Arch;
use index::{IndexVec, count, size};
use network::{Layer, LayerId, LayerKind, LayerPlan, Network, Plan};

use crate::crops::Crops;
use crate::grid::{Grid, cell};
use crate::{Area, Fabric, Fill, Geometry, LayerMapping, Layout, Mapping, MappingError, limits};

/// Choices of a balanced mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Aim of the number of replicas.
    pub fill: Fill,
    /// Only the windows that the plan leaves count, and the replicas of each layer divide these evenly.
    pub for_crop: bool,
}

impl Balance {
    /// Maps `network` so that its layers keep pace with each other.
    ///
    /// Each convolution gets the fewest replicas none of which has more windows than [`Self::fill`] aims at; fully
    /// connected layers get one. If the board is too small, the bound on the windows per replica is raised, equally for
    /// all layers, until everything fits.
    pub fn layout(self, arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Vec<MappingError>> {
        Problem::new(self, arch, network, plan).layout()
    }
}

/// A balanced layout that is asked for, with all that it depends on: equal problems have equal layouts.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem<'a> {
    balance: Balance,
    fabric: Fabric,
    /// Cycles per iteration of a fully used IMA; `None` where [`Balance::fill`] does not ask for cycles.
    cycles_per_iteration: Option<u32>,
    network: &'a Network,
    plan: Plan,
}

impl<'a> Problem<'a> {
    /// Asks for the layout that [`Balance::layout`] returns.
    pub fn new(balance: Balance, arch: &Arch, network: &'a Network, plan: &Plan) -> Self {
        let asks_for_cycles = matches!(balance.fill, Fill::Cycles(_));
        let cycles_per_iteration = asks_for_cycles.then(|| arch.cycles_per_iteration());
        Self { balance, fabric: Fabric::new(arch), cycles_per_iteration, network, plan: plan.clone() }
    }

    /// Maps the network.
    pub fn layout(&self) -> Result<Layout, Vec<MappingError>> {
        let Self { balance, fabric, cycles_per_iteration, network, plan } = self;
        limits::check_network(network)?;
        let crops = balance.for_crop.then(|| Crops::new(network, plan));
        let area = |(id, layer): (LayerId, &Layer)| match &crops {
            Some(crops) => Area::passing(layer, |y, x| crops.passes(id, y, x, layer.output.width)),
            None => Area::whole(layer),
        };
        let areas: IndexVec<LayerId, Area> = network.layers.enumerate().map(area).collect();
        let convolutions =
            || network.layers.iter().zip(&areas).filter(|(layer, _)| layer.kind == LayerKind::Convolution);
        let windows = || convolutions().map(|(_, area)| area.windows());
        let most = windows().max().unwrap_or(1);
        // No replica has fewer windows than a cell of its layer; fewer windows would not make the slowest layer faster.
        let fewest = convolutions().map(|(layer, _)| u64::from(cell(layer)).pow(2));
        let fewest = fewest.max().unwrap_or(1);
        match balance.fill {
            Fill::LastLayer => {
                // The fewest windows of a layer with more than one; of equals, the last layer sets the pace.
                let several = convolutions().rev().filter(|(layer, _)| layer.windows() > 1);
                let slowest = several.min_by_key(|(layer, _)| layer.windows());
                fit(fabric, network, plan, &areas, slowest.map_or(1, |(_, area)| area.windows()), most)
            }
            Fill::Board => fit(fabric, network, plan, &areas, fewest, most),
            Fill::Chips(chips) => {
                let (name, available) = (fabric.name.clone(), fabric.board.chips);
                if chips > available {
                    return Err(vec![MappingError::NoSuchChips { arch: name, chips, available }]);
                }
                let mut part = fabric.clone();
                part.board.chips = chips;
                fit(&part, network, plan, &areas, fewest, most)
            }
            Fill::Cycles(cycles) => {
                let bits = plan.layers.iter().zip(&network.layers).map(|(plan, layer)| plan.stored_bits(layer)).max();
                let per_iteration = cycles_per_iteration.expect("known where cycles are asked for");
                let per_window = fabric.iterations(bits.unwrap_or(1)) * per_iteration;
                let per_window = u64::from(per_window.max(1));
                let layout = fit(fabric, network, plan, &areas, (cycles / per_window).max(1), most)?;
                let steps = layout.layers.iter().map(|layer| count(layer.steps)).max();
                let least = steps.expect("a network has at least one layer") * per_window;
                if least <= cycles {
                    return Ok(layout);
                }
                let (network, arch) = (network.name.clone(), fabric.name.clone());
                Err(vec![MappingError::TooFewCycles { network, arch, cycles, least }])
            }
        }
    }
}

/// Maps `network` with as many replicas as its smallest map asks for: [`Fill::LastLayer`].
pub fn balance(arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Vec<MappingError>> {
    Balance::default().layout(arch, network, plan)
}

/// Maps `network` as [`balance`] does, but for one crop: [`Balance::for_crop`].
pub fn balance_cropped(arch: &Arch, network: &Network, plan: &Plan) -> Result<Layout, Vec<MappingError>> {
    Balance { for_crop: true, ..Balance::default() }.layout(arch, network, plan)
}

/// Maps `network` with the smallest bound on the windows per replica, from `aim` to `most`, for which the board is
/// large enough.
pub fn balance_to(
    arch: &Arch,
    network: &Network,
    plan: &Plan,
    aim: u64,
    most: u64,
) -> Result<Layout, Vec<MappingError>> {
    let areas = network.layers.iter().map(Area::whole).collect();
    fit(&Fabric::new(arch), network, plan, &areas, aim, most)
}

/// Deals the windows of `areas` with the smallest bound on the windows per replica, from `aim` to `most`, for which the
/// board is large enough.
fn fit(
    fabric: &Fabric,
    network: &Network,
    plan: &Plan,
    areas: &IndexVec<LayerId, Area>,
    aim: u64,
    most: u64,
) -> Result<Layout, Vec<MappingError>> {
    limits::check_network(network)?;
    let shapes = network.layers.iter().zip(&plan.layers).map(|(layer, plan)| shape(fabric, layer, plan));
    let shapes: IndexVec<LayerId, Geometry> = collect_all(shapes)?.into();
    let packer = Packer { fabric, network, plan, areas, shapes: &shapes };
    for packing in [Packing::BySlice, Packing::ByLayer] {
        let fits = |windows: u64| packer.place(windows, packing).end <= fabric.imas();
        if !fits(most) {
            continue;
        }
        // Invariant: bounds below `low` do not fit, `high` does. On most boards, the aim does.
        let (mut low, mut high) = (aim, if fits(aim) { aim } else { most.max(aim) });
        while low < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { high = middle } else { low = middle + 1 }
        }
        return packer.spread(high, packing);
    }
    // `place.end` saturates where the IMAs exceed their numbers; the sum without gaps does not.
    let place = packer.place(u64::MAX, Packing::ByLayer);
    let imas: u64 = shapes.iter().map(Geometry::imas).sum();
    Err(vec![MappingError::BoardTooSmall {
        network: network.name.clone(),
        arch: fabric.name.clone(),
        needed: shapes.iter().map(Geometry::crossbars).sum(),
        available: fabric.crossbars(),
        needed_tiles: imas.max(place.end.into()).div_ceil(fabric.tile.imas.into()),
        available_tiles: fabric.tiles().into(),
    }])
}

/// Returns the shape that fits the registers with the fewest IMAs per replica and, of those, the least bus traffic.
fn shape(fabric: &Fabric, layer: &Layer, plan: &LayerPlan) -> Result<Geometry, MappingError> {
    let shapes = (1..=fabric.ima.crossbars).map(|ima_rows| (ima_rows, fabric.ima.crossbars / ima_rows));
    let geometries = shapes.filter_map(|(ima_rows, ima_cols)| {
        let whole = Geometry::new(fabric, layer, plan.weight_bits, 1, 1);
        let (ima_rows, ima_cols) = (ima_rows.min(whole.row_blocks), ima_cols.min(whole.col_blocks));
        let geometry = Geometry::new(fabric, layer, plan.weight_bits, ima_rows, ima_cols);
        geometry.check_registers(fabric, &layer.name).is_ok().then_some(geometry)
    });
    geometries
        .min_by_key(|geometry| (geometry.imas_per_replica(), geometry.traffic(), geometry.ima_rows))
        .ok_or_else(|| MappingError::NoShape { layer: layer.name.clone() })
}

/// Places replicas on the board.
pub(crate) struct Packer<'a> {
    pub(crate) fabric: &'a Fabric,
    pub(crate) network: &'a Network,
    plan: &'a Plan,
    /// Windows that are dealt, by layer.
    areas: &'a IndexVec<LayerId, Area>,
    shapes: &'a IndexVec<LayerId, Geometry>,
}

/// Placed layers, and the first IMA after them.
pub(crate) struct Placement {
    pub(crate) layers: Vec<LayerMapping>,
    pub(crate) end: u32,
}

/// Order in which replicas are placed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// By the strips that they compute, a tile's worth of a layer at a time.
    BySlice,
    /// Layer after layer.
    ByLayer,
}

/// Restrictions on the tiles of a layer's replicas.
#[derive(Clone, Copy)]
pub(crate) struct Spacing {
    /// The layer begins with a new tile; placed by slices, it shares no tile at all.
    pub(crate) new_tile: bool,
    /// Most replicas of the layer in one tile.
    replicas_per_tile: u32,
}

impl Packer<'_> {
    /// Places all layers with at most `windows` windows per replica, as closely as `packing` allows. By slices, each
    /// layer has tiles of its own.
    fn place(&self, windows: u64, packing: Packing) -> Placement {
        self.place_spaced(windows, packing, &self.closest(packing == Packing::BySlice))
    }

    pub(crate) fn closest(&self, new_tile: bool) -> IndexVec<LayerId, Spacing> {
        let spacing = |shape: &Geometry| Spacing { new_tile, replicas_per_tile: self.in_one_tile(shape) };
        self.shapes.iter().map(spacing).collect()
    }

    /// Returns the replicas of a layer that fit one tile, at least 1.
    fn in_one_tile(&self, shape: &Geometry) -> u32 {
        (self.fabric.tile.imas / shape.imas_per_replica()).max(1)
    }

    /// Deals the windows of all layers to replicas and places these on the board.
    pub(crate) fn place_spaced(
        &self,
        windows: u64,
        packing: Packing,
        spacing: &IndexVec<LayerId, Spacing>,
    ) -> Placement {
        let grids: IndexVec<LayerId, Grid> = (self.network.layers.iter().zip(self.areas).zip(spacing))
            .map(|((layer, area), spacing)| match (layer.kind, packing) {
                (LayerKind::FullyConnected, _) => Grid::new(layer, *area, 1, 1),
                (_, Packing::BySlice) => Grid::fitting(layer, *area, windows, spacing.replicas_per_tile),
                // A replica takes no more space than its IMAs.
                (_, Packing::ByLayer) => Grid::fitting(layer, *area, windows, 1),
            })
            .collect();
        let (replicas, end) = match packing {
            Packing::BySlice => self.slice_by_slice(&grids, spacing),
            Packing::ByLayer => self.layer_by_layer(&grids, spacing),
        };
        let named = self.network.layers.iter().zip(self.shapes).zip(self.areas);
        let layers = named.zip(grids.into_iter().zip(replicas)).map(|(((layer, shape), area), (grid, replicas))| {
            let Geometry { ima_rows, ima_cols, .. } = *shape;
            let Grid { strips, interleave, .. } = grid;
            let windows = (*area != Area::whole(layer)).then_some(*area);
            LayerMapping { name: layer.name.clone(), ima_rows, ima_cols, strips, interleave, replicas, windows }
        });
        Placement { layers: layers.collect(), end }
    }

    /// Places replicas on a board with room. What a layer places in a tile stays together, and the tiles of all
    /// convolutions are ordered by the strips that they compute. The consumers of a tile's outputs are then close to it.
    fn slice_by_slice(
        &self,
        grids: &IndexVec<LayerId, Grid>,
        spacing: &IndexVec<LayerId, Spacing>,
    ) -> (IndexVec<LayerId, Vec<u32>>, u32) {
        /// Replicas of a layer that occupy one tile, or one replica that occupies several.
        struct Bundle {
            /// Middle of the strips as a fraction of the map's width, in units of 2^-32.
            middle: u64,
            layer: LayerId,
            replicas: u32,
        }
        let per_tile = self.fabric.tile.imas;
        let mut bundles = Vec::new();
        for ((layer, grid), spacing) in grids.enumerate().zip(spacing) {
            let all = grid.replicas();
            for first in (0..all).step_by(size(spacing.replicas_per_tile)) {
                let replicas = spacing.replicas_per_tile.min(all - first);
                let strips = first / grid.interleave + (first + replicas - 1) / grid.interleave + 1;
                // Classifiers follow the convolutions.
                let is_classifier = self.network.layers[layer].kind == LayerKind::FullyConnected;
                let middle = if is_classifier { u64::MAX } else { (u64::from(strips) << 31) / u64::from(grid.strips) };
                bundles.push(Bundle { middle, layer, replicas });
            }
        }
        bundles.sort_by_key(|bundle| (bundle.middle, bundle.layer));
        let mut replicas: IndexVec<LayerId, Vec<u32>> = IndexVec::filled(Vec::new(), grids.len());
        let (mut end, mut is_shared) = (0u32, false);
        for Bundle { layer, replicas: count, .. } in bundles {
            let imas = self.shapes[layer].imas_per_replica();
            let all = count.saturating_mul(imas);
            let shares = !spacing[layer].new_tile;
            let next = next_tile(end, per_tile);
            if !(shares && is_shared && all <= next - end) {
                end = next;
            }
            replicas[layer].extend((0..count).map(|replica| end.saturating_add(replica.saturating_mul(imas))));
            end = end.saturating_add(all);
            is_shared = shares;
        }
        (replicas, next_tile(end, per_tile))
    }

    /// Places replicas on a board without room to spare: each layer begins where the previous one ends.
    fn layer_by_layer(
        &self,
        grids: &IndexVec<LayerId, Grid>,
        spacing: &IndexVec<LayerId, Spacing>,
    ) -> (IndexVec<LayerId, Vec<u32>>, u32) {
        let per_tile = self.fabric.tile.imas;
        let mut end = 0u32;
        let mut all = IndexVec::default();
        for ((grid, spacing), shape) in grids.iter().zip(spacing).zip(self.shapes) {
            let imas = shape.imas_per_replica();
            if spacing.new_tile {
                end = next_tile(end, per_tile);
            }
            let mut replicas = Vec::new();
            let (mut tile, mut here) = (end / per_tile, 0);
            for _ in 0..grid.replicas() {
                // A replica that fits one tile lies in one tile; a larger one begins with a tile.
                let left = per_tile - end % per_tile;
                let full = end / per_tile == tile && here == spacing.replicas_per_tile;
                if left < per_tile && (full || left < imas.min(per_tile)) {
                    end = end.saturating_add(left);
                }
                if end / per_tile != tile {
                    (tile, here) = (end / per_tile, 0);
                }
                here += 1;
                replicas.push(end);
                end = end.saturating_add(imas);
            }
            all.push(replicas);
        }
        (all, end)
    }

    /// Places the replicas, spread over more tiles where a tile's buffer or output register would be too small.
    fn spread(&self, windows: u64, packing: Packing) -> Result<Layout, Vec<MappingError>> {
        let mut spacing = self.closest(packing == Packing::BySlice);
        let mut reasons = Vec::new();
        loop {
            let Placement { layers, end } = self.place_spaced(windows, packing, &spacing);
            if end > self.fabric.imas() {
                // Spread out, the replicas need more tiles than the board has: use fewer replicas of all layers, down
                // to one of each.
                if self.areas.iter().all(|area| area.windows() <= windows) {
                    return Err(reasons);
                }
                let windows = windows + windows.div_ceil(16);
                return fit(self.fabric, self.network, self.plan, self.areas, windows, u64::MAX);
            }
            let replicas: IndexVec<LayerId, usize> = layers.iter().map(|layer| layer.replicas.len()).collect();
            let faults = match self.lay_out(layers) {
                Ok(layout) if packing == Packing::BySlice => return Ok(self.share(windows, layout)),
                Ok(layout) => return Ok(layout),
                Err(faults) => faults,
            };
            let mut moved = false;
            for (id, layer) in self.network.layers.enumerate() {
                if !faults.iter().any(|fault| fault.layers().contains(&layer.name)) {
                    continue;
                }
                let spacing = &mut spacing[id];
                if spacing.replicas_per_tile > 1 && replicas[id] > 1 {
                    spacing.replicas_per_tile /= 2;
                    moved = true;
                } else if !spacing.new_tile {
                    spacing.new_tile = true;
                    moved = true;
                }
            }
            if !moved {
                return Err(faults);
            }
            reasons = faults;
        }
    }

    /// Lays out placed layers.
    pub(crate) fn lay_out(&self, layers: Vec<LayerMapping>) -> Result<Layout, Vec<MappingError>> {
        let (arch, network) = (self.fabric.name.clone(), self.network.name.clone());
        Layout::on(self.fabric, self.network, self.plan, Mapping { arch, network, layers })
    }
}

/// Rounds `end` up to the first IMA of a tile; `u32::MAX` stands for an IMA beyond all boards.
fn next_tile(end: u32, per_tile: u32) -> u32 {
    end.checked_next_multiple_of(per_tile).unwrap_or(u32::MAX)
}

/// Returns all values, or all errors if there are any.
fn collect_all<T, E>(results: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, Vec<E>> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

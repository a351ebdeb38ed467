//! Demand of one image for shared resources, summed over all messages that the simulator would send.
//!
//! Four kinds of traffic exist: inputs and results of operations over the bus, partial sums to accumulator tiles,
//! values for a max-pool that another replica finishes, and finished positions to the buffers of the consuming layer.

use std::ops::Range;

use arch::Arch;
use components::{Direction, Hop, MeshGeometry, RowsRead};
use mapper::{LayerLayout, Layout, NEVER};

/// Traffic of one image on each shared resource. It follows from the mapping and the plan alone.
///
/// Values sent to another tile, and their writes, are attributed to the layer that produced them.
#[derive(Clone, Debug)]
pub struct Demand {
    geometry: MeshGeometry,
    tiles_of_router: usize,
    /// Bits per image over the bus of each tile of the board.
    pub buses: Vec<ByLayer>,
    /// Bits per image through the eDRAM port of each tile of the board.
    pub edram_ports: Vec<ByLayer>,
    /// Flits per image through each router port, indexed as [`Demand::port`] states.
    pub router_ports: Vec<ByLayer>,
    /// Bits per image over each link that leaves a chip, indexed as [`Demand::link`] states.
    pub links: Vec<ByLayer>,
}

/// Amount by layer, in the order of the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByLayer(Vec<(usize, u64)>);

impl ByLayer {
    /// Returns the layers with an amount above 0, in order, with their amounts.
    pub fn layers(&self) -> &[(usize, u64)] {
        &self.0
    }

    /// Returns the amount of all layers.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, amount)| amount).sum()
    }

    /// Adds to the amount of `layer`, which must not precede the last layer that was added.
    fn add(&mut self, layer: usize, amount: u64) {
        match self.0.last_mut() {
            _ if amount == 0 => (),
            Some((last, of_last)) if *last == layer => *of_last += amount,
            _ => self.0.push((layer, amount)),
        }
    }
}

/// Layer of a layout on its machine.
#[derive(Clone, Copy)]
struct Of<'a> {
    arch: &'a Arch,
    layout: &'a Layout,
    index: usize,
    layer: &'a LayerLayout,
}

impl Demand {
    /// Sums the traffic of one image of `layout` on `arch`.
    pub fn new(arch: &Arch, layout: &Layout) -> Demand {
        let geometry = MeshGeometry::new(arch);
        let (chips, tiles) = (arch.board.chips as usize, arch.tiles() as usize);
        let tiles_of_router = (arch.router.tile_columns * arch.router.tile_rows) as usize;
        let ports = chips * geometry.routers() as usize * ports_of_router(tiles_of_router);
        let idle = |resources: usize| vec![ByLayer::default(); resources];
        let mut demand = Demand {
            buses: idle(tiles),
            edram_ports: idle(tiles),
            router_ports: idle(ports),
            links: idle(chips * Direction::ALL.len()),
            geometry,
            tiles_of_router,
        };
        for (index, layer) in layout.layers.iter().enumerate() {
            let of = Of { arch, layout, index, layer };
            demand.operations(of);
            demand.partial_sums(of);
            demand.pool_values(of);
            demand.positions(of);
        }
        demand
    }

    /// Returns chip, router on the chip, and port of the router, of entry `index` of `router_ports`.
    pub fn port(&self, index: usize) -> (u32, u32, usize) {
        let ports = ports_of_router(self.tiles_of_router);
        let (router, routers) = ((index / ports) as u32, self.geometry.routers());
        (router / routers, router % routers, index % ports)
    }

    /// Returns the chip and the side on which the link leaves it, of entry `index` of `links`.
    pub fn link(&self, index: usize) -> (u32, Direction) {
        let sides = Direction::ALL.len();
        ((index / sides) as u32, Direction::ALL[index % sides])
    }

    /// Adds inputs of operations, from the buffer over the bus, and results, over the bus.
    fn operations(&mut self, of: Of) {
        let Of { arch, index, layer, .. } = of;
        for replica in 0..layer.replicas.len() as u32 {
            let inputs = of.bits_read(replica);
            let windows = layer.windows(replica).len() as u64;
            for (tile, _, ima) in layer.places(arch, replica) {
                let (row_group, _) = layer.geometry.groups_of(ima);
                let read = inputs[row_group as usize];
                let results = windows * of.partial_sum_bits(&layer.geometry.ima(ima).outputs);
                self.buses[tile as usize].add(index, read + results);
                self.edram_ports[tile as usize].add(index, read);
            }
        }
    }

    /// Adds partial sums sent to the accumulator tiles.
    fn partial_sums(&mut self, of: Of) {
        let Of { arch, layer, .. } = of;
        for replica in 0..layer.replicas.len() as u32 {
            let windows = layer.windows(replica).len() as u64;
            for (group, outputs) in (0..).zip(&layer.groups) {
                let accumulator = layer.accumulator(arch, replica, group);
                for contributor in layer.group_tiles(arch, replica, group).into_keys() {
                    self.send(of, contributor, accumulator, of.partial_sum_bits(&outputs.outputs), windows);
                }
            }
        }
    }

    /// Adds activations for a max-pool position that another replica finishes.
    fn pool_values(&mut self, of: Of) {
        let Of { arch, layer, .. } = of;
        if !layer.shares_positions() {
            return;
        }
        let mut values = Counters::new(layer.replicas.len());
        for replica in 0..layer.replicas.len() as u32 {
            for window in layer.windows(replica) {
                let (rows, columns) = layer.positions_under(window);
                for position in rows.flat_map(|y| columns.clone().map(move |x| y * layer.layer.pooled.width + x)) {
                    let finisher = layer.finisher[position as usize];
                    if finisher != replica {
                        values.count(finisher);
                    }
                }
            }
            for (finisher, number) in values.take() {
                for (group, outputs) in (0..).zip(&layer.groups) {
                    let (from, to) =
                        (layer.accumulator(arch, replica, group), layer.accumulator(arch, finisher, group));
                    self.send(of, from, to, of.partial_sum_bits(&outputs.outputs), number);
                }
            }
        }
    }

    /// Adds finished positions sent to the buffers of the consuming layer. Those of the last layer stay in their tile.
    fn positions(&mut self, of: Of) {
        let Of { arch, layout, index, layer } = of;
        let next = layout.layers.get(index + 1);
        let mut finished: Vec<(u32, u32)> =
            layer.finisher.iter().copied().zip(0..).filter(|&(finisher, _)| finisher != NEVER).collect();
        finished.sort_unstable();
        let mut sent = Counters::new(next.map_or(0, |next| next.slices.len()));
        for finished in finished.chunk_by(|a, b| a.0 == b.0) {
            let replica = finished[0].0;
            let accumulators: Vec<u32> =
                (0..layer.groups.len() as u32).map(|group| layer.accumulator(arch, replica, group)).collect();
            let Some(next) = next else {
                for (&accumulator, group) in accumulators.iter().zip(&layer.groups) {
                    let bits = of.partial_sum_bits(&group.outputs) * finished.len() as u64;
                    self.edram_ports[accumulator as usize].add(index, bits);
                }
                continue;
            };
            for destination in finished.iter().flat_map(|&(_, position)| layer.destinations(position)) {
                sent.count(destination.slice);
            }
            for (slice, number) in sent.take() {
                let slice = &next.slices[slice as usize];
                for (&accumulator, group) in accumulators.iter().zip(&layer.groups) {
                    let bits = u64::from(slice.overlap(&group.outputs)) * u64::from(next.stored_bits);
                    self.edram_ports[slice.tile as usize].add(index, bits * number);
                    self.send(of, accumulator, slice.tile, bits, number);
                }
            }
        }
    }

    /// Adds `packets` of `bits` each from tile to tile. Packets within a tile use no shared resource of the mesh.
    fn send(&mut self, Of { arch, index, .. }: Of, from: u32, to: u32, bits: u64, packets: u64) {
        if from == to || packets == 0 {
            return;
        }
        let Demand { geometry, tiles_of_router, router_ports, links, .. } = self;
        let flits = bits.div_ceil(arch.router.flit_bits.into());
        geometry.way(from, to, |hop| match hop {
            Hop::Port(chip, (column, row), port) => {
                let router = (chip * geometry.routers() + row * geometry.columns() + column) as usize;
                let port = router * ports_of_router(*tiles_of_router) + port.number(*tiles_of_router);
                router_ports[port].add(index, flits * packets);
            }
            Hop::Link(chip, side) => {
                links[chip as usize * Direction::ALL.len() + side as usize].add(index, bits * packets);
            }
        });
    }
}

impl Of<'_> {
    /// Returns the bits that an IMA of each row group of a replica reads. Zeros (padding and cropped positions) are not
    /// read.
    fn bits_read(self, replica: u32) -> Vec<u64> {
        let layer = self.layer;
        let before = self.index.checked_sub(1).map(|before| &self.layout.layers[before]);
        let produced =
            |y, x| before.is_none_or(|before| before.produced[(y * before.layer.pooled.width + x) as usize] != NEVER);
        let row_groups = (0..layer.geometry.row_groups).map(|row_group| layer.geometry.ima_at(row_group, 0));
        let rows: Vec<Range<u32>> = row_groups.map(|ima| layer.geometry.ima(ima).rows).collect();
        let (mut bits_of_whole, mut bits) = (0, vec![0; rows.len()]);
        for window in layer.windows(replica) {
            if window.whole {
                bits_of_whole += u64::from(window.bits);
                continue;
            }
            let read = RowsRead::new(&layer.layer, window, produced);
            for (bits, rows) in bits.iter_mut().zip(&rows) {
                *bits += u64::from(read.among(rows)) * u64::from(window.bits);
            }
        }
        for (bits, rows) in bits.iter_mut().zip(&rows) {
            *bits += rows.len() as u64 * bits_of_whole;
        }
        bits
    }

    /// Returns the bits of the results or partial sums of `outputs` for one window.
    fn partial_sum_bits(self, outputs: &Range<u32>) -> u64 {
        outputs.len() as u64 * u64::from(self.arch.tile.partial_sum_bits)
    }
}

/// Sparse counters: most stay 0, and only the others are visited.
struct Counters {
    counts: Vec<u64>,
    counted: Vec<u32>,
}

impl Counters {
    fn new(numbers: usize) -> Counters {
        Counters { counts: vec![0; numbers], counted: Vec::new() }
    }

    fn count(&mut self, number: u32) {
        let count = &mut self.counts[number as usize];
        if *count == 0 {
            self.counted.push(number);
        }
        *count += 1;
    }

    /// Returns the counts above 0 and resets the counters.
    fn take(&mut self) -> Vec<(u32, u64)> {
        let Counters { counts, counted } = self;
        counted.drain(..).map(|number| (number, std::mem::take(&mut counts[number as usize]))).collect()
    }
}

/// Returns the number of ports of a router: from its tiles, to its tiles, to its neighbours.
fn ports_of_router(tiles: usize) -> usize {
    2 * tiles + Direction::ALL.len()
}

//! What passes the resources of a running machine, seen by a probe.

use std::collections::BTreeMap;

use arch::Arch;
use chip::{Options, Outcome, Probe, SimulationError};
use components::{ChipId, Direction, Event, MeshGeometry};
use index::{Index, IndexVec};
use mapper::{Layout, TileId};
use network::LayerId;

/// An amount for each layer and resource.
type Amounts<Resource> = BTreeMap<(Resource, LayerId), u64>;

/// What passed, resource by resource, and for which layer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passing {
    result_layer: LayerId,
    tiles_of_router: usize,
    /// Bits over the bus of a tile.
    pub(crate) buses: Amounts<TileId>,
    /// Bits through the eDRAM port of a tile.
    pub(crate) edram_ports: Amounts<TileId>,
    /// Flits through a port: chip, router (column, row), number of the port.
    pub(crate) router_ports: Amounts<(ChipId, (u32, u32), usize)>,
    /// Bits over a link: the chip that it enters, and the side.
    pub(crate) links: Amounts<(ChipId, Direction)>,
    /// Ports that the packet under way has taken.
    taken: Vec<(ChipId, (u32, u32), usize)>,
}

impl Passing {
    /// What passed while `images` images ran.
    pub(crate) fn seen(arch: &Arch, layout: &Layout, images: u32) -> Result<(Outcome, Passing), SimulationError> {
        let passing = Passing {
            result_layer: layout.result_layer(),
            tiles_of_router: (arch.router.tile_columns * arch.router.tile_rows) as usize,
            ..Passing::default()
        };
        let (outcome, passing) = chip::run_probed(arch, layout, &Options { images, ..Options::default() }, passing);
        Ok((outcome?, passing))
    }

    /// What `analysis` says will pass.
    pub(crate) fn foreseen(arch: &Arch, layout: &Layout) -> Passing {
        let (demand, geometry) = (analysis::Demand::new(arch, layout), MeshGeometry::new(arch));
        let router = |router: u32| (router % geometry.columns(), router / geometry.columns());
        let port = |(chip, of_chip, port): (ChipId, u32, usize)| (chip, router(of_chip), port);
        let link = |(chip, side): (ChipId, Direction)| (geometry.neighbour(chip, side), side.opposite());
        Passing {
            result_layer: layout.result_layer(),
            tiles_of_router: (arch.router.tile_columns * arch.router.tile_rows) as usize,
            buses: amounts(&demand.buses, |tile| tile),
            edram_ports: amounts(&demand.edram_ports, |tile| tile),
            router_ports: amounts(&demand.router_ports, |index| port(demand.port(index))),
            links: amounts(&demand.links, |index| link(demand.link(index))),
            taken: Vec::new(),
        }
    }
}

fn amounts<I: Index, Resource: Ord>(
    needs: &IndexVec<I, analysis::ByLayer>,
    name: impl Fn(I) -> Resource,
) -> Amounts<Resource> {
    let of = |(index, need): (I, &analysis::ByLayer)| {
        let layers = need.layers().iter().map(|&(layer, amount)| ((name(index), layer), amount));
        layers.collect::<Vec<_>>()
    };
    needs.enumerate().flat_map(of).collect()
}

/// Adds to an amount, unless there is nothing to add.
fn add<Resource: Ord>(amounts: &mut Amounts<Resource>, resource: Resource, layer: LayerId, amount: u64) {
    if amount > 0 {
        *amounts.entry((resource, layer)).or_default() += amount;
    }
}

impl Probe for Passing {
    fn observe(&mut self, event: impl FnOnce() -> Event) {
        match event() {
            Event::Fetch { unit, bits, .. } => {
                add(&mut self.buses, unit.tile, unit.layer, bits);
                add(&mut self.edram_ports, unit.tile, unit.layer, bits);
            }
            Event::Result { unit, bits, .. } => add(&mut self.buses, unit.tile, unit.layer, bits),
            Event::Write { tile, layer, bits, .. } => {
                // The producer's traffic: inputs of a layer come from the one before.
                let layer = layer.map_or(self.result_layer, |layer| LayerId::new(layer.index() - 1));
                add(&mut self.edram_ports, tile, layer, bits.into());
            }
            Event::Port { chip, router, port, .. } => {
                self.taken.push((chip, router, port.number(self.tiles_of_router)));
            }
            Event::Packet { layer, flits, .. } => {
                for port in self.taken.drain(..) {
                    add(&mut self.router_ports, port, layer, flits.into());
                }
            }
            Event::Crossing { to, enters, layer, bits, .. } => {
                add(&mut self.links, (to, enters), layer, bits.into());
            }
            _ => {}
        }
    }
}

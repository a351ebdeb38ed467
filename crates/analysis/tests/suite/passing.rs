//! What passes the resources of a running machine, seen by a probe.

use std::collections::BTreeMap;

use arch::Arch;
use chip::{Options, Outcome, Probe, SimulationError};
use components::{ChipId, Direction, Event, InputId, MeshGeometry, Port};
use index::{Index, IndexVec};
use mapper::{Layout, TileId};
use network::LayerId;

/// An amount for each layer and resource.
type Amounts<Resource> = BTreeMap<(Resource, LayerId), u64>;

/// What passed, resource by resource, and for which layer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passing {
    /// Producer of each input slice, and of each result by its position.
    producers: BTreeMap<(TileId, InputId), LayerId>,
    results: Vec<LayerId>,
    /// Bits over the bus of a tile.
    pub(crate) buses: Amounts<TileId>,
    /// Bits through the eDRAM port of a tile.
    pub(crate) edram_ports: Amounts<TileId>,
    /// Flits through a port: chip, router (column, row), port.
    pub(crate) router_ports: Amounts<(ChipId, (u32, u32), Port)>,
    /// Bits over a link: the chip that it enters, and the side.
    pub(crate) links: Amounts<(ChipId, Direction)>,
}

impl Passing {
    /// What passed while `images` images ran.
    pub(crate) fn seen(arch: &Arch, layout: &Layout, images: u32) -> Result<(Outcome, Passing), SimulationError> {
        let scene = analysis::Scene::new(arch, layout);
        let slices = scene.tiles().flat_map(|tile| scene.buffered(tile).map(move |inputs| (tile, inputs)));
        let producers = slices.filter_map(|of| Some((of, scene.producer(of.0, of.1)?)));
        let results = layout.results().flat_map(|(map, layer)| vec![layer; layout.maps[map].positions() as usize]);
        let passing = Passing { producers: producers.collect(), results: results.collect(), ..Passing::default() };
        let (outcome, passing) = chip::run_probed(arch, layout, &Options { images, ..Options::default() }, passing);
        // What passed is all that is compared.
        Ok((outcome?, Passing { producers: BTreeMap::new(), results: Vec::new(), ..passing }))
    }

    /// What `analysis` says will pass.
    pub(crate) fn foreseen(arch: &Arch, layout: &Layout) -> Passing {
        let (demand, geometry) = (analysis::Demand::new(&chip::Routed::new(arch, layout)), MeshGeometry::new(arch));
        let link = |(chip, side): (ChipId, Direction)| (geometry.neighbour(chip, side), side.opposite());
        Passing {
            buses: amounts(&demand.buses, |tile| tile),
            edram_ports: amounts(&demand.edram_ports, |tile| tile),
            router_ports: amounts(&demand.router_ports, |index| demand.port(index)),
            links: amounts(&demand.links, |index| link(demand.link(index))),
            ..Passing::default()
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
            Event::Skip { tile, layer, bits, .. } => {
                add(&mut self.buses, tile, layer, bits);
                add(&mut self.edram_ports, tile, layer, bits);
            }
            Event::Write { tile, slice, sequence, bits, .. } => {
                // The producer's traffic.
                let layer = match slice {
                    Some((_, inputs)) => self.producers[&(tile, inputs)],
                    None => self.results[(sequence as usize) % self.results.len()],
                };
                add(&mut self.edram_ports, tile, layer, bits.into());
            }
            Event::Port { chip, router, port, layer, flits, .. } => {
                add(&mut self.router_ports, (chip, router, port), layer, flits.into());
            }
            Event::Crossing { to, enters, layer, bits, .. } => {
                add(&mut self.links, (to, enters), layer, bits.into());
            }
            _ => {}
        }
    }
}

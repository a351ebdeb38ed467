//! Bound on the interval between images: demands divided by rates, ranked.
//!
//! Crossbars are compared by the busiest replica of each layer, since the reads of its windows cannot overlap. Of other
//! resources only the five busiest of each kind are named, with the layers that cause their traffic.

use std::cmp::Reverse;

use arch::Arch;
use chip::Routed;
use components::{Ima, MeshGeometry, Port};
use index::{Index, IndexVec, count};
use mapper::{LayerLayout, Layout, ReplicaId, TileId};
use network::LayerId;
use serde::{Deserialize, Serialize};

use crate::demand::{ByLayer, Demand, LinkId, PortId};

/// Number of resources of each kind that a [`Bound`] names, the busiest ones. Crossbars are named for every layer.
const PER_KIND: usize = 5;

/// Fraction of the bound from which on a resource is a bottleneck: it would bind next, or with little more traffic.
const NEAR: f64 = 0.9;

/// Bound on the pace of a run: the resource that an image needs for the most cycles, whatever the units wait for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Cycles that an image needs of that resource: in the long run no image follows the previous one faster.
    pub cycles: f64,
    /// Busiest resources of each kind, by descending cycles.
    pub resources: Vec<Resource>,
}

/// Resource, and the demand of an image for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Kind of the resource.
    pub kind: Kind,
    /// Name on the board.
    pub name: String,
    /// Cycles that an image needs of it: `amount` / `per_cycle`.
    pub cycles: f64,
    /// Demand per image: cycles of crossbars, flits of router ports, bits otherwise.
    pub amount: u64,
    /// Rate of the resource: amount per cycle.
    pub per_cycle: f64,
    /// Number of other resources of its kind with the same amount.
    pub alike: usize,
    /// Layers that need it, by descending share.
    pub layers: Vec<Part>,
}

impl Resource {
    /// True for a port between a tile and its router, whose demand follows the tile. Saved reports tell by the name.
    fn is_of_tile(&self) -> bool {
        self.kind == Kind::RouterPort && self.name.starts_with("port ")
    }
}

/// Demand of one layer for a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Name of the layer.
    pub layer: String,
    /// Fraction of the amount, 0 to 1.
    pub share: f64,
}

/// Kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Crossbars of the busiest replica of a layer, while they are read.
    Crossbars,
    /// Bus of a tile.
    Bus,
    /// Port of a tile's eDRAM buffer.
    EdramPort,
    /// Port of a router: from a tile, to a tile, or to a neighbour.
    RouterPort,
    /// One direction of a link between chips.
    Link,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Crossbars, Self::Bus, Self::EdramPort, Self::RouterPort, Self::Link];

    /// True for the resources whose demand changes when tiles are moved with all that they hold.
    pub(crate) fn depends_on_placement(self) -> bool {
        matches!(self, Self::RouterPort | Self::Link)
    }
}

impl Bound {
    /// Works out the bound of `layout` on `arch`. Only crossbars count if the run is `uncontended`.
    pub fn new(arch: &Arch, layout: &Layout, uncontended: bool) -> Bound {
        Bound::of(&Routed::new(arch, layout), uncontended)
    }

    /// Works out the bound as [`Bound::new`] does, from known routes.
    pub fn of(routed: &Routed<'_>, uncontended: bool) -> Bound {
        let Routed { arch, layout, .. } = *routed;
        let mut resources: Vec<Resource> = layout.layers.iter().filter_map(|layer| crossbars(arch, layer)).collect();
        let amounts: Vec<u64> = resources.iter().map(|resource| resource.amount).collect();
        for resource in &mut resources {
            resource.alike = alike(resource.amount, amounts.iter().copied());
        }
        if !uncontended {
            resources.extend(shared(routed));
        }
        // Equals are in the order of their kinds; the sort is stable within a kind.
        resources.sort_by(|a, b| b.cycles.total_cmp(&a.cycles).then(a.kind.cmp(&b.kind)));
        Bound { cycles: resources.first().map_or(0.0, |first| first.cycles), resources }
    }

    /// Returns the bottlenecks: the resources at the bound or near it.
    pub fn bottlenecks(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(|resource| self.is_near(resource))
    }

    /// True if a router port or a link sets the bound: with other places of the replicas, or with `router.multicast`, it
    /// may be lower.
    pub fn is_of_placement(&self) -> bool {
        self.resources.first().is_some_and(|first| first.kind.depends_on_placement() && !first.is_of_tile())
    }

    /// Returns the busiest resource of each kind and the other bottlenecks: one for each amount, at most five
    /// of a kind.
    pub fn ranked(&self) -> Vec<&Resource> {
        let mut ranked: Vec<&Resource> = Vec::new();
        for resource in &self.resources {
            let mut of_kind = ranked.iter().filter(|other| other.kind == resource.kind);
            let first = of_kind.clone().next().is_none();
            let other = of_kind.clone().count() < PER_KIND && of_kind.all(|other| other.amount != resource.amount);
            if first || other && self.is_near(resource) {
                ranked.push(resource);
            }
        }
        ranked
    }

    /// True if a resource is a bottleneck: at the bound or near it.
    pub fn is_near(&self, resource: &Resource) -> bool {
        resource.cycles >= NEAR * self.cycles
    }
}

/// Returns the crossbars of the replica of `layer` that is read longest; `None` if no window of the layer is computed.
fn crossbars(arch: &Arch, layer: &LayerLayout) -> Option<Resource> {
    // No IMA of a replica holds more than the first one, so none takes longer.
    let timing = Ima::new(arch, arch.conversions_per_cycle(), layer.geometry.ima(0)).timing();
    let cycles = |replica: ReplicaId| -> u64 {
        let alike = layer.windows(replica).chunk_by(|a, b| a.bits == b.bits);
        let reads = |bits: u8| timing.reads(arch.iterations(bits.into()).max(1));
        alike.map(|windows| count(windows.len()) * reads(windows[0].bits)).sum()
    };
    let replicas = layer.replicas.indices().map(|replica| (cycles(replica), replica));
    let (amount, replica) = replicas.max_by_key(|&(cycles, replica)| (cycles, Reverse(replica)))?;
    let name = &layer.layer.name;
    (amount > 0).then(|| Resource {
        kind: Kind::Crossbars,
        name: format!("crossbars of {name}, replica {replica}"),
        cycles: amount as f64,
        amount,
        per_cycle: 1.0,
        alike: 0,
        layers: vec![Part { layer: name.clone(), share: 1.0 }],
    })
}

/// Returns the busiest shared resources, kind by kind.
fn shared(mapped: &Routed<'_>) -> Vec<Resource> {
    let Routed { arch, layout, .. } = *mapped;
    let demand = Demand::new(mapped);
    let geometry = MeshGeometry::new(arch);
    let tile = |tile: TileId| {
        let of_chip = arch.tiles_per_chip();
        format!("tile {} on chip {}", tile.0 % of_chip, tile.0 / of_chip)
    };
    let port = |port: PortId| {
        let (chip, (column, row), port) = demand.port(port);
        let tile = |number: usize| {
            let own = (0..arch.tiles_per_chip()).filter(|&tile| geometry.router_of(tile) == (column, row)).nth(number);
            own.expect("a router has all its tiles")
        };
        let port = match port {
            Port::FromTile(number) => format!("port from tile {}", tile(number)),
            Port::ToTile(number) => format!("port to tile {}", tile(number)),
            Port::Neighbour(side) => format!("{} port", side.name()),
        };
        format!("{port} of router {column},{row} on chip {chip}")
    };
    let link = |link: LinkId| {
        let (chip, side) = demand.link(link);
        format!("link from chip {chip} to chip {}", geometry.neighbour(chip, side))
    };
    let bits = |bytes_per_cycle: u32| 8.0 * f64::from(bytes_per_cycle);
    let (bus, edram_port) = (bits(arch.bus.bytes_per_cycle), bits(arch.edram.bytes_per_cycle));
    let (flits, link_bits) = (arch.flits_per_cycle().per_cycle(), arch.link_bits_per_cycle().per_cycle());
    let edram_port_of = |of| format!("eDRAM port of {}", tile(of));
    [
        busiest(layout, Kind::Bus, &demand.buses, bus, |of| format!("bus of {}", tile(of))),
        busiest(layout, Kind::EdramPort, &demand.edram_ports, edram_port, edram_port_of),
        busiest(layout, Kind::RouterPort, &demand.router_ports, flits, port),
        busiest(layout, Kind::Link, &demand.links, link_bits, link),
    ]
    .concat()
}

/// Returns the busiest resources of a kind, each of which serves `per_cycle` of its needs in a cycle.
fn busiest<I: Index>(
    layout: &Layout,
    kind: Kind,
    needs: &IndexVec<I, ByLayer>,
    per_cycle: f64,
    name: impl Fn(I) -> String,
) -> Vec<Resource> {
    let amounts = needs.enumerate().map(|(index, need)| (need.total(), index)).filter(|&(amount, _)| amount > 0);
    let mut amounts: Vec<(u64, I)> = amounts.collect();
    amounts.sort_unstable_by_key(|&(amount, index)| (Reverse(amount), index));
    let resource = |&(amount, index): &(u64, I)| Resource {
        kind,
        name: name(index),
        cycles: amount as f64 / per_cycle,
        amount,
        per_cycle,
        alike: alike(amount, amounts.iter().map(|&(other, _)| other)),
        layers: parts(layout, &needs[index], amount),
    };
    amounts.iter().take(PER_KIND).map(resource).collect()
}

/// Returns how many others of `amounts` equal `amount`, which is one of them.
fn alike(amount: u64, amounts: impl Iterator<Item = u64>) -> usize {
    amounts.filter(|&other| other == amount).count() - 1
}

/// Returns the shares of the layers in `need`, whose total is `amount`.
fn parts(layout: &Layout, need: &ByLayer, amount: u64) -> Vec<Part> {
    let mut layers = need.layers().to_vec();
    layers.sort_by_key(|&(layer, of_layer)| (Reverse(of_layer), layer));
    let part = |(layer, of_layer): (LayerId, u64)| Part {
        layer: layout.layers[layer].layer.name.clone(),
        share: of_layer as f64 / amount as f64,
    };
    layers.into_iter().map(part).collect()
}

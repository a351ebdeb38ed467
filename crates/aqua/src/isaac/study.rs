//! Simulated runs of ISAAC's evaluation.
//!
//! A [`NetworkRun`] is a network on a board. Its mapping is ISAAC's, balanced with the last convolution (section IV), or
//! fills the board: as many replicas as it holds. [`NetworkRun::run`] simulates one image and the settled pace, with
//! contention and without, and works out the bound on the pace.
//!
//! Efficiencies are those of the tiles that hold weights, each with its part of a die and of its links, so that they
//! depend neither on tiles left over nor on a chip of which the last tiles are used.

use std::collections::BTreeSet;

use analysis::{Bound, Kind};
use arch::Arch;
use arch::derived::derived;
use chip::{Options, Routed};
use mapper::{LayerLayout, Layout, MappingError, TileId};
use network::{LayerKind, Network, Plan};
use serde::Serialize;

use super::design::Design;
use crate::study::StudyError;

/// Images of the first run that is tested for being settled.
const FIRST_IMAGES: u32 = 8;

/// Replicas of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// As many as keep pace with the last convolution, or as the board holds.
    Balanced,
    /// As many as the board holds.
    Filled,
}

/// A network on a board.
#[derive(Clone, Copy, Debug)]
pub struct NetworkRun<'a> {
    /// The machine of each chip.
    pub design: Design,
    /// Chips of the board.
    pub chips: u32,
    /// The network, with weights and activations of `bits` bits.
    pub network: &'a Network,
    /// Bits of weights and activations.
    pub bits: u32,
    /// Replicas of its layers.
    pub replicas: Replicas,
    /// Images of the longest run that is tested for being settled.
    pub most_images: u32,
}

/// Result of a [`NetworkRun`]; figures are missing if the network does not fit the board.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NetworkRow {
    /// Design of the machine.
    pub design: String,
    /// Network.
    pub network: String,
    /// Bits of weights and activations.
    pub bits: u32,
    /// Chips of the board.
    pub chips: u32,
    /// True if the replicas fill the board.
    pub filled: bool,
    /// Crossbars that hold weights.
    pub crossbars: Option<u64>,
    /// Tiles with such crossbars.
    pub tiles: Option<usize>,
    /// Cycles from the start to the last result of an image alone.
    pub latency_cycles: Option<u64>,
    /// The same without contention.
    pub uncontended_latency_cycles: Option<u64>,
    /// Cycles from one image's last result to the next's, settled.
    pub cycles_per_image: Option<f64>,
    /// The same without contention.
    pub uncontended_cycles_per_image: Option<f64>,
    /// Cycles that an image needs of the busiest resource: no settled pace is faster.
    pub bound_cycles: Option<f64>,
    /// That resource.
    pub bound_by: String,
    /// Cycles that an image needs of the crossbars of the busiest replica.
    pub crossbar_cycles: Option<f64>,
    /// Load of the busiest router port at the settled pace, GB/s.
    pub busiest_port_gb_per_s: Option<f64>,
    /// Dynamic energy of an image, mJ.
    pub dynamic_mj: Option<f64>,
    /// Operations per ns at the settled pace; a multiplication and an addition are two.
    pub gops: Option<f64>,
    /// The same per mm2 of the tiles in use, each with its part of a die.
    pub gops_per_mm2: Option<f64>,
    /// The same per W: dynamic energy, and the part of the links of these tiles.
    pub gops_per_watt: Option<f64>,
    /// Reason for missing figures.
    pub note: String,
}

impl NetworkRow {
    /// True for a network that is mapped as ISAAC maps it.
    pub(super) fn is_isaacs(&self) -> bool {
        self.design == Design::ISAAC_CE.to_string() && self.bits == 16 && !self.filled
    }
}

impl NetworkRun<'_> {
    /// Simulates the job on machines made from the prices of `base`.
    pub fn run(&self, base: &Arch) -> Result<NetworkRow, StudyError> {
        let arch = self.design.arch(base, self.chips)?;
        let measured = match self.map(&arch) {
            Ok(layout) => self.simulate(base, &arch, &layout)?,
            Err(errors) => NetworkRow { note: reason(&errors), ..NetworkRow::default() },
        };
        Ok(NetworkRow {
            design: self.design.to_string(),
            network: self.network.name.clone(),
            bits: self.bits,
            chips: self.chips,
            filled: self.replicas == Replicas::Filled,
            ..measured
        })
    }

    fn map(&self, arch: &Arch) -> Result<Layout, Vec<MappingError>> {
        let plan = Plan::uniform(self.network, self.bits, self.bits);
        match self.replicas {
            Replicas::Balanced => mapper::balance(arch, self.network, &plan),
            Replicas::Filled => {
                let convolutions = self.network.layers.iter().filter(|layer| layer.kind == LayerKind::Convolution);
                let most = convolutions.map(network::Layer::windows).max().unwrap_or(1);
                mapper::balance_to(arch, self.network, &plan, 1, most)
            }
        }
    }
}

fn reason(errors: &[MappingError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl NetworkRun<'_> {
    fn simulate(&self, base: &Arch, arch: &Arch, layout: &Layout) -> Result<NetworkRow, chip::SimulationError> {
        let routed = Routed::new(arch, layout);
        let one = |uncontended| routed.run(&Options { uncontended, ..Options::default() });
        let (contended, uncontended) = (one(false)?, one(true)?);
        let bound = Bound::of(&routed, false);
        let settled = self.settled(&routed, false, bound.cycles)?;
        let cycles = settled.as_ref().ok().copied();

        let first = bound.resources.first().expect("an image has windows");
        let busiest = |kind| bound.resources.iter().find(|resource| resource.kind == kind);
        let port = busiest(Kind::RouterPort).map(|port| port.amount as f64 * f64::from(arch.router.flit_bits) / 8.0);

        let tiles = tiles(arch, layout);
        let dies = tiles as f64 / Design::tiles_of_die(arch, base);
        let dynamic_pj = analysis::total_pj(&analysis::energy(arch, &contended.counts()));
        let operations = 2.0 * layout.layers.iter().map(LayerLayout::macs).sum::<u64>() as f64;
        let ns = cycles.map(|cycles| cycles * arch.cycle_ns);
        let links = |ns| dies * analysis::static_energy(arch, 1, ns).iter().map(|of| of.pj).sum::<f64>();
        let replicas = |layer: &LayerLayout| layer.geometry.crossbars() * index::count(layer.replicas.len());
        Ok(NetworkRow {
            crossbars: Some(layout.layers.iter().map(replicas).sum()),
            tiles: Some(tiles),
            latency_cycles: Some(contended.cycles),
            uncontended_latency_cycles: Some(uncontended.cycles),
            cycles_per_image: cycles,
            uncontended_cycles_per_image: self.settled(&routed, true, Bound::of(&routed, true).cycles)?.ok(),
            bound_cycles: Some(bound.cycles),
            bound_by: first.name.clone(),
            crossbar_cycles: busiest(Kind::Crossbars).map(|crossbars| crossbars.cycles),
            busiest_port_gb_per_s: port.zip(ns).map(|(bytes, ns)| bytes / ns),
            dynamic_mj: Some(dynamic_pj * 1e-9),
            gops: ns.map(|ns| operations / ns),
            gops_per_mm2: ns.map(|ns| operations / ns / (dies * derived(base).chip.area_mm2)),
            // Operations per pJ are 1,000 GOPS/W.
            gops_per_watt: ns.map(|ns| 1000.0 * operations / (dynamic_pj + links(ns))),
            note: settled.err().map_or_else(String::new, |reason| format!("not settled: {reason}")),
            ..NetworkRow::default()
        })
    }

    /// Returns the settled cycles per image, or why no run is settled. The images of the next run are those that the one
    /// before asks for; none follows that would have more than the limit.
    fn settled(
        &self,
        routed: &Routed<'_>,
        uncontended: bool,
        bound: f64,
    ) -> Result<Result<f64, String>, chip::SimulationError> {
        let mut images = FIRST_IMAGES.min(self.most_images);
        loop {
            let outcome = routed.run(&Options { images, uncontended, ..Options::default() })?;
            let unsettled = match outcome.pace(bound) {
                Ok(pace) => return Ok(Ok(pace.cycles_per_image)),
                Err(unsettled) => unsettled,
            };
            match unsettled.images_needed().and_then(|needed| u32::try_from(needed).ok()) {
                Some(needed) if needed <= self.most_images => images = needed,
                Some(needed) => return Ok(Err(format!("{unsettled}; --images {needed} may settle it"))),
                None => return Ok(Err(unsettled.to_string())),
            }
        }
    }
}

/// Returns the number of tiles that hold weights.
fn tiles(arch: &Arch, layout: &Layout) -> usize {
    let places = |layer: &LayerLayout| {
        layer.replicas.indices().flat_map(|replica| layer.places(&arch.tile, replica)).map(|(tile, ..)| tile).collect()
    };
    layout.layers.iter().flat_map(|layer| -> BTreeSet<TileId> { places(layer) }).collect::<BTreeSet<TileId>>().len()
}

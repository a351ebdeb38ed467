//! Analyses of a mapping and of a run: bounds, placement, stalls, what-if runs, and activity over time.
//!
//! # Before a run
//!
//! [`Demand`] sums the traffic of one image on every bus, eDRAM port, router port and link of the board. It follows
//! from the mapping and the plan alone and equals the counts of the simulator to the bit and the flit, without the
//! writes of the host, which take no port time. [`Bound`] divides each demand by the rate of its resource, adds the
//! cycles for which crossbars are read, and ranks the resources. The largest number of cycles bounds the interval
//! between images: in the long run no image follows the previous one faster. Resources at 90 % of the bound or more
//! are bottlenecks. See `docs/model.md`, section "Digest, settled, bound".
//!
//! [`placement`] moves the replicas of a mapping until no router port and no link bounds the interval.
//!
//! Amounts are bits on buses, eDRAM ports and links, flits at router ports, and cycles of crossbar reads, each per
//! image.
//!
//! # After a run
//!
//! [`Analysis`] ranks the waits of a run by IMA-cycles and follows the longest from layer to layer. Its stall causes
//! are those of `docs/model.md`, section "Stall causes". [`what_ifs`] reruns the simulation once for each change that
//! may help against a bottleneck or a wait, and compares the runs by one [`Measure`].
//!
//! # During a run
//!
//! [`Timeline`] is a probe that keeps a run in at most 240 time bins, whatever its length. Probes name units by a
//! [`Scene`] (`chip0/tile3/ima5`), sum transfers over [`LOAD_CYCLES`] cycles in [`Loads`], and follow the contents of
//! the buffers in [`Fills`]. Crate `trace` writes the same units, loads and fills to files.
//!
//! # Example
//!
//! ```
//! use analysis::{Analysis, Bound, Kind, Scene, Timeline};
//! use chip::Options;
//! use network::Plan;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (arch, network) = (arch::load("tiny")?, network::load("tiny")?);
//! let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
//!
//! let bound = Bound::new(&arch, &layout, false);
//! let busiest = &bound.resources[0];
//! assert_eq!(busiest.kind, Kind::Crossbars);
//! assert_eq!(busiest.cycles, bound.cycles);
//! assert_eq!(bound.bottlenecks().next(), Some(busiest));
//!
//! let timeline = Timeline::new(&Scene::new(&arch, &layout));
//! let (outcome, mut timeline) = chip::run_probed(&arch, &layout, &Options::default(), timeline);
//! let outcome = outcome?;
//! timeline.end(outcome.cycles);
//!
//! // Every IMA with weights has one stall cause in every cycle.
//! let analysis = Analysis::of(&outcome, &layout, bound);
//! let imas: u64 = analysis.layers.iter().map(|layer| layer.imas).sum();
//! assert_eq!(analysis.total(), imas * outcome.cycles);
//! # Ok(())
//! # }
//! ```

mod bound;
mod demand;
mod energy;
mod fills;
mod loads;
pub mod placement;
mod scene;
mod stalls;
mod timeline;
mod what_if;

pub use bound::{Bound, Kind, Part, Resource};
pub use demand::{ByLayer, Demand, LinkId, PortId};
pub use energy::{GroupEnergy, StaticEnergy, energy, energy_of, static_energy, total_pj};
pub use fills::{FillId, Fills};
pub use loads::{Carrier, LOAD_CYCLES, Loads};
pub use scene::{Scene, Sequence};
pub use stalls::{Analysis, Edges, LayerStalls, MATTERS, ReadError, Wait};
pub use timeline::Timeline;
pub use what_if::{Against, Change, Gave, Measure, Subject, WhatIf, what_ifs};

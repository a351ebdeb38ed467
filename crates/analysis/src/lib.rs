//! Static analysis of a mapping: the cycles that an image needs of each resource, without a simulation.
//!
//! [`Demand`] sums the traffic of one image on every bus, eDRAM port, router port and link of the board. It follows
//! from the mapping and the plan alone and equals the counts of the simulator to the bit and the flit, without the
//! writes of the host, which take no port time. [`Bound`] divides each demand by the rate of its resource, adds the
//! cycles for which crossbars are read, and ranks the resources. The largest number of cycles bounds the interval
//! between images: in the long run no image follows the previous one faster. Resources at [`NEAR`] of the bound or more
//! are bottlenecks. See `docs/model.md`, section "Digest, settled, bound".
//!
//! Amounts are bits on buses, eDRAM ports and links, flits at router ports, and cycles of crossbar reads, each per
//! image.
//!
//! # Example
//!
//! ```
//! use analysis::{Bound, Kind};
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
//! # Ok(())
//! # }
//! ```

mod bound;
mod demand;
mod energy;

pub use bound::{Bound, Kind, NEAR, PER_KIND, Part, Resource};
pub use demand::{ByLayer, Demand};
pub use energy::{GroupEnergy, StaticEnergy, energy, energy_of, static_energy, total_pj};

//! What a mapping and a plan say of a run before it: the cycles that an image needs of each resource.
//!
//! [`Demand`] counts what passes each bus, port and link, as the simulator would; [`Bound`] ranks the resources by the
//! cycles that an image needs of them. The largest bounds the pace: no image can follow the one before any faster.

mod bound;
mod demand;

pub use bound::{Bound, Kind, NEAR, PER_KIND, Part, Resource};
pub use demand::{ByLayer, Demand};

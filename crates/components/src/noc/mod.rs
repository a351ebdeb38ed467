//! Network on chip: the mesh of routers of each chip, and the links between chips.

mod direction;
mod link;
mod mesh;
mod router;

pub use direction::Direction;
pub use link::{Crossing, Link};
pub use mesh::{Hop, Mesh, MeshGeometry};
pub use router::{Port, Router};

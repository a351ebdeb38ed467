//! Network on chip: the mesh of routers of each chip, and the links between chips.

mod direction;
mod geometry;
mod link;
mod mesh;
mod router;
#[cfg(test)]
mod tests;
mod trees;

pub use direction::Direction;
pub use geometry::MeshGeometry;
pub use link::{Crossing, Link};
pub use mesh::Mesh;
pub use router::{Port, Routers};
pub use trees::{End, LayerTrees, MapTrees, Next, Node, NodeId, Receiver, Routing, Segment, SegmentId, Trees};

//! What AQuA proposes and leaves out: a light look at a picture, before the network sees it, that decides which of its
//! regions are worth computing.
//!
//! [`importance`] maps where something is to be seen; a [`Policy`] turns such a map into a plan, by a threshold that
//! moves between accuracy and energy. What all of this costs is [counted](Operations).

mod importance;
mod operations;
mod policy;

pub use importance::{Importance, Measure, importance};
pub use operations::Operations;
pub use policy::{Policy, Shape};

//! A user's files: the weights of a network, pictures, and their labels.
//!
//! Everything is found good, or refused with the name of the file and of the tensor or line in it, before it is used.

mod error;
mod labels;
mod pictures;
mod weights;

pub use error::Error;
pub use labels::Labels;
pub use pictures::{Picture, normalise, pictures};
pub use weights::load_weights;

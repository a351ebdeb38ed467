//! A user's files: the weights of a network, pictures, and their labels.
//!
//! Everything is found good, or refused with the name of the file and of the tensor or line in it, before it is used.

mod decode;
mod error;
mod labels;
mod npy;
mod numbers;
mod pictures;
mod resample;
mod tensors;
mod weights;

pub use error::Error;
pub use labels::Labels;
pub use pictures::{Picture, normalise, pictures};
pub use weights::{LoadedWeights, load_weights};

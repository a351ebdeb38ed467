//! Readers of a user's files: the weights of a network, pictures, and their labels.
//!
//! Every file is checked before it is used. An [`Error`] names the file and the tensor, picture or line in it, and
//! [`Error::remedy`] the way out.
//!
//! - [`load_weights`] reads a `.safetensors` or `.npz` file and assigns its tensors to the layers of a network, by the
//!   layers' names or by torchvision's. [`LoadedWeights`] are in the order of the layers, ready for crate `numeric`.
//! - [`pictures()`] lists the PNG, JPEG and npy files of a folder. [`Picture::load`] decodes one, scales and cuts it as
//!   the `[preprocessing]` of the network states, and returns channels x height x width, values from 0 to 1.
//!   [`normalise`] then subtracts the mean and divides by the standard deviation of each channel.
//! - [`Labels`] maps the names of pictures to the numbers of their classes.
//!
//! Scaling and cropping equal torchvision's to the last bit, so that accuracies can be compared with those measured
//! where the network was trained.
//!
//! ```
//! let network = network::load("tiny").unwrap();
//! let file = std::env::temp_dir().join(format!("black-{}.png", std::process::id()));
//! image::RgbImage::new(16, 16).save(&file).unwrap();
//!
//! let pictures = dataset::pictures(&file, &network).unwrap();
//! let pixels = pictures[0].load(&network).unwrap();
//! assert_eq!(pixels.dim(), (3, 16, 16));
//! assert!(pixels.iter().all(|&value| value == 0.0));
//! # std::fs::remove_file(&file).unwrap();
//! ```

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
pub use weights::{LoadedWeights, assign_weights, load_weights, to_safetensors};

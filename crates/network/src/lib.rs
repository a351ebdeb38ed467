//! Networks as chains of layers, and plans: the precision of each layer and region.
//!
//! A [`Network`] is a chain. Each [`Layer`] with weights, a convolution or a fully connected layer, reads the map of
//! the previous one. A max-pool belongs to the layer before it, and adjacent pools are composed into one. Networks are
//! read from TOML files or from [`PRESETS`]; [`load`] and [`parse`] report all faults of a file at once.
//!
//! A [`Plan`] states the bits of weights (N_W) and activations (N_A) of each layer, and N_A of each [`Region`] of its
//! output map. A window of 0 bits is cropped: it is not computed and reads as zero. A plan is uniform, or has bits per
//! layer ([`parse_weights`], [`parse_activations`]), crops of [`Edges`] (AQuA Tables I and II), or comes from a file
//! ([`Plan::load`]).
//!
//! Sizes are rows, columns and channels; precision is in bits, at most [`MOST_BITS`]. A window is an output
//! position before the max-pool. All counts are per image.
//!
//! Layers and the entries of a plan are indexed by [`LayerId`]. The layers before and after one are those that the
//! network's [`Graph`] names.
//!
//! # Invariants
//!
//! - Names of layers are unique. The input of a layer is the map after the pool of the previous one.
//! - Convolutions and max-pools precede fully connected layers, which have one window each.
//! - Every window of a convolution or max-pool covers at least one position of its map, and a window has fewer than
//!   2^32 inputs.
//!
//! # Example
//!
//! ```
//! use network::{Edges, LayerId, Plan};
//!
//! let tiny = network::load("tiny")?;
//! let conv1 = &tiny.layers[LayerId(0)];
//! assert_eq!(conv1.rows(), 3 * 3 * 3);
//! assert_eq!((conv1.output.width, conv1.pooled.width), (16, 8));
//!
//! let left: Edges = "left".parse()?;
//! let plan = Plan::uniform(&tiny, 16, 8).crop(&tiny, left)?;
//! let planned = &plan.layers[LayerId(0)];
//! assert_eq!((planned.bits_at(0, 1), planned.bits_at(0, 2)), (0, 8));
//! assert_eq!(planned.windows_computed(conv1), 16 * 14);
//! # Ok::<(), document::Faults>(())
//! ```

mod edges;
mod entry;
mod file;
mod graph;
mod kernel;
mod layer;
mod list;
mod lower;
mod map;
mod network;
mod plan;
mod preprocessing;
mod stages;
#[cfg(feature = "testing")]
pub mod testing;

use document::{Document, Faults};

pub use edges::Edges;
pub use graph::{Graph, LayerId, Node};
pub use kernel::{Axes, Kernel, Sides};
pub use layer::*;
pub use list::{ListedNode, NodeList, Operator, Origin};
pub use lower::Misfit;
pub use map::{Activation, Map, MapId, Operation, Part, Stage};
pub use network::Network;
pub use plan::{FULL_PRECISION_BITS, LayerPlan, MOST_BITS, Plan, Region, parse_activations, parse_weights};
pub use preprocessing::Preprocessing;

/// Networks built into the program: name and TOML text.
pub const PRESETS: &[(&str, &str)] = &[
    ("vgg16", include_str!("../../../network-configs/vgg16.toml")),
    ("vgg11", include_str!("../../../network-configs/vgg11.toml")),
    ("alexnet", include_str!("../../../network-configs/alexnet.toml")),
    ("vgg-a", include_str!("../../../network-configs/vgg-a.toml")),
    ("vgg-b", include_str!("../../../network-configs/vgg-b.toml")),
    ("vgg-c", include_str!("../../../network-configs/vgg-c.toml")),
    ("vgg-d", include_str!("../../../network-configs/vgg-d.toml")),
    ("vgg-e", include_str!("../../../network-configs/vgg-e.toml")),
    ("msra-a", include_str!("../../../network-configs/msra-a.toml")),
    ("msra-b", include_str!("../../../network-configs/msra-b.toml")),
    ("msra-c", include_str!("../../../network-configs/msra-c.toml")),
    ("resnet18", include_str!("../../../network-configs/resnet18.toml")),
    ("resnet50", include_str!("../../../network-configs/resnet50.toml")),
    ("googlenet", include_str!("../../../network-configs/googlenet.toml")),
    ("mobilenet_v2", include_str!("../../../network-configs/mobilenet_v2.toml")),
    ("tiny", include_str!("../../../network-configs/tiny.toml")),
];

/// Returns the names of the presets.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// Loads a preset, or the network file at that path if no preset has that name.
pub fn load(preset_or_path: &str) -> Result<Network, Faults> {
    let (text, file) = document::preset_or_file(PRESETS, preset_or_path)?;
    parse(&text, &file)
}

/// Reads the network in `text`. Faults show the name `file`.
pub fn parse(text: &str, file: &str) -> Result<Network, Faults> {
    let mut document = Document::parse(text, file);
    let network = document.read::<entry::NetworkFile>();
    let network = network.and_then(|file| file::read(file, &mut document).lower(&mut document));
    document.finish(network)
}

/// Reads the nodes of the network in `text` as the file lists them. Sizes are not checked.
pub fn parse_list(text: &str, file: &str) -> Result<NodeList, Faults> {
    let mut document = Document::parse(text, file);
    let list = document.read::<entry::NetworkFile>();
    let list = list.map(|file| file::read(file, &mut document).list);
    document.finish(list)
}

/// Returns the JSON Schema of network files.
pub fn schema() -> serde_json::Value {
    document::schema::<entry::NetworkFile>()
}

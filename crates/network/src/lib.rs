//! Networks as chains of layers, and plans: the precision of each layer and region.

mod chain;
mod edges;
mod layer;
mod plan;
mod preprocessing;

use document::{Document, Faults};

pub use edges::Edges;
pub use layer::*;
pub use plan::{FULL_PRECISION_BITS, LayerPlan, Plan, Region, parse_activations, parse_weights};
pub use preprocessing::Preprocessing;

/// Networks built into the program: name and TOML text.
pub const PRESETS: &[(&str, &str)] = &[
    ("vgg16", include_str!("../../../network-configs/vgg16.toml")),
    ("vgg11", include_str!("../../../network-configs/vgg11.toml")),
    ("alexnet", include_str!("../../../network-configs/alexnet.toml")),
    ("tiny", include_str!("../../../network-configs/tiny.toml")),
];

/// Names of the presets.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// A preset, or the network in the file at that path.
pub fn load(preset_or_path: &str) -> Result<Network, Faults> {
    let (text, file) = document::preset_or_file(PRESETS, preset_or_path)?;
    parse(&text, &file)
}

/// The network in `text`, which is called `file` in faults.
pub fn parse(text: &str, file: &str) -> Result<Network, Faults> {
    let mut document = Document::parse(text, file);
    let network = document.read::<chain::NetworkFile>();
    let network = network.map(|file| chain::chain(file, &mut document));
    document.finish(network)
}

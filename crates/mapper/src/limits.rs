//! Limits of a layout: the only place where the widths of its numbers are checked.
//!
//! [`check_network`] runs before anything is laid out, [`check_layer`] once the destinations of a layer are known. Code
//! that reads a [`Layout`](crate::Layout) relies on these limits and narrows its numbers without further checks.

use network::Network;

use crate::{LayerLayout, MappingError};

/// Layers with weights per network: their indices have 16 bits.
const LAYERS: u64 = u16::MAX as u64;
/// Rows or columns of a layer's map of windows: row and column of a window have 16 bits each.
const SIDE: u64 = 1 << 16;
/// Windows per layer and image: their indices have 32 bits.
const WINDOWS: u64 = u32::MAX as u64;
/// Output groups per replica: a tile counts the packets of one position in 16 bits.
const OUTPUT_GROUPS: u64 = u16::MAX as u64;
/// Positions that a layer sends per image, counted once for each receiving tile.
const DESTINATIONS: u64 = u32::MAX as u64;

/// Checks the limits that follow from the network alone, before anything is laid out.
pub(crate) fn check_network(network: &Network) -> Result<(), Vec<MappingError>> {
    let layers = network.layers.len() as u64;
    let of_network = check(None, "layers with weights", layers, LAYERS, "split the network");
    let of_layers = network.layers.iter().flat_map(|layer| {
        let remedy = "give it a smaller map or less padding";
        let side = u64::from(layer.output.height.max(layer.output.width));
        [
            check(Some(&layer.name), "rows or columns of windows", side, SIDE, remedy),
            check(Some(&layer.name), "windows", layer.windows(), WINDOWS, remedy),
        ]
    });
    all([of_network].into_iter().chain(of_layers))
}

/// Checks the limits that follow from the mapping of `layer`, which sends `destinations` positions per image.
pub(crate) fn check_layer(layer: &LayerLayout, destinations: u64) -> Result<(), Vec<MappingError>> {
    let (name, groups) = (Some(&layer.layer.name), layer.groups.len() as u64);
    all([
        check(name, "output groups", groups, OUTPUT_GROUPS, "choose an IMA shape with more columns (ima_cols)"),
        check(name, "positions sent to all tiles", destinations, DESTINATIONS, "use fewer replicas of the next layer"),
    ])
}

fn check(
    layer: Option<&String>,
    what: &'static str,
    number: u64,
    limit: u64,
    remedy: &'static str,
) -> Result<(), MappingError> {
    if number <= limit {
        return Ok(());
    }
    Err(MappingError::Limit { layer: layer.cloned(), what, number, limit, remedy })
}

fn all(checks: impl IntoIterator<Item = Result<(), MappingError>>) -> Result<(), Vec<MappingError>> {
    let errors: Vec<_> = checks.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

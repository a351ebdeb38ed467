//! Limits of a layout: the only place where the widths of its numbers are checked.
//!
//! [`check_network`] runs before anything is laid out, [`check_layer`] once the destinations of a layer are known. Code
//! that reads a [`Layout`](crate::Layout) relies on these limits and narrows its numbers without further checks.
//!
//! `TileId`, `ReplicaId`, `SliceId` and `ReceiverId` need no check: a machine has fewer than 2^32 IMAs, and so fewer
//! tiles, replicas and slices of a layer.

use std::collections::BTreeMap;

use index::count;
use network::{LayerId, Network};

use crate::{LayerLayout, Layout, MappingError, TileId};

/// Layers with weights per network: a `LayerId` has 16 bits.
const LAYERS: u64 = (1 << 16) - 1;
/// Rows or columns of a layer's map of windows: row and column of a window have 16 bits each.
const SIDE: u64 = 1 << 16;
/// Windows per layer and image: their indices have 32 bits.
const WINDOWS: u64 = (1 << 32) - 1;
/// Output groups per replica: a `GroupId` has 16 bits, and a tile counts the packets of one position in as many.
const OUTPUT_GROUPS: u64 = (1 << 16) - 1;
/// Input slices per tile: the number of a slice has 8 bits in messages.
const SLICES: u64 = 1 << 8;
/// Positions that a layer sends per image, counted once for each receiving tile.
const DESTINATIONS: u64 = (1 << 32) - 1;

/// Checks the limits that follow from the network alone, before anything is laid out.
pub(crate) fn check_network(network: &Network) -> Result<(), Vec<MappingError>> {
    let layers = count(network.layers.len());
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

/// Checks the limit of input slices in one tile.
pub(crate) fn check_tiles(layout: &Layout) -> Result<(), Vec<MappingError>> {
    let mut slices: BTreeMap<TileId, (u64, LayerId)> = BTreeMap::new();
    for (id, slice) in layout.layers.enumerate().flat_map(|(id, layer)| layer.slices.iter().map(move |of| (id, of))) {
        let (number, last) = slices.entry(slice.tile).or_insert((0, id));
        (*number, *last) = (*number + 1, id);
    }
    let most = slices.into_values().max_by_key(|(number, _)| *number);
    all(most.map(|(number, layer)| {
        let remedy = "give the layer tiles of its own, or an IMA shape with fewer rows (ima_rows)";
        check(Some(&layout.layers[layer].layer.name), "input slices in its tile", number, SLICES, remedy)
    }))
}

/// Checks the limits that follow from the mapping of `layer`, which sends `destinations` positions per image.
pub(crate) fn check_layer(layer: &LayerLayout, destinations: u64) -> Result<(), Vec<MappingError>> {
    let (name, groups) = (Some(&layer.layer.name), count(layer.groups.len()));
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

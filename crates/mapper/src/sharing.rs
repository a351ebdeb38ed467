//! Small layers that share tiles.
//!
//! A layer has tiles of its own, even if it leaves most of their IMAs unused. Tiles cost nothing, but chips do: their
//! links draw power all the time. So layers share tiles where that saves a chip and leaves the pace, which is the case
//! if each shared tile
//!
//! - moves all bits of an image over its bus and through its eDRAM port within the time of the slowest crossbars,
//! - holds twice the inputs and results that must be there at once, so that no layer waits for another's room.
//!
//! A transfer may still wait for one of another layer in the same cycle.

use std::collections::BTreeMap;

use index::count;
use network::LayerId;

use crate::balance::{Packer, Packing, Placement};
use crate::{Layout, TileId};

/// Bits of an image that a tile moves.
#[derive(Default)]
struct Moved {
    over_bus: u64,
    through_port: u64,
}

impl Packer<'_> {
    /// Returns a layout in which layers share tiles, if it takes fewer chips than `own`, whose layers have tiles of
    /// their own, and no more cycles; otherwise `own`. Both have at most `windows` windows per replica.
    pub(crate) fn share(&self, windows: u64, own: Layout) -> Layout {
        let chips = |tiles: u32| tiles.div_ceil(self.fabric.tiles_per_chip());
        let last = own.layers.iter().flat_map(|layer| &layer.slices).map(|slice| slice.tile.0).max();
        let chips_of_own = chips(last.expect("every layer has inputs") + 1);
        let mut spacing = self.closest(false);
        loop {
            let Placement { layers, end } = self.place_spaced(windows, Packing::BySlice, &spacing);
            if chips(end / self.fabric.tile.imas) >= chips_of_own {
                return own;
            }
            let delayed: Vec<LayerId> = match self.lay_out(layers) {
                Ok(layout) => {
                    let delayed = self.delayed(&layout);
                    if delayed.is_empty() {
                        return layout;
                    }
                    delayed
                }
                Err(faults) => {
                    let named = |name: &String| faults.iter().any(|fault| fault.layers().contains(name));
                    let layers = self.network.layers.enumerate().filter(|(_, layer)| named(&layer.name));
                    layers.map(|(id, _)| id).collect()
                }
            };
            let mut moved = false;
            for layer in delayed {
                moved |= !std::mem::replace(&mut spacing[layer].new_tile, true);
            }
            if !moved {
                return own;
            }
        }
    }

    /// Returns the layers in shared tiles in which they might wait for each other.
    fn delayed(&self, layout: &Layout) -> Vec<LayerId> {
        let (fabric, mut slowest) = (self.fabric, 0);
        let mut tiles: BTreeMap<TileId, Moved> = BTreeMap::new();
        for layer in &layout.layers {
            for slice in &layer.slices {
                let received = u64::from(slice.order.positions) * slice.position_bits;
                tiles.entry(slice.tile).or_default().through_port += received;
            }
            for replica in layer.replicas.indices() {
                let windows = layer.windows(replica);
                let reads = windows.iter().map(|window| u64::from(fabric.iterations(window.bits.into()))).sum();
                slowest = slowest.max(reads);
                let bits: u64 = windows.iter().map(|window| u64::from(window.bits)).sum();
                for (tile, _, ima) in layer.places(&fabric.tile, replica) {
                    let ima = layer.geometry.ima(ima);
                    let read = bits * count(ima.rows.len());
                    let results = count(windows.len() * ima.outputs.len()) * u64::from(fabric.tile.partial_sum_bits);
                    let moved = tiles.entry(tile).or_default();
                    moved.through_port += read;
                    moved.over_bus += read + results;
                }
            }
        }
        let in_time = |bits: u64, bytes_per_cycle: u32| bits <= slowest * 8 * u64::from(bytes_per_cycle);
        let has_room = |needed: u64, bytes: u32| 2 * needed <= u64::from(bytes);
        let needs = layout.tile_needs(fabric);
        let shared = needs.enumerate().filter(|(_, (_, _, layers))| layers.len() > 1);
        let slow = shared.filter(|(tile, (inputs, results, _))| {
            let Moved { over_bus, through_port } = tiles[tile];
            !(in_time(over_bus, fabric.bus.bytes_per_cycle)
                && in_time(through_port, fabric.edram.bytes_per_cycle)
                && has_room(*inputs, fabric.edram.bytes)
                && has_room(*results, fabric.tile.output_register_bytes))
        });
        slow.flat_map(|(_, (_, _, layers))| layers).copied().collect()
    }
}

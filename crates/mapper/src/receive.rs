//! Input slices of a layer: the parts of maps that its tiles receive, for crossbars and for merges.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use index::{IndexVec, size};
use network::{LayerId, MapId, Part};

use crate::input_slice::Cells;
use crate::needed::Known;
use crate::skips::Needs;
use crate::{Fabric, InputOrder, InputSlice, Layout, LevelId, MapLayout, Reader, ReplicaId, SliceId, TileId};

/// Receipts of each tile and map.
type Received = BTreeMap<(TileId, MapId), Receipt>;

/// Part of a map that a tile receives.
#[derive(Default)]
struct Receipt {
    /// Replicas that it is for.
    replicas: Vec<ReplicaId>,
    /// Levels of the layer into which it is merged; none if crossbars read it.
    levels: Vec<LevelId>,
    /// Channels.
    channels: Vec<Range<u32>>,
}

/// Returns the input slices of the tiles that hold IMAs of `layer`, and of those that merge operands for it.
pub(crate) fn slices(fabric: &Fabric, layout: &Layout, layer: LayerId, needs: &Needs) -> IndexVec<SliceId, InputSlice> {
    let receiving = Receiving { layout, layer, needs };
    let mut slices = receiving.slices(Reader::Crossbars, receiving.read_by_crossbars(fabric));
    slices.extend(receiving.slices(Reader::Register, receiving.merged()));
    slices.into()
}

struct Receiving<'a> {
    layout: &'a Layout,
    layer: LayerId,
    needs: &'a Needs,
}

impl Receiving<'_> {
    /// Returns what the crossbars in each tile read.
    fn read_by_crossbars(&self, fabric: &Fabric) -> Received {
        let layer = &self.layout.layers[self.layer];
        let geometry = &layer.geometry;
        let channels = |row_group| geometry.channels(&geometry.rows_of(row_group));
        let channels: Vec<_> = (0..geometry.row_groups).map(channels).collect();
        // Replicas in each tile, and the channels of the layer's input that they read there.
        let mut tiles: BTreeMap<TileId, (Vec<ReplicaId>, Vec<Range<u32>>)> = BTreeMap::new();
        for replica in layer.replicas.indices() {
            let places: Vec<_> = layer.places(&fabric.tile, replica).collect();
            for of_tile in places.chunk_by(|(a, ..), (b, ..)| a == b) {
                let (replicas, read) = tiles.entry(of_tile[0].0).or_default();
                replicas.push(replica);
                read.extend(of_tile.iter().map(|&(_, _, ima)| channels[size(geometry.groups_of(ima).0)].clone()));
            }
        }
        let mut received = Received::new();
        for (tile, (replicas, read)) in tiles {
            for channels in merged(read) {
                for (map, outputs) in outputs(&self.layout.maps, &layer.reads, &channels) {
                    let receipt = received.entry((tile, map)).or_default();
                    receipt.replicas.clone_from(&replicas);
                    receipt.channels.push(outputs);
                }
            }
        }
        received
    }

    /// Returns the operands that each accumulator tile merges.
    fn merged(&self) -> Received {
        let layer = &self.layout.layers[self.layer];
        let mut received = Received::new();
        let merging = layer.levels.enumerate().filter(|(_, level)| !level.merges.is_empty());
        for (id, level) in merging {
            for (replica, (group, of)) in
                layer.replicas.indices().flat_map(|replica| layer.groups.enumerate().map(move |group| (replica, group)))
            {
                for (map, outputs) in level.operands(&self.layout.maps, of) {
                    let receipt = received.entry((layer.accumulator(replica, group), map)).or_default();
                    add(&mut receipt.replicas, replica);
                    add(&mut receipt.levels, id);
                    receipt.channels.push(outputs);
                }
            }
        }
        received
    }

    /// Returns the slices for what the tiles receive.
    fn slices(&self, reader: Reader, received: Received) -> Vec<InputSlice> {
        let Self { layout, layer: id, needs } = *self;
        let layer = &layout.layers[id];
        let mut orders: BTreeMap<(MapId, Vec<ReplicaId>, Vec<LevelId>), Arc<InputOrder>> = BTreeMap::new();
        let mut known = Known::new();
        let mut slices = Vec::with_capacity(received.len());
        for ((tile, from), Receipt { mut replicas, levels, channels }) in received {
            replicas.sort_unstable();
            let order = orders.entry((from, replicas.clone(), levels)).or_insert_with_key(|(_, replicas, levels)| {
                let cells = match reader {
                    Reader::Crossbars => {
                        let windows = replicas.iter().map(|&replica| layer.windows(replica)).collect();
                        Cells::read(windows, &layer.layer.kernel, layer.layer.input, &mut known)
                    }
                    Reader::Register => Cells::merged(layer, levels, replicas),
                };
                let steps = layout.maps[from].source.map_or(0, |(producer, _)| layout.layers[producer].steps);
                Arc::new(InputOrder::new(cells, layout.finishes(from), steps, needs.through(id, from)))
            });
            let channels = merged(channels);
            let read: u32 = channels.iter().map(|range| range.end - range.start).sum();
            let position_bits = u64::from(read) * u64::from(layer.stored_bits);
            let order = order.clone();
            slices.push(InputSlice { tile, map: from, reader, replicas, channels, position_bits, order });
        }
        slices
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// Returns the outputs of producers that `channels` of what `parts` hold together are, each with its map.
pub(crate) fn outputs(
    maps: &IndexVec<MapId, MapLayout>,
    parts: &[Part],
    channels: &Range<u32>,
) -> impl Iterator<Item = (MapId, Range<u32>)> {
    let mut next = 0;
    parts.iter().filter_map(move |part| {
        let first = next;
        next += part.channels.end - part.channels.start;
        let (start, end) = (channels.start.max(first), channels.end.min(next));
        let offset = part.channels.start + maps[part.map].outputs.start;
        (start < end).then(|| (part.map, start - first + offset..end - first + offset))
    })
}

/// Returns the union of `ranges` as disjoint ranges in order.
fn merged(mut ranges: Vec<Range<u32>>) -> Vec<Range<u32>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges.dedup_by(unite);
    ranges
}

/// Extends the range `before` by `next`, which begins no earlier, and returns true, if no gap lies between them. With
/// `dedup_by`, makes the union of sorted ranges.
pub fn unite(next: &mut Range<u32>, before: &mut Range<u32>) -> bool {
    let is_united = next.start <= before.end;
    if is_united {
        before.end = before.end.max(next.end);
    }
    is_united
}

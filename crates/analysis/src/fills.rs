//! Fills of the buffers over time.

use std::collections::HashMap;
use std::rc::Rc;

use components::InputId;
use des::Cycle;
use index::{Index, IndexVec};
use mapper::{InputOrder, TileId};
use network::LayerId;

use crate::Scene;

index::index! {
    /// An input slice in one buffer.
    pub struct FillId(u32);
}

/// An input slice in one buffer.
#[derive(Clone, Debug)]
struct Held {
    tile: TileId,
    inputs: InputId,
    layer: LayerId,
    position_bits: u64,
    /// Positions that have arrived and that have left, counted over all images.
    arrived: u64,
    left: u64,
    /// Positions of an image that have left before each step.
    left_before: Rc<[u32]>,
    /// Cycle of the last change; `None` once it has been emitted.
    changed_at: Option<Cycle>,
}

/// Fills of the buffers. Writes of the host are not reported to probes, so inputs from the host are not counted.
#[derive(Clone, Debug)]
pub struct Fills {
    /// True for slices that are counted: those whose positions a layer produces.
    counted: IndexVec<FillId, bool>,
    /// Sorted by tile and slice.
    held: IndexVec<FillId, Held>,
    /// First entry of each tile.
    first: IndexVec<TileId, FillId>,
    /// Entries with a change that has not been emitted.
    changed: Vec<FillId>,
}

impl Fills {
    /// Creates the fills of empty buffers.
    pub fn new(scene: &Scene<'_>) -> Fills {
        let mut fills = Fills {
            counted: IndexVec::default(),
            held: IndexVec::default(),
            first: IndexVec::default(),
            changed: Vec::new(),
        };
        // Tiles with parts of the same replicas share one order of inputs.
        let mut orders: HashMap<*const InputOrder, Rc<[u32]>> = HashMap::new();
        for tile in scene.tiles() {
            fills.first.push(FillId::new(fills.held.len()));
            for inputs in scene.buffered(tile) {
                let slice = scene.slice(tile, inputs);
                fills.counted.push(scene.producer(tile, inputs).is_some());
                let left_before =
                    orders.entry(&raw const *slice.order).or_insert_with(|| slice.order.dropped_before().into());
                fills.held.push(Held {
                    tile,
                    inputs,
                    layer: scene.reader(tile, inputs),
                    position_bits: slice.position_bits,
                    arrived: 0,
                    left: 0,
                    left_before: left_before.clone(),
                    changed_at: None,
                });
            }
        }
        fills
    }

    /// True if an input slice is counted.
    #[inline]
    pub fn has(&self, tile: TileId, inputs: InputId) -> bool {
        self.counted[self.number(tile, inputs)]
    }

    #[inline]
    fn number(&self, tile: TileId, inputs: InputId) -> FillId {
        FillId(self.first[tile].0 + u32::from(inputs.0))
    }

    /// Records the arrival of a position of an input slice. Returns the entry.
    #[inline]
    pub fn arrive(&mut self, tile: TileId, inputs: InputId) -> FillId {
        let number = self.number(tile, inputs);
        self.held[number].arrived += 1;
        number
    }

    /// Records that the windows before `step` of `image` have been read. Returns the entry and the bits
    /// that leave.
    #[inline]
    pub fn progress(&mut self, tile: TileId, inputs: InputId, image: u32, step: u32) -> (FillId, u64) {
        let number = self.number(tile, inputs);
        let held = &mut self.held[number];
        let of_image = |step: usize| u64::from(held.left_before[step]);
        // `step` may exceed the windows of a replica that is shorter than the longest: it then needs no more of the
        // image.
        let last = held.left_before.len() - 1;
        let left =
            u64::from(image) * of_image(last) + of_image(usize::try_from(step).map_or(last, |step| step.min(last)));
        let leaving = left.saturating_sub(held.left);
        held.left += leaving;
        (number, leaving * held.position_bits)
    }

    /// Returns the bits of entry `number`.
    pub fn bits(&self, number: FillId) -> u64 {
        let held = &self.held[number];
        held.arrived.saturating_sub(held.left) * held.position_bits
    }

    /// True if changes remain to be emitted.
    #[inline]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Records that entry `number` changed in cycle `at`.
    pub fn change(&mut self, number: FillId, at: Cycle) {
        if self.held[number].changed_at.replace(at).is_none() {
            self.changed.push(number);
        }
    }

    /// Returns the entries that changed, sorted: tile, slice and its layer, bits, cycle of the last change.
    pub fn take_changed(&mut self) -> Vec<(TileId, (LayerId, InputId), u64, Cycle)> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        let emitted = changed.iter().map(|&number| {
            let bits = self.bits(number);
            let held = &mut self.held[number];
            (held.tile, (held.layer, held.inputs), bits, held.changed_at.take().unwrap_or_default())
        });
        let emitted = emitted.collect();
        changed.clear();
        self.changed = changed;
        emitted
    }
}

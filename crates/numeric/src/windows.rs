//! Inputs of a layer, window by window, each with its precision.

use std::ops::Range;

use index::{IndexVec, size};
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};
use network::{Layer, LayerPlan, MapId, Part};

use crate::error::{Error, check_precision, check_range, check_shape};
use crate::patches::Patches;
use crate::quantise::drop_low_bits;

/// The windows of a layer's quantised input map.
///
/// The map is stored with one precision; a window may be computed with fewer bits. Then its inputs are rounded to their
/// upper bits (half up, saturating), and the sums are shifted back to the map's scale. A window of 0 bits is cropped:
/// it is not computed and its outputs are zero.
#[derive(Clone, Debug)]
pub struct Windows {
    patches: Patches<i16>,
    stored_bits: u32,
    bits: Vec<u32>,
    /// `None` for ready-made windows.
    stored: Option<StoredInputs>,
}

/// Stored positions of a layer's input, as windows.
#[derive(Clone, Debug)]
struct StoredInputs {
    /// A channel for each map of which the layer reads parts.
    patches: Patches<bool>,
    /// The channel in `patches` of each channel of the input.
    map_of: Vec<usize>,
}

impl Windows {
    /// The windows of `layer` over `map` (channels x height x width, [stored](LayerPlan::stored_bits) bits), with the
    /// precision that `plan` gives each.
    ///
    /// # Errors
    /// If `map` is not of the shape of the layer's input, a precision is neither 0 nor 2 to 16, or a value does not
    /// fit.
    pub fn of_layer(map: ArrayView3<i16>, layer: &Layer, plan: &LayerPlan) -> Result<Self, Error> {
        let input = layer.input;
        let expected = [input.channels, input.height, input.width].map(size);
        check_shape("the input map", map.shape(), &expected)?;
        let windows = Self {
            patches: Patches::of_layer(map, layer),
            stored_bits: plan.stored_bits(layer),
            bits: precisions(layer, plan).collect(),
            stored: Some(StoredInputs {
                patches: Patches::of_layer(Array3::from_elem((1, expected[1], expected[2]), true).view(), layer),
                map_of: vec![0; expected[0]],
            }),
        };
        windows.checked(map.iter())
    }

    /// Ready-made windows of one precision: `matrix` is windows x rows.
    ///
    /// # Errors
    /// If `bits` is not 2 to 16 or a value does not fit.
    pub fn of_matrix(matrix: ArrayView2<i16>, bits: u32) -> Result<Self, Error> {
        let windows = Self {
            patches: Patches::of_matrix(matrix),
            stored_bits: bits,
            bits: vec![bits; matrix.nrows()],
            stored: None,
        };
        windows.checked(matrix.iter())
    }

    /// The same windows of a layer that reads `parts` of maps of which only the positions in `stored` are stored, as
    /// [`stored`](crate::stored) finds them. The others were cropped, and are zero.
    ///
    /// # Errors
    /// If there is not one for each position of the layer's input.
    pub fn with_stored(
        mut self,
        layer: &Layer,
        parts: &[Part],
        stored: &IndexVec<MapId, Array2<bool>>,
    ) -> Result<Self, Error> {
        let expected = [layer.input.height, layer.input.width].map(size);
        let mut maps: Vec<MapId> = parts.iter().map(|part| part.map).collect();
        maps.sort_unstable();
        maps.dedup();
        let mut masks = Array3::from_elem((maps.len(), expected[0], expected[1]), false);
        for (mut mask, &map) in masks.outer_iter_mut().zip(&maps) {
            check_shape("the stored positions", stored[map].shape(), &expected)?;
            mask.assign(&stored[map]);
        }
        let map_of = parts.iter().flat_map(|part| {
            let number = maps.binary_search(&part.map).expect("all maps are listed");
            part.channels.clone().map(move |_| number)
        });
        let map_of = map_of.collect();
        self.stored = Some(StoredInputs { patches: Patches::of_layer(masks.view(), layer), map_of });
        Ok(self)
    }

    fn checked<'a>(self, values: impl Iterator<Item = &'a i16>) -> Result<Self, Error> {
        for &bits in self.bits.iter().filter(|&&b| b != 0) {
            check_precision("activations", bits)?;
        }
        // A layer that is cropped altogether stores nothing.
        if self.stored_bits != 0 {
            check_range("activation", values, self.stored_bits)?;
        }
        Ok(self)
    }

    /// Number of windows, cropped ones included.
    pub(crate) fn count(&self) -> usize {
        self.patches.count()
    }

    /// Inputs of a window.
    pub(crate) fn rows(&self) -> usize {
        self.patches.rows()
    }

    /// `N_A` of a window; 0 where it is cropped.
    pub(crate) fn bits(&self, window: usize) -> u32 {
        self.bits[window]
    }

    /// Low-order bits that a window drops if it is not cropped: its sums are in units 2^dropped times those of the map.
    pub(crate) fn dropped_bits(&self, window: usize) -> u32 {
        self.stored_bits - self.bits[window]
    }

    /// True if these inputs of a window are all padding or cropped.
    pub(crate) fn skips(&self, window: usize, mut rows: Range<usize>) -> bool {
        let Some(StoredInputs { patches, map_of }) = &self.stored else { return false };
        let mut stored = vec![false; patches.rows()];
        patches.gather(window, 0..patches.rows(), &mut stored);
        // Every channel has the kernel's positions in the same order.
        let kernel = patches.kernel();
        !rows.any(|row| stored[map_of[row / kernel] * kernel + row % kernel])
    }

    /// The windows of a range that are computed, and these of their inputs (windows x rows), rounded to their
    /// precisions. The rows are all of some channels.
    pub(crate) fn gather(&self, range: Range<usize>, rows: Range<usize>) -> (Vec<usize>, Array2<i16>) {
        let computed: Vec<usize> = range.filter(|&w| self.bits[w] != 0).collect();
        let mut inputs = Array2::zeros((computed.len(), rows.len()));
        for (mut inputs, &window) in inputs.rows_mut().into_iter().zip(&computed) {
            let inputs = inputs.as_slice_mut().expect("rows are contiguous");
            self.patches.gather(window, rows.clone(), inputs);
            let bits = self.bits[window];
            if bits < self.stored_bits {
                for input in inputs {
                    *input = drop_low_bits(*input, self.stored_bits, bits);
                }
            }
        }
        (computed, inputs)
    }
}

/// Precision of each window of a layer, row by row.
pub(crate) fn precisions(layer: &Layer, plan: &LayerPlan) -> impl Iterator<Item = u32> {
    (0..layer.output.height).flat_map(move |y| (0..layer.output.width).map(move |x| plan.bits_at(y, x)))
}

//! Inputs of a layer, window by window, each with its precision.

use std::ops::Range;

use index::size;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use network::{Layer, LayerPlan};

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
    /// Stored positions of the map, as windows over a map of one channel; `None` for ready-made windows.
    stored: Option<Patches<bool>>,
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
            stored: Some(Patches::of_layer(Array3::from_elem((1, expected[1], expected[2]), true).view(), layer)),
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

    /// The same windows over a map of which only these positions (height x width) are stored, as [`stored`] finds them.
    /// The others were cropped, and are zero.
    ///
    /// # Errors
    /// If there is not one for each position of the map.
    pub fn with_stored(mut self, layer: &Layer, stored: ArrayView2<bool>) -> Result<Self, Error> {
        let expected = [layer.input.height, layer.input.width].map(size);
        check_shape("the stored positions", stored.shape(), &expected)?;
        self.stored = Some(Patches::of_layer(stored.insert_axis(Axis(0)), layer));
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

    /// True if all inputs of row block `block` of a window, of at most `rows` rows, are padding or cropped.
    pub(crate) fn skips(&self, window: usize, block: usize, rows: usize) -> bool {
        let Some(patches) = &self.stored else { return false };
        let mut stored = vec![false; patches.kernel()];
        patches.gather(window, &mut stored);
        let block = block * rows..self.rows().min((block + 1) * rows);
        // Every channel has the kernel's positions in the same order.
        !block.take(stored.len()).any(|row| stored[row % stored.len()])
    }

    /// The windows of a range that are computed, and their inputs (windows x rows), rounded to their precisions.
    pub(crate) fn gather(&self, range: Range<usize>) -> (Vec<usize>, Array2<i16>) {
        let computed: Vec<usize> = range.filter(|&w| self.bits[w] != 0).collect();
        let mut inputs = Array2::zeros((computed.len(), self.rows()));
        for (mut inputs, &window) in inputs.rows_mut().into_iter().zip(&computed) {
            let inputs = inputs.as_slice_mut().expect("rows are contiguous");
            self.patches.gather(window, inputs);
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

/// Stored positions of a layer's map after its pool (height x width): those to which at least one window that is not
/// cropped contributes.
pub fn stored(layer: &Layer, plan: &LayerPlan) -> Array2<bool> {
    let extent = |shape: network::Shape| (size(shape.height), size(shape.width));
    let computed = precisions(layer, plan).map(|bits| bits != 0).collect();
    let computed = Array2::from_shape_vec(extent(layer.output), computed).expect("each window has a precision");
    let Some(pool) = layer.pool else { return computed };
    let at = |position: usize| u32::try_from(position).expect("a side of a map has fewer than 2^32 positions");
    Array2::from_shape_fn(extent(layer.pooled), |(y, x)| {
        let (rows, columns) = (pool.rows(at(y), layer.output.height), pool.columns(at(x), layer.output.width));
        rows.into_iter().any(|y| columns.clone().any(|x| computed[(size(y), size(x))]))
    })
}

/// Precision of each window of a layer, row by row.
fn precisions(layer: &Layer, plan: &LayerPlan) -> impl Iterator<Item = u32> {
    (0..layer.output.height).flat_map(move |y| (0..layer.output.width).map(move |x| plan.bits_at(y, x)))
}

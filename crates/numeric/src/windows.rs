//! The inputs of a layer, window by window, each with its precision.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayView3};
use network::{Layer, LayerPlan};

use crate::error::{Error, check_precision, check_range, check_shape};
use crate::patches::Patches;
use crate::quantise::drop_low_bits;

/// The windows of a layer's quantised input map.
///
/// The map is stored with one precision; a window may be computed with fewer bits. Then its inputs are rounded to their
/// upper bits (half up, saturating), and the sums are shifted back to the map's scale. A window of 0 bits is cropped: it
/// is not computed and its outputs are zero.
#[derive(Clone, Debug)]
pub struct Windows {
    patches: Patches<i16>,
    stored_bits: u32,
    bits: Vec<u32>,
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
        let expected = [input.channels, input.height, input.width].map(|n| n as usize);
        check_shape("the input map", map.shape(), &expected)?;
        let positions = (0..layer.output.height).flat_map(|y| (0..layer.output.width).map(move |x| plan.bits_at(y, x)));
        let windows =
            Self { patches: Patches::of_layer(map, layer), stored_bits: plan.stored_bits(), bits: positions.collect() };
        windows.checked(map.iter())
    }

    /// Ready-made windows of one precision: `matrix` is windows x rows.
    ///
    /// # Errors
    /// If `bits` is not 2 to 16 or a value does not fit.
    pub fn of_matrix(matrix: ArrayView2<i16>, bits: u32) -> Result<Self, Error> {
        let windows = Self { patches: Patches::of_matrix(matrix), stored_bits: bits, bits: vec![bits; matrix.nrows()] };
        windows.checked(matrix.iter())
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
    pub fn count(&self) -> usize {
        self.patches.count()
    }

    /// Inputs of a window.
    pub fn rows(&self) -> usize {
        self.patches.rows()
    }

    /// N_A of a window; 0 where it is cropped.
    pub fn bits(&self, window: usize) -> u32 {
        self.bits[window]
    }

    /// Low-order bits that a window, if it is not cropped, does without: its sums are in units 2^dropped times those of
    /// the map.
    pub(crate) fn dropped_bits(&self, window: usize) -> u32 {
        self.stored_bits - self.bits[window]
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

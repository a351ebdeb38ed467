//! Reference in single-precision floating point, with the same windows cropped, for comparison with quantised and
//! clipped results.

use std::num::NonZeroUsize;

use index::Index;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis, CowArray, Ix2};
use network::{Layer, LayerId, Network, Plan, Stage};

use crate::error::Error;
use crate::forward::{self, Arithmetic, check_inputs, layer_values};
use crate::patches::Patches;
use crate::ranges::{InputRanges, largest};
use crate::tiles;
use crate::weights::Weights;

/// Windows and outputs of a tile.
const TILE: (usize, usize) = (128, 256);

/// Result of one image in floating point.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Values of the results, one after the other, each channels x height x width.
    pub output: Vec<f32>,
    /// Largest absolute values that a machine would quantise, as [`Model::program`](crate::Model::program) takes them.
    pub input_ranges: InputRanges,
}

/// Computes an image (channels x height x width) in single precision. Windows of 0 bits are cropped; other precisions
/// of the plan have no effect. The result does not depend on the number of threads.
///
/// # Errors
/// If the image, the weights or the plan do not fit the network, or a tensor holds a value that is not finite.
pub fn run(
    network: &Network,
    weights: &Weights,
    plan: &Plan,
    image: ArrayView3<f32>,
    threads: NonZeroUsize,
) -> Result<Reference, Error> {
    let matrices = weights.matrices(network)?;
    check_inputs(network, plan, image)?;
    let threads = threads.get();
    let mut in_floats =
        InFloats { network, plan, weights, matrices, threads, input_ranges: InputRanges::zero(network) };
    let output = forward::run(network, plan, &weights.stages, image, threads, &mut in_floats)?;
    Ok(Reference { output, input_ranges: in_floats.input_ranges })
}

/// Arithmetic in single precision, for one image.
struct InFloats<'a> {
    network: &'a Network,
    plan: &'a Plan,
    weights: &'a Weights,
    matrices: Vec<CowArray<'a, f32, Ix2>>,
    threads: usize,
    input_ranges: InputRanges,
}

impl Arithmetic for InFloats<'_> {
    fn layer(&mut self, id: LayerId, input: ArrayView3<f32>) -> Result<Array3<f32>, Error> {
        let index = id.index();
        self.input_ranges.layers[index] = largest(input);
        let products = multiply(input, &self.network.layers[id], self.matrices[index].view(), self.threads);
        let plan = (id, &self.plan.layers[id]);
        let bias = &self.weights.layers[index].bias;
        Ok(layer_values(self.network, plan, bias, self.threads, |window, output| products[(window, output)]))
    }

    fn operand(&mut self, _: LayerId, stage: &Stage, operand: Array3<f32>) -> Result<Array3<f32>, Error> {
        let range = self.input_ranges.merges.get_mut(&stage.name).expect("all merges have a range");
        *range = range.max(largest(&operand));
        Ok(operand)
    }
}

/// The products (windows x outputs) of a layer's windows and weights (outputs x rows of a group).
fn multiply(map: ArrayView3<f32>, layer: &Layer, weights: ArrayView2<f32>, threads: usize) -> Array2<f32> {
    let patches = Patches::of_layer(map, layer);
    let mut products = Array2::zeros((patches.count(), weights.nrows()));
    let (rows, outputs) = (weights.ncols(), weights.nrows() / index::size(layer.groups));
    let groups = products.axis_chunks_iter_mut(Axis(1), outputs).zip(weights.axis_chunks_iter(Axis(0), outputs));
    for (group, (products, weights)) in groups.enumerate() {
        tiles::for_each(threads, products, TILE, |mut tile| {
            let mut inputs = Array2::zeros((tile.values.nrows(), rows));
            for (window, mut inputs) in (tile.top..).zip(inputs.rows_mut()) {
                let inputs = inputs.as_slice_mut().expect("rows are contiguous");
                patches.gather(window, group * rows..(group + 1) * rows, inputs);
            }
            let outputs = tile.left..tile.left + tile.values.ncols();
            let weights = weights.slice_axis(Axis(0), outputs.into());
            tile.values.assign(&inputs.dot(&weights.t()));
        });
    }
    products
}

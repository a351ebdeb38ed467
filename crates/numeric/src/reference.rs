//! Reference in single-precision floating point, with the same windows cropped, for comparison with quantised and
//! clipped results.

use std::num::NonZeroUsize;

use index::Index;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use network::{Layer, Network, Node, Plan};

use crate::error::Error;
use crate::forward::{Finish, LayerWeights, check_inputs, check_layers};
use crate::patches::Patches;
use crate::tiles;

/// Windows and outputs of a tile.
const TILE: (usize, usize) = (128, 256);

/// Result of one image in floating point.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The last layer's map, channels x height x width.
    pub output: Array3<f32>,
    /// Largest absolute input of each layer, as [`Model::program`](crate::Model::program) takes them.
    pub input_ranges: Vec<f32>,
}

/// Computes an image (channels x height x width) in single precision. Windows of 0 bits are cropped; other precisions
/// of the plan have no effect. The result does not depend on the number of threads.
///
/// # Errors
/// If the image, the weights or the plan do not fit the network, or a tensor holds a value that is not finite.
pub fn run(
    network: &Network,
    weights: &[LayerWeights],
    plan: &Plan,
    image: ArrayView3<f32>,
    threads: NonZeroUsize,
) -> Result<Reference, Error> {
    check_layers("pairs of weights and biases", weights.len(), network)?;
    check_inputs(network, plan, image)?;
    let mut map = image.to_owned();
    let mut input_ranges = Vec::with_capacity(network.layers.len());
    for (id, layer) in network.layers.enumerate() {
        input_ranges.push(map.iter().fold(0f32, |most, v| most.max(v.abs())));
        let matrix = weights[id.index()].matrix(layer).map_err(|e| e.in_layer(&layer.name))?;
        let products = multiply(map.view(), layer, matrix.view(), threads.get());
        let finish = Finish {
            layer,
            plan: &plan.layers[id],
            bias: &weights[id.index()].bias,
            is_last: network.graph().producer(Node::Host) == id.into(),
            threads: threads.get(),
        };
        map = finish.map(|window, output| products[(window, output)]);
    }
    Ok(Reference { output: map, input_ranges })
}

/// The products (windows x outputs) of a layer's windows and weights (outputs x rows).
fn multiply(map: ArrayView3<f32>, layer: &Layer, weights: ArrayView2<f32>, threads: usize) -> Array2<f32> {
    let patches = Patches::of_layer(map, layer);
    let mut products = Array2::zeros((patches.count(), weights.nrows()));
    tiles::for_each(threads, products.view_mut(), TILE, |mut tile| {
        let mut inputs = Array2::zeros((tile.values.nrows(), patches.rows()));
        for (window, mut inputs) in (tile.top..).zip(inputs.rows_mut()) {
            patches.gather(window, inputs.as_slice_mut().expect("rows are contiguous"));
        }
        let outputs = tile.left..tile.left + tile.values.ncols();
        let weights = weights.slice_axis(Axis(0), outputs.into());
        tile.values.assign(&inputs.dot(&weights.t()));
    });
    products
}

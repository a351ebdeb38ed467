//! Inference of a whole network on crossbars.
//!
//! Between layers a map is in floating point. Each layer quantises its input map to a fixed-point format of its own:
//! the plan decides the bits, and the layer's input range the step.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use index::{Index, count};
use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3, Axis};
use network::{LayerId, Network, Node, Plan};

use crate::crossbars::{Crossbars, Method};
use crate::datapath::{Counts, Datapath};
use crate::error::Error;
use crate::forward::{Finish, LayerWeights, check_inputs, check_layers};
use crate::quantise::FixedPoint;
use crate::tiles;
use crate::windows::{Windows, stored};

/// A network whose weights are programmed onto crossbars. One model serves all images, and all plans that differ in
/// activations only.
#[derive(Debug)]
pub struct Model {
    datapath: Datapath,
    network: Network,
    layers: Vec<ProgrammedLayer>,
}

#[derive(Debug)]
struct ProgrammedLayer {
    crossbars: Crossbars,
    weight_step: f32,
    bias: Array1<f32>,
    /// Largest absolute value of an input that is represented without saturation.
    input_range: f32,
}

/// Result of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// The last layer's map, channels x height x width; scores of classes have height and width 1.
    pub output: Array3<f32>,
    /// One for each layer.
    pub layers: Vec<LayerOutcome>,
}

/// Method, actions and range violations of one layer for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerOutcome {
    /// Method by which the sums were computed.
    pub method: Method,
    /// Actions of the machine.
    pub counts: Counts,
    /// Conversions that the ADC clipped.
    pub clipped: u64,
    /// Values of the input map that were beyond the layer's input range, and saturated.
    pub saturated: u64,
}

impl Model {
    /// Quantises weights to the bits that `weight_bits` lists for each layer and programs them. A layer's weights share
    /// one fixed-point format, as its inputs do; `input_ranges` lists the largest absolute input of each
    /// layer, for example the most that [`reference::run`](crate::reference::run) finds over some images and crops;
    /// what turns out larger saturates, and is [counted](LayerOutcome::saturated).
    ///
    /// # Errors
    /// If a list has not one entry for each layer, or a tensor is misshapen or not finite, or a precision is not 2 to
    /// 16 bits.
    pub fn program(
        datapath: &Datapath,
        network: &Network,
        weights: &[LayerWeights],
        weight_bits: &[u32],
        input_ranges: &[f32],
    ) -> Result<Self, Error> {
        check_layers("pairs of weights and biases", weights.len(), network)?;
        check_layers("weight precisions", weight_bits.len(), network)?;
        check_layers("input ranges", input_ranges.len(), network)?;
        // All tensors are checked before the long work starts.
        let mut matrices = Vec::with_capacity(network.layers.len());
        for (layer, weights) in network.layers.iter().zip(weights) {
            let matrix = weights.matrix(layer).map_err(|e| e.in_layer(&layer.name))?;
            matrices.push(matrix);
        }
        let threads = datapath.options.threads.get();
        let mut layers = Vec::with_capacity(network.layers.len());
        for (i, matrix) in matrices.into_iter().enumerate() {
            let program = || {
                let format = FixedPoint::covering(weight_bits[i], largest(matrix.view(), threads))?;
                let quantised = quantised(format, matrix.view(), threads);
                Ok(ProgrammedLayer {
                    crossbars: datapath.program(quantised.view(), weight_bits[i], count(i))?,
                    weight_step: format.step(),
                    bias: weights[i].bias.clone(),
                    input_range: input_ranges[i],
                })
            };
            let layer = program().map_err(|e: Error| e.in_layer(&network.layers[LayerId::new(i)].name))?;
            layers.push(layer);
        }
        Ok(Self { datapath: datapath.clone(), network: network.clone(), layers })
    }

    /// Returns the model with `threads` threads for each image: one, where images are distributed over all threads.
    pub fn on_threads(mut self, threads: NonZeroUsize) -> Self {
        self.datapath.options.threads = threads;
        self.layers.iter_mut().for_each(|layer| layer.crossbars.set_threads(threads));
        self
    }

    /// Computes an image (channels x height x width, normalised as the network expects).
    ///
    /// Each layer's input map is quantised to the [stored bits](network::LayerPlan::stored_bits) of its plan, in steps
    /// that its input range decides; then come the crossbars, the bias, ReLU on all layers but the last, and max-pool.
    ///
    /// # Errors
    /// If the image or the plan does not fit the network, or the plan's weight bits are not those programmed.
    pub fn run(&self, plan: &Plan, image: ArrayView3<f32>) -> Result<Inference, Error> {
        check_inputs(&self.network, plan, image)?;
        let mut map = image.to_owned();
        let mut outcomes = Vec::with_capacity(self.layers.len());
        for (id, layer) in self.network.layers.enumerate() {
            let run = self.run_layer(id, plan, map.view());
            let (next, outcome) = run.map_err(|e| e.in_layer(&layer.name))?;
            map = next;
            outcomes.push(outcome);
        }
        Ok(Inference { output: map, layers: outcomes })
    }

    fn run_layer(&self, id: LayerId, plan: &Plan, map: ArrayView3<f32>) -> Result<(Array3<f32>, LayerOutcome), Error> {
        let layer = &self.network.layers[id];
        let layer_plan = &plan.layers[id];
        let ProgrammedLayer { crossbars, weight_step, bias, input_range } = &self.layers[id.index()];
        if layer_plan.weight_bits != crossbars.weight_bits() {
            return Err(Error::WeightBits { plan: layer_plan.weight_bits, programmed: crossbars.weight_bits() });
        }
        // A layer that is cropped altogether stores nothing, and any format will do.
        let format = FixedPoint::covering(layer_plan.stored_bits(layer).max(2), *input_range)?;
        let (quantised, saturated) = format.quantise_array(map);
        let mut windows = Windows::of_layer(quantised.view(), layer, layer_plan)?;
        let graph = self.network.graph();
        if let Some(producer) = graph.producer(id).layer() {
            let stored = stored(&self.network.layers[producer], &plan.layers[producer]);
            windows = windows.with_stored(layer, stored.view())?;
        }
        let product = crossbars.multiply(&windows)?;
        let finish = Finish {
            layer,
            plan: layer_plan,
            bias,
            is_last: graph.producer(Node::Host) == id.into(),
            threads: self.datapath.options.threads.get(),
        };
        let step = f64::from(format.step()) * f64::from(*weight_step);
        #[expect(clippy::cast_possible_truncation, reason = "maps are in single precision")]
        let next = finish.map(|window, output| (product.sums[(window, output)] as f64 * step) as f32);
        let outcome =
            LayerOutcome { method: crossbars.method(), counts: product.counts, clipped: product.clipped, saturated };
        Ok((next, outcome))
    }
}

/// Rows of a matrix that a thread works on at a time.
fn band(matrix: ArrayView2<f32>, threads: usize) -> usize {
    matrix.nrows().div_ceil(8 * threads).max(1)
}

/// The largest absolute value of a matrix.
fn largest(matrix: ArrayView2<f32>, threads: usize) -> f32 {
    let bands = matrix.axis_chunks_iter(Axis(0), band(matrix, threads));
    let largest = Mutex::new(0f32);
    tiles::share_out(threads, bands, |band| {
        let of_band = band.iter().fold(0f32, |most, w| most.max(w.abs()));
        let mut largest = largest.lock().unwrap_or_else(PoisonError::into_inner);
        *largest = largest.max(of_band);
    });
    largest.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The matrix in fixed point; `format` holds all its values.
fn quantised(format: FixedPoint, matrix: ArrayView2<f32>, threads: usize) -> Array2<i16> {
    let mut quantised = Array2::zeros(matrix.dim());
    let band = band(matrix, threads);
    let bands = quantised.axis_chunks_iter_mut(Axis(0), band).zip(matrix.axis_chunks_iter(Axis(0), band));
    tiles::share_out(threads, bands, |(mut to, from)| to.assign(&format.quantise_array(from).0));
    quantised
}

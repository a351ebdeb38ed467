//! Inference of a whole network on crossbars.
//!
//! Between layers a map is in floating point. Each layer quantises its input to a fixed-point format of its own: the
//! plan decides the bits, and the layer's input range the step. The operand that the tiles of a layer merge is
//! quantised likewise, in the bits of that layer's inputs and with the range of the merge; the values it is added to
//! are not.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use index::{Index, IndexVec, count, size};
use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayView3, Axis};
use network::{FULL_PRECISION_BITS, LayerId, MapId, Network, Plan, Stage};

use crate::crossbars::{Crossbars, Method};
use crate::datapath::{Counts, Datapath};
use crate::error::{Error, check_layers};
use crate::forward::{self, Arithmetic, check_inputs, layer_values};
use crate::quantise::FixedPoint;
use crate::ranges::{self, InputRanges};
use crate::stages::stored;
use crate::tiles;
use crate::weights::{StageWeights, Weights};
use crate::windows::Windows;

/// A network whose weights are programmed onto crossbars. One model serves all images, and all plans that differ in
/// activations only.
#[derive(Debug)]
pub struct Model {
    datapath: Datapath,
    network: Network,
    layers: IndexVec<LayerId, ProgrammedLayer>,
    stages: StageWeights,
    ranges: InputRanges,
}

#[derive(Debug)]
struct ProgrammedLayer {
    crossbars: Crossbars,
    weight_step: f32,
    bias: Array1<f32>,
}

/// Result of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// Values of the results, one after the other, each channels x height x width: of a classifier, scores of classes.
    pub output: Vec<f32>,
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
    /// Values that were quantised: inputs of the layer, and operands that its tiles merge.
    pub quantised: u64,
    /// Those of them that were beyond their range, and saturated.
    pub saturated: u64,
}

impl Model {
    /// Quantises weights to the bits that `weight_bits` lists for each layer and programs them. A layer's weights share
    /// one fixed-point format, as its inputs do; `ranges` are for example the most that
    /// [`reference::run`](crate::reference::run) finds over some images and crops; what turns out larger saturates, and
    /// is [counted](LayerOutcome::saturated).
    ///
    /// # Errors
    /// If a list has not one entry for each layer, or a tensor is missing, misshapen or not finite, or a precision is
    /// not 2 to 16 bits.
    pub fn program(
        datapath: &Datapath,
        network: &Network,
        weights: &Weights,
        weight_bits: &[u32],
        ranges: &InputRanges,
    ) -> Result<Self, Error> {
        // All tensors are checked before the long work starts.
        let matrices = weights.matrices(network)?;
        check_layers("weight precisions", weight_bits.len(), network)?;
        ranges.check(network)?;
        let threads = datapath.options.threads.get();
        let mut layers: IndexVec<LayerId, ProgrammedLayer> = IndexVec::default();
        for (i, matrix) in matrices.into_iter().enumerate() {
            let layer = &network.layers[LayerId::new(i)];
            let program = || {
                let format = FixedPoint::covering(weight_bits[i], largest(matrix.view(), threads))?;
                let quantised = quantised(format, matrix.view(), threads);
                let groups = size(layer.groups);
                Ok(ProgrammedLayer {
                    crossbars: datapath.program_groups(quantised.view(), groups, weight_bits[i], count(i))?,
                    weight_step: format.step(),
                    bias: weights.layers[i].bias.clone(),
                })
            };
            layers.push(program().map_err(|e: Error| e.in_layer(&layer.name))?);
        }
        let (stages, ranges) = (weights.stages.clone(), ranges.clone());
        Ok(Self { datapath: datapath.clone(), network: network.clone(), layers, stages, ranges })
    }

    /// Returns the model with `threads` threads for each image: one, where images are distributed over all threads.
    pub fn on_threads(mut self, threads: NonZeroUsize) -> Self {
        self.datapath.options.threads = threads;
        self.layers.iter_mut().for_each(|layer| layer.crossbars.set_threads(threads));
        self
    }

    /// Computes an image (channels x height x width, normalised as the network expects).
    ///
    /// Each layer's input is quantised to the [stored bits](network::LayerPlan::stored_bits) of its plan, in steps that
    /// its input range decides; then come the crossbars, the bias, and the stages of each of its maps in single
    /// precision. The operand of a merge is quantised to the stored bits of the layer whose tiles merge it, or to 16
    /// bits where that layer is cropped altogether.
    ///
    /// # Errors
    /// If the image or the plan does not fit the network, or the plan's weight bits are not those programmed.
    pub fn run(&self, plan: &Plan, image: ArrayView3<f32>) -> Result<Inference, Error> {
        check_inputs(&self.network, plan, image)?;
        let stored = stored(&self.network, plan);
        let mut on_crossbars = OnCrossbars { model: self, plan, stored, outcomes: IndexVec::default() };
        let threads = self.datapath.options.threads.get();
        let output = forward::run(&self.network, plan, &self.stages, image, threads, &mut on_crossbars)?;
        Ok(Inference { output, layers: on_crossbars.outcomes.into_iter().collect() })
    }
}

/// Arithmetic of the machine, for one image.
struct OnCrossbars<'a> {
    model: &'a Model,
    plan: &'a Plan,
    /// Stored positions of each map.
    stored: IndexVec<MapId, Array2<bool>>,
    /// Of the layers so far.
    outcomes: IndexVec<LayerId, LayerOutcome>,
}

impl Arithmetic for OnCrossbars<'_> {
    fn layer(&mut self, id: LayerId, input: ArrayView3<f32>) -> Result<Array3<f32>, Error> {
        let Model { datapath, network, layers, ranges, .. } = self.model;
        let (layer, plan) = (&network.layers[id], &self.plan.layers[id]);
        let ProgrammedLayer { crossbars, weight_step, bias } = &layers[id];
        if plan.weight_bits != crossbars.weight_bits() {
            return Err(Error::WeightBits { plan: plan.weight_bits, programmed: crossbars.weight_bits() });
        }
        // A layer that is cropped altogether stores nothing, and any format will do.
        let format = FixedPoint::covering(plan.stored_bits(layer).max(2), ranges.layers[id.index()])?;
        let (quantised, saturated) = format.quantise_array(input);
        let windows = Windows::of_layer(quantised.view(), layer, plan)?;
        let windows = windows.with_stored(layer, &network.reads[id], &self.stored)?;
        let product = crossbars.multiply(&windows)?;
        self.outcomes.push(LayerOutcome {
            method: crossbars.method(),
            counts: product.counts,
            clipped: product.clipped,
            quantised: count(quantised.len()),
            saturated,
        });
        let step = f64::from(format.step()) * f64::from(*weight_step);
        let threads = datapath.options.threads.get();
        #[expect(clippy::cast_possible_truncation, reason = "maps are in single precision")]
        Ok(layer_values(network, (id, plan), bias, threads, |window, output| {
            (product.sums[(window, output)] as f64 * step) as f32
        }))
    }

    fn operand(&mut self, id: LayerId, stage: &Stage, operand: Array3<f32>) -> Result<Array3<f32>, Error> {
        let Model { network, ranges, .. } = self.model;
        let bits = match self.plan.layers[id].stored_bits(&network.layers[id]) {
            0 => FULL_PRECISION_BITS,
            bits => bits,
        };
        let format = FixedPoint::covering(bits, ranges.merges[&stage.name])?;
        let (quantised, saturated) = format.quantise_array(operand.view());
        let outcome = &mut self.outcomes[id];
        outcome.quantised += count(quantised.len());
        outcome.saturated += saturated;
        Ok(quantised.mapv(|value| f32::from(value) * format.step()))
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
        let of_band = ranges::largest(band);
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

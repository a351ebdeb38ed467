//! Answers of a network on a machine, and the calibration of its input ranges.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use index::size;
use ndarray::ArrayView3;
use network::{Edges, LayerKind, Network, Part, Plan, Shape};
use numeric::{InputRanges, Method, Model, Weights, reference};

use crate::{Cost, Error};

/// A network whose weights are programmed on a machine's crossbars.
#[derive(Debug)]
pub struct Classifier {
    network: Network,
    model: Model,
    /// Values of each layer that were quantised and that saturated, over all answers.
    quantised: Vec<[AtomicU64; 2]>,
}

/// Scores of a picture, and how they were computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Score of each class.
    pub scores: Vec<f32>,
    /// Method by which the sums were computed; the most detailed if layers differ.
    pub method: Method,
    /// Conversions that the ADC clipped.
    pub clipped: u64,
    /// Activations that were too large for the range of their layer.
    pub saturated: u64,
}

impl Classifier {
    /// A programmed model of `network`.
    pub fn new(network: Network, model: Model) -> Self {
        let quantised = network.layers.iter().map(|_| Default::default()).collect();
        Self { network, model, quantised }
    }

    /// The share of each layer's inputs that saturated, over all answers so far. Operands that its tiles merge count as
    /// inputs.
    pub fn saturation(&self) -> Vec<f64> {
        let share = |[all, saturated]: &[AtomicU64; 2]| {
            saturated.load(Ordering::Relaxed) as f64 / all.load(Ordering::Relaxed).max(1) as f64
        };
        self.quantised.iter().map(share).collect()
    }

    /// Computes the answer for `input` (channels x height x width, normalised) under `plan`, and checks that the reads,
    /// conversions and driven rows of each layer equal those simulated in `cost`.
    ///
    /// # Errors
    /// If the input or the plan does not fit the network, or counts differ.
    pub fn classify(&self, plan: &Plan, input: ArrayView3<f32>, cost: &Cost) -> Result<Answer, Error> {
        let inference = self.model.run(plan, input)?;
        for ((layer, outcome), simulated) in self.network.layers.iter().zip(&inference.layers).zip(&cost.layers) {
            let computed = outcome.counts;
            let counts = [
                ("crossbar reads", computed.crossbar_reads, simulated.crossbar_reads),
                ("conversions", computed.adc_conversions, simulated.adc_conversions),
                ("driven rows", computed.dac_activations, simulated.dac_activations),
            ];
            if let Some((what, computed, simulated)) = counts.into_iter().find(|(_, a, b)| a != b) {
                return Err(Error::Counts { layer: layer.name.clone(), what, computed, simulated });
            }
        }
        let layers = || inference.layers.iter();
        for ([all, saturated], layer) in self.quantised.iter().zip(layers()) {
            all.fetch_add(layer.quantised, Ordering::Relaxed);
            saturated.fetch_add(layer.saturated, Ordering::Relaxed);
        }
        Ok(Answer {
            method: layers().map(|layer| layer.method).max().unwrap_or(Method::Integer),
            clipped: layers().map(|layer| layer.clipped).sum(),
            saturated: layers().map(|layer| layer.saturated).sum(),
            scores: inference.output,
        })
    }
}

impl Answer {
    /// The classes, from the likeliest down; of equal ones, the first.
    pub fn ranking(&self) -> Vec<usize> {
        ranking(&self.scores)
    }

    /// True if `class` is among the `top` likeliest.
    pub fn is_right(&self, class: usize, top: usize) -> bool {
        is_right(&self.scores, class, top)
    }

    /// Probability of each class (softmax).
    pub fn probabilities(&self) -> Vec<f32> {
        let most = self.scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f32> = self.scores.iter().map(|score| (score - most).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.into_iter().map(|power| power / sum).collect()
    }
}

fn ranking(scores: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..scores.len()).collect();
    classes.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    classes
}

/// True if `class` is among the `top` likeliest by these scores; of equal ones, the first is likelier.
pub fn is_right(scores: &[f32], class: usize, top: usize) -> bool {
    ranking(scores).iter().take(top).any(|&likely| likely == class)
}

/// Number of scores of `network`: the values of its results.
pub fn scores(network: &Network) -> usize {
    let values = |part: &Part| {
        let Shape { height, width, .. } = network.maps[part.map].shape;
        size(height) * size(width) * part.channels.len()
    };
    network.results.iter().map(values).sum()
}

/// Largest absolute values that are quantised for `input`, in floating point: uncropped, and with all edges cut where
/// the network states crop sizes. Cropping can raise a sum, since a zero may replace an input with a negative product.
///
/// # Errors
/// If the input or the weights do not fit the network.
pub fn calibrate(
    network: &Network,
    weights: &Weights,
    input: ArrayView3<f32>,
    threads: NonZeroUsize,
) -> Result<InputRanges, Error> {
    let whole = Plan::uniform(network, network::FULL_PRECISION_BITS, network::FULL_PRECISION_BITS);
    let mut plans = vec![whole.clone()];
    if network.layers.iter().all(|layer| layer.kind == LayerKind::FullyConnected || layer.crop.is_some()) {
        plans.push(whole.crop(network, Edges { top: true, bottom: true, left: true, right: true })?);
    }
    let mut ranges = InputRanges::zero(network);
    for plan in &plans {
        ranges.widen(&reference::run(network, weights, plan, input, threads)?.input_ranges);
    }
    Ok(ranges)
}

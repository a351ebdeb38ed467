//! Answers of a network on a machine, and the calibration of its input ranges.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::ArrayView3;
use network::{Edges, Layer, LayerKind, Network, Plan, Shape};
use numeric::{LayerWeights, Method, Model, reference};

use crate::{Cost, Error};

/// A network whose weights are programmed on a machine's crossbars.
#[derive(Debug)]
pub struct Classifier {
    network: Network,
    model: Model,
    answers: AtomicU64,
    /// Inputs of each layer that saturated, over all answers.
    saturated: Vec<AtomicU64>,
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
        let saturated = network.layers.iter().map(|_| AtomicU64::new(0)).collect();
        Self { network, model, answers: AtomicU64::new(0), saturated }
    }

    /// The share of each layer's inputs that saturated, over all answers so far.
    pub fn saturation(&self) -> Vec<f64> {
        let answers = self.answers.load(Ordering::Relaxed).max(1) as f64;
        let share = |(layer, saturated): (&Layer, &AtomicU64)| {
            let Shape { height, width, channels } = layer.input;
            let inputs = f64::from(height) * f64::from(width) * f64::from(channels);
            saturated.load(Ordering::Relaxed) as f64 / (answers * inputs)
        };
        self.network.layers.iter().zip(&self.saturated).map(share).collect()
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
        self.answers.fetch_add(1, Ordering::Relaxed);
        for (sum, layer) in self.saturated.iter().zip(layers()) {
            sum.fetch_add(layer.saturated, Ordering::Relaxed);
        }
        Ok(Answer {
            method: layers().map(|layer| layer.method).max().unwrap_or(Method::Integer),
            clipped: layers().map(|layer| layer.clipped).sum(),
            saturated: layers().map(|layer| layer.saturated).sum(),
            scores: inference.output.into_iter().collect(),
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

/// Largest absolute input of each layer for `input`, in floating point: uncropped, and with all edges cut where the
/// network states crop sizes. Cropping can raise a sum, since a zero may replace an input with a negative product.
///
/// # Errors
/// If the input or the weights do not fit the network.
pub fn calibrate(
    network: &Network,
    weights: &[LayerWeights],
    input: ArrayView3<f32>,
    threads: NonZeroUsize,
) -> Result<Vec<f32>, Error> {
    let whole = Plan::uniform(network, network::FULL_PRECISION_BITS, network::FULL_PRECISION_BITS);
    let mut plans = vec![whole.clone()];
    if network.layers.iter().all(|layer| layer.kind == LayerKind::FullyConnected || layer.crop.is_some()) {
        plans.push(whole.crop(network, Edges { top: true, bottom: true, left: true, right: true })?);
    }
    let mut ranges = vec![0f32; network.layers.len()];
    for plan in &plans {
        let found = reference::run(network, weights, plan, input, threads)?.input_ranges;
        widen(&mut ranges, &found);
    }
    Ok(ranges)
}

/// Raises each range to the range found, if that is larger.
pub fn widen(ranges: &mut [f32], found: &[f32]) {
    ranges.iter_mut().zip(found).for_each(|(range, found)| *range = range.max(*found));
}

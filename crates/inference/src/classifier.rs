//! Answers of a network on a machine.

use std::num::NonZeroUsize;

use ndarray::{Array3, ArrayView3};
use network::{Edges, LayerKind, Network, Plan};
use numeric::{LayerWeights, Method, Model, reference};

use crate::{Cost, Error};

/// A network whose weights are programmed on a machine's crossbars.
#[derive(Debug)]
pub struct Classifier {
    network: Network,
    model: Model,
}

/// What a network says of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Score of each class.
    pub scores: Vec<f32>,
    /// How the sums were computed: if not all layers alike, the one that models most.
    pub method: Method,
    /// Conversions that the ADC clipped.
    pub clipped: u64,
    /// Activations that were too large for the range of their layer.
    pub saturated: u64,
}

impl Classifier {
    /// A programmed model of `network`.
    pub fn new(network: Network, model: Model) -> Self {
        Self { network, model }
    }

    /// Computes the answer for `input` (channels x height x width, normalised) under `plan`, and holds the reads,
    /// conversions and driven rows of each layer equal to those that `cost` was made from.
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

    /// Whether `class` is among the `top` likeliest.
    pub fn is_right(&self, class: usize, top: usize) -> bool {
        is_right(&self.scores, class, top)
    }

    /// The probability that the network gives each class (softmax).
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

/// Whether `class` is among the `top` likeliest by these scores; of equal ones, the first is likelier.
pub fn is_right(scores: &[f32], class: usize, top: usize) -> bool {
    ranking(scores).iter().take(top).any(|&likely| likely == class)
}

/// The largest absolute input of each layer over `inputs`, in floating point: whole, and with all edges cut where the
/// network states crop sizes, since a zero may stand in for what would have lowered a sum.
///
/// # Errors
/// If an input or the weights do not fit the network.
pub fn calibrate<'a>(
    network: &Network,
    weights: &[LayerWeights],
    inputs: impl Iterator<Item = &'a Array3<f32>>,
    threads: NonZeroUsize,
) -> Result<Vec<f32>, Error> {
    let whole = Plan::uniform(network, network::FULL_PRECISION_BITS, network::FULL_PRECISION_BITS);
    let mut plans = vec![whole.clone()];
    if network.layers.iter().all(|layer| layer.kind == LayerKind::FullyConnected || layer.crop.is_some()) {
        plans.push(whole.crop(network, Edges { top: true, bottom: true, left: true, right: true })?);
    }
    let mut ranges = vec![0f32; network.layers.len()];
    for input in inputs {
        for plan in &plans {
            let found = reference::run(network, weights, plan, input.view(), threads)?.input_ranges;
            ranges.iter_mut().zip(found).for_each(|(range, found)| *range = range.max(found));
        }
    }
    Ok(ranges)
}

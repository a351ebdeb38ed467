//! Networks in the making: listed nodes with their weights, before folding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use network::{Activation, Operator, Origin, Shape};

use crate::tensor::Tensor;

/// A network in the making.
pub(crate) struct Draft {
    pub(crate) input: Shape,
    /// Each after those that it reads.
    pub(crate) nodes: Vec<DraftNode>,
    pub(crate) results: Vec<Origin>,
    /// Nodes of the model that vanish, by the reason.
    pub(crate) folded: BTreeMap<&'static str, usize>,
    /// Nodes that the host computes, before the first or behind the last crossbar node.
    pub(crate) host: Vec<String>,
    /// Nodes that are left out because the user asks for it.
    pub(crate) dropped: Vec<String>,
    /// Constants whose numbers become part of the network, with how many they are.
    pub(crate) constants: BTreeMap<String, u64>,
    /// Constants without their numbers.
    pub(crate) missing: BTreeSet<String>,
    /// Largest absolute value that a node's result may have, where the model says so by quantising it.
    pub(crate) ranges: BTreeMap<String, f64>,
}

/// A node in the making.
pub(crate) struct DraftNode {
    /// Name in the model, for faults.
    pub(crate) model_name: String,
    pub(crate) name: String,
    pub(crate) inputs: Vec<Origin>,
    pub(crate) operator: Operator,
    pub(crate) activation: Option<Activation>,
    pub(crate) shape: Shape,
    pub(crate) parameters: Parameters,
}

/// Numbers that come with a node.
pub(crate) enum Parameters {
    None,
    Weights(Weights),
    Affine(Affine),
    /// Slope of each channel of a `PRelu`.
    Slopes(Vector),
}

/// A number for each channel; `None` if numbers are missing.
pub(crate) type Vector = Option<Vec<f64>>;

/// y = factor x + offset, channel by channel, in double precision until the network is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) factor: Vector,
    pub(crate) offset: Vector,
}

/// Weights W of a crossbar node, with what is folded into them: y = outer(W inner(x)).
pub(crate) struct Weights {
    /// Outputs x inputs of a group x kernel, or outputs x inputs.
    pub(crate) tensor: Arc<Tensor>,
    /// True if inputs come before outputs in the tensor.
    pub(crate) is_transposed: bool,
    /// On the outputs; its offset is the bias.
    pub(crate) outer: Affine,
    /// On the input channels.
    pub(crate) inner: Option<Affine>,
}

impl Affine {
    /// Returns `self` followed by `next`.
    pub(crate) fn then(&self, next: &Affine) -> Affine {
        let zip = |a: &Vector, b: &Vector, operation: fn(f64, f64) -> f64| {
            Some(a.as_ref()?.iter().zip(b.as_ref()?).map(|(&a, &b)| operation(a, b)).collect::<Vec<f64>>())
        };
        let factor = zip(&self.factor, &next.factor, |a, b| a * b);
        let scaled = zip(&self.offset, &next.factor, |a, b| a * b);
        Affine { factor, offset: zip(&scaled, &next.offset, |a, b| a + b) }
    }

    /// Returns factor and offset if they are the same for all channels.
    pub(crate) fn uniform(&self) -> Option<(f64, f64)> {
        let same = |vector: &Vector| {
            let vector = vector.as_ref()?;
            let first = *vector.first()?;
            vector.iter().all(|value| *value == first).then_some(first)
        };
        Some((same(&self.factor)?, same(&self.offset)?))
    }
}

impl Draft {
    /// Returns the nodes that read each node, once for each reading; results are read by nobody else, once each.
    pub(crate) fn readers(&self) -> Vec<Vec<Option<usize>>> {
        let mut readers = vec![Vec::new(); self.nodes.len()];
        let readings = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(reader, node)| node.inputs.iter().map(move |from| (from, Some(reader))));
        for (from, reader) in readings.chain(self.results.iter().map(|from| (from, None))) {
            if let Origin::Node(node) = from {
                readers[*node].push(reader);
            }
        }
        readers
    }

    /// Removes nodes for which `is_kept` is false. Readers of a removed node read its first input instead.
    pub(crate) fn keep(&mut self, is_kept: &[bool]) {
        let mut places: Vec<Origin> = Vec::new();
        let mut kept = 0;
        for (node, &is_kept) in self.nodes.iter_mut().zip(is_kept) {
            for input in &mut node.inputs {
                *input = moved(*input, &places);
            }
            if is_kept {
                places.push(Origin::Node(kept));
                kept += 1;
            } else {
                places.push(node.inputs.first().copied().unwrap_or(Origin::Image));
            }
        }
        let mut is_kept = is_kept.iter();
        self.nodes.retain(|_| *is_kept.next().expect("there is a flag for each node"));
        for result in &mut self.results {
            *result = moved(*result, &places);
        }
    }

    pub(crate) fn count_folded(&mut self, rule: &'static str) {
        *self.folded.entry(rule).or_default() += 1;
    }
}

fn moved(origin: Origin, places: &[Origin]) -> Origin {
    match origin {
        Origin::Image => Origin::Image,
        Origin::Node(node) => places[node],
    }
}

//! Folding: nodes that become part of their neighbours.
//!
//! 1. What no result depends on goes.
//! 2. Adjacent affine nodes are composed, and an affine node behind a crossbar node that nobody else reads is folded
//!    into its weights.
//! 3. So is one before a crossbar node without padding, which is its only reader. With padding the border would be
//!    wrong: zeros around the map are not zeros before the affine node.
//! 4. An activation behind a node that nobody else reads becomes part of it.

use network::{Activation, Kernel, Operator, Origin, Sides};

use crate::draft::{Affine, Draft, DraftNode, Parameters, Weights};

/// Folds all that can be.
pub(crate) fn fold(draft: &mut Draft) {
    remove_dead(draft);
    fold_backwards(draft);
    remove_identities(draft);
    fold_forwards(draft);
    attach_activations(draft);
}

fn remove_dead(draft: &mut Draft) {
    let mut is_alive = vec![false; draft.nodes.len()];
    let nodes = |origins: &[Origin]| -> Vec<usize> {
        let node = |origin: &Origin| match origin {
            Origin::Image => None,
            Origin::Node(node) => Some(*node),
        };
        origins.iter().filter_map(node).collect()
    };
    let mut pending = nodes(&draft.results);
    while let Some(node) = pending.pop() {
        if !std::mem::replace(&mut is_alive[node], true) {
            pending.extend(nodes(&draft.nodes[node].inputs));
        }
    }
    for _ in is_alive.iter().filter(|is_alive| !**is_alive) {
        draft.count_folded("no result depends on them");
    }
    draft.keep(&is_alive);
}

/// Folds affine nodes into what they read.
fn fold_backwards(draft: &mut Draft) {
    let readers = draft.readers();
    let mut is_kept = vec![true; draft.nodes.len()];
    // Node into which each node is folded, if it is.
    let mut into: Vec<usize> = (0..draft.nodes.len()).collect();
    for index in 0..draft.nodes.len() {
        let (before, rest) = draft.nodes.split_at_mut(index);
        let node = &rest[0];
        let (Parameters::Affine(affine), &[Origin::Node(read)]) = (&node.parameters, &node.inputs[..]) else {
            continue;
        };
        if readers[read].len() != 1 {
            continue;
        }
        let target = &mut before[into[read]];
        if target.activation.is_some() {
            continue;
        }
        let rule = match &mut target.parameters {
            Parameters::Weights(weights) => {
                weights.outer = weights.outer.then(affine);
                "affine nodes in the weights before them"
            }
            Parameters::Affine(first) => {
                *first = first.then(affine);
                "affine nodes in one another"
            }
            Parameters::None | Parameters::Slopes(_) => continue,
        };
        into[index] = into[read];
        is_kept[index] = false;
        draft.count_folded(rule);
    }
    draft.keep(&is_kept);
}

/// Removes affine nodes that change nothing, once their numbers are rounded.
fn remove_identities(draft: &mut Draft) {
    let rounds_to = |value: f64, to: f32| crate::format::narrowed(value) == to;
    let is_kept: Vec<bool> = draft
        .nodes
        .iter()
        .map(|node| match (&node.parameters, &node.activation) {
            (Parameters::Affine(affine), None) => {
                affine.uniform().is_none_or(|(factor, offset)| !rounds_to(factor, 1.0) || !rounds_to(offset, 0.0))
            }
            _ => true,
        })
        .collect();
    for _ in is_kept.iter().filter(|is_kept| !**is_kept) {
        draft.count_folded("affine nodes that change nothing");
    }
    draft.keep(&is_kept);
}

/// Folds affine nodes into their only reader, if it has weights and no padding.
fn fold_forwards(draft: &mut Draft) {
    let readers = draft.readers();
    let mut is_kept = vec![true; draft.nodes.len()];
    for (index, readers) in readers.iter().enumerate() {
        let &[Some(reader)] = &readers[..] else { continue };
        let (before, rest) = draft.nodes.split_at_mut(reader);
        let (node, reader) = (&before[index], &mut rest[0]);
        let Parameters::Affine(affine) = &node.parameters else { continue };
        let (Parameters::Weights(weights), None) = (&mut reader.parameters, &node.activation) else { continue };
        let padding = match &reader.operator {
            Operator::Convolution { kernel: Kernel { padding, .. }, .. } => *padding,
            _ => Sides::default(),
        };
        if padding != Sides::default() {
            continue;
        }
        weights.inner = Some(match &weights.inner {
            Some(inner) => affine.then(inner),
            None => affine.clone(),
        });
        is_kept[index] = false;
        draft.count_folded("affine nodes in the weights behind them");
    }
    draft.keep(&is_kept);
}

fn attach_activations(draft: &mut Draft) {
    let readers = draft.readers();
    let mut is_kept = vec![true; draft.nodes.len()];
    for index in 0..draft.nodes.len() {
        let (before, rest) = draft.nodes.split_at_mut(index);
        let DraftNode { operator: Operator::Activation, inputs, activation: Some(activation), .. } = &rest[0] else {
            continue;
        };
        let (&[Origin::Node(read)], false) = (&inputs[..], matches!(activation, Activation::PRelu(_))) else {
            continue;
        };
        let target = &mut before[read];
        let can_take = target.activation.is_none() && is_kept[read] && !target.operator.is_wiring();
        if readers[read].len() == 1 && can_take {
            target.activation = Some(activation.clone());
            is_kept[index] = false;
            draft.count_folded("activations in the nodes before them");
        }
    }
    draft.keep(&is_kept);
}

impl Weights {
    /// Returns weights (outputs x inputs of a group x kernel) and biases with everything folded in, each rounded once;
    /// `None` if numbers are missing. `inputs` is the number of input channels, `groups` that of groups.
    pub(crate) fn folded(&self, outputs: usize, inputs: usize, groups: usize) -> Option<(Vec<f32>, Vec<f32>)> {
        let narrowed = crate::format::narrowed;
        let plain = self.tensor.as_floats()?;
        let rows = plain.len() / outputs;
        let weights = if self.is_transposed {
            (0..outputs)
                .flat_map(|output| (0..rows).map(move |row| (row, output)))
                .map(|(row, output)| plain[row * outputs + output])
                .collect()
        } else {
            plain
        };
        let Affine { factor: Some(factor), offset: Some(bias) } = &self.outer else { return None };
        let inner = match &self.inner {
            None => None,
            Some(Affine { factor: Some(factor), offset: Some(offset) }) => Some((factor, offset)),
            Some(_) => return None,
        };
        let (in_group, outputs_of_group) = (inputs / groups, outputs / groups);
        let positions = rows / in_group;
        let channel = |output: usize, row: usize| output / outputs_of_group * in_group + row / positions;
        let mut scaled = Vec::with_capacity(weights.len());
        let mut biases = Vec::with_capacity(outputs);
        for (output, row) in weights.chunks_exact(rows).enumerate() {
            let mut sum = 0.0;
            for (index, weight) in row.iter().enumerate() {
                let (inner_factor, inner_offset) = inner.map_or((1.0, 0.0), |(factor, offset)| {
                    (factor[channel(output, index)], offset[channel(output, index)])
                });
                scaled.push(narrowed(factor[output] * weight * inner_factor));
                sum += weight * inner_offset;
            }
            biases.push(narrowed(bias[output] + factor[output] * sum));
        }
        Some((scaled, biases))
    }
}

//! Fate of a model's nodes: kept, folded, dropped.

use std::collections::BTreeMap;
use std::fmt;

use network::Origin;
use serde::Serialize;

use crate::draft::{Draft, Parameters};

/// Fate of a model's nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Nodes on crossbars.
    pub crossbar: usize,
    /// Nodes in tiles.
    pub tile: usize,
    /// Nodes that rename channels.
    pub wiring: usize,
    /// Nodes that are part of their neighbours, by rule.
    pub folded: BTreeMap<&'static str, usize>,
    /// Nodes that the host computes.
    pub host: Vec<String>,
    /// Nodes left out, which changes values.
    pub dropped: Vec<String>,
    /// Nodes with the weights of an earlier node: each has crossbars of its own.
    pub shared: Vec<String>,
    /// Constants without their numbers.
    pub missing: Vec<String>,
    /// Multiply-accumulates of an image.
    pub macs: u64,
    /// Numbers in the constants of the model that become part of the network.
    pub parameters_before: u64,
    /// Numbers in the network's weights.
    pub parameters_after: u64,
}

pub(crate) fn of(draft: &Draft) -> Report {
    let mut report = Report {
        crossbar: 0,
        tile: 0,
        wiring: 0,
        folded: draft.folded.clone(),
        host: Vec::new(),
        dropped: draft.dropped.clone(),
        shared: Vec::new(),
        missing: draft.missing.iter().cloned().collect(),
        macs: 0,
        parameters_before: draft.constants.values().sum(),
        parameters_after: 0,
    };
    let mut seen: Vec<&str> = Vec::new();
    // Nodes before the first crossbar node on every way from the image.
    let mut is_host: Vec<bool> = Vec::new();
    for node in &draft.nodes {
        let before = node.inputs.iter().all(|origin| match origin {
            Origin::Image => true,
            Origin::Node(node) => is_host[*node],
        });
        let is_crossbar = node.operator.is_crossbar();
        is_host.push(before && !is_crossbar);
        if is_crossbar {
            report.crossbar += 1;
        } else if before {
            report.host.push(node.model_name.clone());
        } else if node.operator.is_wiring() {
            report.wiring += 1;
        } else {
            report.tile += 1;
        }
        let windows = u64::from(node.shape.height) * u64::from(node.shape.width);
        match &node.parameters {
            Parameters::Weights(weights) => {
                let numbers = index::count(weights.tensor.len());
                report.macs += windows * numbers;
                report.parameters_after += numbers + u64::from(node.shape.channels);
                let name = weights.tensor.name.as_str();
                if seen.contains(&name) && !name.is_empty() {
                    report.shared.push(node.name.clone());
                }
                seen.push(name);
            }
            Parameters::Affine(_) => report.parameters_after += 2 * u64::from(node.shape.channels),
            Parameters::Slopes(_) => report.parameters_after += u64::from(node.shape.channels),
            Parameters::None => {}
        }
    }
    report.host.extend(draft.host.iter().cloned());
    report
}

/// Six lines; with `{:#}` all names.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_whole = f.alternate();
        let listed = |names: &[String]| match names {
            [] => "none".to_owned(),
            names if names.len() > 4 && !is_whole => {
                format!("{}, {} and {} more", names[0], names[1], names.len() - 2)
            }
            names => names.join(", "),
        };
        let folds: Vec<String> = self.folded.iter().map(|(rule, count)| format!("{count} {rule}")).collect();
        writeln!(f, "nodes: {} on crossbars, {} in tiles, {} wiring", self.crossbar, self.tile, self.wiring)?;
        writeln!(f, "folded: {}", if folds.is_empty() { "none".to_owned() } else { folds.join("; ") })?;
        writeln!(f, "left to the host: {}", listed(&self.host))?;
        writeln!(f, "dropped, which changes values: {}", listed(&self.dropped))?;
        writeln!(f, "weights of another node in crossbars of their own: {}", listed(&self.shared))?;
        writeln!(
            f,
            "multiply-accumulates: {}; parameters: {} in the model, {} in the network{}",
            self.macs,
            self.parameters_before,
            self.parameters_after,
            if self.missing.is_empty() {
                String::new()
            } else {
                format!(" ({} constants lack their numbers)", self.missing.len())
            }
        )
    }
}

//! Stall analysis: waits of a run, ranked and followed from layer to layer.
//!
//! The stall counters of a run state, for each layer, how many IMA-cycles went to each cause. A wait for inputs is a
//! symptom of the producing layer, and a wait for a downstream buffer one of the consuming layer. [`Analysis`] follows
//! such waits until it reaches a layer that computes longer than it waits or that waits for a resource of its own. The
//! causes are defined in `docs/model.md`, section "Stall causes".

use chip::{Cause, Outcome, Stalls};
use index::Index;
use mapper::Layout;
use network::{LayerId, Node};
use serde::{Deserialize, Serialize};

use crate::Bound;

/// IMA-cycles of one layer, by cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerStalls {
    /// Name of the layer.
    pub name: String,
    /// IMAs of all its replicas.
    pub imas: u64,
    /// IMA-cycles by cause.
    pub stalls: Stalls,
    /// Edges to other layers.
    pub edges: Edges,
}

/// Edges of a layer, by the indices of layers in the network. The host has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edges {
    /// Layers whose maps the crossbars read.
    pub producers: Vec<usize>,
    /// Layers whose maps the tiles merge.
    pub skips: Vec<usize>,
    /// Layers that read or merge the maps of this one.
    pub readers: Vec<usize>,
    /// Names of the joins that the tiles do.
    pub joins: Vec<String>,
}

impl Edges {
    /// Returns the edges of a layer of `layout`.
    pub fn of(layout: &Layout, layer: LayerId) -> Edges {
        let graph = &layout.graph;
        let indices = |nodes: &[Node]| nodes.iter().filter_map(|node| node.layer()).map(Index::index).collect();
        let readers = graph.consuming_layers(layer).chain(graph.mergers(layer).iter().copied());
        let mut readers: Vec<usize> = readers.map(Index::index).collect();
        readers.sort_unstable();
        readers.dedup();
        let joins = layout.layers[layer].joins().into_iter().map(str::to_owned).collect();
        Edges { producers: indices(graph.producers(layer)), skips: indices(graph.skips(layer)), readers, joins }
    }

    /// Returns the edges of layer `layer` in a chain of `layers` layers.
    pub fn of_chain(layer: usize, layers: usize) -> Edges {
        Edges {
            producers: layer.checked_sub(1).into_iter().collect(),
            readers: Some(layer + 1).filter(|next| *next < layers).into_iter().collect(),
            ..Edges::default()
        }
    }
}

impl LayerStalls {
    /// Returns the fraction of the layer's IMA-cycles that went to `cause`, 0 to 1.
    pub fn share(&self, cause: Cause) -> f64 {
        self.stalls[cause] as f64 / self.stalls.total().max(1) as f64
    }
}

/// Wait of the IMAs of one layer for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Index of the layer in the network.
    pub layer: usize,
    /// Cause of the wait.
    pub cause: Cause,
    /// IMA-cycles of the whole run.
    pub ima_cycles: u64,
}

/// IMA-cycles of a run by layer and cause, with its longest waits and its bound.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Cycles of the run.
    pub cycles: u64,
    /// IMA-cycles of each layer of the network.
    pub layers: Vec<LayerStalls>,
    /// All waits of the board, the longest first.
    pub waits: Vec<Wait>,
    /// Chain of waits from the longest one that matters; empty if there is none. Its end is where the waiting starts,
    /// which need not be the bound of the run.
    pub chain: Vec<Wait>,
    /// Bound of the run.
    pub bound: Bound,
}

/// Fraction of a layer's IMA-cycles from which on a wait matters. A well-balanced pipeline has shorter ones too: the
/// first inputs of a layer take a cycle to arrive.
pub const MATTERS: f64 = 0.01;

/// Reason why a saved report cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text is not the JSON form of a report.
    #[error("this is not a report of `aquasim run --json`: {0}")]
    Json(#[from] serde_json::Error),
    /// The report has a stall cause that this version does not know.
    #[error("this report has a cause of stalls that is not known: {0}")]
    UnknownCause(String),
}

impl Analysis {
    /// Analyses the outcome of a run of `layout`, whose bound is `bound`.
    pub fn of(outcome: &Outcome, layout: &Layout, bound: Bound) -> Analysis {
        let layers = layout.layers.enumerate().zip(&outcome.layers).map(|((id, of), layer)| LayerStalls {
            name: of.layer.name.clone(),
            imas: layer.imas,
            stalls: layer.stalls.clone(),
            edges: Edges::of(layout, id),
        });
        Analysis::new(outcome.cycles, layers.collect(), bound)
    }

    /// Analyses a run from its saved report, the output of `aquasim run --json`.
    pub fn of_saved(json: &str) -> Result<Analysis, ReadError> {
        let saved: Saved = serde_json::from_str(json)?;
        let layers = saved.layers.len();
        let layer = |(index, layer): (usize, SavedLayer)| {
            let mut stalls = Stalls::default();
            for (name, cycles) in layer.stalls {
                let cause = Cause::ALL.into_iter().find(|cause| cause.name() == name);
                let cycles = cycles.as_u64().unwrap_or(0);
                stalls.add(cause.ok_or(ReadError::UnknownCause(name))?, cycles);
            }
            // Reports of chains do not state their edges.
            let edges = layer.edges.unwrap_or_else(|| Edges::of_chain(index, layers));
            Ok(LayerStalls { name: layer.name, imas: layer.imas, stalls, edges })
        };
        let layers = saved.layers.into_iter().enumerate().map(layer).collect::<Result<Vec<_>, ReadError>>()?;
        Ok(Analysis::new(saved.cycles, layers, saved.bound))
    }

    fn new(cycles: u64, layers: Vec<LayerStalls>, bound: Bound) -> Analysis {
        let mut waits: Vec<Wait> = (layers.iter().enumerate())
            .flat_map(|(layer, of)| {
                let causes = Cause::ALL.into_iter().filter(|cause| cause.is_wait());
                causes.map(move |cause| Wait { layer, cause, ima_cycles: of.stalls[cause] })
            })
            .filter(|wait| wait.ima_cycles > 0)
            .collect();
        waits.sort_by_key(|wait| (std::cmp::Reverse(wait.ima_cycles), wait.layer, wait.cause));
        let mut analysis = Analysis { cycles, layers, waits, chain: Vec::new(), bound };
        let longest = analysis.waits_that_matter().next();
        analysis.chain = longest.map_or(Vec::new(), |longest| analysis.follow(longest));
        analysis
    }

    /// Returns the waits that take at least [`MATTERS`] of their layer's IMA-cycles, the longest first.
    pub fn waits_that_matter(&self) -> impl Iterator<Item = Wait> {
        self.waits.iter().copied().filter(|wait| self.layers[wait.layer].share(wait.cause) >= MATTERS)
    }

    /// Returns the IMA-cycles of all layers and causes.
    pub fn total(&self) -> u64 {
        self.layers.iter().map(|layer| layer.stalls.total()).sum()
    }

    /// Returns the end of the chain from `wait`.
    pub(crate) fn end_of_chain(&self, wait: Wait) -> Wait {
        *self.follow(wait).last().expect("a chain has a beginning")
    }

    /// Returns the chain of waits from `wait` on. A wait for another layer leads to the longest wait of that layer. The
    /// chain ends at a layer that waits for a resource of its own or computes longer than it waits.
    fn follow(&self, wait: Wait) -> Vec<Wait> {
        let mut chain = vec![wait];
        loop {
            let last = chain[chain.len() - 1];
            let Edges { producers, skips, readers, .. } = &self.layers[last.layer].edges;
            let candidates = match last.cause {
                Cause::Input => producers,
                Cause::Skip => skips,
                Cause::DownstreamBuffer => readers,
                _ => return chain,
            };
            let Some(next) = self.slowest(candidates) else { return chain };
            if chain.iter().any(|wait| wait.layer == next) {
                // Two layers that wait for each other, at different times: the busier one holds up the other.
                let share = |&layer: &usize| self.layers[layer].share(Cause::Computing);
                let busiest = [next, last.layer].into_iter().max_by(|a, b| share(a).total_cmp(&share(b)));
                chain.push(self.computing(busiest.expect("one of two")));
                return chain;
            }
            let stalls = &self.layers[next].stalls;
            let longest = stalls.main_wait().filter(|&cause| stalls[cause] > stalls[Cause::Computing]);
            chain.push(match longest {
                Some(cause) => Wait { layer: next, cause, ima_cycles: stalls[cause] },
                None => self.computing(next),
            });
        }
    }

    /// Returns the one of some layers that computes for the largest part of its cycles, the first of equals; `None` if there
    /// are none. The others have more time to spare.
    fn slowest(&self, layers: &[usize]) -> Option<usize> {
        let share = |layer: usize| self.layers[layer].share(Cause::Computing);
        layers.iter().copied().rev().max_by(|&a, &b| share(a).total_cmp(&share(b)))
    }

    fn computing(&self, layer: usize) -> Wait {
        Wait { layer, cause: Cause::Computing, ima_cycles: self.layers[layer].stalls[Cause::Computing] }
    }
}

/// Fields of a saved report that the analysis reads.
#[derive(Deserialize)]
struct Saved {
    cycles: u64,
    bound: Bound,
    layers: Vec<SavedLayer>,
}

#[derive(Deserialize)]
struct SavedLayer {
    name: String,
    imas: u64,
    stalls: serde_json::Map<String, serde_json::Value>,
    edges: Option<Edges>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, cycles: &[(Cause, u64)]) -> LayerStalls {
        let mut stalls = Stalls::default();
        for &(cause, cycles) in cycles {
            stalls.add(cause, cycles);
        }
        LayerStalls { name: name.to_owned(), imas: 1, stalls, edges: Edges::default() }
    }

    fn chain(mut layers: Vec<LayerStalls>) -> Vec<(usize, Cause)> {
        let number = layers.len();
        layers.iter_mut().enumerate().for_each(|(index, layer)| layer.edges = Edges::of_chain(index, number));
        let bound = Bound { cycles: 0.0, resources: Vec::new() };
        Analysis::new(100, layers, bound).chain.iter().map(|wait| (wait.layer, wait.cause)).collect()
    }

    #[test]
    fn a_wait_for_inputs_leads_to_what_the_layer_before_waits_for() {
        let layers = vec![
            layer("a", &[(Cause::Computing, 40), (Cause::Bus, 60)]),
            layer("b", &[(Cause::Computing, 30), (Cause::Input, 70)]),
            layer("c", &[(Cause::Computing, 20), (Cause::Input, 80)]),
        ];
        assert_eq!(chain(layers), [(2, Cause::Input), (1, Cause::Input), (0, Cause::Bus)]);
    }

    #[test]
    fn a_full_buffer_leads_to_the_layer_behind_it() {
        let layers = vec![
            layer("a", &[(Cause::Computing, 10), (Cause::DownstreamBuffer, 90)]),
            layer("b", &[(Cause::Computing, 95), (Cause::Input, 5)]),
        ];
        assert_eq!(chain(layers), [(0, Cause::DownstreamBuffer), (1, Cause::Computing)]);
    }

    #[test]
    fn a_skip_leads_to_the_layer_that_it_comes_from() {
        let mut layers = vec![
            layer("stem", &[(Cause::Computing, 95), (Cause::Bus, 5)]),
            layer("a", &[(Cause::Computing, 20), (Cause::Input, 10)]),
            layer("b", &[(Cause::Computing, 10), (Cause::Skip, 90)]),
        ];
        layers[2].edges =
            Edges { producers: vec![1], skips: vec![0], joins: vec!["sum".to_owned()], ..Edges::default() };
        let bound = Bound { cycles: 0.0, resources: Vec::new() };
        let chain: Vec<_> =
            Analysis::new(100, layers, bound).chain.iter().map(|wait| (wait.layer, wait.cause)).collect();
        assert_eq!(chain, [(2, Cause::Skip), (0, Cause::Computing)]);
    }

    #[test]
    fn of_two_layers_that_wait_for_each_other_the_busier_ends_the_chain() {
        let layers = vec![
            layer("a", &[(Cause::Computing, 10), (Cause::DownstreamBuffer, 90)]),
            layer("b", &[(Cause::Computing, 40), (Cause::Input, 60)]),
        ];
        assert_eq!(chain(layers), [(0, Cause::DownstreamBuffer), (1, Cause::Input), (1, Cause::Computing)]);
    }

    #[test]
    fn a_wait_of_less_than_a_hundredth_is_not_followed() {
        let of = |bus| vec![layer("a", &[(Cause::Computing, 1000 - bus), (Cause::Bus, bus)])];
        assert_eq!(chain(of(9)), []);
        assert_eq!(chain(of(10)), [(0, Cause::Bus)]);
    }
}

//! Edges of a network: the producers and the consumers of each feature map.
//!
//! A node is a crossbar layer or the host, which produces the input image and consumes the results. An edge leads from
//! the producer of a map to a reader of it, of one of two kinds: crossbars of the reader multiply the values, or its
//! tiles merge them as an operand of a stage, which is a skip. Nodes are neighbours once, however many maps of the one
//! the other reads. A chain has one edge into each node, one out of it, and no skips.
//!
//! ```
//! use network::{Graph, LayerId, Node};
//!
//! let graph = Graph::chain(2);
//! assert_eq!(graph.consumers(Node::Host), [LayerId(0).into()]);
//! assert_eq!(graph.producer(LayerId(1)), Node::Layer(LayerId(0)));
//! assert_eq!(graph.consumers(LayerId(1)), [Node::Host]);
//! ```

use index::IndexVec;

use crate::{Network, Part};

index::index! {
    /// A crossbar layer, counted from 0 in the order of the network: producers precede consumers.
    pub struct LayerId(u16);
}

/// A producer or consumer of feature maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Produces the input image and consumes the results.
    Host,
    /// Consumes one map and produces another.
    Layer(LayerId),
}

impl Node {
    /// Returns the layer; `None` for the host.
    #[inline]
    pub fn layer(self) -> Option<LayerId> {
        match self {
            Self::Host => None,
            Self::Layer(layer) => Some(layer),
        }
    }
}

impl From<LayerId> for Node {
    fn from(layer: LayerId) -> Self {
        Self::Layer(layer)
    }
}

/// The edges of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    host: Neighbours,
    layers: IndexVec<LayerId, Neighbours>,
}

/// Ends of the edges at one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Neighbours {
    producers: Vec<Node>,
    consumers: Vec<Node>,
    skips: Vec<Node>,
    mergers: Vec<LayerId>,
}

impl Graph {
    /// Returns the graph in which the host feeds the first of `layers` layers, each layer the next one, and the last
    /// layer the host.
    pub fn chain(layers: usize) -> Self {
        let mut graph = Self::default();
        let mut producer = Node::Host;
        for _ in 0..layers {
            let layer = graph.layers.push(Neighbours::default()).into();
            graph.connect(producer, layer);
            producer = layer;
        }
        if layers > 0 {
            graph.connect(producer, Node::Host);
        }
        graph
    }

    /// Returns the graph of `network`.
    pub(crate) fn of(network: &Network) -> Self {
        let mut graph =
            Self { layers: IndexVec::filled(Neighbours::default(), network.layers.len()), ..Self::default() };
        let producer = |part: &Part| network.maps[part.map].producer;
        for (layer, parts) in network.reads.enumerate() {
            for part in parts {
                graph.connect(producer(part), layer.into());
            }
        }
        for part in &network.results {
            graph.connect(producer(part), Node::Host);
        }
        for map in &network.maps {
            for part in map.operands().flat_map(|(_, parts)| parts) {
                graph.skip(producer(part), map.producer);
            }
        }
        graph
    }

    fn connect(&mut self, producer: Node, consumer: Node) {
        add(&mut self.at_mut(producer).consumers, consumer);
        add(&mut self.at_mut(consumer).producers, producer);
    }

    fn skip(&mut self, producer: Node, merger: Node) {
        let layer = merger.layer().expect("only tiles of layers merge");
        add(&mut self.at_mut(producer).mergers, layer);
        add(&mut self.at_mut(merger).skips, producer);
    }

    /// Returns the nodes whose maps `node` reads. Those of the host are the layers with results.
    pub fn producers(&self, node: impl Into<Node>) -> &[Node] {
        &self.at(node.into()).producers
    }

    /// Returns the nodes that read the map of `node`. Those of the host are the layers that read the input image.
    pub fn consumers(&self, node: impl Into<Node>) -> &[Node] {
        &self.at(node.into()).consumers
    }

    /// Returns the nodes whose maps the tiles of `node` merge. The host merges none.
    pub fn skips(&self, node: impl Into<Node>) -> &[Node] {
        &self.at(node.into()).skips
    }

    /// Returns the layers whose tiles merge maps of `node`.
    pub fn mergers(&self, node: impl Into<Node>) -> &[LayerId] {
        &self.at(node.into()).mergers
    }

    /// Returns the only producer of `node`, in a chain.
    pub fn producer(&self, node: impl Into<Node>) -> Node {
        let [producer] = self.producers(node) else { panic!("a node of a chain reads one map") };
        *producer
    }

    /// Returns the layers among the consumers of `node`.
    pub fn consuming_layers(&self, node: impl Into<Node>) -> impl Iterator<Item = LayerId> + Clone {
        self.consumers(node).iter().filter_map(|node| node.layer())
    }

    fn at(&self, node: Node) -> &Neighbours {
        match node {
            Node::Host => &self.host,
            Node::Layer(layer) => &self.layers[layer],
        }
    }

    fn at_mut(&mut self, node: Node) -> &mut Neighbours {
        match node {
            Node::Host => &mut self.host,
            Node::Layer(layer) => &mut self.layers[layer],
        }
    }
}

fn add<T: PartialEq>(ends: &mut Vec<T>, end: T) {
    if !ends.contains(&end) {
        ends.push(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_of_a_chain_has_two_ends() {
        for layers in [0, 1, 5] {
            let graph = Graph::chain(layers);
            let nodes =
                || [Node::Host].into_iter().chain((0..layers).map(|layer| Node::Layer(index::Index::new(layer))));
            for (producer, consumer) in nodes().flat_map(|from| nodes().map(move |to| (from, to))) {
                let produces = graph.consumers(producer).contains(&consumer);
                assert_eq!(produces, graph.producers(consumer).contains(&producer), "{producer:?} to {consumer:?}");
            }
            let edges = usize::from(layers > 0);
            assert!(nodes().all(|node| graph.producers(node).len() == edges && graph.consumers(node).len() == edges));
        }
    }
}

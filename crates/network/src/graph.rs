//! Edges of a network: the producers and the consumers of each feature map.
//!
//! A node is a layer with weights or the host, which produces the input image and consumes the results. A chain, the
//! only kind of network so far, has one edge into each node and one out of it. Code that asks for "the layer before"
//! or "the next layer" asks for a producer or for consumers here, and so is ready for forks.
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

index::index! {
    /// A layer with weights, counted from 0 in the order of the network: producers precede consumers.
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

    fn connect(&mut self, producer: Node, consumer: Node) {
        self.at_mut(producer).consumers.push(consumer);
        self.at_mut(consumer).producers.push(producer);
    }

    /// Returns the nodes whose maps `node` reads. Those of the host are the layers with results.
    pub fn producers(&self, node: impl Into<Node>) -> &[Node] {
        &self.at(node.into()).producers
    }

    /// Returns the nodes that read the map of `node`. Those of the host are the layers that read the input image.
    pub fn consumers(&self, node: impl Into<Node>) -> &[Node] {
        &self.at(node.into()).consumers
    }

    /// Returns the only producer of `node`: a layer with weights reads one map, and so does the host.
    pub fn producer(&self, node: impl Into<Node>) -> Node {
        let [producer] = self.producers(node) else { panic!("a node reads one map") };
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

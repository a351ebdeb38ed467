//! A network as the machine sees it: crossbar layers, the maps between them, and who reads what.

use document::{Fault, Faults};
use index::{IndexVec, size};

use crate::{
    Activation, Graph, Kernel, Layer, LayerId, LayerKind, Map, MapId, Node, Operation, Part, Preprocessing, Shape,
    Stage,
};

/// A checked network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Name shown in reports.
    pub name: String,
    /// One input image.
    pub input: Shape,
    /// Preprocessing that turns an image file into the input.
    pub preprocessing: Preprocessing,
    /// Crossbar layers: those with weights, producers before consumers.
    pub layers: IndexVec<LayerId, Layer>,
    /// Maps that travel. Each is read.
    pub maps: IndexVec<MapId, Map>,
    /// Parts of the input of each layer, in order of its channels.
    pub reads: IndexVec<LayerId, Vec<Part>>,
    /// Parts of the result, in order of its channels.
    pub results: Vec<Part>,
}

impl Network {
    /// Returns the network in which each layer reads the map of the previous one: its values after ReLU, but for the
    /// last, and after its max-pool.
    pub fn chain(
        name: String,
        input: Shape,
        preprocessing: Preprocessing,
        layers: IndexVec<LayerId, Layer>,
    ) -> Network {
        let whole = |map: MapId, shape: Shape| vec![Part { map, channels: 0..shape.channels }];
        let image = Map { producer: Node::Host, channels: 0..input.channels, stages: Vec::new(), shape: input };
        let mut maps: IndexVec<MapId, Map> = vec![image].into();
        let mut reads: IndexVec<LayerId, Vec<Part>> = IndexVec::default();
        let mut results = whole(MapId::INPUT, input);
        for (id, layer) in layers.enumerate() {
            let is_last = size(id.0) + 1 == layers.len();
            let relu = (!is_last).then_some(Operation::Activation(Activation::Relu));
            let stages = relu.into_iter().chain(layer.pool.map(Operation::MaxPool));
            let stages = stages.map(|operation| Stage { name: layer.name.clone(), operation }).collect();
            let channels = 0..layer.output.channels;
            let map = maps.push(Map { producer: id.into(), channels, stages, shape: layer.pooled });
            reads.push(std::mem::replace(&mut results, whole(map, layer.pooled)));
        }
        Network { name, input, preprocessing, layers, maps, reads, results }
    }

    /// Returns the edges between the layers and the host.
    pub fn graph(&self) -> Graph {
        Graph::of(self)
    }

    /// Returns the maps of the values of `node`.
    pub fn maps_of(&self, node: impl Into<Node>) -> impl Iterator<Item = (MapId, &Map)> {
        let node = node.into();
        self.maps.enumerate().filter(move |(_, map)| map.producer == node)
    }

    /// Returns the network if it is a chain of layers with square kernels, ReLUs and max-pools; else a fault that names
    /// the first layer that is not. Stands before parts that take chains only.
    pub fn into_chain(self) -> Result<Network, Faults> {
        match self.first_unchained() {
            None => Ok(self),
            Some((node, reason)) => Err(Fault::new(
                format!("{node} {reason}, and this command takes chains of layers only"),
                "`aquasim network show` shows this network; other commands take it as soon as they know graphs",
            )
            .into()),
        }
    }

    /// Returns the name of the first layer that a chain cannot have, and the reason.
    fn first_unchained(&self) -> Option<(&str, &'static str)> {
        let layers = self.layers.enumerate().zip(&self.reads);
        let mut before = MapId::INPUT;
        let last = self.layers.last()?;
        for ((id, layer), reads) in layers {
            let is_last = size(id.0) + 1 == self.layers.len();
            let refuse = |reason| Some((layer.name.as_str(), reason));
            if *reads != [self.whole(before)] {
                return refuse("does not read the whole map of the layer before it");
            }
            if layer.groups > 1 {
                return refuse("has groups of channels");
            }
            if layer.kind == LayerKind::Convolution && !layer.kernel.is_square() {
                return refuse("has a kernel with unequal axes or sides, or with dilation");
            }
            let mut maps = self.maps_of(id);
            let (Some((map, Map { stages, .. })), None) = (maps.next(), maps.next()) else {
                return refuse("is read in several ways");
            };
            let relu = usize::from(!is_last);
            let is_plain = |(number, stage): (usize, &Stage)| match &stage.operation {
                Operation::Activation(Activation::Relu) => number == 0 && !is_last,
                Operation::MaxPool(kernel) => number == relu && Kernel::is_square(kernel),
                _ => false,
            };
            if stages.len() < relu {
                return refuse("has no ReLU");
            }
            if let Some((_, stage)) = stages.iter().enumerate().find(|stage| !is_plain(*stage)) {
                return Some((&stage.name, "is not the ReLU or the square max-pool of a chain"));
            }
            before = map;
        }
        (self.results != [self.whole(before)]).then_some((last.name.as_str(), "is not the only result"))
    }

    fn whole(&self, map: MapId) -> Part {
        Part { map, channels: 0..self.maps[map].shape.channels }
    }
}

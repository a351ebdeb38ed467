//! Forward pass over a network, around the arithmetic of its layers and merges: [`Model`](crate::Model) and
//! [`mod@crate::reference`] share it, so that both differ in that arithmetic only.

use index::{IndexVec, size};
use ndarray::{Array1, Array2, Array3, ArrayView3, Axis};
use network::{LayerId, LayerPlan, MapId, Network, Node, Operation, Part, Plan, Shape, Stage};

use crate::error::{Error, check_finite, check_layers, check_shape};
use crate::stages::{Stages, Values, assemble, computed, fill, stored, stored_after};
use crate::weights::{StageWeights, slice};

/// Arithmetic of crossbar layers and merges.
pub(crate) trait Arithmetic {
    /// Returns the values of layer `id` (channels x height x width), before its stages.
    fn layer(&mut self, id: LayerId, input: ArrayView3<f32>) -> Result<Array3<f32>, Error>;

    /// Returns the operand of `stage` as the tiles of layer `id` add it.
    fn operand(&mut self, id: LayerId, stage: &Stage, operand: Array3<f32>) -> Result<Array3<f32>, Error>;
}

/// Checks an image (channels x height x width) and a plan against a network.
pub(crate) fn check_inputs(network: &Network, plan: &Plan, image: ArrayView3<f32>) -> Result<(), Error> {
    check_layers("layer plans", plan.layers.len(), network)?;
    let Shape { height, width, channels } = network.input;
    let expected = [channels, height, width].map(size);
    check_shape("the image", image.shape(), &expected)?;
    check_finite("the image", image)
}

/// Returns the values of a layer, whose products are given by window and output: with the bias, and zero where a window
/// is cropped, whatever its products and the bias.
pub(crate) fn layer_values(
    network: &Network,
    (id, plan): (LayerId, &LayerPlan),
    bias: &Array1<f32>,
    threads: usize,
    product: impl Fn(usize, usize) -> f32 + Sync,
) -> Array3<f32> {
    let computed = computed(network, id, plan);
    let computed = computed.as_slice().expect("masks are contiguous");
    fill(threads, network.layers[id].output, |channel, window| {
        if computed[window] { product(window, channel) + bias[channel] } else { 0.0 }
    })
}

/// Computes an image that was checked, and returns the values of the results.
pub(crate) fn run(
    network: &Network,
    plan: &Plan,
    weights: &StageWeights,
    image: ArrayView3<f32>,
    threads: usize,
    arithmetic: &mut impl Arithmetic,
) -> Result<Vec<f32>, Error> {
    let mut pass = Pass {
        network,
        stages: Stages { weights, threads },
        stored: stored(network, plan),
        maps: IndexVec::filled(None, network.maps.len()),
        arithmetic,
    };
    let stored = Array2::from_elem((image.dim().1, image.dim().2), true);
    pass.finish_all(Node::Host, Values { values: image.to_owned(), stored })?;
    let last_readers = last_readers(network);
    for (id, layer) in network.layers.enumerate() {
        let mut compute = || {
            let input = pass.gather(&network.reads[id]);
            let values = pass.arithmetic.layer(id, input.view())?;
            let stored = computed(network, id, &plan.layers[id]);
            pass.finish_all(id.into(), Values { values, stored })
        };
        compute().map_err(|error| error.in_layer(&layer.name))?;
        for (map, _) in last_readers.enumerate().filter(|(_, last)| **last == Some(id)) {
            pass.maps[map] = None;
        }
    }
    Ok(network.results.iter().flat_map(|part| pass.gather(std::slice::from_ref(part))).collect())
}

/// The last layer that reads or merges each map; `None` for results, which stay.
fn last_readers(network: &Network) -> IndexVec<MapId, Option<LayerId>> {
    let mut last: IndexVec<MapId, Option<LayerId>> = IndexVec::filled(None, network.maps.len());
    for id in network.layers.indices() {
        let merged = network.maps_of(id).flat_map(|(_, map)| map.operands().flat_map(|(_, parts)| parts));
        network.reads[id].iter().chain(merged).for_each(|part| last[part.map] = Some(id));
    }
    network.results.iter().for_each(|part| last[part.map] = None);
    last
}

/// A forward pass under way.
struct Pass<'a, A> {
    network: &'a Network,
    stages: Stages<'a>,
    /// Stored positions of each map.
    stored: IndexVec<MapId, Array2<bool>>,
    /// Maps that are finished and will be read.
    maps: IndexVec<MapId, Option<Array3<f32>>>,
    arithmetic: &'a mut A,
}

impl<A: Arithmetic> Pass<'_, A> {
    fn gather(&self, parts: &[Part]) -> Array3<f32> {
        assemble(parts, |map| self.maps[map].as_ref().expect("maps are finished before they are read").view())
    }

    /// Finishes all maps of `node` from its values.
    fn finish_all(&mut self, node: Node, values: Values) -> Result<(), Error> {
        let maps = self.network.maps_of(node).map(|(map, _)| map).collect();
        self.finish(node, maps, 0, values)
    }

    /// Finishes `maps` of `node`, which have the first `depth` stages in common, from the values after these. Stages in
    /// common are done once.
    fn finish(&mut self, node: Node, maps: Vec<MapId>, depth: usize, values: Values) -> Result<(), Error> {
        let network = self.network;
        let mut rest = maps;
        let mut values = Some(values);
        while let Some(&first) = rest.first() {
            let key = |map: &MapId| {
                let map = &network.maps[*map];
                (&map.channels, map.stages.get(depth))
            };
            let (same, others): (Vec<MapId>, Vec<MapId>) = rest.into_iter().partition(|map| key(map) == key(&first));
            rest = others;
            let mut before = if rest.is_empty() { values.take() } else { values.clone() }.expect("taken at last");
            let (channels, stage) = key(&first);
            if depth == 0 && size(channels.end - channels.start) < before.values.dim().0 {
                before.values = before.values.slice_axis(Axis(0), slice(channels)).to_owned();
            }
            match stage {
                None => same.into_iter().for_each(|map| self.maps[map] = Some(before.values.clone())),
                Some(stage) => {
                    let after = self.apply(node, stage, before)?;
                    self.finish(node, same, depth + 1, after)?;
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, node: Node, stage: &Stage, before: Values) -> Result<Values, Error> {
        let stored = stored_after(&stage.operation, before.stored.clone(), &self.stored);
        let values = match &stage.operation {
            Operation::Add(parts) => {
                let layer = node.layer().expect("only tiles of layers merge");
                let operand = self.arithmetic.operand(layer, stage, self.gather(parts))?;
                before.values + operand
            }
            _ => self.stages.apply(stage, before),
        };
        Ok(Values { values, stored })
    }
}

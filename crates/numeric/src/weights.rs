//! Values that come with a network: weights of its layers, and factors, offsets and slopes of its stages.

use std::collections::BTreeMap;
use std::ops::Range;

use index::size;
use ndarray::{Array1, ArrayD, ArrayView1, Axis, CowArray, Ix2, Slice};
use network::{Activation, Layer, Network, Operation};

use crate::error::{Error, check_finite, check_layers, check_shape};

/// Values that a network computes with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// One for each layer.
    pub layers: Vec<LayerWeights>,
    /// Values of stages.
    pub stages: StageWeights,
}

/// Weights of a network without values of stages.
impl From<Vec<LayerWeights>> for Weights {
    fn from(layers: Vec<LayerWeights>) -> Self {
        Self { layers, stages: StageWeights::default() }
    }
}

/// A layer's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// As torch has them: outputs x input channels of a group x kernel height x kernel width, or outputs x inputs,
    /// where an input's index is (channel * height + y) * width + x.
    pub weights: ArrayD<f32>,
    /// One for each output.
    pub bias: Array1<f32>,
}

/// Values of stages, by the name of the network's node: one for each channel of the node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageWeights {
    /// Factors of affine nodes.
    pub factors: BTreeMap<String, Array1<f32>>,
    /// Offsets of affine nodes.
    pub offsets: BTreeMap<String, Array1<f32>>,
    /// Slopes of nodes with a `PRelu`.
    pub slopes: BTreeMap<String, Array1<f32>>,
}

impl LayerWeights {
    /// Checks both tensors against `layer` and returns the weights as a matrix of outputs x rows.
    pub(crate) fn matrix(&self, layer: &Layer) -> Result<CowArray<'_, f32, Ix2>, Error> {
        let inputs = layer.input.channels / layer.groups;
        let tensor = [layer.output.channels, inputs, layer.kernel.size.y, layer.kernel.size.x];
        let tensor = tensor.map(size);
        let (outputs, rows) = (tensor[0], size(layer.rows()));
        if self.weights.shape() != [outputs, rows] {
            check_shape("the weight tensor", self.weights.shape(), &tensor)?;
        }
        check_shape("the bias tensor", self.bias.shape(), &[outputs])?;
        check_finite("the weight tensor", &self.weights)?;
        check_finite("the bias tensor", &self.bias)?;
        let matrix = self.weights.to_shape((outputs, rows));
        Ok(matrix.expect("the shapes have as many elements"))
    }
}

impl Weights {
    /// Checks all values against `network` and returns the weights of each layer as a matrix of outputs x rows.
    pub(crate) fn matrices(&self, network: &Network) -> Result<Vec<CowArray<'_, f32, Ix2>>, Error> {
        check_layers("pairs of weights and biases", self.layers.len(), network)?;
        self.stages.check(network)?;
        let layers = network.layers.iter().zip(&self.layers);
        layers.map(|(layer, weights)| weights.matrix(layer).map_err(|e| e.in_layer(&layer.name))).collect()
    }
}

impl StageWeights {
    /// Checks that each stage of `network` has its values.
    fn check(&self, network: &Network) -> Result<(), Error> {
        for stage in network.maps.iter().flat_map(|map| &map.stages) {
            let (needed, channels) = match &stage.operation {
                Operation::Affine(range) => {
                    (vec![("the factor tensor", &self.factors), ("the offset tensor", &self.offsets)], range)
                }
                Operation::Activation(Activation::PRelu(range)) => (vec![("the slope tensor", &self.slopes)], range),
                _ => continue,
            };
            for (what, values) in needed {
                let length = values.get(&stage.name).map_or(0, Array1::len);
                let values = values.get(&stage.name).into_iter().flatten();
                let check = || {
                    if length < size(channels.end) {
                        check_shape(what, &[length], &[size(channels.end)])?;
                    }
                    check_finite(what, values)
                };
                check().map_err(|error| error.in_node(&stage.name))?;
            }
        }
        Ok(())
    }
}

/// Returns these channels of a stage's values, which have been checked.
pub(crate) fn of_stage<'a>(
    values: &'a BTreeMap<String, Array1<f32>>,
    stage: &str,
    channels: &Range<u32>,
) -> ArrayView1<'a, f32> {
    values[stage].slice_axis(Axis(0), slice(channels))
}

/// A range of channels as a slice of an axis.
pub(crate) fn slice(channels: &Range<u32>) -> Slice {
    Slice::from(size(channels.start)..size(channels.end))
}

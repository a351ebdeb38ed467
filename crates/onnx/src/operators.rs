//! The table of operators: the meaning of each.

use std::sync::Arc;

use network::Activation;

use crate::draft::Parameters;
use crate::format::Node;
use crate::forms::cast;
use crate::reader::{Map, Reader, Result, Value, refuse};
use crate::tensor::Tensor;

/// Values that a node reads; `None` where an optional one is left out.
pub(crate) type Inputs<'i> = &'i [Option<Value>];

impl Reader<'_> {
    /// Returns the values that `node` gives.
    pub(crate) fn operate(&mut self, node: &Node, inputs: Inputs) -> Result<Vec<Value>> {
        let host = inputs.iter().flatten().find_map(|value| match value {
            Value::Host(origin) => Some(*origin),
            _ => None,
        });
        if let Some(origin) = host {
            return match node.operator.as_str() {
                "Softmax" | "LogSoftmax" | "ArgMax" | "Identity" | "Cast" | "Dropout" | "Reshape" | "Flatten"
                | "Squeeze" | "Unsqueeze" | "Transpose" => Ok(self.host(node, origin)),
                _ => refuse("reads what the host computes, behind the network", "end the network before it"),
            };
        }
        let one = |value: Value| Ok(vec![value]);
        match node.operator.as_str() {
            "Conv" => one(self.convolution(node, inputs)?),
            "Gemm" => one(self.gemm(node, inputs)?),
            "MatMul" => one(self.matrix_product(node, inputs)?),
            "BatchNormalization" => one(self.batch_normalization(node, inputs)?),
            "Add" | "Sub" | "Mul" | "Div" => one(self.binary(node, inputs)?),
            "Sum" => one(self.sum(node, inputs)?),
            "MaxPool" | "AveragePool" => one(self.pool(node, inputs)?),
            "GlobalAveragePool" | "GlobalMaxPool" => one(self.global_pool(node, map(inputs, 0)?)?),
            "ReduceMean" => one(self.reduce_mean(node, inputs)?),
            "Concat" => one(self.concat(node, inputs)?),
            "Split" => self.split(node, inputs),
            "Slice" => one(self.slice(node, inputs)?),
            "Gather" => one(self.gather(node, inputs)?),
            "Reshape" => one(self.reshape(inputs)?),
            "Flatten" => one(self.flatten(node, inputs)?),
            "Squeeze" | "Unsqueeze" => one(self.squeeze(node, inputs)?),
            "Transpose" => one(self.transpose(node, inputs)?),
            "Pad" => one(self.pad(node, inputs)?),
            "Identity" | "Dropout" => one(value(inputs, 0)?.clone()),
            "Cast" => one(cast(node, inputs)?),
            "Constant" => one(constant_node(node)?),
            "ConstantOfShape" => one(constant_of_shape(node, inputs)?),
            "Shape" => one(self.shape_of(node, inputs)?),
            "QuantizeLinear" => one(self.quantize(node, inputs)?),
            "DequantizeLinear" => one(self.dequantize(node, inputs)?),
            "Softmax" | "LogSoftmax" | "ArgMax" => {
                let map = map(inputs, 0)?;
                Ok(self.host(node, map.origin))
            }
            "LRN" if self.drop_lrn => {
                self.draft.dropped.push(node.name.clone());
                one(value(inputs, 0)?.clone())
            }
            "LRN" => refuse(
                "normalises each value by its neighbours' channels, which no tile computes",
                "import without it by --drop lrn: this changes the values",
            ),
            "Relu" | "Clip" | "LeakyRelu" | "PRelu" | "Sigmoid" | "Tanh" | "HardSigmoid" | "HardSwish" => {
                one(self.activation(node, inputs)?)
            }
            _ => refuse(reason(&node.operator), remedy(&node.operator)),
        }
    }

    /// Leaves `node`, which reads `origin`, to the host.
    fn host(&mut self, node: &Node, origin: network::Origin) -> Vec<Value> {
        self.draft.host.push(node.name.clone());
        vec![Value::Host(origin)]
    }

    fn activation(&mut self, node: &Node, inputs: Inputs) -> Result<Value> {
        let map = map(inputs, 0)?;
        let plain = |activation| (activation, Parameters::None);
        let (activation, parameters) = match node.operator.as_str() {
            "Relu" => plain(Activation::Relu),
            "LeakyRelu" => plain(Activation::LeakyRelu(node.float("alpha").unwrap_or(0.01))),
            "PRelu" => {
                let slopes = self.per_channel(map, &*constant(inputs, 1)?)?;
                (Activation::PRelu(0..0), Parameters::Slopes(slopes))
            }
            "Sigmoid" => plain(Activation::Sigmoid),
            "Tanh" => plain(Activation::Tanh),
            "HardSwish" => plain(Activation::HardSwish),
            "HardSigmoid" => {
                let slope = node.float("alpha").unwrap_or(0.2);
                plain(Activation::HardSigmoid { slope, offset: node.float("beta").unwrap_or(0.5) })
            }
            "Clip" => {
                let bound = |place: usize, attribute: &str| -> Result<Option<f32>> {
                    match inputs.get(place) {
                        Some(Some(_)) => {
                            let bound = constant(inputs, place)?.scalar();
                            let Some(bound) = bound else { return refuse("has bounds that are not known", KNOWN) };
                            Ok(Some(crate::format::narrowed(bound)))
                        }
                        _ => Ok(node.float(attribute)),
                    }
                };
                let finite = |bound: Option<f32>| bound.filter(|bound| bound.abs() < f32::MAX);
                match (finite(bound(1, "min")?), finite(bound(2, "max")?)) {
                    (None, None) => return Ok(Value::Map(map)),
                    (Some(0.0), None) => plain(Activation::Relu),
                    (low, high) => {
                        let (low, high) = (low.unwrap_or(f32::MIN), high.unwrap_or(f32::MAX));
                        if low > high {
                            return refuse("clips to an empty range", "correct its bounds");
                        }
                        plain(Activation::Clip { low, high })
                    }
                }
            }
            operator => unreachable!("{operator} is not an activation"),
        };
        Ok(self.activate(node, map, activation, parameters))
    }
}

/// Remedy where a number must be known when the model is read.
pub(crate) const KNOWN: &str = "export the model with constant folding, so that it is a constant";

pub(crate) fn value(inputs: Inputs<'_>, place: usize) -> Result<&Value> {
    match inputs.get(place) {
        Some(Some(value)) => Ok(value),
        _ => refuse("lacks an input", "export the model again"),
    }
}

/// Returns the map that a node reads.
pub(crate) fn map(inputs: Inputs, place: usize) -> Result<Map> {
    let map = padded_map(inputs, place)?;
    if map.padding != network::Sides::default() {
        return refuse("reads a map that a pad node has enlarged", "only a convolution may; remove the pad node");
    }
    Ok(map)
}

/// Returns the map that a node reads, which a pad node may have enlarged.
pub(crate) fn padded_map(inputs: Inputs, place: usize) -> Result<Map> {
    match value(inputs, place)? {
        Value::Map(map) => Ok(*map),
        _ => refuse("computes on constants what is known for maps only", KNOWN),
    }
}

pub(crate) fn constant(inputs: Inputs, place: usize) -> Result<Arc<Tensor>> {
    match value(inputs, place)? {
        Value::Constant(tensor) => Ok(tensor.clone()),
        _ => refuse("takes something that it computes where a constant is needed", KNOWN),
    }
}

/// Returns the whole numbers of a constant input.
pub(crate) fn integers(inputs: Inputs, place: usize) -> Result<Vec<i64>> {
    let tensor = constant(inputs, place)?;
    match tensor.as_integers() {
        Some(integers) => Ok(integers),
        None => refuse(format!("needs the numbers of {}, which are not known", tensor.name), KNOWN),
    }
}

fn constant_node(node: &Node) -> Result<Value> {
    let names = ["value", "value_float", "value_floats", "value_int", "value_ints"];
    match names.iter().find_map(|name| node.tensor(name)) {
        Some(tensor) => Ok(Value::Constant(tensor)),
        None => refuse("holds a constant that is neither numbers nor known", "export the model with plain constants"),
    }
}

fn constant_of_shape(node: &Node, inputs: Inputs) -> Result<Value> {
    let dims = integers(inputs, 0)?;
    let dims: Option<Vec<usize>> = dims.into_iter().map(|dim| usize::try_from(dim).ok()).collect();
    let Some(dims) = dims.filter(|dims| Tensor::count(dims).is_some()) else {
        return refuse("asks for a constant of impossible size", "correct the model");
    };
    let fill = node.tensor("value");
    let fill = fill.as_ref().map_or(Some(0.0), |tensor| tensor.scalar());
    let Some(fill) = fill else { return refuse("fills a constant with more than one number", "correct the model") };
    let values = crate::tensor::Values::Fill(crate::format::narrowed(fill));
    Ok(Value::Constant(Arc::new(Tensor { name: node.name.clone(), dims, values, limits: None })))
}

/// Returns the reason why an operator is not known.
fn reason(operator: &str) -> &'static str {
    match operator {
        "LayerNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LpNormalization"
        | "MeanVarianceNormalization" => "normalises by statistics of the values themselves, which no tile computes",
        "Resize" | "Upsample" | "ConvTranspose" | "DepthToSpace" | "GridSample" => "enlarges a map, which no tile does",
        "RNN" | "LSTM" | "GRU" => "is recurrent",
        "If" | "Loop" | "Scan" => "decides at run time what is computed",
        "QLinearConv" | "QLinearMatMul" | "ConvInteger" | "MatMulInteger" | "QLinearAdd" => {
            "is quantised for another machine"
        }
        _ => "is not known",
    }
}

fn remedy(operator: &str) -> &'static str {
    match operator {
        "QLinearConv" | "QLinearMatMul" | "ConvInteger" | "MatMulInteger" | "QLinearAdd" => {
            "quantise with pairs of QuantizeLinear and DequantizeLinear, or give the model in floating point"
        }
        "NonMaxSuppression" | "TopK" => "cut the model before it",
        _ => "the machine runs convolutions, fully connected layers, sums, pools and functions of one value",
    }
}

//! Reading a model: each of its nodes, in order, gives values that are constants or maps.
//!
//! A map is a node of the draft, and the form in which the model sees its values: channels before or behind rows and
//! columns, flattened, or cut into groups. Operators that only change the form add nothing to the draft. A node that is
//! refused gives values of which nothing is known; its readers are not looked at, so that each fault is said once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use network::{Activation, Kernel, Operator, Origin, Shape, Sides};

use crate::draft::{Draft, DraftNode, Parameters};
use crate::format::{Model, Node};
use crate::tensor::Tensor;

/// Meaning of a value in the model.
#[derive(Clone)]
pub(crate) enum Value {
    Constant(Arc<Tensor>),
    Map(Map),
    /// Result that the host computes from this map, behind the last crossbar node.
    Host(Origin),
    /// Result of a node that is refused.
    Unknown,
}

/// Values of a node of the draft, as the model sees them.
#[derive(Clone, Copy)]
pub(crate) struct Map {
    pub(crate) origin: Origin,
    pub(crate) form: Form,
    /// Zeros that a pad node has put around it, for the convolution that reads it.
    pub(crate) padding: Sides,
}

/// Order of a map's axes in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 1 x C x H x W.
    Channels,
    /// 1 x H x W x C.
    ChannelsLast,
    /// 1 x C H W.
    Flat,
    /// 1 x H W C.
    FlatChannelsLast,
    /// 1 x H x W, of one channel.
    Plane,
    /// 1 x groups x C / groups x H x W.
    Groups(u32),
    /// 1 x C / groups x groups x H x W.
    Shuffled(u32),
}

/// Reason why a node is refused, and a remedy.
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

pub(crate) type Result<T> = std::result::Result<T, Refusal>;

pub(crate) fn refuse<T>(reason: impl Into<String>, remedy: impl Into<String>) -> Result<T> {
    Err(Refusal { reason: reason.into(), remedy: remedy.into() })
}

/// A node that is refused.
pub(crate) struct Refused {
    pub(crate) node: String,
    pub(crate) operator: String,
    /// Values that it reads, as in `a, b`.
    pub(crate) reads: String,
    pub(crate) refusal: Refusal,
}

/// A model in the course of reading.
pub(crate) struct Reader<'a> {
    pub(crate) drop_lrn: bool,
    values: BTreeMap<&'a str, Value>,
    pub(crate) draft: Draft,
    names: BTreeSet<String>,
    pub(crate) refused: Vec<Refused>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(model: &'a Model, image: &'a str, map: Map, input: Shape, drop_lrn: bool) -> Self {
        let mut values: BTreeMap<&str, Value> = BTreeMap::new();
        for (name, tensor) in &model.constants {
            values.insert(name, Value::Constant(tensor.clone()));
        }
        values.insert(image, Value::Map(map));
        Self {
            drop_lrn,
            values,
            draft: Draft {
                input,
                nodes: Vec::new(),
                results: Vec::new(),
                folded: BTreeMap::new(),
                host: Vec::new(),
                dropped: Vec::new(),
                constants: BTreeMap::new(),
                missing: BTreeSet::new(),
                ranges: BTreeMap::new(),
            },
            names: BTreeSet::from(["input".to_owned()]),
            refused: Vec::new(),
        }
    }

    /// Reads all nodes of `model`, and then its outputs.
    pub(crate) fn read(&mut self, model: &'a Model) {
        for node in &model.nodes {
            let values = self.node(node).unwrap_or_else(|refusal| {
                let (node_name, operator) = (node.name.clone(), node.operator.clone());
                self.refused.push(Refused { node: node_name, operator, reads: node.inputs.join(", "), refusal });
                Vec::new()
            });
            let values = values.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            for (name, value) in node.outputs.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
                self.values.insert(name, value.unwrap_or(Value::Unknown));
            }
        }
        for output in &model.outputs {
            let refusal = match self.values.get(output.as_str()) {
                Some(Value::Map(Map { origin, .. }) | Value::Host(origin)) => {
                    if !self.draft.results.contains(origin) {
                        self.draft.results.push(*origin);
                    }
                    continue;
                }
                Some(Value::Unknown) => continue,
                Some(Value::Constant(_)) => {
                    Refusal { reason: "is a constant".into(), remedy: "remove this output".into() }
                }
                None => Refusal { reason: "is computed by no node".into(), remedy: "export the model again".into() },
            };
            let (node, operator) = (output.clone(), "output".to_owned());
            self.refused.push(Refused { node, operator, reads: String::new(), refusal });
        }
    }

    /// Returns the values that `node` gives, which may be fewer than it names.
    fn node(&mut self, node: &Node) -> Result<Vec<Value>> {
        if !node.domain.is_empty() {
            return refuse(
                format!("is an operator of {}, which is not ONNX's own", node.domain),
                "export the model with operators of ONNX only",
            );
        }
        let mut inputs = Vec::new();
        for name in &node.inputs {
            inputs.push(match self.values.get(name.as_str()) {
                _ if name.is_empty() => None,
                Some(Value::Unknown) => return Ok(Vec::new()),
                Some(value) => Some(value.clone()),
                None => {
                    return refuse(
                        format!("reads {name}, which no earlier node computes"),
                        "export the model again, with its nodes in order",
                    );
                }
            });
        }
        self.operate(node, &inputs)
    }

    pub(crate) fn shape(&self, origin: Origin) -> Shape {
        match origin {
            Origin::Image => self.draft.input,
            Origin::Node(node) => self.draft.nodes[node].shape,
        }
    }

    /// Returns the sizes of `map` as the model sees them.
    pub(crate) fn dims(&self, map: Map) -> Vec<usize> {
        let Shape { height, width, channels } = self.shape(map.origin);
        let (rows, columns) =
            (height + map.padding.top + map.padding.bottom, width + map.padding.left + map.padding.right);
        let dims = match map.form {
            Form::Channels => vec![1, channels, rows, columns],
            Form::ChannelsLast => vec![1, rows, columns, channels],
            Form::Flat | Form::FlatChannelsLast => {
                return vec![1, index::size(channels) * index::size(rows) * index::size(columns)];
            }
            Form::Plane => vec![1, rows, columns],
            Form::Groups(groups) => vec![1, groups, channels / groups, rows, columns],
            Form::Shuffled(groups) => vec![1, channels / groups, groups, rows, columns],
        };
        dims.into_iter().map(index::size).collect()
    }

    /// Adds a node to the draft and returns its values.
    pub(crate) fn add(
        &mut self,
        node: &Node,
        inputs: Vec<Origin>,
        operator: Operator,
        shape: Shape,
        parameters: Parameters,
    ) -> Origin {
        let weights = match &parameters {
            Parameters::Weights(weights) => Some(weights.tensor.name.as_str()),
            _ => None,
        };
        let name = self.unique(crate::names::of(&node.name, &node.operator, weights));
        let model_name = node.name.clone();
        let activation = None;
        self.draft.nodes.push(DraftNode { model_name, name, inputs, operator, activation, shape, parameters });
        Origin::Node(self.draft.nodes.len() - 1)
    }

    /// Adds a node without numbers that no single node of the model stands for.
    pub(crate) fn add_named(&mut self, name: String, inputs: Vec<Origin>, operator: Operator, shape: Shape) -> Origin {
        let name = self.unique(name);
        let (model_name, activation, parameters) = (name.clone(), None, Parameters::None);
        self.draft.nodes.push(DraftNode { model_name, name, inputs, operator, activation, shape, parameters });
        Origin::Node(self.draft.nodes.len() - 1)
    }

    /// Adds an activation of `map`, which keeps its form.
    pub(crate) fn activate(&mut self, node: &Node, map: Map, activation: Activation, parameters: Parameters) -> Value {
        let shape = self.shape(map.origin);
        let origin = self.add(node, vec![map.origin], Operator::Activation, shape, parameters);
        self.draft.nodes.last_mut().expect("a node has just been added").activation = Some(activation);
        Value::Map(Map { origin, ..map })
    }

    fn unique(&mut self, name: String) -> String {
        let mut unique = name.clone();
        let mut number = 2;
        while !self.names.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        unique
    }

    /// Notes that the numbers of a constant become part of the network.
    pub(crate) fn note(&mut self, tensor: &Tensor) {
        self.draft.constants.insert(tensor.name.clone(), index::count(tensor.len()));
        if tensor.is_missing() {
            self.draft.missing.insert(tensor.name.clone());
        }
    }
}

impl Map {
    pub(crate) fn new(origin: Origin, form: Form) -> Self {
        Self { origin, form, padding: Sides::default() }
    }
}

/// Returns the map of windows of `kernel` over `map`, or refuses what the machine has no numbers for.
pub(crate) fn windows(kernel: &Kernel, map: Shape, channels: u32) -> Result<Shape> {
    let Some((height, width)) = kernel.windows(map) else {
        let Shape { height, width, .. } = map;
        return refuse(
            format!("has a kernel of {} on a map of {height} x {width}", kernel.size),
            "give a larger image with --input-size, or correct the model",
        );
    };
    if height > 16_384 || width > 16_384 || channels > 65_536 {
        return refuse(format!("has a map of {height} x {width} x {channels}"), "16384 x 16384 x 65536 is the largest");
    }
    Ok(Shape { height, width, channels })
}

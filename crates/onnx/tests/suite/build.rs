//! Small models, written and imported.

use std::path::Path;

use document::Faults;
use onnx::{Import, Named, Options};
use onnx_rs::ast::{
    Attribute, AttributeType, Dimension, Graph, Model, Node, OpType, OperatorSetId, TensorProto, TensorShape,
    TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};

/// A model in the making; its image is `x`, its result the last node's.
pub(crate) struct Build<'a> {
    graph: Graph<'a>,
}

pub(crate) fn ints<'a>(name: &'a str, ints: &[i64]) -> Attribute<'a> {
    Attribute { name, r#type: AttributeType::Ints, ints: ints.to_vec(), ..Default::default() }
}

pub(crate) fn int(name: &str, i: i64) -> Attribute<'_> {
    Attribute { name, r#type: AttributeType::Int, i, ..Default::default() }
}

pub(crate) fn float(name: &str, f: f32) -> Attribute<'_> {
    Attribute { name, r#type: AttributeType::Float, f, ..Default::default() }
}

pub(crate) fn text<'a>(name: &'a str, text: &'a str) -> Attribute<'a> {
    Attribute { name, r#type: AttributeType::String, s: text.as_bytes(), ..Default::default() }
}

impl<'a> Build<'a> {
    pub(crate) fn new(dims: &[i64]) -> Self {
        let dim = |&dim: &i64| TensorShapeDimension { value: Dimension::Value(dim), denotation: "" };
        let shape = Some(TensorShape { dim: dims.iter().map(dim).collect() });
        let tensor = TensorTypeProto { elem_type: onnx_rs::ast::DataType::Float, shape };
        let kind = TypeProto { value: Some(TypeValue::Tensor(tensor)), denotation: "" };
        let input = vec![ValueInfo { name: "x", r#type: Some(kind), ..Default::default() }];
        Self { graph: Graph { name: "g", input, ..Default::default() } }
    }

    pub(crate) fn constant(mut self, name: &'a str, dims: &[i64], values: &[f32]) -> Self {
        self.graph.initializer.push(TensorProto::from_f32(name, dims.to_vec(), values.to_vec()));
        self
    }

    pub(crate) fn whole(mut self, name: &'a str, values: &[i64]) -> Self {
        let dims = vec![i64::try_from(values.len()).unwrap()];
        self.graph.initializer.push(TensorProto::from_i64(name, dims, values.to_vec()));
        self
    }

    pub(crate) fn tensor(mut self, tensor: TensorProto<'a>) -> Self {
        self.graph.initializer.push(tensor);
        self
    }

    /// Adds the node `operator`, named as its output.
    pub(crate) fn node(
        mut self,
        operator: &'a str,
        inputs: &[&'a str],
        output: &'a str,
        attribute: Vec<Attribute<'a>>,
    ) -> Self {
        let op_type = OpType::from(operator);
        self.graph.node.push(Node {
            name: output,
            op_type,
            input: inputs.to_vec(),
            output: vec![output],
            attribute,
            ..Default::default()
        });
        self
    }

    pub(crate) fn bytes(mut self) -> Vec<u8> {
        let last = self.graph.node.last().expect("there is a node").output[0];
        self.graph.output.push(ValueInfo { name: last, ..Default::default() });
        let opset_import = vec![OperatorSetId { domain: "", version: 17 }];
        onnx_rs::encode(&Model { ir_version: 8, opset_import, graph: Some(self.graph), ..Default::default() })
    }

    pub(crate) fn import_with(self, options: &Options) -> Result<Import, Faults> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, self.bytes()).unwrap();
        onnx::import(&path, options)
    }

    pub(crate) fn import(self) -> Import {
        self.import_with(&Options::default()).unwrap_or_else(|faults| panic!("{faults}"))
    }

    pub(crate) fn refused(self) -> String {
        match self.import_with(&Options::default()).and_then(|import| import.lower().map(|_| ())) {
            Ok(()) => panic!("the model is refused"),
            Err(faults) => faults.to_string(),
        }
    }
}

/// Imports a graph exported from torch, whose weights are not there.
pub(crate) fn exported(name: &str) -> Result<Import, Faults> {
    onnx::import(&Path::new("tests/graphs").join(format!("{name}.onnx")), &Options::default())
}

/// Numbers of the weights of this name.
pub(crate) fn weights(import: &Import, name: &str) -> Vec<f32> {
    let found = import.weights().unwrap().into_iter().find(|tensor: &Named| tensor.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).values
}

/// Kinds of the nodes, in order.
pub(crate) fn kinds(import: &Import) -> Vec<&'static str> {
    import.list.nodes.iter().map(|node| node.operator.kind()).collect()
}

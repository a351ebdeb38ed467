//! The ONNX file format: from the bytes of a file to a [`Model`] of our own. No other module names the parser's crate.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use document::{Fault, Faults};
use onnx_rs::ast::{self, AttributeType, DataLocation, DataType, Dimension, TypeValue};

use crate::tensor::{Tensor, Values};

/// A model, as far as networks need it.
pub(crate) struct Model {
    /// Nodes in the order of the file.
    pub(crate) nodes: Vec<Node>,
    /// Constants by name.
    pub(crate) constants: BTreeMap<String, Arc<Tensor>>,
    /// Inputs that are not constants.
    pub(crate) inputs: Vec<Input>,
    /// Names of the outputs.
    pub(crate) outputs: Vec<String>,
}

/// An input of a model.
pub(crate) struct Input {
    pub(crate) name: String,
    /// Sizes; `None` where the file gives a name for one that is known at run time only.
    pub(crate) dims: Vec<Option<u64>>,
}

/// An operation.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) operator: String,
    /// Set of operators that it is from; empty for ONNX's own.
    pub(crate) domain: String,
    /// Names of what it reads; empty where an optional input is left out.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    attributes: BTreeMap<String, Attribute>,
}

enum Attribute {
    Float(f32),
    Floats(Vec<f32>),
    Int(i64),
    Ints(Vec<i64>),
    Text(String),
    Tensor(Arc<Tensor>),
    /// A graph, or something else that no operator of ours takes.
    Other,
}

impl Node {
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name)? {
            Attribute::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name)? {
            Attribute::Ints(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn float(&self, name: &str) -> Option<f32> {
        match self.attributes.get(name)? {
            Attribute::Float(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name)? {
            Attribute::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the constant that the attribute `name` holds, in whatever form.
    pub(crate) fn tensor(&self, name: &str) -> Option<Arc<Tensor>> {
        let list = |values: Values, length: Option<usize>| {
            Arc::new(Tensor { name: self.name.clone(), dims: length.into_iter().collect(), values, limits: None })
        };
        match self.attributes.get(name)? {
            Attribute::Tensor(tensor) => Some(tensor.clone()),
            Attribute::Float(value) => Some(list(Values::Floats(vec![*value]), None)),
            Attribute::Floats(values) => Some(list(Values::Floats(values.clone()), Some(values.len()))),
            Attribute::Int(value) => Some(list(Values::Integers(vec![*value]), None)),
            Attribute::Ints(values) => Some(list(Values::Integers(values.clone()), Some(values.len()))),
            Attribute::Text(_) | Attribute::Other => None,
        }
    }
}

/// Reads the model in the file at `path`.
pub(crate) fn read(path: &Path) -> Result<Model, Faults> {
    let file = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| Fault::new(format!("{file} cannot be read: {error}"), "give the path of an ONNX file"))?;
    let malformed = |problem: String| {
        let remedy = "export it again, or check it with onnx.checker.check_model";
        Faults::from(Fault::new(format!("{file} is not a sound ONNX file: {problem}"), remedy))
    };
    let model = onnx_rs::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
    let graph = model.graph.as_ref().ok_or_else(|| malformed("it has no graph".to_owned()))?;
    let is_own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = model.opset_import.iter().find(|set| is_own(set.domain)).map_or(0, |set| set.version);
    if !(7..=23).contains(&opset) {
        let remedy = "export it with opset 13 to 23; versions 7 to 23 are known";
        return Err(Fault::new(format!("{file} has operators of version {opset}"), remedy).into());
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(malformed("it has sparse tensors, which are not known here".to_owned()));
    }
    let data = External { folder: path.parent().unwrap_or(Path::new("")).to_owned() };
    let tensor = |tensor: &ast::TensorProto| data.tensor(tensor).map_err(&malformed);
    let mut constants = BTreeMap::new();
    for initializer in &graph.initializer {
        constants.insert(initializer.name().to_owned(), Arc::new(tensor(initializer)?));
    }
    let mut nodes = Vec::new();
    for node in &graph.node {
        let mut attributes = BTreeMap::new();
        for attribute in &node.attribute {
            attributes.insert(attribute.name.to_owned(), read_attribute(attribute, tensor)?);
        }
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let outputs = owned(&node.output);
        let name =
            if node.name.is_empty() { outputs.first().cloned().unwrap_or_default() } else { node.name.to_owned() };
        nodes.push(Node {
            name,
            operator: node.op_type.as_str().to_owned(),
            domain: if is_own(node.domain) { String::new() } else { node.domain.to_owned() },
            inputs: owned(&node.input),
            outputs,
            attributes,
        });
    }
    let inputs = graph.input.iter().filter(|input| !constants.contains_key(input.name)).map(|input| {
        let shape = match input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
            Some(TypeValue::Tensor(tensor)) => tensor.shape.as_ref(),
            _ => None,
        };
        let dims = shape.map(|shape| shape.dim.as_slice()).unwrap_or_default();
        let dims = dims.iter().map(|dim| match dim.value {
            Dimension::Value(value) => u64::try_from(value).ok().filter(|value| *value > 0),
            Dimension::Param(_) => None,
        });
        Input { name: input.name.to_owned(), dims: dims.collect() }
    });
    let inputs = inputs.collect();
    let outputs = graph.output.iter().map(|output| output.name.to_owned()).collect();
    Ok(Model { nodes, constants, inputs, outputs })
}

fn read_attribute(
    attribute: &ast::Attribute,
    tensor: impl Fn(&ast::TensorProto) -> Result<Tensor, Faults>,
) -> Result<Attribute, Faults> {
    Ok(match attribute.r#type {
        AttributeType::Float => Attribute::Float(attribute.f),
        AttributeType::Int => Attribute::Int(attribute.i),
        AttributeType::String => Attribute::Text(String::from_utf8_lossy(attribute.s).into_owned()),
        AttributeType::Floats => Attribute::Floats(attribute.floats.clone()),
        AttributeType::Ints => Attribute::Ints(attribute.ints.clone()),
        AttributeType::Tensor => match &attribute.t {
            Some(value) => Attribute::Tensor(Arc::new(tensor(value)?)),
            None => Attribute::Other,
        },
        _ => Attribute::Other,
    })
}

/// Folder of a model, in which the files with its data lie.
struct External {
    folder: PathBuf,
}

impl External {
    fn tensor(&self, proto: &ast::TensorProto) -> Result<Tensor, String> {
        let name = proto.name().to_owned();
        let dims = proto.dims().iter().map(|&dim| usize::try_from(dim).ok()).collect::<Option<Vec<usize>>>();
        let elements = dims.as_deref().and_then(Tensor::count);
        let (Some(dims), Some(elements)) = (dims, elements) else {
            return Err(format!("the tensor {name} has impossible sizes"));
        };
        let values = if proto.data_location() == DataLocation::External {
            match self.external(proto)? {
                Some(bytes) => decode(proto.data_type(), &bytes),
                None => Some(Values::Missing),
            }
        } else if let Some(bytes) = proto.as_raw() {
            decode(proto.data_type(), bytes)
        } else {
            typed(proto)
        };
        match values {
            None => Err(format!("the tensor {name} has numbers of the type {:?}", proto.data_type())),
            Some(values) if values.count().is_some_and(|count| count != elements) => {
                let found = values.count().unwrap_or(0);
                Err(format!("the tensor {name} has {found} numbers where its sizes ask for {elements}"))
            }
            Some(values) => {
                let limits = match proto.data_type() {
                    DataType::Uint8 => Some((0.0, 255.0)),
                    DataType::Int8 => Some((-128.0, 127.0)),
                    _ => None,
                };
                Ok(Tensor { name, dims, values, limits })
            }
        }
    }

    /// Returns the bytes of a tensor in a file of its own; `None` if there is no such file.
    fn external(&self, proto: &ast::TensorProto) -> Result<Option<Vec<u8>>, String> {
        let value = |key: &str| proto.external_data().iter().find(|entry| entry.key == key).map(|entry| entry.value);
        let name = proto.name();
        let location = value("location").ok_or_else(|| format!("the tensor {name} lies in a file without a name"))?;
        let is_inside =
            Path::new(location).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let outside = || format!("the tensor {name} lies in {location}, outside the folder of the model");
        if !is_inside {
            return Err(outside());
        }
        let path = self.folder.join(location);
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let (Ok(real), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else { return Ok(None) };
        if !real.starts_with(folder) {
            return Err(outside());
        }
        let number = |key: &str| match value(key) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| format!("the tensor {name} has the {key} {text:?}")),
        };
        let (offset, length): (Option<u64>, Option<u64>) = (number("offset")?, number("length")?);
        read_part(&real, offset.unwrap_or(0), length).map(Some).map_err(|error| format!("{location}: {error}"))
    }
}

fn read_part(path: &Path, offset: u64, length: Option<u64>) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let available = file.metadata()?.len().saturating_sub(offset);
    let length = length.unwrap_or(available);
    if length > available {
        return Err(Error::new(
            ErrorKind::UnexpectedEof,
            format!("{length} bytes from {offset} on reach beyond its end"),
        ));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the numbers in `bytes`; `None` for a type that no operator of ours takes.
fn decode(kind: DataType, bytes: &[u8]) -> Option<Values> {
    fn each<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
        bytes.chunks_exact(N).map(|chunk| number(chunk.try_into().expect("a chunk has N bytes"))).collect()
    }
    Some(match kind {
        DataType::Float => Values::Floats(each(bytes, f32::from_le_bytes)),
        DataType::Double => Values::Floats(each(bytes, |bytes| narrowed(f64::from_le_bytes(bytes)))),
        DataType::Float16 => Values::Floats(each(bytes, |bytes| half(u16::from_le_bytes(bytes)))),
        DataType::Bfloat16 => Values::Floats(each(bytes, |bytes| brain(u16::from_le_bytes(bytes)))),
        DataType::Int64 => Values::Integers(each(bytes, i64::from_le_bytes)),
        DataType::Uint64 => {
            let clipped = |bytes| i64::try_from(u64::from_le_bytes(bytes)).unwrap_or(i64::MAX);
            Values::Integers(each(bytes, clipped))
        }
        DataType::Int32 => Values::Integers(each(bytes, |bytes| i32::from_le_bytes(bytes).into())),
        DataType::Uint32 => Values::Integers(each(bytes, |bytes| u32::from_le_bytes(bytes).into())),
        DataType::Int16 => Values::Integers(each(bytes, |bytes| i16::from_le_bytes(bytes).into())),
        DataType::Uint16 => Values::Integers(each(bytes, |bytes| u16::from_le_bytes(bytes).into())),
        DataType::Int8 => Values::Integers(each(bytes, |bytes| i8::from_le_bytes(bytes).into())),
        DataType::Uint8 | DataType::Bool => Values::Integers(each(bytes, |[byte]| byte.into())),
        _ => return None,
    })
}

/// Returns the numbers of a tensor that has them in fields of their type.
fn typed(proto: &ast::TensorProto) -> Option<Values> {
    let words = || proto.as_i32().unwrap_or_default().into_owned();
    let bits = |word: i32| u16::try_from(word).unwrap_or(0);
    Some(match proto.data_type() {
        DataType::Float => Values::Floats(proto.as_f32().unwrap_or_default().into_owned()),
        DataType::Double => {
            Values::Floats(proto.as_f64().unwrap_or_default().iter().map(|&value| narrowed(value)).collect())
        }
        DataType::Float16 => Values::Floats(words().into_iter().map(|word| half(bits(word))).collect()),
        DataType::Bfloat16 => Values::Floats(words().into_iter().map(|word| brain(bits(word))).collect()),
        DataType::Int64 => Values::Integers(proto.as_i64().unwrap_or_default().into_owned()),
        DataType::Int32 | DataType::Int16 | DataType::Uint16 | DataType::Int8 | DataType::Uint8 | DataType::Bool => {
            Values::Integers(words().into_iter().map(i64::from).collect())
        }
        DataType::Uint32 | DataType::Uint64 => {
            let values = proto.as_u64().unwrap_or_default();
            Values::Integers(values.iter().map(|&value| i64::try_from(value).unwrap_or(i64::MAX)).collect())
        }
        _ => return None,
    })
}

/// Rounds to single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
pub(crate) fn narrowed(value: f64) -> f32 {
    value as f32
}

/// Returns the number with these bits in bfloat16.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Returns the number with these bits in half precision.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_exactly() {
        let cases =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0)];
        for (bits, value) in cases {
            assert_eq!(half(bits), value);
        }
        assert_eq!(brain(0x3fc0), 1.5);
    }
}

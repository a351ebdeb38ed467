//! Keys of a network file, with the docs and limits that its schema shows.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::list::Operator;
use crate::{Axes, CropSize, Kernel, Preprocessing, Shape, Sides};

/// A network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFile {
    /// Name shown in reports.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) name: String,
    /// One input image.
    pub(crate) input: Shape,
    /// Steps from a picture to the input.
    #[serde(default)]
    pub(crate) preprocessing: Preprocessing,
    /// Names of the layers whose values are the results, the last layer by default.
    #[serde(default)]
    pub(crate) results: Vec<String>,
    /// Crop sizes of all convolutions with maps of one size that do not state their own.
    #[serde(default)]
    pub(crate) crops: Vec<MapCrop>,
    /// Layers in order.
    pub(crate) layers: Vec<Entry>,
}

/// Crop of the convolutions with square maps of one size.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapCrop {
    /// Rows and columns of the map.
    #[schemars(range(min = 1, max = 16384))]
    pub(crate) map: u32,
    /// Columns cut at the left or right edge.
    #[schemars(range(max = 16384))]
    pub(crate) x: u32,
    /// Rows cut at the top or bottom edge.
    #[schemars(range(max = 16384))]
    pub(crate) y: u32,
}

/// A layer of a network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Name, unique in the network.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) name: String,
    /// Operation of the layer.
    pub(crate) kind: Kind,
    /// Names of the layers that this one reads, or input for the image; the layer before it by default.
    pub(crate) inputs: Option<Vec<String>>,
    #[serde(default)]
    #[schemars(schema_with = "kernel")]
    pub(crate) kernel: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "stride")]
    pub(crate) stride: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "dilation")]
    pub(crate) dilation: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "padding")]
    pub(crate) padding: Option<PerSide>,
    #[serde(default)]
    #[schemars(schema_with = "counted_padding")]
    pub(crate) counted_padding: Option<PerSide>,
    /// Channels of the output.
    #[schemars(range(min = 1, max = 65536))]
    pub(crate) channels: Option<u32>,
    /// First channel that is taken, 0 by default.
    #[schemars(range(max = 65535))]
    pub(crate) first: Option<u32>,
    /// Groups of channels, 1 by default.
    #[schemars(range(min = 1, max = 65536))]
    pub(crate) groups: Option<u32>,
    /// Function of each result: relu by default for layers with weights but the last, none for others.
    pub(crate) activation: Option<Function>,
    /// Least result of a clip, 0 by default.
    pub(crate) low: Option<f32>,
    /// Largest result of a clip.
    pub(crate) high: Option<f32>,
    /// Slope of a function.
    pub(crate) slope: Option<f32>,
    /// Offset of a hard sigmoid.
    pub(crate) offset: Option<f32>,
    /// Columns (x) and rows (y) that a cut takes from an edge of the output map.
    pub(crate) crop: Option<CropSize>,
}

#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A kernel moved over the map.
    Convolution,
    /// The largest value of each window.
    MaxPool,
    /// Every input to every output.
    FullyConnected,
    /// The mean of each window.
    AveragePool,
    /// The mean of each channel.
    GlobalAveragePool,
    /// The sum of maps of one shape.
    Add,
    /// The channels of all inputs.
    Concat,
    /// Some of the channels.
    Channels,
    /// Channels interleaved from groups.
    Shuffle,
    /// A factor and an offset for each channel.
    Affine,
    /// A function of each value.
    Activation,
}

#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Function {
    /// The value itself.
    None,
    /// max(x, 0).
    Relu,
    /// At least low, at most high.
    Clip,
    /// Slope x below 0.
    LeakyRelu,
    /// A slope for each channel below 0.
    PRelu,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// Slope x + offset, from 0 to 1.
    HardSigmoid,
    /// x times min(max(x + 3, 0), 6) / 6.
    HardSwish,
    /// x times its sigmoid.
    Swish,
}

/// A number for both axes, or one for each.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum PerAxis {
    Both(u32),
    Each { height: u32, width: u32 },
}

/// A number for all sides, or one for each.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum PerSide {
    All(u32),
    Each { top: u32, left: u32, bottom: u32, right: u32 },
}

impl From<PerAxis> for Axes {
    fn from(number: PerAxis) -> Self {
        match number {
            PerAxis::Both(number) => Self::both(number),
            PerAxis::Each { height, width } => Self { y: height, x: width },
        }
    }
}

impl From<PerSide> for Sides {
    fn from(number: PerSide) -> Self {
        match number {
            PerSide::All(number) => Self::all(number),
            PerSide::Each { top, left, bottom, right } => Self { top, left, bottom, right },
        }
    }
}

/// Returns the schema of a whole number, or of a table with one at each of `keys`.
fn numbers(description: &str, keys: &[&str], minimum: u32, maximum: u32) -> Schema {
    let number = json_schema!({
        "description": description, "type": "integer", "format": "uint32", "minimum": minimum, "maximum": maximum,
    });
    let properties: serde_json::Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), number.clone().into())).collect();
    json_schema!({
        "description": description,
        "anyOf": [
            number,
            { "type": "object", "properties": properties, "required": keys, "additionalProperties": false },
            { "type": "null" },
        ],
    })
}

const AXES: &[&str] = &["height", "width"];
const SIDES: &[&str] = &["top", "left", "bottom", "right"];

fn kernel(_: &mut SchemaGenerator) -> Schema {
    numbers("Side of the square kernel.\n\nOr its height and width.", AXES, 1, 1024)
}

fn stride(_: &mut SchemaGenerator) -> Schema {
    numbers("Step of the window, 1 by default.\n\nOr one for each axis.", AXES, 1, 1024)
}

fn dilation(_: &mut SchemaGenerator) -> Schema {
    numbers("Step between the positions of a window, 1 by default.\n\nOr one for each axis.", AXES, 1, 1024)
}

fn padding(_: &mut SchemaGenerator) -> Schema {
    numbers("Zeros around the map on each side, 0 by default.\n\nOr one number for each side.", SIDES, 0, 1023)
}

fn counted_padding(_: &mut SchemaGenerator) -> Schema {
    let description = "Padding on each side that counts in the mean as zeros, 0 by default.\n\nOr one for each side.";
    numbers(description, SIDES, 0, 1023)
}

impl Kind {
    pub(crate) fn article_and_name(self) -> &'static str {
        match self {
            Kind::Convolution => "a convolution",
            Kind::MaxPool => "a max-pool",
            Kind::FullyConnected => "a fully connected layer",
            Kind::AveragePool => "an average-pool",
            Kind::GlobalAveragePool => "a global average-pool",
            Kind::Add => "an add",
            Kind::Concat => "a concat",
            Kind::Channels => "a selection of channels",
            Kind::Shuffle => "a shuffle of channels",
            Kind::Affine => "an affine layer",
            Kind::Activation => "an activation",
        }
    }

    pub(crate) fn is_crossbar(self) -> bool {
        matches!(self, Kind::Convolution | Kind::FullyConnected)
    }
}

impl Function {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Function::None => "none",
            Function::Relu => "relu",
            Function::Clip => "clip",
            Function::LeakyRelu => "leaky_relu",
            Function::PRelu => "p_relu",
            Function::Sigmoid => "sigmoid",
            Function::Tanh => "tanh",
            Function::HardSigmoid => "hard_sigmoid",
            Function::HardSwish => "hard_swish",
            Function::Swish => "swish",
        }
    }
}

/// Keys of an entry without which its node is not known.
pub(crate) const KEYS: [&str; 16] = [
    "kind",
    "inputs",
    "kernel",
    "stride",
    "dilation",
    "padding",
    "counted_padding",
    "channels",
    "first",
    "groups",
    "activation",
    "low",
    "high",
    "slope",
    "offset",
    "name",
];

impl Entry {
    pub(crate) fn operator(&self) -> Option<Operator> {
        Some(match self.kind {
            Kind::Convolution => Operator::Convolution {
                kernel: self.window()?,
                channels: self.channels?,
                groups: self.groups.unwrap_or(1),
            },
            Kind::FullyConnected => Operator::FullyConnected { channels: self.channels? },
            Kind::MaxPool => Operator::MaxPool(self.window()?),
            Kind::AveragePool => Operator::AveragePool {
                kernel: self.window()?,
                counted: self.counted_padding.map(Sides::from).unwrap_or_default(),
            },
            Kind::GlobalAveragePool => Operator::GlobalAveragePool,
            Kind::Add => Operator::Add,
            Kind::Concat => Operator::Concat,
            Kind::Channels => Operator::Channels { first: self.first.unwrap_or(0), count: self.channels? },
            Kind::Shuffle => Operator::Shuffle { groups: self.groups? },
            Kind::Affine => Operator::Affine,
            Kind::Activation => Operator::Activation,
        })
    }

    fn window(&self) -> Option<Kernel> {
        let axes = |key: Option<PerAxis>| key.map_or(Axes::both(1), Axes::from);
        Some(Kernel {
            size: self.kernel?.into(),
            stride: axes(self.stride),
            dilation: axes(self.dilation),
            padding: self.padding.map(Sides::from).unwrap_or_default(),
        })
    }
}

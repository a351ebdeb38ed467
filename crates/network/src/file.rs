//! Network files: from TOML to a list of nodes, and back to the file with what is wrong.
//!
//! Keys and names of all entries are checked here, sizes by [`NodeList::lower`] up to the first misfit on the way to a
//! value that leaves its size unknown.

use std::collections::HashMap;

use document::Document;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::list::{ListedNode, NodeList, Operator, Origin};
use crate::{Activation, Axes, CropSize, Kernel, Network, Preprocessing, Shape, Sides};

/// Name of the input image among inputs.
const IMAGE: &str = "input";

/// A network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFile {
    /// Name shown in reports.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// One input image.
    input: Shape,
    /// Steps from a picture to the input.
    #[serde(default)]
    preprocessing: Preprocessing,
    /// Names of the layers whose values are the results, the last layer by default.
    #[serde(default)]
    results: Vec<String>,
    /// Crop sizes of all convolutions with maps of one size that do not state their own.
    #[serde(default)]
    crops: Vec<MapCrop>,
    /// Layers in order.
    layers: Vec<Entry>,
}

/// Crop of the convolutions with square maps of one size.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MapCrop {
    /// Rows and columns of the map.
    #[schemars(range(min = 1, max = 16384))]
    map: u32,
    /// Columns cut at the left or right edge.
    #[schemars(range(max = 16384))]
    x: u32,
    /// Rows cut at the top or bottom edge.
    #[schemars(range(max = 16384))]
    y: u32,
}

/// A layer of a network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Name, unique in the network.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// Operation of the layer.
    kind: Kind,
    /// Names of the layers that this one reads, or input for the image; the layer before it by default.
    inputs: Option<Vec<String>>,
    #[serde(default)]
    #[schemars(schema_with = "kernel")]
    kernel: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "stride")]
    stride: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "dilation")]
    dilation: Option<PerAxis>,
    #[serde(default)]
    #[schemars(schema_with = "padding")]
    padding: Option<PerSide>,
    #[serde(default)]
    #[schemars(schema_with = "counted_padding")]
    counted_padding: Option<PerSide>,
    /// Channels of the output.
    #[schemars(range(min = 1, max = 65536))]
    channels: Option<u32>,
    /// First channel that is taken, 0 by default.
    #[schemars(range(max = 65535))]
    first: Option<u32>,
    /// Groups of channels, 1 by default.
    #[schemars(range(min = 1, max = 65536))]
    groups: Option<u32>,
    /// Function of each result: relu by default for layers with weights but the last, none for others.
    activation: Option<Function>,
    /// Least result of a clip, 0 by default.
    low: Option<f32>,
    /// Largest result of a clip.
    high: Option<f32>,
    /// Slope of a function.
    slope: Option<f32>,
    /// Offset of a hard sigmoid.
    offset: Option<f32>,
    /// Columns (x) and rows (y) that a cut takes from an edge of the output map.
    crop: Option<CropSize>,
}

#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
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
enum Function {
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
enum PerAxis {
    Both(u32),
    Each { height: u32, width: u32 },
}

/// A number for all sides, or one for each.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum PerSide {
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
    fn article_and_name(self) -> &'static str {
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

    fn is_crossbar(self) -> bool {
        matches!(self, Kind::Convolution | Kind::FullyConnected)
    }
}

impl Function {
    fn name(self) -> &'static str {
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

/// A list of nodes as far as it could be read.
pub(crate) struct Reading {
    pub(crate) list: NodeList,
    /// True for each node that is known; the others are stand-ins.
    known: Vec<bool>,
    crops: Vec<MapCrop>,
}

/// Reads the nodes of `file`. Faults are added to `document`.
pub(crate) fn read(file: NetworkFile, document: &mut Document) -> Reading {
    if file.layers.is_empty() {
        document.fault(&["layers"], "the network has no layers", "add at least one [[layers]]");
    }
    file.preprocessing.check(file.input, document);
    let mut reader = Reader { names: reading_names(&file, document), document };
    let last_crossbar = file.layers.iter().rposition(|entry| entry.kind.is_crossbar());
    let (mut nodes, mut known) = (Vec::new(), Vec::new());
    for (index, entry) in file.layers.iter().enumerate() {
        let has_relu = entry.kind.is_crossbar() && Some(index) != last_crossbar;
        let node = reader.node(index, entry, has_relu);
        known.push(node.is_some() && reader.document.is_sound("input"));
        // The stand-in tells which kind of layer the next ones stand behind.
        nodes.push(node.unwrap_or_else(|| stand_in(index, entry)));
    }
    let results = reader.results(&file);
    let NetworkFile { name, input, preprocessing, crops, .. } = file;
    Reading { list: NodeList { name, input, preprocessing, nodes, results }, known, crops }
}

impl Reading {
    /// Lowers the list. Misfits are added to `document`; the network is complete only if there are no faults.
    pub(crate) fn lower(self, document: &mut Document) -> Option<Network> {
        match self.list.lower_known(&self.known) {
            Ok(mut network) => {
                crop_by_size(&mut network, &self.crops, document);
                Some(network)
            }
            Err(misfits) => {
                for misfit in misfits {
                    let paths: Vec<String> = match &misfit.keys[..] {
                        [] => vec![format!("layers[{}]", misfit.node)],
                        keys => keys.iter().map(|key| key_of(misfit.node, key)).collect(),
                    };
                    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                    document.fault(&paths, misfit.message, misfit.remedy);
                }
                None
            }
        }
    }
}

/// Returns the place of each layer by its name, and reports names that are given twice.
fn reading_names(file: &NetworkFile, document: &mut Document) -> HashMap<String, usize> {
    let mut names = HashMap::new();
    for (index, entry) in file.layers.iter().enumerate() {
        let first = *names.entry(entry.name.clone()).or_insert(index);
        if first < index {
            document.fault(
                &[&key_of(index, "name"), &key_of(first, "name")],
                format!("two layers are called {}", entry.name),
                "give each layer a name of its own",
            );
        }
    }
    names
}

/// Gives the convolutions with maps of a size in `crops` the crop of that size.
fn crop_by_size(network: &mut Network, crops: &[MapCrop], document: &mut Document) {
    for (number, &MapCrop { map, x, y }) in crops.iter().enumerate() {
        let at = format!("crops[{number}]");
        if x > map || y > map {
            document.fault(&[&at], "the crop is larger than its map", format!("give x and y of at most {map}"));
        }
        let mut found = false;
        for layer in &mut network.layers {
            if layer.kind == crate::LayerKind::Convolution && (layer.output.height, layer.output.width) == (map, map) {
                found = true;
                layer.crop = layer.crop.or(Some(CropSize { x, y }));
            }
        }
        if !found {
            document.fault(
                &[&format!("{at}.map")],
                format!("no convolution has a map of {map} x {map}"),
                "remove the entry, or give the size of a convolution's map before any pool",
            );
        }
    }
}

/// Returns a node of the kind of `entry` that reads the layer before it.
fn stand_in(index: usize, entry: &Entry) -> ListedNode {
    let operator = match entry.kind {
        Kind::Convolution => Operator::Convolution { kernel: Kernel::square(1, 1, 0), channels: 1, groups: 1 },
        Kind::FullyConnected => Operator::FullyConnected { channels: 1 },
        Kind::MaxPool | Kind::AveragePool | Kind::GlobalAveragePool => Operator::GlobalAveragePool,
        _ => Operator::Activation,
    };
    let inputs = vec![before(index)];
    ListedNode { name: entry.name.clone(), inputs, operator, activation: None, crop: None }
}

struct Reader<'a> {
    document: &'a mut Document,
    /// Place of each layer by its name.
    names: HashMap<String, usize>,
}

impl Reader<'_> {
    /// Returns the node of an entry; `None` if a key is missing or wrong. `has_relu` says that a ReLU follows if the
    /// entry states no activation.
    fn node(&mut self, index: usize, entry: &Entry, has_relu: bool) -> Option<ListedNode> {
        let sound = KEYS.iter().all(|key| self.document.is_sound(&key_of(index, key)));
        self.check_keys(index, entry);
        let inputs = self.inputs(index, entry);
        let activation = self.activation(index, entry, has_relu);
        let operator = entry.operator()?;
        let (inputs, activation) = (inputs?, activation?);
        sound.then(|| ListedNode { name: entry.name.clone(), inputs, operator, activation, crop: entry.crop })
    }

    /// Reports keys that the kind of layer requires and the entry lacks, and keys that the kind does not have.
    fn check_keys(&mut self, index: usize, entry: &Entry) {
        use Kind::{Activation, AveragePool, Channels, Convolution, FullyConnected, MaxPool, Shuffle};
        let is = |kinds: &[Kind]| kinds.contains(&entry.kind);
        let has_window = is(&[Convolution, MaxPool, AveragePool]);
        let has_channels = is(&[Convolution, FullyConnected, Channels]);
        let computes = !is(&[Kind::Concat, Channels, Shuffle]);
        // Key; true if it is given, if the kind has it, if the kind requires it.
        let keys = [
            ("kernel", entry.kernel.is_some(), has_window, has_window),
            ("stride", entry.stride.is_some(), has_window, false),
            ("padding", entry.padding.is_some(), has_window, false),
            ("dilation", entry.dilation.is_some(), is(&[Convolution, MaxPool]), false),
            ("counted_padding", entry.counted_padding.is_some(), is(&[AveragePool]), false),
            ("channels", entry.channels.is_some(), has_channels, has_channels),
            ("first", entry.first.is_some(), is(&[Channels]), false),
            ("groups", entry.groups.is_some(), is(&[Convolution, Shuffle]), is(&[Shuffle])),
            ("activation", entry.activation.is_some(), computes, is(&[Activation])),
            ("crop", entry.crop.is_some(), is(&[Convolution]), false),
        ];
        let kind = entry.kind.article_and_name();
        for (key, given, allowed, required) in keys {
            let path = key_of(index, key);
            let paths = [path.as_str(), &key_of(index, "kind")];
            if given && !allowed {
                self.document.fault(&paths, format!("{kind} has no {key}"), format!("remove {key}"));
            } else if required && !given {
                self.document.fault(&paths, format!("{path} is missing"), format!("add {key}: {kind} needs it"));
            }
        }
    }

    /// Returns what the entry reads; `None` if a name is wrong.
    fn inputs(&mut self, index: usize, entry: &Entry) -> Option<Vec<Origin>> {
        let Some(names) = &entry.inputs else {
            return Some(vec![before(index)]);
        };
        let path = key_of(index, "inputs");
        let one = !matches!(entry.kind, Kind::Add | Kind::Concat);
        let fits = match entry.kind {
            Kind::Add => names.len() >= 2,
            Kind::Concat => !names.is_empty(),
            _ => names.len() == 1,
        };
        if !fits {
            let wanted = if one { "one name" } else { "two names or more" };
            let kind = entry.kind.article_and_name();
            self.document.fault(
                &[&path, &key_of(index, "kind")],
                format!("{} has {} inputs", entry.name, names.len()),
                format!("give {wanted}: it is {kind}"),
            );
        }
        let origins: Vec<_> =
            names.iter().enumerate().map(|(n, name)| self.origin(index, &format!("{path}[{n}]"), name)).collect();
        origins.into_iter().collect::<Option<_>>().filter(|_| fits)
    }

    fn origin(&mut self, index: usize, path: &str, name: &str) -> Option<Origin> {
        match self.names.get(name) {
            Some(&place) if place < index => Some(Origin::Node(place)),
            Some(&place) => {
                self.document.fault(
                    &[path, &key_of(place, "name")],
                    format!("{name} does not come before its reader"),
                    "put each layer after those that it reads",
                );
                None
            }
            None if name == IMAGE => Some(Origin::Image),
            None => {
                let known = self.names.keys().map(String::as_str).chain([IMAGE]);
                let remedy = match document::nearest(name, known) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "give the name of an earlier layer, or input for the image".to_owned(),
                };
                self.document.fault(&[path], format!("there is no layer {name}"), remedy);
                None
            }
        }
    }

    /// Returns the activation of an entry, if it has one; `None` if its keys are wrong.
    #[expect(clippy::option_option, reason = "the outer one is the result of a check")]
    fn activation(&mut self, index: usize, entry: &Entry, has_relu: bool) -> Option<Option<Activation>> {
        let default = if has_relu { Function::Relu } else { Function::None };
        let function = entry.activation.unwrap_or(default);
        // Key; the value, if given; the default, if the function has the key; true if it requires it.
        let (clip, hard) = (function == Function::Clip, function == Function::HardSigmoid);
        let leaky = function == Function::LeakyRelu;
        let keys = [
            ("low", entry.low, clip, false),
            ("high", entry.high, clip, clip),
            ("slope", entry.slope, leaky || hard, leaky),
            ("offset", entry.offset, hard, false),
        ];
        let name = function.name();
        let mut sound = true;
        for (key, given, allowed, required) in keys {
            let path = key_of(index, key);
            let paths = [path.as_str(), &key_of(index, "activation")];
            if given.is_some() && !allowed {
                self.document.fault(&paths, format!("the activation {name} has no {key}"), format!("remove {key}"));
                sound = false;
            } else if required && given.is_none() {
                self.document.fault(&paths, format!("{path} is missing"), format!("add {key}: {name} needs it"));
                sound = false;
            }
        }
        if function == Function::PRelu && entry.kind != Kind::Activation {
            self.document.fault(
                &[&key_of(index, "activation")],
                format!("{} has weights of its own and cannot have those of a p_relu", entry.name),
                "add a layer of kind activation after it",
            );
            sound = false;
        }
        let low = entry.low.unwrap_or(0.0);
        if clip && entry.high.is_some_and(|high| high < low) {
            self.document.fault(
                &[&key_of(index, "high"), &key_of(index, "low")],
                format!("{} clips to an empty range", entry.name),
                format!("give high at least {low}"),
            );
            sound = false;
        }
        let slope = |default: f32| entry.slope.unwrap_or(default);
        let activation = match function {
            Function::None => None,
            Function::Relu => Some(Activation::Relu),
            Function::Clip => Some(Activation::Clip { low, high: entry.high.unwrap_or(low) }),
            Function::LeakyRelu => Some(Activation::LeakyRelu(slope(0.0))),
            Function::PRelu => Some(Activation::PRelu(0..0)),
            Function::Sigmoid => Some(Activation::Sigmoid),
            Function::Tanh => Some(Activation::Tanh),
            Function::HardSigmoid => {
                Some(Activation::HardSigmoid { slope: slope(0.2), offset: entry.offset.unwrap_or(0.5) })
            }
            Function::HardSwish => Some(Activation::HardSwish),
            Function::Swish => Some(Activation::Swish),
        };
        sound.then_some(activation)
    }

    fn results(&mut self, file: &NetworkFile) -> Vec<usize> {
        if file.results.is_empty() {
            return file.layers.len().checked_sub(1).into_iter().collect();
        }
        let names = file.results.iter().enumerate();
        let origins = names.map(|(n, name)| self.origin(file.layers.len(), &format!("results[{n}]"), name));
        let origins: Vec<_> = origins.collect();
        let nodes = origins.into_iter().flatten().filter_map(|origin| match origin {
            Origin::Image => None,
            Origin::Node(node) => Some(node),
        });
        nodes.collect()
    }
}

/// Keys of an entry without which its node is not known.
const KEYS: [&str; 16] = [
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
    fn operator(&self) -> Option<Operator> {
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

/// Returns what an entry reads by default.
fn before(index: usize) -> Origin {
    index.checked_sub(1).map_or(Origin::Image, Origin::Node)
}

fn key_of(index: usize, key: &str) -> String {
    format!("layers[{index}].{key}")
}

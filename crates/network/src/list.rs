//! Networks as lists of nodes, as files have them.
//!
//! A [`NodeList`] has crossbar nodes, tile nodes and wiring in one list, each after the nodes that it reads. It is what
//! a network file says, and what an importer of another format makes. [`NodeList::lower`](crate::NodeList::lower) turns
//! it into the machine's view, [`NodeList::to_toml`] into a network file.

use std::fmt::Write as _;

use crate::{Activation, Axes, CropSize, Kernel, Preprocessing, Shape, Sides};

/// A network as a list of nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeList {
    /// Name shown in reports.
    pub name: String,
    /// One input image.
    pub input: Shape,
    /// Preprocessing that turns an image file into the input.
    pub preprocessing: Preprocessing,
    /// Nodes, each after those that it reads.
    pub nodes: Vec<ListedNode>,
    /// Nodes whose values are the results.
    pub results: Vec<usize>,
}

/// A node of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedNode {
    /// Name, unique in the list.
    pub name: String,
    /// Values that the node reads.
    pub inputs: Vec<Origin>,
    /// Operation on these.
    pub operator: Operator,
    /// Function of each result.
    pub activation: Option<Activation>,
    /// Rows and columns that a cut takes from an edge of a convolution's map.
    pub crop: Option<CropSize>,
}

/// Origin of a value that a node reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The input image.
    Image,
    /// The node at this place of the list.
    Node(usize),
}

/// Operation of a listed node.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// A kernel moved over the map.
    Convolution {
        /// The window.
        kernel: Kernel,
        /// Channels of the output.
        channels: u32,
        /// Groups of channels that are convolved apart.
        groups: u32,
    },
    /// Every input to every output.
    FullyConnected {
        /// Outputs.
        channels: u32,
    },
    /// Sum of maps of one shape.
    Add,
    /// Factor and offset of each channel, which come with the weights.
    Affine,
    /// Nothing but the node's activation.
    Activation,
    /// Largest value of each window.
    MaxPool(Kernel),
    /// Mean of each window.
    AveragePool {
        /// The window.
        kernel: Kernel,
        /// Padding that counts in the divisor.
        counted: Sides,
    },
    /// Mean of each channel.
    GlobalAveragePool,
    /// The channels of all maps, one map after the other.
    Concat,
    /// Some of the channels.
    Channels {
        /// First channel.
        first: u32,
        /// Number of channels.
        count: u32,
    },
    /// Channels in another order: of `groups` equal groups, first those that are first in their groups, and so on.
    Shuffle {
        /// Number of groups.
        groups: u32,
    },
}

impl Operator {
    /// Returns the name of the kind in network files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Convolution { .. } => "convolution",
            Self::FullyConnected { .. } => "fully_connected",
            Self::Add => "add",
            Self::Affine => "affine",
            Self::Activation => "activation",
            Self::MaxPool(_) => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::GlobalAveragePool => "global_average_pool",
            Self::Concat => "concat",
            Self::Channels { .. } => "channels",
            Self::Shuffle { .. } => "shuffle",
        }
    }

    /// True if the operation occupies crossbars.
    pub fn is_crossbar(&self) -> bool {
        matches!(self, Self::Convolution { .. } | Self::FullyConnected { .. })
    }

    /// True if the operation renames channels and computes nothing.
    pub fn is_wiring(&self) -> bool {
        matches!(self, Self::Concat | Self::Channels { .. } | Self::Shuffle { .. })
    }
}

impl NodeList {
    /// Returns the text of a network file, which [`parse`](crate::parse) reads back.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let Shape { height, width, channels } = self.input;
        let mut text = format!("name = {}\n", quoted(&self.name));
        text += &format!("input = {{ height = {height}, width = {width}, channels = {channels} }}\n");
        let name_of = |origin: &Origin| match origin {
            Origin::Image => quoted("input"),
            Origin::Node(node) => quoted(&self.nodes[*node].name),
        };
        let names = |origins: &[Origin]| origins.iter().map(name_of).collect::<Vec<_>>().join(", ");
        let last = self.nodes.len().checked_sub(1);
        if Vec::from_iter(last) != self.results {
            let results: Vec<Origin> = self.results.iter().map(|&node| Origin::Node(node)).collect();
            text += &format!("results = [{}]\n", names(&results));
        }
        text += &self.preprocessing.to_toml();
        let last_crossbar = self.nodes.iter().rposition(|node| node.operator.is_crossbar());
        for (index, node) in self.nodes.iter().enumerate() {
            let kind = node.operator.kind();
            text += &format!("\n[[layers]]\nname = {}\nkind = \"{kind}\"\n", quoted(&node.name));
            let before = index.checked_sub(1).map_or(Origin::Image, Origin::Node);
            if node.inputs != [before] {
                text += &format!("inputs = [{}]\n", names(&node.inputs));
            }
            text += &node.operator.to_toml();
            let has_relu = node.operator.is_crossbar() && Some(index) != last_crossbar;
            text += &activation_to_toml(node.activation.as_ref(), has_relu);
            if let Some(CropSize { x, y }) = node.crop {
                text += &format!("crop = {{ x = {x}, y = {y} }}\n");
            }
        }
        text
    }
}

impl Operator {
    fn to_toml(&self) -> String {
        match self {
            Self::Convolution { kernel, channels, groups } => {
                let groups = if *groups == 1 { String::new() } else { format!("groups = {groups}\n") };
                format!("{}channels = {channels}\n{groups}", kernel_to_toml(kernel))
            }
            Self::FullyConnected { channels } => format!("channels = {channels}\n"),
            Self::MaxPool(kernel) => kernel_to_toml(kernel),
            Self::AveragePool { kernel, counted } => {
                kernel_to_toml(kernel) + &sides_to_toml("counted_padding", *counted)
            }
            Self::Channels { first, count } => format!("first = {first}\nchannels = {count}\n"),
            Self::Shuffle { groups } => format!("groups = {groups}\n"),
            Self::Add | Self::Affine | Self::Activation | Self::GlobalAveragePool | Self::Concat => String::new(),
        }
    }
}

fn kernel_to_toml(kernel: &Kernel) -> String {
    let axes = |key: &str, Axes { y, x }: Axes, default: u32| match (y, x) {
        _ if (y, x) == (default, default) => String::new(),
        _ if y == x => format!("{key} = {y}\n"),
        _ => format!("{key} = {{ height = {y}, width = {x} }}\n"),
    };
    let Kernel { size, stride, dilation, padding } = *kernel;
    axes("kernel", size, 0)
        + &axes("stride", stride, 1)
        + &axes("dilation", dilation, 1)
        + &sides_to_toml("padding", padding)
}

fn sides_to_toml(key: &str, sides: Sides) -> String {
    let Sides { top, left, bottom, right } = sides;
    match sides.are_equal() {
        true if top == 0 => String::new(),
        true => format!("{key} = {top}\n"),
        false => format!("{key} = {{ top = {top}, left = {left}, bottom = {bottom}, right = {right} }}\n"),
    }
}

/// Returns the keys of an activation. `has_relu` says that the node has a ReLU if it does not state one.
fn activation_to_toml(activation: Option<&Activation>, has_relu: bool) -> String {
    let (name, parameters): (_, Vec<(&str, f32)>) = match activation {
        None if has_relu => ("none", vec![]),
        Some(Activation::Relu) if has_relu => return String::new(),
        None => return String::new(),
        Some(Activation::Relu) => ("relu", vec![]),
        Some(Activation::Clip { low, high }) => ("clip", vec![("low", *low), ("high", *high)]),
        Some(Activation::LeakyRelu(slope)) => ("leaky_relu", vec![("slope", *slope)]),
        Some(Activation::PRelu(_)) => ("p_relu", vec![]),
        Some(Activation::Sigmoid) => ("sigmoid", vec![]),
        Some(Activation::Tanh) => ("tanh", vec![]),
        Some(Activation::HardSigmoid { slope, offset }) => {
            ("hard_sigmoid", vec![("slope", *slope), ("offset", *offset)])
        }
        Some(Activation::HardSwish) => ("hard_swish", vec![]),
        Some(Activation::Swish) => ("swish", vec![]),
    };
    let mut text = format!("activation = \"{name}\"\n");
    for (key, value) in parameters {
        writeln!(text, "{key} = {value:?}").expect("a String takes any text");
    }
    text
}

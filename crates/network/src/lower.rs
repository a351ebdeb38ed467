//! Lowering: from a list of nodes to crossbar layers, maps and stages.
//!
//! Nodes are taken in order. The value of each is a list of [`Part`]s of maps. A crossbar node becomes a layer with one
//! map, its values. A tile node becomes a stage on each map that its input has parts of; where it works on a
//! concatenation, it so distributes over the parts. Wiring changes the list of parts only. A merge becomes a stage of
//! the later operand of each channel. At last, the maps that somebody reads are kept.

use std::collections::BTreeSet;

use index::IndexVec;

use crate::list::{ListedNode, NodeList, Operator, Origin};
use crate::map::{joined, slice};
use crate::stages::Maps;
use crate::{Activation, Axes, Kernel, Layer, LayerId, LayerKind, MapId, Network, Node, Operation, Part, Shape, Stage};

/// Most channels of a map.
pub(crate) const MOST_CHANNELS: u32 = 65_536;

/// Something about a node that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Place of the node in the list.
    pub node: usize,
    /// Keys of the entry in a network file that contradict each other, the main one first; none for the whole entry.
    pub keys: Vec<&'static str>,
    /// Problem.
    pub message: String,
    /// Remedy.
    pub remedy: String,
}

impl NodeList {
    /// Turns the list into the machine's view. If there are misfits, they are returned, all at once.
    pub fn lower(self) -> Result<Network, Vec<Misfit>> {
        let known = vec![true; self.nodes.len()];
        self.lower_known(&known)
    }

    /// Turns the list into the machine's view. Nodes that are not known are stand-ins, which have the right kind but no
    /// value; then there is no network, and the result is an error even without misfits.
    pub(crate) fn lower_known(self, known: &[bool]) -> Result<Network, Vec<Misfit>> {
        let mut lowering = Lowering {
            input: Value {
                parts: vec![Part { map: MapId::INPUT, channels: 0..self.input.channels }],
                shape: self.input,
                behind: Behind::Image,
            },
            layers: IndexVec::default(),
            reads: IndexVec::default(),
            maps: Maps::new(self.input),
            values: Vec::new(),
            behind: Vec::new(),
            misfits: Vec::new(),
        };
        for (index, (node, is_known)) in self.nodes.iter().zip(known).enumerate() {
            lowering.add(index, node, *is_known);
        }
        if known.contains(&false) {
            return Err(lowering.misfits);
        }
        lowering.find_unread(&self);
        lowering.finish(self)
    }
}

/// Last kind of crossbar layer on the way to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    Image,
    Convolution,
    FullyConnected,
}

/// Value of a node.
#[derive(Clone, Debug)]
struct Value {
    parts: Vec<Part>,
    shape: Shape,
    behind: Behind,
}

struct Lowering {
    input: Value,
    layers: IndexVec<LayerId, Layer>,
    reads: IndexVec<LayerId, Vec<Part>>,
    /// Maps so far, whether somebody reads them or not.
    maps: Maps,
    /// Value of each node so far; `None` after a misfit that leaves its size unknown, which ends the check of sizes.
    values: Vec<Option<Value>>,
    /// Maps and stages that each node so far stands behind.
    behind: Vec<Behind>,
    misfits: Vec<Misfit>,
}

impl Lowering {
    fn add(&mut self, index: usize, node: &ListedNode, is_known: bool) {
        let behind = |origin: &Origin| match origin {
            Origin::Image => Behind::Image,
            Origin::Node(node) => self.behind[*node],
        };
        let behind = node.inputs.iter().map(behind).max().unwrap_or(Behind::Image);
        self.check_order(index, node, behind);
        self.behind.push(match node.operator {
            Operator::Convolution { .. } => behind.max(Behind::Convolution),
            Operator::FullyConnected { .. } => Behind::FullyConnected,
            _ => behind,
        });
        if is_known {
            self.check_padding(index, node);
        }
        let inputs: Option<Vec<Value>> = node.inputs.iter().map(|origin| self.value(*origin).cloned()).collect();
        let inputs = inputs.filter(|_| is_known);
        let value = inputs.and_then(|inputs| self.operate(index, node, &inputs));
        let value = value.map(|value| match &node.activation {
            Some(activation) => self.activate(&node.name, &value, activation),
            None => value,
        });
        self.values.push(value);
    }

    fn value(&self, origin: Origin) -> Option<&Value> {
        match origin {
            Origin::Image => Some(&self.input),
            Origin::Node(node) => self.values[node].as_ref(),
        }
    }

    fn misfit(&mut self, node: usize, keys: &[&'static str], message: impl Into<String>, remedy: impl Into<String>) {
        let (keys, message, remedy) = (keys.to_vec(), message.into(), remedy.into());
        self.misfits.push(Misfit { node, keys, message, remedy });
    }

    /// Reports a node that cannot stand behind those that it reads.
    fn check_order(&mut self, index: usize, node: &ListedNode, behind: Behind) {
        let name = &node.name;
        let is_pool =
            matches!(node.operator, Operator::MaxPool(_) | Operator::AveragePool { .. } | Operator::GlobalAveragePool);
        let (message, remedy) = match (behind, &node.operator) {
            (Behind::Image, _) if is_pool => (
                format!("{name} pools the input image"),
                "start with a convolution: a pool belongs to the layer before it",
            ),
            (Behind::FullyConnected, _) if is_pool => (
                format!("{name} pools a fully connected layer, whose map is a single position"),
                "remove it, or put it before the fully connected layers",
            ),
            (Behind::FullyConnected, Operator::Convolution { .. }) => (
                format!("{name} is a convolution behind a fully connected layer"),
                "put all convolutions before the fully connected layers",
            ),
            _ => return,
        };
        self.misfit(index, &["kind"], message, remedy);
    }

    /// Reports padding so wide that a window can lie wholly on it.
    fn check_padding(&mut self, index: usize, node: &ListedNode) {
        let (Operator::Convolution { kernel, .. } | Operator::MaxPool(kernel) | Operator::AveragePool { kernel, .. }) =
            &node.operator
        else {
            return;
        };
        let Kernel { size, dilation, padding, .. } = kernel;
        let (rows, columns) = ((size.y - 1) * dilation.y, (size.x - 1) * dilation.x);
        if padding.top.max(padding.bottom) > rows || padding.left.max(padding.right) > columns {
            let most = if rows == columns { rows.to_string() } else { format!("{rows} rows and {columns} columns") };
            self.misfit(
                index,
                &["padding", "kernel"],
                format!("{} has windows that see nothing but padding", node.name),
                format!("give its {size} kernel a padding of at most {most}"),
            );
        }
    }

    /// Returns the value of `node`, before its activation; `None` after a misfit.
    fn operate(&mut self, index: usize, node: &ListedNode, inputs: &[Value]) -> Option<Value> {
        let stage = |operation| Stage { name: node.name.clone(), operation };
        match (&node.operator, inputs) {
            (Operator::Convolution { kernel, channels, groups }, [input]) => {
                self.convolution(index, node, input, *kernel, *channels, *groups)
            }
            (Operator::FullyConnected { channels }, [input]) => {
                let output = Shape { height: 1, width: 1, channels: *channels };
                let kernel = Kernel::covering(input.shape);
                let kind = LayerKind::FullyConnected;
                self.layer(index, input, Layer { kind, ..layer(node, input.shape, kernel, 1, output) })
            }
            (Operator::MaxPool(kernel), [input]) => self.pool(index, node, input, stage(Operation::MaxPool(*kernel))),
            (&Operator::AveragePool { kernel, counted }, [input]) => {
                self.pool(index, node, input, stage(Operation::AveragePool { kernel, counted }))
            }
            (Operator::GlobalAveragePool, [input]) => {
                let (kernel, counted) = (Kernel::covering(input.shape), crate::Sides::default());
                self.pool(index, node, input, stage(Operation::AveragePool { kernel, counted }))
            }
            (Operator::Activation, [input]) => Some(input.clone()),
            (Operator::Affine, [input]) => {
                let parts = self.maps.each_channel(&input.parts, |channels| stage(Operation::Affine(channels)));
                Some(Value { parts, ..input.clone() })
            }
            (Operator::Add, [first, .., _]) => {
                let mut sum = first.clone();
                for operand in &inputs[1..] {
                    sum = self.sum(index, node, &sum, operand)?;
                }
                Some(sum)
            }
            (Operator::Concat, [first, ..]) => self.concat(index, node, first, inputs),
            (&Operator::Channels { first, count }, [input]) => {
                let available = input.shape.channels;
                if count == 0 || first.checked_add(count).is_none_or(|end| end > available) {
                    self.misfit(
                        index,
                        &["channels", "first"],
                        format!("{} takes channels that its input does not have", node.name),
                        format!("its input has {available}: first + channels must not exceed them"),
                    );
                    return None;
                }
                let shape = Shape { channels: count, ..input.shape };
                Some(Value { parts: slice(&input.parts, &(first..first + count)), shape, behind: input.behind })
            }
            (&Operator::Shuffle { groups }, [input]) => {
                let channels = input.shape.channels;
                if groups == 0 || !channels.is_multiple_of(groups) {
                    self.misfit(
                        index,
                        &["groups"],
                        format!("{} cannot shuffle {channels} channels in {groups} groups", node.name),
                        "give a divisor of the number of channels",
                    );
                    return None;
                }
                let each = channels / groups;
                let order = (0..each).flat_map(|place| (0..groups).map(move |group| group * each + place));
                let parts = order.flat_map(|channel| slice(&input.parts, &(channel..channel + 1)));
                Some(Value { parts: joined(parts), ..input.clone() })
            }
            (operator, inputs) => {
                let (kind, given) = (operator.kind(), inputs.len());
                let wanted = if *operator == Operator::Add { "two or more" } else { "one" };
                self.misfit(
                    index,
                    &["inputs", "kind"],
                    format!("{} has {given} inputs", node.name),
                    format!("give {wanted}: its kind is {kind}"),
                );
                None
            }
        }
    }

    fn convolution(
        &mut self,
        index: usize,
        node: &ListedNode,
        input: &Value,
        kernel: Kernel,
        channels: u32,
        groups: u32,
    ) -> Option<Value> {
        let (height, width) = self.windows(index, &node.name, kernel, input.shape)?;
        if let Some(crop) = node.crop
            && (crop.x > width || crop.y > height)
        {
            self.misfit(
                index,
                &["crop"],
                format!("the crop of {} is larger than its map, {height} x {width}", node.name),
                format!("give x at most {width} and y at most {height}"),
            );
        }
        let inputs = input.shape.channels;
        if groups == 0 || !inputs.is_multiple_of(groups) || !channels.is_multiple_of(groups) {
            self.misfit(
                index,
                &["groups", "channels"],
                format!("{} cannot cut {inputs} input and {channels} output channels into {groups} groups", node.name),
                "give a number of groups that divides both",
            );
            return None;
        }
        let output = Shape { height, width, channels };
        self.layer(index, input, layer(node, input.shape, kernel, groups, output))
    }

    /// Adds a layer that reads `input`, and returns its values.
    fn layer(&mut self, index: usize, input: &Value, layer: Layer) -> Option<Value> {
        let Shape { height, width, channels } = layer.input;
        let positions = u64::from(layer.kernel.size.y) * u64::from(layer.kernel.size.x);
        if positions * u64::from(channels / layer.groups) > u64::from(u32::MAX) {
            self.misfit(
                index,
                &[],
                format!(
                    "a window of {} has 2^32 inputs or more; its map is {height} x {width} x {channels}",
                    layer.name
                ),
                "give it a smaller kernel or map",
            );
            return None;
        }
        if self.layers.len() >= usize::from(u16::MAX) {
            self.misfit(index, &[], "the network has more than 65535 layers with weights", "leave layers out");
            return None;
        }
        let (shape, behind) = (
            layer.output,
            match layer.kind {
                LayerKind::Convolution => Behind::Convolution,
                LayerKind::FullyConnected => Behind::FullyConnected,
            },
        );
        let producer = self.layers.push(layer).into();
        self.reads.push(input.parts.clone());
        Some(Value { parts: vec![self.maps.values_of(producer, shape)], shape, behind })
    }

    fn pool(&mut self, index: usize, node: &ListedNode, input: &Value, stage: Stage) -> Option<Value> {
        let kernel = stage.operation.kernel().expect("a pool has a window");
        let (height, width) = self.windows(index, &node.name, *kernel, input.shape)?;
        Some(Value {
            shape: Shape { height, width, ..input.shape },
            parts: self.maps.every_channel(&input.parts, &stage),
            behind: input.behind,
        })
    }

    /// Returns height and width of the map of windows, or reports a kernel that is larger than the padded map.
    fn windows(&mut self, index: usize, name: &str, kernel: Kernel, map: Shape) -> Option<(u32, u32)> {
        let Shape { height, width, .. } = map;
        let Some((rows, columns)) = kernel.windows(map) else {
            let padding = kernel.padding;
            let padding = if padding.are_equal() { padding.top.to_string() } else { "on its sides".to_owned() };
            self.misfit(
                index,
                &["kernel"],
                format!(
                    "the {} kernel of {name} is larger than its map, {height} x {width} with padding {padding}",
                    kernel.size
                ),
                "give it a smaller kernel or more padding, or shrink the map less before it",
            );
            return None;
        };
        if rows > 16_384 || columns > 16_384 {
            self.misfit(
                index,
                &["padding"],
                format!("the map of {name} has {rows} x {columns} positions"),
                "give it at most 16384 rows and columns",
            );
            return None;
        }
        let reads_nothing = (0..rows).any(|y| kernel.rows(y, height).is_empty())
            || (0..columns).any(|x| kernel.columns(x, width).is_empty());
        if reads_nothing && kernel.dilation != Axes::both(1) {
            self.misfit(
                index,
                &["dilation", "padding"],
                format!("{name} has windows that see nothing but padding"),
                "give it less dilation or padding",
            );
            return None;
        }
        Some((rows, columns))
    }

    fn concat(&mut self, index: usize, node: &ListedNode, first: &Value, inputs: &[Value]) -> Option<Value> {
        let extent = |value: &Value| (value.shape.height, value.shape.width);
        if let Some(other) = inputs.iter().find(|value| extent(value) != extent(first)) {
            let ((height, width), (rows, columns)) = (extent(first), extent(other));
            self.misfit(
                index,
                &["inputs"],
                format!("{} puts maps of {height} x {width} and {rows} x {columns} side by side", node.name),
                "give maps with equally many rows and columns",
            );
            return None;
        }
        let channels: u64 = inputs.iter().map(|value| u64::from(value.shape.channels)).sum();
        let Some(channels) = u32::try_from(channels).ok().filter(|channels| *channels <= MOST_CHANNELS) else {
            self.misfit(
                index,
                &["inputs"],
                format!("{} has {channels} channels", node.name),
                format!("give maps with at most {MOST_CHANNELS} channels together"),
            );
            return None;
        };
        let parts = joined(inputs.iter().flat_map(|value| value.parts.iter().cloned()));
        let behind = inputs.iter().map(|value| value.behind).max().unwrap_or(Behind::Image);
        Some(Value { parts, shape: Shape { channels, ..first.shape }, behind })
    }

    /// Returns `a` + `b`.
    fn sum(&mut self, index: usize, node: &ListedNode, a: &Value, b: &Value) -> Option<Value> {
        let name = &node.name;
        if a.shape != b.shape {
            let text = |Shape { height, width, channels }: Shape| format!("{height} x {width} x {channels}");
            self.misfit(
                index,
                &["inputs"],
                format!("{name} adds maps of {} and {}", text(a.shape), text(b.shape)),
                "give maps of one shape",
            );
            return None;
        }
        match self.maps.merged(name, &a.parts, &b.parts) {
            Ok(parts) => Some(Value { parts, shape: a.shape, behind: a.behind.max(b.behind) }),
            Err(producer) => {
                let what = match producer {
                    Node::Host => "the input image to itself".to_owned(),
                    Node::Layer(layer) => format!("two values of {}", self.layers[layer].name),
                };
                self.misfit(
                    index,
                    &["inputs"],
                    format!("{name} adds {what}"),
                    "add values of two layers: a tile merges what another layer or the host sends",
                );
                None
            }
        }
    }

    fn activate(&mut self, name: &str, value: &Value, activation: &Activation) -> Value {
        let stage = |activation| Stage { name: name.to_owned(), operation: Operation::Activation(activation) };
        let parts = match activation {
            Activation::PRelu(_) => self.maps.each_channel(&value.parts, |channels| stage(Activation::PRelu(channels))),
            _ => self.maps.every_channel(&value.parts, &stage(activation.clone())),
        };
        Value { parts, ..value.clone() }
    }

    /// Reports nodes whose values nobody reads.
    fn find_unread(&mut self, list: &NodeList) {
        let read: BTreeSet<usize> = list
            .nodes
            .iter()
            .flat_map(|node| &node.inputs)
            .filter_map(|origin| match origin {
                Origin::Image => None,
                Origin::Node(node) => Some(*node),
            })
            .chain(list.results.iter().copied())
            .collect();
        for (index, node) in list.nodes.iter().enumerate().filter(|(index, _)| !read.contains(index)) {
            self.misfit(
                index,
                &["name"],
                format!("nobody reads the values of {}", node.name),
                "remove it, or name it in results",
            );
        }
    }

    /// Keeps the maps that are read, and numbers them in the order of their layers.
    fn finish(mut self, list: NodeList) -> Result<Network, Vec<Misfit>> {
        if !self.misfits.is_empty() {
            return Err(self.misfits);
        }
        let results = list
            .results
            .iter()
            .flat_map(|&node| self.values[node].as_ref().expect("there are no misfits").parts.clone());
        let mut results: Vec<Part> = results.collect();
        let maps = self.maps.kept(self.reads.iter_mut().chain([&mut results]));
        for (id, layer) in self.layers.enumerate() {
            if !maps.iter().any(|map| map.producer == id.into()) {
                let message = format!("nobody reads the values of {}", layer.name);
                let node = list.nodes.iter().position(|node| node.name == layer.name).expect("a layer has a node");
                let remedy = "remove it, or name it in results".to_owned();
                self.misfits.push(Misfit { node, keys: vec!["name"], message, remedy });
            }
        }
        if !self.misfits.is_empty() {
            return Err(self.misfits);
        }
        let NodeList { name, input, preprocessing, nodes, .. } = list;
        let mut network = Network { name, input, preprocessing, layers: self.layers, maps, reads: self.reads, results };
        let misfits = compose_pools(&mut network, &nodes);
        if misfits.is_empty() { Ok(network) } else { Err(misfits) }
    }
}

/// Finds the max-pool of each layer that has one map: those at the end of its stages, composed into one.
fn compose_pools(network: &mut Network, nodes: &[ListedNode]) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    for id in network.layers.indices() {
        let mut maps = network.maps.iter().filter(|map| map.producer == id.into());
        let (Some(map), None) = (maps.next(), maps.next()) else { continue };
        let is_pool = |stage: &&Stage| matches!(stage.operation, Operation::MaxPool(_));
        let pools: Vec<&Stage> = map.stages.iter().filter(|stage| stage.operation.kernel().is_some()).collect();
        let last = map.stages.iter().rev().take_while(is_pool).count();
        if pools.is_empty() || pools.len() > last {
            continue;
        }
        let kernels = pools.iter().filter_map(|stage| stage.operation.kernel());
        if kernels.clone().any(|kernel| kernel.dilation != Axes::both(1)) {
            continue;
        }
        let composed = kernels.copied().map(Some).reduce(|all, next| all?.then(&next?)).flatten();
        let layer = &mut network.layers[id];
        if composed.is_none() {
            let name = &pools[pools.len() - 1].name;
            misfits.push(Misfit {
                node: nodes.iter().position(|node| node.name == *name).expect("a stage has the name of its node"),
                keys: Vec::new(),
                message: format!("the pools behind {} have a window or stride of 2^32 or more together", layer.name),
                remedy: "remove pools: one of the size of the map leaves a single position".to_owned(),
            });
        }
        (layer.pool, layer.pooled) = (composed, map.shape);
    }
    misfits
}

fn layer(node: &ListedNode, input: Shape, kernel: Kernel, groups: u32, output: Shape) -> Layer {
    Layer {
        name: node.name.clone(),
        kind: LayerKind::Convolution,
        input,
        kernel,
        groups,
        output,
        pool: None,
        pooled: output,
        crop: node.crop,
    }
}

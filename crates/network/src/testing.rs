//! Random graphs for tests of this and other crates, behind the feature `testing`.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{
    Activation, Axes, FULL_PRECISION_BITS, Kernel, LayerKind, ListedNode, Network, NodeList, Operator, Origin, Plan,
    Preprocessing, Region, Shape, Sides,
};

/// A random change of a graph: the kind of node, the values that it reads, and its sizes.
type Step = (u8, [u8; 2], [u8; 4]);

/// Returns random networks that lower: forks, nested forks, joins (also behind pools), concatenations, pools, groups of channels (also in
/// front of joins), strides, and a classifier behind all open ends. Maps have at most 12 rows and columns and few
/// channels, so that a run takes moments.
pub fn graphs() -> impl Strategy<Value = NodeList> {
    let input = (4..=12u32, 4..=12u32, 1..=4u32);
    let step = (0..14u8, any::<[u8; 2]>(), any::<[u8; 4]>());
    (input, vec(step, 1..10)).prop_map(|((height, width, channels), steps)| {
        let mut graph = Graph::new(Shape { height, width, channels });
        for step in steps {
            graph.grow(step);
        }
        graph.close()
    })
}

/// Returns a plan of 16 bits for `network` in which half of some maps is cropped: the upper or the left half of each of
/// the first 32 layers whose bit is set in `crops`, unless it is fully connected.
pub fn half_cropped(network: &Network, crops: u32) -> Plan {
    let mut plan = Plan::uniform(network, FULL_PRECISION_BITS, FULL_PRECISION_BITS);
    let layers = plan.layers.iter_mut().zip(&network.layers).zip(0..32);
    for ((plan, layer), number) in layers.filter(|((_, layer), _)| layer.kind == LayerKind::Convolution) {
        if crops >> number & 1 == 1 {
            let Shape { height, width, .. } = layer.output;
            let (height, width) =
                if number % 2 == 0 { (height.div_ceil(2), width) } else { (height, width.div_ceil(2)) };
            plan.regions = vec![Region { top: 0, left: 0, height, width, bits: 0 }];
        }
    }
    plan
}

/// A graph in the making. Every value is one that a network can have.
struct Graph {
    list: NodeList,
    /// Size of each node's values.
    shapes: Vec<Shape>,
}

impl Graph {
    fn new(input: Shape) -> Self {
        let name = "random".to_owned();
        let preprocessing = Preprocessing::default();
        let list = NodeList { name, input, preprocessing, nodes: Vec::new(), results: Vec::new() };
        let mut graph = Self { list, shapes: Vec::new() };
        graph.convolution(Origin::Image, Kernel::square(3, 1, 1), 4, 1, Some(Activation::Relu));
        graph
    }

    fn shape(&self, origin: Origin) -> Shape {
        match origin {
            Origin::Image => self.list.input,
            Origin::Node(node) => self.shapes[node],
        }
    }

    /// Adds a node, unless the graph would not be a network with it.
    fn push(&mut self, inputs: &[Origin], operator: Operator, activation: Option<Activation>) -> Option<Origin> {
        let name = format!("{}{}", operator.kind(), self.list.nodes.len());
        let inputs = inputs.to_vec();
        self.list.nodes.push(ListedNode { name, inputs, operator, activation, crop: None });
        self.list.results = self.open();
        let lowered = self.list.clone().lower();
        let Ok(network) = lowered else {
            self.list.nodes.pop();
            return None;
        };
        // The new node's values are the last of the results.
        let channels = |part: &crate::Part| part.channels.end - part.channels.start;
        let before: u32 = self.list.results.iter().rev().skip(1).map(|&node| self.shapes[node].channels).sum();
        let all: u32 = network.results.iter().map(channels).sum();
        let last = network.results.last().expect("the network has a result");
        self.shapes.push(Shape { channels: all - before, ..network.maps[last.map].shape });
        Some(Origin::Node(self.list.nodes.len() - 1))
    }

    fn convolution(
        &mut self,
        input: Origin,
        kernel: Kernel,
        channels: u32,
        groups: u32,
        activation: Option<Activation>,
    ) -> Option<Origin> {
        self.push(&[input], Operator::Convolution { kernel, channels, groups }, activation)
    }

    /// Nodes that nobody reads.
    fn open(&self) -> Vec<usize> {
        let is_read = |node: &usize| self.list.nodes.iter().any(|reader| reader.inputs.contains(&Origin::Node(*node)));
        (0..self.list.nodes.len()).filter(|node| !is_read(node)).collect()
    }

    /// A value: mostly one of the last few, so that graphs become deep.
    fn pick(&self, choice: u8) -> Origin {
        let nodes = self.list.nodes.len();
        let back =
            if choice.is_multiple_of(4) { usize::from(choice / 4) % nodes } else { usize::from(choice) % nodes.min(3) };
        Origin::Node(nodes - 1 - back)
    }

    fn grow(&mut self, (kind, picks, sizes): Step) {
        let [first, second] = picks.map(|pick| self.pick(pick));
        let [a, b, c, d] = sizes.map(u32::from);
        let shape = self.shape(first);
        let relu = if d.is_multiple_of(3) { None } else { Some(Activation::Relu) };
        let kernel = Kernel {
            size: Axes { y: 1 + a % 3, x: 1 + b % 3 },
            stride: Axes { y: 1 + c % 2, x: 1 + c / 2 % 2 },
            dilation: Axes::both(1 + u32::from(d.is_multiple_of(7))),
            padding: Sides { top: a % 3 / 2, left: b % 3 / 2, bottom: (a % 3).min(d % 2), right: (b % 3).min(d % 2) },
        };
        match kind {
            0..=2 => {
                let groups = [1, 1, 2, 4][usize::from(sizes[3] % 4)];
                self.convolution(first, kernel, groups * (1 + a % 3), groups, relu);
            }
            // Residual block, its first or second convolution depthwise or in two groups.
            3 | 4 => {
                let same = Kernel::square(3, 1, 1);
                let groups = [1, 2, shape.channels][usize::from(sizes[1] % 3)];
                let (of_inner, of_outer) = if c.is_multiple_of(2) { (groups, 1) } else { (1, groups) };
                let inner = self.convolution(first, same, groups * (1 + a % 3), of_inner, relu.clone());
                let outer = inner.and_then(|inner| self.convolution(inner, same, shape.channels, of_outer, None));
                if let Some(outer) = outer {
                    self.push(&[outer, first], Operator::Add, relu);
                }
            }
            // Branches of one size side by side.
            5 | 6 => {
                let branch = |side: u32| (Kernel::square(side, 1, side / 2), 1 + (a + side) % 4);
                let branches: Vec<Origin> = [1, 3]
                    .into_iter()
                    .filter_map(|side| {
                        let (kernel, channels) = branch(side);
                        self.convolution(first, kernel, channels, 1, relu.clone())
                    })
                    .collect();
                self.push(&branches, Operator::Concat, None);
            }
            7 => {
                self.push(&[first], Operator::MaxPool(Kernel { dilation: Axes::both(1), ..kernel }), None);
            }
            8 => {
                let kernel = Kernel { dilation: Axes::both(1), ..kernel };
                let counted = if d.is_multiple_of(2) { kernel.padding } else { Sides::default() };
                self.push(&[first], Operator::AveragePool { kernel, counted }, None);
            }
            // A join of any two values of one size, behind a convolution that gives them equally many channels.
            9 => {
                let channels = self.shape(second).channels;
                if let Some(adapted) = self.convolution(first, Kernel::square(1, 1, 0), channels, 1, None) {
                    self.push(&[adapted, second], Operator::Add, relu);
                }
            }
            10 if shape.channels.is_multiple_of(2) => {
                let count = shape.channels / 2;
                let half = |first| Operator::Channels { first, count };
                let halves = [self.push(&[first], half(0), None), self.push(&[first], half(count), None)];
                if let [Some(low), Some(high)] = halves
                    && let Some(changed) = self.convolution(high, Kernel::square(3, 1, 1), count, count, relu)
                    && let Some(both) = self.push(&[low, changed], Operator::Concat, None)
                {
                    self.push(&[both], Operator::Shuffle { groups: 2 }, None);
                }
            }
            // Joins behind a pool, which the tiles of the pooled layer do: with a convolution of the same stride, or with
            // what another pool makes.
            11 | 12 => {
                let stride = 1 + c % 2;
                let kernel = Kernel::square(1 + 2 * (a % 2), stride, a % 2);
                let pool = match b % 4 {
                    0 => Operator::AveragePool { kernel, counted: Sides::default() },
                    1 => Operator::GlobalAveragePool,
                    _ => Operator::MaxPool(kernel),
                };
                let is_mean = pool == Operator::GlobalAveragePool;
                let other = match (d % 2, is_mean) {
                    (0, false) => self.convolution(first, Kernel::square(1, stride, 0), shape.channels, 1, None),
                    _ => self.push(&[second], pool.clone(), None),
                };
                let channels = other.map_or(0, |other| self.shape(other).channels);
                let same = Kernel::square(3, 1, 1);
                if let Some(other) = other
                    && let Some(main) = self.convolution(first, same, channels, 1, relu.clone())
                    && let Some(pooled) = self.push(&[main], pool, None)
                {
                    self.push(&[pooled, other], Operator::Add, relu);
                }
            }
            _ => {
                self.push(&[first], Operator::Activation, Some(Activation::Clip { low: 0.0, high: 6.0 }));
            }
        }
    }

    /// Ends the graph with a classifier of all values that nobody reads.
    fn close(mut self) -> NodeList {
        let open = self.open();
        let means =
            open.into_iter().filter_map(|node| self.push(&[Origin::Node(node)], Operator::GlobalAveragePool, None));
        let means: Vec<Origin> = means.collect();
        let all = if means.len() == 1 { Some(means[0]) } else { self.push(&means, Operator::Concat, None) };
        let all = all.expect("means of all channels can be joined");
        self.push(&[all], Operator::FullyConnected { channels: 5 }, None).expect("a map can be classified");
        self.list
    }
}

//! Random networks with forks, merges, concatenations, groups and pools: the passes against a plain interpreter of the
//! list of nodes, in floating point closely, on crossbars to the bit.

use std::collections::BTreeMap;

use index::Index;
use ndarray::{Array1, Array2, Array3, ArrayD};
use network::{
    Activation, Axes, Kernel, LayerId, ListedNode, Network, NodeList, Operator, Origin, Plan, Preprocessing, Region,
    Shape, Sides,
};
use numeric::{InputRanges, LayerWeights, Method, Model, NonIdealities, Options, StageWeights, Weights, Windows};
use proptest::prelude::*;

use crate::interpreter::Interpreter;
use crate::machine::{ISAAC, Machine, bit_serial, imperfect, machines, on_threads};

/// Digits of a number, in whatever base is asked for.
struct Digits(u64);

impl Digits {
    fn below(&mut self, base: u32) -> u32 {
        let digit = self.0 % u64::from(base);
        self.0 /= u64::from(base);
        digit as u32
    }

    fn axes(&mut self, most: u32) -> Axes {
        Axes { y: 1 + self.below(most), x: 1 + self.below(most) }
    }

    fn sides(&mut self, most: Axes) -> Sides {
        let [top, bottom] = [0, 0].map(|_| self.below(most.y + 1));
        let [left, right] = [0, 0].map(|_| self.below(most.x + 1));
        Sides { top, left, bottom, right }
    }

    fn kernel(&mut self) -> Kernel {
        let (size, stride, dilation) = (self.axes(3), self.axes(2), self.axes(2));
        let reach = Axes { y: (size.y - 1) * dilation.y, x: (size.x - 1) * dilation.x };
        Kernel { size, stride, dilation, padding: self.sides(reach) }
    }

    fn activation(&mut self) -> Activation {
        match self.below(9) {
            0 => Activation::Relu,
            1 => Activation::Clip { low: -0.5, high: 0.75 },
            2 => Activation::LeakyRelu(0.125),
            3 => Activation::PRelu(0..0),
            4 => Activation::Sigmoid,
            5 => Activation::Tanh,
            6 => Activation::HardSigmoid { slope: 0.2, offset: 0.5 },
            7 => Activation::HardSwish,
            _ => Activation::Swish,
        }
    }

    fn operator(&mut self) -> Operator {
        match self.below(12) {
            0..=2 => {
                let groups = 1 << self.below(3);
                let channels = groups * (1 + self.below(4));
                Operator::Convolution { kernel: self.kernel(), channels, groups }
            }
            3 | 4 => Operator::Add,
            5 => Operator::Affine,
            6 => Operator::Activation,
            7 => Operator::MaxPool(self.kernel()),
            8 => {
                let kernel = self.kernel();
                let Sides { top, left, right, .. } = kernel.padding;
                let counted = match self.below(3) {
                    0 => Sides::default(),
                    1 => kernel.padding,
                    _ => Sides { top: top / 2, left, bottom: 0, right: right / 2 },
                };
                Operator::AveragePool { kernel, counted }
            }
            9 => {
                [Operator::GlobalAveragePool, Operator::FullyConnected { channels: 5 }][self.below(2) as usize].clone()
            }
            10 => Operator::Concat,
            _ => match self.below(2) {
                0 => Operator::Channels { first: self.below(3), count: 1 + self.below(4) },
                _ => Operator::Shuffle { groups: 1 + self.below(4) },
            },
        }
    }
}

/// A list with a node for each number that makes one that fits. If `is_cropped`, no merge reads channels of several
/// maps: what is stored of a sum is then the same for all channels.
fn list(numbers: &[u64], is_cropped: bool) -> NodeList {
    let input = Shape { height: 9, width: 7, channels: 4 };
    let preprocessing = Preprocessing::default();
    let mut list = NodeList { name: "random".into(), input, preprocessing, nodes: vec![], results: vec![] };
    // Nodes whose channels are of several maps.
    let mut mixed: Vec<bool> = Vec::new();
    let first = Operator::Convolution { kernel: Kernel::square(3, 1, 1), channels: 8, groups: 1 };
    let operators = numbers.iter().map(|&number| (Digits(number), None));
    for (mut digits, operator) in std::iter::once((Digits(0), Some(first))).chain(operators) {
        let operator = operator.unwrap_or_else(|| digits.operator());
        let count = list.nodes.len() as u32;
        let origin = |place: u32| if place == 0 { Origin::Image } else { Origin::Node(place as usize - 1) };
        // Late nodes are read more often.
        let mut place = || digits.below(count + 1).max(digits.below(count + 1));
        let (first, second) = (place(), place());
        let activation = (digits.below(2) == 0 || operator == Operator::Activation).then(|| digits.activation());
        let choices: Vec<Vec<Origin>> = match operator {
            // Any second operand that fits the first.
            Operator::Add => (0..=count).map(|n| vec![origin(first), origin((second + n) % (count + 1))]).collect(),
            Operator::Concat => vec![vec![origin(first), origin(second)]],
            _ => vec![vec![origin(first)]],
        };
        for inputs in choices {
            let of_several = |origin: &Origin| matches!(origin, Origin::Node(node) if mixed[*node]);
            let is_mixed = !operator.is_crossbar() && (operator == Operator::Concat || inputs.iter().any(of_several));
            if is_cropped && is_mixed && operator == Operator::Add {
                continue;
            }
            let (operator, activation) = (operator.clone(), activation.clone());
            list.nodes.push(ListedNode { name: format!("n{count}"), inputs, operator, activation, crop: None });
            let is_read = |node: usize| list.nodes.iter().any(|other| other.inputs.contains(&Origin::Node(node)));
            let before = std::mem::take(&mut list.results);
            list.results = (0..list.nodes.len()).filter(|&node| !is_read(node)).collect();
            if list.clone().lower().is_ok() {
                mixed.push(is_mixed);
                break;
            }
            list.nodes.pop();
            list.results = before;
        }
    }
    list
}

/// Channels of each node.
fn channels(list: &NodeList) -> Vec<u32> {
    let mut channels = Vec::new();
    for node in &list.nodes {
        let mut read = node.inputs.iter().map(|origin| match origin {
            Origin::Image => list.input.channels,
            Origin::Node(node) => channels[*node],
        });
        let own = match node.operator {
            Operator::Convolution { channels, .. } | Operator::FullyConnected { channels } => channels,
            Operator::Channels { count, .. } => count,
            Operator::Concat => read.sum(),
            _ => read.next().unwrap(),
        };
        channels.push(own);
    }
    channels
}

/// Numbers between -1 and 1 without a pattern.
fn noise(salt: usize, index: usize) -> f32 {
    let mixed = ((salt * 1_000_003 + index) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

fn weights(list: &NodeList, network: &Network) -> Weights {
    let layers = network.layers.iter().enumerate().map(|(salt, layer)| {
        let (outputs, rows) = (layer.output.channels as usize, layer.rows() as usize);
        let scale = (3.0 / rows as f32).sqrt();
        let values = (0..outputs * rows).map(|index| scale * noise(salt, index)).collect();
        LayerWeights {
            weights: ArrayD::from_shape_vec(vec![outputs, rows], values).unwrap(),
            bias: Array1::from_shape_fn(outputs, |output| 0.1 * noise(salt + 100, output)),
        }
    });
    let of_nodes = |salt: usize| -> BTreeMap<String, Array1<f32>> {
        let values = |channels| Array1::from_shape_fn(channels as usize, |channel| noise(salt, channel));
        list.nodes.iter().zip(channels(list)).map(|(node, channels)| (node.name.clone(), values(channels))).collect()
    };
    let stages = StageWeights { factors: of_nodes(200), offsets: of_nodes(201), slopes: of_nodes(202) };
    Weights { layers: layers.collect(), stages }
}

/// A plan with other bits in each layer, and in a part of each convolution.
fn plan(network: &Network, is_cropped: bool, salt: usize) -> Plan {
    let mut plan = Plan::uniform(network, 16, 16);
    for (index, (plan, layer)) in plan.layers.iter_mut().zip(&network.layers).enumerate() {
        let bits = |place: usize| 4 + (noise(salt + place, index).abs() * 13.0) as u32;
        (plan.weight_bits, plan.activation_bits) = (bits(0), bits(1));
        let Shape { height, width, .. } = layer.output;
        if is_cropped && height > 2 {
            let region = |top, height, bits| Region { top, left: width / 2, height, width: width - width / 2, bits };
            plan.regions = vec![region(0, height - 1, bits(2)), region(0, height / 2, 0)];
        }
    }
    plan
}

fn image() -> Array3<f32> {
    Array3::from_shape_fn((4, 9, 7), |(c, y, x)| noise(7, (c * 9 + y) * 7 + x))
}

#[derive(Debug)]
struct Case {
    list: NodeList,
    network: Network,
    weights: Weights,
    plan: Plan,
    ranges: InputRanges,
    output: Vec<f32>,
}

impl Case {
    fn new(numbers: &[u64], is_cropped: bool) -> Case {
        let list = list(numbers, is_cropped);
        let network = list.clone().lower().unwrap();
        let weights = weights(&list, &network);
        let plan = plan(&network, is_cropped, numbers.len());
        let one = std::num::NonZeroUsize::MIN;
        let computed = numeric::reference::run(&network, &weights, &plan, image().view(), one).unwrap();
        Case { list, network, weights, plan, ranges: computed.input_ranges, output: computed.output }
    }

    fn expected(&self, ranges: Option<&InputRanges>) -> Vec<f32> {
        let Case { list, network, weights, plan, .. } = self;
        Interpreter { list, network, weights, plan, ranges }.run(&image())
    }

    fn infer(&self, machine: &Machine, options: Options) -> numeric::Inference {
        let bits: Vec<u32> = self.plan.layers.iter().map(|layer| layer.weight_bits).collect();
        let datapath = machine.datapath(options);
        let model = Model::program(&datapath, &self.network, &self.weights, &bits, &self.ranges).unwrap();
        model.run(&self.plan, image().view()).unwrap()
    }
}

fn numbers() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_floating_point_pass_equals_an_interpreter_of_the_nodes(numbers in numbers(), is_cropped: bool) {
        let case = Case::new(&numbers, is_cropped);
        let expected = case.expected(None);
        prop_assert_eq!(case.output.len(), expected.len());
        let most = expected.iter().fold(1f32, |most, value| most.max(value.abs()));
        for (value, expected) in case.output.iter().zip(expected) {
            prop_assert!((value - expected).abs() < 1e-4 * most, "{value} and {expected} in {:#?}", case.list);
        }
    }

    #[test]
    fn crossbars_compute_the_integer_products_of_the_nodes(
        numbers in numbers(),
        is_cropped: bool,
        machine in machines(),
        options in prop_oneof![Just(Options::default()), Just(bit_serial())],
    ) {
        let case = Case::new(&numbers, is_cropped);
        let inference = case.infer(&machine, options.clone());
        prop_assert_eq!(&inference.output, &case.expected(Some(&case.ranges)), "{:#?}", case.list);
        prop_assert!(inference.layers.iter().all(|layer| layer.clipped == 0));
        prop_assert_eq!(case.infer(&machine, on_threads(3, options)), inference);
    }
}

#[test]
fn random_lists_have_every_operator() {
    let mut state = 1u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..100 {
        let numbers: Vec<u64> = (0..20).map(|_| next()).collect();
        let list = list(&numbers, false);
        list.nodes.iter().for_each(|node| *kinds.entry(node.operator.kind()).or_default() += 1);
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    assert!(kinds.values().all(|count| *count >= 10), "{kinds:?}");
}

/// A network of two layers, the second of which merges the values of the first.
fn block(stages: &str) -> Network {
    let text = format!(
        "name = \"block\"\ninput = {{ height = 4, width = 4, channels = 2 }}\n\
         [[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 1\nchannels = 2\n\
         [[layers]]\nname = \"b\"\nkind = \"convolution\"\nkernel = 1\nchannels = 2\nactivation = \"none\"\n{stages}"
    );
    network::parse(&text, "block.toml").unwrap()
}

const ADD: &str = "[[layers]]\nname = \"sum\"\nkind = \"add\"\ninputs = [\"b\", \"a\"]\n";

#[test]
fn a_position_without_values_stays_zero_whatever_the_functions_after_it() {
    let sigmoid = "[[layers]]\nname = \"half\"\nkind = \"activation\"\nactivation = \"sigmoid\"\n";
    let weights = Weights::from(vec![
        LayerWeights { weights: ArrayD::zeros(vec![2, 2]), bias: Array1::zeros(2) },
        LayerWeights { weights: ArrayD::zeros(vec![2, 2]), bias: Array1::zeros(2) },
    ]);
    // Without a skip, sigmoid(0) appears where the window is computed; with one, where either layer's is.
    for (stages, stored_rows) in [(sigmoid.to_owned(), 2), (format!("{ADD}{sigmoid}"), 3)] {
        let network = block(&stages);
        let mut plan = Plan::uniform(&network, 16, 16);
        let rows = |top, height| vec![Region { top, left: 0, height, width: 4, bits: 0 }];
        plan.layers[LayerId(0)].regions = rows(0, 1);
        plan.layers[LayerId(1)].regions = rows(0, 2);
        let one = std::num::NonZeroUsize::MIN;
        let image = Array3::<f32>::ones((2, 4, 4));
        let output = numeric::reference::run(&network, &weights, &plan, image.view(), one).unwrap().output;
        let expected: Vec<f32> = (0..32).map(|i| if i % 16 / 4 >= 4 - stored_rows { 0.5 } else { 0.0 }).collect();
        assert_eq!(output, expected, "{stages}");
    }
}

#[test]
fn operands_are_quantised_for_the_layer_that_merges_them_and_its_own_values_are_not() {
    let network = block(ADD);
    let identity = |scale: f32| {
        let weights = ndarray::arr2(&[[scale, 0.0], [0.0, scale]]).into_dyn();
        LayerWeights { weights, bias: Array1::zeros(2) }
    };
    // a is the image; b is a 64th of what it reads.
    let weights = Weights::from(vec![identity(1.0), identity(1.0 / 64.0)]);
    let mut plan = Plan::uniform(&network, 16, 16);
    plan.layers[LayerId(1)].activation_bits = 4;
    let ranges = InputRanges { layers: vec![7.0, 7.0], merges: BTreeMap::from([("sum".to_owned(), 7.0)]) };
    let datapath = ISAAC.datapath(Options::default());
    let model = Model::program(&datapath, &network, &weights, &[16; 2], &ranges).unwrap();
    let run = |value: f32| {
        let inference = model.run(&plan, Array3::from_elem((2, 4, 4), value).view()).unwrap();
        (inference.output[0], inference.layers[1].quantised, inference.layers[1].saturated)
    };
    // Four bits with range 7 hold whole numbers: 3.4 is 3, and so is what b reads of it. Its product 3 / 64 stays.
    assert_eq!(run(3.4), (3.0 + 3.0 / 64.0, 64, 0));
    // The first layer holds next to 8, which saturates as the input of b and as the operand.
    assert_eq!(run(9.0), (7.0 + 7.0 / 64.0, 64, 64));
    let missing = InputRanges { layers: vec![7.0, 7.0], ..InputRanges::default() };
    let error = Model::program(&datapath, &network, &weights, &[16; 2], &missing).unwrap_err();
    assert_eq!(error.to_string(), "there is no range for the operand of sum");
}

#[test]
fn values_of_stages_are_refused_by_name_if_missing_or_short() {
    let network = block("[[layers]]\nname = \"norm\"\nkind = \"affine\"\n");
    let layer = || LayerWeights { weights: ArrayD::zeros(vec![2, 2]), bias: Array1::zeros(2) };
    let mut weights = Weights::from(vec![layer(), layer()]);
    let one = std::num::NonZeroUsize::MIN;
    let plan = Plan::uniform(&network, 16, 16);
    let image = Array3::zeros((2, 4, 4));
    let run = |weights: &Weights| numeric::reference::run(&network, weights, &plan, image.view(), one);
    let expected = "node norm: the factor tensor has the shape [0] where [2] is needed";
    assert_eq!(run(&weights).unwrap_err().to_string(), expected);
    weights.stages.factors.insert("norm".into(), Array1::ones(2));
    weights.stages.offsets.insert("norm".into(), Array1::from_elem(2, f32::NAN));
    let expected = "node norm: the offset tensor holds a value that is not finite: NaN";
    assert_eq!(run(&weights).unwrap_err().to_string(), expected);
    weights.stages.offsets.insert("norm".into(), Array1::from_elem(2, 0.25));
    assert_eq!(run(&weights).unwrap().output, [0.25; 32]);
}

#[test]
fn groups_are_packed_diagonally_and_large_ones_are_cut() {
    let datapath = ISAAC.datapath(Options::default());
    // Groups, rows and outputs of each, crossbars.
    // 9 rows and 8 columns: 14 fit the rows of a crossbar, 16 its columns. 300 rows and 320 columns: 3 x 3 crossbars.
    for (groups, rows, outputs, crossbars) in
        [(32, 9, 1, 3), (14, 9, 1, 1), (2, 300, 40, 18), (3, 64, 8, 2), (3, 65, 8, 3)]
    {
        let weights = Array2::zeros((groups * outputs, rows));
        let programmed = datapath.program_groups(weights.view(), groups, 16, 0).unwrap();
        let windows = Windows::of_matrix(Array2::zeros((2, groups * rows)).view(), 16).unwrap();
        let counts = programmed.counts(&windows);
        let (row_blocks, column_blocks) = (rows.div_ceil(128), (outputs * 8).div_ceil(128));
        assert_eq!(counts.crossbar_reads, 2 * 16 * crossbars);
        assert_eq!(counts.adc_conversions, (2 * 16 * groups * outputs * 8 * row_blocks) as u64);
        assert_eq!(counts.dac_activations, (2 * 16 * groups * rows * column_blocks) as u64);
    }
}

#[test]
fn the_rows_of_other_groups_leak_into_a_column_where_the_ratio_is_finite() {
    // Cells of level 0 conduct one unit: a column reads its own weight plus one, and one for the other group's row.
    let options = imperfect(NonIdealities { on_off_ratio: 4.0, ..NonIdealities::default() });
    let machine = Machine { flipped_encoding: false, adc_bits: 9, ..ISAAC };
    let weights = ndarray::arr2(&[[1i16], [-2]]);
    let crossbars = machine.datapath(options.clone()).program_groups(weights.view(), 2, 2, 0).unwrap();
    assert_eq!(crossbars.method(), Method::Conductances);
    let input = Shape { height: 1, width: 1, channels: 2 };
    let text = "name = \"n\"\ninput = { height = 1, width = 1, channels = 2 }\n\
                [[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 1\nchannels = 2\ngroups = 2\n";
    let network = network::parse(text, "n.toml").unwrap();
    assert_eq!(network.input, input);
    let plan = Plan::uniform(&network, 2, 8);
    let id = LayerId::new(0);
    let map = Array3::from_shape_vec((2, 1, 1), vec![10i16, 3]).unwrap();
    let windows = Windows::of_layer(map.view(), &network.layers[id], &plan.layers[id]).unwrap();
    let sums = crossbars.multiply(&windows).unwrap().sums;
    assert_eq!(sums, ndarray::arr2(&[[2 * 10 + 3, -3 + 10]]));
    // Alone on a crossbar, a group sees no other rows.
    let small = Machine { rows: 1, ..machine };
    let crossbars = small.datapath(options).program_groups(weights.view(), 2, 2, 0).unwrap();
    assert_eq!(crossbars.multiply(&windows).unwrap().sums, ndarray::arr2(&[[2 * 10, -3]]));
}

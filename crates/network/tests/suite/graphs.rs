//! Lowering of graphs: what travels, what finishes it, and who reads what.

use proptest::prelude::*;

use network::{Activation, Kernel, LayerId, MapId, Network, Node, Operation, Part, Sides};

fn network(layers: &str) -> Network {
    let text = format!("name = 'graph'\ninput = {{ height = 8, width = 8, channels = 4 }}\n{layers}");
    network::parse(&text, "graph.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

fn convolution(name: &str, keys: &str) -> String {
    format!("[[layers]]\nname = '{name}'\nkind = 'convolution'\nkernel = 3\npadding = 1\nchannels = 4\n{keys}\n")
}

fn node(name: &str, kind: &str, keys: &str) -> String {
    format!("[[layers]]\nname = '{name}'\nkind = '{kind}'\n{keys}\n")
}

fn part(map: u32, channels: std::ops::Range<u32>) -> Part {
    Part { map: MapId(map), channels }
}

/// Operations of a map's stages.
fn operations(network: &Network, map: u32) -> Vec<Operation> {
    network.maps[MapId(map)].stages.iter().map(|stage| stage.operation.clone()).collect()
}

const RELU: Operation = Operation::Activation(Activation::Relu);

#[test]
fn the_layer_of_the_later_operand_merges_the_earlier_one() {
    let text = convolution("stem", "")
        + &convolution("a", "")
        + &convolution("b", "activation = 'none'")
        + &node("sum", "add", "inputs = ['b', 'stem']\nactivation = 'relu'")
        + &convolution("head", "");
    let residual = network(&text);
    assert_eq!(residual.maps.len(), 5);
    assert_eq!(operations(&residual, 3), [Operation::Add(vec![part(1, 0..4)]), RELU]);
    assert_eq!(residual.maps[MapId(3)].producer, Node::Layer(LayerId(2)));
    assert_eq!(residual.maps[MapId(3)].stages[0].name, "sum");
    assert_eq!(residual.reads.as_slice(), [[part(0, 0..4)], [part(1, 0..4)], [part(2, 0..4)], [part(3, 0..4)]]);
    let graph = residual.graph();
    assert_eq!(graph.mergers(LayerId(0)), [LayerId(2)]);
    assert_eq!(graph.skips(LayerId(2)), [Node::Layer(LayerId(0))]);
    assert_eq!(graph.consumers(LayerId(0)), [LayerId(1).into()]);
}

#[test]
fn a_tile_node_behind_a_concat_is_a_stage_of_each_part() {
    let text = convolution("a", "")
        + &convolution("b", "inputs = ['a']")
        + &convolution("c", "inputs = ['a']")
        + &node("all", "concat", "inputs = ['b', 'c']")
        + &node("pool", "max_pool", "kernel = 2\nstride = 2")
        + &node("scale", "affine", "")
        + &convolution("d", "inputs = ['all']")
        + &convolution("e", "inputs = ['scale']\nstride = 1")
        + &node("half", "max_pool", "inputs = ['d']\nkernel = 2\nstride = 2")
        + &node("sum", "concat", "inputs = ['half', 'e']");
    let branches = network(&text);
    // Of b and c, both the values behind ReLU travel and those behind pool and affine.
    let pool = Operation::MaxPool(Kernel::square(2, 2, 0));
    assert_eq!(operations(&branches, 2), [RELU]);
    assert_eq!(operations(&branches, 3), [RELU, pool.clone(), Operation::Affine(0..4)]);
    assert_eq!(operations(&branches, 5), [RELU, pool.clone(), Operation::Affine(4..8)]);
    assert_eq!(branches.reads[LayerId(3)], [part(2, 0..4), part(4, 0..4)]);
    assert_eq!(branches.reads[LayerId(4)], [part(3, 0..4), part(5, 0..4)]);
    assert_eq!(branches.layers[LayerId(4)].input.height, 4);
    // A layer whose values travel in one way has the pool as its own.
    assert_eq!(
        (branches.layers[LayerId(1)].pool, branches.layers[LayerId(3)].pool),
        (None, Some(Kernel::square(2, 2, 0)))
    );
    assert_eq!(branches.results, [part(6, 0..4), part(7, 0..4)]);
}

#[test]
fn a_sum_of_concats_is_merged_part_by_part() {
    let text = convolution("a", "")
        + &convolution("b", "channels = 2".replace("channels", "groups").as_str())
        + &convolution("c", "inputs = ['a']")
        + &convolution("d", "inputs = ['a']")
        + &node("first", "channels", "inputs = ['b']\nchannels = 2")
        + &node("second", "channels", "inputs = ['d']\nfirst = 2\nchannels = 2")
        + &node("both", "concat", "inputs = ['first', 'second']")
        + &node("sum", "add", "inputs = ['both', 'c']");
    let sums = network(&text);
    // c merges the half of b, which is earlier; d merges the half of c, whose values it reads from another map.
    let merges: Vec<_> = sums
        .maps
        .iter()
        .flat_map(|map| map.operands().map(|(_, parts)| (map.producer, map.channels.clone(), parts.to_vec())))
        .collect();
    let [(c, of_c, from_b), (d, of_d, from_c)] = &merges[..] else { panic!("{merges:?}") };
    assert_eq!((*c, *d), (LayerId(2).into(), LayerId(3).into()));
    assert_eq!((of_c.clone(), of_d.clone()), (0..2, 2..4));
    assert_eq!((sums.maps[from_b[0].map].producer, from_b[0].channels.clone()), (LayerId(1).into(), 0..2));
    assert_eq!((sums.maps[from_c[0].map].producer, from_c[0].channels.clone()), (LayerId(2).into(), 2..4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_graphs_are_consistent(list in network::testing::graphs()) {
        let text = list.to_toml();
        prop_assert_eq!(&network::parse_list(&text, "random.toml").unwrap(), &list);
        let network = list.lower().unwrap();
        prop_assert_eq!(&network::parse(&text, "random.toml").unwrap(), &network);
        let length = |parts: &[Part]| parts.iter().map(|part| part.channels.end - part.channels.start).sum::<u32>();
        let mut read = vec![false; network.maps.len()];
        let mut note = |parts: &[Part]| parts.iter().for_each(|part| read[part.map.0 as usize] = true);
        for (layer, parts) in network.layers.iter().zip(&network.reads) {
            prop_assert_eq!(length(parts), layer.input.channels);
            note(parts);
        }
        note(&network.results);
        for map in network.maps.iter().skip(1) {
            let layer = map.producer.layer().expect("the host has the image only");
            let shapes: Vec<_> = map.shapes(network.layers[layer].output).collect();
            prop_assert_eq!(shapes.last(), Some(&map.shape));
            for (stage, operand) in map.operands() {
                note(operand);
                prop_assert_eq!(length(operand), shapes[stage].channels);
                for part in operand {
                    let from = &network.maps[part.map];
                    prop_assert!(from.producer.layer() < Some(layer), "a tile merges what is computed before");
                    prop_assert_eq!((from.shape.height, from.shape.width), (shapes[stage].height, shapes[stage].width));
                }
            }
        }
        prop_assert!(read.iter().skip(1).all(|read| *read));
    }
}

#[test]
fn a_shuffle_is_wiring() {
    let text = convolution("a", "") + &node("mix", "shuffle", "groups = 2") + &convolution("b", "groups = 2");
    let shuffled = network(&text);
    assert_eq!(shuffled.reads[LayerId(1)], [part(1, 0..1), part(1, 2..3), part(1, 1..2), part(1, 3..4)]);
    assert_eq!(shuffled.layers[LayerId(1)].rows(), 3 * 3 * 2);
    assert_eq!(shuffled.layers[LayerId(1)].macs_per_window(), 3 * 3 * 2 * 4);
}

#[test]
fn a_network_file_says_what_it_was_read_from() {
    let text = convolution("a", "stride = { height = 2, width = 1 }\nactivation = 'clip'\nhigh = 6.0")
        + &node(
            "mean",
            "average_pool",
            "kernel = 2\npadding = { top = 0, left = 0, bottom = 1, right = 1 }\ncounted_padding = 1",
        )
        + &node("mix", "shuffle", "groups = 4")
        + &node("some", "channels", "first = 1\nchannels = 2")
        + &node("p", "activation", "activation = 'p_relu'")
        + &node("global", "global_average_pool", "activation = 'hard_swish'")
        + &node("f", "fully_connected", "channels = 3")
        + &node("g", "fully_connected", "channels = 3\ninputs = ['global']\nactivation = 'leaky_relu'\nslope = 0.1");
    let head = "name = 'graph'\nresults = ['f', 'g']\ninput = { height = 8, width = 8, channels = 4 }\n";
    let list = network::parse_list(&format!("{head}{text}"), "graph.toml").unwrap();
    let again = network::parse_list(&list.to_toml(), "again.toml").unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(again, list);
    let counted = Sides::all(1);
    let network = list.lower().unwrap();
    let mean = |operation: &Operation| matches!(operation, Operation::AveragePool { counted: c, .. } if *c == counted);
    assert!(network.maps.iter().any(|map| map.stages.iter().any(|stage| mean(&stage.operation))));
}

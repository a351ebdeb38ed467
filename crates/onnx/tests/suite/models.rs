//! Graphs exported from torchvision by both exporters. Their weights are not there: timing needs none.

use network::{Network, Plan};

use crate::build::{Build, exported, ints};

fn network(name: &str) -> Network {
    exported(name).and_then(|import| import.lower()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn exported_graphs_have_the_multiply_accumulates_that_fvcore_counts() {
    for (name, layers, macs) in [
        ("densenet121.dynamo", 121, 2_834_161_664),
        ("googlenet.script", 58, 1_498_376_192),
        ("inception_v3.dynamo", 95, 5_713_216_096),
        ("mobilenet_v2.script", 53, 300_774_272),
        ("resnet18.dynamo", 21, 1_814_073_344),
        ("resnet18.script", 21, 1_814_073_344),
        ("resnet18.unfolded", 21, 1_814_073_344),
        ("resnext50_32x4d.script", 54, 4_230_479_872),
        ("shufflenet_v2_x1_0.dynamo", 57, 144_907_992),
        ("shufflenet_v2_x1_0.script", 57, 144_907_992),
        ("squeezenet1_1.dynamo", 26, 349_151_936),
    ] {
        let network = network(name);
        assert_eq!(network.layers.len(), layers, "{name}");
        assert_eq!(Plan::uniform(&network, 16, 16).macs(&network), macs, "{name}");
    }
}

/// The machine's view without the names of tile nodes, which exporters choose.
fn unnamed(mut network: Network) -> Network {
    network.name.clear();
    network.preprocessing = network::Preprocessing::default();
    network.maps.iter_mut().flat_map(|map| &mut map.stages).for_each(|stage| stage.name.clear());
    network
}

#[test]
fn exporters_and_versions_do_not_change_the_network() {
    let preset = unnamed(network::load("resnet18").unwrap());
    for name in ["resnet18.dynamo", "resnet18.script", "resnet18.unfolded"] {
        assert_eq!(unnamed(network(name)), preset, "{name}");
    }
    let [dynamo, script] =
        ["dynamo", "script"].map(|exporter| unnamed(network(&format!("shufflenet_v2_x1_0.{exporter}"))));
    assert_eq!(dynamo, script);
    let mobilenet = unnamed(network("mobilenet_v2.script"));
    assert_eq!(mobilenet, unnamed(network::load("mobilenet_v2").unwrap()));
}

/// VGG16 as exporters write it, with the names of the preset. Its weights are all alike, which takes no room.
fn vgg16() -> Network {
    let named = |name: String| -> &'static str { name.leak() };
    let weights = |build: Build<'static>, layer: &'static str, dims: &[i64]| {
        let (dims_of, values) = (named(format!("{layer}.dims")), named(format!("{layer}.weight")));
        (build.whole(dims_of, dims).node("ConstantOfShape", &[dims_of], values, vec![]), values)
    };
    let (mut build, mut at, mut channels) = (Build::new(&[1, 3, 224, 224]), "x", 3);
    for (block, outputs, layers) in [(1, 64, 2), (2, 128, 2), (3, 256, 3), (4, 512, 3), (5, 512, 3)] {
        for layer in 1..=layers {
            let name = named(format!("conv{block}_{layer}"));
            let (with_weights, weights) = weights(build, name, &[outputs, channels, 3, 3]);
            let relu = named(format!("{name}.relu"));
            let convolved = with_weights.node("Conv", &[at, weights], name, vec![ints("pads", &[1, 1, 1, 1])]);
            (build, at, channels) = (convolved.node("Relu", &[name], relu, vec![]), relu, outputs);
        }
        let pool = named(format!("pool{block}"));
        let window = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
        (build, at) = (build.node("MaxPool", &[at], pool, window), pool);
    }
    (build, at) = (build.node("Flatten", &[at], "flat", vec![]), "flat");
    for (name, inputs, outputs) in [("fc6", 25_088, 4096), ("fc7", 4096, 4096), ("fc8", 4096, 1000)] {
        let (with_weights, weights) = weights(build, name, &[inputs, outputs]);
        build = with_weights.node("MatMul", &[at, weights], name, vec![]);
        at = name;
        if name != "fc8" {
            let relu = named(format!("{name}.relu"));
            (build, at) = (build.node("Relu", &[name], relu, vec![]), relu);
        }
    }
    build.import().lower().unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn vgg16_from_a_model_is_the_network_that_ships() {
    // Crops are not part of a model.
    let mut preset = unnamed(network::load("vgg16").unwrap());
    preset.layers.iter_mut().for_each(|layer| layer.crop = None);
    assert_eq!(unnamed(vgg16()), preset);
}

#[test]
fn a_network_file_written_from_a_model_is_the_same_network() {
    for name in ["googlenet.script", "densenet121.dynamo", "shufflenet_v2_x1_0.script"] {
        let import = exported(name).unwrap();
        let read = network::parse(&import.list.to_toml(), "written.toml").unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(read, import.lower().unwrap(), "{name}");
    }
}

#[test]
fn weights_that_are_not_there_are_named() {
    let import = exported("resnet18.script").unwrap();
    let message = import.weights().unwrap_err().to_string();
    assert!(message.contains("lie in a file that is missing"), "{message}");
    assert!(!import.report.missing.is_empty());
}

#[test]
fn squeeze_excite_is_refused_node_by_node() {
    let Err(faults) = exported("mobilenet_v3_small.script") else { panic!("it is refused") };
    let first = faults.iter().next().unwrap().message().to_owned();
    assert!(first.contains("squeeze-excite") && first.contains("features.1"), "{first}");
}

#[test]
fn the_arithmetic_on_the_picture_is_left_to_the_host() {
    let import = exported("googlenet.script").unwrap();
    assert!(!import.report.host.is_empty());
    let network = import.lower().unwrap();
    // Each colour is scaled and shifted on its own.
    assert_eq!(network.reads[network::LayerId(0)].len(), 3);
    assert!(network.maps_of(network::Node::Host).count() > 1);
}

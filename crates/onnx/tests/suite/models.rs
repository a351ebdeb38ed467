//! Graphs exported from torchvision by both exporters. Their weights are not there: timing needs none.

use network::{Network, Plan};

use crate::build::exported;

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

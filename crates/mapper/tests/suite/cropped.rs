//! Replicas that are balanced for a crop.

use index::size;
use mapper::{Layout, balance, balance_cropped};
use network::{Edges, LayerId, LayerKind, Plan};

fn cropped(network: &network::Network, edges: &str) -> Plan {
    let edges: Edges = edges.parse().expect("names of edges");
    Plan::uniform(network, 16, 16).crop(network, edges).expect("VGG16 states its crops")
}

/// The most and the fewest windows that a replica of each convolution computes.
fn spread(layout: &Layout) -> Vec<(usize, usize)> {
    let convolutions = layout.layers.iter().filter(|layer| layer.layer.kind == LayerKind::Convolution);
    let spread = convolutions.map(|layer| {
        let windows = || layer.replicas.indices().map(|replica| layer.windows(replica).len());
        (windows().max().expect("a layer has a replica"), windows().min().expect("a layer has a replica"))
    });
    spread.collect()
}

#[test]
fn replicas_share_the_windows_that_a_crop_leaves() {
    let arch = arch::load("isaac-ce").expect("a preset");
    let network = network::load("vgg16").expect("a preset");
    for edges in network::Edges::all() {
        let plan = cropped(&network, &edges.to_string());
        let layout = balance_cropped(&arch, &network, &plan).expect("the board is large enough");
        let last = &layout.layers[LayerId(12)];
        let aim = size(last.computed_windows());
        for ((most, _), layer) in spread(&layout).into_iter().zip(&network.layers) {
            // A replica takes whole cells of the max-pool, and so up to one cell more than its share.
            let cell = size(layer.pool.map_or(1, |pool| pool.stride.y.pow(2)));
            assert!(most < aim + 2 * cell, "{}, crop {edges}: {most} windows for {aim}", layer.name);
        }
    }
}

#[test]
fn without_a_crop_there_is_nothing_to_rebalance() {
    let arch = arch::load("isaac-ce").expect("a preset");
    let network = network::load("vgg16").expect("a preset");
    let plan = Plan::uniform(&network, 16, 16);
    let (whole, cropped) = (balance(&arch, &network, &plan), balance_cropped(&arch, &network, &plan));
    assert_eq!(whole.expect("it fits").mapping, cropped.expect("it fits").mapping);
}

#[test]
fn a_mapping_for_a_crop_is_read_back_and_refused_for_another_crop() {
    let arch = arch::load("isaac-ce").expect("a preset");
    let network = network::load("vgg16").expect("a preset");
    let plan = cropped(&network, "left,top");
    let mapping = balance_cropped(&arch, &network, &plan).expect("it fits").mapping;
    let text = mapping.to_toml();
    let read = Layout::parse(&text, "left-top.toml", &arch, &network, &plan).expect("it is what was written");
    assert_eq!(read.mapping, mapping);

    let faults = Layout::parse(&text, "left-top.toml", &arch, &network, &cropped(&network, "bottom"));
    let faults = faults.expect_err("windows at the top are missing").to_string();
    assert!(faults.contains("conv1_1: windows leaves out the window at row 0 and column 0"), "{faults}");
}

#[test]
fn windows_that_an_addition_keeps_are_dealt() {
    let convolution = |name: &str, more: &str| {
        format!(
            "[[layers]]\nname = '{name}'\nkind = 'convolution'\nkernel = 3\npadding = 1\nchannels = 4\n\
             crop = {{ x = 2, y = 2 }}\n{more}\n"
        )
    };
    let sum = "[[layers]]\nname = 'sum'\nkind = 'add'\ninputs = ['b', 'a']\n";
    let layers = convolution("a", "") + &convolution("b", "activation = 'none'") + sum;
    let text = format!("name = 'sum'\ninput = {{ height = 8, width = 8, channels = 4 }}\n{layers}");
    let network = network::parse(&text, "sum.toml").expect("the network is valid");
    let arch = arch::load("tiny").expect("a preset");
    let both = cropped(&network, "left");
    let mut only_b = both.clone();
    only_b.layers[LayerId(0)].regions.clear();
    let dealt = |plan: &Plan| {
        let layout = balance_cropped(&arch, &network, plan).expect("it fits");
        (layout.layers.iter().map(mapper::LayerLayout::all_windows).collect::<Vec<_>>(), layout.mapping)
    };
    assert_eq!(dealt(&only_b).0, [64, 64], "b adds a where it computes nothing");
    let (windows, mapping) = dealt(&both);
    assert_eq!(windows, [48, 48]);
    let faults = Layout::parse(&mapping.to_toml(), "left.toml", &arch, &network, &only_b);
    let faults = faults.expect_err("windows at the left are missing").to_string();
    for (layer, why) in [("a", "which is not cropped"), ("b", "which an addition or a mean keeps")] {
        let fault = format!("{layer}: windows leaves out the window at row 0 and column 0, {why}");
        assert!(faults.contains(&fault), "{faults}");
    }
}

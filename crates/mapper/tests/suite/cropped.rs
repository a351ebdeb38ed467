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

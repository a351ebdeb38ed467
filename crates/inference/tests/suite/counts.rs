//! The counts of the computation are those of the simulation, layer by layer.

use arch::Arch;
use chip::Options;
use mapper::Layout;
use ndarray::{Array2, Array3};
use network::{LayerId, Network, Plan, Region, Shape};
use numeric::Datapath;
use proptest::prelude::*;

/// Holds reads, conversions and driven rows of each layer equal, without computing any value, and adds up the reads.
fn check(arch: &Arch, network: &Network, layout: &Layout, plan: &Plan) -> u64 {
    let layout = Layout::new(arch, network, plan, layout.mapping.clone()).unwrap();
    let simulated = chip::run(arch, &layout, &Options::default()).unwrap();
    let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, numeric::Options::default()).unwrap();
    let datapath = datapath.skipping_zero_row_blocks(arch.ima.skip_zero_row_blocks);
    let stored = numeric::stored(network, plan);
    for ((id, layer), simulated) in network.layers.enumerate().zip(&simulated.layers) {
        let plan = &plan.layers[id];
        let (rows, outputs) = (layer.rows() as usize, layer.output.channels as usize);
        let weights = Array2::zeros((outputs, rows));
        let groups = layer.groups as usize;
        let crossbars = datapath.program_groups(weights.view(), groups, plan.weight_bits, 0).unwrap();
        let map = Array3::zeros([layer.input.channels, layer.input.height, layer.input.width].map(|n| n as usize));
        let windows = numeric::Windows::of_layer(map.view(), layer, plan).unwrap();
        let windows = windows.with_stored(layer, &network.reads[id], &stored).unwrap();
        let (computed, simulated) = (crossbars.counts(&windows), &simulated.counts);
        let name = &layer.name;
        assert_eq!(computed.crossbar_reads, simulated.crossbar_reads, "reads of {name}");
        assert_eq!(computed.adc_conversions, simulated.adc_conversions, "conversions of {name}");
        assert_eq!(computed.dac_activations, simulated.dac_activations, "driven rows of {name}");
    }
    simulated.counts().crossbar_reads
}

/// Whole, cropped, with regions of 16, 8, 4 and 0 bits, and with half of the first map cropped.
fn plans(network: &Network, weight_bits: &[u32]) -> Vec<Plan> {
    let whole = Plan::uniform(network, 16, 16).with_weights(weight_bits);
    let cropped = whole.clone().crop(network, "top,left".parse().unwrap()).unwrap();
    let mut mixed = whole.clone().crop(network, "bottom".parse().unwrap()).unwrap();
    for (plan, layer) in mixed.layers.iter_mut().zip(&network.layers).filter(|(_, layer)| layer.crop.is_some()) {
        let (height, width) = (layer.output.height, layer.output.width);
        plan.activation_bits = 4;
        plan.regions.insert(0, Region { top: 0, left: 0, height, width: width / 2, bits: 8 });
        plan.regions.insert(1, Region { top: height / 3, left: 1, height: height / 3, width: width / 2, bits: 16 });
    }
    let mut half = whole.clone();
    let Shape { height, width, .. } = network.layers[LayerId(0)].output;
    half.layers[LayerId(0)].regions = vec![Region { top: 0, left: 0, height: height / 2, width, bits: 0 }];
    vec![whole, cropped, mixed, half]
}

fn check_all(arch: &str, network: &str, weight_bits: &str) {
    check_on(&arch::load(arch).unwrap(), network, weight_bits);
}

fn check_on(arch: &Arch, network: &str, weight_bits: &str) -> Vec<u64> {
    let network = network::load(network).unwrap();
    let bits = network::parse_weights(weight_bits, &network).unwrap();
    let plans = plans(&network, &bits);
    let layout = mapper::balance(arch, &network, &plans[0]).unwrap();
    plans.iter().map(|plan| check(arch, &network, &layout, plan)).collect()
}

/// The same for a graph, whole and cropped in places.
fn check_graph(arch: &Arch, network: &Network, crops: u32) {
    let (whole, cropped) = (Plan::uniform(network, 16, 16), network::testing::half_cropped(network, crops));
    let layout = mapper::balance(arch, network, &whole).unwrap();
    check(arch, network, &layout, &whole);
    check(arch, network, &layout, &cropped);
}

#[test]
fn counts_agree_on_graphs_with_joins_and_groups_of_channels() {
    let mut arch = arch::load("isaac-ce").unwrap();
    for skips in [false, true] {
        arch.ima.skip_zero_row_blocks = skips;
        for network in ["resnet18", "mobilenet_v2"] {
            check_graph(&arch, &network::load(network).unwrap(), 0b1110);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 4096, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn counts_agree_on_random_graphs(
        list in network::testing::graphs(),
        crops in any::<u32>(),
        skips in any::<bool>(),
    ) {
        let mut arch = arch::load("tiny").unwrap();
        arch.edram.bytes = 65536;
        arch.ima.skip_zero_row_blocks = skips;
        let network = list.lower().unwrap();
        prop_assume!(mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).is_ok());
        check_graph(&arch, &network, crops);
    }
}

#[test]
fn counts_agree_on_vgg16_whole_cropped_and_in_several_precisions() {
    check_all("isaac-ce", "vgg16", "varied");
}

#[test]
fn counts_agree_on_a_small_machine() {
    check_all("tiny", "tiny", "16");
    check_all("tiny", "tiny", "11");
}

#[test]
fn counts_agree_where_row_blocks_of_zeros_are_skipped() {
    for (arch, network, weight_bits) in [("tiny", "tiny", "16"), ("isaac-ce", "vgg11", "12")] {
        let mut arch = arch::load(arch).unwrap();
        let all = check_on(&arch, network, weight_bits);
        arch.ima.skip_zero_row_blocks = true;
        let skipping = check_on(&arch, network, weight_bits);
        assert!(skipping[3] < all[3], "nothing is skipped: {skipping:?} of {all:?}");
    }
}

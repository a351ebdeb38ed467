//! Networks with forks, joins and concatenations: runs end, and everything is counted.

use arch::{Arch, Counts};
use chip::{Fidelity, Forward, Options, Order, Outcome};
use mapper::{Layout, MappingError};
use network::{Layer, LayerId, Network, NodeList, Plan};
use proptest::prelude::*;

use crate::any::any_machine;
use crate::many_images::run_at;
use crate::support::{machine, network};

/// A random graph, cropped in places, as far as it can be mapped to `arch`.
fn laid_out(arch: &Arch, list: NodeList, crops: u32) -> Option<Layout> {
    let network = list.lower().expect("generated graphs are networks");
    mapper::balance(arch, &network, &network::testing::half_cropped(&network, crops)).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 65536, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_end_and_both_fidelities_agree(
        list in network::testing::graphs(),
        arch in prop_oneof![1 => Just(machine("tiny", &[("edram.bytes", "65536")])), 1 => any_machine()],
        images in 1u32..=20,
        crops in prop_oneof![Just(0), any::<u32>()],
        uncontended in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let layout = laid_out(&arch, list, crops);
        prop_assume!(layout.is_some());
        let layout = layout.expect("checked");
        let at = |fidelity, order, forward| {
            run_at(&arch, &layout, &Options { images, fidelity, uncontended, order, forward, ..Options::default() })
        };
        // A state that recurred has to go on to recur.
        let outcome = at(Fidelity::Operation, Order::Sent, Forward::Check);
        prop_assert_eq!(outcome.images.len(), images as usize);
        let forwarded = at(Fidelity::Iteration, Order::Shuffled(seed), Forward::Recurring);
        prop_assert_eq!(&outcome, &Outcome { recurrence: None, ..forwarded });
        if !arch.ima.skip_zero_row_blocks {
            for (layer, counted) in layout.layers.iter().zip(&outcome.layers) {
                let reads = layer.computed_windows() * u64::from(arch.iterations(16)) * u64::from(images);
                let expected = counts_of_a_read(&arch, &layer.layer).map(|count| reads * count);
                let Counts { crossbar_reads, dac_activations, adc_conversions, .. } = counted.counts;
                let counted = [crossbar_reads, dac_activations, adc_conversions];
                prop_assert_eq!(counted, expected, "{}", layer.layer.name);
            }
        }
    }
}

/// Crossbars, rows driven in them and columns converted in one read of a layer with weights of 16 bits: as many groups of
/// channels as fit stand diagonally in a crossbar, and a group that does not fit is cut.
fn counts_of_a_read(arch: &Arch, layer: &Layer) -> [u64; 3] {
    let [height, width] = [arch.crossbar.rows, arch.crossbar.columns].map(u64::from);
    let [rows, outputs, groups] = [layer.rows(), layer.output.channels, layer.groups].map(u64::from);
    let columns = outputs / groups * u64::from(arch.columns_per_weight(16));
    let (row_blocks, col_blocks) = (rows.div_ceil(height), columns.div_ceil(width));
    let crossbars = match (height / rows).min(width / columns) {
        0 => groups * row_blocks * col_blocks,
        packed => groups.div_ceil(packed),
    };
    let units = u64::from(arch.adc.unit_column) * crossbars;
    [crossbars, groups * rows * col_blocks, groups * columns * row_blocks + units]
}

/// A residual block of 3 x 3 convolutions over a map of 8 x 8 positions.
const BLOCK: &str = "
    [[layers]]
    name = 'stem'
    kind = 'convolution'
    kernel = 3
    padding = 1
    channels = 4
    [[layers]]
    name = 'a'
    kind = 'convolution'
    kernel = 3
    padding = 1
    channels = 4
    [[layers]]
    name = 'b'
    kind = 'convolution'
    kernel = 3
    padding = 1
    channels = 4
    activation = 'none'
    [[layers]]
    name = 'sum'
    kind = 'add'
    inputs = ['b', 'stem']
    activation = 'relu'
";

#[test]
fn a_skip_buffer_a_position_too_small_is_refused_with_the_size_that_then_runs() {
    let network = network([8, 8, 4], BLOCK);
    let plan = Plan::uniform(&network, 16, 16);
    let on = |bytes: u64| {
        let arch = machine("tiny", &[("edram.bytes", &bytes.to_string())]);
        (mapper::balance_to(&arch, &network, &plan, 64, 64), arch)
    };
    let layout = on(65536).0.expect("there is room");
    let merging = &layout.layers[network::LayerId(2)];
    let skip = merging.slices.iter().find(|slice| slice.reader == mapper::Reader::Register).expect("b merges stem");
    // From the position of a window to the last that the two kernels of the other path need for it.
    assert_eq!(skip.order.positions_at_once, 2 * 8 + 3);
    let needed: u64 = merging.slices.iter().map(mapper::InputSlice::bytes_at_once).sum();
    let position = skip.position_bits / 8;
    let error = on(needed - position).0.expect_err("a position does not find room");
    let (message, remedy) = (error[0].to_string(), error[0].remedy());
    assert!(message.contains("152 bytes of the skip of sum"), "{message}");
    assert!(message.contains("144 bytes free"), "{message}");
    assert!(remedy.ends_with(&format!("at least {needed}")), "{remedy}");
    let (layout, arch) = on(needed);
    let layout = layout.expect("it fits to the byte");
    let outcome = run_at(&arch, &layout, &Options { images: 3, ..Options::default() });
    assert_eq!(outcome.images.len(), 3);
}

/// A layout of `network` on ISAAC-CE with these layers' first three rows cropped.
fn with_cropped_rows(network: &Network, layers: &[&str]) -> Result<Layout, Vec<MappingError>> {
    let region = |layer: &&str| {
        format!("[[layers]]\nname = '{layer}'\nregions = [{{ top = 0, left = 0, height = 3, width = 8, bits = 0 }}]\n")
    };
    let text: String = layers.iter().map(region).collect();
    let plan = Plan::parse(&text, "plan.toml", network).expect("a plan");
    mapper::balance(&machine("isaac-ce", &[]), network, &plan)
}

#[test]
fn a_join_passes_on_what_it_adds_where_its_layer_is_cropped() {
    let network = network([8, 8, 4], BLOCK);
    let passed = |layers: &[&str]| {
        let layout = with_cropped_rows(&network, layers).expect("it fits");
        let outcome = run_at(&machine("isaac-ce", &[]), &layout, &Options::default());
        let layer = &layout.layers[LayerId(2)];
        let Counts { windows, tile_shift_adds, .. } = outcome.layers[2].counts;
        (layer.all_windows(), windows, tile_shift_adds / 4)
    };
    // Windows that leave the join, those that are computed, and results and operands that are added to the register.
    assert_eq!(passed(&[]), (64, 64, 64 + 64));
    assert_eq!(passed(&["b"]), (64, 40, 64 + 64));
    assert_eq!(passed(&["stem"]), (64, 64, 64 + 40));
    assert_eq!(passed(&["b", "stem"]), (40, 40, 40 + 40));
}

/// A residual block that adds what a convolution of stride 2 makes to what a pool of stride 2 makes.
const POOLED: &str = "
    [[layers]]
    name = 'stem'
    kind = 'convolution'
    kernel = 3
    padding = 1
    channels = 4
    [[layers]]
    name = 'short'
    kind = 'convolution'
    kernel = 1
    stride = 2
    channels = 4
    activation = 'none'
    [[layers]]
    name = 'main'
    kind = 'convolution'
    inputs = ['stem']
    kernel = 3
    padding = 1
    channels = 4
    [[layers]]
    name = 'pool'
    kind = 'max_pool'
    kernel = 3
    stride = 2
    padding = 1
    [[layers]]
    name = 'sum'
    kind = 'add'
    inputs = ['pool', 'short']
    activation = 'relu'
";

#[test]
fn a_pooled_position_is_added_to_with_the_window_that_finishes_it() {
    let network = network([8, 8, 4], POOLED);
    let arch = machine("isaac-ce", &[]);
    let added = |crops: &str| {
        let plan = Plan::parse(crops, "plan.toml", &network).expect("a plan");
        let layout = mapper::balance(&arch, &network, &plan).expect("it fits");
        let at = |fidelity| run_at(&arch, &layout, &Options { images: 3, fidelity, ..Options::default() });
        let outcome = at(Fidelity::Operation);
        assert_eq!(outcome, at(Fidelity::Iteration));
        let Counts { windows, tile_shift_adds, max_pools, sigmoids, .. } = outcome.layers[2].counts;
        let of_channels = [tile_shift_adds, max_pools, sigmoids].map(|values| values / 4 / 3);
        (layout.layers[LayerId(2)].all_windows(), windows / 3, of_channels)
    };
    let rows = |layer: &str, height, width| {
        format!(
            "[[layers]]\nname = '{layer}'\nregions = [{{ top = 0, left = 0, height = {height}, width = {width}, bits = 0 }}]\n"
        )
    };
    // Windows that pass through the tiles, those that are computed, and values of a channel: results and operands that
    // are added, those that the pool takes, and those that pass the sigmoid unit. A pool of 3 takes 11 of 8 rows: 2 at
    // the edge and thrice 3.
    assert_eq!(added(""), (64, 64, [64 + 16, 121, 64 + 16]));
    // Of the first row of positions no window is computed. Each keeps its last, in columns 1, 3, 5 and 7, which lie under
    // 7 positions of that row and of the next. The rows that are left lie under positions 7 times.
    assert_eq!(added(&rows("main", 3, 8)), (40 + 4, 40, [44 + 16, 2 * 7 + 7 * 11, 44 + 16]));
    assert_eq!(added(&rows("short", 1, 4)), (64, 64, [64 + 12, 121, 64 + 16]));
    // Nothing is left of the first row of positions.
    assert_eq!(added(&(rows("main", 3, 8) + &rows("short", 1, 4))), (40, 40, [40 + 12, 7 * 11, 40 + 12]));
}

#[test]
fn the_buffer_of_a_skip_behind_a_pool_holds_what_the_other_path_needs() {
    let network = network([8, 8, 4], POOLED);
    let plan = Plan::uniform(&network, 16, 16);
    let on = |bytes: u64| {
        let arch = machine("tiny", &[("edram.bytes", &bytes.to_string())]);
        (mapper::balance_to(&arch, &network, &plan, 64, 64), arch)
    };
    let layout = on(65536).0.expect("there is room");
    let merging = &layout.layers[LayerId(2)];
    let skip = merging.slices.iter().find(|slice| slice.reader == mapper::Reader::Register).expect("main merges short");
    // Position (y, x) is finished by window (2 y + 1, 2 x + 1), for which the stem is computed up to (2 y + 2, 2 x + 2), and
    // the short path follows up to (y + 1, x + 1).
    assert_eq!(skip.order.positions_at_once, 4 + 2);
    let needed: u64 = merging.slices.iter().map(mapper::InputSlice::bytes_at_once).sum();
    let error = on(needed - skip.position_bits / 8).0.expect_err("a position does not find room");
    assert!(error[0].to_string().contains("152 bytes of inputs of main"), "{}", error[0]);
    let (layout, arch) = on(needed);
    let outcome = run_at(&arch, &layout.expect("it fits to the byte"), &Options { images: 3, ..Options::default() });
    assert_eq!(outcome.images.len(), 3);
}

#[test]
fn a_layer_keeps_cropped_positions_for_one_of_its_maps_only() {
    let two_maps = BLOCK.to_owned()
        + "
    [[layers]]
    name = 'of_sum'
    kind = 'convolution'
    kernel = 1
    channels = 4
    activation = 'none'
    [[layers]]
    name = 'of_b'
    kind = 'convolution'
    inputs = ['b']
    kernel = 1
    channels = 4
    [[layers]]
    name = 'both'
    kind = 'add'
    inputs = ['of_b', 'of_sum']
";
    let network = network([8, 8, 4], &two_maps);
    let received = |layers: &[&str]| {
        let layout = with_cropped_rows(&network, layers).expect("it fits");
        let arch = machine("isaac-ce", &[]);
        let at = |fidelity| run_at(&arch, &layout, &Options { images: 3, fidelity, ..Options::default() });
        assert_eq!(at(Fidelity::Operation), at(Fidelity::Iteration));
        let crossbars = |layer| &layout.layers[LayerId(layer)].slices[mapper::SliceId(0)];
        (layout.layers[LayerId(2)].all_windows(), [3, 4].map(|layer| crossbars(layer).order.positions))
    };
    // Windows of b that pass through its tiles, and positions that of_sum and of_b receive.
    assert_eq!(received(&[]), (64, [64, 64]));
    assert_eq!(received(&["b"]), (64, [64, 40]));
    assert_eq!(received(&["b", "stem"]), (40, [40, 40]));
}

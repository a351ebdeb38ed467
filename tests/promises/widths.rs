//! Numbers at the edge of what a layout can state: the run is right, or the error names layer, number and limit.

use chip::{Options, SimulationError};
use mapper::{Layout, MappingError};
use network::{Kernel, Layer, LayerId, LayerKind, Network, Plan, Shape};

use crate::support::{isaac, machine, network, run, run_layout};

/// A board of a million tiles, each with one crossbar of so many rows.
fn board_of_single_crossbars(rows: &str, columns: &str) -> arch::Arch {
    machine(
        "tiny",
        &[
            ("board.chips", "256"),
            ("chip.tile_columns", "64"),
            ("chip.tile_rows", "64"),
            ("tile.imas", "1"),
            ("ima.crossbars", "1"),
            ("adc.count", "1"),
            ("crossbar.rows", rows),
            ("crossbar.columns", columns),
            ("adc.bits", "16"),
            ("ima.input_register_bytes", "8192"),
            ("edram.bytes", "1048576"),
        ],
    )
}

fn map(arch: &arch::Arch, network: &Network) -> Result<Layout, Vec<MappingError>> {
    mapper::balance(arch, network, &Plan::uniform(network, 16, 16))
}

#[test]
fn a_window_of_65_536_contributions_is_finished() {
    // A row for each input, and a tile for each row: one window gathers the partial sums of 65,536 tiles.
    let rows = network(
        [1, 1, 65_536],
        "[[layers]]\nname = \"f1\"\nkind = \"fully_connected\"\nchannels = 8\n\
         [[layers]]\nname = \"f2\"\nkind = \"fully_connected\"\nchannels = 2\n",
    );
    let outcome = run(&board_of_single_crossbars("1", "64"), &rows, &Plan::uniform(&rows, 16, 16), &Options::default());
    assert_eq!(outcome.layers[0].counts.tile_shift_adds, 65_536 * 8 + 65_535 * 8);
}

#[test]
fn a_max_pool_over_256_by_256_windows_is_one_position() {
    // In one step, and in two: 65,536 windows under the position. The second pool takes the 256 results of the first.
    for (pools, taken) in [(&[256][..], 65_536), (&[16, 16], 65_536 + 256)] {
        let mut layers =
            "[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 4\n".to_owned();
        for (index, side) in pools.iter().enumerate() {
            layers +=
                &format!("[[layers]]\nname = \"p{index}\"\nkind = \"max_pool\"\nkernel = {side}\nstride = {side}\n");
        }
        layers += "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 10\n";
        let global = network([256, 256, 1], &layers);
        let outcome = run(&isaac(&[]), &global, &Plan::uniform(&global, 16, 16), &Options::default());
        assert_eq!((outcome.layers[0].counts.max_pools, outcome.layers[1].counts.windows), (4 * taken, 1));
    }
}

#[test]
fn seventy_thousand_replicas_are_wired_in_little_memory() {
    // 265 x 530 windows, two for each replica, since the next layer has two.
    let wide = network(
        [265, 530, 1],
        "[[layers]]\nname = \"many\"\nkind = \"convolution\"\nkernel = 1\nchannels = 1\n\
         [[layers]]\nname = \"one\"\nkind = \"convolution\"\nkernel = 265\nstride = 265\nchannels = 1\n",
    );
    let arch = board_of_single_crossbars("4096", "64");
    let layout = map(&arch, &wide).expect("the board is large enough");
    assert_eq!(layout.layers[LayerId(0)].replicas.len(), 265 * 265);
    let outcome = run_layout(&arch, &layout, &Options::default());
    assert_eq!((outcome.layers[0].counts.windows, outcome.layers[1].counts.windows), (265 * 530, 2));
}

#[test]
fn more_images_than_16_bits_count_go_through_a_max_pool() {
    let tiny = network(
        [2, 2, 1],
        "[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 1\nchannels = 1\n\
         [[layers]]\nname = \"p\"\nkind = \"max_pool\"\nkernel = 2\nstride = 2\n\
         [[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 1\n",
    );
    let options = Options { images: 70_000, ..Options::default() };
    let plan = Plan::uniform(&tiny, 16, 1);
    let outcome = run(&machine("tiny", &[]), &tiny, &plan, &options);
    assert_eq!(outcome.layers[0].counts.max_pools, 4 * 70_000);
}

fn limit(network: &Network, arch: &arch::Arch) -> String {
    let errors = map(arch, network).expect_err("an error");
    assert!(errors.iter().any(|error| matches!(error, MappingError::Limit { .. })), "{errors:?}");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn too_many_layers_are_refused_with_their_number_and_the_limit() {
    let one = network([1, 1, 1], "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 1\n");
    let layers =
        (0..66_000).map(|index| Layer { name: format!("f{index}"), ..one.layers[LayerId(0)].clone() }).collect();
    let text = limit(&Network { layers, ..one }, &isaac(&[]));
    assert_eq!(text, "the network has 66000 layers with weights, and the limit is 65535");
}

#[test]
fn a_replica_with_more_output_groups_than_can_be_counted_is_refused() {
    let wide = network(
        [1, 1, 1],
        "[[layers]]\nname = \"wide\"\nkind = \"fully_connected\"\nchannels = 65536\n\
         [[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 1\n",
    );
    assert_eq!(
        limit(&wide, &board_of_single_crossbars("32", "8")),
        "wide has 65536 output groups, and the limit is 65535"
    );
}

#[test]
fn a_map_too_large_for_its_coordinates_is_refused() {
    let mut large = network([1, 1, 1], "[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 1\nchannels = 1\n");
    let side = Shape { height: 65_537, width: 1, channels: 1 };
    let layer = &mut large.layers[LayerId(0)];
    (layer.input, layer.output, layer.pooled) = (side, side, side);
    assert_eq!(limit(&large, &isaac(&[])), "c has 65537 rows or columns of windows, and the limit is 65536");
}

#[test]
fn a_replica_of_more_imas_than_can_be_numbered_is_too_large_for_the_board() {
    // 2^31 row blocks x 2^16 column blocks.
    let mut huge = network([1, 1, 65_536], "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 65536\n");
    huge.layers[LayerId(0)].kernel.size.y = 32_767;
    let errors = map(&board_of_single_crossbars("1", "8"), &huge).expect_err("an error");
    let [MappingError::BoardTooSmall { needed, needed_tiles, .. }] = errors[..] else { panic!("{errors:?}") };
    assert_eq!((needed, needed_tiles), (32_767 * 65_536 * 65_536, 32_767 * 65_536 * 65_536));
}

#[test]
fn images_of_which_results_cannot_be_counted_are_refused() {
    // Padding makes more positions after the pool than there are windows before it.
    let mut grown =
        network([64, 64, 1], "[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 64\nchannels = 1\n");
    let layer = &mut grown.layers[LayerId(0)];
    layer.pool = Some(Kernel::square(64, 1, 63));
    layer.pooled = Shape { height: 64, width: 64, channels: 1 };
    assert_eq!((layer.kind, layer.windows()), (LayerKind::Convolution, 1));
    let arch = isaac(&[]);
    let layout = map(&arch, &grown).expect("it fits");
    // 4,096 results of each image; of the one window 2^31 images could be counted.
    let options = Options { images: 1 << 21, ..Options::default() };
    assert!(matches!(chip::run(&arch, &layout, &options), Err(SimulationError::TooManyImages { .. })));
}

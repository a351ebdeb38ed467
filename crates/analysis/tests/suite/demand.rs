//! What an image needs of each port, link and bus is what the simulator counts there, to the flit and the bit.

use arch::Arch;
use components::Port;
use mapper::Layout;
use network::{LayerId, Network, Plan, Region};
use proptest::prelude::*;

use crate::passing::Passing;

/// A preset with other values of some keys, in TOML.
pub(crate) fn machine(preset: &str, changes: &[(&str, &str)]) -> Arch {
    let (text, file) = arch::text(preset).expect("a preset");
    let value = |text: &str| format!("v = {text}").parse::<toml::Table>().expect("a value")["v"].clone();
    let changes: Vec<_> = changes.iter().map(|&(key, text)| (key, value(text))).collect();
    arch::with_overrides(&text, &file, &changes).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A preset, with 16 bits everywhere, on `arch`.
pub(crate) fn laid_out(arch: &Arch, network: &str) -> Layout {
    let network = network::load(network).expect("a preset");
    let plan = Plan::uniform(&network, 16, 16);
    mapper::balance(arch, &network, &plan).expect("it fits")
}

/// Agreement, whether a value takes each port once or is sent to each receiver.
fn agree(arch: &Arch, layout: &Layout) {
    for multicast in [true, false] {
        let mut arch = arch.clone();
        arch.router.multicast = multicast;
        agree_on(&arch, layout);
    }
}

fn agree_on(arch: &Arch, layout: &Layout) {
    let (outcome, seen) = Passing::seen(arch, layout, 1).unwrap_or_else(|error| panic!("{error}"));
    let foreseen = Passing::foreseen(arch, layout);
    assert_eq!(foreseen, seen);
    // The simulator's own counts: flits count once at each router, where they leave it.
    let out = foreseen.router_ports.iter().filter(|(((.., port), _), _)| !matches!(port, Port::FromTile(_)));
    let counts = outcome.counts();
    assert_eq!(out.map(|(_, flits)| flits).sum::<u64>(), counts.router_flit_hops);
    assert_eq!(foreseen.links.values().sum::<u64>(), counts.link_bits);
    assert_eq!(foreseen.buses.values().sum::<u64>(), counts.bus_bits);
    let through_ports = counts.edram_bits_read + counts.edram_bits_written - counts.host_bits_written;
    assert_eq!(foreseen.edram_ports.values().sum::<u64>(), through_ports);
}

#[test]
fn of_tiny_on_one_chip_and_on_two() {
    agree(&machine("tiny", &[]), &laid_out(&machine("tiny", &[]), "tiny"));
    let two = machine("tiny", &[("board.chips", "2"), ("chip.tile_rows", "2")]);
    let layout = laid_out(&two, "tiny");
    assert!(!Passing::foreseen(&two, &layout).links.is_empty(), "nothing crosses a link");
    agree(&two, &layout);
}

#[test]
fn of_vgg16_on_isaac_ce() {
    let arch = machine("isaac-ce", &[]);
    agree(&arch, &laid_out(&arch, "vgg16"));
}

/// A convolution, perhaps with a max-pool behind it, in TOML.
fn layers(index: usize) -> impl Strategy<Value = String> {
    let pool = prop_oneof![
        2 => Just(String::new()),
        1 => (2..=3u32, 1..=2u32).prop_map(move |(kernel, stride)| {
            format!("[[layers]]\nname = \"p{index}\"\nkind = \"max_pool\"\nkernel = {kernel}\nstride = {stride}\n")
        }),
    ];
    (1..=3u32, 1..=2u32, 0..=1u32, 1..=40u32, pool).prop_map(move |(kernel, stride, padding, channels, pool)| {
        let padding = padding.min(kernel - 1);
        format!(
            "[[layers]]\nname = \"c{index}\"\nkind = \"convolution\"\nkernel = {kernel}\nstride = {stride}\n\
             padding = {padding}\nchannels = {channels}\n{pool}"
        )
    })
}

pub(crate) fn networks() -> impl Strategy<Value = Network> {
    let chain = (layers(0), layers(1), layers(2), 1..=3usize).prop_map(|(a, b, c, depth)| [a, b, c][..depth].concat());
    let parsed = |(height, width, channels, layers): (u32, u32, u32, String)| {
        let input = format!("input = {{ height = {height}, width = {width}, channels = {channels} }}");
        network::parse(&format!("name = \"random\"\n{input}\n{layers}"), "random").ok()
    };
    (6..=14u32, 6..=14u32, 1..=20u32, chain).prop_filter_map("a map that is too small", parsed)
}

pub(crate) fn machines() -> impl Strategy<Value = Arch> {
    let grid = (prop_oneof![Just((1, 1)), Just((2, 1)), Just((4, 2)), Just((6, 3))], 1..=4u32, 1..=4u32, 1..=2u32);
    let tile = (1..=3u32, prop_oneof![Just(8u32), Just(32), Just(48)], any::<bool>(), 1..=4u32);
    (grid, tile).prop_map(
        |(((chips, board_columns), columns, rows, per_router), (imas, flit_bits, skips, crossbars))| {
            let number = |value: u32| value.to_string();
            machine(
                "tiny",
                &[
                    ("board.chips", &number(chips)),
                    ("board.columns", &number(board_columns)),
                    ("chip.tile_columns", &number(columns * per_router)),
                    ("chip.tile_rows", &number(rows)),
                    ("router.tile_columns", &number(per_router)),
                    ("router.tile_rows", "1"),
                    ("tile.imas", &number(imas)),
                    ("ima.crossbars", &number(crossbars)),
                    ("ima.skip_zero_row_blocks", &skips.to_string()),
                    ("router.flit_bits", &number(flit_bits)),
                    ("edram.bytes", "65536"),
                ],
            )
        },
    )
}

/// A plan with a region of other precision in the first layer, cropped if it has no bits.
fn plan(network: &Network, weights: u32, activations: u32, (top, left, bits): (u32, u32, u32)) -> Plan {
    let mut plan = Plan::uniform(network, weights, activations);
    let output = &network.layers[LayerId(0)].output;
    if top < output.height && left < output.width {
        let (height, width) = ((output.height - top).min(3), (output.width - left).min(4));
        plan.layers[LayerId(0)].regions = vec![Region { top, left, height, width, bits }];
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_global_rejects: 65536, ..ProptestConfig::default() })]

    #[test]
    fn of_random_networks_on_random_machines(
        network in networks(),
        arch in machines(),
        (weights, activations) in (2..=16u32, 1..=16u32),
        region in (0..6u32, 0..6u32, prop_oneof![Just(0u32), 1..=16u32]),
    ) {
        let plan = plan(&network, weights, activations, region);
        let layout = mapper::balance(&arch, &network, &plan);
        prop_assume!(layout.is_ok());
        agree(&arch, &layout.expect("it fits"));
    }
    #[test]
    fn of_random_graphs_on_random_machines(
        list in network::testing::graphs(),
        arch in machines(),
        activations in 1..=16u32,
        crops in prop_oneof![Just(0), any::<u32>()],
    ) {
        let network = list.lower().expect("generated graphs are networks");
        let plan = network::testing::half_cropped(&network, crops);
        let plan = plan.with_activations(&vec![activations; network.layers.len()]);
        let layout = mapper::balance(&arch, &network, &plan);
        prop_assume!(layout.is_ok());
        agree(&arch, &layout.expect("it fits"));
    }
}

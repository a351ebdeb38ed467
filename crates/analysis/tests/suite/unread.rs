//! A settled run keeps pace with outputs that no window reads.

use analysis::Bound;
use arch::Arch;
use chip::{Options, Recurrence};
use mapper::Layout;
use network::{Network, Plan};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::demand::machine;

/// A convolution in TOML.
fn convolution(name: &str, (kernel, stride, channels): (u32, u32, u32)) -> String {
    let padding = kernel / 2;
    format!(
        "[[layers]]\nname = \"{name}\"\nkind = \"convolution\"\nkernel = {kernel}\nstride = {stride}\n\
         padding = {padding}\nchannels = {channels}\n"
    )
}

/// One or two convolutions, one whose stride skips positions of its input, and perhaps another.
fn networks() -> impl Strategy<Value = Network> {
    let any = || (prop_oneof![Just(1u32), Just(3)], Just(1u32), 1..=24u32);
    let skips = || (Just(1u32), 2..=3u32, 1..=24u32);
    let chain = (any(), proptest::option::of(any()), skips(), proptest::option::of(prop_oneof![any(), skips()]));
    (5..=14u32, 5..=14u32, 1..=8u32, chain).prop_filter_map("a map too small", |(height, width, channels, chain)| {
        let (a, b, c, d) = chain;
        let layers = [Some(a), b, Some(c), d].into_iter().flatten().enumerate();
        let layers: String = layers.map(|(index, layer)| convolution(&format!("c{index}"), layer)).collect();
        let input = format!("input = {{ height = {height}, width = {width}, channels = {channels} }}");
        network::parse(&format!("name = \"unread\"\n{input}\n{layers}"), "unread").ok()
    })
}

/// A machine, and a network mapped to it with any number of replicas, in any order of those of a layer.
fn cases() -> impl Strategy<Value = (Arch, Layout)> {
    let machine = |(imas, columns, buffer): (u32, u32, u32)| {
        let number = |value: u32| value.to_string();
        machine(
            "tiny",
            &[
                ("tile.imas", &number(imas)),
                ("chip.tile_columns", &number(2 * columns)),
                ("edram.bytes", &number(buffer)),
            ],
        )
    };
    let machines = (1..=4u32, 1..=4u32, prop_oneof![Just(2048u32), Just(65536)]).prop_map(machine);
    let given = (networks(), machines, 4..=16u32, 1..=100u64, any::<bool>());
    given
        .prop_map(|(network, arch, bits, windows, in_turn)| {
            let plan = Plan::uniform(&network, 16, bits);
            let mut mapping = mapper::balance_to(&arch, &network, &plan, windows, u64::MAX).ok()?.mapping;
            for layer in mapping.layers.iter_mut().filter(|_| in_turn) {
                // Rows in turn, so that a replica may have none but rows that are skipped.
                (layer.strips, layer.interleave) = (1, layer.strips * layer.interleave);
                layer.windows = None;
            }
            Some((Layout::new(&arch, &network, &plan, mapping).ok()?, arch))
        })
        .prop_filter_map("a network that does not fit", |case| case.map(|(layout, arch)| (arch, layout)))
}

#[test]
fn no_state_recurs_below_the_bound() {
    let mut runner = TestRunner::deterministic();
    let (mut settled, mut recur, mut unread_last) = (0, 0, 0);
    for _ in 0..200 {
        let (arch, layout) = cases().new_tree(&mut runner).expect("some networks fit").current();
        let bound = Bound::new(&arch, &layout, false);
        let outcome = chip::run(&arch, &layout, &Options { images: 128, ..Options::default() }).expect("it runs");
        unread_last += u32::from(outcome.complete != outcome.images);
        settled += u32::from(outcome.pace(bound.cycles).is_ok());
        if let Some(Recurrence { images, cycles, .. }) = outcome.recurrence {
            recur += 1;
            let interval = cycles as f64 / f64::from(images);
            assert!(interval >= (1.0 - 1e-9) * bound.cycles, "{interval} cycles, {:?}", bound.resources[0]);
        }
    }
    assert!(settled >= 195, "{settled} of 200 runs are settled");
    assert!(recur >= 100, "{recur} of 200 runs recur");
    assert!(unread_last >= 20, "only in {unread_last} runs an output that nobody reads comes last");
}

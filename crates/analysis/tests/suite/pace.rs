//! Where contention is moderate, the bound is the settled interval.

use analysis::{Bound, Kind};
use arch::Arch;
use chip::Options;
use mapper::Layout;
use network::Plan;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::demand::{machines, networks};

/// Largest relative difference between the bound and the settled interval.
const TOLERANCE: f64 = 0.005;

/// Longest run that is tried. Where images begin more often than they finish, a run does not settle.
const MOST_IMAGES: u32 = 640;

/// A machine whose buses, ports, links and registers range from ample to narrow.
fn unbalanced_machines() -> impl Strategy<Value = Arch> {
    let widths = || prop_oneof![Just(128u32), Just(32), Just(16), Just(8)];
    let mesh =
        (prop_oneof![Just(1.0), Just(0.3), Just(0.1), Just(0.03)], prop_oneof![Just(6.4), Just(0.2), Just(0.05)]);
    let bytes = (prop_oneof![Just(128u32), Just(256), Just(1024)], prop_oneof![Just(8192u32), Just(65536)]);
    (machines(), (widths(), widths()), mesh, bytes, any::<bool>()).prop_map(
        |(mut arch, (bus, edram), (clock_ghz, gigabytes_per_second), (register, buffer), multicast)| {
            (arch.bus.bytes_per_cycle, arch.edram.bytes_per_cycle) = (bus, edram);
            arch.router.clock_ghz = clock_ghz;
            arch.hyper_transport.gigabytes_per_second = gigabytes_per_second;
            (arch.tile.output_register_bytes, arch.edram.bytes) = (register, buffer);
            arch.router.multicast = multicast;
            arch
        },
    )
}

/// A machine, the bits of all activations, and a random network mapped to the machine: any number of replicas, in any
/// order of those of a layer.
fn triples() -> impl Strategy<Value = (Arch, u32, Layout)> {
    let given = (networks(), unbalanced_machines(), 4..=16u32, 2..=16u32, 1..=200u64, any::<bool>());
    given
        .prop_perturb(|(network, arch, weights, activations, windows, shuffled), mut rng| {
            let plan = Plan::uniform(&network, weights, activations);
            let mut mapping = mapper::balance_to(&arch, &network, &plan, windows, u64::MAX).ok()?.mapping;
            for layer in mapping.layers.iter_mut().filter(|_| shuffled) {
                for last in (1..layer.replicas.len()).rev() {
                    layer.replicas.swap(last, rng.random_range(0..=last));
                }
            }
            let layout = Layout::new(&arch, &network, &plan, mapping).ok()?;
            Some((arch, activations, layout))
        })
        .prop_filter_map("a network that does not fit", |triple| triple)
}

/// True if contention is moderate, by what is known before a run:
///
/// - No other kind of resource is needed for more than half of the bound. Units that share a bus or a port need it in
///   the same cycles, and wait long before it is taken all the time: above three quarters, one interval in four was
///   longer than the bound, by up to 25 %.
/// - A window takes at least 4 reads. Below, crossbars wait until an output register of their IMA is free again, which
///   the bound does not count: with 2 or 3 reads, half of the intervals were 1.1 to 1.7 times the bound, and most of
///   these equal to it once the IMA had a third register.
/// - What binds is neither a router port nor a link, unless the tiles have large output registers, in which results
///   wait to be sent: with 128 or 256 bytes, one interval in five of those bound by a router port was longer than the
///   bound, by up to 14 %; with 1,024 bytes, none.
///
/// The rule is no guarantee. Of some 1,900 triples drawn with other seeds, four had longer intervals, by 0.8 to 4.5 %,
/// for reasons that are not known.
fn is_moderate(arch: &Arch, activations: u32, bound: &Bound) -> bool {
    let binds = bound.resources[0].kind;
    let others = bound.resources.iter().filter(|of| of.kind != binds).map(|of| of.cycles).fold(0.0, f64::max);
    let leaves_the_tile = matches!(binds, Kind::RouterPort | Kind::Link);
    others <= 0.5 * bound.cycles
        && arch.iterations(activations) >= 4
        && (!leaves_the_tile || arch.tile.output_register_bytes >= 1024)
}

/// Settled interval between images in cycles; `None` if the run does not settle.
fn settled_interval(arch: &Arch, layout: &Layout, bound: &Bound) -> Option<f64> {
    let mut images = 40;
    while images <= MOST_IMAGES {
        let outcome = chip::run(arch, layout, &Options { images, ..Options::default() }).expect("it runs");
        if let Ok(pace) = outcome.pace(bound.cycles) {
            return Some(pace.cycles_per_image);
        }
        images *= 2;
    }
    None
}

#[test]
fn the_bound_predicts_the_settled_interval_of_random_networks_where_contention_is_moderate() {
    let mut runner = TestRunner::deterministic();
    let (mut settled, mut unsettled) = (0, 0);
    let mut worst = (0.0, String::from("none differs"));
    while settled < 100 {
        let (arch, activations, layout) = triples().new_tree(&mut runner).expect("some networks fit").current();
        let bound = Bound::new(&arch, &layout, false);
        if !is_moderate(&arch, activations, &bound) {
            continue;
        }
        let Some(interval) = settled_interval(&arch, &layout, &bound) else {
            unsettled += 1;
            continue;
        };
        settled += 1;
        let error = (interval / bound.cycles - 1.0).abs();
        let case = format!("{interval:.2} cycles for {:.2} by {}", bound.cycles, bound.resources[0].name);
        assert!(error <= TOLERANCE, "{case}: {arch:?} {:?}", layout.mapping);
        if error > worst.0 {
            worst = (error, case);
        }
    }
    println!("worst of {settled}, {unsettled} unsettled: {:.3} %, {}", 100.0 * worst.0, worst.1);
    assert!(unsettled <= 10, "{unsettled} runs have no settled interval");
}

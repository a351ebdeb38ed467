//! A network that runs one image runs as many as are asked for: every run ends, conserves and agrees.
//!
//! [`chip::run`] itself checks that windows, cycles and bits add up, and the max-pools that no value is counted for
//! another image.

use arch::Arch;
use chip::{Fidelity, Forward, Options, Order, Outcome};
use mapper::Layout;
use network::{LayerId, Network, Plan, Region};
use proptest::prelude::*;

use crate::any::{any_bits, any_machine, any_network, plan_of, presets};
use crate::support::{isaac, machine, network, run};

pub(crate) fn run_at(arch: &Arch, layout: &Layout, options: &Options) -> Outcome {
    match chip::run(arch, layout, options) {
        Ok(outcome) => outcome,
        Err(chip::SimulationError::Deadlock(deadlock)) => panic!("{}", deadlock.explanation()),
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #[test]
    fn any_network_that_can_be_mapped_runs_many_images(
        arch in any_machine(),
        network in any_network(),
        bits in any_bits(),
        images in 1u32..=60,
        uncontended in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let Ok(layout) = mapper::balance(&arch, &network, &plan_of(&network, &bits)) else { return Ok(()) };
        let at = |fidelity, order| run_at(&arch, &layout, &Options { images, fidelity, uncontended, order, ..Options::default() });
        let outcome = at(Fidelity::Operation, Order::Sent);
        // A last layer of which no position is produced, cropped as a whole or left out by a pool's stride, finishes
        // none.
        let produces = |(map, _)| layout.finishes(map).is_some_and(|finishes| finishes.iter().any(|of| of.is_some()));
        let finished = if layout.results().any(produces) { images } else { 0 };
        prop_assert_eq!(outcome.images.len(), finished as usize);
        prop_assert!(outcome.images.is_sorted(), "images are done in order");
        prop_assert_eq!(&outcome, &at(Fidelity::Iteration, Order::Sent));
        prop_assert_eq!(&outcome, &at(Fidelity::Operation, Order::Shuffled(seed)));
        // What is counted does not depend on who waits: as often as there are images.
        let one = run_at(&arch, &layout, &Options { uncontended: true, ..Options::default() });
        for (all, one) in outcome.counts().entries().into_iter().zip(one.counts().entries()) {
            prop_assert_eq!(all.1, u64::from(images) * one.1, "{}", all.0);
        }
    }
}

proptest! {
    #[test]
    fn any_network_runs_with_the_smallest_buffer_that_it_can_be_mapped_with(
        network in any_network(),
        bits in any_bits(),
        images in 1u32..=20,
        register in prop::sample::select(vec!["32", "64", "128"]),
    ) {
        let plan = plan_of(&network, &bits);
        let with = |bytes: u32| {
            let changes = [("edram.bytes", bytes.to_string()), ("tile.output_register_bytes", register.to_owned())];
            let arch = machine("tiny", &changes.each_ref().map(|(key, value)| (*key, value.as_str())));
            mapper::balance(&arch, &network, &plan).ok().map(|layout| (arch, layout))
        };
        // More bytes are never worse, or nearly so: the mapper may choose another number of replicas.
        let (mut low, mut high) = (1, 1 << 16);
        if with(high).is_none() {
            return Ok(());
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if with(middle).is_some() { high = middle } else { low = middle + 1 }
        }
        let (arch, layout) = with(high).expect("it was mapped");
        run_at(&arch, &layout, &Options { images, ..Options::default() });
    }
}

#[test]
fn every_preset_runs_1_10_and_most_30_and_100_images() {
    let isaac = isaac(&[]);
    for (name, network) in presets() {
        let layout = mapper::balance(&isaac, &network, &Plan::uniform(&network, 16, 16)).expect("presets fit ISAAC-CE");
        // Those of ISAAC's evaluation take minutes, and are no different in kind.
        let isaacs = name.starts_with("vgg-") || name.starts_with("msra-");
        for images in if isaacs { &[1, 10][..] } else { &[1, 10, 30, 100] }.iter().copied() {
            let outcome = run_at(&isaac, &layout, &Options { images, ..Options::default() });
            assert_eq!(outcome.images.len(), images as usize, "{name}");
        }
    }
}

/// A network of a convolution and a max-pool, and a layer behind them.
fn pooled(input: [u32; 3], channels: u32, pool: (u32, u32, u32), behind: &str) -> Network {
    let (kernel, stride, padding) = pool;
    network(
        input,
        &format!(
            "[[layers]]\nname = \"c0\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = {channels}\n\
             [[layers]]\nname = \"p0\"\nkind = \"max_pool\"\nkernel = {kernel}\nstride = {stride}\n\
             padding = {padding}\n{behind}"
        ),
    )
}

/// Runs a network of `data/cases` that once stopped, in both fidelities.
fn run_case(arch: &Arch, network: &str, plan: Option<&str>, images: u32) -> Outcome {
    let path = |file: &str| format!("{}/data/cases/{file}.toml", env!("CARGO_MANIFEST_DIR"));
    let network = network::load(&path(network)).expect("a sound network");
    let plan = match plan {
        Some(plan) => Plan::load(&path(plan), &network).expect("a sound plan"),
        None => Plan::uniform(&network, 16, 16),
    };
    let layout = mapper::balance(arch, &network, &plan).expect("it fits");
    let at = |fidelity| run_at(arch, &layout, &Options { images, fidelity, ..Options::default() });
    let outcome = at(Fidelity::Operation);
    assert_eq!(outcome, at(Fidelity::Iteration));
    outcome
}

#[test]
fn networks_that_once_stopped_run_to_their_end() {
    let path = format!("{}/data/cases/silent-stop-arch.toml", env!("CARGO_MANIFEST_DIR"));
    let other = arch::load(&path).expect("a sound machine");
    let tiny = |bytes| machine("tiny", &[("edram.bytes", bytes)]);
    // A ring of waits between buffer and output register, with one image.
    assert_eq!(run_case(&tiny("96"), "order-of-positions", None, 1).cycles, 365);
    // Replica 3 was two images ahead of replica 0, and its value of image 2 counted for image 0.
    assert_eq!(run_case(&tiny("8192"), "mixed-slots", None, 3).cycles, 221);
    assert_eq!(run_case(&tiny("8192"), "overlapping-pool", None, 4).cycles, 390);
    assert_eq!(run_case(&isaac(&[]), "padded-pool", None, 3).cycles, 221);
    assert_eq!(run_case(&tiny("8192"), "cropped-pool", Some("cropped-pool-plan"), 3).cycles, 476);
    assert_eq!(run_case(&other, "silent-stop", Some("silent-stop-plan"), 6).cycles, 1_744);
}

#[test]
fn alexnet_runs_nine_images() {
    // Its pools overlap, and replicas were eight images apart: a value of image 8 was counted for image 6.
    let alexnet = network::load("alexnet").expect("the preset is built in");
    let options = Options { images: 9, ..Options::default() };
    let outcome = run(&isaac(&[]), &alexnet, &Plan::uniform(&alexnet, 16, 16), &options);
    assert_eq!(outcome.cycles, 25_924);
}

#[test]
fn replicas_under_the_positions_of_one_max_pool_stay_within_two_images() {
    let behind = "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 10\n";
    for (arch, input, pool) in [
        (machine("tiny", &[]), [3, 3, 1], (2, 2, 1)),
        (machine("tiny", &[]), [9, 9, 2], (3, 2, 0)),
        (isaac(&[]), [8, 8, 3], (3, 2, 1)),
        (isaac(&[]), [12, 12, 3], (5, 1, 2)),
    ] {
        let network = pooled(input, 8, pool, behind);
        for images in [2, 3, 4, 60] {
            run(&arch, &network, &Plan::uniform(&network, 16, 16), &Options { images, ..Options::default() });
        }
    }
}

#[test]
fn pools_over_pools_hold_back_only_replicas_whose_windows_they_take() {
    // Values of other replicas are late, by slow routers and one copy for each receiver. A pool that takes no window of a
    // replica may be images ahead of it, and must not tell it so: pools over pools did, with 5 and 21 images.
    let path = format!("{}/data/cases/pools-over-pools.toml", env!("CARGO_MANIFEST_DIR"));
    let network = network::load(&path).expect("a sound network");
    let mut plan = Plan::uniform(&network, 1, 1);
    (plan.layers[LayerId(1)].weight_bits, plan.layers[LayerId(1)].activation_bits) = (7, 0);
    for clock in ["0.02", "0.0237", "0.03", "0.05", "1.0"] {
        let slow = [("router.clock_ghz", clock), ("router.multicast", "false"), ("bus.bytes_per_cycle", "16")];
        let small = [("board.chips", "1"), ("tile.imas", "2"), ("ima.crossbars", "1"), ("ima.output_registers", "3")];
        let buffers = [("edram.bytes", "96"), ("edram.bytes_per_cycle", "16"), ("tile.output_register_bytes", "512")];
        let adc = [("adc.count", "1"), ("adc.bits", "12"), ("adc.rate_gsps", "0.29"), ("adc.unit_column", "false")];
        let arch = machine("tiny", &[&slow[..], &small, &buffers, &adc].concat());
        let layout = mapper::balance(&arch, &network, &plan).expect("it fits");
        for images in [1, 5, 21, 40] {
            let options = Options { images, forward: Forward::Never, ..Options::default() };
            assert_eq!(run_at(&arch, &layout, &options).layers[0].counts.windows, u64::from(images) * 6 * 12);
        }
    }
}

#[test]
fn positions_leave_in_the_order_in_which_small_buffers_admit_them() {
    // A true ring of waits with one image: a position that waited for another replica stood behind one that the buffer
    // would not admit before it.
    let behind = "[[layers]]\nname = \"c1\"\nkind = \"convolution\"\nkernel = 2\nchannels = 9\n";
    let mut ran = 0;
    for bytes in ["64", "80", "96", "128", "192"] {
        for pool in [(3, 1, 1), (3, 2, 1), (2, 1, 0), (4, 2, 2)] {
            let arch = machine("tiny", &[("edram.bytes", bytes)]);
            let network = pooled([8, 8, 1], 4, pool, behind);
            let plan = Plan::uniform(&network, 16, 16);
            let Ok(layout) = mapper::balance(&arch, &network, &plan) else { continue };
            run_at(&arch, &layout, &Options { images: 7, ..Options::default() });
            ran += 1;
        }
    }
    assert!(ran >= 5, "only {ran} of 20 fit their buffers");
}

#[test]
fn a_region_under_a_max_pool_may_be_cropped() {
    let behind = "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 10\n";
    let network = pooled([10, 10, 3], 8, (3, 2, 1), behind);
    for (top, left, height, width) in [(0, 0, 10, 4), (3, 3, 4, 4), (0, 0, 10, 10), (9, 0, 1, 10)] {
        let mut plan = Plan::uniform(&network, 16, 16);
        plan.layers[LayerId(0)].regions = vec![Region { top, left, height, width, bits: 0 }];
        run(&machine("tiny", &[]), &network, &plan, &Options { images: 12, ..Options::default() });
    }
}

//! A run has a pace only if more images would not change it.

use analysis::Bound;
use chip::{Latency, Options, Pace, Recurrence, Unsettled};
use network::Plan;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::any::{any_bits, any_machine, any_network, plan_of};
use crate::support::{isaac, machine, network, preset, run, run_layout};

/// Pace of a preset on ISAAC-CE, each value taking each port and link once if `multicast`.
fn on_isaac(name: &str, images: u32, uncontended: bool, multicast: bool) -> Result<Pace, Unsettled> {
    let (network, arch) = (preset(name), isaac(&[("router.multicast", if multicast { "true" } else { "false" })]));
    let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
    let outcome = run_layout(&arch, &layout, &Options { images, uncontended, ..Options::default() });
    outcome.pace(Bound::new(&arch, &layout, uncontended).cycles)
}

#[test]
fn vgg16_has_no_pace_while_its_queues_grow() {
    // Means of 3,084, 3,129, 2,825, 3,361 and 3,916 cycles were once called a steady state.
    for images in [2, 3, 5, 10, 30] {
        let unsettled = on_isaac("vgg16", images, false, false).expect_err("it has not settled");
        let needed = unsettled.images_needed().expect("there are intervals");
        assert!(needed > u64::from(images) && needed <= 100, "{images} images: {needed} needed, {unsettled}");
    }
}

#[test]
fn vgg16_settles_at_what_its_busiest_port_takes_if_each_receiver_is_sent_its_own_copy() {
    let pace = on_isaac("vgg16", 100, false, false).expect("it has settled");
    assert!((pace.cycles_per_image / 3666.0 - 1.0).abs() < 0.01, "{pace:?}");
    assert!(pace.error < 0.01 * pace.cycles_per_image, "{pace:?}");
    // Seven images are under way at once: latency under load is no image's on an empty machine.
    let Some(Latency { mean, longest }) = pace.latency else { panic!("latency grows: {pace:?}") };
    assert!(mean > 6.0 * pace.cycles_per_image && longest as f64 >= mean, "{pace:?}");
}

#[test]
fn vgg16_settles_at_the_pace_of_its_crossbars() {
    // ISAAC section VI: 196 windows of 16 reads, and a schedule without conflicts.
    let pace = on_isaac("vgg16", 30, false, true).expect("it has settled");
    assert_eq!((pace.cycles_per_image, pace.error), (3136.0, 0.0));
}

#[test]
fn what_runs_alike_from_the_second_image_on_settles_with_few() {
    for (name, uncontended) in [("vgg16", true), ("vgg11", false)] {
        assert_eq!(on_isaac(name, 8, uncontended, true).map(|pace| pace.cycles_per_image), Ok(3136.0), "{name}");
    }
}

#[test]
fn a_network_that_is_cropped_at_its_end_has_no_pace_and_no_last_cycle() {
    let layer = |name| {
        format!("[[layers]]\nname = \"{name}\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 8\n")
    };
    let three = network([8, 8, 4], &["a", "b", "c"].map(layer).concat());
    let plan = Plan::uniform(&three, 16, 16).with_activations(&[16, 16, 0]);
    let outcome = run(&machine("tiny", &[]), &three, &plan, &Options { images: 4, ..Options::default() });
    assert_eq!(outcome.pace(0.0), Err(Unsettled::NoResults));
    assert_eq!((outcome.images.len(), outcome.latency_of(0)), (0, None));
    // The last layer writes nothing, and nobody reads what the one before it would.
    let cycles = |layer: &chip::LayerOutcome| (layer.first_cycle.is_some(), layer.last_cycle.is_some());
    assert_eq!(outcome.layers.iter().map(cycles).collect::<Vec<_>>(), [(true, true), (true, false), (false, false)]);
}

#[test]
fn the_end_of_a_short_run_settles_nothing() {
    // Three images leave every 250 cycles, all further ones every 256.
    let changes = [("bus.bytes_per_cycle", "49"), ("edram.bytes", "2048"), ("router.clock_ghz", "0.011")];
    let (arch, tiny) = (machine("tiny", &changes), preset("tiny"));
    let plan = Plan::uniform(&tiny, 16, 16);
    let outcome = |images| run(&arch, &tiny, &plan, &Options { images, ..Options::default() });
    assert_eq!(outcome(3).complete.windows(2).map(|of| of[1] - of[0]).collect::<Vec<_>>(), [250, 250]);
    assert!(matches!(outcome(3).pace(0.0), Err(Unsettled::TooShort { .. })));
    assert_eq!(outcome(8).pace(0.0).map(|pace| pace.cycles_per_image), Ok(256.0));
}

/// What recurs has a pace to the last digit, by which every pace that is stated earlier is measured. The rule is no
/// guarantee: a buffer may take hundreds of images to fill, and then slow down what seemed to have settled.
#[test]
fn a_settled_pace_is_that_of_the_state_that_recurs_later() {
    let mut runner = TestRunner::deterministic();
    let cases = (any_machine(), any::<bool>(), any_network(), any_bits(), any::<bool>());
    let (mut settled, mut wrong) = (0, Vec::new());
    for _ in 0..2000 {
        let (mut arch, multicast, network, bits, uncontended) = cases.new_tree(&mut runner).expect("a case").current();
        arch.router.multicast = multicast;
        let Ok(layout) = mapper::balance(&arch, &network, &plan_of(&network, &bits)) else { continue };
        let run = |images| run_layout(&arch, &layout, &Options { images, uncontended, ..Options::default() });
        let Some(Recurrence { images, cycles, .. }) = run(200).recurrence else { continue };
        let interval = cycles as f64 / f64::from(images);
        let bound = Bound::new(&arch, &layout, uncontended).cycles;
        for images in [3, 4, 6, 8, 12, 16, 24, 40] {
            let Ok(pace) = run(images).pace(bound) else { continue };
            settled += 1;
            if (pace.cycles_per_image / interval - 1.0).abs() > 0.02 {
                wrong.push((images, pace.cycles_per_image, interval));
            }
        }
    }
    println!("{} of {settled} settled runs have another pace later", wrong.len());
    assert!(settled > 5000, "{settled} settled runs");
    assert!(1000 * wrong.len() < settled, "images, pace and what it is later: {wrong:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Machines on which this or that is in short supply; whatever settles keeps its pace when the run goes on.
    #[test]
    fn a_settled_pace_stays(
        images in 3u32..40,
        bus in 16u32..128,
        clock in 10u32..100,
        buffer in 2048u32..16384,
        bits in 3u32..=16,
        uncontended in any::<bool>(),
    ) {
        let clock = format!("0.{clock:03}");
        let arch = machine("tiny", &[
            ("bus.bytes_per_cycle", &bus.to_string()),
            ("edram.bytes", &buffer.to_string()),
            ("router.clock_ghz", &clock),
        ]);
        let tiny = preset("tiny");
        let Ok(layout) = mapper::balance(&arch, &tiny, &Plan::uniform(&tiny, 16, bits)) else { return Ok(()) };
        let bound = Bound::new(&arch, &layout, uncontended).cycles;
        let run = |images| run_layout(&arch, &layout, &Options { images, uncontended, ..Options::default() });
        let (Ok(short), Ok(long)) = (run(images).pace(bound), run(8 * images).pace(bound)) else { return Ok(()) };
        let change = short.cycles_per_image / long.cycles_per_image - 1.0;
        prop_assert!(change.abs() < 0.02, "{:?} after {} images, {:?} later", short, images, long);
    }
}

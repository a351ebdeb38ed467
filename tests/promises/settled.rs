//! A run has a pace only if more images would not change it.

use chip::{Latency, Options, Outcome, Unsettled};
use network::Plan;
use proptest::prelude::*;

use crate::support::{isaac, machine, network, preset, run, run_layout};

/// A preset on ISAAC-CE, each value taking each port and link once if `multicast`.
fn on_isaac(name: &str, images: u32, uncontended: bool, multicast: bool) -> Outcome {
    let (network, arch) = (preset(name), isaac(&[("router.multicast", if multicast { "true" } else { "false" })]));
    let options = Options { images, uncontended, ..Options::default() };
    run(&arch, &network, &Plan::uniform(&network, 16, 16), &options)
}

#[test]
fn vgg16_has_no_pace_while_its_queues_grow() {
    // Means of 3,084, 3,129, 2,825, 3,361 and 3,916 cycles were once called a steady state.
    for images in [2, 3, 5, 10, 30] {
        let unsettled = on_isaac("vgg16", images, false, false).pace().expect_err("it has not settled");
        let needed = unsettled.images_needed().expect("there are intervals");
        assert!(needed > u64::from(images) && needed <= 100, "{images} images: {needed} needed, {unsettled}");
    }
}

#[test]
fn vgg16_settles_at_what_its_busiest_port_takes_if_each_receiver_is_sent_its_own_copy() {
    let pace = on_isaac("vgg16", 100, false, false).pace().expect("it has settled");
    assert!((pace.cycles_per_image / 3666.0 - 1.0).abs() < 0.01, "{pace:?}");
    assert!(pace.error < 0.01 * pace.cycles_per_image, "{pace:?}");
    // Seven images are under way at once: latency under load is no image's on an empty machine.
    let Some(Latency { mean, longest }) = pace.latency else { panic!("latency grows: {pace:?}") };
    assert!(mean > 6.0 * pace.cycles_per_image && longest as f64 >= mean, "{pace:?}");
}

#[test]
fn vgg16_settles_at_the_pace_of_its_crossbars() {
    // ISAAC section VI: 196 windows of 16 reads, and a schedule without conflicts.
    let pace = on_isaac("vgg16", 30, false, true).pace().expect("it has settled");
    assert_eq!((pace.cycles_per_image, pace.error), (3136.0, 0.0));
}

#[test]
fn what_runs_alike_from_the_second_image_on_settles_with_few() {
    assert_eq!(on_isaac("vgg16", 4, true, true).pace().map(|pace| pace.cycles_per_image), Ok(3136.0));
    assert_eq!(on_isaac("vgg11", 8, false, true).pace().map(|pace| pace.cycles_per_image), Ok(3136.0));
}

#[test]
fn a_network_that_is_cropped_at_its_end_has_no_pace_and_no_last_cycle() {
    let layer = |name| {
        format!("[[layers]]\nname = \"{name}\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 8\n")
    };
    let three = network([8, 8, 4], &["a", "b", "c"].map(layer).concat());
    let plan = Plan::uniform(&three, 16, 16).with_activations(&[16, 16, 0]);
    let outcome = run(&machine("tiny", &[]), &three, &plan, &Options { images: 4, ..Options::default() });
    assert_eq!(outcome.pace(), Err(Unsettled::NoResults));
    assert_eq!((outcome.images.len(), outcome.latency_of(0)), (0, None));
    // The last layer writes nothing, and nobody reads what the one before it would.
    let cycles = |layer: &chip::LayerOutcome| (layer.first_cycle.is_some(), layer.last_cycle.is_some());
    assert_eq!(outcome.layers.iter().map(cycles).collect::<Vec<_>>(), [(true, true), (true, false), (false, false)]);
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
        let pace = |images| run_layout(&arch, &layout, &Options { images, uncontended, ..Options::default() }).pace();
        let (Ok(short), Ok(long)) = (pace(images), pace(8 * images)) else { return Ok(()) };
        let change = short.cycles_per_image / long.cycles_per_image - 1.0;
        prop_assert!(change.abs() < 0.02, "{:?} after {} images, {:?} later", short, images, long);
    }
}

//! A unit that waits knows why: machines in which one thing is scarce, and the cause that must come first.

use chip::{Cause, Options, Outcome, SimulationError};
use network::Plan;

use crate::support::{isaac, machine, network, preset, run, run_replicas};

fn main_wait(outcome: &Outcome) -> Option<Cause> {
    outcome.stalls().main_wait()
}

#[test]
fn an_ima_shape_of_8_by_1_in_a_full_tile_waits_for_the_bus() {
    // 12 x 2 KB of inputs in 16 cycles, and the bus carries 16 KB.
    let layer =
        network([24, 24, 1024], "[[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 1\nchannels = 16\n");
    let board = [("board.chips", "1"), ("board.columns", "1"), ("chip.tile_columns", "1"), ("chip.tile_rows", "1")];
    let arch = isaac(&[board.as_slice(), &[("router.tile_columns", "1"), ("router.tile_rows", "1")]].concat());
    let outcome = run_replicas(&arch, &layer, 12, &Options::default());
    assert_eq!(main_wait(&outcome), Some(Cause::Bus));
    // 48 windows for each of the 12 replicas; 2 KB of inputs and 32 bytes of results for each.
    let expected = 48 * 12 * (2048 + 32) / 1024;
    assert!(outcome.cycles.abs_diff(expected) < 30, "{} cycles, and the bus is busy for {expected}", outcome.cycles);
}

#[test]
fn a_mesh_at_a_hundredth_of_its_clock_is_what_inputs_wait_for() {
    let (arch, tiny) = (machine("tiny", &[("router.clock_ghz", "0.01")]), preset("tiny"));
    let outcome = run(&arch, &tiny, &Plan::uniform(&tiny, 16, 16), &Options { images: 4, ..Options::default() });
    let stalls = outcome.stalls();
    assert!(stalls[Cause::Router] > 0, "nobody waited for a router");
    assert_eq!(stalls[Cause::Link], 0, "there is one chip");
}

#[test]
fn a_slow_link_between_chips_is_what_inputs_wait_for() {
    let two_chips = [("board.chips", "2"), ("chip.tile_rows", "2"), ("hyper_transport.gigabytes_per_second", "0.01")];
    let (arch, tiny) = (machine("tiny", &two_chips), preset("tiny"));
    let outcome = run(&arch, &tiny, &Plan::uniform(&tiny, 16, 16), &Options { images: 4, ..Options::default() });
    let stalls = outcome.stalls();
    assert!(stalls[Cause::Link] > 100 * stalls[Cause::Router], "{stalls:?}");
}

#[test]
fn a_slow_layer_behind_small_buffers_pushes_back() {
    // The second layer has four times the reads of the first, and room for little more than it needs.
    let pair = network(
        [32, 32, 4],
        "[[layers]]\nname = \"fast\"\nkind = \"convolution\"\nkernel = 1\nchannels = 32\n\
         [[layers]]\nname = \"slow\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 8\n",
    );
    let plan = Plan::uniform(&pair, 16, 16).with_activations(&[4, 16]);
    let arch = machine("tiny", &[("edram.bytes", "8192")]);
    let outcome = run(&arch, &pair, &plan, &Options::default());
    assert_eq!(outcome.layers[0].stalls.main_wait(), Some(Cause::DownstreamBuffer));
    let roomy = run(&machine("tiny", &[("edram.bytes", "1048576")]), &pair, &plan, &Options::default());
    assert_eq!(roomy.layers[0].stalls[Cause::DownstreamBuffer], 0, "with room, nothing pushes back");
}

#[test]
fn a_run_that_cannot_go_on_ends_with_an_error_that_names_who_waits_for_what() {
    let (arch, tiny) = (machine("tiny", &[]), preset("tiny"));
    let layout = mapper::balance(&arch, &tiny, &Plan::uniform(&tiny, 16, 16)).expect("it fits");
    // A layout made for a larger buffer than the machine that runs it has.
    let smaller = machine("tiny", &[("edram.bytes", "128")]);
    let Err(error) = chip::run(&smaller, &layout, &Options::default()) else { panic!("it ran to the end") };
    let SimulationError::Deadlock(deadlock) = &error else { panic!("{error}") };
    let text = deadlock.explanation();
    assert!(deadlock.closed && text.lines().count() <= 15, "{text}");
    assert!(text.contains("0 of 1 images done"), "{text}");
    assert!(text.contains("waits for the inputs of window"), "{text}");
    assert!(text.contains("waits for room in the buffer of tile"), "{text}");
    assert_eq!(error.to_string().lines().count(), 1, "in a table the error takes a line");
}

#[test]
fn an_extra_cycle_of_iteration_is_an_extra_cycle_of_every_read() {
    // Half the ADCs: a read takes two cycles. One window: 2 n + 6 cycles.
    let one = network([1, 1, 128], "[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 128\n");
    let cycles =
        |adcs| run(&isaac(&[("adc.count", adcs)]), &one, &Plan::uniform(&one, 16, 16), &Options::default()).cycles;
    assert_eq!((cycles("8"), cycles("7"), cycles("4"), cycles("2")), (22, 38, 38, 70));
}

#[test]
fn more_images_than_can_be_counted_are_an_error() {
    let (arch, tiny) = (machine("tiny", &[]), preset("tiny"));
    let layout = mapper::balance(&arch, &tiny, &Plan::uniform(&tiny, 16, 16)).expect("it fits");
    let error = chip::run(&arch, &layout, &Options { images: u32::MAX, ..Options::default() }).expect_err("an error");
    assert!(error.to_string().contains("conv1 has more than 4294967295 windows"), "{error}");
}

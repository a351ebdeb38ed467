//! Same input, same result: in any order of messages within a cycle, and again.

use chip::{Fidelity, Options, Order};
use network::Plan;

use crate::support::{isaac, machine, preset, run};

#[test]
fn shuffling_the_messages_of_each_cycle_changes_nothing() {
    let scarce = [("bus.bytes_per_cycle", "24"), ("edram.bytes", "2048"), ("router.clock_ghz", "0.01")];
    let ahead = [("bus.bytes_per_cycle", "60"), ("ima.output_registers", "7"), ("tile.output_register_bytes", "1024")];
    let tiny = preset("tiny");
    for (changes, fidelity) in [
        (scarce, Fidelity::Operation),
        (scarce, Fidelity::Iteration),
        (ahead, Fidelity::Operation),
        (ahead, Fidelity::Iteration),
    ] {
        let arch = machine("tiny", &changes);
        for plan in [Plan::uniform(&tiny, 16, 16), Plan::uniform(&tiny, 7, 5), Plan::uniform(&tiny, 16, 1)] {
            let at = |order| run(&arch, &tiny, &plan, &Options { images: 3, fidelity, order, ..Options::default() });
            let sent = at(Order::Sent);
            for seed in 0..10 {
                assert_eq!(sent, at(Order::Shuffled(seed)), "seed {seed}");
            }
        }
    }
}

#[test]
fn shuffling_changes_nothing_on_vgg16() {
    let (arch, vgg16) = (isaac(&[]), preset("vgg16"));
    let at = |order| run(&arch, &vgg16, &Plan::uniform(&vgg16, 16, 16), &Options { order, ..Options::default() });
    let sent = at(Order::Sent);
    assert_eq!(sent, at(Order::Sent), "a second time");
    assert_eq!(sent, at(Order::Shuffled(1)));
}

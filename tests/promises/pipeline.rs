//! Cycles and waits inside an IMA, worked out by hand from the times of one operation (ISAAC section VI).

use arch::Arch;
use chip::{Cause, Fidelity, Options, Outcome};
use mapper::{LayerMapping, Layout, Mapping};
use network::{LayerId, Network, Plan};

use crate::support::{machine, network};

/// Runs `network`, a single layer, as one replica, in both fidelities, with an unlimited bus.
fn run_one_replica(arch: &Arch, network: &Network, plan: &Plan, (ima_rows, ima_cols): (u32, u32)) -> Outcome {
    let name = network.layers[LayerId(0)].name.clone();
    let layer = LayerMapping { name, ima_rows, ima_cols, strips: 1, interleave: 1, windows: None, replicas: vec![0] };
    let mapping = Mapping { arch: arch.name.clone(), network: network.name.clone(), layers: vec![layer] };
    let layout = Layout::new(arch, network, plan, mapping).unwrap_or_else(|errors| panic!("{errors:?}"));
    let at = |fidelity| {
        let options = Options { fidelity, uncontended: true, ..Options::default() };
        chip::run(arch, &layout, &options).unwrap_or_else(|error| panic!("{error}"))
    };
    let outcome = at(Fidelity::Operation);
    assert_eq!(outcome, at(Fidelity::Iteration));
    outcome
}

/// 40 windows of a 1 x 1 kernel, one crossbar.
fn forty_windows() -> Network {
    network([1, 40, 4], "[[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 1\nchannels = 4\n")
}

/// The causes with any cycles.
fn causes(outcome: &Outcome) -> Vec<(Cause, u64)> {
    let stalls = outcome.stalls();
    Cause::ALL.into_iter().map(|cause| (cause, stalls[cause])).filter(|of| of.1 > 0).collect()
}

#[test]
fn operations_of_one_iteration_follow_each_other_as_the_output_registers_allow() {
    let layer = forty_windows();
    // An operation that starts in cycle s has its read in s, conversion in s + 1, shift-and-add in s + 2, bus in s + 3:
    // its output register is free again in s + 4. It ends in s + 5. The first starts in cycle 2. So R operations start
    // in every four cycles, the last, number 39, in cycle 2 + 4 (39 / R) + 39 mod R; from 4 registers on, one in each.
    for (registers, last_start) in [(1, 158), (2, 79), (3, 54), (4, 41), (5, 41), (7, 41)] {
        let arch = machine("tiny", &[("ima.output_registers", &registers.to_string())]);
        let outcome = run_one_replica(&arch, &layer, &Plan::uniform(&layer, 16, 1), (1, 1));
        assert_eq!(outcome.cycles, last_start + 5, "{registers} output registers");
        let mut expected = vec![(Cause::Computing, 40), (Cause::ImaOutputRegister, last_start - 41)];
        expected.retain(|of| of.1 > 0);
        expected.extend([(Cause::Filling, 1), (Cause::Finished, 5)]);
        assert_eq!(causes(&outcome), expected, "{registers} output registers");
    }
}

#[test]
fn operations_of_two_iterations_need_three_output_registers() {
    // Reads in s and s + 1; the register is free in s + 5. With two, two operations start in every five cycles.
    let layer = forty_windows();
    for (registers, last_start) in [(1, 2 + 39 * 5), (2, 2 + 19 * 5 + 2), (3, 2 + 39 * 2)] {
        let arch = machine("tiny", &[("ima.output_registers", &registers.to_string())]);
        let outcome = run_one_replica(&arch, &layer, &Plan::uniform(&layer, 16, 2), (1, 1));
        assert_eq!(outcome.cycles, last_start + 6, "{registers} output registers");
        assert_eq!(outcome.stalls()[Cause::Bus], 0);
    }
}

#[test]
fn three_iterations_and_more_never_wait_for_two_output_registers() {
    let layer = forty_windows();
    for bits in 3..=16 {
        let outcome = run_one_replica(&machine("tiny", &[]), &layer, &Plan::uniform(&layer, 16, bits), (1, 1));
        assert_eq!(outcome.cycles, u64::from(40 * bits + 6), "{bits} bits: 40 operations, and n + 6 for the last");
        assert_eq!(outcome.stalls()[Cause::ImaOutputRegister], 0);
    }
}

#[test]
fn an_iteration_takes_the_conversions_of_the_unrounded_rate() {
    // 1.28 conversions in a cycle of 1 ns: 17 columns take 13.3 cycles. 8 reads 14 cycles apart, the last converted in
    // 14 more, fetch, read, shift-and-add, bus, sigmoid and write around them.
    let arch = machine(
        "tiny",
        &[
            ("cycle_ns", "1.0"),
            ("adc.rate_gsps", "1.28"),
            ("crossbar.columns", "17"),
            ("router.clock_ghz", "5.0"),
            ("adc.count", "4"),
        ],
    );
    let one = network([1, 1, 4], "[[layers]]\nname = \"a\"\nkind = \"fully_connected\"\nchannels = 3\n");
    let outcome = run_one_replica(&arch, &one, &Plan::uniform(&one, 16, 8), (1, 2));
    assert_eq!(outcome.cycles, 1 + (7 * 14 + 1) + 14 + 1 + 1 + 1 + 1);
}

#[test]
fn a_fast_ima_waits_for_the_slow_ones_of_its_outputs_and_not_for_inputs() {
    // 160 rows are five row blocks: four on one IMA, whose ADC takes four cycles a read, and one on another.
    let arch = machine("tiny", &[("adc.count", "1"), ("adc.rate_gsps", "0.16")]);
    let layer = network([1, 20, 160], "[[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 1\nchannels = 2\n");
    let outcome = run_one_replica(&arch, &layer, &Plan::uniform(&layer, 16, 16), (4, 1));
    let (slow, fast) = (20 * 16 * 4, 20 * 16);
    let stalls = outcome.stalls();
    assert_eq!(stalls[Cause::Computing], slow + fast);
    assert_eq!(stalls[Cause::Input] + stalls[Cause::Bus] + stalls[Cause::ImaOutputRegister], 0);
    assert_eq!(stalls.main_wait(), Some(Cause::Lockstep));
}

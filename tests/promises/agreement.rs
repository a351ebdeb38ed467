//! Operation and iteration fidelity are one machine: every window ends in the same cycle, every count and stall agrees.

use arch::Arch;
use chip::{Cause, Fidelity, Options, Outcome};
use network::{Edges, LayerId, Network, Plan, Region};
use proptest::prelude::*;

use crate::any::{any_bits, any_machine, any_network, plan_of};
use crate::support::{isaac, machine, network, preset};

/// Runs both and compares; returns the outcome.
fn agree(arch: &Arch, network: &Network, plan: &Plan, images: u32, uncontended: bool) -> Option<Outcome> {
    let layout = mapper::balance(arch, network, plan).ok()?;
    let at = |fidelity| {
        let options = Options { images, fidelity, uncontended, ..Options::default() };
        chip::run(arch, &layout, &options).unwrap_or_else(|error| panic!("{error}"))
    };
    let operation = at(Fidelity::Operation);
    assert_eq!(operation, at(Fidelity::Iteration));
    assert!(!uncontended || operation.stalls()[Cause::Bus] == 0, "a bus without limits was waited for");
    Some(operation)
}

/// Machines that differ in what can be in short supply.
fn machines() -> Vec<(&'static str, Arch)> {
    let changed = |name, changes: &[(&str, &str)]| (name, machine("tiny", changes));
    vec![
        ("tiny", machine("tiny", &[])),
        changed("one ADC", &[("adc.count", "1")]),
        changed("slow ADCs", &[("adc.rate_gsps", "0.1")]),
        changed("narrow bus", &[("bus.bytes_per_cycle", "24")]),
        changed("narrow eDRAM", &[("edram.bytes_per_cycle", "24")]),
        changed("slow mesh", &[("router.clock_ghz", "0.01")]),
        changed("small buffer", &[("edram.bytes", "2048")]),
        changed("small output register", &[("tile.output_register_bytes", "64")]),
        changed("two-bit DACs", &[("dac.bits", "2")]),
        changed("one-bit cells", &[("crossbar.cell_bits", "1")]),
        changed("zero row blocks skipped", &[("ima.skip_zero_row_blocks", "true")]),
        changed("one output register", &[("ima.output_registers", "1")]),
        changed("an odd rate and clock", &[("adc.rate_gsps", "0.137"), ("router.clock_ghz", "0.0731")]),
        changed("unit columns", &[("adc.unit_column", "true")]),
    ]
}

fn tiny_plans(network: &Network) -> Vec<(&'static str, Plan)> {
    let full = Plan::uniform(network, 16, 16);
    let mut mixed = Plan::uniform(network, 12, 9);
    mixed.layers[LayerId(0)].regions = vec![
        Region { top: 0, left: 0, height: 4, width: 16, bits: 5 },
        Region { top: 6, left: 3, height: 5, width: 4, bits: 0 },
    ];
    vec![
        ("full precision", full.clone()),
        ("cropped", full.crop(network, "top,left".parse().expect("edges")).expect("tiny has crop sizes")),
        ("regions", mixed),
        ("few bits", Plan::uniform(network, 5, 3)),
    ]
}

#[test]
fn on_56_combinations_of_machine_and_plan() {
    let tiny = preset("tiny");
    let mut congested = 0;
    for (machine, arch) in machines() {
        for (plan_name, plan) in tiny_plans(&tiny) {
            let Some(outcome) = agree(&arch, &tiny, &plan, 2, false) else {
                panic!("tiny with {plan_name} does not fit `{machine}`");
            };
            let free = agree(&arch, &tiny, &plan, 2, true).expect("it fitted with contention");
            congested += u32::from(free.cycles < outcome.cycles);
        }
    }
    assert!(congested >= 14, "only {congested} of 56 runs had to wait for anything");
}

#[test]
fn on_whole_networks_and_isaac() {
    let one_chip = |changes: &[(&str, &str)]| {
        isaac(&[[("board.chips", "2"), ("board.columns", "2")].as_slice(), changes].concat())
    };
    let small = network(
        [30, 30, 3],
        "[[layers]]\nname = \"a\"\nkind = \"convolution\"\nkernel = 5\nstride = 2\npadding = 2\nchannels = 100\n\
         [[layers]]\nname = \"p\"\nkind = \"max_pool\"\nkernel = 3\nstride = 2\n\
         [[layers]]\nname = \"b\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 300\n\
         [[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = 1000\n",
    );
    for arch in
        [one_chip(&[]), one_chip(&[("adc.count", "4")]), one_chip(&[("crossbar.rows", "256"), ("adc.bits", "9")])]
    {
        for bits in [16, 7] {
            agree(&arch, &small, &Plan::uniform(&small, bits, bits), 2, false).expect("it fits");
        }
    }
}

#[test]
fn on_vgg16_cropped() {
    let (arch, vgg16) = (isaac(&[]), preset("vgg16"));
    let edges = Edges { top: true, bottom: true, left: true, right: true };
    let plan = Plan::uniform(&vgg16, 16, 4).crop(&vgg16, edges).expect("VGG16 has crop sizes");
    agree(&arch, &vgg16, &plan, 1, false).expect("VGG16 fits ISAAC");
}

proptest! {
    #[test]
    fn on_any_machine_network_and_plan(
        arch in any_machine(),
        network in any_network(),
        bits in any_bits(),
        images in 1u32..4,
        uncontended in any::<bool>(),
    ) {
        // A board that is too small is another test's matter.
        agree(&arch, &network, &plan_of(&network, &bits), images, uncontended);
    }
}

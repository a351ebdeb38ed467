//! Operation and iteration fidelity are one machine: every window ends in the same cycle, every count and stall agrees.

use arch::Arch;
use chip::{Cause, Fidelity, Options, Outcome};
use network::{Edges, Layer, LayerKind, Network, Plan, Region};
use proptest::prelude::*;

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
    mixed.layers[0].regions = vec![
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

/// Networks of up to three convolutions, with pools, and a classifier.
fn any_network() -> impl Strategy<Value = Network> {
    let layer = (1u32..=3, 1u32..=2, 1u32..40, any::<bool>());
    (4u32..14, 4u32..14, 1u32..5, prop::collection::vec(layer, 1..4), 1u32..30).prop_filter_map(
        "the layers do not chain",
        |(height, width, channels, layers, classes)| {
            let mut text = String::new();
            for (index, (half, stride, outputs, pool)) in layers.iter().enumerate() {
                let (kernel, padding) = (2 * half - 1, half - 1);
                text += &format!(
                    "[[layers]]\nname = \"c{index}\"\nkind = \"convolution\"\nkernel = {kernel}\nstride = {stride}\n\
                     padding = {padding}\nchannels = {outputs}\n"
                );
                if *pool {
                    text += &format!(
                        "[[layers]]\nname = \"p{index}\"\nkind = \"max_pool\"\nkernel = {half}\nstride = {half}\n"
                    );
                }
            }
            text += &format!("[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = {classes}\n");
            let input = format!("input = {{ height = {height}, width = {width}, channels = {channels} }}");
            network::parse(&format!("name = \"any\"\n{input}\n{text}"), "any").ok()
        },
    )
}

/// Variants of the tiny machine in which things may be scarce.
fn any_machine() -> impl Strategy<Value = Arch> {
    let imas =
        (1u32..=6, 1u32..=6, 1u32..=6, 16u32..200, 16u32..200, 1u32..=4, prop::sample::select(vec![1u32, 2, 3, 8]));
    let ours = (1u32..=7, 10u32..2000, any::<bool>(), any::<bool>());
    (imas, prop::sample::select(vec![32u32, 48, 64]), prop::sample::select(vec![16u32, 32, 40]), ours).prop_map(
        |((imas, crossbars, adcs, bus, edram, cell_bits, dac_bits), rows, columns, ours)| {
            let (output_registers, rate, unit_column, skip) = ours;
            let changes = [
                ("tile.imas", imas),
                ("ima.crossbars", crossbars),
                ("adc.count", adcs.min(crossbars)),
                ("bus.bytes_per_cycle", bus),
                ("edram.bytes_per_cycle", edram),
                ("crossbar.cell_bits", cell_bits),
                ("dac.bits", dac_bits),
                ("crossbar.rows", rows),
                ("crossbar.columns", columns),
                ("adc.bits", 12),
                ("ima.output_registers", output_registers),
                ("ima.input_register_bytes", 2048),
                ("ima.output_register_bytes", 512),
                ("tile.output_register_bytes", 3072),
            ];
            let texts: Vec<_> = changes.iter().map(|(key, value)| (*key, value.to_string())).collect();
            let mut changes: Vec<_> = texts.iter().map(|(key, value)| (*key, value.as_str())).collect();
            // Conversions in a cycle of 100 ns: 1 to 200, and seldom a whole number.
            let (rate, bool) =
                (format!("{:.3}", f64::from(rate) / 1000.0), |value| if value { "true" } else { "false" });
            changes.extend([("adc.rate_gsps", rate.as_str()), ("adc.unit_column", bool(unit_column))]);
            changes.push(("ima.skip_zero_row_blocks", bool(skip)));
            machine("tiny", &changes)
        },
    )
}

/// Bits of each of four layers, and rectangles of them with bits of their own; 0 crops.
type Bits = (Vec<(u32, u32)>, Vec<(usize, Region)>);

fn any_bits() -> impl Strategy<Value = Bits> {
    let layers = prop::collection::vec((1u32..=16, 0u32..=16), 4);
    let region = (0u32..14, 0u32..14, 1u32..14, 1u32..14, 0u32..=16)
        .prop_map(|(top, left, height, width, bits)| Region { top, left, height, width, bits });
    (layers, prop::collection::vec((0usize..3, region), 0..4))
}

/// The plan that `bits` mean for `network`: fully connected layers are whole, regions end where their maps do.
fn plan_of(network: &Network, (layers, regions): &Bits) -> Plan {
    let mut plan = Plan::uniform(network, 16, 16);
    for (index, (layer, bits)) in plan.layers.iter_mut().zip(layers).enumerate() {
        let Layer { kind, output, .. } = &network.layers[index];
        (layer.weight_bits, layer.activation_bits) = *bits;
        if *kind == LayerKind::FullyConnected {
            layer.activation_bits = bits.1.max(1);
            continue;
        }
        let here = regions
            .iter()
            .filter(|(at, region)| *at == index && region.top < output.height && region.left < output.width);
        layer.regions.extend(here.map(|(_, region)| Region {
            height: region.height.min(output.height - region.top),
            width: region.width.min(output.width - region.left),
            ..*region
        }));
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

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

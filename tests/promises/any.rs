//! Networks, machines and plans of every kind, for generated tests.

use arch::Arch;
use index::Index;
use network::{Layer, LayerId, LayerKind, Network, Plan, Region};
use proptest::prelude::*;

use crate::support::{machine, preset};

/// A layer of a generated network; its numbers are cut to what fits the map.
#[derive(Clone, Copy, Debug)]
enum AnyLayer {
    Convolution {
        kernel: u32,
        stride: u32,
        padding: u32,
        channels: u32,
    },
    /// Kernel, stride and padding as they are, or over the whole map.
    MaxPool {
        kernel: u32,
        stride: u32,
        padding: u32,
        global: bool,
    },
}

fn any_convolution() -> impl Strategy<Value = AnyLayer> {
    (1u32..=5, 1u32..=3, 0u32..=4, 1u32..40).prop_map(|(kernel, stride, padding, channels)| AnyLayer::Convolution {
        kernel,
        stride,
        padding,
        channels,
    })
}

fn any_layer() -> impl Strategy<Value = AnyLayer> {
    let max_pool = (1u32..=5, 1u32..=4, 0u32..=4, prop::bool::weighted(0.1))
        .prop_map(|(kernel, stride, padding, global)| AnyLayer::MaxPool { kernel, stride, padding, global });
    prop_oneof![any_convolution(), max_pool]
}

/// Networks of convolutions and max-pools of any shape: overlapping, padded, global, one after another; with and
/// without a classifier.
pub(crate) fn any_network() -> impl Strategy<Value = Network> {
    let sizes = (1u32..16, 1u32..16, 1u32..6, prop::option::of(1u32..30));
    (sizes, any_convolution(), prop::collection::vec(any_layer(), 0..6)).prop_filter_map(
        "the layers do not chain",
        |((height, width, channels, classes), first, layers)| {
            let mut text = format!("input = {{ height = {height}, width = {width}, channels = {channels} }}\n");
            let (mut rows, mut columns) = (height, width);
            for (index, layer) in [first].into_iter().chain(layers).enumerate() {
                let (name, kernel, stride, padding) = match layer {
                    AnyLayer::Convolution { kernel, stride, padding, channels } => {
                        text += &format!("[[layers]]\nkind = \"convolution\"\nchannels = {channels}\n");
                        ("c", kernel, stride, padding.min(kernel - 1))
                    }
                    AnyLayer::MaxPool { kernel, stride, padding, global } => {
                        text += "[[layers]]\nkind = \"max_pool\"\n";
                        let kernel = if global { rows.min(columns) } else { kernel };
                        ("p", kernel, stride, padding.min(kernel - 1))
                    }
                };
                text +=
                    &format!("name = \"{name}{index}\"\nkernel = {kernel}\nstride = {stride}\npadding = {padding}\n");
                let along = |size: u32| Some((size + 2 * padding).checked_sub(kernel)? / stride + 1);
                (rows, columns) = (along(rows)?, along(columns)?);
            }
            if let Some(classes) = classes {
                text += &format!("[[layers]]\nname = \"f\"\nkind = \"fully_connected\"\nchannels = {classes}\n");
            }
            network::parse(&format!("name = \"any\"\n{text}"), "any").ok()
        },
    )
}

/// The shipped machines, and variants of the tiny one in which things may be scarce.
pub(crate) fn any_machine() -> impl Strategy<Value = Arch> {
    prop_oneof![
        1 => Just(machine("tiny", &[])),
        1 => Just(machine("isaac-ce", &[])),
        4 => scarce_machine(),
    ]
}

fn scarce_machine() -> impl Strategy<Value = Arch> {
    let dac_bits = prop::sample::select(vec![1u32, 2, 3, 8]);
    let imas = (1u32..=6, 1u32..=6, 1u32..=6, 16u32..200, 16u32..200, 1u32..=4, dac_bits);
    let ours = (1u32..=7, 10u32..2000, any::<bool>(), any::<bool>(), any::<bool>());
    let memories = (prop::sample::select(vec![96u32, 256, 1024, 65536]), prop::sample::select(vec![64u32, 512, 3072]));
    let crossbars = (prop::sample::select(vec![32u32, 48, 64]), prop::sample::select(vec![16u32, 32, 40]));
    (imas, crossbars, memories, ours).prop_map(
        |((imas, crossbars, adcs, bus, port, cell_bits, dac_bits), (rows, columns), (edram, register), ours)| {
            let (output_registers, rate, unit_column, skip, slow) = ours;
            let changes = [
                ("tile.imas", imas),
                ("ima.crossbars", crossbars),
                ("adc.count", adcs.min(crossbars)),
                ("bus.bytes_per_cycle", bus),
                ("edram.bytes_per_cycle", port),
                ("edram.bytes", edram),
                ("crossbar.cell_bits", cell_bits),
                ("dac.bits", dac_bits),
                ("crossbar.rows", rows),
                ("crossbar.columns", columns),
                ("adc.bits", 12),
                ("ima.output_registers", output_registers),
                ("ima.input_register_bytes", 2048),
                ("ima.output_register_bytes", register.min(512)),
                ("tile.output_register_bytes", register),
            ];
            let texts: Vec<_> = changes.iter().map(|(key, value)| (*key, value.to_string())).collect();
            let mut changes: Vec<_> = texts.iter().map(|(key, value)| (*key, value.as_str())).collect();
            // Conversions in a cycle of 100 ns: 1 to 200, and seldom a whole number.
            let rate = format!("{:.3}", f64::from(rate) / 1000.0);
            let bool = |value| if value { "true" } else { "false" };
            changes.extend([("adc.rate_gsps", rate.as_str()), ("adc.unit_column", bool(unit_column))]);
            changes.push(("ima.skip_zero_row_blocks", bool(skip)));
            changes.push(("router.clock_ghz", if slow { "0.0237" } else { "1.0" }));
            machine("tiny", &changes)
        },
    )
}

/// Bits of each of seven layers, and rectangles of them with bits of their own; 0 crops.
pub(crate) type Bits = (Vec<(u32, u32)>, Vec<(usize, Region)>);

/// Full precision, or bits and regions of every kind.
pub(crate) fn any_bits() -> impl Strategy<Value = Bits> {
    let layers = prop::collection::vec((1u32..=32, 0u32..=32), 7);
    let region = (0u32..14, 0u32..14, 1u32..14, 1u32..14, 0u32..=32)
        .prop_map(|(top, left, height, width, bits)| Region { top, left, height, width, bits });
    let regions = prop::collection::vec((0usize..4, region), 0..4);
    prop_oneof![1 => Just((vec![(16, 16); 7], Vec::new())), 3 => (layers, regions)]
}

/// The plan that `bits` mean for `network`: fully connected layers are whole, regions end where their maps do.
pub(crate) fn plan_of(network: &Network, (layers, regions): &Bits) -> Plan {
    let mut plan = Plan::uniform(network, 16, 16);
    for (index, (layer, bits)) in plan.layers.iter_mut().zip(layers).enumerate() {
        let Layer { kind, output, .. } = &network.layers[LayerId::new(index)];
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

/// The chains that ship, by name.
pub(crate) fn presets() -> Vec<(&'static str, Network)> {
    let chain = |name| Some((name, preset(name).into_chain().ok()?));
    network::names().into_iter().filter_map(chain).collect()
}

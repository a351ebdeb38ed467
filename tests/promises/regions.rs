//! What a region hides has no effect.

use chip::{Options, Outcome};
use network::{LayerId, Network, Plan, Region};
use proptest::prelude::*;

use crate::support::{machine, preset, run};

/// A plan of `network` with `regions` in its first layers, cut off where their maps end.
fn plan_of(network: &Network, bits: &[u32; 3], regions: &[(LayerId, Region)]) -> Plan {
    let mut plan = Plan::uniform(network, 16, 16);
    for (layer, bits) in plan.layers.iter_mut().zip(bits) {
        layer.activation_bits = *bits;
    }
    for &(layer, region) in regions {
        let map = network.layers[layer].output;
        if region.top < map.height && region.left < map.width {
            let (height, width) =
                (region.height.min(map.height - region.top), region.width.min(map.width - region.left));
            plan.layers[layer].regions.push(Region { height, width, ..region });
        }
    }
    plan
}

/// The same bits in every window, over `hidden` regions and bits that nothing shows of.
fn over(network: &Network, plan: &Plan, bits: &[u32; 3], hidden: &[(LayerId, Region)]) -> Plan {
    let mut over = plan_of(network, bits, hidden);
    for (id, layer) in plan.layers.enumerate().take(bits.len()) {
        let map = network.layers[id].output;
        let whole = Region { top: 0, left: 0, height: map.height, width: map.width, bits: layer.activation_bits };
        let regions = &mut over.layers[id].regions;
        regions.push(whole);
        regions.extend(&layer.regions);
    }
    over
}

fn outcome(network: &Network, plan: &Plan, images: u32) -> Outcome {
    run(&machine("tiny", &[]), network, plan, &Options { images, ..Options::default() })
}

#[test]
fn a_region_below_another_does_not_widen_what_is_stored() {
    let tiny = preset("tiny");
    let plain = plan_of(&tiny, &[4, 16, 16], &[]);
    let region = |bits| (LayerId(0), Region { top: 0, left: 0, height: 16, width: 16, bits });
    let hidden = plan_of(&tiny, &[4, 16, 16], &[region(16), region(4)]);
    let outcome = outcome(&tiny, &plain, 1);
    assert_eq!(outcome, self::outcome(&tiny, &hidden, 1));
    assert_eq!(outcome.counts().host_bits_written, 4224);
}

fn any_regions() -> impl Strategy<Value = Vec<(LayerId, Region)>> {
    let region = (0u32..16, 0u32..16, 1u32..17, 1u32..17, 0u32..=16)
        .prop_map(|(top, left, height, width, bits)| Region { top, left, height, width, bits });
    prop::collection::vec(((0u16..3).prop_map(LayerId), region), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn plans_with_equal_bits_in_every_window_have_equal_outcomes(
        bits in [0u32..=16, 0u32..=16, 0u32..=16],
        hidden_bits in [0u32..=16, 0u32..=16, 0u32..=16],
        regions in any_regions(),
        hidden in any_regions(),
        images in 1u32..3,
    ) {
        let tiny = preset("tiny");
        let plan = plan_of(&tiny, &bits, &regions);
        let same = over(&tiny, &plan, &hidden_bits, &hidden);
        for (id, layer) in tiny.layers.enumerate() {
            for (y, x) in (0..layer.output.height).flat_map(|y| (0..layer.output.width).map(move |x| (y, x))) {
                prop_assert_eq!(plan.layers[id].bits_at(y, x), same.layers[id].bits_at(y, x));
            }
        }
        prop_assert_eq!(outcome(&tiny, &plan, images), outcome(&tiny, &same, images));
    }
}

//! Networks with forks, joins and concatenations: runs end, and everything is counted.

use chip::{Fidelity, Options, Order};
use network::{NodeList, Plan};
use proptest::prelude::*;

use crate::any::any_machine;
use crate::many_images::run_at;
use crate::support::machine;

/// A random graph, as far as it can be mapped to `arch`.
fn laid_out(arch: &arch::Arch, list: NodeList) -> Option<mapper::Layout> {
    let network = list.lower().expect("generated graphs are networks");
    mapper::balance(arch, &network, &Plan::uniform(&network, 16, 16)).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 65536, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_end_and_both_fidelities_agree(
        list in network::testing::graphs(),
        arch in prop_oneof![1 => Just(machine("tiny", &[("edram.bytes", "65536")])), 1 => any_machine()],
        images in 1u32..=20,
        uncontended in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let layout = laid_out(&arch, list);
        prop_assume!(layout.is_some());
        let layout = layout.expect("checked");
        let at = |fidelity, order| run_at(&arch, &layout, &Options { images, fidelity, uncontended, order });
        let outcome = at(Fidelity::Operation, Order::Sent);
        prop_assert_eq!(outcome.images.len(), images as usize);
        prop_assert_eq!(&outcome, &at(Fidelity::Iteration, Order::Shuffled(seed)));
        // Conversions: each window converts all columns of a replica, once for each bit of its inputs and row block.
        if !arch.ima.skip_zero_row_blocks {
            let units = u64::from(arch.adc.unit_column);
            for (layer, counted) in layout.layers.iter().zip(&outcome.layers) {
                let geometry = &layer.geometry;
                let columns = u64::from(geometry.columns) + units * u64::from(geometry.col_blocks);
                let reads = layer.computed_windows() * u64::from(arch.iterations(16)) * u64::from(images);
                let conversions = reads * columns * u64::from(geometry.row_blocks);
                prop_assert_eq!(counted.counts.adc_conversions, conversions, "{}", layer.layer.name);
            }
        }
    }
}

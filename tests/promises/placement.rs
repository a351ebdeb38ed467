//! Placement loses no window: with any number of replicas, in tiles of their own or shared.

use analysis::{Bound, Kind};
use chip::Options;
use mapper::{Balance, Fill, Layout};
use network::Plan;
use proptest::prelude::*;

use crate::any::{any_bits, any_machine, any_network, plan_of};
use crate::support::{isaac, preset, run_layout};

fn any_fill() -> impl Strategy<Value = Fill> {
    prop_oneof![Just(Fill::LastLayer), Just(Fill::Board), Just(Fill::Chips(1)), (1u64..2000).prop_map(Fill::Cycles)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn replicas_change_when_windows_are_computed_and_not_which(
        arch in any_machine(),
        network in any_network(),
        bits in any_bits(),
        fill in any_fill(),
        for_crop: bool,
    ) {
        let plan = plan_of(&network, &bits);
        let (filled, one) = (Balance { fill, for_crop }.layout(&arch, &network, &plan), mapper::balance(&arch, &network, &plan));
        let (Ok(filled), Ok(one)) = (filled, one) else { return Ok(()) };
        let (ran, ran_one) = (run_layout(&arch, &filled, &Options::default()), run_layout(&arch, &one, &Options::default()));
        for ((layer, other), mapped) in ran.layers.iter().zip(&ran_one.layers).zip(&filled.layers) {
            prop_assert_eq!(layer.counts.windows, other.counts.windows);
            prop_assert_eq!(layer.counts.windows, mapped.computed_windows());
            prop_assert_eq!(layer.counts.adc_conversions, other.counts.adc_conversions);
        }
        if let Fill::Cycles(cycles) = fill {
            let bound = Bound::new(&arch, &filled, true);
            prop_assert!(bound.cycles <= cycles as f64, "{} cycles for {cycles}", bound.cycles);
        }
    }

    #[test]
    fn layers_that_share_tiles_leave_the_pace(network in any_network()) {
        let plan = Plan::uniform(&network, 16, 16);
        // Chips of four tiles, between which there are links, and one chip for all tiles, where nothing is shared.
        let small = isaac(&[("chip.tile_columns", "2"), ("chip.tile_rows", "2")]);
        let large = isaac(&[]);
        let shared = mapper::balance(&small, &network, &plan).expect("sixteen chips are enough").mapping;
        let shared = Layout::new(&large, &network, &plan, shared).expect("it fits the smaller chips");
        let own = mapper::balance(&large, &network, &plan).expect("one chip is enough");
        let [shared, own] = [shared, own].map(|layout| Bound::new(&large, &layout, false));
        let most = |bound: &Bound, kind| {
            let of_kind = bound.resources.iter().filter(|resource| resource.kind == kind);
            of_kind.map(|resource| resource.cycles).fold(0.0, f64::max)
        };
        let pace = most(&own, Kind::Crossbars);
        prop_assert_eq!(most(&shared, Kind::Crossbars), pace);
        for kind in [Kind::Bus, Kind::EdramPort] {
            let (shared, own) = (most(&shared, kind), most(&own, kind));
            prop_assert!(shared <= own.max(pace), "{kind:?}: {shared} cycles shared, {own} in tiles of their own");
        }
    }
}

#[test]
fn vgg16_on_16_chips_would_take_784_cycles_but_for_a_router_port() {
    let (arch, vgg16) = (isaac(&[("board.chips", "16")]), preset("vgg16"));
    let balance = Balance { fill: Fill::Cycles(784), ..Balance::default() };
    let layout = balance.layout(&arch, &vgg16, &Plan::uniform(&vgg16, 16, 16)).expect("16 chips hold it");
    let uncontended = run_layout(&arch, &layout, &Options { images: 16, uncontended: true, ..Options::default() });
    assert_eq!(uncontended.pace(784.0).map(|pace| (pace.cycles_per_image, pace.error)), Ok((784.0, 0.0)));
    let bound = Bound::new(&arch, &layout, false);
    let crossbars = bound.resources.iter().find(|resource| resource.kind == Kind::Crossbars);
    assert_eq!(crossbars.map(|crossbars| crossbars.cycles), Some(784.0));
    assert!(bound.is_of_placement() && bound.cycles > 1250.0, "{} cycles", bound.cycles);
}

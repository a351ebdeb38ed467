//! A searched placement runs at the pace of the crossbars, and the simulator agrees.

use std::thread;

use analysis::placement::{Placement, place};
use analysis::{Bound, Kind};
use arch::Arch;
use chip::{Options, Routed};
use mapper::{Layout, Mapping};
use network::{Edges, Network, Plan};

use crate::demand::machine;

/// Convolutions with many replicas at first and one at last.
fn small_network() -> Network {
    let layer = |index: u32| {
        format!(
            "[[layers]]\nname = \"c{index}\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 16\n\
             crop = {{ x = 1, y = 1 }}\n"
        )
    };
    let pool = |index: u32| format!("[[layers]]\nname = \"p{index}\"\nkind = \"max_pool\"\nkernel = 2\nstride = 2\n");
    let layers = [layer(0), layer(1), pool(1), layer(2), layer(3), pool(3), layer(4)].concat();
    let text = format!("name = \"small\"\ninput = {{ height = 16, width = 16, channels = 8 }}\n{layers}");
    network::parse(&text, "small.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

/// A board with routers so slow that ports bind where each value is sent to each of its receivers.
fn small_machine(chips: &str, tile_columns: &str, clock_ghz: &str) -> Arch {
    machine(
        "tiny",
        &[
            ("board.chips", chips),
            ("board.columns", chips),
            ("chip.tile_columns", tile_columns),
            ("chip.tile_rows", "6"),
            ("router.tile_columns", "1"),
            ("router.tile_rows", "1"),
            ("router.multicast", "false"),
            ("router.clock_ghz", clock_ghz),
        ],
    )
}

fn two_chips() -> Arch {
    small_machine("2", "6", "0.03")
}

fn one_chip() -> Arch {
    small_machine("1", "12", "0.025")
}

fn whole(network: &Network) -> Plan {
    Plan::uniform(network, 16, 16)
}

fn balanced(arch: &Arch, network: &Network) -> Layout {
    mapper::balance(arch, network, &whole(network)).expect("it fits")
}

fn lay_out(arch: &Arch, network: &Network, plan: &Plan, mapping: &Mapping) -> Layout {
    Layout::new(arch, network, plan, mapping.clone()).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// Mean interval of images in a settled run, in cycles.
fn interval(arch: &Arch, layout: &Layout) -> f64 {
    let first = Options { images: 60, ..Options::default() };
    let (routed, bound) = (Routed::new(arch, layout), Bound::new(arch, layout, false).cycles);
    let (_, outcome) = routed.run_until_settled(&first, bound).unwrap_or_else(|error| panic!("{error}"));
    outcome.pace(bound).expect("it is settled").cycles_per_image
}

#[test]
fn a_searched_placement_runs_at_the_pace_of_the_crossbars() {
    let network = small_network();
    for arch in [two_chips(), one_chip()] {
        let given = balanced(&arch, &network);
        let before = Bound::new(&arch, &given, false);
        assert!(before.is_of_placement(), "{} binds", before.resources[0].name);
        let placement = place(&arch, &[&given], arch.board.chips, 8);
        assert!(placement.keeps_pace && placement.starts > 0);
        let searched = lay_out(&arch, &network, &whole(&network), &placement.mapping);
        let after = Bound::new(&arch, &searched, false);
        assert_eq!(after.resources[0].kind, Kind::Crossbars);
        assert!(!after.is_of_placement());
        let (slow, fast) = (interval(&arch, &given), interval(&arch, &searched));
        assert!(slow >= 0.999 * before.cycles, "{slow} cycles, and {} at least", before.cycles);
        assert!((0.999..1.02).contains(&(fast / after.cycles)), "{fast} cycles for {}", after.cycles);
    }
}

#[test]
fn vgg16_sent_to_each_receiver_is_placed_at_the_pace_of_its_crossbars() {
    let arch = machine("isaac-ce", &[("router.multicast", "false")]);
    let network = network::load("vgg16").expect("a preset");
    let given = balanced(&arch, &network);
    let placement = place(&arch, &[&given], 7, 8);
    assert!(placement.keeps_pace);
    // The search takes no longer than promised: an exchange or a boundary takes some 0.1 ms.
    assert!(placement.boundaries + placement.exchanges < 2000, "{placement:?}");
    let searched = lay_out(&arch, &network, &whole(&network), &placement.mapping);
    let bound = Bound::new(&arch, &searched, false);
    assert_eq!((bound.resources[0].kind, bound.cycles), (Kind::Crossbars, 3136.0));
}

#[test]
fn a_search_depends_on_nothing_but_its_arguments() {
    let (arch, network) = (one_chip(), small_network());
    let given = balanced(&arch, &network);
    let search = || place(&arch, &[&given], 1, 8);
    let alone = search();
    assert_ne!(alone.mapping, given.mapping);
    thread::scope(|scope| {
        let searches: Vec<_> = (0..3).map(|_| scope.spawn(search)).collect();
        for search in searches {
            assert_eq!(search.join().expect("it finishes"), alone);
        }
    });
}

#[test]
fn a_mapping_at_the_pace_is_left_as_it_is() {
    let (mut arch, network) = (two_chips(), small_network());
    arch.router.clock_ghz = 1.0;
    let given = balanced(&arch, &network);
    let placement = place(&arch, &[&given], 2, 8);
    let untouched =
        Placement { mapping: given.mapping.clone(), keeps_pace: true, starts: 0, boundaries: 0, exchanges: 0 };
    assert_eq!(placement, untouched);
}

#[test]
fn a_searched_mapping_reads_back_from_its_file() {
    let (arch, network) = (two_chips(), small_network());
    let placement = place(&arch, &[&balanced(&arch, &network)], 2, 8);
    let text = placement.mapping.to_toml();
    let read = Layout::parse(&text, "searched.toml", &arch, &network, &whole(&network));
    assert_eq!(read.unwrap_or_else(|faults| panic!("{faults}")).mapping, placement.mapping);
}

#[test]
fn one_placement_serves_all_crops() {
    let (arch, network) = (one_chip(), small_network());
    let given = balanced(&arch, &network);
    let crop = |edges: Edges| whole(&network).crop(&network, edges).expect("every layer has a crop");
    let plans = Edges::all().map(crop);
    let layouts: Vec<Layout> = plans.iter().map(|plan| lay_out(&arch, &network, plan, &given.mapping)).collect();
    let placement = place(&arch, &layouts.iter().collect::<Vec<_>>(), 1, 8);
    assert!(placement.keeps_pace, "{placement:?}");
    for plan in &plans {
        let searched = lay_out(&arch, &network, plan, &placement.mapping);
        assert!(!Bound::new(&arch, &searched, false).is_of_placement());
    }
}

//! The bound names what binds, and no image follows the one before any faster.

use analysis::{Bound, Kind};
use chip::Options;

use crate::demand::{laid_out, machine};

#[test]
fn what_is_narrow_is_named_and_sets_the_pace() {
    let two_chips = [("board.chips", "2"), ("chip.tile_rows", "2")];
    let narrow_link = [two_chips.as_slice(), &[("hyper_transport.gigabytes_per_second", "0.01")]].concat();
    for (changes, kind, name) in [
        (vec![], Kind::Crossbars, "crossbars of conv"),
        (vec![("bus.bytes_per_cycle", "4")], Kind::Bus, "bus of tile"),
        (vec![("edram.bytes_per_cycle", "4")], Kind::EdramPort, "eDRAM port of tile"),
        (vec![("router.clock_ghz", "0.01"), ("router.flit_bits", "8")], Kind::RouterPort, "of router"),
        (narrow_link, Kind::Link, "link from chip 0 to chip 1"),
    ] {
        let arch = machine("tiny", &changes);
        let layout = laid_out(&arch, "tiny");
        let bound = Bound::new(&arch, &layout, false);
        let first = &bound.resources[0];
        assert_eq!((first.kind, bound.cycles), (kind, first.cycles), "{}", first.name);
        assert!(first.name.contains(name), "{} for {name}", first.name);
        assert_eq!(bound.bottlenecks().next(), Some(first));
        let parts: f64 = first.layers.iter().map(|part| part.share).sum();
        assert!((parts - 1.0).abs() < 1e-9, "the layers need {parts} of it");
        let outcome = chip::run(&arch, &layout, &Options { images: 60, ..Options::default() }).expect("it runs");
        let pace = (outcome.images[49] - outcome.images[29]) as f64 / 20.0;
        let relative = pace / bound.cycles;
        assert!((0.999..1.05).contains(&relative), "{name}: {pace} cycles for {}", bound.cycles);
    }
}

#[test]
fn vgg16_on_isaac_ce_is_bound_by_its_crossbars_and_by_a_port_if_each_receiver_is_sent_its_own_copy() {
    let arch = machine("isaac-ce", &[]);
    let layout = laid_out(&arch, "vgg16");
    let bound = Bound::new(&arch, &layout, false);
    assert_eq!((bound.cycles, bound.resources[0].kind), (3136.0, Kind::Crossbars));
    let unicast = Bound::new(&machine("isaac-ce", &[("router.multicast", "false")]), &layout, false);
    let first = &unicast.resources[0];
    assert_eq!(
        (first.name.as_str(), first.amount, first.cycles),
        ("east port of router 6,3 on chip 0", 366_628, 3666.28)
    );
    // ISAAC's balance: every convolution is as busy, 196 windows of 16 reads for its busiest replica.
    let crossbars: Vec<u64> =
        bound.resources.iter().filter(|of| of.kind == Kind::Crossbars).map(|of| of.amount).collect();
    assert_eq!(crossbars, [vec![196 * 16; 13], vec![16; 3]].concat());
    let read = bound.ranked().into_iter().find(|of| of.kind == Kind::Crossbars).expect("crossbars are read");
    assert_eq!((read.name.as_str(), read.alike), ("crossbars of conv1_1, replica 0", 12));
    let free = Bound::new(&arch, &layout, true);
    assert_eq!((free.cycles, free.resources.len()), (3136.0, 16));
}

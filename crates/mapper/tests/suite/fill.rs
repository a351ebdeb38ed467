//! Replicas for a whole board, for some chips, and for a number of cycles per image.

use arch::Arch;
use mapper::{Balance, Fill, Layout, MappingError};
use network::{LayerKind, Network, Plan};

fn vgg16(fill: Fill) -> Result<Layout, Vec<MappingError>> {
    let (arch, network) = presets();
    Balance { fill, ..Balance::default() }.layout(&arch, &network, &Plan::uniform(&network, 16, 16))
}

fn presets() -> (Arch, Network) {
    (arch::load("isaac-ce").expect("a preset"), network::load("vgg16").expect("a preset"))
}

/// Most windows of a replica, and the IMAs that replicas take.
fn windows_and_imas(layout: &Layout) -> (usize, u32) {
    let convolutions = layout.layers.iter().filter(|layer| layer.layer.kind == LayerKind::Convolution);
    let windows = convolutions
        .flat_map(|layer| layer.replicas.indices().map(|replica| layer.windows(replica).len()))
        .max()
        .expect("VGG16 has convolutions");
    let imas =
        layout.layers.iter().flat_map(|layer| layer.replicas.iter().map(|_| layer.geometry.imas_per_replica())).sum();
    (windows, imas)
}

fn last_ima(layout: &Layout) -> u32 {
    let ends = layout.layers.iter().flat_map(|layer| {
        layer.replicas.iter().map(|first| first + layer.geometry.imas_per_replica() - 1).collect::<Vec<_>>()
    });
    ends.max().expect("there are replicas")
}

#[test]
fn a_filled_board_has_no_room_for_a_window_less() {
    let (windows, imas) = windows_and_imas(&vgg16(Fill::Board).expect("the board holds VGG16"));
    assert_eq!((windows, imas), (48, 30_742));
    // An iteration more or less than 48 windows of 16.
    let exact = vgg16(Fill::Cycles(48 * 16)).expect("the filled board takes as many");
    assert_eq!(windows_and_imas(&exact).0, 48);
    let refused = vgg16(Fill::Cycles(48 * 16 - 1)).expect_err("no board holds the replicas");
    assert_eq!(refused[0].to_string(), "VGG16 needs at least 768 cycles per image on ISAAC-CE, and 767 are wanted");
}

#[test]
fn a_number_of_cycles_takes_the_fewest_replicas_for_them() {
    // A quarter of the 3,136 cycles that one replica of conv5 takes.
    let (windows, imas) = windows_and_imas(&vgg16(Fill::Cycles(784)).expect("the board holds them"));
    assert_eq!(windows, 49);
    assert!(imas < 30_742, "{imas} IMAs");
    let balanced = vgg16(Fill::Cycles(3136)).expect("the board holds them");
    assert_eq!(balanced.mapping, vgg16(Fill::LastLayer).expect("the board holds them").mapping);
}

#[test]
fn replicas_for_some_chips_stay_on_them() {
    let (arch, _) = presets();
    let imas_per_chip = arch.imas() / arch.board.chips;
    let mut before = usize::MAX;
    for chips in [5, 8, 16] {
        let layout = vgg16(Fill::Chips(chips)).expect("five chips are enough");
        assert!(last_ima(&layout) < chips * imas_per_chip, "{chips} chips");
        let (windows, _) = windows_and_imas(&layout);
        assert!(windows < before, "{windows} windows on {chips} chips, {before} on fewer");
        before = windows;
    }
    let faults = |chips| vgg16(Fill::Chips(chips)).expect_err("it does not fit").remove(0).to_string();
    assert_eq!(faults(17), "17 chips are to be filled, and ISAAC-CE has 16");
    assert!(faults(4).starts_with("VGG16 needs 67576 crossbars"), "{}", faults(4));
}

#[test]
fn aims_are_read_as_they_are_written() {
    for fill in [Fill::LastLayer, Fill::Board, Fill::Chips(8), Fill::Cycles(784)] {
        assert_eq!(fill.to_string().parse::<Fill>().expect("as written"), fill);
    }
    for text in ["", "784", "0-chips", "-1-cycles", "8 chips", "boards"] {
        assert!(text.parse::<Fill>().is_err(), "{text}");
    }
}

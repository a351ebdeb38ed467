//! Small layers share tiles where that saves a chip and leaves the pace.

use std::collections::BTreeSet;
use std::fmt::Write;

use network::Plan;

/// Tiles of eight layers of one IMA each, on chips of four tiles.
fn tiles_with(changes: &[(&str, i64)]) -> BTreeSet<u32> {
    let mut text = "name = \"deep\"\ninput = { height = 8, width = 8, channels = 8 }\n".to_owned();
    for layer in 0..8 {
        let kind = "kind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 8";
        writeln!(text, "[[layers]]\nname = \"c{layer}\"\n{kind}").expect("a string takes all text");
    }
    let network = network::parse(&text, "deep").expect("the layers chain");
    let (text, file) = arch::text("isaac-ce").expect("a preset");
    let changes = [("chip.tile_columns", 2), ("chip.tile_rows", 2)].iter().chain(changes);
    let changes: Vec<_> = changes.map(|&(key, value)| (key, value.into())).collect();
    let arch = arch::with_overrides(&text, &file, &changes).expect("a machine");
    let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
    layout.layers.iter().flat_map(|layer| &layer.slices).map(|slice| slice.tile.0).collect()
}

#[test]
fn eight_layers_take_one_tile_and_one_chip() {
    assert_eq!(tiles_with(&[]), BTreeSet::from([0]));
    // On a chip with room, each has a tile of its own.
    assert_eq!(tiles_with(&[("chip.tile_columns", 4)]), (0..8).collect());
}

#[test]
fn no_tile_is_shared_if_it_would_be_slower_than_the_crossbars() {
    // An image takes 64 windows of 16 cycles. For each window, a layer reads 72 inputs and moves 8 results, or writes
    // as many inputs, of 16 bits each: 80 bytes per cycle for all eight.
    for key in ["bus.bytes_per_cycle", "edram.bytes_per_cycle"] {
        assert_eq!(tiles_with(&[(key, 80)]).len(), 1, "{key}");
        assert_eq!(tiles_with(&[(key, 79)]).len(), 8, "{key}");
    }
}

#[test]
fn no_tile_is_shared_unless_it_holds_twice_what_must_be_there_at_once() {
    // A window of each layer: 8 results of 16 bits.
    let with_register = |bytes| tiles_with(&[("tile.output_register_bytes", bytes), ("ima.output_register_bytes", 64)]);
    assert_eq!(with_register(2 * 128).len(), 1);
    assert_eq!(with_register(2 * 128 - 1).len(), 8);
}

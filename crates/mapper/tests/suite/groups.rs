//! Crossbars, IMAs and inputs of layers whose channels are convolved in groups.

use std::ops::Range;

use arch::Arch;
use mapper::{Fabric, Geometry};
use network::{Layer, LayerId, Network, Plan};

fn isaac_ce() -> Arch {
    arch::load("isaac-ce").expect("a preset")
}

/// A network of one layer with a kernel of `side` x `side`.
fn one_layer(side: u32, inputs: u32, outputs: u32, groups: u32) -> Network {
    let text = format!(
        "name = 'one'\ninput = {{ height = 6, width = 6, channels = {inputs} }}\n\
         [[layers]]\nname = 'c'\nkind = 'convolution'\nkernel = {side}\nchannels = {outputs}\ngroups = {groups}\n"
    );
    network::parse(&text, "one.toml").expect("a network of one layer")
}

fn crossbars(layer: &Layer) -> u64 {
    Geometry::new(&Fabric::new(&isaac_ce()), layer, 16, 1, 1).crossbars()
}

#[test]
fn groups_stand_diagonally_in_crossbars() {
    // One replica of each layer at 16 bits, by an independent count.
    for (name, expected) in [("resnet18", 5_724), ("resnet50", 12_504), ("googlenet", 3_428), ("mobilenet_v2", 2_526)] {
        let network = network::load(name).expect("a preset");
        assert_eq!(network.layers.iter().map(crossbars).sum::<u64>(), expected, "{name}");
    }
}

#[test]
fn a_group_that_fits_no_crossbar_is_cut_like_a_layer() {
    // Two groups of 3 x 3 x 16 = 144 rows and 32 outputs of 8 columns: two row blocks by two column blocks each.
    assert_eq!(crossbars(&one_layer(3, 32, 64, 2).layers[LayerId(0)]), 2 * 2 * 2);
}

#[test]
fn each_weight_is_in_one_crossbar_whatever_the_groups() {
    let arch = isaac_ce();
    let length = |range: &Range<u32>| u64::from(range.end - range.start);
    let overlap = |a: &Range<u32>, b: &Range<u32>| u64::from(a.end.min(b.end).saturating_sub(a.start.max(b.start)));
    // Depthwise; packs of three groups, the last with two; groups of one crossbar; of 2 x 1; of 3 x 2; of 18 x 16.
    for (side, inputs, outputs, groups) in
        [(3, 240, 240, 240), (3, 128, 128, 32), (3, 64, 64, 8), (3, 64, 64, 4), (3, 128, 128, 4), (3, 512, 512, 2)]
    {
        let network = one_layer(side, inputs, outputs, groups);
        let layer = &network.layers[LayerId(0)];
        for (ima_rows, ima_cols) in [(1, 8), (2, 4), (4, 2), (8, 1), (1, 1)] {
            let geometry = Geometry::new(&Fabric::new(&arch), layer, 16, ima_rows, ima_cols);
            let (rows, columns) = (layer.rows(), outputs / groups * 8);
            let (mut weights, mut used) = (0, 0);
            for index in 0..geometry.imas_per_replica() {
                let (row_group, col_group) = geometry.groups_of(index);
                assert_eq!(geometry.ima_at(row_group, col_group), index);
                let ima = geometry.ima(index);
                used += ima.crossbars(&arch).count() as u64;
                assert!(ima.crossbars(&arch).all(|(rows, columns)| rows <= 128 && columns <= 128));
                assert!(ima.crossbars(&arch).count() <= (ima_rows * ima_cols) as usize);
                let widest = ima.crossbars(&arch).map(|(_, columns)| columns).max();
                assert_eq!(widest, Some(ima.widest(arch.crossbar.columns)));
                for (of_rows, of_columns) in ima.row_blocks(128) {
                    for group in 0..groups {
                        let of_group = overlap(&of_rows, &(group * rows..(group + 1) * rows));
                        weights += of_group * overlap(&of_columns, &(group * columns..(group + 1) * columns));
                    }
                    // Several groups are there as a whole, so that they share rows and columns evenly.
                    let shared = length(&of_rows) > u64::from(rows);
                    assert!(!shared || length(&of_rows) * u64::from(columns) == length(&of_columns) * u64::from(rows));
                }
            }
            assert_eq!(weights, u64::from(rows) * u64::from(outputs) * 8, "{groups} groups in {ima_rows} x {ima_cols}");
            assert_eq!((weights, used), (geometry.cells(), geometry.crossbars()));
        }
    }
}

#[test]
fn a_tile_receives_only_the_channels_of_its_groups() {
    // A group takes 16 rows and all columns of a crossbar: 8 groups an IMA, 96 a tile of 12 IMAs.
    let (arch, network) = (isaac_ce(), one_layer(1, 2048, 2048, 128));
    let layout = mapper::balance_to(&arch, &network, &Plan::uniform(&network, 16, 16), 36, 36).expect("it fits");
    let slices = &layout.layers[LayerId(0)].slices;
    let received: Vec<_> = slices.iter().map(|slice| (slice.tile.0, slice.channels.clone())).collect();
    let one = |channels: Range<u32>| std::iter::once(channels).collect::<Vec<_>>();
    assert_eq!(received, [(0, one(0..96 * 16)), (1, one(96 * 16..2048))]);
    assert!(slices.iter().map(|slice| slice.position_bits).eq([96 * 16 * 16, 32 * 16 * 16]));
}

//! Crossbars of layers whose channels are convolved in groups.

use mapper::packed_crossbars;

#[test]
fn groups_stand_diagonally_in_crossbars() {
    let arch = arch::load("isaac-ce").expect("a preset");
    // One replica of each layer at 16 bits, by an independent count.
    for (name, crossbars) in [("resnet18", 5_724), ("resnet50", 12_504), ("googlenet", 3_428), ("mobilenet_v2", 2_526)]
    {
        let network = network::load(name).expect("a preset");
        let sum: u64 = network.layers.iter().map(|layer| packed_crossbars(&arch, layer, 16)).sum();
        assert_eq!(sum, crossbars, "{name}");
    }
}

#[test]
fn a_group_that_fits_no_crossbar_is_cut_like_a_layer() {
    let arch = arch::load("isaac-ce").expect("a preset");
    // Two groups of 3 x 3 x 16 = 144 rows and 32 outputs of 8 columns: two row blocks by two column blocks each.
    let text = "name = 'one'\ninput = { height = 4, width = 4, channels = 32 }\n\
         [[layers]]\nname = 'c'\nkind = 'convolution'\nkernel = 3\nchannels = 64\ngroups = 2\n";
    let network = network::parse(text, "one.toml").expect("a network of one layer");
    assert_eq!(packed_crossbars(&arch, &network.layers[network::LayerId(0)], 16), 2 * 2 * 2);
}

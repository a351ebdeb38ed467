//! Maps from layer to layer.

use network::{Axes, Kernel, LayerId, LayerKind, Plan};

/// A network of one convolution on an 11 x 9 map and what follows it.
fn behind_a_convolution(rest: &str) -> network::Network {
    let text = format!(
        "name = 'test'\ninput = {{ height = 11, width = 9, channels = 3 }}\n\
         [[layers]]\nname = 'a'\nkind = 'convolution'\nkernel = 3\npadding = 1\nchannels = 4\n{rest}"
    );
    network::parse(&text, "test.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

fn pool(name: &str, pool: Kernel) -> String {
    let (kernel, stride, padding) = (pool.size.y, pool.stride.y, pool.padding.top);
    format!(
        "[[layers]]\nname = '{name}'\nkind = 'max_pool'\nkernel = {kernel}\nstride = {stride}\npadding = {padding}\n"
    )
}

#[test]
fn every_file_of_the_folder_is_a_preset_that_loads() {
    let folder = std::fs::read_dir("../../network-configs").unwrap();
    let mut files: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut presets: Vec<String> = network::names().iter().map(|name| format!("{name}.toml")).collect();
    files.sort();
    presets.sort();
    assert_eq!(files, presets);
    for name in network::names() {
        network::load(name).unwrap_or_else(|faults| panic!("{faults}"));
    }
}

#[test]
fn isaacs_networks_have_the_multiply_accumulates_of_their_papers() {
    // He et al. print 1.90, 2.32 and 5.30 x 10^10 for MSRA A to C.
    for (name, macs) in [
        ("vgg-a", 7_609_090_048),
        ("vgg-b", 11_308_466_176),
        ("vgg-c", 11_770_888_192),
        ("vgg-d", 15_470_264_320),
        ("vgg-e", 19_632_062_464),
        ("msra-a", 19_028_746_240),
        ("msra-b", 23_190_544_384),
        ("msra-c", 53_411_749_888),
    ] {
        let network = network::load(name).unwrap();
        assert_eq!(Plan::uniform(&network, 16, 16).macs(&network), macs, "{name}");
    }
}

#[test]
fn networks_of_other_frameworks_have_the_multiply_accumulates_that_fvcore_counts() {
    for (name, macs) in [
        ("alexnet", 714_188_480),
        ("resnet18", 1_814_073_344),
        ("resnet50", 4_089_184_256),
        ("googlenet", 1_498_376_192),
        ("mobilenet_v2", 300_774_272),
    ] {
        let network = network::load(name).unwrap();
        assert_eq!(Plan::uniform(&network, 16, 16).macs(&network), macs, "{name}");
    }
}

#[test]
fn vgg_a_and_d_are_vgg11_and_vgg16_without_crops() {
    for (name, cropped) in [("vgg-a", "vgg11"), ("vgg-d", "vgg16")] {
        let [network, mut cropped] = [name, cropped].map(|name| network::load(name).unwrap());
        cropped.layers.iter_mut().for_each(|layer| layer.crop = None);
        assert_eq!(network.layers, cropped.layers, "{name}");
    }
}

#[test]
fn alexnet_has_the_maps_of_its_single_column_form() {
    let network = network::load("alexnet").unwrap();
    let maps: Vec<_> =
        network.layers.iter().map(|layer| (layer.output.height, layer.pooled.height, layer.pooled.channels)).collect();
    let convolutions = [(55, 27, 64), (27, 13, 192), (13, 13, 384), (13, 13, 256), (13, 6, 256)];
    assert_eq!(maps[..5], convolutions);
    assert_eq!(network.layers[LayerId(5)].rows(), 9216);
    assert_eq!(maps[7], (1, 1, 1000));
}

#[test]
fn a_layer_reads_the_pooled_map_of_the_one_before() {
    let networks = network::names().into_iter().map(|name| (name, network::load(name).unwrap().into_chain()));
    for (name, network) in networks.filter_map(|(name, network)| Some((name, network.ok()?))) {
        assert_eq!(network.layers[LayerId(0)].input, network.input);
        for pair in network.layers.as_slice().windows(2) {
            assert_eq!(pair[1].input, pair[0].pooled, "{name}: {}", pair[1].name);
        }
    }
}

#[test]
fn windows_that_do_not_fit_the_map_any_more_are_left_out() {
    let network = behind_a_convolution(&pool("p", Kernel::square(2, 2, 0)));
    let layer = &network.layers[LayerId(0)];
    assert_eq!((layer.output.height, layer.output.width), (11, 9));
    assert_eq!((layer.pooled.height, layer.pooled.width), (5, 4));
}

#[test]
fn adjacent_pools_are_one_with_the_same_map() {
    let pools = [[(2, 2, 0), (2, 2, 0)], [(3, 2, 1), (2, 1, 0)], [(3, 1, 1), (3, 2, 1)], [(2, 1, 0), (3, 3, 2)]];
    for case in pools {
        let [first, second] = case.map(|(kernel, stride, padding)| Kernel::square(kernel, stride, padding));
        let composed = behind_a_convolution(&(pool("p", first) + &pool("q", second)));
        let one = composed.layers[LayerId(0)].pool.unwrap();
        let alone = behind_a_convolution(&pool("p", one));
        assert_eq!(composed.layers.len(), 1);
        assert_eq!(composed.layers[LayerId(0)].pooled, alone.layers[LayerId(0)].pooled, "{case:?}");
        let size = first.size.y + (second.size.y - 1) * first.stride.y;
        let padding = first.padding.top + second.padding.top * first.stride.y;
        assert_eq!(one, Kernel::square(size, first.stride.y * second.stride.y, padding));
    }
}

#[test]
fn a_fully_connected_layer_is_one_window_as_large_as_the_map() {
    let network = behind_a_convolution("[[layers]]\nname = 'f'\nkind = 'fully_connected'\nchannels = 10\n");
    let layer = &network.layers[LayerId(1)];
    assert_eq!(layer.kind, LayerKind::FullyConnected);
    assert_eq!((layer.kernel.size, layer.windows()), (Axes { y: 11, x: 9 }, 1));
    assert_eq!(layer.rows(), 11 * 9 * 4);
}

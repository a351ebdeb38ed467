//! Plans: uniform, from lists, cropped and from files.

use network::{Edges, LayerId, Network, Plan, Region, parse_activations, parse_weights};

fn tiny() -> Network {
    network::load("tiny").unwrap()
}

fn planned(text: &str) -> Plan {
    Plan::parse(text, "plan.toml", &tiny()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn one_number_of_bits_is_for_all_layers_and_a_list_is_one_for_each() {
    let network = tiny();
    assert_eq!(parse_weights("12", &network).unwrap(), [12; 5]);
    assert_eq!(parse_activations("8, 9,10,11,12", &network).unwrap(), [8, 9, 10, 11, 12]);
    let plan = Plan::uniform(&network, 16, 16).with_weights(&[1, 2, 3, 4, 5]).with_activations(&[6, 7, 8, 9, 10]);
    let bits: Vec<_> = plan.layers.iter().map(|layer| (layer.weight_bits, layer.activation_bits)).collect();
    assert_eq!(bits, [(1, 6), (2, 7), (3, 8), (4, 9), (5, 10)]);
}

#[test]
fn a_crop_cuts_rows_at_the_top_and_columns_at_the_left_of_convolutions_only() {
    let network = tiny();
    let edges: Edges = "top,left".parse().unwrap();
    let plan = Plan::uniform(&network, 16, 8).crop(&network, edges).unwrap();
    // conv1: a 16 x 16 map, 2 rows and columns a cut.
    let conv1 = &plan.layers[LayerId(0)];
    let cropped = |y: u32, x: u32| conv1.bits_at(y, x) == 0;
    assert!(cropped(1, 15) && cropped(15, 1) && cropped(0, 0));
    assert!(!cropped(2, 2) && !cropped(15, 15));
    assert_eq!(conv1.windows_computed(&network.layers[LayerId(0)]), 14 * 14);
    assert_eq!(conv1.stored_bits(&network.layers[LayerId(0)]), 8);
    assert!(plan.layers.iter().skip(3).all(|layer| layer.regions.is_empty()));
}

#[test]
fn inputs_are_stored_with_the_most_bits_that_a_window_has_whatever_lies_hidden() {
    let network = tiny();
    let stored = |text: &str| planned(text).layers[LayerId(0)].stored_bits(&network.layers[LayerId(0)]);
    let region =
        |height: u32, bits: u32| format!("{{ top = 0, left = 0, height = {height}, width = 16, bits = {bits} }}");
    let conv1 = |bits: u32, regions: &[String]| {
        format!("[[layers]]\nname = 'conv1'\nactivations = {bits}\nregions = [{}]\n", regions.join(","))
    };
    assert_eq!(stored(&conv1(4, &[region(16, 16), region(16, 4)])), 4, "a region below another");
    assert_eq!(stored(&conv1(4, &[region(16, 16), region(15, 4)])), 16, "a row of it shows");
    assert_eq!(stored(&conv1(16, &[region(8, 5), region(16, 3)])), 3, "the layer's own bits below regions");
    assert_eq!(stored(&conv1(16, &[region(16, 0)])), 0, "nothing is computed");
}

#[test]
fn edges_read_what_they_display() {
    for edges in Edges::all() {
        assert_eq!(edges.to_string().parse::<Edges>().unwrap(), edges);
    }
    assert_eq!("right, top".parse::<Edges>().unwrap().to_string(), "top,right");
    assert_eq!(Edges::NONE.to_string(), "none");
}

#[test]
fn a_plan_file_changes_the_layers_it_names_and_leaves_the_others_at_its_defaults() {
    let plan = planned(
        "weights = 12\n[[layers]]\nname = 'conv2'\nactivations = 9\n\
         regions = [{ top = 0, left = 2, height = 8, width = 6, bits = 4 },\n\
         { top = 7, left = 7, height = 1, width = 1, bits = 0 }]\n",
    );
    assert_eq!((plan.layers[LayerId(0)].weight_bits, plan.layers[LayerId(0)].activation_bits), (12, 16));
    let conv2 = &plan.layers[LayerId(1)];
    assert_eq!((conv2.weight_bits, conv2.activation_bits), (12, 9));
    assert_eq!([conv2.bits_at(0, 1), conv2.bits_at(0, 2), conv2.bits_at(7, 7)], [9, 4, 0]);
    assert_eq!(conv2.windows_computed(&tiny().layers[LayerId(1)]), 63);
}

#[test]
fn an_empty_plan_file_is_16_bits_everywhere() {
    assert_eq!(planned(""), Plan::uniform(&tiny(), 16, 16));
}

#[test]
fn a_plan_is_written_to_reports_with_its_regions() {
    let mut plan = Plan::uniform(&tiny(), 16, 8);
    plan.layers = plan.layers.into_iter().take(1).collect();
    plan.layers[LayerId(0)].regions.push(Region { top: 1, left: 2, height: 3, width: 4, bits: 0 });
    let json = serde_json::to_value(&plan).unwrap();
    let region = serde_json::json!({ "top": 1, "left": 2, "height": 3, "width": 4, "bits": 0 });
    assert_eq!(
        json,
        serde_json::json!({ "layers": [{ "weight_bits": 16, "activation_bits": 8, "regions": [region] }] })
    );
}

#[test]
fn a_plan_is_read_back_as_it_was_written() {
    let network = tiny();
    let mut plan = Plan::uniform(&network, 12, 9).crop(&network, "top,left".parse().unwrap()).unwrap();
    plan.layers[LayerId(1)].regions.push(network::Region { top: 1, left: 2, height: 3, width: 4, bits: 8 });
    assert_eq!(Plan::parse(&plan.to_toml(&network), "plan", &network).unwrap(), plan);
}

#[test]
fn crops_by_the_size_of_maps_are_those_written_out_for_each_layer() {
    let network = |by_size: &str, of_layers: [&str; 4]| {
        let layer = |number: usize, kind: &str, crop: &str| {
            format!("[[layers]]\nname = '{kind}{number}'\nkind = '{kind}'\n{crop}\n")
        };
        let convolution = |number: usize| {
            let shape = "kernel = 3\npadding = 1\nchannels = 4\n".to_owned();
            layer(number, "convolution", &(shape + of_layers[number]))
        };
        let pool = layer(0, "max_pool", "kernel = 2\nstride = 2");
        let layers = convolution(0) + &convolution(1) + &pool + &convolution(2) + &convolution(3);
        let text = format!("name = 'n'\ninput = {{ height = 8, width = 8, channels = 3 }}\n{by_size}\n{layers}");
        network::parse(&text, "n.toml").unwrap_or_else(|faults| panic!("{faults}"))
    };
    let (of_8, of_4, own) = ("crop = { x = 2, y = 3 }", "crop = { x = 1, y = 0 }", "crop = { x = 4, y = 1 }");
    let by_size = network("crops = [{ map = 8, x = 2, y = 3 }, { map = 4, x = 1, y = 0 }]", ["", own, "", ""]);
    let written_out = network("", [of_8, own, of_4, of_4]);
    assert_eq!(by_size, written_out, "a layer that states its own crop keeps it");
    for edges in Edges::all() {
        let plan = |network: &Network| Plan::uniform(network, 16, 16).crop(network, edges).unwrap();
        assert_eq!(plan(&by_size), plan(&written_out), "{edges}");
        let windows = |plan: Plan| plan.layers[LayerId(3)].windows_computed(&by_size.layers[LayerId(3)]);
        let cut = u64::from(edges.left) + u64::from(edges.right);
        assert_eq!(windows(plan(&by_size)), 4 * (4 - cut), "{edges}");
    }
}

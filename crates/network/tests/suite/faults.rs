//! What a user reads who gets a network or a plan wrong.

use insta::assert_snapshot;
use network::{Edges, LayerId, Plan, parse_activations, parse_weights};

#[test]
fn layers_that_do_not_chain_are_reported_all_at_once() {
    let faults = network::parse(
        r#"name = "broken"
input = { height = 12, width = 12, channels = 3 }

[[layers]]
name = "pool0"
kind = "max_pool"
kernel = 2
stride = 2

[[layers]]
name = "conv1"
kind = "convolution"
kernel = 3
padding = 3
channels = 8
crop = { x = 1, y = 1 }

[[layers]]
name = "fc1"
kind = "fully_connected"
channels = 10
kernel = 5

[[layers]]
name = "pool1"
kind = "max_pool"
channels = 5

[[layers]]
name = "conv1"
kind = "convolution"
kernel = 3
"#,
        "broken.toml",
    );
    let faults = faults.unwrap_err();
    assert_snapshot!(faults);
}

#[test]
fn sizes_that_do_not_fit_are_reported_with_the_map() {
    let network = |last: &str| {
        let text = format!(
            "name = 'small'\n\
             input = {{ height = 6, width = 6, channels = 3 }}\n\n\
             [[layers]]\nname = 'conv1'\nkind = 'convolution'\n{last}\n"
        );
        network::parse(&text, "small.toml").unwrap_err().to_string()
    };
    let faults = [
        network("kernel = 11\npadding = 2\nchannels = 4"),
        network("kernel = 3\nchannels = 4\ncrop = { x = 5, y = 4 }"),
    ];
    let faults = faults.join("\n\n");
    assert_snapshot!(faults);
}

#[test]
fn sizes_of_zero_and_unknown_kinds_are_reported() {
    let faults = network::parse(
        "name = 'zero'\n\
         input = { height = 0, width = 6, channels = 3 }\n\n[[layers]]\nname = 'conv1'\nkind = 'convolve'\n\n\
         [[layers]]\nname = 'b'\nkind = 'max_poll'\nkernel = 0\nstride = 0\n",
        "zero.toml",
    );
    let faults = faults.unwrap_err();
    assert_snapshot!(faults);
}

#[test]
fn a_network_without_layers_is_refused() {
    let faults =
        network::parse("name = 'none'\ninput = { height = 1, width = 1, channels = 1 }\nlayers = []\n", "none.toml");
    assert!(faults.unwrap_err().to_string().contains("the network has no layers"));
}

#[test]
fn pools_too_large_for_their_sizes_are_refused() {
    let pool = |name: u32| format!("[[layers]]\nname = 'p{name}'\nkind = 'max_pool'\nkernel = 1\nstride = 1024\n");
    let pools: String = (0..4).map(pool).collect();
    let text = format!(
        "name = 'pools'\ninput = {{ height = 1, width = 1, channels = 1 }}\n\
         [[layers]]\nname = 'conv1'\nkind = 'convolution'\nkernel = 1\nchannels = 1\n{pools}"
    );
    assert!(network::parse(&text, "pools.toml").unwrap_err().to_string().contains("2^32"));
}

#[test]
fn plans_that_do_not_fit_their_network_are_reported_all_at_once() {
    let plan = r#"weights = 0

[[layers]]
name = "conv1"
weights = 33
regions = [
    { top = 0, left = 0, height = 2, width = 16, bits = 0 },
    { top = 10, left = 0, height = 7, width = 16, bits = 8 },
    { top = 0, left = 0, height = 1, width = 1, bits = 33 },
]

[[layers]]
name = "cnv2"
activations = 8

[[layers]]
name = "fc4"
activations = 0

[[layers]]
name = "fc5"
regions = [{ top = 0, left = 0, height = 1, width = 1, bits = 0 }]

[[layers]]
name = "conv1"
activation = 8
"#;
    let network = network::load("tiny").unwrap();
    let faults = Plan::parse(plan, "plan.toml", &network).unwrap_err();
    assert_snapshot!(faults);
}

#[test]
fn arguments_that_do_not_fit_the_network_are_reported_with_the_remedy() {
    let tiny = network::load("tiny").unwrap();
    let alexnet = network::load("alexnet").unwrap();
    let cut: Edges = "left,right".parse().unwrap();
    let faults = [
        parse_weights("varied", &alexnet).unwrap_err(),
        parse_weights("0", &network::parse(ONE_LAYER, "one.toml").unwrap()).unwrap_err(),
        parse_weights("16,16,sixteen,33,16", &tiny).unwrap_err(),
        parse_activations("8,8,8", &tiny).unwrap_err(),
        parse_activations("0,8,8,0,8", &tiny).unwrap_err(),
        "top,botom".parse::<Edges>().unwrap_err(),
        "middle".parse::<Edges>().unwrap_err(),
        Plan::uniform(&network::parse(ONE_LAYER, "one.toml").unwrap(), 16, 16)
            .crop(&network::parse(ONE_LAYER, "one.toml").unwrap(), cut)
            .unwrap_err(),
    ];
    let faults = faults.map(|faults| faults.to_string()).join("\n\n");
    assert_snapshot!(faults);
}

const ONE_LAYER: &str = "name = 'one'\ninput = { height = 4, width = 4, channels = 1 }\n\
     [[layers]]\nname = 'conv1'\nkind = 'convolution'\nkernel = 1\nchannels = 1\ncrop = { x = 3, y = 3 }\n";

#[test]
fn one_wrong_option_is_one_fault_however_many_layers_it_is_for() {
    let cut: Edges = "top,left".parse().unwrap();
    for name in ["vgg16", "vgg11", "alexnet", "tiny"] {
        let network = network::load(name).unwrap();
        for entry in ["33", "float", "0", "-1", "1.5", "", "99999999999999999999"] {
            let faults = parse_weights(entry, &network).unwrap_err();
            let messages: Vec<&str> = faults.iter().map(document::Fault::message).collect();
            assert_eq!(messages, [format!("weights of all layers cannot have {entry:?} bits")], "{name}");
            // 0 is right for convolutions, and wrong for all of the rest at once.
            assert_eq!(parse_activations(entry, &network).unwrap_err().iter().count(), 1, "{name}, {entry}");
        }
        // A list of equal entries is one mistake, too, and two different ones are two.
        let list = vec!["33"; network.layers.len()].join(",");
        assert_eq!(parse_weights(&list, &network).unwrap_err().iter().count(), 1, "{name}");
        let list = list.replacen("33", "34", 1);
        assert_eq!(parse_weights(&list, &network).unwrap_err().iter().count(), 2, "{name}");
        // Defaults of a plan file.
        let file = Plan::parse("weights = 33\nactivations = 33\n", "plan.toml", &network).unwrap_err();
        assert_eq!(file.iter().count(), 2, "{name}: {file}");
        let mut bare = network.clone();
        bare.layers.iter_mut().for_each(|layer| layer.crop = None);
        assert_eq!(Plan::uniform(&bare, 16, 16).crop(&bare, cut).unwrap_err().iter().count(), 1, "{name}");
    }
}

#[test]
fn a_crop_of_a_network_without_crop_sizes_names_every_layer_that_lacks_one() {
    let alexnet = network::load("alexnet").unwrap();
    let plan = Plan::uniform(&alexnet, 16, 16);
    let faults = plan.clone().crop(&alexnet, "top".parse().unwrap()).unwrap_err();
    let messages: Vec<&str> = faults.iter().map(document::Fault::message).collect();
    assert_eq!(messages, ["AlexNet states no crop size for conv1, conv2, conv3, conv4, conv5"]);
    assert_eq!(plan.clone().crop(&alexnet, Edges::NONE).unwrap(), plan);
}

#[test]
fn names_that_break_lines_or_are_too_long_are_refused_and_other_names_are_kept() {
    let network = |name: &str, layer: &str| {
        format!(
            "name = {name}\ninput = {{ height = 8, width = 8, channels = 3 }}\n\
             [[layers]]\nname = {layer}\nkind = \"fully_connected\"\nchannels = 10\n"
        )
    };
    for (name, layer, start) in [
        ("\"a\\nb\"", "\"fc\"", 7),
        ("\"a\"", "\"fc\\n2\"", 77),
        ("\"a\"", "\"fc\\u001b\"", 77),
        ("\"a\"", &format!("\"{}\"", "x".repeat(129)), 77),
    ] {
        let faults = network::parse(&network(name, layer), "network.toml").unwrap_err();
        let spans: Vec<_> = faults.iter().map(|fault| fault.span().unwrap().start).collect();
        assert_eq!(spans, [start], "{name} {layer}: {faults}");
    }
    let layer = "conv 1, \"a\"/b 卷积";
    let read = network::parse(&network("'</script>'", &format!("'{layer}'")), "network.toml").unwrap();
    assert_eq!((read.name.as_str(), read.layers[LayerId(0)].name.as_str()), ("</script>", layer));
}

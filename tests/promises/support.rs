//! Machines, networks and runs for the tests.

use std::collections::HashMap;
use std::path::Path;

use arch::Arch;
use chip::{Options, Outcome};
use mapper::Layout;
use network::{LayerId, Network, Plan};

/// ISAAC-CE with some fields changed, given as dotted keys and TOML values.
pub(crate) fn isaac(changes: &[(&str, &str)]) -> Arch {
    machine("isaac-ce", changes)
}

/// A preset with some fields changed.
pub(crate) fn machine(preset: &str, changes: &[(&str, &str)]) -> Arch {
    let (text, file) = arch::text(preset).expect("the preset is built in");
    let value = |text: &str| format!("v = {text}").parse::<toml::Table>().expect("a TOML value")["v"].clone();
    let changes: Vec<_> = changes.iter().map(|&(key, text)| (key, value(text))).collect();
    arch::with_overrides(&text, &file, &changes).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A network given as an input and a list of layers in TOML.
pub(crate) fn network(input: [u32; 3], layers: &str) -> Network {
    let [height, width, channels] = input;
    let input = format!("input = {{ height = {height}, width = {width}, channels = {channels} }}");
    let text = format!("name = \"test\"\n{input}\n{layers}");
    network::parse(&text, "test").unwrap_or_else(|faults| panic!("{faults}"))
}

/// A preset network.
pub(crate) fn preset(name: &str) -> Network {
    network::load(name).expect("the preset is built in")
}

/// Maps and runs.
pub(crate) fn run(arch: &Arch, network: &Network, plan: &Plan, options: &Options) -> Outcome {
    let layout = mapper::balance(arch, network, plan).unwrap_or_else(|errors| panic!("{errors:?}"));
    run_layout(arch, &layout, options)
}

/// Maps with `replicas` replicas of the network's only layer, and runs.
pub(crate) fn run_replicas(arch: &Arch, network: &Network, replicas: u64, options: &Options) -> Outcome {
    let windows = network.layers[LayerId(0)].windows();
    let plan = Plan::uniform(network, 16, 16);
    let layout = mapper::balance_to(arch, network, &plan, windows.div_ceil(replicas), windows);
    let layout = layout.unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(layout.layers[LayerId(0)].replicas.len() as u64, replicas);
    run_layout(arch, &layout, options)
}

/// Runs a layout.
pub(crate) fn run_layout(arch: &Arch, layout: &Layout, options: &Options) -> Outcome {
    chip::run(arch, layout, options).unwrap_or_else(|error| panic!("{error}"))
}

/// Rows of a table of the papers, as column name to text.
pub(crate) fn paper_table(file: &str) -> Vec<HashMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    // Commas between quotes belong to the field.
    let split = |line: &str| {
        let fields = line.split('"').enumerate().flat_map(|(index, part)| {
            let quoted = index % 2 == 1;
            if quoted { vec![part] } else { part.trim_matches(',').split(',').collect() }
        });
        fields.map(str::to_string).collect::<Vec<_>>()
    };
    let names = split(lines.next().expect("a heading"));
    lines.map(|line| names.iter().cloned().zip(split(line)).collect()).collect()
}

/// `got` within `tolerance` of `expected`, or a failure that says what it is.
#[track_caller]
pub(crate) fn assert_near(what: &str, got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{what}: got {got}, expected {expected} within {tolerance}");
}

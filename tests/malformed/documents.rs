//! TOML documents and the trace of classifications, each read as the program reads it.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use document::Faults;
use mapper::Layout;
use network::{Network, Plan};
use proptest::prelude::*;
use proptest::sample::select;

use crate::edits::{Edit, edited, edits};

/// Name by which faults call the edited file.
const FILE: &str = "edited";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn shipped(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn tiny() -> Network {
    network::load("tiny").expect("a preset")
}

/// Reads `text` after `edits`, and checks the faults if it is refused. Without edits it is read.
fn check<T: Debug>(text: &str, edits: &[Edit], read: impl Fn(&str) -> Result<T, Faults>) -> Result<(), TestCaseError> {
    let text = edited(text, edits);
    let Err(faults) = read(&text) else { return Ok(()) };
    let placed = |fault: &document::Fault| fault.file().is_some() && fault.span().is_some();
    prop_assert!(faults.iter().any(placed), "no fault has a place: {faults}\n{text}");
    for fault in faults.iter() {
        prop_assert!(!fault.message().is_empty() && !fault.remedy().is_empty(), "{fault:?}");
        if fault.file() == Some(FILE) {
            prop_assert!(fault.span().is_some_and(|span| text.get(span).is_some()), "outside of the text: {fault:?}");
        }
    }
    let drawn = faults.to_string();
    prop_assert!(drawn.contains("error: ") && drawn.contains("help: "), "{drawn}");
    Ok(())
}

fn plan_text() -> String {
    let network = tiny();
    let plan = Plan::uniform(&network, 12, 8).crop(&network, "top,left".parse().expect("edges")).expect("a crop");
    plan.to_toml(&network)
}

#[test]
fn files_without_edits_are_read() {
    for file in ["tiny", "isaac-ce"] {
        arch::parse(&shipped(&format!("arch-configs/{file}.toml")), FILE).unwrap_or_else(|faults| panic!("{faults}"));
    }
    Plan::parse(&plan_text(), FILE, &tiny()).unwrap_or_else(|faults| panic!("{faults}"));
    aqua::Trace::parse(&trace(), FILE, &[]).unwrap_or_else(|faults| panic!("{faults}"));
}

/// The beginning of the trace of the example.
fn trace() -> String {
    shipped("examples/digits/trace.csv").split_inclusive('\n').take(12).collect()
}

proptest! {
    #[test]
    fn an_arch_file(file in select(vec!["tiny", "isaac-ce"]), edits in edits()) {
        check(&shipped(&format!("arch-configs/{file}.toml")), &edits, |text| arch::parse(text, FILE))?;
    }

    #[test]
    fn a_network_file(file in select(vec!["tiny", "alexnet", "vgg16"]), edits in edits()) {
        check(&shipped(&format!("network-configs/{file}.toml")), &edits, |text| network::parse(text, FILE))?;
    }

    #[test]
    fn a_plan(edits in edits()) {
        check(&plan_text(), &edits, |text| Plan::parse(text, FILE, &tiny()))?;
    }

    #[test]
    fn a_mapping(edits in edits()) {
        let (arch, network) = (arch::load("tiny").expect("a preset"), tiny());
        let plan = Plan::uniform(&network, 16, 16);
        let mapping = mapper::balance(&arch, &network, &plan).expect("it fits").mapping.to_toml();
        check(&mapping, &edits, |text| Layout::parse(text, FILE, &arch, &network, &plan))?;
    }

    #[test]
    fn a_sweep(file in select(vec!["figure5", "thousand-points"]), edits in edits()) {
        let folder = root().join("sweeps");
        check(&shipped(&format!("sweeps/{file}.toml")), &edits, |text| sweep::Sweep::parse(text, FILE, &folder))?;
    }

    #[test]
    fn ranges_of_activations(edits in edits()) {
        let network = tiny();
        let layers = network.layers.iter().map(|layer| format!("[[layers]]\nname = \"{}\"\nrange = 1.5\n", layer.name));
        let ranges = format!("calibration = \"8 pictures\"\nmodel = \"m\"\n{}", layers.collect::<String>());
        check(&ranges, &edits, |text| inference::Ranges::parse(text, FILE, &network, "m"))?;
    }

    #[test]
    fn a_trace_of_classifications(edits in edits()) {
        check(&trace(), &edits, |text| aqua::Trace::parse(text, FILE, &[]))?;
    }
}

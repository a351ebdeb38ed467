//! Arrows between the crates go one way.

use std::path::Path;

/// Our crates, each after all that it may depend on.
const ORDER: [&str; 19] = [
    "index",
    "des",
    "document",
    "network",
    "onnx",
    "arch",
    "numeric",
    "dataset",
    "predictor",
    "mapper",
    "components",
    "chip",
    "analysis",
    "report",
    "inference",
    "aqua",
    "sweep",
    // After all but the program: nothing else needs the libraries that write traces.
    "trace",
    "cli",
];

#[test]
fn a_crate_depends_only_on_those_before_it() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for entry in std::fs::read_dir(&crates).expect("the crates") {
        let name = entry.expect("a crate").file_name().into_string().expect("a name");
        let place = ORDER.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name} has no place"));
        let manifest = std::fs::read_to_string(crates.join(&name).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            if let Some(other) = ORDER.iter().position(|known| known == dependency) {
                assert!(other < place, "{name} depends on {dependency}");
            }
        }
    }
}

#[test]
fn the_kernel_knows_no_hardware_and_the_arithmetic_no_time() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let of = |name: &str| {
        let manifest = std::fs::read_to_string(crates.join(name).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let table = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        table.keys().filter(|key| ORDER.contains(&key.as_str())).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("des"), [""; 0]);
    assert_eq!(of("numeric"), ["arch", "index", "network"]);
}

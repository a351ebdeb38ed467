//! JSON and CSV.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::{TINY, folder, names, succeeds};

fn json_of(options: &[&str]) -> Value {
    let folder = folder();
    let text = succeeds(folder.path(), &[&["run"], options, &["--json", "-"]].concat());
    serde_json::from_str(&text).unwrap()
}

/// Paths of all keys, those of lists by their first entry, each with the kind of its value.
fn keys(value: &Value, path: &str, lines: &mut String) {
    let kind = match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                keys(value, &format!("{path}.{key}"), lines);
            }
            return;
        }
        Value::Array(items) => return keys(&items[0], &format!("{path}[]"), lines),
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Bool(_) => "truth",
        Value::Null => "null",
    };
    lines.push_str(&format!("{path}: {kind}\n"));
}

fn sum(values: &Value) -> f64 {
    values.as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum()
}

#[test]
fn json_has_its_keys() {
    let mut lines = String::new();
    keys(&json_of(&TINY), "", &mut lines);
    assert_snapshot!(lines);
}

#[test]
fn json_adds_up() {
    let report = json_of(&[&TINY[..], &["--images", "2", "--crop", "left"]].concat());
    let energy = &report["energy_pj"];
    assert_eq!(energy["dynamic_total"].as_f64().unwrap(), sum(&energy["dynamic"]));
    assert_eq!(energy["static_total"].as_f64().unwrap(), sum(&energy["static"]));
    let ima_cycles = report["imas"]["mapped"].as_f64().unwrap() * report["cycles"].as_f64().unwrap();
    assert_eq!(sum(&report["stalls"]), ima_cycles);
    let layers = report["layers"].as_array().unwrap();
    for key in ["windows", "adc_conversions", "bus_bits", "router_flit_hops"] {
        let of_layers: u64 = layers.iter().map(|layer| layer["counts"][key].as_u64().unwrap()).sum();
        assert_eq!(report["counts"][key], of_layers, "{key}");
    }
    // 16 x 16 windows, 2 columns of them cut, in 2 images.
    assert_eq!((&layers[0]["windows"], &layers[0]["windows_cropped"]), (&448.into(), &64.into()));
    assert!(report["interval_cycles"].is_u64());
}

#[test]
fn both_fidelities_report_the_same() {
    let mut iteration = json_of(&[&TINY[..], &["--fidelity", "iteration"]].concat());
    assert_eq!(iteration["fidelity"].take(), "iteration");
    let mut operation = json_of(&TINY);
    assert_eq!(operation["fidelity"].take(), "operation");
    assert_eq!(iteration, operation);
    assert_eq!(operation["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn files_are_written_beside_the_tables() {
    let folder = folder();
    let options = ["--json", "report.json", "--csv", "tables/tiny"];
    let printed = succeeds(folder.path(), &[&["run"][..], &TINY, &options].concat());
    assert!(printed.starts_with(" tiny on tiny"), "{printed}");
    assert_eq!(names(folder.path()), ["report.json", "tables"]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let report: Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report, json_of(&TINY));
    assert_eq!(names(&folder.path().join("tables/tiny")), ["components.csv", "layers.csv", "stalls.csv"]);
    assert_snapshot!("components_csv", read("tables/tiny/components.csv"));
    assert_snapshot!("layers_csv", read("tables/tiny/layers.csv"));
    assert_snapshot!("stalls_csv", read("tables/tiny/stalls.csv"));
}

#[test]
fn a_report_takes_the_place_of_an_older_one_as_a_whole() {
    let folder = folder();
    let path = folder.path().join("report.json");
    fs::write(&path, "older").unwrap();
    succeeds(folder.path(), &[&["run"][..], &TINY, &["--json", "report.json"]].concat());
    let report: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(report["schema"], 2);
}

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
    assert_eq!(report["figures"]["settled"], false);
}

/// Keys of the report that are null unless the run has settled.
const OF_A_RATE: [&str; 12] = [
    "cycles_per_image",
    "cycles_per_image_error",
    "images_per_second",
    "loaded_latency_cycles",
    "longest_loaded_latency_cycles",
    "static_pj_per_image",
    "pj_per_mac_computed",
    "pj_per_mac_nominal",
    "gops_computed",
    "gops_nominal",
    "gops_per_watt_computed",
    "gops_per_watt_nominal",
];

#[test]
fn only_a_settled_run_has_a_rate() {
    let one = json_of(&TINY);
    assert_eq!(one["figures"]["first_latency_cycles"], one["cycles"]);
    let settled = json_of(&[&TINY[..], &["--images", "auto"]].concat());
    let figures = &settled["figures"];
    assert_eq!(
        (&settled["images"], &figures["settled"], &figures["images_needed"]),
        (&8.into(), &true.into(), &Value::Null)
    );
    for key in OF_A_RATE {
        assert!(one["figures"][key].is_null() && figures[key].is_number(), "{key}");
    }
    // The busiest replica has 16 windows of 16 iterations.
    assert_eq!(figures["cycles_per_image"], 256.0);
    assert_eq!(figures["images_per_second"], 1e9 / 25_600.0);
    let short = json_of(&[&TINY[..], &["--images", "2"]].concat());
    assert!(short["figures"]["images_needed"].as_u64() > Some(2) && short["figures"]["unsettled_because"].is_string());
    assert!(OF_A_RATE.iter().all(|key| short["figures"][key].is_null()));
}

#[test]
fn a_crop_takes_less_energy_for_each_nominal_mac() {
    let of = |crop| json_of(&[&TINY[..], &["--images", "auto", "--crop", crop]].concat());
    let (whole, cropped) = (of("none"), of("top,left"));
    assert_eq!(whole["macs"], whole["nominal_macs"]);
    let per_image = |report: &Value, key: &str| report[key].as_f64().unwrap() / report["images"].as_f64().unwrap();
    assert_eq!(per_image(&cropped, "nominal_macs"), per_image(&whole, "macs"));
    let figure = |report: &Value, key: &str| report["figures"][key].as_f64().unwrap();
    for key in ["dynamic_pj_per_image", "dynamic_pj_per_mac_nominal", "pj_per_mac_nominal"] {
        assert!(figure(&cropped, key) < figure(&whole, key), "{key}");
    }
    assert!(figure(&cropped, "gops_per_watt_nominal") > figure(&whole, "gops_per_watt_nominal"));
    let shares = |[computed, nominal]: [&str; 2]| figure(&cropped, computed) / figure(&cropped, nominal);
    let computed = cropped["macs"].as_f64().unwrap() / cropped["nominal_macs"].as_f64().unwrap();
    assert!((shares(["gops_computed", "gops_nominal"]) / computed - 1.0).abs() < 1e-12);
    assert!((shares(["pj_per_mac_nominal", "pj_per_mac_computed"]) / computed - 1.0).abs() < 1e-12);
}

#[test]
fn what_has_no_value_is_null_and_not_zero() {
    let folder = folder();
    let layer = |name| format!("[[layers]]\nname = \"{name}\"\nkind = \"convolution\"\nkernel = 3\nchannels = 8\n");
    let input = "name = \"three\"\ninput = { height = 8, width = 8, channels = 4 }\n";
    fs::write(folder.path().join("three.toml"), format!("{input}{}", ["a", "b", "c"].map(layer).concat())).unwrap();
    let run = |activations: &str, more: &[&str]| {
        let options =
            ["run", "--arch", "tiny", "--network", "three.toml", "--images", "4", "--activations", activations];
        succeeds(folder.path(), &[&options[..], more].concat())
    };
    // The last layer computes nothing, so nobody reads the layer before it.
    let report: Value = serde_json::from_str(&run("16,16,0", &["--json", "-"])).unwrap();
    let layers = report["layers"].as_array().unwrap();
    assert!(layers[0]["last_cycle"].is_u64() && layers[1]["first_cycle"].is_u64());
    assert_eq!([&layers[1]["last_cycle"], &layers[2]["first_cycle"], &layers[2]["last_cycle"]], [&Value::Null; 3]);
    let figures = &report["figures"];
    assert_eq!((&figures["settled"], &figures["images_needed"]), (&false.into(), &Value::Null));
    assert!(figures["first_latency_cycles"].is_null());
    // Nothing at all happens.
    let nothing = run("0", &["--csv", "tables"]);
    assert!(!nothing.contains("NaN") && !nothing.contains("inf"), "{nothing}");
    assert!(!fs::read_to_string(folder.path().join("tables/components.csv")).unwrap().contains("NaN"));
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

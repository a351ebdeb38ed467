//! Changed machines, and machines, runs and sweeps side by side.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::{TINY, aquasim, folder, succeeds};

/// A change of the machine that slows it down and makes its chips smaller.
const SLOWER: [&str; 4] = ["--set", "bus.bytes_per_cycle=16", "--set", "tile.imas=3"];

#[test]
fn every_command_that_takes_a_machine_takes_changes_of_it() {
    let folder = folder();
    let run = succeeds(folder.path(), &[&["run"][..], &TINY, &SLOWER].concat());
    assert!(run.starts_with(" tiny on tiny with tile.imas = 3, bus.bytes_per_cycle = 16"), "{run}");
    let map = succeeds(folder.path(), &[&["map"][..], &TINY, &SLOWER].concat());
    assert!(map.contains("of 192 crossbars"), "{map}");
    let stalls = [&["stalls", "--what-ifs", "0"][..], &TINY, &SLOWER].concat();
    assert!(succeeds(folder.path(), &stalls).contains("\n bus of tile "), "no bus in the bound");
    for command in ["infer", "tolerance", "predict", "paper"] {
        let help = succeeds(folder.path(), &[command, "-h"]);
        assert!(help.contains("--set <KEY=VALUE>"), "{help}");
    }
    let shown = succeeds(folder.path(), &["arch", "show", "tiny", "--set", "tile.imas=3"]);
    fs::write(folder.path().join("shown.toml"), shown).unwrap();
    let diff = ["arch", "diff", "shown.toml", "tiny", "--set", "tile.imas=3"];
    assert_eq!(succeeds(folder.path(), &diff), "shown.toml and tiny are the same machine\n");
}

#[test]
fn a_mapping_of_a_machine_is_that_of_the_changed_machine_too() {
    let folder = folder();
    succeeds(folder.path(), &[&["map", "--out", "map.toml"][..], &TINY].concat());
    let run =
        |set: &str| aquasim(folder.path(), &[&["run", "--mapping", "map.toml", "--set", set][..], &TINY].concat());
    assert_eq!(run("bus.bytes_per_cycle=16").code, 0);
    assert!(run("tile.imas=3").code == 2 && run("name=\"other\"").stderr.contains("the mapping is for tiny"));
}

#[test]
fn layers_that_one_remedy_helps_have_one_fault() {
    let ran = aquasim(folder().path(), &["run", "--set", "edram.bytes=128"]);
    assert_eq!((ran.code, ran.stderr.matches("error:").count()), (2, 1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("15136 bytes") && ran.stderr.contains("the largest of 15 such faults"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_change_that_is_wrong_is_a_fault_of_the_option() {
    let folder = folder();
    let ran = aquasim(folder.path(), &["run", "--set", "adc.bist=6"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--> --set:1:5") && ran.stderr.contains("did you mean bits?"), "{}", ran.stderr);
}

#[test]
fn a_run_is_compared_with_the_same_run_on_another_machine() {
    let folder = folder();
    let run = [&["run"][..], &TINY, &SLOWER].concat();
    let against = succeeds(folder.path(), &[&run[..], &["--against", "tiny"]].concat());
    let comparison = against.strip_prefix(&succeeds(folder.path(), &run)).expect("the report comes first");
    let machines = [&["compare", "tiny", "--network", "tiny"][..], &SLOWER].concat();
    assert_eq!(comparison, format!("\n{}", succeeds(folder.path(), &machines)));
    assert_snapshot!(comparison);
}

/// The row called `name` of the table called `table`.
fn row<'a>(comparison: &'a Value, table: &str, name: &str) -> &'a Value {
    let find = |list: &'a Value, name: &str| {
        let list = list.as_array().unwrap();
        list.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    };
    find(&find(&comparison["tables"], table)["rows"], name)
}

fn json_of(folder: &std::path::Path, arguments: &[&str]) -> Value {
    let text = succeeds(folder, &[&["compare"][..], arguments, &["--json", "-"]].concat());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn figures_that_are_not_settled_or_of_other_numbers_of_images_are_not_compared() {
    let folder = folder();
    for (images, file) in [("1", "one.json"), ("2", "two.json"), ("auto", "settled.json")] {
        let written = ["run", "--images", images, "--json", file, "--arch", "tiny", "--network", "tiny"];
        succeeds(folder.path(), &written);
    }
    let of = |files: &[&str]| json_of(folder.path(), files);
    let comparison = of(&["one.json", "settled.json"]);
    let settled = row(&comparison, "figures", "nominal efficiency");
    assert_eq!((&settled["values"][0], &settled["missing"][0]), (&Value::Null, &"not settled".into()));
    assert!(settled["values"][1].is_number() && settled["ratios"][1].is_null() && settled["differences"][1].is_null());
    // All cycles of runs of 1 and of 8 images.
    let cycles = row(&comparison, "figures", "cycles");
    assert!(cycles["values"][1].is_number() && cycles["ratios"][1].is_null());
    let energy = row(&comparison, "figures", "dynamic energy per image");
    assert_eq!(energy["ratios"][1], 1.0);
    assert_eq!(comparison["settings"][0]["key"], "images");
    // With itself, everything is the same.
    let same = of(&["settled.json", "settled.json"]);
    for table in same["tables"].as_array().unwrap() {
        for row in table["rows"].as_array().unwrap() {
            assert!(row["differences"][1] == 0.0 || row["missing"][1] == "not known", "{row}");
        }
    }
    let text = succeeds(folder.path(), &["compare", "settled.json", "settled.json"]);
    assert!(text.contains("The machines are the same."), "{text}");
}

#[test]
fn sums_of_a_comparison_are_those_of_the_reports() {
    let folder = folder();
    fs::write(folder.path().join("narrow.toml"), "extends = \"tiny\"\nbus.bytes_per_cycle = 16\n").unwrap();
    let comparison = json_of(folder.path(), &["tiny", "narrow.toml", "--network", "tiny", "--images", "auto"]);
    assert_eq!(comparison["subjects"][1]["name"], "tiny with bus.bytes_per_cycle = 16");
    assert_eq!(comparison["machine"][0]["key"], "bus.bytes_per_cycle");
    let total = |table: &str, subject: usize| -> f64 {
        let tables = comparison["tables"].as_array().unwrap();
        let table = tables.iter().find(|entry| entry["name"] == table).unwrap();
        table["rows"].as_array().unwrap().iter().map(|row| row["values"][subject].as_f64().unwrap()).sum()
    };
    let figure = |name: &str, subject: usize| row(&comparison, "figures", name)["values"][subject].as_f64().unwrap();
    for subject in [0, 1] {
        let energy = figure("dynamic energy per image", subject);
        for table in ["energy_by_component", "energy_by_layer"] {
            assert!((total(table, subject) / energy - 1.0).abs() < 1e-12, "{table}");
        }
        assert!((total("area_by_component", subject) / figure("area of a chip", subject) - 1.0).abs() < 1e-12);
    }
    let cycles = row(&comparison, "figures", "cycles per image");
    let [before, after] = [0, 1].map(|subject| cycles["values"][subject].as_f64().unwrap());
    assert_eq!((&cycles["differences"][1], &cycles["ratios"][1]), (&(after - before).into(), &(after / before).into()));
    assert!(after > before);
}

#[test]
fn sweeps_are_compared_point_by_point_and_points_by_their_number() {
    let folder = folder();
    let sweep = |name: &str, extra: &str| {
        let text = format!("network = 'tiny'\narch.file = 'tiny'\nweights = [16, 8]\nimages = 'auto'\n{extra}");
        fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        let ran = aquasim(folder.path(), &["sweep", &format!("{name}.toml")]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    sweep("base", "");
    sweep("slow", "arch.bus.bytes_per_cycle = 16\n");
    sweep("other", "crop = ['left', 'top']\n");
    assert_snapshot!(succeeds(folder.path(), &["compare", "base", "slow"]));
    let point = json_of(folder.path(), &["base:1", "slow:1"]);
    assert_eq!(point["subjects"][0]["name"], "tiny, point 1");
    let run =
        ["run", "--arch", "tiny", "--network", "tiny", "--images", "auto", "--weights", "8", "--json", "run.json"];
    succeeds(folder.path(), &run);
    let same = json_of(folder.path(), &["base:1", "run.json"]);
    for (table, name) in [
        ("figures", "cycles per image"),
        ("figures", "nominal efficiency"),
        ("figures", "area of a chip"),
        ("energy_by_component", "adc"),
        ("energy_by_layer", "conv2"),
        ("cycles_by_layer", "conv2"),
    ] {
        assert_eq!(row(&same, table, name)["differences"][1], 0.0, "{table}: {name}");
    }
    for (arguments, problem) in [
        (&["base", "other"][..], "the sweeps have no point in common"),
        (&["base:7", "slow"], "base has no point 7"),
        (&["tiny", "--network", "tiny"], "there is nothing to compare tiny with"),
        (&["run.json", "--set", "adc.bits=6"], "run.json is no machine that --set could change"),
        (&["tiny", "base.toml", "--network", "tiny"], "unknown key network"),
    ] {
        let ran = aquasim(folder.path(), &[&["compare"][..], arguments].concat());
        assert!(ran.code == 2 && ran.stderr.contains(problem), "{}", ran.stderr);
    }
}

#[test]
fn a_report_that_does_not_state_its_machine_is_compared_without_it() {
    let folder = folder();
    succeeds(folder.path(), &[&["run", "--json", "new.json"][..], &TINY].concat());
    let text = fs::read_to_string(folder.path().join("new.json")).unwrap();
    let mut old: Value = serde_json::from_str(&text).unwrap();
    old.as_object_mut().unwrap().remove("machine");
    fs::write(folder.path().join("old.json"), old.to_string()).unwrap();
    let text = succeeds(folder.path(), &["compare", "old.json", "new.json"]);
    assert!(text.contains("The report of A does not state its machine"), "{text}");
    let comparison = json_of(folder.path(), &["old.json", "new.json"]);
    let area = row(&comparison, "figures", "area of a chip");
    assert_eq!((&area["missing"][0], &area["ratios"][1]), (&"not known".into(), &Value::Null));
    fs::write(folder.path().join("other.json"), "{}").unwrap();
    let ran = aquasim(folder.path(), &["compare", "other.json", "new.json"]);
    assert!(ran.code == 2 && ran.stderr.contains("it has no schema"), "{}", ran.stderr);
    let ran = aquasim(folder.path(), &["compare", "missing.json", "new.json"]);
    let remedy = "help: give a preset, an arch file, a report of `aquasim run --json`, or the folder of a sweep";
    assert!(ran.code == 2 && ran.stderr.contains(remedy), "{}", ran.stderr);
}

#[test]
fn the_page_has_the_runs_side_by_side() {
    let folder = folder();
    succeeds(folder.path(), &["compare", "tiny", "--network", "tiny", "--set", "adc.bits=7", "--html", "page.html"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("<h1>tiny / tiny with adc.bits = 7</h1>"));
    for text in [
        ">conv1 A</text>",
        ">conv1 B</text>",
        ">adc B</text>",
        ">energy of an image (",
        "<td>adc.bits</td><td>6</td><td>7</td>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.len() < 1_000_000);
}

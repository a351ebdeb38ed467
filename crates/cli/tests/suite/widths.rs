//! Tables fit into the terminal.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::answers::{arguments, case};
use crate::folder;

/// Output of a command that must succeed, in a terminal of so many columns.
fn printed(folder: &Path, columns: usize, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aquasim"));
    let output = command.args(arguments).current_dir(folder).env("COLUMNS", columns.to_string()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the numbers of a text as they are written, with their digits in groups.
fn numbers(text: &str) -> BTreeSet<&str> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == ',' || letter == '.';
    let words = text.split(|letter: char| !is_part(letter));
    words.map(|word| word.trim_matches([',', '.'])).filter(|word| !word.is_empty()).collect()
}

/// Asserts that no line is too long, and that no number is written in parts.
fn check(folder: &Path, arguments: &[&str]) {
    let (wide, narrow) = (printed(folder, 120, arguments), printed(folder, 80, arguments));
    for (text, most) in [(&wide, 120), (&narrow, 80)] {
        // The tables of `arch show` stand behind the file.
        let tables = if arguments[..2] == ["arch", "show"] { text.rsplit("}\n\n").next().unwrap() } else { text };
        for line in tables.lines() {
            assert!(line.chars().count() <= most, "{arguments:?}: {} columns\n{line}", line.chars().count());
        }
    }
    let known = numbers(&wide);
    let cut: Vec<&str> = numbers(&narrow).into_iter().filter(|number| !known.contains(number)).collect();
    assert!(cut.is_empty(), "{arguments:?}: {cut:?}\n{narrow}");
}

#[test]
fn tables_of_runs_fit_into_80_columns() {
    let place = folder();
    let adc = ["--set", "adc.bits=7"];
    for network in ["tiny", "vgg16"] {
        let of = |command: &'static str, more: &[&'static str]| [&[command, "--network", network][..], more].concat();
        check(place.path(), &of("run", &["--crop", "top,left", "--images", "2"]));
        check(place.path(), &of("stalls", &["--what-ifs", "1"]));
        check(place.path(), &of("map", &["--floorplan", "text"]));
        check(place.path(), &of("compare", &["isaac-ce", "isaac-ce", adc[0], adc[1]]));
    }
    check(place.path(), &["run", "--arch", "tiny", "--network", "tiny", "--images", "auto", "--against", "tiny"]);
    check(place.path(), &["map", "--arch", "tiny", "--network", "tiny", "--optimise"]);
    check(place.path(), &["compare", "--network", "tiny", "isaac-ce", "field-energies", "isaac-one-chip", "tiny"]);
}

#[test]
fn comparisons_of_any_number_of_machines_fit_into_80_columns_with_all_ratios() {
    let place = folder();
    let machines = ["tiny", "isaac-ce", "field-energies", "isaac-one-chip"];
    for count in [5, 6, 8, 12] {
        let machines: Vec<&str> = machines.into_iter().cycle().take(count).collect();
        let arguments = [&["compare", "--network", "tiny"][..], &machines].concat();
        check(place.path(), &arguments);
        let text = printed(place.path(), 80, &arguments);
        for letter in &["B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"][..count - 1] {
            // Figures, energies by component and by layer, and areas.
            assert!(text.matches(&format!("{letter} / A")).count() >= 3, "{letter} of {count}\n{text}");
        }
    }
}

#[test]
fn tables_of_machines_and_networks_fit_into_80_columns() {
    let place = folder();
    fs::write(place.path().join("mine.toml"), "extends = \"isaac-ce\"\n[adc]\nbits = 9\n").unwrap();
    for arguments in [
        &["arch", "list"][..],
        &["arch", "show", "isaac-ce"],
        &["arch", "diff", "isaac-ce", "field-energies"],
        &["arch", "diff", "isaac-ce", "mine.toml"],
        &["network", "list"],
        &["network", "show", "vgg16"],
        &["network", "show", "googlenet"],
        &["network", "show", "resnet50"],
    ] {
        check(place.path(), arguments);
    }
}

#[test]
fn answers_fit_into_80_columns() {
    let place = case(3);
    check(place.path(), &arguments("infer", &["--top", "3", "--activations", "8"]));
    check(place.path(), &arguments("infer", &["--policy", "predicted"]));
}

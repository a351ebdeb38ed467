//! Errors that users read when they get something wrong. Nothing is written then.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::{Ran, TINY, aquasim, folder, names, succeeds};

/// Error of `aquasim` on a mistake of the user in `folder`, where it must leave no files.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let before = names(folder);
    let Ran { code, stdout, stderr } = aquasim(folder, arguments);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert_eq!(names(folder), before, "{stderr}");
    stderr
}

/// Error of a run that was to write files.
fn refused_run(folder: &Path, options: &[&str]) -> String {
    refused(folder, &[&["run"], options, &["--json", "report.json", "--csv", "tables"]].concat())
}

/// Writes the file `name` of `text` with some of it replaced.
fn write(folder: &Path, name: &str, text: &str, replacements: &[(&str, &str)]) {
    let mut text = text.to_owned();
    for (from, to) in replacements {
        assert_eq!(text.matches(from).count(), 1, "{from:?} must be there once");
        text = text.replace(from, to);
    }
    fs::write(folder.join(name), text).unwrap();
}

fn tiny_machine(folder: &Path) -> String {
    succeeds(folder, &["arch", "show", "tiny"])
}

fn tiny_mapping(folder: &Path) -> String {
    succeeds(folder, &[&["map"][..], &TINY, &["--out", "-"]].concat())
}

#[test]
fn keys_units_ranges_and_contradictions_of_a_machine() {
    let folder = folder();
    write(
        folder.path(),
        "machine.toml",
        &tiny_machine(folder.path()),
        &[
            ("flipped_encoding = true", "fliped_encoding = true"),
            ("cycle_ns = 100.0", "cycle_ns = \"100 ns\""),
            ("imas = 4", "imas = 65"),
            ("chips = 1", "chips = 3"),
            ("columns = 1\n", "columns = 2\n"),
        ],
    );
    let faults = refused_run(folder.path(), &["--arch", "machine.toml", "--network", "tiny"]);
    assert_eq!(faults, refused(folder.path(), &["arch", "check", "machine.toml"]));
    assert_snapshot!(faults);
}

#[test]
fn a_region_outside_its_layer() {
    let folder = folder();
    let plan = "[[layers]]\nname = \"conv2\"\nregions = [{ top = 4, left = 0, height = 5, width = 8, bits = 0 }]\n";
    write(folder.path(), "plan.toml", plan, &[]);
    assert_snapshot!(refused_run(folder.path(), &[&TINY[..], &["--plan", "plan.toml"]].concat()));
}

#[test]
fn a_network_that_does_not_chain() {
    let folder = folder();
    let network = "name = \"broken\"\ninput = { height = 8, width = 8, channels = 3 }\n\n\
         [[layers]]\nname = \"conv1\"\nkind = \"convolution\"\nkernel = 11\nchannels = 4\n\n\
         [[layers]]\nname = \"fc2\"\nkind = \"fully_connected\"\nchannels = 10\n\n\
         [[layers]]\nname = \"conv3\"\nkind = \"convolution\"\nkernel = 1\nchannels = 4\n";
    write(folder.path(), "network.toml", network, &[]);
    assert_snapshot!(refused_run(folder.path(), &["--arch", "tiny", "--network", "network.toml"]));
}

#[test]
fn a_board_or_a_buffer_that_is_too_small() {
    let folder = folder();
    assert_snapshot!("board", refused_run(folder.path(), &["--arch", "tiny"]));
    write(folder.path(), "machine.toml", &tiny_machine(folder.path()), &[("bytes = 8192", "bytes = 128")]);
    assert_snapshot!("buffer", refused_run(folder.path(), &["--arch", "machine.toml", "--network", "tiny"]));
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = folder();
    fs::write(folder.path().join("binary.toml"), [0xff, 0xfe, 0]).unwrap();
    let faults = [
        refused_run(folder.path(), &["--arch", "binary.toml"]),
        refused_run(folder.path(), &["--network", "absent.toml"]),
        refused_run(folder.path(), &["--network", "vgg61"]),
        refused_run(folder.path(), &["--plan", "."]),
    ];
    assert_snapshot!(faults.join("\n"));
}

#[test]
fn a_place_that_cannot_be_written() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let run = |options: &[&str]| refused(folder.path(), &[&["run"][..], &TINY, options].concat());
    let faults = [
        run(&["--json", "absent/report.json"]),
        run(&["--json", "."]),
        run(&["--csv", "file"]),
        refused(folder.path(), &[&["map"][..], &TINY, &["--out", "absent/mapping.toml"]].concat()),
        refused(folder.path(), &[&["map"][..], &TINY, &["--floorplan", "chips.png"]].concat()),
    ];
    assert_snapshot!(faults.join("\n"));
}

#[test]
fn arguments_that_do_not_go_together_or_mean_nothing() {
    let folder = folder();
    let faults = [
        refused_run(folder.path(), &["--plan", "plan.toml", "--crop", "top"]),
        refused_run(folder.path(), &["--images", "0"]),
        refused_run(folder.path(), &["--fidelity", "iterations"]),
        refused_run(folder.path(), &["--crop", "top,botom"]),
        refused_run(folder.path(), &["--weights", "16,12"]),
        refused_run(folder.path(), &["--fill", "784"]),
        refused_run(folder.path(), &["--fill", "17-chips"]),
        refused_run(folder.path(), &["--fill", "100-cycles"]),
        refused_run(folder.path(), &["--network", "tiny", "--weights", "varied"]),
        refused(folder.path(), &["rum"]),
    ];
    assert_snapshot!(faults.join("\n"));
}

#[test]
fn a_mapping_for_something_else() {
    let folder = folder();
    write(folder.path(), "mapping.toml", &tiny_mapping(folder.path()), &[]);
    assert_snapshot!(refused_run(folder.path(), &["--network", "vgg11", "--mapping", "mapping.toml"]));
}

#[test]
fn a_mapping_with_keys_and_layers_that_are_not_known() {
    let folder = folder();
    let mapping = tiny_mapping(folder.path());
    let run = || refused_run(folder.path(), &[&TINY[..], &["--mapping", "mapping.toml"]].concat());
    write(folder.path(), "mapping.toml", &mapping, &[("network =", "netwrok ="), ("strips = 16", "strips = \"16\"")]);
    assert_snapshot!("mapping_keys", run());
    write(folder.path(), "mapping.toml", &mapping, &[("\"conv2\"", "\"cnv2\""), ("\"fc5\"", "\"classifier\"")]);
    assert_snapshot!("mapping_names", run());
    let swapped = [("\"conv1\"", "\"first\""), ("\"conv2\"", "\"conv1\""), ("\"first\"", "\"conv2\"")];
    write(folder.path(), "mapping.toml", &mapping, &swapped);
    assert_snapshot!("mapping_order", run());
}

#[test]
fn a_mapping_that_does_not_fit_its_machine() {
    let folder = folder();
    write(
        folder.path(),
        "mapping.toml",
        &tiny_mapping(folder.path()),
        &[
            // One shape with too many crossbars, and one with too many inputs; a replica too few; an overlap with
            // conv1; a replica beyond the board.
            ("ima_rows = 1\nima_cols = 2", "ima_rows = 2\nima_cols = 4"),
            ("strips = 4", "strips = 5"),
            ("copies = [4, 12", "copies = [4, 4"),
            ("copies = [56]", "copies = [64]"),
        ],
    );
    assert_snapshot!(refused_run(folder.path(), &[&TINY[..], &["--mapping", "mapping.toml"]].concat()));
}

//! Output of commands when nothing is wrong.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::{TINY, aquasim, folder, names, succeeds};

#[test]
fn help_says_what_each_command_takes() {
    let folder = folder();
    let help = |command: &[&str]| succeeds(folder.path(), &[command, &["-h"]].concat());
    assert_snapshot!("help", help(&[]));
    assert_snapshot!("help_run", help(&["run"]));
    assert_snapshot!("help_map", help(&["map"]));
    assert_snapshot!("help_arch", help(&["arch"]));
    assert_snapshot!("help_compare", help(&["compare"]));
    assert_snapshot!("help_paper_isaac", help(&["paper", "isaac"]));
}

#[test]
fn a_run_prints_totals_components_and_layers() {
    let folder = folder();
    assert_snapshot!(succeeds(folder.path(), &[&["run"][..], &TINY, &["--crop", "top"]].concat()));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn several_images_have_a_rate() {
    let folder = folder();
    let report = succeeds(folder.path(), &[&["run"][..], &TINY, &["--images", "8", "--uncontended"]].concat());
    assert!(report.contains("8 images, operation fidelity, nothing contended"), "{report}");
    assert!(report.contains("images/s, one each 256 cycles"), "{report}");
    let short = succeeds(folder.path(), &[&["run"][..], &TINY, &["--images", "2"]].concat());
    assert!(short.contains("not settled: run at least "), "{short}");
    assert!(!short.contains("throughput") && !short.contains("GOPS"), "{short}");
}

#[test]
fn no_arguments_run_vgg16_on_isaac_ce_within_120_columns() {
    let folder = folder();
    let report = succeeds(folder.path(), &[]);
    assert_eq!(report, succeeds(folder.path(), &["run"]));
    assert!(report.starts_with(" VGG16 on ISAAC-CE"), "{report}");
    assert!(report.contains("1 image, operation fidelity") && report.contains("conv5_3"), "{report}");
    let mapping = succeeds(folder.path(), &["map", "--floorplan", "text"]);
    let widest = report.lines().chain(mapping.lines()).map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?} columns");
}

#[test]
fn a_mapping_as_json_has_the_bound_and_the_crossbars_of_its_run() {
    let folder = folder();
    let json = |command| -> serde_json::Value {
        let text = succeeds(folder.path(), &[&[command][..], &TINY, &["--weights", "12", "--json", "-"]].concat());
        serde_json::from_str(&text).expect("JSON")
    };
    let (mapped, run) = (json("map"), json("run"));
    for key in ["arch", "network", "plan", "bound", "crossbars", "imas"] {
        assert_eq!(mapped[key], run[key], "{key}");
    }
}

#[test]
fn a_mapping_prints_its_layers_and_its_floorplan() {
    let folder = folder();
    assert_snapshot!(succeeds(folder.path(), &[&["map"][..], &TINY, &["--floorplan", "text"]].concat()));
}

#[test]
fn a_mapping_that_was_written_runs_alike() {
    let folder = folder();
    succeeds(folder.path(), &[&["map"][..], &TINY, &["--out", "tiny.map.toml"]].concat());
    let mapping = fs::read_to_string(folder.path().join("tiny.map.toml")).unwrap();
    assert_snapshot!(mapping);
    assert_eq!(mapping, succeeds(folder.path(), &[&["map"][..], &TINY, &["--out", "-"]].concat()));
    let balanced = succeeds(folder.path(), &[&["run"][..], &TINY].concat());
    let read = succeeds(folder.path(), &[&["run"][..], &TINY, &["--mapping", "tiny.map.toml"]].concat());
    assert_eq!(balanced, read);
}

/// A machine whose routers are too slow for values that are sent to each of their receivers.
fn write_slow_machine(folder: &Path) {
    let (tiny, _) = arch::text("tiny").unwrap();
    let slower = [
        ("tile_columns = 4", "tile_columns = 12"),
        ("tile_rows = 4", "tile_rows = 6"),
        ("tile_columns = 2 ", "tile_columns = 1 "),
        ("tile_rows = 2 ", "tile_rows = 1 "),
        ("clock_ghz = 1.0", "clock_ghz = 0.025"),
        ("multicast = true", "multicast = false"),
    ];
    let text = slower.iter().fold(tiny, |text, (from, to)| text.replace(from, to));
    fs::write(folder.join("slow.toml"), text).unwrap();
    let layer = |index: u32| {
        format!(
            "[[layers]]\nname = \"c{index}\"\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 16\n\
             crop = {{ x = 1, y = 1 }}\n"
        )
    };
    let pool = |index: u32| format!("[[layers]]\nname = \"p{index}\"\nkind = \"max_pool\"\nkernel = 2\nstride = 2\n");
    let layers = [layer(0), layer(1), pool(1), layer(2), layer(3), pool(3), layer(4)].concat();
    let text = format!("name = \"small\"\ninput = {{ height = 16, width = 16, channels = 8 }}\n{layers}");
    fs::write(folder.join("small.toml"), text).unwrap();
}

#[test]
fn a_searched_mapping_is_compared_and_written_and_is_not_searched_again() {
    const SLOW: [&str; 5] = ["map", "--arch", "slow.toml", "--network", "small.toml"];
    let folder = folder();
    write_slow_machine(folder.path());
    let binds = "The placement binds, not the crossbars: try `aquasim map --optimise`";
    assert!(succeeds(folder.path(), &SLOW).contains(binds));
    let searched = succeeds(folder.path(), &[&SLOW[..], &["--optimise", "--out", "searched.toml"]].concat());
    assert!(!searched.contains(binds), "{searched}");
    assert_snapshot!("optimised", searched.split("In the long run").nth(1).unwrap());
    let again = succeeds(folder.path(), &[&SLOW[..], &["--optimise", "--mapping", "searched.toml"]].concat());
    assert!(again.ends_with("\nNothing is moved.\n"), "{again}");
    let refused = aquasim(folder.path(), &[&SLOW[..], &["--optimise", "--chips", "2"]].concat());
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("the mapping occupies 1, and tiny has 1"), "{}", refused.stderr);
}

#[test]
fn a_mapping_at_the_pace_under_all_crops_is_left_as_it_is() {
    let folder = folder();
    let mapped = succeeds(folder.path(), &[&["map"][..], &TINY].concat());
    let searched = succeeds(folder.path(), &[&["map"][..], &TINY, &["--optimise", "--all-crops"]].concat());
    assert_eq!(searched, mapped + "\nNothing is moved.\n");
}

#[test]
fn a_tile_of_several_layers_is_marked() {
    let folder = folder();
    let mapping = succeeds(folder.path(), &[&["map"][..], &TINY, &["--out", "-"]].concat());
    // fc5 behind conv3, which has the tile's first IMA.
    fs::write(folder.path().join("shared.toml"), mapping.replace("copies = [56]", "copies = [21]")).unwrap();
    let options = ["--mapping", "shared.toml", "--floorplan", "text"];
    let printed = succeeds(folder.path(), &[&["map"][..], &TINY, &options].concat());
    assert!(printed.contains("\na b c c+\n"), "{printed}");
}

#[test]
fn a_floorplan_in_svg_shows_each_tile() {
    let folder = folder();
    succeeds(folder.path(), &[&["map"][..], &TINY, &["--floorplan", "tiny.svg"]].concat());
    let picture = fs::read_to_string(folder.path().join("tiny.svg")).unwrap();
    assert_eq!(picture.matches("class=\"mark\"").count(), 5, "one for each layer");
    assert!(picture.contains("<title>conv1 on chip 0: 16 IMAs in 4 tiles</title>"), "{picture}");
    assert_eq!(names(folder.path()), ["tiny.svg"]);
}

#[test]
fn a_machine_that_is_shown_can_be_read_back() {
    let folder = folder();
    let shown = succeeds(folder.path(), &["arch", "show", "isaac-ce"]);
    let (_, figures) = shown.rsplit_once("}\n\n").expect("figures stand behind the file");
    assert_snapshot!(figures);
    fs::write(folder.path().join("shown.toml"), &shown).unwrap();
    let differences = succeeds(folder.path(), &["arch", "diff", "isaac-ce", "shown.toml"]);
    assert_eq!(differences, "isaac-ce and shown.toml are the same machine\n");
}

#[test]
fn machines_are_listed_checked_and_compared() {
    let folder = folder();
    assert_snapshot!("arch_list", succeeds(folder.path(), &["arch", "list"]));
    assert_snapshot!("arch_diff", succeeds(folder.path(), &["arch", "diff", "isaac-ce", "isaac-one-chip"]));
    assert_eq!(succeeds(folder.path(), &["arch", "check", "tiny"]), "tiny describes tiny: nothing is wrong with it\n");
}

#[test]
fn every_command_is_in_a_group_and_is_meant_where_it_is_misspelt() {
    let folder = folder();
    let help = succeeds(folder.path(), &["-h"]);
    let man = succeeds(folder.path(), &["man"]);
    let commands: Vec<&str> = man.split("aquasim\\-").skip(1).filter_map(|rest| rest.split("(1)").next()).collect();
    assert!(commands.len() >= 14, "{man}");
    for command in commands {
        let command = command.replace('\\', "");
        assert!(help.contains(&format!("\n  {command} ")), "{command} is in no group");
    }
    let ran = aquasim(folder.path(), &["rnu"]);
    assert!(ran.code == 2 && ran.stderr.contains("'run'"), "{}", ran.stderr);
}

#[test]
fn shells_complete_commands_and_man_has_a_page_of_each() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let script = succeeds(folder.path(), &["completions", shell]);
        assert!(script.contains("tolerance") && script.contains("what-ifs"), "{shell}");
    }
    assert!(succeeds(folder.path(), &["man", "paper", "isaac"]).contains("\\-\\-chips"));
    let ran = aquasim(folder.path(), &["man", "walk"]);
    assert!(ran.code == 2 && ran.stderr.contains("there is no command walk"), "{}", ran.stderr);
}

#[test]
fn files_that_users_write_have_schemas() {
    let schema =
        |command: &[&str]| -> serde_json::Value { serde_json::from_str(&succeeds(folder().path(), command)).unwrap() };
    for (command, key) in [
        (["arch", "schema"], "extends"),
        (["network", "schema"], "layers"),
        (["schema", "plan"], "layers"),
        (["schema", "mapping"], "network"),
        (["schema", "sweep"], "zip"),
    ] {
        assert!(schema(&command)["properties"][key].is_object(), "{command:?}");
    }
    let bits = &schema(&["schema", "sweep"])["properties"]["arch"]["properties"]["adc"]["properties"]["bits"]["anyOf"];
    assert_eq!((&bits[0]["maximum"], &bits[1]["items"]["maximum"]), (&32.into(), &32.into()));
    assert_eq!(bits[2]["required"], serde_json::json!(["from", "to"]));
}

#[test]
fn what_costs_something_is_warned_of() {
    let folder = folder();
    let machine = succeeds(folder.path(), &["arch", "show", "tiny"]).replace("bits = 6 ", "bits = 5 ");
    fs::write(folder.path().join("coarse.toml"), machine).unwrap();
    let ran = aquasim(folder.path(), &["run", "--arch", "coarse.toml", "--network", "tiny"]);
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.stderr,
        "warning: adc.bits = 5 cannot hold a 32-row sum of 2-bit cells (needs 7, or 6 with flipped encoding)\n"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = folder();
    // A text that no pipe holds as a whole.
    let mut command = Command::new(env!("CARGO_BIN_EXE_aquasim"))
        .args(["map", "--out", "-"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(1, command.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = command.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn isaacs_evaluation_writes_its_tables_alike_on_any_number_of_threads() {
    let folder = folder();
    let written = |threads: &str| {
        let printed = succeeds(
            folder.path(),
            &["paper", "isaac", "--networks", "tiny", "--chips", "1,4", "--threads", threads, "--out", threads],
        );
        assert_eq!(printed, format!("{threads} has the tables; begin with isaac.md\n"));
        let out = folder.path().join(threads);
        names(&out).into_iter().map(|name| (fs::read_to_string(out.join(&name)).unwrap(), name)).collect::<Vec<_>>()
    };
    let one = written("1");
    assert_eq!(one, written("2"));
    let files: Vec<&str> = one.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(files, ["choices.csv", "designs.csv", "isaac.json", "isaac.md", "networks.csv", "statements.csv"]);
}

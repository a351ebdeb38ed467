//! Machines that state only what differs from another.

use std::fs;

use arch::{Draft, load, schema};
use document::Document;
use insta::assert_snapshot;

fn set(machine: &str, changes: &str) -> Result<arch::Arch, document::Faults> {
    Draft::load(machine).unwrap().change(Document::parse(changes, "--set"))?.finish()
}

/// Loads `file` of a folder with these files.
fn load_of(files: &[(&str, &str)], file: &str) -> Result<arch::Arch, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    load(&format!("{folder}/{file}")).map_err(|faults| faults.to_string().replace(folder, "FOLDER"))
}

#[test]
fn a_changed_machine_differs_in_what_is_stated_and_says_so_in_its_name() {
    let isaac = load("isaac-ce").unwrap();
    let changed = set("isaac-ce", "adc.bits = 6\nenergy.dac_row = { pj = 0.5, source = 'measured' }").unwrap();
    let keys: Vec<String> = arch::diff(&isaac, &changed).into_iter().map(|difference| difference.key).collect();
    assert_eq!(keys, ["name", "adc.bits", "energy.dac_row.pj", "energy.dac_row.source"]);
    assert_eq!(changed.name, "ISAAC-CE with adc.bits = 6, energy.dac_row.pj = 0.5");
    assert_eq!(set("isaac-ce", "adc.bits = 8").unwrap(), isaac);
    assert_eq!(set("isaac-ce", "adc.bits = 6\nname = 'coarse'").unwrap().name, "coarse");
}

#[test]
fn the_name_of_a_changed_machine_is_one_that_a_file_can_state() {
    let many = "adc.bits = 6\nadc.count = 4\ntile.imas = 8\nbus.bytes_per_cycle = 512\ndac.bits = 2";
    let name = set("isaac-ce", many).unwrap().name;
    assert_eq!(name, "ISAAC-CE with tile.imas = 8, dac.bits = 2, adc.count = 4 and 2 more");
    let long = |length: usize| {
        let text = format!("extends = 'isaac-ce'\nname = '{}'", "x".repeat(length));
        let changes = Document::parse("adc.bits = 6\ntile.imas = 8", "--set");
        Draft::parse(&text, "long.toml").unwrap().change(changes).unwrap().finish().unwrap()
    };
    assert_eq!(long(96).name, "x".repeat(96) + " with tile.imas = 8 and 1 more");
    assert_eq!(long(110).name, "x".repeat(110) + " with 2 changes");
    for length in 90..=128 {
        let arch = long(length);
        assert_eq!(arch::parse(&arch::to_toml(&arch), "written.toml").unwrap(), arch);
    }
}

#[test]
fn files_extend_presets_and_files_beside_them() {
    let files = [
        ("base/coarse.toml", "extends = 'isaac-ce'\n[adc]\nbits = 6\n"),
        ("narrow.toml", "extends = 'base/coarse.toml'\nbus.bytes_per_cycle = 512\n"),
        ("named.toml", "extends = 'narrow.toml'\nname = 'mine'\n"),
        ("on.toml", "extends = 'named.toml'\nboard.chips = 4\n"),
    ];
    let narrow = load_of(&files, "narrow.toml").unwrap();
    assert_eq!((narrow.adc.bits, narrow.bus.bytes_per_cycle, narrow.tile.imas), (6, 512, 12));
    assert_eq!(narrow.name, "ISAAC-CE with adc.bits = 6, bus.bytes_per_cycle = 512");
    assert_eq!(load_of(&files, "on.toml").unwrap().name, "mine with board.chips = 4");
    let draft = Draft::parse("extends = 'tiny'\nadc.bits = 7\n", "x.toml").unwrap();
    assert_eq!(draft.texts(), [&arch::text("tiny").unwrap().0, "extends = 'tiny'\nadc.bits = 7\n"]);
}

#[test]
fn faults_of_changes_are_drawn_where_they_are_made() {
    let unknown = set("isaac-ce", "adc.bist=6").unwrap_err();
    assert_snapshot!("unknown", unknown);
    let faults = ["adc.bits=six", "adc.bits='six'", "adc=6", "cycle_ns.length=3", "board.columns=5", "extends='tiny'"]
        .map(|changes| set("isaac-ce", changes).unwrap_err().to_string());
    assert_snapshot!("changes", faults.join("\n\n"));
}

#[test]
fn files_that_extend_nothing_sound_are_reported_at_the_key() {
    let of = |text: &str, file: &str| load_of(&[("a.toml", text), ("b.toml", "extends = 'a.toml'")], file).unwrap_err();
    let faults = [
        of("extends = 'isac-ce'", "a.toml"),
        of("extends = 'c.toml'", "a.toml"),
        of("extends = 'a.toml'", "a.toml"),
        of("extends = './b.toml'", "a.toml"),
        of("extend = 'isaac-ce'", "a.toml"),
        of("extends = 3", "a.toml"),
        of("extends = 'isaac-ce'\nadc.bits = 80", "b.toml"),
    ];
    assert_snapshot!(faults.join("\n\n"));
}

#[test]
fn the_schema_requires_keys_only_of_files_that_extend_none() {
    let schema = schema();
    assert!(schema["properties"]["extends"].is_object() && schema["required"].is_null());
    assert_eq!(schema["then"]["required"][0], "name");
    assert_eq!(schema["then"]["properties"]["bus"]["required"][0], "bytes_per_cycle");
    let energy = &schema["then"]["properties"]["energy"]["properties"]["dac_row"];
    assert_eq!(energy["required"], serde_json::json!(["pj", "source"]));
}

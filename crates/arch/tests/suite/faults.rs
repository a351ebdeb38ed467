//! What a user reads who gets a machine wrong.

use insta::assert_snapshot;
use toml::Value;

/// The faults of ISAAC-CE with some of its text replaced.
fn faults_of(replacements: &[(&str, &str)]) -> String {
    let mut text = arch::text("isaac-ce").unwrap().0;
    for (from, to) in replacements {
        assert_eq!(text.matches(from).count(), 1, "{from:?} must be there once");
        text = text.replace(from, to);
    }
    arch::parse(&text, "machine.toml").unwrap_err().to_string()
}

fn faults_with(overrides: &[(&str, Value)]) -> String {
    let (text, file) = arch::text("isaac-ce").unwrap();
    arch::with_overrides(&text, &file, overrides).unwrap_err().to_string()
}

#[test]
fn faults_of_shape_are_reported_all_at_once() {
    let faults = faults_of(&[
        ("cycle_ns = 100.0", "cycle_ns = \"100 ns\""),
        ("imas = 12", "imas = 65"),
        ("bits = 8 ", "bitz = 8 "),
        ("rate_gsps = 1.28", "rate_gsps = \"1.28 MHz\""),
        ("unit_column = false", "unit_column = 0"),
        ("[bus]", "[buss]"),
        ("links = 4 ", "#"),
        ("dac_row = { pj = 0.390625", "dac_row = { pj = -1"),
        ("crossbar_cell = { pj = 0.0018310546875", "crossbar_cell = { pj = inf"),
        ("source = \"ISAAC Table I: 384 wires\"", "source = \"\""),
        ("clock_ghz = 1.0", "clock_ghz = 1.0\ncolour = \"red\""),
    ]);
    assert_snapshot!(faults);
}

#[test]
fn contradictions_are_reported_all_at_once_with_the_fields_that_have_a_part_in_them() {
    let faults = faults_of(&[
        ("columns = 4 ", "columns = 5 "),
        ("tile_rows = 12", "tile_rows = 13"),
        ("rate_gsps = 1.28", "rate_gsps = 0.001"),
        ("clock_ghz = 1.0", "clock_ghz = 0.001"),
        ("gigabytes_per_second = 6.4", "gigabytes_per_second = 0.0001"),
        ("links = 4 ", "links = 2 "),
        ("input_register_bytes = 2048", "input_register_bytes = 128"),
        ("\noutput_register_bytes = 256 ", "\noutput_register_bytes = 16 "),
        ("output_register_bytes = 3072", "output_register_bytes = 8"),
    ]);
    assert_snapshot!(faults);
}

#[test]
fn a_contradiction_is_reported_beside_faults_of_shape_elsewhere() {
    let faults = faults_of(&[("imas = 12", "imas = 0"), ("columns = 4 ", "columns = 5 ")]);
    assert!(faults.contains("tile.imas must be"), "{faults}");
    assert!(faults.contains("do not fill rows"), "{faults}");
}

#[test]
fn a_value_of_the_wrong_type_takes_no_part_in_contradictions() {
    let faults = faults_of(&[("columns = 4 ", "columns = \"five\" ")]);
    assert_eq!(faults.matches("error:").count(), 1, "{faults}");
}

#[test]
fn text_that_is_not_toml_is_reported_with_its_place() {
    let faults = faults_of(&[
        ("cycle_ns = 100.0", "cycle_ns = 100 ns #"),
        ("imas = 12", "imas = 12\nimas = 13"),
        ("[crossbar]", "[ima]"),
    ]);
    assert_snapshot!(faults);
}

#[test]
fn overridden_values_are_reported_by_themselves() {
    let faults = faults_with(&[
        ("router.tile_rows", 5.into()),
        ("adc.bitz", 5.into()),
        ("board.columns", 3.into()),
        ("tile.imas", "many".into()),
        ("cycle_ns.length", 3.into()),
    ]);
    assert_snapshot!(faults);
}

#[test]
fn a_machine_that_is_no_preset_and_no_file_is_reported_with_the_presets() {
    let faults = ["isaac", "isaac-cf", "./machine.toml"].map(|name| arch::load(name).unwrap_err().to_string());
    let faults = faults.join("\n\n");
    assert_snapshot!(faults);
}

#[test]
fn chips_in_one_row_need_two_links_and_one_chip_needs_none() {
    let row = [("board.chips", 4.into()), ("hyper_transport.links", 1.into())];
    assert!(faults_with(&row).contains("give each chip 2 links"));
    let (text, file) = arch::text("isaac-one-chip").unwrap();
    arch::with_overrides(&text, &file, &[("hyper_transport.links", 0.into())]).unwrap();
}

#[test]
fn no_number_of_a_machine_can_be_so_wrong_that_its_fault_has_no_place() {
    fn keys(value: &Value, path: &str, all: &mut Vec<String>) {
        match value {
            Value::Table(table) => table.iter().for_each(|(key, value)| keys(value, &format!("{path}.{key}"), all)),
            Value::Integer(_) | Value::Float(_) => all.push(path[1..].to_owned()),
            _ => {}
        }
    }
    let (text, file) = arch::text("tiny").unwrap();
    let mut all = Vec::new();
    keys(&Value::Table(text.parse().unwrap()), "", &mut all);
    assert!(all.len() > 60, "{all:?}");
    for key in &all {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            let faults = arch::with_overrides(&text, &file, &[(key, wrong.into())]).map(|arch| arch.name);
            let faults = faults.expect_err(&format!("{key} = {wrong}"));
            assert!(faults.iter().all(|fault| fault.span().is_some()), "{key} = {wrong}: {faults}");
        }
        for wrong in [-1, i64::from(u32::MAX) + 1, i64::MAX, i64::MIN] {
            // Some are energies, of which a large one is only large.
            if let Err(faults) = arch::with_overrides(&text, &file, &[(key, wrong.into())]) {
                assert!(faults.iter().all(|fault| fault.span().is_some()), "{key} = {wrong}: {faults}");
            }
        }
    }
}

#[test]
fn the_largest_energies_powers_and_areas_that_are_allowed_have_finite_totals() {
    let mut text = arch::text("isaac-ce").unwrap().0;
    for unit in ["pj", "mw", "mm2"] {
        let parts: Vec<&str> = text.split(&format!("{{ {unit} = ")).collect();
        let rest = parts[1..].iter().map(|part| &part[part.find(',').unwrap()..]);
        text = rest.fold(parts[0].to_owned(), |text, rest| text + &format!("{{ {unit} = 1e12") + rest);
    }
    let arch = arch::parse(&text, "machine.toml").unwrap();
    let derived = arch::derived::derived(&arch);
    let figures = [derived.chip.power_mw, derived.chip.area_mm2, derived.tile.power_mw, derived.gops_per_watt];
    assert!(figures.iter().all(|figure| figure.is_finite() && *figure > 0.0), "{figures:?}");
}

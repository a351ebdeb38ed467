//! Presets, overrides, differences and the schema.

use arch::Arch;
use arch::derived::derived;
use toml::Value;

fn isaac_with(overrides: &[(&str, Value)]) -> Arch {
    let (text, file) = arch::text("isaac-ce").unwrap();
    arch::with_overrides(&text, &file, overrides).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn every_preset_loads_without_warnings() {
    for name in arch::names() {
        let machine = arch::load(name).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(arch::warnings(&machine), [""; 0], "{name}");
    }
}

#[test]
fn every_file_of_the_folder_is_a_preset() {
    let folder = std::fs::read_dir("../../arch-configs").unwrap();
    let mut files: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut presets: Vec<String> = arch::names().iter().map(|name| format!("{name}.toml")).collect();
    files.sort();
    presets.sort();
    assert_eq!(files, presets);
}

#[test]
fn variants_of_isaac_differ_from_it_only_in_what_they_are_named_for() {
    let isaac = arch::load("isaac-ce").unwrap();
    let keys = |name: &str| -> Vec<String> {
        let differences = arch::diff(&isaac, &arch::load(name).unwrap());
        differences.into_iter().map(|difference| difference.key).collect()
    };
    assert_eq!(keys("isaac-one-chip"), ["name", "board.chips", "board.columns"]);
    let field = keys("field-energies");
    assert!(
        field.iter().all(|key| key == "name" || key.starts_with("energy.") || key.starts_with("static_power.")),
        "{field:?}"
    );
}

#[test]
fn energies_of_the_field_are_those_of_its_units() {
    let field = arch::load("field-energies").unwrap();
    assert_eq!(field.energy.edram.edram_bit.pj * 256.0, 20.45);
    assert_eq!(field.energy.router.router_flit.pj, 20.74 * f64::from(field.router.flit_bits) / 256.0);
    assert_eq!(field.energy.hyper_transport.hyper_transport_bit.pj * 128.0, 26.0);
    assert_eq!(field.static_power.hyper_transport.mw, 0.0);
}

#[test]
fn a_difference_is_one_of_values_and_not_of_text() {
    let isaac = arch::load("isaac-ce").unwrap();
    let respelt = arch::text("isaac-ce").unwrap().0.replace("cycle_ns = 100.0", "cycle_ns = 1e2");
    assert_eq!(arch::diff(&isaac, &arch::parse(&respelt, "respelt.toml").unwrap()), []);

    let other = isaac_with(&[("adc.bits", 6.into()), ("energy.dac_row.pj", 0.5.into())]);
    let differences = arch::diff(&isaac, &other);
    let shown: Vec<String> = differences.iter().map(|d| format!("{}: {} -> {}", d.key, d.left, d.right)).collect();
    assert_eq!(shown, ["adc.bits: 8 -> 6", "energy.dac_row.pj: 0.390625 -> 0.5"]);
}

#[test]
fn a_lossy_adc_is_accepted_with_a_warning_that_says_the_remedy() {
    let machine = isaac_with(&[("adc.bits", 6.into())]);
    assert_eq!(
        arch::warnings(&machine),
        ["adc.bits = 6 cannot hold a 128-row sum of 2-bit cells (needs 9, or 8 with flipped encoding)"]
    );
    let unflipped = isaac_with(&[("adc.flipped_encoding", false.into())]);
    assert_eq!(arch::warnings(&unflipped).len(), 1);
    let wider = isaac_with(&[("adc.flipped_encoding", false.into()), ("adc.bits", 9.into())]);
    assert_eq!(arch::warnings(&wider), [""; 0]);
}

#[test]
fn fewer_adcs_lengthen_the_iteration_and_lower_the_peak() {
    let isaac = derived(&arch::load("isaac-ce").unwrap());
    let machine = isaac_with(&[("adc.count", 4.into())]);
    assert_eq!(machine.cycles_per_iteration(), 2);
    assert_eq!(derived(&machine).peak_gops, isaac.peak_gops / 2.0);
    let warning = "an ADC converts 128 columns in a cycle and has 256 for each read, \
                   so an iteration takes 2 cycles (raise adc.count or adc.rate_gsps)";
    assert_eq!(arch::warnings(&machine), [warning]);
}

#[test]
fn an_iteration_lasts_as_long_as_its_slowest_unit() {
    // 8 crossbars on 3 ADCs: one of them has 3 crossbars.
    assert_eq!(isaac_with(&[("adc.count", 3.into())]).cycles_per_iteration(), 3);
    assert_eq!(isaac_with(&[("adc.count", 16.into())]).cycles_per_iteration(), 1);
    assert_eq!(isaac_with(&[("adc.unit_column", true.into())]).cycles_per_iteration(), 2);
    assert_eq!(isaac_with(&[("shift_add.values_per_cycle", 100.into())]).cycles_per_iteration(), 3);
}

#[test]
fn the_schema_states_range_and_meaning_of_every_value() {
    fn check(path: &str, schema: &serde_json::Value) {
        if let Some(properties) = schema["properties"].as_object() {
            assert_eq!(schema["additionalProperties"], false, "{path}");
            for (key, schema) in properties {
                let path = format!("{path}.{key}");
                assert!(schema["description"].is_string(), "{path} has no description");
                check(&path, schema);
            }
        } else if matches!(schema["type"].as_str(), Some("integer" | "number")) {
            assert!(schema["minimum"].is_number(), "{path} has no minimum");
        }
    }
    let schema = arch::schema();
    check("", &schema);
    assert_eq!(schema["properties"]["tile"]["properties"]["imas"]["maximum"], 64);
}

#[test]
fn a_file_that_does_not_state_its_output_registers_has_two() {
    let text = arch::text("isaac-ce").unwrap().0;
    let without: String =
        text.lines().filter(|line| !line.starts_with("output_registers ")).map(|line| format!("{line}\n")).collect();
    assert_ne!(text, without);
    assert_eq!(arch::parse(&without, "machine.toml").unwrap(), arch::load("isaac-ce").unwrap());
}

#[test]
fn the_peak_is_that_of_the_output_registers_where_operations_are_short() {
    // A DAC of 8 bits: two reads, and a register is kept for 5 cycles. Two of them start an operation every 2.5 cycles.
    let peak = |registers: u32| {
        let changes = [("dac.bits", 8.into()), ("ima.output_registers", registers.into())];
        derived(&isaac_with(&changes)).peak_gops
    };
    assert!((peak(2) / peak(3) - 0.8).abs() < 1e-12);
    assert_eq!(peak(3), peak(7));
}

#[test]
fn a_rate_that_does_not_fit_the_cycle_is_not_rounded() {
    let machine = isaac_with(&[("cycle_ns", 1.0.into()), ("router.clock_ghz", 5.0.into())]);
    assert_eq!(machine.cycles_per_iteration(), 100, "128 columns at 1.28 a cycle");
    let warning = "an ADC converts 1.28 columns in a cycle and has 128 for each read, \
                   so an iteration takes 100 cycles (raise adc.count or adc.rate_gsps)";
    assert_eq!(arch::warnings(&machine), [warning]);
}

//! The machine: a TOML file in, a checked [`Arch`] out, with units, presets, areas and energies.

mod check;
pub mod derived;
mod difference;
mod machine;
mod rate;

use document::{Document, Faults};

pub use check::{lossless_adc_bits, warnings};
pub use derived::{adc_area_scale, adc_energy_scale};
pub use difference::{Difference, diff};
pub use machine::*;
pub use rate::{Rate, Times};

/// Machines built into the program: name and TOML text.
pub const PRESETS: &[(&str, &str)] = &[
    ("isaac-ce", include_str!("../../../arch-configs/isaac-ce.toml")),
    ("isaac-one-chip", include_str!("../../../arch-configs/isaac-one-chip.toml")),
    ("field-energies", include_str!("../../../arch-configs/field-energies.toml")),
    ("tiny", include_str!("../../../arch-configs/tiny.toml")),
];

/// Names of the presets.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// The text of a preset or file, and the name to show for it: what [`with_overrides`] starts from.
pub fn text(preset_or_path: &str) -> Result<(String, String), Faults> {
    document::preset_or_file(PRESETS, preset_or_path)
}

/// A preset, or the machine in the file at that path.
pub fn load(preset_or_path: &str) -> Result<Arch, Faults> {
    let (text, file) = text(preset_or_path)?;
    parse(&text, &file)
}

/// The machine in `text`, which is called `file` in faults.
pub fn parse(text: &str, file: &str) -> Result<Arch, Faults> {
    with_overrides(text, file, &[])
}

/// The machine in `base_text` with other values for some dotted keys, as in `adc.bits`: one point of a sweep.
pub fn with_overrides(base_text: &str, file: &str, overrides: &[(&str, toml::Value)]) -> Result<Arch, Faults> {
    let mut document = Document::parse(base_text, file);
    for (key, value) in overrides {
        document.set(key, value.clone());
    }
    let arch = document.read();
    if let Some(arch) = &arch {
        check::contradictions(arch, &mut document);
    }
    document.finish(arch)
}

/// The machine as TOML. Comments of the file it came from are lost.
pub fn to_toml(arch: &Arch) -> String {
    toml::to_string(arch).expect("an arch has tables and plain values only")
}

/// JSON Schema of an arch file, for editors.
pub fn schema() -> serde_json::Value {
    document::schema::<Arch>()
}

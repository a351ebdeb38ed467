//! Description of the simulated machine: a TOML file in, a checked [`Arch`] out.
//!
//! [`load`] and [`parse`] read an arch file or one of [`PRESETS`]. [`with_overrides`] replaces single values by their
//! dotted keys, as a sweep does for each of its points; a [`Draft`] is a file whose values may still be replaced. All
//! faults of a file are reported at once: unknown and missing
//! keys, wrong types and ranges, and fields that contradict each other. Choices that are allowed but costly, such as an
//! ADC too narrow for the sums of its columns, are reported by [`warnings()`].
//!
//! Keys equal fields, and the last part of a key is its unit where it has one: `cycle_ns`, `rate_gsps`, `clock_ghz`,
//! `bytes`, `pj`, `mw`, `mm2`. Energies are per action and areas per unit; each of them names its source. The figures
//! of `isaac-ce` are those of ISAAC (Shafiee et al., ISCA 2016), Table I.
//!
//! - [`Arch`] counts what a machine has (tiles, IMAs, crossbars) and what an operation takes (iterations, columns per
//!   weight, cycles per iteration).
//! - [`BLOCKS`] is the catalogue of hardware blocks. All figures of blocks, here and in reports, iterate it.
//! - [`Counts`] has the actions that a run counts, and from which a block takes its own.
//! - [`Rate`] is a rate per cycle as an exact fraction: products of decimals are not rounded.
//! - [`derived::derived`] computes power at rated load, area, peak throughput and storage.
//! - [`diff()`] compares two machines value by value.
//!
//! # Example
//!
//! ```
//! let isaac = arch::load("isaac-ce")?;
//! assert_eq!(isaac.tiles(), 16 * 168);
//! assert_eq!(isaac.iterations(16), 16);
//! assert_eq!(arch::lossless_adc_bits(&isaac), 8);
//!
//! let (text, file) = arch::text("isaac-ce")?;
//! let narrow = arch::with_overrides(&text, &file, &[("adc.bits", 6.into())])?;
//! assert_eq!(arch::diff(&isaac, &narrow)[0].key, "adc.bits");
//! assert_eq!(arch::warnings(&narrow).len(), 1);
//! # Ok::<(), document::Faults>(())
//! ```

mod block;
mod check;
mod coefficient;
mod counts;
pub mod derived;
mod difference;
mod draft;
mod machine;
mod operation;
mod rate;

use document::Faults;

pub use block::*;
pub use check::warnings;
pub use coefficient::*;
pub use counts::Counts;
pub use difference::{Difference, diff};
pub use draft::{Draft, is_changed, schema};
pub use machine::*;
pub use operation::columns_of_busiest;
pub use rate::{Rate, Times};

/// Machines built into the program: name and TOML text.
pub const PRESETS: &[(&str, &str)] = &[
    ("isaac-ce", include_str!("../../../arch-configs/isaac-ce.toml")),
    ("isaac-one-chip", include_str!("../../../arch-configs/isaac-one-chip.toml")),
    ("field-energies", include_str!("../../../arch-configs/field-energies.toml")),
    ("tiny", include_str!("../../../arch-configs/tiny.toml")),
];

/// Returns the names of the presets.
pub fn names() -> Vec<&'static str> {
    PRESETS.iter().map(|(name, _)| *name).collect()
}

/// Returns the text of a preset or file and the name to show for it, as [`with_overrides`] takes them.
pub fn text(preset_or_path: &str) -> Result<(String, String), Faults> {
    document::preset_or_file(PRESETS, preset_or_path)
}

/// Loads a preset, or the arch file at that path if no preset has that name.
pub fn load(preset_or_path: &str) -> Result<Arch, Faults> {
    let (text, file) = text(preset_or_path)?;
    parse(&text, &file)
}

/// Reads the machine in `text`. Faults show the name `file`.
pub fn parse(text: &str, file: &str) -> Result<Arch, Faults> {
    with_overrides(text, file, &[])
}

/// Reads the machine in `base_text` with other values for some dotted keys, as in `adc.bits`. Faults show the name
/// `file`, and overridden values by themselves.
pub fn with_overrides(base_text: &str, file: &str, overrides: &[(&str, toml::Value)]) -> Result<Arch, Faults> {
    Draft::parse(base_text, file)?.with_overrides(overrides)
}

/// Returns the machine as TOML, without the comments of its file.
pub fn to_toml(arch: &Arch) -> String {
    toml::to_string(arch).expect("an arch has tables and plain values only")
}

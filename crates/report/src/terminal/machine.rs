//! Machines: derived figures of one, differences between two, and a list of presets.

use arch::derived::{Total, derived};
use arch::{Arch, Difference, Scope};
use serde_json::Value;

use super::{table, width};
use crate::format::{grouped, percent, significant};

/// Returns power and area of each component group of `arch` at rated load, then totals and peak figures.
pub fn figures(arch: &Arch) -> String {
    let derived = derived(arch);
    let headings = ["group", "in one", "units", "power (mW)", "area (mm2)", "chip power (mW)", "chip area (mm2)"];
    let mut groups = table(&headings, &[0, 1]).sparing(&[2, 1]);
    for group in &derived.groups {
        let per_chip = group.scope.per_chip(arch);
        groups.add_row([
            group.name.to_owned(),
            scope_name(group.scope).to_owned(),
            grouped(group.units),
            significant(group.power_mw),
            significant(group.area_mm2),
            significant(group.power_mw * per_chip),
            significant(group.area_mm2 * per_chip),
        ]);
    }
    let mut totals = table(&["as a whole", "", ""], &[0, 2]);
    let total = |Total { power_mw, area_mm2 }: Total| {
        (significant(power_mw), format!("mW at rated load, {} mm2", significant(area_mm2)))
    };
    let ((tile, tile_unit), (chip, chip_unit)) = (total(derived.tile), total(derived.chip));
    for (name, figure, unit) in [
        ("tile, with its part of a router", tile, tile_unit.as_str()),
        ("chip", chip, &chip_unit),
        ("ADCs' part of a tile's power", percent(derived.adc_power_share), ""),
        ("ADCs' part of a tile's area", percent(derived.adc_area_share), ""),
        ("peak throughput of a chip", significant(derived.peak_gops), "GOPS, 16-bit"),
        ("power efficiency", significant(derived.gops_per_watt), "GOPS/W"),
        ("computational efficiency", significant(derived.gops_per_mm2), "GOPS/mm2"),
        ("storage efficiency", significant(derived.mb_per_mm2), "MB/mm2"),
        ("crossbars of the board", grouped(arch.crossbars()), ""),
    ] {
        totals.add_row([name, &figure, unit]);
    }
    // They stand in comments of an arch file.
    let width = width() - "# ".len();
    format!("{}\n\n{}\n", groups.of_width(width), totals.of_width(width))
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Ima => "IMA",
        Scope::Tile => "tile",
        Scope::Router => "router",
        Scope::Chip => "chip",
    }
}

/// Returns a table of the keys in which two machines, called `left` and `right`, differ.
pub fn differences(left: &str, right: &str, differences: &[Difference]) -> String {
    let mut table = table(&["key", left, right], &[0, 1, 2]);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for Difference { key, left, right } in differences {
        table.add_row([key, &text(left), &text(right)]);
    }
    table.trim_fmt() + "\n"
}

/// Returns a table with a line for each machine, given with the name of its preset.
pub fn machines(machines: &[(&str, Arch)]) -> String {
    let headings = ["preset", "machine", "chips", "crossbars", "peak GOPS of a chip", "GOPS/W", "GOPS/mm2"];
    let mut table = table(&headings, &[0, 1]).sparing(&[1]);
    for (preset, arch) in machines {
        let derived = derived(arch);
        table.add_row([
            (*preset).to_owned(),
            arch.name.clone(),
            grouped(arch.board.chips.into()),
            grouped(arch.crossbars()),
            significant(derived.peak_gops),
            significant(derived.gops_per_watt),
            significant(derived.gops_per_mm2),
        ]);
    }
    table.trim_fmt() + "\n"
}

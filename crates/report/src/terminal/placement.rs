//! Comparison of placements.

use super::{both, rate, table};
use crate::Report;
use crate::format::{grouped, rounded, significant};

/// Returns a table of mappings, each by its name and with a run for each plan.
pub fn placements<'a>(runs: impl IntoIterator<Item = (&'a str, &'a Report)>) -> String {
    let headings = ["plan", "mapping", "chips", "bound", "by", "cycles per image", "GOPS/W"];
    let mut table = table(&headings, &[0, 1, 4]);
    for (name, report) in runs {
        let figures = &report.figures;
        let by = report.bound.resources.first().map_or(String::new(), super::name);
        let [computed, nominal] = [figures.gops_per_watt_computed, figures.gops_per_watt_nominal];
        table.add_row([
            report.plan.clone(),
            name.to_owned(),
            grouped(report.chips.into()),
            rounded(report.bound.cycles),
            by,
            figures.cycles_per_image.map_or_else(|| rate(figures), rounded),
            both(computed, nominal, significant),
        ]);
    }
    table.trim_fmt()
}

//! Comparison of placements.

use super::{name, rate, table};
use crate::Report;
use crate::format::{grouped, rounded, significant};

/// Returns a table of runs, each with the name of its mapping.
pub fn placements<'a>(runs: impl IntoIterator<Item = (&'a str, &'a Report)>) -> String {
    let headings = ["plan", "mapping", "chips", "bound", "by", "cycles per image", "nominal GOPS/W"];
    let mut table = table(&headings, &[0, 1, 4]).sparing(&[2, 6]);
    for (mapping, report) in runs {
        let figures = &report.figures;
        table.add_row([
            report.plan.clone(),
            mapping.to_owned(),
            grouped(report.chips.into()),
            rounded(report.bound.cycles),
            report.bound.resources.first().map_or(String::new(), name),
            figures.cycles_per_image.map_or_else(|| rate(figures), rounded),
            figures.gops_per_watt_nominal.map_or(String::new(), significant),
        ]);
    }
    table.trim_fmt()
}

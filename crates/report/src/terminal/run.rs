//! The report of a run.

use chip::Cause;
use comfy_table::{Cell, Color};

use super::{bound, joules, table};
use crate::energy::total_pj;
use crate::format::{counted, grouped, percent, scaled, significant};
use crate::{LayerReport, Report, fidelity_name};

/// The report of a run: totals, component groups, layers, and what bounds the pace.
pub fn run(report: &Report) -> String {
    [totals(report), components(report), layers(report), bound(&report.bound)].join("\n\n") + "\n"
}

fn totals(report: &Report) -> String {
    let Report { figures, energy_pj: energy, crossbars, .. } = report;
    let images = counted(report.images.into(), "image");
    let capacity = if report.uncontended { ", nothing contended" } else { "" };
    let mut table = table(&[&format!("{} on {}", report.network, report.arch), &report.plan], &[0, 1]);
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    row("simulated", format!("{images}, {} fidelity{capacity}", fidelity_name(report.fidelity)));
    row("cycles", format!("{} ({})", grouped(report.cycles), scaled(1e-9 * report.time_ns, "s")));
    if let (Some(cycles), Some(rate)) = (figures.cycles_per_image, figures.images_per_second) {
        let cycles = grouped(cycles.round() as u64);
        row("steady state", format!("{} images/s, one each {cycles} cycles", significant(rate)));
    }
    row("dynamic energy", joules(energy.dynamic_total));
    row("static energy", joules(energy.static_total));
    row("average power", scaled(1e-3 * figures.average_power_mw, "W"));
    if let Some(predictor) = report.predictor {
        let (energy, time) = (joules(predictor.energy_pj), scaled(1e-9 * predictor.latency_ns, "s"));
        row("predictor", format!("{energy} and {time} before that"));
    }
    row("MACs", grouped(report.macs));
    let dynamic = joules(energy.dynamic_total / report.macs as f64);
    row("energy per MAC", format!("{}, of which {dynamic} dynamic", joules(figures.pj_per_mac)));
    row("throughput", format!("{} GOPS, {} GOPS/W", significant(figures.gops), significant(figures.gops_per_watt)));
    row(
        "crossbars",
        format!(
            "{} of {} hold weights, on {}; one copy of each layer needs {}",
            grouped(crossbars.mapped),
            grouped(crossbars.available),
            counted(report.chips.into(), "chip"),
            grouped(crossbars.needed)
        ),
    );
    row("digest", format!("{:016x}", report.digest));
    table.trim_fmt()
}

fn components(report: &Report) -> String {
    let energy = &report.energy_pj;
    let mut table =
        table(&["component", "counted", "count", "each", "dynamic energy", "share", "static energy"], &[0, 1]);
    for group in &energy.dynamic {
        let of_group = energy.statics.iter().find(|other| other.name == group.name);
        table.add_row([
            group.name.to_owned(),
            group.action.to_owned(),
            grouped(group.actions),
            joules(group.pj_per_action),
            joules(group.pj()),
            percent(group.pj() / energy.dynamic_total),
            of_group.map_or(String::new(), |group| joules(group.pj)),
        ]);
    }
    table.trim_fmt()
}

fn layers(report: &Report) -> String {
    let headings =
        ["layer", "windows", "cropped", "replicas", "starts at", "ends at", "busy", "waits for", "waiting", "energy"];
    let mut table = table(&headings, &[0, 7]);
    let cycle = |cycle: Option<u64>| cycle.map_or("never".to_owned(), grouped);
    for layer in &report.layers {
        let wait = layer.stalls.main_wait();
        table.add_row([
            Cell::new(&layer.name),
            Cell::new(grouped(layer.windows)),
            Cell::new(grouped(layer.windows_cropped)),
            Cell::new(grouped(layer.replicas)),
            Cell::new(cycle(layer.first_cycle)),
            Cell::new(cycle(layer.last_cycle)),
            Cell::new(percent(layer.share(Cause::Computing))).fg(Color::Green),
            Cell::new(wait.map_or("nothing", Cause::name)),
            waiting(layer, wait),
            Cell::new(joules(total_pj(&layer.energy_pj))),
        ]);
    }
    table.trim_fmt()
}

/// The part of its cycles that a layer waits for the main cause.
fn waiting(layer: &LayerReport, cause: Option<Cause>) -> Cell {
    let share = cause.map_or(0.0, |cause| layer.share(cause));
    // What is worth a look.
    let color = if share < 0.1 { Color::Reset } else { Color::Yellow };
    Cell::new(percent(share)).fg(color)
}

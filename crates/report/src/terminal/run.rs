//! Report of a run.

use analysis::total_pj;
use chip::Cause;
use comfy_table::{Cell, Color};

use super::{bound, joules, table};
use crate::format::{counted, grouped, percent, rounded, scaled, significant};
use crate::{Figures, LayerReport, Recurrence, Report, fidelity_name};

/// Returns the report of a run: totals, component groups, layers, and the bound.
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
    if let Some(recurrence) = report.recurrence {
        row("recurrence", recurs(recurrence, report.images));
    }
    row("cycles", format!("{} ({})", grouped(report.cycles), scaled(1e-9 * report.time_ns, "s")));
    row("latency", latency(report));
    row("rate", rate(figures));
    row("dynamic energy", joules(energy.dynamic_total));
    row("static energy", joules(energy.static_total));
    row("average power", figures.average_power_mw.map_or("none".to_owned(), |power| scaled(1e-3 * power, "W")));
    if let Some(predictor) = report.predictor {
        let (energy, time) = (joules(predictor.energy_pj), scaled(1e-9 * predictor.latency_ns, "s"));
        row("predictor", format!("{energy} and {time} before that"));
    }
    row("energy per image", energy_per_image(figures));
    row("MACs", both(Some(report.macs), Some(report.nominal_macs), grouped));
    let dynamic = [figures.dynamic_pj_per_mac_computed, figures.dynamic_pj_per_mac_nominal];
    row("dynamic per MAC", both(dynamic[0], dynamic[1], joules));
    if figures.settled {
        row("energy per MAC", both(figures.pj_per_mac_computed, figures.pj_per_mac_nominal, joules));
        let gops = |gops| format!("{} GOPS", significant(gops));
        row("throughput", both(figures.gops_computed, figures.gops_nominal, gops));
        let efficiency = |gops| format!("{} GOPS/W", significant(gops));
        row("efficiency", both(figures.gops_per_watt_computed, figures.gops_per_watt_nominal, efficiency));
    }
    row(
        "crossbars",
        format!(
            "{} of {} hold weights, on {}; one replica of each layer needs {}",
            grouped(crossbars.mapped),
            grouped(crossbars.available),
            counted(report.chips.into(), "chip"),
            grouped(crossbars.needed)
        ),
    );
    row("digest", format!("{:016x}", report.digest));
    table.trim_fmt()
}

/// Returns from which image on the state recurs, and the images simulated of the `images` of the run.
fn recurs(recurrence: Recurrence, images: u32) -> String {
    let Recurrence { from_image, period_images, period_cycles, images_simulated } = recurrence;
    let period = if period_images == 1 { String::new() } else { format!("{period_images} images, ") };
    format!(
        "the state recurs from image {} on, every {period}{} cycles; {} of {} images simulated",
        grouped(from_image.into()),
        grouped(period_cycles),
        grouped(images_simulated.into()),
        grouped(images.into())
    )
}

/// Returns the latency of an image: alone, under load, or of the first image.
pub(crate) fn latency(report: &Report) -> String {
    let figures = &report.figures;
    let time = |cycles: f64| {
        let seconds = 1e-9 * cycles * report.time_ns / report.cycles as f64;
        format!("{} cycles ({})", rounded(cycles), scaled(seconds, "s"))
    };
    let Some(first) = figures.first_latency_cycles.map(|cycles| time(cycles as f64)) else {
        return "not known: no result depends on the first inputs".to_owned();
    };
    if report.images == 1 {
        return format!("{first}, one image alone");
    }
    match (figures.loaded_latency_cycles, figures.longest_loaded_latency_cycles) {
        (Some(mean), Some(longest)) => {
            format!("{} under load, at most {}; the first image {first}", time(mean), grouped(longest))
        }
        _ => format!("{first} of the first image, with others behind it"),
    }
}

/// Returns the rate of images, or the reason why the run is not settled.
pub(crate) fn rate(figures: &Figures) -> String {
    if let (Some(cycles), Some(rate)) = (figures.cycles_per_image, figures.images_per_second) {
        let error = match figures.cycles_per_image_error {
            Some(error) if error > 0.0 => format!(" ± {}", significant(error)),
            _ => String::new(),
        };
        return format!("{} images/s, one each {}{error} cycles", significant(rate), rounded(cycles));
    }
    let why = figures.unsettled_because.as_deref().unwrap_or_default();
    match figures.images_needed {
        Some(images) => format!("not settled: run at least {} ({why})", counted(images, "image")),
        None => format!("not settled: {why}"),
    }
}

/// Returns the energy of an image.
pub(crate) fn energy_per_image(figures: &Figures) -> String {
    let dynamic = format!("{} dynamic", joules(figures.dynamic_pj_per_image));
    figures.static_pj_per_image.map_or(dynamic.clone(), |pj| format!("{dynamic}, {} static", joules(pj)))
}

/// Returns a figure of computed and of nominal MACs, once if the two are equal.
pub(crate) fn both<T: Copy + PartialEq>(computed: Option<T>, nominal: Option<T>, show: impl Fn(T) -> String) -> String {
    match (computed, nominal) {
        (Some(computed), Some(nominal)) if computed == nominal => show(computed),
        (Some(computed), Some(nominal)) => format!("{} computed, {} nominal", show(computed), show(nominal)),
        (None, Some(nominal)) => format!("none computed, {} nominal", show(nominal)),
        _ => "none".to_owned(),
    }
}

fn components(report: &Report) -> String {
    let mut table =
        table(&["component", "counted", "count", "each", "dynamic energy", "share", "static energy"], &[0, 1])
            .sparing(&[1, 3]);
    for component in report.components() {
        let group = component.dynamic;
        table.add_row([
            group.name.to_owned(),
            group.action.to_owned(),
            grouped(group.actions),
            joules(group.pj_per_action),
            joules(group.pj()),
            percent(component.dynamic_share.unwrap_or(f64::NAN)),
            component.static_pj.map_or(String::new(), joules),
        ]);
    }
    table.trim_fmt()
}

fn layers(report: &Report) -> String {
    let headings =
        ["layer", "windows", "cropped", "replicas", "starts at", "ends at", "busy", "waits for", "waiting", "energy"];
    let is_cropped = report.layers.iter().any(|layer| layer.windows_cropped > 0);
    let spare = if is_cropped { [4, 5, 3, 2] } else { [2, 4, 5, 3] };
    let mut table = table(&headings, &[0, 7]).sparing(&spare);
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

/// Returns the fraction of its IMA-cycles that a layer waits for the main cause.
fn waiting(layer: &LayerReport, cause: Option<Cause>) -> Cell {
    let share = cause.map_or(0.0, |cause| layer.share(cause));
    // Long waits stand out.
    let color = if share < 0.1 { Color::Reset } else { Color::Yellow };
    Cell::new(percent(share)).fg(color)
}

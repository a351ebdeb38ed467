//! Charts of a run.

use analysis::{Analysis, Timeline, total_pj};
use chip::{Cause, Stalls};

use super::Story;
use crate::chart::{self, Area, Bar, Chart, Measured, Part, Row, Series, palette};
use crate::format::{grouped, percent, scaled, significant};
use crate::{LayerReport, Report, floorplan};

/// Returns all charts of a run.
pub(super) fn charts(story: &Story<'_>) -> Vec<Chart> {
    let Story { report, arch, layout, analysis, timeline, .. } = *story;
    let plan = floorplan::Floorplan::new(arch, layout);
    vec![
        by_component(report),
        by_layer(report),
        stalls(analysis),
        pipeline(report, timeline),
        buffers(report, timeline),
        Chart {
            name: "load",
            title: "Load of tiles and mesh",
            text:
                "Tiles by the cycles in which their IMAs compute, mesh links by their flits; grey tiles are not in use."
                    .to_owned(),
            panels: vec![chart::load(&plan, timeline, report.cycles)],
        },
        floorplan::drawn(arch, layout),
    ]
}

pub(crate) fn joules(pj: f64) -> String {
    scaled(1e-12 * pj, "J")
}

/// Energies of a component group, pJ.
#[derive(Clone, Copy, Default)]
pub(crate) struct ComponentEnergy {
    pub(crate) dynamic: f64,
    /// Static energy, 0 if not known.
    pub(crate) statics: f64,
}

/// Returns the bar of some components of a run: dynamic energy, then static.
pub(crate) fn component_bar(series: &Series, run: &str, energies: impl Fn(&str) -> ComponentEnergy, more: &str) -> Bar {
    let (dynamic, statics) = (series.sum(|key| energies(key).dynamic), series.sum(|key| energies(key).statics));
    let tip = |kind: &str, pj: f64| format!("{}{run}, {kind}: {}{more}", series.described(), joules(pj));
    let mut still = series.part(statics, tip("static", statics));
    still.class.push_str(" static");
    let value = match (dynamic > 0.0, statics > 0.0) {
        (true, true) => format!("{} + {} static", joules(dynamic), joules(statics)),
        (false, true) => format!("{} static", joules(statics)),
        _ => joules(dynamic),
    };
    Bar {
        name: format!("{}{run}", series.name),
        parts: vec![series.part(dynamic, tip("dynamic", dynamic)), still],
        value,
    }
}

/// Returns the legend of dynamic and static energy.
pub(crate) fn kinds() -> [(String, String); 2] {
    [("mute".to_owned(), "dynamic".to_owned()), ("mute static".to_owned(), "static (paler)".to_owned())]
}

fn by_component(report: &Report) -> Chart {
    let energies = |key: &str| {
        let component = report.components().find(|component| component.dynamic.name == key);
        component.map_or(ComponentEnergy::default(), |component| ComponentEnergy {
            dynamic: component.dynamic.pj(),
            statics: component.static_pj.unwrap_or(0.0),
        })
    };
    let series = chart::components(|key| energies(key).dynamic + energies(key).statics);
    let bars: Vec<Bar> = (series.iter())
        .map(|series| {
            let group = report.energy_pj.dynamic.iter().find(|group| [group.name.to_owned()] == series.members[..]);
            let counted = group.map_or(String::new(), |group| format!(", {} {}", grouped(group.actions), group.action));
            component_bar(series, "", energies, &counted)
        })
        .collect();
    let whole = [report.energy_pj.dynamic_total, report.energy_pj.static_total].map(joules);
    Chart {
        name: "energy_by_component",
        title: "Energy by component",
        text: format!(
            "Energy of the whole run: {} dynamic and {} static.{}",
            whole[0],
            whole[1],
            chart::folded(&series)
        ),
        panels: chart::bars(&Measured::Energy("energy"), &kinds(), &bars),
    }
}

/// Returns the bar of a layer: dynamic energy by component.
pub(crate) fn layer_bar(series: &[Series], name: String, pj: impl Fn(&str) -> f64) -> Bar {
    let part = |series: &Series| {
        let pj = series.sum(&pj);
        series.part(pj, format!("{name}, {}: {}", series.described(), joules(pj)))
    };
    let parts: Vec<Part> = series.iter().map(part).collect();
    let value = joules(parts.iter().map(|part| part.value).sum());
    Bar { name, parts, value }
}

fn by_layer(report: &Report) -> Chart {
    let of = |groups: &[analysis::GroupEnergy], key: &str| {
        groups.iter().find(|group| group.name == key).map_or(0.0, analysis::GroupEnergy::pj)
    };
    let series = chart::components(|key| of(&report.energy_pj.dynamic, key));
    let bar = |layer: &LayerReport| layer_bar(&series, layer.name.clone(), |key| of(&layer.energy_pj, key));
    let bars: Vec<Bar> = report.layers.iter().map(bar).collect();
    let most = report.layers.iter().max_by(|a, b| total_pj(&a.energy_pj).total_cmp(&total_pj(&b.energy_pj)));
    let most = most.map_or(String::new(), |layer| format!(" {} takes most.", layer.name));
    Chart {
        name: "energy_by_layer",
        title: "Energy by layer",
        text: format!(
            "Dynamic energy of the whole run, by component; static energy belongs to no layer.{most}{}",
            chart::folded(&series)
        ),
        panels: chart::bars(
            &Measured::Energy("dynamic energy"),
            &series.iter().map(Series::entry).collect::<Vec<_>>(),
            &bars,
        ),
    }
}

/// Returns the bar of a layer: its IMA-cycles by cause, as parts of all of them.
pub(crate) fn stall_bar(series: &[Series], name: String, cycles: impl Fn(&str) -> f64) -> Bar {
    let total = series.iter().map(|series| series.sum(&cycles)).sum::<f64>().max(1.0);
    let part = |series: &Series| {
        let share = series.sum(&cycles) / total;
        let tip = format!("{name}, {}: {} of its IMA-cycles", series.described(), percent(share));
        Part { label: percent(share), ..series.part(share, tip) }
    };
    Bar { parts: series.iter().map(part).collect(), value: String::new(), name }
}

fn stalls(analysis: &Analysis) -> Chart {
    let largest = |cause: Cause| analysis.layers.iter().map(|layer| layer.share(cause)).fold(0.0, f64::max);
    let series = chart::causes(largest);
    let bars: Vec<Bar> = (analysis.layers.iter())
        .map(|layer| stall_bar(&series, layer.name.clone(), |key| of_cause(&layer.stalls, key)))
        .collect();
    Chart {
        name: "stalls",
        title: "Where the cycles go",
        text: format!(
            "IMA-cycles of each layer, by cause: every IMA of a layer has one in every cycle of the run.{}",
            chart::folded(&series)
        ),
        panels: chart::bars(
            &Measured::Share("part of the layer's IMA-cycles"),
            &series.iter().map(Series::entry).collect::<Vec<_>>(),
            &bars,
        ),
    }
}

/// Returns the IMA-cycles of the cause with a key of reports.
fn of_cause(stalls: &Stalls, key: &str) -> f64 {
    let cause = Cause::ALL.into_iter().find(|cause| cause.name() == key);
    cause.map_or(0.0, |cause| stalls[cause] as f64)
}

fn pipeline(report: &Report, timeline: &Timeline) -> Chart {
    let bins = timeline.bins(report.cycles);
    let series = chart::causes(|cause| report.layers.iter().map(|layer| layer.share(cause)).fold(0.0, f64::max));
    let row = |(layer, row): (&LayerReport, &Vec<Stalls>)| {
        let area = |series: &Series| {
            let height = |stalls: &Stalls| series.sum(|key| of_cause(stalls, key)) / (stalls.total().max(1) as f64);
            let share = series.sum(|key| of_cause(&layer.stalls, key)) / layer.stalls.total().max(1) as f64;
            let tip = format!("{}, {}: {} of its IMA-cycles", layer.name, series.described(), percent(share));
            Area { class: series.class.clone(), heights: row[..bins].iter().map(height).collect(), tip }
        };
        let value = percent(layer.share(Cause::Computing));
        Row { name: layer.name.clone(), areas: series.iter().map(area).collect(), value }
    };
    let rows: Vec<Row> = report.layers.iter().zip(&timeline.stalls).map(row).collect();
    let entries: Vec<_> = series.iter().map(Series::entry).collect();
    Chart {
        name: "pipeline",
        title: "The pipeline over time",
        text: format!(
            "IMA-cycles of each layer over time, by cause, in steps of {} cycles: a row of full height is all IMAs of the \
             layer. At the right, the part of the whole run in which they compute.",
            grouped(timeline.bin_cycles)
        ),
        panels: chart::over_time(&entries, &rows, "computing", report.cycles, timeline.bin_cycles),
    }
}

fn buffers(report: &Report, timeline: &Timeline) -> Chart {
    let bins = timeline.bins(report.cycles);
    let row = |(layer, fill): (&LayerReport, &Vec<u64>)| {
        let most = fill.iter().copied().max().unwrap_or(0);
        let value = if most > 0 { bytes(most) } else { String::new() };
        let area = Area {
            class: palette::component("edram_buffer"),
            heights: fill[..bins].iter().map(|&bytes| bytes as f64 / most.max(1) as f64).collect(),
            tip: format!("inputs of {}: up to {value}", layer.name),
        };
        Row { name: layer.name.clone(), areas: vec![area], value }
    };
    let rows: Vec<Row> = report.layers.iter().zip(&timeline.fill).map(row).collect();
    Chart {
        name: "buffer_fill",
        title: "Buffers over time",
        text: "Inputs of each layer in the eDRAM buffers of its tiles that some window still needs. A row of full height is \
               the layer's own most, at the right."
            .to_owned(),
        panels: chart::over_time(&[], &rows, "most", report.cycles, timeline.bin_cycles),
    }
}

fn bytes(number: u64) -> String {
    let number = number as f64;
    if number < 1024.0 { format!("{number} B") } else { format!("{} KB", significant(number / 1024.0)) }
}

//! HTML page of a run, and its charts as pictures.
//!
//! The page is one file: styles, script and charts are part of it, so that it can be sent and archived. Charts show
//! energy by component and layer, stalls, activity and buffer fills over time, and the load of tiles and mesh links.
//! [`plots`] returns the same charts, and the floorplan, as SVG files.

use std::collections::BTreeSet;

use analysis::{Analysis, Bound, Timeline};
use arch::Arch;
use chip::Cause;
use components::MeshGeometry;
use index::count;
use mapper::Layout;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::{self, Part, Place, STYLE};
use crate::format::{counted, grouped, percent, rounded, scaled, significant};
use crate::terminal::{both, energy_per_image, latency, rate};
use crate::{Report, floorplan, places, terminal};

/// Contents of a page.
#[derive(Clone, Copy)]
pub struct Story<'a> {
    /// Report of the run.
    pub report: &'a Report,
    /// Machine.
    pub arch: &'a Arch,
    /// Mapping of the network to the machine, laid out.
    pub layout: &'a Layout,
    /// Stall analysis of the run.
    pub analysis: &'a Analysis,
    /// Activity over time.
    pub timeline: &'a Timeline,
    /// Command that made the page.
    pub command: &'a str,
}

const PAGE_STYLE: &str = "\
body{margin:0 auto;max-width:1040px;padding:24px;background:var(--paper);color:var(--ink);\
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:1.8em 0 .5em}\
p{margin:.3em 0;color:var(--mute)}svg{width:100%;height:auto;display:block}\
table{border-collapse:collapse;font-size:13px;width:100%}td,th{padding:3px 8px;text-align:right;\
border-bottom:1px solid var(--line)}td:first-child,th:first-child,.bound :last-child{text-align:left}\
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:8px;margin:16px 0}\
dt{font-size:12px;color:var(--mute)}dd{margin:0;font-size:1.15em;font-weight:600}\
pre{overflow:auto;font-size:12px;background:var(--empty);padding:12px;border-radius:6px;white-space:pre-wrap}\
.machine{columns:2 300px}.scroll{overflow-x:auto}.mark:hover{stroke:var(--ink)}\
#tip{position:fixed;display:none;pointer-events:none;background:var(--ink);color:var(--paper);padding:4px 8px;\
border-radius:4px;font-size:12px;max-width:320px}\
@page{size:A4;margin:14mm}@media print{body{max-width:none;padding:0}section{break-inside:avoid}\
h2,h2+p{break-after:avoid}pre{max-height:none}#tip{display:none!important}}";

/// Shows the title of the mark under the pointer without delay.
const SCRIPT: &str = "\
const tip=document.getElementById('tip');\
addEventListener('pointermove',e=>{const t=e.target.closest&&e.target.closest('.mark');\
if(!t){tip.style.display='none';return}\
tip.textContent=t.querySelector('title').textContent;tip.style.display='block';\
tip.style.left=Math.min(e.clientX+14,innerWidth-tip.offsetWidth-8)+'px';tip.style.top=e.clientY+16+'px'});";

/// Returns the page as HTML.
pub fn page(story: &Story<'_>) -> String {
    let Story { report, arch, .. } = *story;
    let title = format!("{} on {}", report.network, report.arch);
    let body = html! {
        h1 { (title) }
        p { (report.plan) " · " (counted(report.images.into(), "image")) }
        (totals(report))
        section { h2 { "What bounds the pace" } (bound(&report.bound)) }
        @for (_, title, text, chart) in charts(story) {
            section { h2 { (title) } p { (text) } (chart) }
        }
        section { h2 { "Who waits for whom" } pre { (terminal::chain(story.analysis)) } }
        section { h2 { "Mapping" } (mapping(story)) }
        section { h2 { "Command" } pre { (story.command) } }
        h2 { "Machine" }
        pre.machine { (arch::to_toml(arch)) }
    };
    document(&title, &body)
}

/// Returns a page that needs no other file.
pub(crate) fn document(title: &str, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(PAGE_STYLE)) }
            }
            body {
                (body)
                div #tip {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

/// Returns the charts of the page and the floorplan as SVG: file name and contents.
pub fn plots(story: &Story<'_>) -> Vec<(String, String)> {
    let charts = charts(story).into_iter().map(|(name, _, _, chart)| (format!("{name}.svg"), chart::alone(&chart)));
    charts.chain([("floorplan.svg".to_owned(), floorplan::svg(story.arch, story.layout))]).collect()
}

fn charts(story: &Story<'_>) -> Vec<(&'static str, &'static str, &'static str, Markup)> {
    vec![
        ("energy_by_component", "Energy by component", "Dynamic energy of the whole run.", by_component(story.report)),
        ("energy_by_layer", "Energy by layer", "Dynamic energy, by component.", by_layer(story.report)),
        (
            "stalls",
            "Where the cycles go",
            "IMA-cycles of each layer, by cause: every IMA of a layer has one in every cycle of the run.",
            stalls(story.analysis),
        ),
        (
            "pipeline",
            "The pipeline over time",
            "The darker, the more of a layer's IMAs have their crossbars read.",
            pipeline(story),
        ),
        (
            "buffer_fill",
            "Buffers over time",
            "Inputs of each layer in the eDRAM buffers of its tiles that some window still needs; each row against its own most.",
            buffers(story),
        ),
        (
            "load",
            "Load of tiles and mesh",
            "Tiles by the cycles in which their IMAs compute, mesh links by their flits; grey tiles are not in use.",
            load(story),
        ),
    ]
}

fn totals(report: &Report) -> Markup {
    let Report { figures, .. } = report;
    let gops = |gops| format!("{} GOPS", significant(gops));
    let efficiency = |gops| format!("{} GOPS/W", significant(gops));
    let settled = [
        ("throughput", both(figures.gops_computed, figures.gops_nominal, gops)),
        ("efficiency", both(figures.gops_per_watt_computed, figures.gops_per_watt_nominal, efficiency)),
    ];
    let settled = settled.into_iter().filter(|_| figures.settled);
    let all = [
        ("cycles", grouped(report.cycles)),
        ("time", scaled(1e-9 * report.time_ns, "s")),
        ("dynamic energy", scaled(1e-12 * report.energy_pj.dynamic_total, "J")),
        ("static energy", scaled(1e-12 * report.energy_pj.static_total, "J")),
        ("latency", latency(report)),
        ("rate", rate(figures)),
        ("energy per image", energy_per_image(figures)),
        ("IMAs in use", format!("{} of {}", grouped(report.imas.mapped), grouped(report.imas.available))),
    ];
    html! { dl { @for (name, value) in all.into_iter().chain(settled) { div { dt { (name) } dd { (value) } } } } }
}

fn joules(pj: f64) -> String {
    scaled(1e-12 * pj, "J")
}

fn by_component(report: &Report) -> Markup {
    let rows: Vec<_> = (report.energy_pj.dynamic.iter())
        .map(|group| {
            let share = percent(group.pj() / report.energy_pj.dynamic_total);
            let tip = format!(
                "{}: {} ({share}), {} {}",
                group.name,
                joules(group.pj()),
                grouped(group.actions),
                group.action
            );
            (group.name.replace('_', " "), vec![Part { series: 5, value: group.pj(), tip }])
        })
        .collect();
    chart::stacked_bars("Energy by component", &[], &rows)
}

fn by_layer(report: &Report) -> Markup {
    let groups = report.energy_pj.dynamic.iter().enumerate();
    let series: Vec<(usize, String)> = groups.map(|(series, group)| (series, group.name.replace('_', " "))).collect();
    let rows: Vec<_> = (report.layers.iter())
        .map(|layer| {
            let part = |(series, group): (usize, &analysis::GroupEnergy)| Part {
                series,
                value: group.pj(),
                tip: format!("{}, {}: {}", layer.name, group.name, joules(group.pj())),
            };
            (layer.name.clone(), layer.energy_pj.iter().enumerate().map(part).collect())
        })
        .collect();
    chart::stacked_bars("Energy by layer", &series, &rows)
}

fn stalls(analysis: &Analysis) -> Markup {
    let series: Vec<(usize, String)> =
        Cause::ALL.iter().map(|&cause| (cause_colour(cause), cause.name().replace('_', " "))).collect();
    let rows: Vec<_> = (analysis.layers.iter())
        .map(|layer| {
            let part = |&cause: &Cause| {
                let (share, cycles) = (layer.share(cause), grouped(layer.stalls[cause]));
                let tip = format!("{}, {}: {} ({cycles} IMA-cycles)", layer.name, cause.name(), percent(share));
                Part { series: cause_colour(cause), value: share, tip }
            };
            (layer.name.clone(), Cause::ALL.iter().map(part).collect())
        })
        .collect();
    chart::stacked_bars("Where the cycles go", &series, &rows)
}

/// Returns the colour number of a cause; `filling` and `finished` are grey.
pub(crate) fn cause_colour(cause: Cause) -> usize {
    match cause {
        Cause::Filling => 6,
        Cause::Finished => 7,
        cause if (cause as usize) < 6 => cause as usize,
        cause => cause as usize + 2,
    }
}

fn names(story: &Story<'_>) -> Vec<String> {
    story.report.layers.iter().map(|layer| layer.name.clone()).collect()
}

fn pipeline(story: &Story<'_>) -> Markup {
    let Story { report, timeline, .. } = *story;
    let bins = timeline.bins(report.cycles);
    let values: Vec<Vec<f64>> = (timeline.computing.iter().zip(&report.layers))
        .map(|(row, layer)| {
            let most = (layer.imas * timeline.bin_cycles).max(1) as f64;
            row[..bins].iter().map(|&cycles| cycles as f64 / most).collect()
        })
        .collect();
    chart::over_time("The pipeline over time", &names(story), &values, timeline.bin_cycles, |layer, bin| {
        let from = (count(bin) * timeline.bin_cycles).max(1);
        let to = ((count(bin) + 1) * timeline.bin_cycles - 1).min(report.cycles);
        let busy = percent(values[layer][bin]);
        format!("{}, cycles {} to {}: {busy} computing", report.layers[layer].name, grouped(from), grouped(to))
    })
}

fn buffers(story: &Story<'_>) -> Markup {
    let Story { report, timeline, .. } = *story;
    let bins = timeline.bins(report.cycles);
    let values: Vec<Vec<f64>> = (timeline.fill.iter())
        .map(|row| {
            let most = row.iter().copied().max().unwrap_or(0).max(1) as f64;
            row[..bins].iter().map(|&bytes| bytes as f64 / most).collect()
        })
        .collect();
    chart::over_time("Buffers over time", &names(story), &values, timeline.bin_cycles, |layer, bin| {
        let bytes = grouped(timeline.fill[layer][bin]);
        let from = (count(bin) * timeline.bin_cycles).max(1);
        format!("inputs of {}, from cycle {}: up to {bytes} bytes", report.layers[layer].name, grouped(from))
    })
}

fn load(story: &Story<'_>) -> Markup {
    let Story { report, arch, timeline, .. } = *story;
    let geometry = MeshGeometry::new(arch);
    let per_chip = arch.tiles_per_chip();
    let mut chips: BTreeSet<u32> = timeline.tiles.keys().map(|tile| tile / per_chip).collect();
    chips.extend(timeline.links.keys().map(|link| link.0));
    let (columns, rows) = (arch.router.tile_columns, arch.router.tile_rows);
    let size = (f64::from(arch.chip.tile_columns) + 1.0, f64::from(arch.chip.tile_rows) + 1.0);
    let origin = |chip: u32| {
        let (column, row) = geometry.chip_at(chip);
        (f64::from(column) * size.0, f64::from(row) * size.1)
    };
    let most_flits = timeline.links.values().copied().max().unwrap_or(1).max(1) as f64;
    let mut places = Vec::new();
    for &chip in &chips {
        let (x, y) = origin(chip);
        for tile in 0..per_chip {
            let (column, row) = geometry.router_of(tile);
            let inside = tile % (columns * rows);
            let at = (column * columns + inside % columns, row * rows + inside / columns);
            let busy = timeline.tiles.get(&(chip * per_chip + tile)).copied();
            let most = (u64::from(arch.tile.imas) * report.cycles) as f64;
            let load = busy.map_or(-1.0, |busy| busy as f64 / most);
            let name = format!("chip {chip}, tile {tile}");
            let tip =
                busy.map_or_else(|| format!("{name}: not in use"), |_| format!("{name}: {} computing", percent(load)));
            places.push(Place { from: (x + f64::from(at.0), y + f64::from(at.1)), to: None, load, tip });
        }
    }
    for (&(chip, column, row, direction), &flits) in &timeline.links {
        let (x, y) = origin(chip);
        // Centre of a router's tiles. The two directions of a link are drawn side by side.
        let middle = |column: f64, row: f64| {
            (x + (column + 0.5) * f64::from(columns) - 0.06, y + (row + 0.5) * f64::from(rows) - 0.06)
        };
        let (step_x, step_y) = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)][direction as usize];
        let (from, to) = (
            middle(f64::from(column), f64::from(row)),
            middle(f64::from(column) + 0.9 * step_x, f64::from(row) + 0.9 * step_y),
        );
        let aside = |(x, y): (f64, f64)| (x - 0.12 * step_y, y + 0.12 * step_x);
        let tip =
            format!("chip {chip}, router ({column}, {row}) to the {}: {} flits", direction.name(), grouped(flits));
        places.push(Place { from: aside(from), to: Some(aside(to)), load: flits as f64 / most_flits, tip });
    }
    let extent = chips
        .iter()
        .map(|&chip| origin(chip))
        .fold((0.0, 0.0), |most: (f64, f64), at| (most.0.max(at.0 + size.0), most.1.max(at.1 + size.1)));
    chart::map("Load of tiles and mesh", extent, &places)
}

fn bound(bound: &Bound) -> Markup {
    html! {
        p {
            "In the long run no image follows the one before in fewer than " (rounded(bound.cycles))
            " cycles: so long an image needs the busiest of what units share, or of their crossbars."
            @if bound.is_of_placement() { " " (terminal::PLACEMENT_BINDS) }
        }
        div.scroll { table.bound {
            tr { th { "an image needs" } th { "cycles" } th { "of bound" } th { "by layer" } }
            @for resource in bound.ranked() {
                tr {
                    td { (terminal::name(resource)) } td { (rounded(resource.cycles)) }
                    td { (percent(resource.cycles / bound.cycles)) } td { (terminal::layers(resource)) }
                }
            }
        } }
    }
}

fn mapping(story: &Story<'_>) -> Markup {
    html! {
        div.scroll { table {
            tr { @for heading in ["layer", "replicas", "crossbars each", "IMA shape", "IMAs", "tiles", "chips", "buffer", "cells used"] { th { (heading) } } }
            @for place in places(story.arch, story.layout) {
                tr {
                    td { (place.name) } td { (grouped(place.replicas)) } td { (grouped(place.crossbars)) }
                    td { (place.ima_rows) " × " (place.ima_cols) } td { (grouped(place.imas)) } td { (grouped(place.tiles)) }
                    td { (grouped(place.chips)) } td { (grouped(place.buffer_bytes)) " B" } td { (percent(place.utilisation)) }
                }
            }
        } }
    }
}

//! HTML page of a run, and its charts as pictures.
//!
//! The page is one file: styles, script and charts are part of it, so that it can be sent and archived. Charts show
//! energy by component and layer, stalls as a whole and over time, buffer fills, the load of tiles and mesh links, and
//! the floorplan. [`plots`] returns the same charts as SVG files.

pub(crate) mod charts;
#[cfg(test)]
mod tests;

use analysis::{Analysis, Bound, Measure, Timeline, WhatIf};
use arch::Arch;
use mapper::Layout;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::charts::charts;
use crate::chart::{Chart, palette};
use crate::format::{counted, grouped, percent, rounded, scaled, significant};
use crate::terminal::{both, energy_per_image, latency, rate};
use crate::{Report, places, terminal};

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
    /// Changes that were tried, and the quantity compared.
    pub what_ifs: Option<(Measure, &'a [WhatIf])>,
    /// Command that made the page.
    pub command: &'a str,
}

const PAGE_STYLE: &str = "\
body{margin:0 auto;max-width:900px;padding:24px;background:var(--paper);color:var(--ink);\
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:1.8em 0 .5em}\
p{margin:.3em 0;color:var(--mute)}svg{width:100%;height:auto;display:block}\
table{border-collapse:collapse;font-size:13px;width:100%}td,th{padding:3px 8px;text-align:right;\
border-bottom:1px solid var(--line)}td:first-child,th:first-child,.bound :last-child,.words :nth-child(2){text-align:left}\
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:8px;margin:16px 0}\
dt{font-size:12px;color:var(--mute)}dd{margin:0;font-size:1.15em;font-weight:600}\
pre{overflow:auto;font-size:12px;background:var(--empty);padding:12px;border-radius:6px;white-space:pre-wrap}\
.machine{columns:2 300px}.scroll{overflow-x:auto}.mark{vector-effect:non-scaling-stroke}.mark:hover{stroke:var(--ink)}\
#tip{position:fixed;display:none;pointer-events:none;background:var(--ink);color:var(--paper);padding:4px 8px;\
border-radius:4px;font-size:12px;max-width:320px}\
@page{size:A4;margin:14mm}@media print{body{max-width:none;padding:0}svg,tr,.keep{break-inside:avoid}\
h2,h2+p{break-after:avoid}pre{max-height:none}#tip{display:none!important}}";

/// Shows the title of the mark under the pointer without delay, and the cycle if the chart has an axis of time.
const SCRIPT: &str = "\
const tip=document.getElementById('tip');\
addEventListener('pointermove',e=>{const t=e.target.closest&&e.target.closest('.mark');\
if(!t){tip.style.display='none';return}\
let text=t.querySelector('title').textContent;const s=t.ownerSVGElement;\
if(s.dataset.over){const [left,width,cycles]=s.dataset.over.split(' ').map(Number),b=s.getBoundingClientRect();\
const x=(e.clientX-b.left)/b.width*s.viewBox.baseVal.width;\
text+='; here cycle '+Math.round((x-left)/width*cycles).toLocaleString('en')}\
tip.textContent=text;tip.style.display='block';\
tip.style.left=Math.min(e.clientX+14,innerWidth-tip.offsetWidth-8)+'px';tip.style.top=e.clientY+16+'px'});";

/// Returns the page as HTML.
pub fn page(story: &Story<'_>) -> String {
    let Story { report, arch, .. } = *story;
    let title = format!("{} on {}", report.network, report.arch);
    let body = html! {
        h1 { (title) }
        p { (report.plan) " · " (counted(report.images.into(), "image")) }
        (totals(report))
        section.keep { h2 { "What bounds the pace" } (bound(&report.bound)) }
        @for chart in charts(story) { (chart.section()) }
        section { h2 { "Who waits for whom" } pre { (terminal::chain(story.analysis)) } }
        @if let Some((measure, tried)) = story.what_ifs { section { h2 { "What would help" } (what_ifs(story.analysis, measure, tried)) } }
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
                style { (PreEscaped(palette::of_page())) (PreEscaped(PAGE_STYLE)) }
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

/// Returns the charts of the page as SVG: file name and contents.
pub fn plots(story: &Story<'_>) -> Vec<(String, String)> {
    charts(story).iter().flat_map(Chart::pictures).collect()
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
        ("digest", format!("{:016x}", report.digest)),
        ("version", format!("{} {}", report.tool.name, report.tool.version)),
    ];
    html! { dl { @for (name, value) in all.into_iter().chain(settled) { div { dt { (name) } dd { (value) } } } } }
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

fn what_ifs(analysis: &Analysis, measure: Measure, tried: &[WhatIf]) -> Markup {
    let rows = terminal::what_if_rows(analysis, measure, tried);
    html! {
        p { (terminal::what_if_heading(analysis, measure, tried)) }
        @if !rows.is_empty() {
            div.scroll { table.words {
                tr { @for heading in terminal::what_if_columns(measure) { th { (heading) } } }
                @for row in rows { tr { @for cell in row { td { (cell) } } } }
            } }
            @for why in terminal::what_ifs_not_run(analysis, tried) { p { (why) } }
        }
    }
}

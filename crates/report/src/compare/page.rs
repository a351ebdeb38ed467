//! Page of a comparison: the tables, and energies and stalls of the runs side by side.

use maud::{Markup, html};
use serde_json::Value;

use super::{Comparison, Setting, Subject, Table};
use crate::chart::{self, Bar, Chart, Measured, Series};
use crate::page::charts::{ComponentEnergy, component_bar, kinds, layer_bar, stall_bar};
use crate::page::document;
use crate::terminal::{cells, headings, letter, remarks, stated};

impl Comparison {
    /// Returns the page as HTML. `command` is the command that made it.
    pub fn to_html(&self, command: &str) -> String {
        let letters: Vec<String> = (0..self.subjects.len()).map(letter).collect();
        let names: Vec<&str> = self.subjects.iter().map(|subject| subject.name.as_str()).collect();
        let title = names.join(" / ");
        let body = html! {
            h1 { (title) }
            @for (letter, subject) in letters.iter().zip(&self.subjects) {
                p { b { (letter) } " " (subject.name) ": " (subject.scope) }
            }
            @for remark in remarks(self) { p { (remark) } }
            @for (title, settings) in [("Machines", &self.machine), ("Runs", &self.settings)] {
                @if !settings.is_empty() { section { h2 { (title) } (differences(settings, &letters)) } }
            }
            @for chart in charts(&self.runs) { (chart.section()) }
            @for table in &self.tables { section { h2 { (table.title) } (figures(table, &letters)) } }
            section { h2 { "Command" } pre { (command) } }
        };
        document(&title, &body)
    }
}

fn differences(settings: &[Setting], letters: &[String]) -> Markup {
    html! {
        div.scroll { table {
            tr { th { "key" } @for letter in letters { th { (letter) } } }
            @for Setting { key, values } in settings {
                tr { td { (key) } @for value in values { td { (stated(value)) } } }
            }
        } }
    }
}

fn figures(table: &Table, letters: &[String]) -> Markup {
    html! {
        div.scroll { table {
            tr { @for (index, heading) in headings(table, letters).iter().enumerate() { th { @if index > 0 { (heading) } } } }
            @for row in &table.rows {
                tr { td { (row.name) } @for cell in cells(row) { td { (cell) } } }
            }
        } }
    }
}

/// Returns the charts of runs side by side.
fn charts(runs: &[Subject]) -> Vec<Chart> {
    let legend = |series: &[Series]| series.iter().map(Series::entry).collect::<Vec<_>>();
    if runs.is_empty() {
        return Vec::new();
    }
    let components =
        chart::components(|key| total(runs, |run| energies(run, key).dynamic + energies(run, key).statics));
    let dynamic = chart::components(|key| total(runs, |run| energies(run, key).dynamic));
    let layers = runs.iter().flat_map(Subject::layers);
    let shares: Vec<&Value> = layers.map(|layer| &layer["stalls"]).collect();
    let causes = chart::causes(|cause| {
        shares.iter().map(|stalls| cycles(stalls, cause.name()) / sum(stalls).max(1.0)).fold(0.0, f64::max)
    });
    vec![
        Chart {
            name: "energy_by_component",
            title: "Energy by component, side by side",
            text: format!("Energy of an image. Static energy is that of a settled run.{}", chart::folded(&components)),
            panels: chart::bars(&Measured::Energy("energy of an image"), &kinds(), &by_component(runs, &components)),
        },
        Chart {
            name: "energy_by_layer",
            title: "Energy by layer, side by side",
            text: format!("Dynamic energy of an image, by component.{}", chart::folded(&dynamic)),
            panels: chart::bars(
                &Measured::Energy("dynamic energy of an image"),
                &legend(&dynamic),
                &by_layer(runs, &dynamic),
            ),
        },
        Chart {
            name: "stalls",
            title: "Where the cycles go, side by side",
            text: format!("IMA-cycles of each layer, by cause.{}", chart::folded(&causes)),
            panels: chart::bars(
                &Measured::Share("part of the layer's IMA-cycles"),
                &legend(&causes),
                &by_cause(runs, &causes),
            ),
        },
    ]
}

fn total(runs: &[Subject], figure: impl Fn(&Subject) -> f64) -> f64 {
    runs.iter().map(figure).sum()
}

/// Returns the energies of a component group for an image.
fn energies(run: &Subject, key: &str) -> ComponentEnergy {
    let energy = &run.report["energy_pj"];
    let of = |kind: &str| energy[kind][key].as_f64().unwrap_or(0.0);
    let whole = energy["static_total"].as_f64().filter(|pj| *pj > 0.0);
    let of_image = run.number("/figures/static_pj_per_image").zip(whole);
    ComponentEnergy {
        dynamic: run.number("/images").map_or(0.0, |images| of("dynamic") / images),
        statics: of_image.map_or(0.0, |(pj, whole)| of("static") * pj / whole),
    }
}

fn cycles(stalls: &Value, key: &str) -> f64 {
    stalls[key].as_f64().unwrap_or(0.0)
}

fn sum(stalls: &Value) -> f64 {
    stalls.as_object().into_iter().flatten().filter_map(|(_, cycles)| cycles.as_f64()).sum()
}

/// Returns the letter of each run, as the end of the names of its bars.
fn ends(runs: &[Subject]) -> impl Iterator<Item = (String, &Subject)> {
    runs.iter().enumerate().map(|(index, run)| (format!(" {}", letter(index)), run))
}

fn by_component(runs: &[Subject], components: &[Series]) -> Vec<Bar> {
    let bars = |series: &Series| {
        let bar = |(end, run): (String, &Subject)| {
            component_bar(series, &end, |key| energies(run, key), &format!(" ({})", run.name))
        };
        ends(runs).map(bar).collect::<Vec<_>>()
    };
    components.iter().flat_map(bars).collect()
}

/// Returns the bars of each layer of the first run, as `bar` makes them from the name and the layer.
fn of_layers(runs: &[Subject], bar: impl Fn(String, &Subject, &Value) -> Bar) -> Vec<Bar> {
    let names = runs[0].layers().filter_map(|layer| layer["name"].as_str());
    let mut bars = Vec::new();
    for name in names {
        for (end, run) in ends(runs) {
            bars.push(bar(format!("{name}{end}"), run, super::layer(run, name).unwrap_or(&Value::Null)));
        }
    }
    bars
}

fn by_layer(runs: &[Subject], components: &[Series]) -> Vec<Bar> {
    of_layers(runs, |name, run, layer| {
        let images = run.number("/images").unwrap_or(1.0);
        layer_bar(components, name, |key| layer["energy_pj"][key].as_f64().unwrap_or(0.0) / images)
    })
}

fn by_cause(runs: &[Subject], causes: &[Series]) -> Vec<Bar> {
    of_layers(runs, |name, _, layer| stall_bar(causes, name, |key| cycles(&layer["stalls"], key)))
}

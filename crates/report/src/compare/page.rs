//! Page of a comparison: the tables, and energies and stalls of the runs side by side.

use maud::{Markup, html};
use serde_json::Value;

use super::{Comparison, Setting, Subject, Table};
use crate::chart::{self, Part};
use crate::format::{percent, scaled};
use crate::page::{cause_colour, document};
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
            @if !self.runs.is_empty() {
                section { h2 { "Energy by component, side by side" } p { "Dynamic energy of an image." } (by_component(&self.runs)) }
                section { h2 { "Energy by layer, side by side" } p { "Dynamic energy of an image, by component." } (by_layer(&self.runs)) }
                section { h2 { "Where the cycles go, side by side" } p { "IMA-cycles of each layer, by cause." } (stalls(&self.runs)) }
            }
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

fn joules(pj: f64) -> String {
    scaled(1e-12 * pj, "J")
}

/// Returns entries of an object, with their numbers.
fn numbers(value: &Value) -> impl Iterator<Item = (&str, f64)> {
    value.as_object().into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_f64()?)))
}

/// Returns the bars of all runs, in the order of `names`, each marked with the letter of its run.
fn side_by_side(
    runs: &[Subject],
    names: &[String],
    parts: impl Fn(&Subject, &str) -> Vec<Part>,
) -> Vec<(String, Vec<Part>)> {
    let rows = names.iter().flat_map(|name| {
        let parts = &parts;
        runs.iter().enumerate().map(move |(index, run)| (format!("{name} {}", letter(index)), parts(run, name)))
    });
    rows.collect()
}

/// Returns the names of the components of the first run that has any.
fn components(runs: &[Subject]) -> Vec<String> {
    let of = |run: &Subject| numbers(&run.report["energy_pj"]["dynamic"]).map(|(name, _)| name.to_owned()).collect();
    runs.iter().map(of).find(|names: &Vec<String>| !names.is_empty()).unwrap_or_default()
}

fn layers(runs: &[Subject]) -> Vec<String> {
    let names = runs[0].layers().filter_map(|layer| Some(layer["name"].as_str()?.to_owned()));
    names.collect()
}

fn by_component(runs: &[Subject]) -> Markup {
    let rows = side_by_side(runs, &components(runs), |run, name| {
        let pj = run.report["energy_pj"]["dynamic"].get(name).and_then(Value::as_f64);
        let value = pj.zip(run.number("/images")).map_or(0.0, |(pj, images)| pj / images);
        vec![Part { series: 5, value, tip: format!("{name}, {}: {}", run.name, joules(value)) }]
    });
    chart::stacked_bars("Energy by component", &[], &rows)
}

fn by_layer(runs: &[Subject]) -> Markup {
    let components = components(runs);
    let series: Vec<(usize, String)> = components.iter().map(|name| name.replace('_', " ")).enumerate().collect();
    let rows = side_by_side(runs, &layers(runs), |run, name| {
        let (Some(layer), Some(images)) = (super::layer(run, name), run.number("/images")) else { return Vec::new() };
        let part = |(component, pj): (&str, f64)| Part {
            series: components.iter().position(|name| name == component).unwrap_or(components.len()),
            value: pj / images,
            tip: format!("{name}, {}, {component}: {}", run.name, joules(pj / images)),
        };
        numbers(&layer["energy_pj"]).map(part).collect()
    });
    chart::stacked_bars("Energy by layer", &series, &rows)
}

fn stalls(runs: &[Subject]) -> Markup {
    let causes = || chip::Cause::ALL.into_iter();
    let series: Vec<(usize, String)> =
        causes().map(|cause| (cause_colour(cause), cause.name().replace('_', " "))).collect();
    let rows = side_by_side(runs, &layers(runs), |run, name| {
        let Some(layer) = super::layer(run, name) else { return Vec::new() };
        let total: f64 = numbers(&layer["stalls"]).map(|(_, cycles)| cycles).sum();
        let part = |cause: chip::Cause| {
            let value = layer["stalls"][cause.name()].as_f64().map_or(0.0, |cycles| cycles / total.max(1.0));
            let tip = format!("{name}, {}, {}: {}", run.name, cause.name(), percent(value));
            Part { series: cause_colour(cause), value, tip }
        };
        causes().map(part).collect()
    });
    chart::stacked_bars("Where the cycles go", &series, &rows)
}

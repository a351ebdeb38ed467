//! Comparison of runs and of sweeps.

use serde_json::Value;

use super::table::{Table as Grid, table};
use super::{joules, paragraph};
use crate::compare::{Comparison, NOT_SETTLED, Row, Setting, Table, Unit};
use crate::format::{rounded, scaled, significant};

/// Returns the subjects, what differs between them, and their figures side by side. Subjects are called by letters.
pub fn comparison(comparison: &Comparison) -> String {
    let letters: Vec<String> = (0..comparison.subjects.len()).map(letter).collect();
    let mut parts = vec![subjects(comparison, &letters)];
    for (title, settings) in [("machine", &comparison.machine), ("run", &comparison.settings)] {
        if !settings.is_empty() {
            parts.push(differences(title, settings, &letters));
        }
    }
    parts.extend(comparison.tables.iter().map(|table| figures(table, &letters)));
    parts.join("\n\n") + "\n"
}

/// Returns the letter of a subject: A, B, ..., Z, A1, B1, ...
pub(crate) fn letter(index: usize) -> String {
    let letter = ('A'..='Z').cycle().nth(index % 26).expect("the alphabet does not end");
    if index < 26 { letter.to_string() } else { format!("{letter}{}", index / 26) }
}

fn subjects(comparison: &Comparison, letters: &[String]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (subject, letter) in comparison.subjects.iter().zip(letters) {
        lines.push(format!("{letter}  {}: {}", subject.name, subject.scope));
    }
    lines.extend(remarks(comparison));
    paragraph(&lines.join("\n"))
}

/// Returns what the differences do not say: that there are none, and machines that are not known.
pub(crate) fn remarks(comparison: &Comparison) -> Vec<String> {
    let mut remarks = Vec::new();
    let unknown = comparison.subjects.iter().enumerate().filter(|(_, subject)| !subject.machine_is_known);
    for (index, _) in unknown {
        let letter = letter(index);
        remarks.push(format!("The report of {letter} does not state its machine: write it anew with this version."));
    }
    let are_known = comparison.runs.iter().all(|run| run.areas.is_some());
    if !comparison.runs.is_empty() && are_known && comparison.machine.is_empty() {
        remarks.push("The machines are the same.".to_owned());
    }
    remarks
}

fn differences(title: &str, settings: &[Setting], letters: &[String]) -> String {
    let headings: Vec<String> = [title.to_owned()].into_iter().chain(letters.iter().cloned()).collect();
    let cells = |of: &Setting| [of.key.clone()].into_iter().chain(of.values.iter().map(stated)).collect();
    folded(&headings, &settings.iter().map(cells).collect::<Vec<_>>(), 1, |headings| {
        table(headings, &(0..headings.len()).collect::<Vec<_>>())
    })
}

/// Returns a table of all subjects, or as few as fit into the terminal, one below the other: each has the first subject
/// and some of the others, which have `each` columns.
fn folded(headings: &[String], rows: &[Vec<String>], each: usize, empty: impl Fn(&[&str]) -> Grid) -> String {
    let columns: Vec<usize> = (2..headings.len()).collect();
    let others = columns.len() / each;
    let part = |others: &[usize]| {
        let columns = || [0, 1].iter().chain(others);
        let mut table = empty(&columns().map(|&column| headings[column].as_str()).collect::<Vec<_>>());
        for row in rows {
            table.add_row(columns().map(|&column| &row[column]));
        }
        table
    };
    let parts = |count: usize| -> Vec<Grid> { columns.chunks(others.div_ceil(count) * each).map(part).collect() };
    let fitting = (1..others).map(parts).find(|parts| parts.iter().all(Grid::fits));
    let parts = fitting.unwrap_or_else(|| parts(others));
    parts.iter().map(Grid::trim_fmt).collect::<Vec<_>>().join("\n\n")
}

/// Returns a value of a machine or run.
pub(crate) fn stated(value: &Value) -> String {
    match value {
        Value::Null => "not stated".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn figures(of: &Table, letters: &[String]) -> String {
    let headings = headings(of, letters);
    // Where room is short, differences make way first, then values from the last subject on, which their ratios imply.
    let grid = |headings: &[&str]| {
        let mut spare: Vec<usize> = (2..headings.len()).filter(|&index| headings[index].contains(" - ")).collect();
        spare.extend((2..headings.len()).rev().filter(|&index| !headings[index].contains(' ')));
        table(headings, &[0]).sparing(&spare)
    };
    let shown = of.rows.iter().filter(|row| !row.is_same() && !row.is_missing());
    let rows: Vec<Vec<String>> = shown.map(|row| [row.name.clone()].into_iter().chain(cells(row)).collect()).collect();
    let mut lines = Vec::new();
    if !rows.is_empty() {
        let each = (headings.len() - 2) / (letters.len() - 1);
        lines.push(folded(&headings, &rows, each, grid));
    }
    let mut folded = |what: &str, is_folded: &dyn Fn(&Row) -> bool| {
        let names: Vec<&str> = of.rows.iter().filter(|row| is_folded(row)).map(|row| row.name.as_str()).collect();
        match names.len() {
            0 => {}
            all if all == of.rows.len() => lines.push(format!("{}: {what}", uncapitalised(of.title))),
            _ => lines.push(paragraph(&format!(" {what}: {}", names.join(", ")))),
        }
    };
    folded("the same", &Row::is_same);
    folded("not settled", &|row| row.is_missing() && row.missing[0] == Some(NOT_SETTLED));
    folded("not known", &|row| row.is_missing() && row.missing[0] != Some(NOT_SETTLED));
    lines.join("\n")
}

/// Returns a title within a text, where it begins with a small letter.
fn uncapitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// Returns the headings of a table of figures.
pub(crate) fn headings(table: &Table, letters: &[String]) -> Vec<String> {
    let (first, others) = letters.split_first().expect("a comparison has subjects");
    let mut headings = vec![uncapitalised(table.title), first.clone()];
    for letter in others {
        headings.push(letter.clone());
        if let [_] = others {
            headings.push(format!("{letter} - {first}"));
        }
        headings.push(format!("{letter} / {first}"));
    }
    headings
}

/// Returns the cells of a figure: the first subject's, then each other's with its ratio. Of two subjects, also the
/// difference.
pub(crate) fn cells(row: &Row) -> Vec<String> {
    let shown = |index: usize| match (row.values[index], row.missing[index]) {
        (Some(value), _) => with_unit(value, row.unit),
        (None, why) => why.unwrap_or_default().to_owned(),
    };
    let mut cells = vec![shown(0)];
    for index in 1..row.values.len() {
        cells.push(shown(index));
        if row.values.len() == 2 {
            cells.push(row.differences[index].map_or(String::new(), |difference| signed(difference, row.unit)));
        }
        cells.push(match row.differences[index] {
            // As wide as a ratio, so that the heading fits above it.
            Some(0.0) => " same".to_owned(),
            _ => row.ratios[index].map_or(String::new(), |ratio| format!("{ratio:.3}")),
        });
    }
    cells
}

fn signed(difference: f64, unit: Unit) -> String {
    match difference {
        0.0 => String::new(),
        difference if difference < 0.0 => format!("-{}", with_unit(-difference, unit)),
        difference => format!("+{}", with_unit(difference, unit)),
    }
}

/// Formats a figure of at least 0.
fn with_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count | Unit::Cycles => rounded(value),
        Unit::Nanoseconds => scaled(1e-9 * value, "s"),
        Unit::ImagesPerSecond => format!("{} /s", significant(value)),
        Unit::Picojoules => joules(value),
        Unit::Milliwatts => scaled(1e-3 * value, "W"),
        Unit::Gops => format!("{} GOPS", significant(value)),
        Unit::GopsPerWatt => format!("{} GOPS/W", significant(value)),
        Unit::GopsPerMm2 => format!("{} GOPS/mm2", significant(value)),
        Unit::SquareMillimetres => format!("{} mm2", significant(value)),
    }
}

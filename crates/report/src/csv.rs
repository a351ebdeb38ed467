//! CSV tables (RFC 4180) for spreadsheets and scripts.
//!
//! Each table has one line of headings, which name the units, and one record for each layer or component group. Its
//! columns are those of [`crate::columns`].

use std::borrow::{Borrow, Cow};

use crate::cell::{Cell, Kind};
use crate::columns::{self, Column};
use crate::{LayerReport, Report};

/// Returns one record for each layer: shape, cycles, counts, dynamic energy in total and by group.
pub fn layers(report: &Report) -> String {
    csv(&columns::layers(), report.layers.iter())
}

/// Returns one record for each component group: counted action, count, dynamic and static energy.
pub fn components(report: &Report) -> String {
    csv(&columns::components(), report.components())
}

/// Returns one record for each layer: IMA-cycles by stall cause. They add up to its IMAs times the cycles of the run.
pub fn stalls(report: &Report) -> String {
    let cycles = report.cycles;
    let mut columns = columns::layers();
    columns.retain(|column| ["layer", "imas"].contains(&column.name.as_ref()));
    columns.push(Column::new("cycles", Kind::Integer, move |_: &LayerReport| cycles.into()));
    columns.extend(columns::stalls());
    csv(&columns, report.layers.iter())
}

fn csv<Row>(columns: &[Column<Row>], rows: impl Iterator<Item = impl Borrow<Row>>) -> String {
    let headings = columns.iter().map(|column| column.name.to_string()).collect();
    let records = rows.map(|row| columns.iter().map(|column| text(&column.cell(row.borrow()))).collect());
    let lines = std::iter::once(headings).chain(records).map(|record: Vec<String>| {
        let fields: Vec<_> = record.iter().map(|field| quoted(field)).collect();
        fields.join(",") + "\n"
    });
    lines.collect()
}

/// Returns the text of a cell, with real numbers that are whole as integers.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Real(number) => number.to_string(),
        cell => cell.to_string(),
    }
}

/// Quotes a field where RFC 4180 requires it.
fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\"")).into()
    } else {
        field.into()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        assert_eq!(["conv1", "a,b", "5\" disk"].map(quoted), ["conv1", "\"a,b\"", "\"5\"\" disk\""]);
    }
}

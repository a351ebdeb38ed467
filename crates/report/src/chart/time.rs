//! Rows of stacked areas over time.

use std::fmt::Write;

use index::count;
use maud::{Markup, html};

use super::{AXIS, Axis, FONT, Panel, SMALL, WIDTH, fitted, legend, margin, number, panels, row_height, text_width};

/// Area of a row.
pub(crate) struct Area {
    /// Class of its colour.
    pub(crate) class: String,
    /// Heights in the bins as parts of the row, 0 to 1.
    pub(crate) heights: Vec<f64>,
    /// Text under the pointer.
    pub(crate) tip: String,
}

/// Row of a chart.
pub(crate) struct Row {
    /// Name.
    pub(crate) name: String,
    /// Areas, from the bottom.
    pub(crate) areas: Vec<Area>,
    /// Text at its end.
    pub(crate) value: String,
}

/// Draws rows over a time of `cycles`, in bins of `bin_cycles`. `entries` of the legend are class and name, and
/// `heading` says what the values at the ends of the rows are.
pub(crate) fn over_time(
    entries: &[(String, String)],
    rows: &[Row],
    heading: &str,
    cycles: u64,
    bin_cycles: u64,
) -> Vec<Panel> {
    let axis = Axis::cycles(cycles);
    let values = rows.iter().map(|row| text_width(&row.value, SMALL)).fold(text_width(heading, SMALL), f64::max);
    let left = margin(rows.iter().map(|row| row.name.as_str()), FONT);
    let right = WIDTH - values - 12.0;
    panels(rows).map(|rows| panel(&axis, entries, rows, heading, bin_cycles, [left, right])).collect()
}

fn panel(
    axis: &Axis,
    entries: &[(String, String)],
    rows: &[Row],
    heading: &str,
    bin_cycles: u64,
    [left, right]: [f64; 2],
) -> Panel {
    let (legend_height, legend) = legend(entries, left);
    let top = legend_height + 12.0;
    let (row, font) = row_height(rows.len());
    let gap = row / 10.0;
    let bottom = top + rows.len() as f64 * row;
    let inside = html! {
        (legend)
        text.mute x=(number(right + 6.0)) y=(number(top - 4.0)) font-size=(SMALL) { (heading) }
        (axis.draw([left, right], [top, bottom]))
        @for (index, of) in rows.iter().enumerate() {
            @let y = top + index as f64 * row;
            @let baseline = number(y + 0.5 * row + 0.36 * font);
            text x=(number(left - 8.0)) y=(baseline) font-size=(number(font)) text-anchor="end" { (fitted(&of.name, font, left - 8.0)) }
            rect.empty x=(number(left)) y=(number(y + gap)) width=(number(right - left)) height=(number(row - 2.0 * gap)) {}
            (areas(of, [left, right], [y + gap, y + row - gap], bin_cycles as f64 / axis.end))
            text.mute x=(number(right + 6.0)) y=(baseline) font-size=(number(font.min(SMALL))) { (of.value) }
        }
    };
    let over = format!("{} {} {}", number(left), number(right - left), number(axis.end));
    Panel { height: bottom + AXIS, inside, over: Some(over) }
}

/// Levels of a row: no finer than can be seen.
const LEVELS: f64 = 24.0;

/// Draws the areas of a row. Each reaches from the bottom to its upper edge and the next covers it, so that an area is
/// one line of steps. `bin` is the length of a bin as a part of the axis.
fn areas(row: &Row, [left, right]: [f64; 2], [top, bottom]: [f64; 2], bin: f64) -> Markup {
    let bins = row.areas.iter().map(|area| area.heights.len()).max().unwrap_or(0);
    let mut upper = vec![0.0; bins];
    let mut edges = Vec::new();
    for area in &row.areas {
        upper.iter_mut().zip(&area.heights).for_each(|(upper, height)| *upper += height);
        edges.push(upper.iter().map(|upper| (upper * LEVELS).round()).collect::<Vec<f64>>());
    }
    // The last bin may be shorter than the others.
    let last = (1.0 / bin).min(count(bins) as f64);
    let (x, y) = ((right - left) * bin, (bottom - top) / LEVELS);
    html! {
        g transform=(format!("translate({} {})scale({x:.4} -{y:.4})", number(left), number(bottom))) {
            @for (area, edge) in row.areas.iter().zip(&edges).rev() {
                @if area.heights.iter().any(|height| *height > 0.0) {
                    path.mark.(area.class) d=(steps(edge, last)) { title { (area.tip) } }
                }
            }
        }
    }
}

/// Returns the path under a line of steps of width 1, of which the last ends at `last`.
fn steps(heights: &[f64], last: f64) -> String {
    let mut path = "M0 0".to_owned();
    let mut from = 0;
    let mut write = |text: std::fmt::Arguments<'_>| path.write_fmt(text).expect("a text takes what is written to it");
    for run in heights.chunk_by(|a, b| a == b) {
        let to = from + run.len();
        write(format_args!("V{}H{}", run[0], number(if to == heights.len() { last } else { to as f64 })));
        from = to;
    }
    write(format_args!("V0z"));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bins_are_one_step() {
        assert_eq!(steps(&[0.0, 3.0, 3.0, 24.0], 3.5), "M0 0V0H1V3H3V24H3.5V0z");
    }

    #[test]
    fn areas_stand_on_one_another() {
        let area =
            |class: &str, heights: [f64; 2]| Area { class: class.into(), heights: heights.into(), tip: String::new() };
        let areas_of = vec![area("a", [0.5, 0.25]), area("none", [0.0, 0.0]), area("b", [0.5, 0.25])];
        let row = Row { name: String::new(), areas: areas_of, value: String::new() };
        let drawn = areas(&row, [0.0, 10.0], [0.0, 24.0], 0.5).0;
        // The upper one is drawn first, and the lower one over it.
        let (a, b) = (drawn.find("V12H1V6H2V0z").unwrap(), drawn.find("V24H1V12H2V0z").unwrap());
        assert!(b < a && !drawn.contains("none"), "{drawn}");
    }
}

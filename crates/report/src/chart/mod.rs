//! Charts as SVG: stacked bars, stacked areas over time, maps of tiles.
//!
//! A chart is drawn once, for a page and as a picture of its own. Colours are classes of [`palette`], so that a page
//! can be light or dark. Marks carry their value as a `title`, which viewers show under the pointer. A chart with many
//! rows has several panels, each short enough for a sheet of paper.

mod bars;
mod map;
pub(crate) mod palette;
mod series;
mod time;

use maud::{Markup, PreEscaped, html};

use crate::format::grouped;

pub(crate) use bars::{Bar, Measured, Part, bars};
pub(crate) use map::{floorplan, load};
pub(crate) use series::{Series, causes, components, folded};
pub(crate) use time::{Area, Row, over_time};

/// Width of a chart. Printed on A4, its text has 8 points.
pub(crate) const WIDTH: f64 = 760.0;
/// Size of the text, and of small text.
const FONT: f64 = 12.0;
const SMALL: f64 = 10.0;
/// Height of the title of a picture.
const TITLE: f64 = 28.0;
/// Height of a line of a legend.
const LINE: f64 = 18.0;
/// Largest height of all rows of a panel.
const ROWS: f64 = 880.0;
/// Largest and smallest height of a row.
const ROW: f64 = 20.0;
const SMALLEST_ROW: f64 = 12.0;

/// Chart with its title.
pub(crate) struct Chart {
    /// Name of its file, without ending.
    pub(crate) name: &'static str,
    /// Title.
    pub(crate) title: &'static str,
    /// Explanation.
    pub(crate) text: String,
    /// Parts, one below the other.
    pub(crate) panels: Vec<Panel>,
}

/// Drawing of [`WIDTH`] and some height.
pub(crate) struct Panel {
    pub(crate) height: f64,
    pub(crate) inside: Markup,
    /// Attribute with which the page works out the cycle under the pointer: left edge, width and cycles of the axis.
    pub(crate) over: Option<String>,
}

impl Chart {
    /// Returns the chart as a section of a page. Title and first panel are printed on one sheet.
    pub(crate) fn section(&self) -> Markup {
        html! {
            section {
                div.keep { h2 { (self.title) } p { (self.text) } (self.drawn(0)) }
                @for index in 1..self.panels.len() { (self.drawn(index)) }
            }
        }
    }

    fn drawn(&self, index: usize) -> Markup {
        let Panel { height, inside, over } = &self.panels[index];
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {}", number(*height))) role="img"
                aria-label=(self.title_of(index)) data-over=[over] { (inside) }
        }
    }

    /// Returns name and contents of a file for each panel.
    pub(crate) fn pictures(&self) -> Vec<(String, String)> {
        let name = |index: usize| match self.panels.len() {
            1 => format!("{}.svg", self.name),
            _ => format!("{}_{}.svg", self.name, index + 1),
        };
        (0..self.panels.len()).map(|index| (name(index), self.picture(index))).collect()
    }

    /// Returns a panel as an SVG document of its own, with the title.
    pub(crate) fn picture(&self, index: usize) -> String {
        let height = TITLE + self.panels[index].height;
        let picture = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {}", number(height))) width=(WIDTH) height=(number(height)) {
                style { (PreEscaped(palette::of_picture())) }
                rect.paper width="100%" height="100%" {}
                text.title x="8" y="19" { (self.title_of(index)) }
                g transform=(format!("translate(0 {TITLE})")) { (self.panels[index].inside) }
            }
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", picture.0)
    }

    fn title_of(&self, index: usize) -> String {
        match self.panels.len() {
            1 => self.title.to_owned(),
            all => format!("{} ({} of {all})", self.title, index + 1),
        }
    }
}

/// Divides rows into panels of equal height, and returns the rows of each.
fn panels<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let most = (ROWS / SMALLEST_ROW).floor();
    let panels = (rows.len() as f64 / most).ceil().max(1.0);
    rows.chunks(index_of((rows.len() as f64 / panels).ceil()).max(1))
}

/// Returns the height of each of `rows` rows, and the size of its text.
fn row_height(rows: usize) -> (f64, f64) {
    let height = (ROWS / rows.max(1) as f64).clamp(SMALLEST_ROW, ROW);
    (height, FONT.min(0.85 * height))
}

/// Returns a width in which a text of size `font` fits.
pub(crate) fn text_width(text: &str, font: f64) -> f64 {
    0.6 * font * text.chars().count() as f64
}

/// Shortens a text in its middle to fit into `width`.
fn fitted(text: &str, font: f64, width: f64) -> String {
    let count = text.chars().count();
    let fits = index_of(width / text_width("n", font)).max(2);
    if count <= fits {
        return text.to_owned();
    }
    let (begin, end) = (fits / 2, (fits - 1) / 2);
    text.chars().take(begin).chain(['…']).chain(text.chars().skip(count - end)).collect()
}

/// Returns the width of the names of rows, with the gap to the rows.
fn margin<'a>(names: impl Iterator<Item = &'a str>, font: f64) -> f64 {
    let widest = names.map(|name| text_width(name, font)).fold(0.0, f64::max);
    (widest + 16.0).clamp(60.0, 190.0)
}

/// Axis from 0 on, with ticks at round values.
pub(crate) struct Axis {
    /// Quantity and unit.
    pub(crate) title: String,
    /// End.
    pub(crate) end: f64,
    /// Distance of ticks.
    step: f64,
    /// Divisor of labels.
    scale: f64,
}

impl Axis {
    /// Makes an axis of an energy in pJ.
    pub(crate) fn energy(title: &str, end: f64) -> Axis {
        const UNITS: [(f64, &str); 6] = [(1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"), (1e-3, "fJ")];
        let end = if end > 0.0 { end } else { 1.0 };
        let (scale, unit) = UNITS.into_iter().find(|(scale, _)| end >= *scale).unwrap_or(UNITS[UNITS.len() - 1]);
        Axis { title: format!("{title} ({unit})"), end, step: round_step(end / scale) * scale, scale }
    }

    /// Makes an axis of percentages of a whole, which is 1.
    pub(crate) fn share(title: &str) -> Axis {
        Axis { title: format!("{title} (%)"), end: 1.0, step: 0.2, scale: 0.01 }
    }

    /// Makes an axis of cycles.
    pub(crate) fn cycles(end: u64) -> Axis {
        let end = end.max(1) as f64;
        Axis { title: "time (cycles)".to_owned(), end, step: round_step(end).max(1.0), scale: 1.0 }
    }

    /// Returns the ticks: value and label.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let last = index_of(self.end / self.step + 1e-9);
        (0..=last).map(|index| (index as f64 * self.step, self.label(index as f64 * self.step)))
    }

    /// Returns a value in the unit of the axis, as exact as its ticks.
    fn label(&self, value: f64) -> String {
        let decimals = index_of((-(self.step / self.scale).log10()).ceil().max(0.0));
        let text = format!("{:.decimals$}", value / self.scale);
        text.parse().map_or(text, grouped)
    }

    /// Draws grid lines, labels and title. Values 0 and `end` lie at `left` and `right`, and the rows between `top` and
    /// `bottom`.
    fn draw(&self, [left, right]: [f64; 2], [top, bottom]: [f64; 2]) -> Markup {
        let at = |value: f64| number(left + value / self.end * (right - left));
        html! {
            @for (value, _) in self.ticks() { line.grid x1=(at(value)) x2=(at(value)) y1=(number(top)) y2=(number(bottom + 4.0)) {} }
            @for (value, label) in self.ticks() { text.mute.tick x=(at(value)) y=(number(bottom + 16.0)) text-anchor="middle" { (label) } }
            text.axis-title x=(number(f64::midpoint(left, right))) y=(number(bottom + 32.0)) text-anchor="middle" { (self.title) }
        }
    }
}

/// Height of an axis with its labels and title.
const AXIS: f64 = 38.0;

/// Returns a step of 1, 2 or 5 times a power of ten that divides `end` into six parts at most.
fn round_step(end: f64) -> f64 {
    let least = end / 6.0;
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= least).unwrap_or(least)
}

/// Draws a legend of entries, class and name, from `left` on. Returns it with its height.
fn legend(entries: &[(String, String)], left: f64) -> (f64, Markup) {
    let widest = entries.iter().map(|(_, name)| text_width(name, FONT)).fold(0.0, f64::max) + 28.0;
    let per_line = index_of((WIDTH - left) / widest).max(1);
    let drawn = html! {
        @for (index, (class, name)) in entries.iter().enumerate() {
            @let (x, y) = (left + (index % per_line) as f64 * widest, (index / per_line) as f64 * LINE);
            rect class=(class) x=(number(x)) y=(number(y + 2.0)) width="11" height="11" {}
            text x=(number(x + 16.0)) y=(number(y + 12.0)) { (name) }
        }
    };
    if entries.is_empty() { (0.0, html! {}) } else { (entries.len().div_ceil(per_line) as f64 * LINE + 8.0, drawn) }
}

/// Returns a number of at least 0 as an index, rounded down.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "charts count few things")]
fn index_of(number: f64) -> usize {
    number as usize
}

/// Formats a length in pixels, no finer than can be seen.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let labels = |axis: Axis| axis.ticks().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Axis::cycles(6172)), ["0", "2,000", "4,000", "6,000"]);
        assert_eq!(labels(Axis::cycles(3)), ["0", "1", "2", "3"]);
        assert_eq!(labels(Axis::share("part")), ["0", "20", "40", "60", "80", "100"]);
        let energy = Axis::energy("energy", 2.71e10);
        assert_eq!(energy.title, "energy (mJ)");
        assert_eq!(labels(energy), ["0", "5", "10", "15", "20", "25"]);
        assert_eq!(labels(Axis::energy("energy", 1.3e6)), ["0.0", "0.5", "1.0"]);
        for end in [1e-4, 0.9, 7.0, 49.0, 3.3e3, 8.1e8, 5e14] {
            let ticks = Axis::energy("energy", end).ticks().count();
            assert!((3..=7).contains(&ticks), "{ticks} ticks up to {end}");
        }
    }

    #[test]
    fn many_rows_become_panels_that_fit_a_sheet() {
        for rows in [1, 5, 16, 80, 81, 160, 1000] {
            let rows = vec![(); rows];
            let heights: Vec<f64> = panels(&rows).map(|rows| rows.len() as f64 * row_height(rows.len()).0).collect();
            assert!(heights.iter().all(|height| *height <= ROWS + 1e-6), "{heights:?}");
            assert_eq!(panels(&rows).map(<[()]>::len).sum::<usize>(), rows.len());
        }
    }

    #[test]
    fn a_long_name_keeps_its_ends() {
        assert_eq!(fitted("conv1", FONT, 100.0), "conv1");
        assert_eq!(fitted("features_17_pointwise", 10.0, 66.0), "featu…twise");
    }
}

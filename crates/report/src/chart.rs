//! Charts as SVG: stacked bars, heat maps over time, and a map of tiles and links.
//!
//! Colours are CSS classes, so that a chart looks the same within a page and as a picture of its own, in light and in
//! dark. Marks carry their value as a `title`, which viewers show under the pointer.

use index::count;
use maud::{Markup, html};

/// Colours of series and of levels of load, for light and for dark.
pub(crate) const STYLE: &str = "\
svg{font:12px system-ui,sans-serif}svg text{fill:var(--ink)}.mute{fill:var(--mute)}.empty{fill:var(--empty)}\
:root{--ink:#1c1e21;--paper:#fff;--mute:#667;--empty:#ececf0;--line:#d6d6de;\
--level:43,98,196;--accent:#2b62c4}\
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8e8ee;--paper:#17181c;--mute:#9a9aa8;--empty:#2a2c33;--line:#3a3c44;\
--level:122,168,255;--accent:#8ab4ff}}\
.s0{fill:#3b8e5a}.s1{fill:#d9822b}.s2{fill:#c23b5a}.s3{fill:#8250c4}.s4{fill:#e0b020}.s5{fill:#2b7fc4}\
.s6{fill:#9aa0ac}.s7{fill:#c9ccd6}.s8{fill:#5fb4a2}.s9{fill:#a8633a}.s10{fill:#d47fb0}.s11{fill:#6b7f2a}\
.s12{fill:#4a5a8c}.s13{fill:#b0c46a}.s14{fill:#7a3a4a}.load{fill:rgb(var(--level))}.wire{stroke:rgb(var(--level))}";

const WIDTH: f64 = 960.0;
const LEFT: f64 = 136.0;
/// Largest height of all bars together, which fits on a sheet of paper, and of one bar.
const BARS: f64 = 1120.0;
const ROW: f64 = 20.0;
/// Size of the text.
const FONT: f64 = 12.0;
const LEGEND_LINE: f64 = 18.0;

/// A part of a bar.
pub(crate) struct Part {
    /// Number of the series.
    pub(crate) series: usize,
    /// Length.
    pub(crate) value: f64,
    /// Text under the pointer.
    pub(crate) tip: String,
}

/// Returns the height of each of `rows` bars and the size of its label. Bars shrink so that 160 layers fit on a page.
fn row_height(rows: usize) -> (f64, f64) {
    let height = (BARS / rows.max(1) as f64).min(ROW);
    (height, FONT.min(0.9 * height))
}

/// Draws horizontal bars made of parts. `series` holds number and name of each series. The longest bar takes the full
/// width.
pub(crate) fn stacked_bars(title: &str, series: &[(usize, String)], rows: &[(String, Vec<Part>)]) -> Markup {
    let sum = |parts: &[Part]| parts.iter().map(|part| part.value).sum::<f64>();
    let longest = rows.iter().map(|(_, parts)| sum(parts)).fold(f64::MIN_POSITIVE, f64::max);
    let per_line = 5;
    let legend = series.len().div_ceil(per_line) as f64 * LEGEND_LINE + 8.0;
    let (row, font) = row_height(rows.len());
    let gap = row / 10.0;
    let height = legend + rows.len() as f64 * row + 4.0;
    let scale = (WIDTH - LEFT - 4.0) / longest;
    frame(
        title,
        height,
        html! {
            @for (index, (colour, name)) in series.iter().enumerate() {
                @let (x, y) = (LEFT + (index % per_line) as f64 * 162.0, (index / per_line) as f64 * LEGEND_LINE);
                rect.{ "s" (colour % 15) } x=(x) y=(y + 2.0) width="11" height="11" {}
                text x=(x + 16.0) y=(y + 12.0) { (name) }
            }
            @for (index, (name, parts)) in rows.iter().enumerate() {
                @let y = legend + index as f64 * row;
                text x=(LEFT - 8.0) y=(number(y + 0.7 * row)) font-size=(number(font)) text-anchor="end" { (name) }
                @for (x, part) in placed(parts, scale) {
                    rect.mark.{ "s" (part.series % 15) } x=(number(x)) y=(number(y + gap)) width=(number(part.value * scale)) height=(number(row - 2.0 * gap)) {
                        title { (part.tip) }
                    }
                }
            }
        },
    )
}

fn placed(parts: &[Part], scale: f64) -> impl Iterator<Item = (f64, &Part)> {
    let begins = parts.iter().scan(LEFT, move |x, part| {
        let begin = *x;
        *x += part.value * scale;
        Some(begin)
    });
    begins.zip(parts).filter(|(_, part)| part.value > 0.0)
}

/// Draws rows over time. Each cell is as dark as its value, 0 to 1; `tip` returns the text under the pointer.
pub(crate) fn over_time(
    title: &str,
    names: &[String],
    values: &[Vec<f64>],
    bin_cycles: u64,
    tip: impl Fn(usize, usize) -> String,
) -> Markup {
    let bins = values.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let (row, font) = row_height(names.len());
    let gap = row / 10.0;
    let (width, height) = ((WIDTH - LEFT - 4.0) / bins as f64, names.len() as f64 * row + 24.0);
    frame(
        title,
        height,
        html! {
            @for (index, name) in names.iter().enumerate() {
                @let y = index as f64 * row;
                text x=(LEFT - 8.0) y=(number(y + 0.7 * row)) font-size=(number(font)) text-anchor="end" { (name) }
                rect.empty x=(LEFT) y=(number(y + gap)) width=(number(WIDTH - LEFT - 4.0)) height=(number(row - 2.0 * gap)) {}
                @for (bin, value) in values[index].iter().enumerate().filter(|(_, value)| **value > 0.0) {
                    rect.mark.load x=(number(LEFT + bin as f64 * width)) y=(number(y + gap)) width=(number(width)) height=(number(row - 2.0 * gap))
                        fill-opacity=(number(0.15 + 0.85 * value.min(1.0))) { title { (tip(index, bin)) } }
                }
            }
            @for tick in 0..=4u32 {
                @let x = LEFT + f64::from(tick) / 4.0 * (WIDTH - LEFT - 4.0);
                @let anchor = match tick { 0 => "start", 4 => "end", _ => "middle" };
                text.mute x=(number(x)) y=(height - 6.0) text-anchor=(anchor) {
                    (crate::format::grouped(count(bins) * bin_cycles * u64::from(tick) / 4)) @if tick == 4 { " cycles" }
                }
            }
        },
    )
}

/// Tile or link of a map, in units of tiles.
pub(crate) struct Place {
    /// Left edge or end, upper edge or end.
    pub(crate) from: (f64, f64),
    /// Other end of a link; `None` for a tile.
    pub(crate) to: Option<(f64, f64)>,
    /// Load, 0 to 1; negative for a tile that is not in use.
    pub(crate) load: f64,
    /// Text under the pointer.
    pub(crate) tip: String,
}

/// Draws tiles and links at their places.
pub(crate) fn map(title: &str, (columns, rows): (f64, f64), places: &[Place]) -> Markup {
    let side = ((WIDTH - 20.0) / columns).min(26.0);
    let at = |value: f64| number(10.0 + value * side);
    frame(
        title,
        rows * side + 20.0,
        html! {
            @for place in places {
                @match place.to {
                    None => rect.{ @if place.load < 0.0 { "empty" } @else { "mark load" } } x=(at(place.from.0)) y=(at(place.from.1))
                        width=(number(side - 3.0)) height=(number(side - 3.0)) rx="2"
                        fill-opacity=(number(if place.load < 0.0 { 1.0 } else { 0.12 + 0.88 * place.load })) { title { (place.tip) } },
                    Some(to) => line.mark.wire x1=(at(place.from.0)) y1=(at(place.from.1)) x2=(at(to.0)) y2=(at(to.1))
                        stroke-width=(number(1.0 + 5.0 * place.load)) stroke-opacity="0.75" { title { (place.tip) } },
                }
            }
        },
    )
}

fn frame(title: &str, height: f64, inside: Markup) -> Markup {
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {WIDTH} {}", number(height))) role="img" aria-label=(title) {
            (inside)
        }
    }
}

/// Returns a chart as an SVG document of its own.
pub(crate) fn alone(chart: &Markup) -> String {
    let styled = format!("><style>{STYLE}svg{{background:var(--paper)}}</style>");
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", chart.0.replacen('>', &styled, 1))
}

/// Formats a length in pixels, no finer than can be seen.
fn number(value: f64) -> String {
    format!("{value:.2}")
}

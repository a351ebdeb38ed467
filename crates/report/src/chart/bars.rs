//! Horizontal bars made of parts.

use maud::html;

use super::{AXIS, Axis, FONT, Panel, SMALL, WIDTH, fitted, legend, margin, number, panels, row_height, text_width};

/// Part of a bar.
pub(crate) struct Part {
    /// Class of its colour.
    pub(crate) class: String,
    /// Length.
    pub(crate) value: f64,
    /// Text within, where it fits.
    pub(crate) label: String,
    /// Text under the pointer.
    pub(crate) tip: String,
}

/// Bar.
pub(crate) struct Bar {
    /// Name.
    pub(crate) name: String,
    /// Parts, from the left.
    pub(crate) parts: Vec<Part>,
    /// Text at its end.
    pub(crate) value: String,
}

/// Quantity of the bars.
pub(crate) enum Measured<'a> {
    /// Energy in pJ. The longest bar takes the full width.
    Energy(&'a str),
    /// Parts of a whole, which is 1.
    Share(&'a str),
}

impl Bar {
    fn length(&self) -> f64 {
        self.parts.iter().map(|part| part.value).sum()
    }
}

/// Draws bars. `entries` of the legend are class and name.
pub(crate) fn bars(measured: &Measured<'_>, entries: &[(String, String)], bars: &[Bar]) -> Vec<Panel> {
    let axis = match measured {
        Measured::Energy(title) => Axis::energy(title, bars.iter().map(Bar::length).fold(0.0, f64::max)),
        Measured::Share(title) => Axis::share(title),
    };
    let values = bars.iter().map(|bar| text_width(&bar.value, SMALL)).fold(0.0, f64::max);
    let left = margin(bars.iter().map(|bar| bar.name.as_str()), FONT);
    // The last label of the axis may reach beyond its end.
    let right = WIDTH - (values + 10.0).max(20.0);
    panels(bars).map(|bars| panel(&axis, entries, bars, [left, right])).collect()
}

fn panel(axis: &Axis, entries: &[(String, String)], bars: &[Bar], [left, right]: [f64; 2]) -> Panel {
    let (top, legend) = legend(entries, left);
    let (row, font) = row_height(bars.len());
    let gap = row / 10.0;
    let bottom = top + bars.len() as f64 * row;
    let scale = (right - left) / axis.end;
    let inside = html! {
        (legend)
        (axis.draw([left, right], [top, bottom]))
        @for (index, bar) in bars.iter().enumerate() {
            @let y = top + index as f64 * row;
            @let baseline = number(y + 0.5 * row + 0.36 * font);
            text x=(number(left - 8.0)) y=(baseline) font-size=(number(font)) text-anchor="end" { (fitted(&bar.name, font, left - 8.0)) }
            @for (x, part) in placed(&bar.parts, left, scale) {
                @let width = part.value * scale;
                path.mark.(part.class) d=(format!("M{} {}h{width:.2}v{}h-{width:.2}z", number(x), number(y + gap), number(row - 2.0 * gap))) { title { (part.tip) } }
                @if !part.label.is_empty() && text_width(&part.label, SMALL) + 4.0 <= width {
                    text.on x=(number(x + 0.5 * width)) y=(baseline) font-size=(number(font.min(SMALL))) text-anchor="middle" { (part.label) }
                }
            }
            @if !bar.value.is_empty() {
                text.mute x=(number(left + bar.length() * scale + 5.0)) y=(baseline) font-size=(number(font.min(SMALL))) { (bar.value) }
            }
        }
        line.axis x1=(number(left)) x2=(number(left)) y1=(number(top)) y2=(number(bottom)) {}
    };
    Panel { height: bottom + AXIS, inside, over: None }
}

/// Returns the parts that have a length, with their left ends.
fn placed(parts: &[Part], left: f64, scale: f64) -> impl Iterator<Item = (f64, &Part)> {
    let begins = parts.iter().scan(left, move |x, part| {
        let begin = *x;
        *x += part.value * scale;
        Some(begin)
    });
    begins.zip(parts).filter(|(_, part)| part.value > 0.0)
}

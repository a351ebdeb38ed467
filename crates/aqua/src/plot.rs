//! Bar charts and scatter plots as SVG, in a style fit for a paper.
//!
//! No fonts are needed: widths of texts are estimated, and the reader's renderer chooses the font.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::trace::Top;

/// Colours that readers with any colour vision can distinguish (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];
/// Number of the colour of what others are compared with: results without a crop.
pub(crate) const BASELINE: usize = 0;
/// Number of the colour of replicas balanced for each crop.
pub(crate) const REBALANCED: usize = 5;
/// Number of the colour of numbers that are printed in the paper.
pub(crate) const PRINTED: usize = 6;

/// Number of the colour of results by a criterion.
pub(crate) fn colour_by(top: Top) -> usize {
    match top {
        Top::One => 1,
        Top::Five => 2,
    }
}

const WIDTH: u32 = 720;
/// Height of a figure of one panel, and of each panel of several, in pixels.
const HEIGHTS: (u32, u32) = (400, 300);
/// Height of a line of the legend, in pixels.
const LEGEND_LINE: i32 = 20;
/// Height of a line of a label or title of the horizontal axis, in pixels.
const LINE: i32 = 16;
/// Letters of a line of the horizontal axis.
const LETTERS: usize = 96;
const FONT: &str = "sans-serif";
/// Most bars of a panel at which each is labelled with its value.
const FEW_BARS: usize = 24;

/// Values with a name, one for each label of the axis.
#[derive(Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Number of the colour.
    pub(crate) colour: usize,
    /// NaN has no bar.
    pub(crate) values: Vec<f64>,
}

/// Bars over the labels of a figure, grouped by label, with one bar of each series.
pub(crate) struct Panel<'a> {
    /// Title of the vertical axis, which begins at 0.
    pub(crate) y: &'a str,
    /// End of the vertical axis.
    pub(crate) most: f64,
    /// Decimal places of its values.
    pub(crate) digits: usize,
    pub(crate) series: Vec<Series>,
}

/// Points with a name.
pub(crate) struct Points {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
    /// Number of the colour.
    pub(crate) colour: usize,
    /// Drawn large and hollow, to stand out.
    pub(crate) large: bool,
}

/// A number of panels, lines or letters.
fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a figure has few of everything")
}

/// The colour of a number; after the last, from the first again.
fn colour_of(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// A text in lines of no more than so many letters. Longer words are broken.
fn wrap(text: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        for part in word.chars().collect::<Vec<char>>().chunks(letters.max(1)) {
            let part = String::from_iter(part);
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + part.chars().count() <= letters => {
                    *line += &format!(" {part}");
                }
                _ => lines.push(part),
            }
        }
    }
    lines
}

/// Height of the lines of a text that follow the first, in pixels.
fn further(lines: &[String]) -> i32 {
    LINE * number(lines.len().saturating_sub(1)).cast_signed()
}

/// Panels of bars, one below the other, all over the same `labels`.
pub(crate) fn bars(labels: &[String], x: &str, panels: &[Panel]) -> String {
    let mut svg = String::new();
    draw_bars(&mut svg, labels, x, panels).expect("a text takes all that is drawn");
    svg
}

/// Points over two axes.
pub(crate) fn scatter(all: &[Points], (x, y): (&str, &str), x_range: (f64, f64), y_range: (f64, f64)) -> String {
    let mut svg = String::new();
    draw_scatter(&mut svg, all, (x, y), x_range, y_range).expect("a text takes all that is drawn");
    svg
}

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_bars(svg: &mut String, labels: &[String], x: &str, panels: &[Panel]) -> Drawn {
    let height = if panels.len() == 1 { HEIGHTS.0 } else { HEIGHTS.1 * number(panels.len()) };
    let root = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let areas = root.split_evenly((panels.len(), 1));
    for (index, (area, panel)) in areas.iter().zip(panels).enumerate() {
        let x = if index + 1 == panels.len() { x } else { "" };
        draw_panel(&root, area, labels, x, panel)?;
    }
    root.present()?;
    Ok(())
}

fn draw_panel(root: &Area, area: &Area, labels: &[String], x: &str, panel: &Panel) -> Drawn {
    let Panel { y, most, digits, series } = panel;
    let labels: Vec<Vec<String>> = labels.iter().map(|label| wrap(label, LETTERS / labels.len())).collect();
    let x = wrap(x, LETTERS);
    let below_labels = labels.iter().map(|label| further(label)).max().unwrap_or(0);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_top(48)
        .x_label_area_size(if x.is_empty() { 24 } else { 52 } + below_labels + further(&x))
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..labels.len() as f64, 0.0..*most)?;
    // Labels are drawn by hand, since the axis has no tick under the middle of the bars.
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(8)
        .y_desc(*y)
        .y_label_formatter(&|value| format!("{value:.0$}", (*digits).min(1)))
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let centred = |size: i32, vertical| TextStyle::from((FONT, size)).pos(Pos::new(HPos::Center, vertical));
    let width = 0.8 / series.len() as f64;
    for (index, Series { values, colour, .. }) in series.iter().enumerate() {
        let left = |label: usize| label as f64 + 0.1 + width * index as f64;
        let bar = |(label, value): (usize, &f64)| {
            Rectangle::new([(left(label), 0.0), (left(label) + width * 0.94, *value)], colour_of(*colour).filled())
        };
        let known = || values.iter().enumerate().filter(|(_, value)| value.is_finite());
        chart.draw_series(known().map(bar))?;
        if labels.len() * series.len() <= FEW_BARS {
            for (label, value) in known() {
                let (at, top) = chart.backend_coord(&(left(label) + width * 0.47, *value));
                let text = format!("{value:.digits$}");
                root.draw(&Text::new(text, (at, top - 3), centred(11, VPos::Bottom)))?;
            }
        }
    }
    let write = |lines: &[String], size: i32, (middle, mut top): (i32, i32)| -> Drawn {
        for line in lines {
            root.draw(&Text::new(line.clone(), (middle, top), centred(size, VPos::Top)))?;
            top += LINE;
        }
        Ok(())
    };
    for (index, label) in labels.iter().enumerate() {
        let (at, bottom) = chart.backend_coord(&(index as f64 + 0.5, 0.0));
        write(label, 13, (at, bottom + 8))?;
    }
    let (middle, bottom) = chart.backend_coord(&(labels.len() as f64 / 2.0, 0.0));
    write(&x, 15, (middle, bottom + 30 + below_labels))?;
    let (_, top) = area.get_base_pixel();
    let entries = series.iter().map(|series| (series.name.as_str(), series.colour, Mark::Bar));
    legend(root, top, entries)
}

fn draw_scatter(
    svg: &mut String,
    all: &[Points],
    (x, y): (&str, &str),
    x_range: (f64, f64),
    y_range: (f64, f64),
) -> Drawn {
    // Reserved for the longest names, of which each takes a line.
    let legend_height = 20 + LEGEND_LINE.cast_unsigned() * number(all.len().max(2));
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHTS.0 + legend_height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_top(legend_height)
        .x_label_area_size(52)
        .y_label_area_size(60)
        .build_cartesian_2d(x_range.0..x_range.1, y_range.0..y_range.1)?;
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|value| format!("{value:.1}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .bold_line_style(RGBColor(225, 225, 225))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for Points { points, colour, large, .. } in all {
        let (size, style) = circle(*colour, *large);
        chart.draw_series(points.iter().map(|point| Circle::new(*point, size, style)))?;
    }
    let entries = all.iter().map(|points| (points.name.as_str(), points.colour, Mark::Point { large: points.large }));
    legend(&root, 0, entries)?;
    root.present()?;
    Ok(())
}

/// Size and style of a point.
fn circle(colour: usize, large: bool) -> (i32, ShapeStyle) {
    if large { (7, colour_of(colour).stroke_width(3)) } else { (4, colour_of(colour).filled()) }
}

/// Symbol of an entry of a legend.
enum Mark {
    Bar,
    Point { large: bool },
}

/// Draws names of series with their colours and marks, in lines from `top` on. Widths of names are estimated, since no
/// font is loaded.
fn legend<'a>(root: &Area, top: i32, entries: impl Iterator<Item = (&'a str, usize, Mark)>) -> Drawn {
    let style = TextStyle::from((FONT, 14)).pos(Pos::new(HPos::Left, VPos::Center));
    let start = 76;
    let (mut left, mut middle) = (start, top + 18);
    for (name, colour, mark) in entries {
        let width = 18 + 7 * number(name.chars().count()).cast_signed();
        if left + width > WIDTH.cast_signed() {
            (left, middle) = (start, middle + LEGEND_LINE);
        }
        match mark {
            Mark::Bar => {
                let corners = [(left, middle - 6), (left + 12, middle + 6)];
                root.draw(&Rectangle::new(corners, colour_of(colour).filled()))?;
            }
            Mark::Point { large } => {
                let (size, style) = circle(colour, large);
                root.draw(&Circle::new((left + 6, middle), size, style))?;
            }
        }
        root.draw(&Text::new(name.to_owned(), (left + 18, middle), style.clone()))?;
        left += width + 16;
    }
    Ok(())
}

//! Figures as SVG, plain enough for a paper.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours that readers with any colour vision tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
const SIZE: (u32, u32) = (720, 400);
const FONT: &str = "sans-serif";

/// Values with a name, one for each label of the axis; `None` is not drawn.
pub struct Series {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

/// Points with a name.
pub struct Points {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Drawn large and hollow, to stand out.
    pub large: bool,
}

/// Bars, one of each series beside each other for every label; the vertical axis begins at 0 and ends at `most`.
pub fn bars(labels: &[String], series: &[Series], (x, y): (&str, &str), most: f64) -> String {
    let mut svg = String::new();
    draw_bars(&mut svg, labels, series, (x, y), most).expect("a text takes all that is drawn");
    svg
}

/// Points over two axes.
pub fn scatter(all: &[Points], (x, y): (&str, &str), x_range: (f64, f64), y_range: (f64, f64)) -> String {
    let mut svg = String::new();
    draw_scatter(&mut svg, all, (x, y), x_range, y_range).expect("a text takes all that is drawn");
    svg
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw_bars(svg: &mut String, labels: &[String], series: &[Series], (x, y): (&str, &str), most: f64) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_top(48)
        .x_label_area_size(52)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..labels.len() as f64, 0.0..most)?;
    // Labels belong under the middle of their bars, where the axis has no tick: they are drawn by hand.
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_desc(y)
        .y_label_formatter(&|value| format!("{value:.1}"))
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let width = 0.8 / series.len() as f64;
    for (index, Series { values, .. }) in series.iter().enumerate() {
        let bar = |(label, value): (usize, &Option<f64>)| {
            let left = label as f64 + 0.1 + width * index as f64;
            value.map(|value| Rectangle::new([(left, 0.0), (left + width * 0.94, value)], COLOURS[index].filled()))
        };
        chart.draw_series(values.iter().enumerate().filter_map(bar))?;
    }
    let style = TextStyle::from((FONT, 13)).pos(Pos::new(HPos::Center, VPos::Top));
    for (index, label) in labels.iter().enumerate() {
        let (at, bottom) = chart.backend_coord(&(index as f64 + 0.5, 0.0));
        root.draw(&Text::new(label.clone(), (at, bottom + 8), style.clone()))?;
    }
    let (middle, bottom) = chart.backend_coord(&(labels.len() as f64 / 2.0, 0.0));
    let style = TextStyle::from((FONT, 15)).pos(Pos::new(HPos::Center, VPos::Top));
    root.draw(&Text::new(x.to_owned(), (middle, bottom + 30), style))?;
    legend(&root, series.iter().map(|series| series.name.as_str()), &[])?;
    root.present()?;
    Ok(())
}

fn draw_scatter(
    svg: &mut String,
    all: &[Points],
    (x, y): (&str, &str),
    x_range: (f64, f64),
    y_range: (f64, f64),
) -> Drawn {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .margin_top(48)
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
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (index, Points { points, large, .. }) in all.iter().enumerate() {
        let colour = COLOURS[index];
        let style = if *large { colour.stroke_width(3) } else { colour.filled() };
        let size = if *large { 7 } else { 4 };
        chart.draw_series(points.iter().map(|point| Circle::new(*point, size, style)))?;
    }
    let hollow: Vec<bool> = all.iter().map(|points| points.large).collect();
    legend(&root, all.iter().map(|points| points.name.as_str()), &hollow)?;
    root.present()?;
    Ok(())
}

/// Names of the series in their colours, in lines over the figure. Without fonts at hand the width of a name can only
/// be estimated.
fn legend<'a>(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    names: impl Iterator<Item = &'a str>,
    hollow: &[bool],
) -> Drawn {
    let style = TextStyle::from((FONT, 14)).pos(Pos::new(HPos::Left, VPos::Center));
    let (start, row) = (72, 18);
    let (mut left, mut middle) = (start, 14);
    for (index, name) in names.enumerate() {
        let width = 18 + 7 * name.chars().count() as i32;
        if left + width > SIZE.0 as i32 {
            (left, middle) = (start, middle + row);
        }
        if hollow.get(index).copied().unwrap_or(false) {
            root.draw(&Circle::new((left + 6, middle), 6, COLOURS[index].stroke_width(3)))?;
        } else {
            root.draw(&Rectangle::new([(left, middle - 6), (left + 12, middle + 6)], COLOURS[index].filled()))?;
        }
        root.draw(&Text::new(name.to_owned(), (left + 18, middle), style.clone()))?;
        left += width + 16;
    }
    Ok(())
}

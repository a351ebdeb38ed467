//! Accuracy and energy of policies, compared with fixed crops and the oracle.
//!
//! An [`Evaluation`] sums one [`Point`] per picture and policy. Its means are curves, as CSV and SVG in the manner of
//! AQuA's Figure 3, or the settings among which `--tune` chooses. Energies are relative to no crop, and include that of
//! the predictor.

use inference::Crop;
use plotters::prelude::*;
use predictor::{Policy, Shape};

/// Result of one picture under one policy.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    /// Energy, pJ, including that of the predictor.
    pub(crate) energy_pj: f64,
    /// True if the answer was right at top-1.
    pub(crate) right: bool,
}

/// Sums over the pictures added so far.
pub(crate) struct Evaluation {
    crops: Vec<Crop>,
    policies: Vec<Policy>,
    pictures: usize,
    fixed: Vec<Sum>,
    predicted: Vec<Sum>,
    oracle: Sum,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    energy_pj: f64,
    right: usize,
}

/// Policies that differ in one setting.
pub(crate) struct Curve {
    /// Name of the curve.
    pub(crate) name: String,
    /// Setting, energy relative to no crop, and share of right answers.
    pub(crate) points: Vec<(String, f64, f64)>,
}

impl Sum {
    fn add(&mut self, point: Point) {
        self.energy_pj += point.energy_pj;
        self.right += usize::from(point.right);
    }
}

impl Evaluation {
    /// Starts without pictures.
    pub(crate) fn new(crops: &[Crop], policies: Vec<Policy>) -> Self {
        Self {
            pictures: 0,
            fixed: vec![Sum::default(); crops.len()],
            predicted: vec![Sum::default(); policies.len()],
            oracle: Sum::default(),
            crops: crops.to_vec(),
            policies,
        }
    }

    /// Adds a picture: its results under each crop and each policy.
    pub(crate) fn add(&mut self, fixed: &[Point], predicted: &[Point]) {
        self.pictures += 1;
        self.fixed.iter_mut().zip(fixed).for_each(|(sum, point)| sum.add(*point));
        self.predicted.iter_mut().zip(predicted).for_each(|(sum, point)| sum.add(*point));
        let energies = inference::energies(&self.crops);
        let Ok(crop) = inference::oracle(&energies, |crop| Ok::<_, std::convert::Infallible>(fixed[crop].right));
        self.oracle.add(fixed[crop]);
    }

    /// Means over all pictures.
    pub(crate) fn curves(&self) -> Vec<Curve> {
        let whole_pj = self.fixed[0].energy_pj;
        let point = |name: String, sum: &Sum| (name, sum.energy_pj / whole_pj, sum.right as f64 / self.pictures as f64);
        let fixed = self.crops.iter().zip(&self.fixed).map(|(crop, sum)| point(crop.edges.to_string(), sum));
        let oracle = point("least that stays right".to_owned(), &self.oracle);
        let mut curves = vec![
            Curve { name: "fixed crops".to_owned(), points: fixed.collect() },
            Curve { name: "oracle of 16 crops".to_owned(), points: vec![oracle] },
        ];
        for (policy, sum) in self.policies.iter().zip(&self.predicted) {
            let name = format!("predicted, {}", shape_name(&policy.shape));
            let point = point(policy.threshold.to_string(), sum);
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve { name, points: vec![point] }),
            }
        }
        curves
    }

    /// All policies, as settings to choose from.
    pub(crate) fn settings(&self) -> Settings {
        let right = self.fixed[0].right;
        let energy = |sum: &Sum| sum.energy_pj / self.fixed[0].energy_pj;
        let tried = self.policies.iter().zip(&self.predicted);
        let tried = tried.map(|(policy, sum)| (policy.clone(), energy(sum), sum.right)).collect();
        Settings { pictures: self.pictures, right, tried }
    }
}

/// Policies that were tried.
pub(crate) struct Settings {
    pictures: usize,
    /// Right answers without a crop.
    right: usize,
    /// Policy, energy relative to no crop, and right answers.
    tried: Vec<(Policy, f64, usize)>,
}

impl Settings {
    /// A line for each policy.
    pub(crate) fn csv(&self) -> String {
        let mut text = String::from("shape,measure,margin,threshold,relative_energy,right,right_uncropped,pictures\n");
        let Settings { right: uncropped, pictures, .. } = self;
        for (policy, energy, right) in &self.tried {
            let Policy { measure, threshold, shape, margin } = policy;
            let (shape, measure) = (shape_name(shape), measure.name());
            text += &format!("{shape},{measure},{margin},{threshold},{energy:.5},{right},{uncropped},{pictures}\n");
        }
        text
    }

    /// For each shape the policy of least energy with as many right answers as without a crop, as options.
    pub(crate) fn best(&self) -> String {
        let mut shapes: Vec<&Shape> = Vec::new();
        for (policy, ..) in &self.tried {
            if !shapes.contains(&&policy.shape) {
                shapes.push(&policy.shape);
            }
        }
        let mut text = String::new();
        for shape in shapes {
            let good = self.tried.iter().filter(|(policy, _, right)| policy.shape == *shape && *right >= self.right);
            let Some((policy, energy, right)) = good.min_by(|a, b| a.1.total_cmp(&b.1)) else {
                text += &format!("{}: every setting makes more answers wrong\n", shape_name(shape));
                continue;
            };
            let Policy { measure, threshold, margin, .. } = policy;
            let measure = measure.name();
            let options = match shape {
                Shape::Edges => String::new(),
                Shape::Rectangles(bits) => format!(" --precisions {} --margin {margin}", bits_list(bits, ",")),
            };
            text += &format!(
                "{}: --measure {measure} --threshold {threshold}{options}: {:.1} % of the energy, {right} of {} right \
                 ({} without a crop)\n",
                shape_name(shape),
                100.0 * energy,
                self.pictures,
                self.right
            );
        }
        text
    }
}

fn bits_list(bits: &[u32], separator: &str) -> String {
    bits.iter().map(u32::to_string).collect::<Vec<_>>().join(separator)
}

fn shape_name(shape: &Shape) -> String {
    match shape {
        Shape::Edges => "16 crops".to_owned(),
        Shape::Rectangles(bits) => format!("rectangles of {} bits", bits_list(bits, "/")),
    }
}

/// A line for each point.
pub(crate) fn csv(curves: &[Curve]) -> String {
    let mut text = String::from("policy,setting,relative_energy,accuracy\n");
    for curve in curves {
        for (setting, energy, accuracy) in &curve.points {
            // Names of crops and curves hold commas.
            text += &format!("\"{}\",\"{setting}\",{energy:.5},{accuracy:.5}\n", curve.name);
        }
    }
    text
}

/// Accuracy over energy as SVG.
pub(crate) fn plot(curves: &[Curve]) -> Result<String, String> {
    let mut svg = String::new();
    draw(curves, &mut svg).map_err(|error| error.to_string())?;
    Ok(svg)
}

/// Distance of the plot's lower end from the least accuracy of a fixed crop.
const BELOW_FIXED: f64 = 0.1;

/// Colours that readers with any colour vision can distinguish (Okabe and Ito).
const COLOURS: [RGBColor; 5] =
    [RGBColor(90, 90, 90), RGBColor(0, 158, 115), RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(204, 121, 167)];

fn draw(curves: &[Curve], svg: &mut String) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let fixed = &curves[0].points;
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    // Points far below the worst fixed crop are of no use, and would compress the others.
    let floor = (least(&mut fixed.iter().map(|point| point.2)) - BELOW_FIXED).max(0.0);
    let shown = || curves.iter().flat_map(|curve| &curve.points).filter(|point| point.2 >= floor);
    let energies = (least(&mut shown().map(|point| point.1)) - 0.05).max(0.0)..1.03;
    let accuracies = floor..1.005;
    let root = SVGBackend::with_string(svg, (860, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(energies, accuracies)?;
    chart
        .configure_mesh()
        .x_desc("dynamic energy of all pictures relative to no crop, the predictor's own included")
        .y_desc("right at top-1, of all pictures")
        .x_label_formatter(&|energy| format!("{energy:.2}"))
        .y_label_formatter(&|accuracy| format!("{:.0} %", 100.0 * accuracy))
        .light_line_style(WHITE)
        .draw()?;
    for (index, curve) in curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let shown = curve.points.iter().filter(|point| point.2 >= floor);
        let mut places: Vec<(f64, f64)> = shown.map(|point| (point.1, point.2)).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        if index >= 2 {
            chart.draw_series(LineSeries::new(places.clone(), colour.stroke_width(2)))?;
        }
        let dot = move |place| Circle::new(place, if index == 1 { 6 } else { 4 }, colour.filled());
        chart
            .draw_series(places.into_iter().map(dot))?
            .label(&curve.name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.9))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    root.present()
}

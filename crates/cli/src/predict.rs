//! `aquasim predict`: chooses a plan for each picture from the picture alone, and judges such choices.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use ndarray::Array2;
use network::Plan;
use predictor::{Policy, Shape, importance};

use crate::evaluation::{self, Evaluation, Point};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Labelled, Pictures, Weights, accelerator, processors};
use crate::policy::Predictor;
use crate::progress;
use crate::selection::{Selected, Selection};

/// Choose what to compute of each picture from the picture alone; with weights, judge the choices
#[derive(Args)]
pub struct Predict {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    pictures: Pictures,
    #[command(flatten)]
    predictor: Predictor,
    /// Write the plan of each picture as TOML, for --plan
    #[arg(long, value_name = "DIR")]
    plans: Option<PathBuf>,
    /// Write the importance of the parts of each picture as CSV
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Judge thresholds from 0 to 1 against fixed crops and the oracle: accuracy and energy as CSV and SVG; needs
    /// --weights-file and --labels
    #[arg(long, value_name = "DIR", requires = "weights_file")]
    evaluate: Option<PathBuf>,
    /// Weights of the network, with its layers' names or torchvision's, for --evaluate
    #[arg(long, value_name = "SAFETENSORS|NPZ")]
    weights_file: Option<PathBuf>,
}

/// Thresholds that are judged.
const THRESHOLDS: [f32; 12] = [0.0, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.15, 0.2, 0.4, 1.0];

impl Predict {
    /// Writes what was asked for, and prints what was chosen or how good the choices are.
    pub fn execute(self) -> Result<(), Failure> {
        let selected = self.selection.load()?;
        let policy = self.predictor.policy(None)?;
        for folder in [&self.plans, &self.maps, &self.evaluate].into_iter().flatten() {
            output::create_folder(folder)?;
        }
        match (&self.evaluate, &self.weights_file) {
            (Some(folder), Some(file)) => self.evaluate(&selected, &Weights::of_file(file), folder),
            _ => self.choose(&selected, &policy),
        }
    }

    fn choose(&self, selected: &Selected, policy: &Policy) -> Result<(), Failure> {
        let loaded = self.pictures.load(&selected.network)?;
        let network = &selected.network;
        let mut text = String::from("picture,computed,predictor_pj\n");
        for Labelled { picture, .. } in &loaded.pictures {
            let pixels = picture.load(network)?;
            let importance = importance(pixels.view(), self.predictor.measure.into());
            let (plan, deciding) = policy.plan(network, &selected.plan, &importance)?;
            let mut operations = importance.operations;
            operations += deciding;
            let computed = plan.macs(network) as f64 / selected.plan.macs(network) as f64;
            let pj = operations.energy_pj(selected.arch.energy.edram_bit.pj);
            text += &format!("{},{computed:.4},{pj:.0}\n", picture.name);
            if let Some(folder) = &self.plans {
                Output::create(&folder.join(format!("{}.toml", picture.name)))?.write(&plan.to_toml(network))?;
            }
            if let Some(folder) = &self.maps {
                Output::create(&folder.join(format!("{}.csv", picture.name)))?.write(&map_csv(&importance.map))?;
            }
        }
        output::print(&text)
    }

    fn evaluate(&self, selected: &Selected, weights: &Weights, folder: &std::path::Path) -> Result<(), Failure> {
        let outputs = ["evaluation.csv", "evaluation.svg"].map(|name| Output::create(&folder.join(name)));
        let loaded = self.pictures.load_labelled(&selected.network, "an evaluation")?;
        let calibrated = progress::during("reading weights", || weights.load(selected, &loaded))?;
        let (classifier, accelerator) = (calibrated.program(selected)?, accelerator(selected));
        let crops = inference::crops(&accelerator, &selected.plan)?;
        let shapes = match self.predictor.policy(None)?.shape {
            Shape::Edges => vec![Shape::Edges, Shape::Rectangles(vec![16, 0]), Shape::Rectangles(vec![16, 8, 4, 0])],
            chosen => vec![Shape::Edges, chosen],
        };
        let policies =
            || shapes.iter().flat_map(|shape| THRESHOLDS.map(|threshold| Policy { threshold, shape: shape.clone() }));
        let mut evaluation = Evaluation::new(&crops, policies().collect());
        let bar = progress::bar("pictures", loaded.pictures.len() as u64, 0);
        let end = inference::in_order(
            &loaded.pictures,
            processors(),
            |picture| {
                let (pixels, input) = picture.input(&selected.network)?;
                let label = picture.label.expect("labels were asked for");
                let answer = |plan: &Plan| {
                    let cost = accelerator.cost(plan)?;
                    let right = classifier.classify(plan, input.view(), &cost)?.is_right(label, 1);
                    Ok::<_, inference::Error>(Point { energy_pj: cost.dynamic_pj, right })
                };
                let fixed: Vec<Point> = crops.iter().map(|crop| answer(&crop.plan)).collect::<Result<_, _>>()?;
                let importance = importance(pixels.view(), self.predictor.measure.into());
                let predicted = policies().map(|policy| {
                    let (plan, mut operations) = policy.plan(&selected.network, &selected.plan, &importance)?;
                    operations += importance.operations;
                    let known = crops.iter().position(|crop| crop.plan == plan);
                    let mut point = known.map_or_else(|| answer(&plan), |crop| Ok(fixed[crop]))?;
                    point.energy_pj += operations.energy_pj(selected.arch.energy.edram_bit.pj);
                    Ok(point)
                });
                let predicted = predicted.collect::<Result<Vec<Point>, inference::Error>>()?;
                Ok::<_, Failure>((fixed, predicted))
            },
            |_, points| {
                bar.inc(1);
                match points {
                    Ok((fixed, predicted)) => {
                        evaluation.add(&fixed, &predicted);
                        ControlFlow::Continue(())
                    }
                    Err(failure) => ControlFlow::Break(failure),
                }
            },
        );
        bar.finish_and_clear();
        if let ControlFlow::Break(failure) = end {
            return Err(failure);
        }
        let curves = evaluation.curves();
        let [csv, svg] = outputs;
        csv?.write(&evaluation::csv(&curves))?;
        svg?.write(&evaluation::plot(&curves).map_err(|error| Failure::Other(error.into()))?)?;
        output::print(&evaluation::csv(&curves))
    }
}

/// Rows of the map as lines.
fn map_csv(map: &Array2<f32>) -> String {
    let line = |row: ndarray::ArrayView1<f32>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n";
    map.rows().into_iter().map(line).collect()
}

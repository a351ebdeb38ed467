//! `aquasim predict`: chooses a plan for each picture from the picture alone, and judges such choices.
//!
//! Crate `predictor` makes the plans. With `--evaluate` or `--tune` each picture is answered under the 16 crops and
//! under each policy; module `evaluation` sums accuracy and energy.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use index::count;
use inference::{Accelerator, Classifier, Crop};
use ndarray::Array2;
use network::Plan;
use predictor::{Importance, Measure, Policy, Shape, importance};

use crate::calibration::{Calibration, warn_of_saturation};
use crate::changes::ChosenMachine;
use crate::evaluation::{self, Evaluation, Point};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Labelled, Loaded, Pictures, Weights, accelerator, processors};
use crate::policy::{self, Predictor};
use crate::progress;
use crate::selection::{Selected, Selection};

/// Choose what to compute of each picture from the picture alone; with weights, judge the choices
#[derive(Args)]
pub(crate) struct Predict {
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    pictures: Pictures,
    #[command(flatten)]
    predictor: Predictor,
    /// Write the plan of each picture as TOML, for --plan and for sweeps
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    plans: Option<PathBuf>,
    /// Write the importance of the parts of each picture as CSV
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    maps: Option<PathBuf>,
    /// Judge thresholds from 0 to 1 against fixed crops and the oracle: accuracy and energy as figure3.csv and .svg;
    /// needs --weights-file and --labels
    #[arg(long, value_name = "DIR", requires = "weights_file", conflicts_with_all = ["plans", "maps"], help_heading = "Results")]
    evaluate: Option<PathBuf>,
    /// Try all measures, margins and thresholds, write them as tuning.csv, and name the one of least energy that
    /// leaves as many answers right as no crop does; needs --weights-file and --labels
    #[arg(long, value_name = "DIR", requires = "weights_file", conflicts_with_all = ["plans", "maps", "evaluate"], help_heading = "Results")]
    tune: Option<PathBuf>,
    /// Weights of the network, with its layers' names or torchvision's, or the ONNX model that has them, for
    /// --evaluate and --tune
    #[arg(long, value_name = "SAFETENSORS|NPZ|ONNX", help_heading = "Weights and pictures")]
    weights_file: Option<PathBuf>,
    #[command(flatten)]
    calibration: Calibration,
}

/// Thresholds that are judged.
const THRESHOLDS: [f32; 13] = [0.0, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0];
/// Margins that are tried; the 16 crops have none.
const MARGINS: [f32; 7] = [0.0, 0.042, 0.083, 0.125, 0.167, 0.208, 0.25];
/// Thresholds that are tried with each measure and margin.
const TRIED_THRESHOLDS: [f32; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3];

impl Predict {
    /// Writes the files requested, and prints the choices or their evaluation.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        self.selection.refuse_crop("`aquasim predict`")?;
        let policy = self.predictor.policy()?;
        let selected = self.selection.load(&self.machine)?;
        for folder in [&self.plans, &self.maps, &self.evaluate, &self.tune].into_iter().flatten() {
            output::create_folder(folder)?;
        }
        match (&self.evaluate, &self.tune, &self.weights_file) {
            (Some(folder), _, Some(file)) => {
                self.evaluate(&selected, &Weights::of_file(file, &self.calibration), folder)
            }
            (_, Some(folder), Some(file)) => self.tune(&selected, &Weights::of_file(file, &self.calibration), folder),
            _ => self.choose(&selected, &policy),
        }
    }

    fn choose(&self, selected: &Selected, policy: &Policy) -> Result<(), Failure> {
        let loaded = self.pictures.load(&selected.network)?;
        let network = &selected.network;
        let mut text = String::from("picture,computed,predictor_pj,predictor_ns\n");
        for Labelled { picture, .. } in &loaded.pictures {
            let pixels = picture.load(network)?;
            let importance = importance(pixels.view(), policy.measure);
            let (plan, mut operations) = policy.plan(network, &selected.plan, &importance)?;
            operations += importance.operations;
            let computed = plan.macs(network) as f64 / selected.plan.macs(network) as f64;
            let (pj, ns) = policy::cost(&selected.arch, &operations);
            text += &format!("{},{computed:.4},{pj:.0},{ns:.0}\n", picture.name);
            if let Some(folder) = &self.plans {
                policy::write_plan(folder, &picture.name, &plan, network)?;
            }
            if let Some(folder) = &self.maps {
                Output::create(&folder.join(format!("{}.csv", picture.name)))?.write(&map_csv(&importance.map))?;
            }
        }
        output::print(&text)
    }

    /// Shapes that are judged: the 16 crops, and rectangles of `--precisions` or two defaults.
    fn shapes(&self) -> Result<Vec<Shape>, Failure> {
        Ok(match self.predictor.policy()?.shape {
            Shape::Edges => vec![Shape::Edges, Shape::Rectangles(vec![16, 0]), Shape::Rectangles(vec![16, 8, 4, 0])],
            chosen @ Shape::Rectangles(_) => vec![Shape::Edges, chosen],
        })
    }

    fn evaluate(&self, selected: &Selected, weights: &Weights, folder: &Path) -> Result<(), Failure> {
        let [csv, svg] = ["figure3.csv", "figure3.svg"].map(|name| Output::create(&folder.join(name)));
        let policies = self.shapes()?.into_iter().flat_map(|shape| {
            let policy = self.predictor.policy_of(shape);
            THRESHOLDS.map(|threshold| Policy { threshold, ..policy.clone() })
        });
        let curves = self.judge(selected, weights, policies.collect())?.curves();
        csv?.write(&evaluation::csv(&curves))?;
        svg?.write(&evaluation::plot(&curves).map_err(|error| Failure::Other(error.into()))?)?;
        output::print(&evaluation::csv(&curves))
    }

    fn tune(&self, selected: &Selected, weights: &Weights, folder: &Path) -> Result<(), Failure> {
        let csv = Output::create(&folder.join("tuning.csv"))?;
        let mut policies = Vec::new();
        for shape in self.shapes()? {
            let margins: &[f32] = if shape == Shape::Edges { &MARGINS[..1] } else { &MARGINS };
            for measure in Measure::ALL {
                for &margin in margins {
                    let policy = |threshold| Policy { measure, threshold, shape: shape.clone(), margin };
                    policies.extend(TRIED_THRESHOLDS.map(policy));
                }
            }
        }
        let tried = self.judge(selected, weights, policies)?.settings();
        csv.write(&tried.csv())?;
        output::print(&tried.best())
    }

    /// Answers all pictures under the 16 crops and under each policy.
    fn judge(&self, selected: &Selected, weights: &Weights, policies: Vec<Policy>) -> Result<Evaluation, Failure> {
        let loaded = self.pictures.load_labelled(&selected.network, "an evaluation")?;
        let calibrated = progress::during("reading weights", || weights.load(selected, &loaded))?;
        let (classifier, accelerator) = (calibrated.program(selected)?, accelerator(selected));
        let crops = inference::crops(&accelerator, &selected.plan)?;
        let judge = Judge { selected, classifier: &classifier, accelerator: &accelerator, crops: &crops };
        let mut evaluation = Evaluation::new(&crops, policies.clone());
        let bar = progress::bar("pictures", count(loaded.pictures.len()), 0);
        let Loaded { pictures, .. } = &loaded;
        let end = inference::in_order(
            pictures,
            processors(),
            |picture| judge.points(picture, &policies),
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
        warn_of_saturation(&selected.network, &classifier, &calibrated.ranges);
        Ok(evaluation)
    }
}

/// Sources of answers and their costs.
struct Judge<'a> {
    selected: &'a Selected,
    classifier: &'a Classifier,
    accelerator: &'a Accelerator<'a>,
    crops: &'a [Crop],
}

impl Judge<'_> {
    /// Results of a picture under each of the 16 crops, and under each policy.
    fn points(&self, picture: &Labelled, policies: &[Policy]) -> Result<(Vec<Point>, Vec<Point>), Failure> {
        let Judge { selected, classifier, accelerator, crops } = self;
        let (pixels, input) = picture.input(&selected.network)?;
        let label = picture.label.expect("labels were asked for");
        let answer = |plan: &Plan| {
            let cost = accelerator.cost(plan)?;
            let right = classifier.classify(plan, input.view(), &cost)?.is_right(label, 1);
            Ok::<_, inference::Error>(Point { energy_pj: cost.dynamic_pj, right })
        };
        let fixed: Vec<Point> = crops.iter().map(|crop| answer(&crop.plan)).collect::<Result<_, _>>()?;
        // Many policies use the same map, and many choose the same plan.
        let mut maps: Vec<(Measure, Importance)> = Vec::new();
        let mut known: Vec<(Plan, Point)> = crops.iter().map(|crop| crop.plan.clone()).zip(fixed.clone()).collect();
        let mut predicted = Vec::with_capacity(policies.len());
        for policy in policies {
            if !maps.iter().any(|(measure, _)| *measure == policy.measure) {
                maps.push((policy.measure, importance(pixels.view(), policy.measure)));
            }
            let (_, map) = maps.iter().find(|(measure, _)| *measure == policy.measure).expect("was just made");
            let (plan, mut operations) =
                policy.plan(&selected.network, &selected.plan, map).map_err(inference::Error::from)?;
            operations += map.operations;
            let mut point = if let Some((_, point)) = known.iter().find(|(known, _)| *known == plan) {
                *point
            } else {
                let point = answer(&plan)?;
                known.push((plan, point));
                point
            };
            point.energy_pj += policy::cost(&selected.arch, &operations).0;
            predicted.push(point);
        }
        Ok((fixed, predicted))
    }
}

/// Rows of the map as lines.
fn map_csv(map: &Array2<f32>) -> String {
    let line = |row: ndarray::ArrayView1<f32>| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n";
    map.rows().into_iter().map(line).collect()
}

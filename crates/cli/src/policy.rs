//! Policies: the choice of a plan for each picture.
//!
//! A picture is answered under no crop, the plan of the options, a predicted plan, or the oracle's crop. The base plan
//! decides the weights, and the activations outside of what the policy changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arch::Arch;
use clap::{Args, ValueEnum};
use document::Fault;
use inference::{Accelerator, Answer, Classifier, Cost, Crop};
use ndarray::Array3;
use network::{Edges, Network, Plan};
use predictor::{Measure, Operations, Policy, Shape};

use crate::calibration::{Calibration, warn_of_saturation};
use crate::failure::Failure;
use crate::output::Output;
use crate::pictures::{Loaded, Weights, accelerator};
use crate::selection::{Filling, Selected, Selection};

/// Choice of plans.
#[derive(Args)]
#[command(next_help_heading = "Choice of a plan")]
pub(crate) struct Choice {
    /// Choice of each picture's plan
    #[arg(long, value_enum, default_value_t)]
    pub(crate) policy: PolicyName,
    #[command(flatten)]
    pub(crate) predictor: Predictor,
}

impl Choice {
    /// Refuses a fixed crop together with a policy that ignores it.
    pub(crate) fn check(&self, selection: &Selection) -> Result<(), Fault> {
        match self.policy {
            PolicyName::Fixed => Ok(()),
            PolicyName::None => selection.refuse_crop("--policy none"),
            PolicyName::Predicted => selection.refuse_crop("--policy predicted"),
            PolicyName::Oracle => selection.refuse_crop("--policy oracle"),
        }
    }
}

/// Prediction of a plan from a picture.
#[derive(Args)]
#[command(next_help_heading = "Choice of a plan")]
pub(crate) struct Predictor {
    /// Part of a picture's importance that a predicted crop may take, 0 to 1 [default: 0.01; rectangles 0.2]
    #[arg(long, value_name = "PART", value_parser = part)]
    threshold: Option<f32>,
    /// Measure of the importance of a part of a picture [default: combined; rectangles entropy]
    #[arg(long, value_enum)]
    measure: Option<MeasureName>,
    /// Predict nested rectangles with these bits, falling, in place of one of the 16 crops: 16,0 or 16,8,4,0
    #[arg(long, value_name = "BITS,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=16))]
    precisions: Vec<u32>,
    /// Part of a picture's shorter side that rectangles keep around what is important, 0 to 1 [default: 0.125; of more
    /// than two precisions 0.167]
    #[arg(long, value_name = "PART", value_parser = part)]
    margin: Option<f32>,
}

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
pub(crate) enum PolicyName {
    /// No crop and no regions
    None,
    /// The plan of --crop or --plan
    #[default]
    Fixed,
    /// From the picture alone, by the importance of its parts
    Predicted,
    /// The crop with the least energy that leaves a right answer right
    Oracle,
}

#[derive(Clone, Copy, ValueEnum)]
enum MeasureName {
    /// Entropy of the grey levels
    Entropy,
    /// Change of each colour
    Gradient,
    /// Points of interest
    Interest,
    /// The mean of the three
    Combined,
}

impl From<MeasureName> for Measure {
    fn from(name: MeasureName) -> Measure {
        match name {
            MeasureName::Entropy => Measure::Entropy,
            MeasureName::Gradient => Measure::Gradient,
            MeasureName::Interest => Measure::Interest,
            MeasureName::Combined => Measure::Combined,
        }
    }
}

fn part(text: &str) -> Result<f32, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "give a number from 0 to 1".to_owned())
}

impl Predictor {
    /// The policy.
    pub(crate) fn policy(&self) -> Result<Policy, Fault> {
        let shape = match self.precisions[..] {
            [] => Shape::Edges,
            [_] => return Err(Fault::new("--precisions has a single number of bits", "give at least two, as in 16,0")),
            _ if !self.precisions.is_sorted_by(|inner, outer| inner > outer) => {
                return Err(Fault::new("--precisions do not fall", "give the most bits first, as in 16,8,4,0"));
            }
            _ => Shape::Rectangles(self.precisions.clone()),
        };
        Ok(self.policy_of(shape))
    }

    /// The policy for another shape than the one requested.
    pub(crate) fn policy_of(&self, shape: Shape) -> Policy {
        let tuned = Policy::tuned(shape);
        Policy {
            measure: self.measure.map_or(tuned.measure, Measure::from),
            threshold: self.threshold.unwrap_or(tuned.threshold),
            margin: self.margin.unwrap_or(tuned.margin),
            shape: tuned.shape,
        }
    }
}

/// The picture for which a command that simulates one plan chooses it.
#[derive(Args)]
#[command(next_help_heading = "Choice of a plan")]
pub(crate) struct PictureChoice {
    #[command(flatten)]
    choice: Choice,
    /// Picture to choose the plan for: a PNG, JPEG or npy file
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Number of the picture's class, for the oracle
    #[arg(long, value_name = "CLASS")]
    label: Option<usize>,
    /// Weights of the network, for the oracle
    #[arg(long, value_name = "SAFETENSORS|NPZ|ONNX")]
    weights_file: Option<PathBuf>,
    #[command(flatten)]
    calibration: Calibration,
}

impl PictureChoice {
    /// Loads the selection with the plan that the policy chooses, and the operations that chose it.
    pub(crate) fn load(
        &self,
        arch: Arch,
        selection: &Selection,
        filling: &Filling,
    ) -> Result<(Selected, Operations), Failure> {
        self.check()?;
        self.choice.check(selection)?;
        let mut selected = selection.load_filled(arch, filling)?;
        let operations = self.apply(&mut selected)?;
        Ok((selected, operations))
    }

    fn apply(&self, selected: &mut Selected) -> Result<Operations, Failure> {
        let Self { choice, image, label, weights_file, calibration } = self;
        let network = &selected.network;
        let mut operations = Operations::default();
        let (plan, name) = match (choice.policy, image) {
            (PolicyName::Fixed, _) => return Ok(operations),
            (PolicyName::Oracle, Some(image)) => {
                let loaded = Loaded::one(image, *label, network)?;
                let weights = weights_file.as_deref().expect("checked");
                let calibrated = Weights::of_file(weights, calibration).load(selected, &loaded)?;
                let classifier = calibrated.program(selected)?;
                let accelerator = accelerator(selected);
                let chooser = Chooser::new(choice, &selected.plan, &accelerator, &classifier)?;
                let (pixels, input) = loaded.pictures[0].input(network)?;
                let Chosen { plan, name, .. } = chooser.choose(&pixels, &input, *label)?;
                warn_of_saturation(network, &classifier, &calibrated.ranges);
                (plan, format!("oracle's {name}"))
            }
            (PolicyName::Predicted, Some(image)) => {
                let loaded = Loaded::one(image, None, network)?;
                let (pixels, _) = loaded.pictures[0].input(network)?;
                let (plan, deciding) = choice.predictor.policy()?.predict(network, &selected.plan, pixels.view())?;
                operations += deciding;
                let name = crop_name(network, &selected.plan, &plan);
                (plan, format!("predicted {}", name.unwrap_or_else(|| "rectangles".to_owned())))
            }
            _ => (without_regions(&selected.plan), "crop none".to_owned()),
        };
        selected.set_plan(plan, &name)?;
        Ok(operations)
    }

    /// Refuses missing options, and options without effect.
    fn check(&self) -> Result<(), Failure> {
        let Self { choice, image, label, weights_file, .. } = self;
        let given =
            [("--image", image.is_some()), ("--label", label.is_some()), ("--weights-file", weights_file.is_some())];
        let (name, needed): (&str, &[&str]) = match choice.policy {
            PolicyName::None => ("none", &[]),
            PolicyName::Fixed => ("fixed", &[]),
            PolicyName::Predicted => ("predicted", &["--image"]),
            PolicyName::Oracle => ("oracle", &["--image", "--label", "--weights-file"]),
        };
        let faults = given.into_iter().filter_map(|(option, given)| match (given, needed.contains(&option)) {
            (false, true) => {
                let problem = match option {
                    "--image" => format!("--policy {name} looks at a picture, and there is none"),
                    _ => format!("--policy {name} needs {option}"),
                };
                Some(Fault::new(problem, format!("give {}; `aquasim infer` takes many pictures", needed.join(", "))))
            }
            (true, false) => Some(Fault::new(
                format!("--policy {name} has no use for {option}"),
                format!("remove {option}, or give another --policy"),
            )),
            _ => None,
        });
        let faults: Vec<Fault> = faults.collect();
        if faults.is_empty() { Ok(()) } else { Err(Failure::User(faults.into())) }
    }
}

/// Name of the crop of `base` that a plan equals; `None` if it equals none of the 16.
fn crop_name(network: &Network, base: &Plan, plan: &Plan) -> Option<String> {
    let is_plan = |edges: &Edges| base.clone().crop(network, *edges).is_ok_and(|cropped| cropped == *plan);
    Edges::all().into_iter().find(is_plan).map(|edges| format!("crop {edges}"))
}

/// A plan for one picture, the answer under it, and their cost.
pub(crate) struct Chosen {
    /// Name of the plan.
    pub(crate) name: String,
    /// The plan.
    pub(crate) plan: Plan,
    /// Cost of a picture under the plan.
    pub(crate) cost: Arc<Cost>,
    /// The answer.
    pub(crate) answer: Answer,
    /// Operations that chose the plan.
    pub(crate) operations: Operations,
}

/// Answers pictures, each under its own plan.
pub(crate) struct Chooser<'a> {
    policy: PolicyName,
    predictor: Policy,
    base: &'a Plan,
    /// The 16 crops of the base plan; empty if the policy needs none.
    crops: Vec<Crop>,
    accelerator: &'a Accelerator<'a>,
    classifier: &'a Classifier,
}

impl<'a> Chooser<'a> {
    /// Prepares `choice` on top of a base plan.
    pub(crate) fn new(
        choice: &Choice,
        base: &'a Plan,
        accelerator: &'a Accelerator<'a>,
        classifier: &'a Classifier,
    ) -> Result<Self, Failure> {
        let predictor = choice.predictor.policy()?;
        let on_edges = match choice.policy {
            PolicyName::Oracle => true,
            PolicyName::Predicted => predictor.shape == Shape::Edges,
            PolicyName::None | PolicyName::Fixed => false,
        };
        let crops = if on_edges { inference::crops(accelerator, base)? } else { Vec::new() };
        Ok(Self { policy: choice.policy, predictor, base, crops, accelerator, classifier })
    }

    /// Chooses a plan for a picture (values from 0 to 1), and answers its input under that plan.
    pub(crate) fn choose(
        &self,
        pixels: &Array3<f32>,
        input: &Array3<f32>,
        label: Option<usize>,
    ) -> Result<Chosen, inference::Error> {
        let mut operations = Operations::default();
        let (plan, name) = match self.policy {
            PolicyName::None => (without_regions(self.base), "whole".to_owned()),
            PolicyName::Fixed => (self.base.clone(), "fixed".to_owned()),
            PolicyName::Predicted => {
                let (plan, deciding) = self.predictor.predict(self.accelerator.network(), self.base, pixels.view())?;
                operations += deciding;
                let crop = self.crops.iter().find(|crop| crop.plan == plan);
                let name = crop.map_or("rectangles".to_owned(), |crop| format!("crop {}", crop.edges));
                (plan, name)
            }
            PolicyName::Oracle => {
                let right = |crop: usize| {
                    let Crop { plan, cost, .. } = &self.crops[crop];
                    let answer = self.classifier.classify(plan, input.view(), cost)?;
                    Ok::<_, inference::Error>(label.is_some_and(|label| answer.is_right(label, 1)))
                };
                let crop = inference::oracle(&inference::energies(&self.crops), right)?;
                let Crop { plan, edges, .. } = &self.crops[crop];
                (plan.clone(), format!("crop {edges}"))
            }
        };
        let cost = self.accelerator.cost(&plan)?;
        let answer = self.classifier.classify(&plan, input.view(), &cost)?;
        Ok(Chosen { name, plan, cost, answer, operations })
    }
}

/// The plan without its regions; a layer that would be cropped altogether gets the most bits of its regions.
pub(crate) fn without_regions(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for layer in &mut plan.layers {
        let regions = layer.regions.drain(..).map(|region| region.bits);
        layer.activation_bits = regions.fold(layer.activation_bits, u32::max);
    }
    plan
}

/// Energy in pJ and time in ns of a predictor's operations on a machine.
pub(crate) fn cost(arch: &Arch, operations: &Operations) -> (f64, f64) {
    let edram_bits_per_ns = f64::from(8 * arch.edram.bytes_per_cycle) / arch.cycle_ns;
    (operations.energy_pj(arch.energy.edram.edram_bit.pj), operations.latency_ns(edram_bits_per_ns))
}

/// Writes the plan of a picture as a TOML file named after the picture.
pub(crate) fn write_plan(folder: &Path, picture: &str, plan: &Plan, network: &Network) -> Result<(), Failure> {
    Output::create(&folder.join(format!("{picture}.toml")))?.write(&plan.to_toml(network))
}

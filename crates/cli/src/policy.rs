//! Which plan each picture gets.

use std::sync::Arc;

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use document::Fault;
use inference::{Accelerator, Answer, Classifier, Cost, Crop};
use ndarray::Array3;
use network::Plan;
use predictor::{Measure, Operations, Policy, Shape, importance};

/// How plans are chosen.
#[derive(Args)]
pub struct Choice {
    /// How each picture gets its plan
    #[arg(long, value_enum, default_value_t)]
    pub policy: PolicyName,
    #[command(flatten)]
    pub predictor: Predictor,
}

/// How a plan is predicted from a picture.
#[derive(Args)]
pub struct Predictor {
    /// Part of a picture's importance that a predicted crop may take, 0 to 1
    #[arg(long, value_name = "PART", default_value_t = 0.02, value_parser = part)]
    pub threshold: f32,
    /// What makes a part of a picture important
    #[arg(long, value_enum, default_value_t)]
    pub measure: MeasureName,
    /// Predict nested rectangles with these bits, falling, in place of one of the 16 crops: 16,0 or 16,8,4,0
    #[arg(long, value_name = "BITS,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(0..=16))]
    pub precisions: Vec<u32>,
}

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
pub enum PolicyName {
    /// No crop and no regions
    None,
    /// What --crop or --plan says, for every picture
    #[default]
    Fixed,
    /// From the picture alone, by the importance of its parts
    Predicted,
    /// The crop with the least energy that leaves a right answer right; needs --labels
    Oracle,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum MeasureName {
    /// Entropy of the grey levels
    #[default]
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
    /// The policy, for another threshold if one is given.
    pub fn policy(&self, threshold: Option<f32>) -> Result<Policy, Fault> {
        let shape = match self.precisions[..] {
            [] => Shape::Edges,
            [_] => return Err(Fault::new("--precisions has a single number of bits", "give at least two, as in 16,0")),
            _ if !self.precisions.is_sorted_by(|inner, outer| inner > outer) => {
                return Err(Fault::new("--precisions do not fall", "give the most bits first, as in 16,8,4,0"));
            }
            _ => Shape::Rectangles(self.precisions.clone()),
        };
        Ok(Policy { threshold: threshold.unwrap_or(self.threshold), shape })
    }
}

/// A plan for one picture, the answer under it, and what both cost.
pub struct Chosen {
    /// What the plan is called.
    pub name: String,
    /// The plan.
    pub plan: Plan,
    /// What it costs.
    pub cost: Arc<Cost>,
    /// The answer.
    pub answer: Answer,
    /// What it took to choose the plan.
    pub operations: Operations,
}

/// Answers pictures, each under its own plan.
pub struct Chooser<'a> {
    policy: PolicyName,
    predictor: Policy,
    measure: Measure,
    base: &'a Plan,
    /// The 16 crops of the base plan, where they are needed.
    crops: Vec<Crop>,
    accelerator: &'a Accelerator<'a>,
    classifier: &'a Classifier,
}

impl<'a> Chooser<'a> {
    /// Prepares `choice` on top of a base plan.
    pub fn new(
        choice: &Choice,
        base: &'a Plan,
        accelerator: &'a Accelerator<'a>,
        classifier: &'a Classifier,
    ) -> Result<Self, Failure> {
        let predictor = choice.predictor.policy(None)?;
        let on_edges = match choice.policy {
            PolicyName::Oracle => true,
            PolicyName::Predicted => predictor.shape == Shape::Edges,
            PolicyName::None | PolicyName::Fixed => false,
        };
        let crops = if on_edges { inference::crops(accelerator, base)? } else { Vec::new() };
        let measure = choice.predictor.measure.into();
        Ok(Self { policy: choice.policy, predictor, measure, base, crops, accelerator, classifier })
    }

    /// Chooses a plan for a picture (values from 0 to 1), and answers its input under that plan.
    pub fn choose(
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
                let importance = importance(pixels.view(), self.measure);
                let (plan, deciding) = self.predictor.plan(self.accelerator.network(), self.base, &importance)?;
                operations += importance.operations;
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
                let Crop { plan, edges, .. } = &self.crops[inference::oracle(&self.crops, right)?];
                (plan.clone(), format!("crop {edges}"))
            }
        };
        let cost = self.accelerator.cost(&plan)?;
        let answer = self.classifier.classify(&plan, input.view(), &cost)?;
        Ok(Chosen { name, plan, cost, answer, operations })
    }
}

/// The plan without its regions; a layer that would be cropped altogether gets the most bits of its regions.
pub fn without_regions(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for layer in &mut plan.layers {
        layer.activation_bits = layer.stored_bits();
        layer.regions.clear();
    }
    plan
}

//! Weight sets: precisions of the weights of a network, by name.

use std::path::Path;

use document::{Fault, Faults, nearest};
use network::{FULL_PRECISION_BITS, Network, Plan, parse_weights};

/// 32-bit floating-point numbers. No crossbar can hold them: they have a tolerance of crops, but no energy.
pub(crate) const FLOAT: &str = "float";
/// 16 bits in every layer: the baseline.
pub(crate) const FIXED_16: &str = "16";
/// 11 to 13 bits in the convolutions of VGG16, 16 in its classifiers.
pub(crate) const VARIED: &str = "varied";
/// 12 bits in every layer.
pub(crate) const FIXED_12: &str = "12";

/// Weights of a network, quantised by rounding (section IV.A).
#[derive(Clone, Debug, PartialEq)]
pub struct WeightSet {
    name: String,
    /// Precision of every layer; `None` for floating-point numbers.
    plan: Option<Plan>,
}

impl WeightSet {
    /// Names of the paper's sets, in its order.
    pub const OF_PAPER: [&str; 4] = [FLOAT, FIXED_16, VARIED, FIXED_12];

    /// Reads the sets of a study: each a number of bits for all layers, `varied`, `float`, or the path of a plan file,
    /// whose set has the name of the file. The baseline comes first if `texts` do not have it.
    pub fn list(texts: &[String], network: &Network) -> Result<Vec<WeightSet>, Faults> {
        let mut sets: Vec<WeightSet> = Vec::new();
        for text in texts {
            let set = WeightSet::read(text, network)?;
            if sets.iter().any(|other| other.name == set.name) {
                let message = format!("the weight set {} is given twice", set.name);
                return Err(Fault::new(message, "remove one of the two, or rename its file").into());
            }
            sets.push(set);
        }
        if !sets.iter().any(|set| set.name == FIXED_16) {
            sets.insert(0, WeightSet::read(FIXED_16, network)?);
        }
        Ok(sets)
    }

    fn read(text: &str, network: &Network) -> Result<WeightSet, Faults> {
        if text == FLOAT {
            return Ok(WeightSet { name: text.to_owned(), plan: None });
        }
        if is_stated(text) {
            let bits = parse_weights(text, network)?;
            let name = text.parse().map_or(text.to_owned(), |bits: u64| bits.to_string());
            let plan = Plan::uniform(network, FULL_PRECISION_BITS, FULL_PRECISION_BITS).with_weights(&bits);
            return Ok(WeightSet { name, plan: Some(plan) });
        }
        // A name without the form of a path, and of no file, was meant as that of a set.
        if !text.contains(['/', '\\', '.']) && !Path::new(text).exists() {
            let known = "a set is a number of bits, varied, float, or the path of a plan file";
            let remedy = match nearest(text, [VARIED, FLOAT]) {
                Some(near) => format!("did you mean {near}? {known}"),
                None => known.to_owned(),
            };
            return Err(Fault::new(format!("there is no weight set or file called {text}"), remedy).into());
        }
        let plan = Plan::load(text, network)?;
        let name = Path::new(text).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == FLOAT || is_stated(&name) {
            let message = format!("the weight set of {text} would have the name {name}, which is that of another set");
            return Err(Fault::new(message, "rename the file").into());
        }
        Ok(WeightSet { name, plan: Some(plan) })
    }

    /// Name in options, traces and tables.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Precision of every layer without a crop; `None` for floating-point numbers.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// True if the paper has the set, so that its statements on the tolerance of crops hold.
    pub(crate) fn is_of_paper(&self) -> bool {
        WeightSet::OF_PAPER.contains(&self.name.as_str())
    }
}

/// True if the bits are stated by the name itself.
fn is_stated(name: &str) -> bool {
    name == VARIED || name.parse::<u64>().is_ok()
}

//! Ranges of activations: their record in results, and the TOML file that stores them.

use std::collections::BTreeMap;

use document::{Document, Faults};
use network::Network;
use numeric::InputRanges;
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest absolute values that are represented without saturation, and where they are from.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// Description of the pictures used for calibration.
    pub calibration: String,
    /// Fingerprint of the network and weights used for calibration.
    pub model: String,
    /// The ranges.
    pub inputs: InputRanges,
}

/// The TOML form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangesFile {
    calibration: String,
    model: String,
    layers: Vec<NamedRange>,
    #[serde(default)]
    merges: Vec<NamedRange>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamedRange {
    name: String,
    range: f64,
}

impl Ranges {
    /// Text of the file that [`Ranges::parse`] reads.
    pub fn to_toml(&self, network: &Network) -> String {
        let string = |text: &str| toml::Value::from(text);
        let mut text = format!(
            "# Largest absolute input of each layer and operand of each merge: what is larger saturates.\n\
             calibration = {}\nmodel = {}\n",
            string(&self.calibration),
            string(&self.model)
        );
        let layers = network.layers.iter().zip(&self.inputs.layers);
        let layers = layers.map(|(layer, range)| ("layers", &layer.name, range));
        let merges = self.inputs.merges.iter().map(|(node, range)| ("merges", node, range));
        for (list, name, range) in layers.chain(merges) {
            text += &format!("\n[[{list}]]\nname = {}\nrange = {range:?}\n", string(name));
        }
        text
    }

    /// Reads the ranges in `text`; faults name it `file`.
    ///
    /// # Errors
    /// If it is not of this form, or of another network or other weights than `model` was made of.
    pub fn parse(text: &str, file: &str, network: &Network, model: &str) -> Result<Ranges, Faults> {
        let mut document = Document::parse(text, file);
        let ranges = document.read::<RangesFile>().map(|found| found.checked(network, model, &mut document));
        document.finish(ranges)
    }
}

impl RangesFile {
    fn checked(self, network: &Network, model: &str, document: &mut Document) -> Ranges {
        let anew = "calibrate with this network and these weights, and --save-ranges";
        let names = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
        let merges = InputRanges::zero(network).merges;
        let lists = [
            ("layers", &self.layers, names(&mut network.layers.iter().map(|layer| layer.name.as_str()))),
            ("merges", &self.merges, names(&mut merges.keys().map(String::as_str))),
        ];
        let mut is_other = false;
        for (list, ranges, needed) in lists {
            let found = names(&mut ranges.iter().map(|range| range.name.as_str()));
            if found != needed {
                is_other = true;
                let problem = format!("the {list} are {found}, and those of {} are {needed}", network.name);
                document.fault(&[list], problem, anew);
            }
            for (index, NamedRange { range, .. }) in ranges.iter().enumerate() {
                if *range < 0.0 || !single(*range).is_finite() {
                    let path = format!("{list}[{index}].range");
                    document.fault(&[&path], format!("{range} is no range"), "give a finite number of 0 or more");
                }
            }
        }
        if !is_other && self.model != model {
            document.fault(&["model"], "these ranges were found with other weights or another network file", anew);
        }
        let layers = self.layers.iter().map(|layer| single(layer.range)).collect();
        let merges: BTreeMap<_, _> = self.merges.into_iter().map(|merge| (merge.name, single(merge.range))).collect();
        Ranges { calibration: self.calibration, model: self.model, inputs: InputRanges { layers, merges } }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "ranges are in single precision")]
fn single(range: f64) -> f32 {
    range as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_back_as_they_were_written_and_refused_elsewhere() {
        let network = network::load("tiny").unwrap();
        let layers = vec![0.0, 1.0, 2.117_904, 1e-30, f32::MAX];
        let inputs = InputRanges { layers, ..InputRanges::default() };
        let ranges = Ranges { calibration: "3 of \"7\"".to_owned(), model: "a1".to_owned(), inputs };
        let text = ranges.to_toml(&network);
        assert_eq!(Ranges::parse(&text, "r.toml", &network, "a1").unwrap(), ranges);
        let refused = |text: &str, model: &str| {
            let faults = Ranges::parse(text, "r.toml", &network, model).unwrap_err();
            faults.iter().map(|fault| fault.message().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(refused(&text, "b2"), ["these ranges were found with other weights or another network file"]);
        assert_eq!(refused(&text.replace("1.0", "-1.0"), "a1"), ["-1 is no range"]);
        assert!(refused(&text.replace("fc4", "fc9"), "a1")[0].starts_with("the layers are conv1, "));
        assert_eq!(refused(&text.replace("range = 1.0", "width = 1.0"), "a1").len(), 2);
    }
}

//! Ranges of activations: their record in results, and the TOML file that stores them.

use document::{Document, Faults};
use network::Network;
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest absolute input of each layer that is represented without saturation.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// Description of the pictures used for calibration.
    pub calibration: String,
    /// Fingerprint of the network and weights used for calibration.
    pub model: String,
    /// One for each layer.
    pub layers: Vec<f32>,
}

/// The TOML form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangesFile {
    calibration: String,
    model: String,
    layers: Vec<LayerRange>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LayerRange {
    name: String,
    range: f64,
}

impl Ranges {
    /// Text of the file that [`Ranges::parse`] reads.
    pub fn to_toml(&self, network: &Network) -> String {
        let string = |text: &str| toml::Value::from(text);
        let mut text = format!(
            "# Largest absolute input of each layer: what is larger saturates.\ncalibration = {}\nmodel = {}\n",
            string(&self.calibration),
            string(&self.model)
        );
        for (layer, range) in network.layers.iter().zip(&self.layers) {
            text += &format!("\n[[layers]]\nname = {}\nrange = {range:?}\n", string(&layer.name));
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
    #[expect(clippy::cast_possible_truncation, reason = "ranges are in single precision")]
    fn checked(self, network: &Network, model: &str, document: &mut Document) -> Ranges {
        let anew = "calibrate with this network and these weights, and --save-ranges";
        let names = |layers: &mut dyn Iterator<Item = &str>| layers.collect::<Vec<_>>().join(", ");
        let found = names(&mut self.layers.iter().map(|layer| layer.name.as_str()));
        let needed = names(&mut network.layers.iter().map(|layer| layer.name.as_str()));
        if found != needed {
            let problem = format!("the layers are {found}, and those of {} are {needed}", network.name);
            document.fault(&["layers"], problem, anew);
        } else if self.model != model {
            document.fault(&["model"], "these ranges were found with other weights or another network file", anew);
        }
        for (index, LayerRange { range, .. }) in self.layers.iter().enumerate() {
            if *range < 0.0 || !(*range as f32).is_finite() {
                let path = format!("layers[{index}].range");
                document.fault(&[&path], format!("{range} is no range"), "give a finite number of 0 or more");
            }
        }
        let layers = self.layers.iter().map(|layer| layer.range as f32).collect();
        Ranges { calibration: self.calibration, model: self.model, layers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_back_as_they_were_written_and_refused_elsewhere() {
        let network = network::load("tiny").unwrap();
        let layers = vec![0.0, 1.0, 2.117_904, 1e-30, f32::MAX];
        let ranges = Ranges { calibration: "3 of \"7\"".to_owned(), model: "a1".to_owned(), layers };
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

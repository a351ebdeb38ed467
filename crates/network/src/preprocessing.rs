//! Preprocessing of image files into inputs of a network.

use document::Document;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Shape;

/// Steps that turn an image file into an input, in this order: its shorter side is scaled, the middle is cut out, and
/// each channel, with values from 0 to 1, is normalised.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Pixels to which the shorter side is scaled; pictures are taken as they are if it is not given.
    #[schemars(range(min = 1, max = 16384))]
    pub resize: Option<u32>,
    /// Cut the size of the network's input out of the middle, with zeros around smaller pictures. Otherwise pictures
    /// must have that size.
    #[serde(default)]
    pub centre_crop: bool,
    /// Subtracted from each channel; one value for each, or none for 0.
    #[serde(default)]
    pub mean: Vec<f32>,
    /// Divisor of each channel after that; one value for each, or none for 1.
    #[serde(default)]
    pub std: Vec<f32>,
}

impl Preprocessing {
    /// Reports the values that do not fit the network's input.
    pub(crate) fn check(&self, input: Shape, document: &mut Document) {
        let Shape { height, width, channels } = input;
        for (key, values) in [("mean", &self.mean), ("std", &self.std)] {
            if !values.is_empty() && values.len() != index::size(channels) {
                document.fault(
                    &[&format!("preprocessing.{key}"), "input"],
                    format!("{key} has {} values for {channels} channels", values.len()),
                    "give one value for each channel of the input",
                );
            }
        }
        if self.std.iter().any(|&std| !std.is_finite() || std <= 0.0) {
            document.fault(&["preprocessing.std"], "a channel cannot be divided by this", "give numbers above 0");
        }
        if self.resize.is_some_and(|side| side < height.max(width)) {
            document.fault(
                &["preprocessing.resize", "input"],
                format!("pictures are scaled to less than the network's input, {height} x {width}"),
                format!("scale the shorter side to at least {}", height.max(width)),
            );
        }
    }

    /// Returns the table of a network file; empty if nothing is done.
    pub(crate) fn to_toml(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let resize = self.resize.map(|side| format!("resize = {side}\n")).unwrap_or_default();
        let list = |key: &str, values: &[f32]| match values {
            [] => String::new(),
            values => format!("{key} = {values:?}\n"),
        };
        let crop = if self.centre_crop { "centre_crop = true\n" } else { "" };
        format!("\n[preprocessing]\n{resize}{crop}{}{}", list("mean", &self.mean), list("std", &self.std))
    }

    /// Returns the mean and the standard deviation of a channel: (x - mean) / std is its input. 0 and 1 by default.
    pub fn mean_and_std(&self, channel: usize) -> (f32, f32) {
        let or = |values: &[f32], default| values.get(channel).copied().unwrap_or(default);
        (or(&self.mean, 0.0), or(&self.std, 1.0))
    }
}

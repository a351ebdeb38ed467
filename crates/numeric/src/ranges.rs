//! Ranges of the values that are quantised.

use std::collections::BTreeMap;

use network::{Network, Operation};

use crate::error::{Error, check_layers};

/// Largest absolute values that are represented without saturation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputRanges {
    /// Of the input of each layer.
    pub layers: Vec<f32>,
    /// Of the operands that tiles merge, by the node of the network that is merged.
    pub merges: BTreeMap<String, f32>,
}

impl InputRanges {
    /// Returns ranges of zero for everything that is quantised in `network`.
    pub fn zero(network: &Network) -> Self {
        let merges = merges(network).map(|name| (name.to_owned(), 0.0)).collect();
        Self { layers: vec![0.0; network.layers.len()], merges }
    }

    /// Raises each range to that of `other`, if that is larger.
    pub fn widen(&mut self, other: &Self) {
        self.layers.iter_mut().zip(&other.layers).for_each(|(range, other)| *range = range.max(*other));
        for (name, other) in &other.merges {
            let range = self.merges.entry(name.clone()).or_default();
            *range = range.max(*other);
        }
    }

    /// Checks that there is a range for everything that is quantised in `network`.
    pub(crate) fn check(&self, network: &Network) -> Result<(), Error> {
        check_layers("input ranges", self.layers.len(), network)?;
        match merges(network).find(|name| !self.merges.contains_key(*name)) {
            None => Ok(()),
            Some(name) => Err(Error::MissingRange { node: name.to_owned() }),
        }
    }
}

/// Nodes whose operands are merged; some more than once.
fn merges(network: &Network) -> impl Iterator<Item = &str> {
    let stages = network.maps.iter().flat_map(|map| &map.stages);
    stages.filter(|stage| matches!(stage.operation, Operation::Add(_))).map(|stage| stage.name.as_str())
}

/// The largest absolute value of some.
pub(crate) fn largest<'a>(values: impl IntoIterator<Item = &'a f32>) -> f32 {
    values.into_iter().fold(0f32, |most, value| most.max(value.abs()))
}

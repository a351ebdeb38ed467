//! Axes, dimensions and points of a grid.
//!
//! An axis is a key with its values. Axes that are zipped share a dimension; every other axis has its own. A point is a
//! number in mixed radix: one digit for each dimension, the first of which varies slowest.

use std::collections::HashMap;
use std::str::FromStr;

use document::Fault;
use index::{count, size};
use serde::{Deserialize, Serialize};

use crate::Cell;

/// Key of the sweep file with its values: one value for all points, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Key in the sweep file, and heading of its column in the tables.
    pub(crate) key: String,
    /// Values.
    pub(crate) values: Vec<Cell>,
    /// Hash of the file that each value names; empty if the values name no files.
    pub(crate) hashes: Vec<String>,
    /// Index of its dimension in [`Grid::dimensions`].
    pub(crate) dimension: usize,
}

/// Dimension of a grid: one axis, or several whose values advance together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dimension {
    /// First step with the same meaning, for each step.
    same_as: Vec<usize>,
}

impl Dimension {
    /// Creates the dimension whose steps have these `meanings`. Equal texts are equal meanings.
    pub(crate) fn new(meanings: impl IntoIterator<Item = String>) -> Dimension {
        let mut first = HashMap::new();
        let steps = meanings.into_iter().enumerate();
        Dimension { same_as: steps.map(|(step, meaning)| *first.entry(meaning).or_insert(step)).collect() }
    }
}

/// Points of a sweep: a pure value, equal for two runs of the same sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Version of the program.
    pub(crate) tool_version: String,
    /// True if points are simulated; otherwise only figures derived from their machines are stated.
    pub(crate) simulated: bool,
    /// Keys and their values.
    pub(crate) axes: Vec<Axis>,
    /// Dimensions: every step of one is combined with every step of the others. The first varies slowest.
    pub(crate) dimensions: Vec<Dimension>,
}

impl Grid {
    /// Returns the number of points; `None` if it exceeds 64 bits.
    pub(crate) fn points(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1, |points: u64, dimension| points.checked_mul(count(dimension.same_as.len())))
    }

    /// Returns the index of the value of `point` on each axis.
    pub(crate) fn indices(&self, point: u64) -> Vec<usize> {
        let steps = self.steps(point);
        let index = |axis: &Axis| if axis.values.len() > 1 { steps[axis.dimension] } else { 0 };
        self.axes.iter().map(index).collect()
    }

    /// Returns the point that is simulated in place of `point`: itself, or another one with the same meaning.
    pub(crate) fn original(&self, point: u64) -> u64 {
        let mut steps = self.steps(point);
        steps.iter_mut().zip(&self.dimensions).for_each(|(step, dimension)| *step = dimension.same_as[*step]);
        // Without a crop, balancing for the crop is balancing for the whole map.
        if let (Some(crop), Some(rebalance)) = (self.axis("crop"), self.axis("rebalance"))
            && crop.dimension != rebalance.dimension
            && crop.values[if crop.values.len() > 1 { steps[crop.dimension] } else { 0 }] == Cell::from("none")
            && rebalance.values.len() == self.dimensions[rebalance.dimension].same_as.len()
            && self.axes.iter().filter(|axis| axis.dimension == rebalance.dimension).count() == 1
            && let Some(whole) = rebalance.values.iter().position(|value| *value == Cell::Boolean(false))
        {
            steps[rebalance.dimension] = whole;
        }
        let lengths = self.dimensions.iter().map(|dimension| count(dimension.same_as.len()));
        lengths.zip(steps).fold(0, |point, (length, step)| point * length + count(step))
    }

    /// Returns the step of `point` in each dimension.
    fn steps(&self, point: u64) -> Vec<usize> {
        let mut rest = point;
        let mut steps = vec![0; self.dimensions.len()];
        for (dimension, step) in self.dimensions.iter().zip(&mut steps).rev() {
            let length = count(dimension.same_as.len());
            (*step, rest) = (size(rest % length), rest / length);
        }
        steps
    }

    fn axis(&self, key: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.key == key)
    }
}

/// Shard of a sweep: every `of`-th point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Number of the shard, from 1.
    pub index: u64,
    /// Number of shards.
    pub of: u64,
}

impl Shard {
    /// Whole sweep as one shard.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// True if `point` belongs to this shard.
    pub(crate) fn has(self, point: u64) -> bool {
        point % self.of == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Shard, Fault> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
            _ => Err(Fault::new(
                format!("there is no shard {text}"),
                "give two whole numbers I/N, with I from 1 to N: 1/4 is the first of four parts",
            )),
        }
    }
}

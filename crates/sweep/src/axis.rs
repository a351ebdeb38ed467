use std::collections::HashMap;
use std::str::FromStr;

use document::Fault;
use serde::{Deserialize, Serialize};

use crate::Cell;

/// What varies from point to point, or stays the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Key of the sweep file, and column of the tables.
    pub key: String,
    /// Its values.
    pub values: Vec<Cell>,
    /// For each value the hash of the file that it names; empty if the values name no files.
    pub hashes: Vec<String>,
    /// Which of [`Grid::dimensions`] it belongs to.
    pub dimension: usize,
}

/// One axis, or several whose values go together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// For each of its steps the first one that means the same.
    pub same_as: Vec<usize>,
}

impl Dimension {
    /// The dimension whose steps have these `meanings`.
    pub fn new(meanings: impl IntoIterator<Item = String>) -> Dimension {
        let mut first = HashMap::new();
        let steps = meanings.into_iter().enumerate();
        Dimension { same_as: steps.map(|(step, meaning)| *first.entry(meaning).or_insert(step)).collect() }
    }
}

/// The points of a sweep: a pure value, which two runs of the same sweep have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Version of the program.
    pub tool_version: String,
    /// Points are simulated, and not only described by what follows from their machine.
    pub simulated: bool,
    /// The keys and their values.
    pub axes: Vec<Axis>,
    /// What is combined: every step of one with every step of the others. The first varies slowest.
    pub dimensions: Vec<Dimension>,
}

impl Grid {
    /// Number of points; `None` if they are too many to be counted.
    pub fn points(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1, |points: u64, dimension| points.checked_mul(dimension.same_as.len() as u64))
    }

    /// For each axis, which of its values `point` has.
    pub fn indices(&self, point: u64) -> Vec<usize> {
        let steps = self.steps(point);
        let index = |axis: &Axis| if axis.values.len() > 1 { steps[axis.dimension] } else { 0 };
        self.axes.iter().map(index).collect()
    }

    /// The first point that means the same as `point`: the one that is simulated.
    pub fn original(&self, point: u64) -> u64 {
        let mut steps = self.steps(point);
        steps.iter_mut().zip(&self.dimensions).for_each(|(step, dimension)| *step = dimension.same_as[*step]);
        // Without a crop, replicas balanced for it are those balanced for the whole map.
        if let (Some(crop), Some(rebalance)) = (self.axis("crop"), self.axis("rebalance"))
            && crop.dimension != rebalance.dimension
            && crop.values[if crop.values.len() > 1 { steps[crop.dimension] } else { 0 }] == Cell::from("none")
            && rebalance.values.len() == self.dimensions[rebalance.dimension].same_as.len()
            && self.axes.iter().filter(|axis| axis.dimension == rebalance.dimension).count() == 1
            && let Some(whole) = rebalance.values.iter().position(|value| *value == Cell::Boolean(false))
        {
            steps[rebalance.dimension] = whole;
        }
        let lengths = self.dimensions.iter().map(|dimension| dimension.same_as.len() as u64);
        lengths.zip(steps).fold(0, |point, (length, step)| point * length + step as u64)
    }

    /// Which step of each dimension `point` is.
    fn steps(&self, point: u64) -> Vec<usize> {
        let mut rest = point;
        let mut steps = vec![0; self.dimensions.len()];
        for (dimension, step) in self.dimensions.iter().zip(&mut steps).rev() {
            let length = dimension.same_as.len() as u64;
            (*step, rest) = ((rest % length) as usize, rest / length);
        }
        steps
    }

    fn axis(&self, key: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.key == key)
    }
}

/// A part of a sweep: every `of`-th point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u64,
    /// How many parts there are.
    pub of: u64,
}

impl Shard {
    /// The whole sweep.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// Whether `point` belongs to this part.
    pub fn has(self, point: u64) -> bool {
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

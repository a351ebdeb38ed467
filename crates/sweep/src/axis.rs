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
    /// For each value the first one that means the same.
    pub same_as: Vec<usize>,
    /// For each value the hash of the file that it names; empty if the values name no files.
    pub hashes: Vec<String>,
}

impl Axis {
    /// For each of `meanings` the first that is equal.
    pub fn first_equals(meanings: impl IntoIterator<Item = String>) -> Vec<usize> {
        let mut first = HashMap::new();
        meanings.into_iter().enumerate().map(|(index, meaning)| *first.entry(meaning).or_insert(index)).collect()
    }
}

/// The points of a sweep: a pure value, which two runs of the same sweep have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Version of the program.
    pub tool_version: String,
    /// The first axis varies slowest.
    pub axes: Vec<Axis>,
    /// Axes of several values go together, value by value, in place of a full grid.
    pub zipped: bool,
    /// Points are simulated, and not only described by what follows from their machine.
    pub simulated: bool,
    /// For each row of a zipped sweep the first one that means the same.
    pub same_rows: Vec<u64>,
}

impl Grid {
    /// Number of points; `None` if they are too many to be counted.
    pub fn points(&self) -> Option<u64> {
        let mut lengths = self.axes.iter().map(|axis| axis.values.len() as u64);
        if self.zipped { lengths.max() } else { lengths.try_fold(1, u64::checked_mul) }
    }

    /// For each axis, which of its values `point` has.
    pub fn indices(&self, point: u64) -> Vec<usize> {
        if self.zipped {
            return self.axes.iter().map(|axis| if axis.values.len() > 1 { point as usize } else { 0 }).collect();
        }
        let mut rest = point;
        let mut indices = vec![0; self.axes.len()];
        for (axis, index) in self.axes.iter().zip(&mut indices).rev() {
            let length = axis.values.len() as u64;
            (*index, rest) = ((rest % length) as usize, rest / length);
        }
        indices
    }

    /// The first point that means the same as `point`: the one that is simulated.
    pub fn original(&self, point: u64) -> u64 {
        if self.zipped {
            return self.same_rows[point as usize];
        }
        let originals = self.axes.iter().zip(self.original_indices(point));
        originals.fold(0, |original, (axis, index)| original * axis.values.len() as u64 + index as u64)
    }

    /// The indices of the values that those of `point` mean the same as.
    pub(crate) fn original_indices(&self, point: u64) -> Vec<usize> {
        let mut indices = self.indices(point);
        indices.iter_mut().zip(&self.axes).for_each(|(index, axis)| *index = axis.same_as[*index]);
        let place = |key: &str| self.axes.iter().position(|axis| axis.key == key);
        // Without a crop, copies balanced for it are those balanced for the whole map.
        if let (Some(crop), Some(rebalance)) = (place("crop"), place("rebalance"))
            && self.axes[crop].values[indices[crop]] == Cell::from("none")
            && let Some(whole) = self.axes[rebalance].values.iter().position(|value| *value == Cell::Boolean(false))
        {
            indices[rebalance] = whole;
        }
        indices
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

//! Tolerance of images to cropping, and the energy of the oracle that follows from it.
//!
//! A tolerance is a distribution of images over the 16 crops. It is counted from a trace, or reconstructed from the
//! few statements of the paper as the distribution of maximum entropy that meets them.

use crate::crops::{CROPS, SIZES, crops, means_by_size};
use crate::published::Statement;

/// No distribution over the sizes of crops meets the statements.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "no distribution over 0 to 4 cuts has a mean energy of {mean:.4} with {original:.2} of the images uncropped: \
     it can be from {least:.4} to {most:.4}"
)]
pub struct Infeasible {
    mean: f64,
    original: f64,
    least: f64,
    most: f64,
}

/// Images over which a mean is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// Those that are classified right without a crop.
    Right,
    /// All.
    All,
}

impl Population {
    /// Both.
    pub(crate) const ALL: [Population; 2] = [Population::Right, Population::All];

    /// Name in columns.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Population::Right => "right",
            Population::All => "all",
        }
    }
}

/// Crops that the images tolerate: the share of images that get each crop.
///
/// An image gets the largest crop under which it is still classified right; one that is classified wrongly without a
/// crop gets none (section IV). Of several crops of that size it may get any, and these are averaged over.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// Share of all images that are classified right without a crop.
    pub accuracy: f64,
    /// Of these, the share by the number of cuts that they tolerate.
    pub shares: [f64; SIZES],
    /// Of these, the share that gets each crop, in the order of Table I.
    pub crops: [f64; CROPS],
    /// Share of all images classified right when all get the same crop, in the order of Table I; unknown where the
    /// distribution is reconstructed.
    pub fixed: Option<[f64; CROPS]>,
}

impl Tolerance {
    /// Counts images; an item is true for each crop under which the image is classified right, in the order of Table I.
    /// `None` if no image is right without a crop, since the shares are of those that are.
    pub fn count(images: impl Iterator<Item = [bool; CROPS]>) -> Option<Tolerance> {
        let sizes = crops().map(network::Edges::count);
        let (mut shares, mut gets, mut right, mut total) = ([0.0; SIZES], [0.0; CROPS], [0.0; CROPS], 0.0);
        for correct in images {
            total += 1.0;
            right.iter_mut().zip(correct).filter(|(_, correct)| *correct).for_each(|(right, _)| *right += 1.0);
            let tolerated = || (0..CROPS).filter(|&crop| correct[0] && correct[crop]);
            let Some(largest) = tolerated().map(|crop| sizes[crop]).max() else { continue };
            let equal: Vec<usize> = tolerated().filter(|&crop| sizes[crop] == largest).collect();
            shares[largest] += 1.0;
            for &crop in &equal {
                gets[crop] += 1.0 / equal.len() as f64;
            }
        }
        (right[0] > 0.0).then(|| Tolerance {
            accuracy: right[0] / total,
            shares: shares.map(|images| images / right[0]),
            crops: gets.map(|images| images / right[0]),
            fixed: Some(right.map(|images| images / total)),
        })
    }

    /// The distribution of maximum entropy over 0 to 4 cuts that meets the paper's statements, for these energies of
    /// the crops relative to no crop. Of all that meet them it assumes the least. Crops of one size are equally likely.
    pub fn reconstruct(stated: &Statement, energies: &[f64; CROPS]) -> Result<Tolerance, Infeasible> {
        let sizes = means_by_size(energies);
        let left = 1.0 - stated.original;
        let sum = stated.mean_energy - stated.original * sizes[0];
        let infeasible = |least: f64, most: f64| Infeasible {
            mean: stated.mean_energy,
            original: stated.original,
            least: stated.original + least,
            most: stated.original + most,
        };
        let free = boltzmann(&sizes[1..], left, sum).ok_or_else(|| infeasible(left * sizes[4], left * sizes[1]))?;
        let mut shares = [stated.original, free[0], free[1], free[2], free[3]];
        if shares[4] < stated.four_cuts {
            // The bound is active: entropy is concave, so its maximum lies on the bound.
            let (left, sum) = (left - stated.four_cuts, sum - stated.four_cuts * sizes[4]);
            let at_bound = stated.four_cuts * sizes[4];
            let rest = boltzmann(&sizes[1..4], left, sum)
                .ok_or_else(|| infeasible(at_bound + left * sizes[3], at_bound + left * sizes[1]))?;
            shares = [stated.original, rest[0], rest[1], rest[2], stated.four_cuts];
        }
        let mut equal = [0.0; SIZES];
        for edges in crops() {
            equal[edges.count()] += 1.0;
        }
        let crops = crops().map(|edges| shares[edges.count()] / equal[edges.count()]);
        Ok(Tolerance { accuracy: stated.accuracy, shares, crops, fixed: None })
    }

    /// Mean energy of an image under the oracle, for these energies of the crops.
    pub fn oracle_energy(&self, energies: &[f64; CROPS], population: Population) -> f64 {
        let right: f64 = self.crops.iter().zip(energies).map(|(share, energy)| share * energy).sum();
        match population {
            Population::Right => right,
            Population::All => self.accuracy * right + (1.0 - self.accuracy) * energies[0],
        }
    }
}

/// Upper bound on the oracle's saving over all images, relative to no crop, whatever the images tolerate one by one:
/// from the share of images that are right under each crop, and its energy.
///
/// Only images that are right without a crop are cropped. Those of them that tolerate four cuts are no more than four
/// cuts leave right; the others save no more than the best smaller crop.
pub fn most_saving(accuracies: &[f64; CROPS], energies: &[f64; CROPS]) -> f64 {
    let saving = |crop: usize| 1.0 - energies[crop] / energies[0];
    let (all_edges, smaller) = (CROPS - 1, (0..CROPS - 1).map(saving).fold(0.0, f64::max));
    let four_cuts = accuracies[all_edges].min(accuracies[0]);
    four_cuts * saving(all_edges).max(smaller) + (accuracies[0] - four_cuts) * smaller
}

/// Shares of maximum entropy that add up to `total` and whose `energies` have the weighted sum `sum`: shares in
/// proportion to exp(-beta x energy). `None` if no shares do.
fn boltzmann(energies: &[f64], total: f64, sum: f64) -> Option<Vec<f64>> {
    let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
    let most = energies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !(least * total < sum && sum < most * total) {
        return None;
    }
    let shares = |beta: f64| {
        // Relative to the least (greatest) energy, so that no power overflows.
        let base = if beta > 0.0 { least } else { most };
        let weights: Vec<f64> = energies.iter().map(|energy| (-beta * (energy - base)).exp()).collect();
        let scale = total / weights.iter().sum::<f64>();
        weights.into_iter().map(|weight| weight * scale).collect::<Vec<f64>>()
    };
    // The weighted sum falls with beta, which is bisected to the last bit.
    let (mut low, mut high) = (-1e5, 1e5);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        let at_middle: f64 = shares(middle).iter().zip(energies).map(|(share, energy)| share * energy).sum();
        if at_middle > sum { low = middle } else { high = middle }
    }
    Some(shares(high))
}

//! Rows of the tables and figures, from the runs of a study and the tolerance of images.
//!
//! A field is a column of the CSV file of the same table. Relative energies are relative to 16-bit weights without a
//! crop; shares are from 0 to 1, percentages say so in their names.

use network::Edges;
use serde::Serialize;

use crate::crops::{CROPS, bits, crops};
use crate::published::{self, TABLE_I};
use crate::study::{Job, Measured};
use crate::tolerance::{Population, Tolerance};
use crate::trace::Top;
use crate::weights::{FIXED_16, WeightSet};

/// Table I: every image gets the same crop; 16-bit weights.
#[derive(Clone, Debug, Serialize)]
pub struct Table1Row {
    /// Number of cuts.
    pub cuts: usize,
    /// The crop: top, bottom, left, right.
    pub cut: String,
    /// Dynamic energy relative to no crop.
    pub relative_energy: f64,
    /// The same, as printed.
    pub printed_relative_energy: f64,
    /// ADC conversions relative to no crop.
    pub relative_conversions: f64,
    /// Multiply-accumulates relative to no crop.
    pub relative_macs: f64,
    /// Dynamic energy of an image, mJ.
    pub(crate) energy_mj: f64,
    /// Cycles from the start to the last result of an image alone on the machine.
    pub(crate) latency_cycles: u64,
    /// Cycles from one image to the next; `None` if they do not settle.
    pub cycles_per_image: Option<f64>,
    /// Images per second at these cycles per image; `None` if they do not settle.
    pub images_per_second: Option<f64>,
    /// Top-1 accuracy printed in the paper, percent.
    pub(crate) printed_top1_percent: f64,
    /// Top-5 accuracy printed in the paper, percent.
    pub(crate) printed_top5_percent: f64,
}

/// Captured throughput: the part of the work saved by a crop that becomes throughput.
#[derive(Clone, Debug, Serialize)]
pub struct ThroughputRow {
    /// Number of cuts.
    pub cuts: usize,
    /// The crop: top, bottom, left, right.
    pub cut: String,
    /// True if the replicas are balanced for the crop, false if for the whole map.
    pub rebalanced: bool,
    /// Cycles from one image to the next; `None` if they do not settle.
    pub cycles_per_image: Option<f64>,
    /// Cycles of no crop over cycles of this one.
    pub speed_up: Option<f64>,
    /// Multiply-accumulates of no crop over those of this one.
    pub work_reduction: f64,
    /// Speed-up over work reduction: 1 if all of the saved work becomes throughput.
    pub captured_share: Option<f64>,
    /// Resource that an image needs longest, which sets the pace.
    pub bottleneck: String,
    /// Layers whose crossbars it is, or the layer that needs most of the shared resource.
    pub(crate) bottleneck_layer: String,
    /// Share of the resource that they need, 0 to 1.
    pub(crate) bottleneck_layer_share: f64,
    /// Cycles for which an image needs the resource.
    pub bottleneck_cycles: f64,
    /// Cycles in which the replica with the most windows reads its crossbars for one image: the pace if no shared
    /// resource were a limit.
    pub crossbar_cycles: u64,
    /// True if other places of the replicas may lower the cycles.
    #[serde(skip)]
    pub(crate) is_of_placement: bool,
}

/// Figure 3: energy against accuracy.
#[derive(Clone, Debug, Serialize)]
pub struct Figure3Row {
    /// `fixed` crop for all images, or `oracle`.
    pub policy: &'static str,
    /// The crop: top, bottom, left, right; empty for the oracle.
    pub cut: String,
    /// Criterion of a right classification.
    pub top: &'static str,
    /// Images that the energy is a mean over: `all`, or `right` without a crop, as the paper's savings are.
    pub energy_population: &'static str,
    /// Dynamic energy relative to no crop.
    pub relative_energy: f64,
    /// Images classified right, percent of all.
    pub(crate) accuracy_percent: f64,
    /// Source of the accuracy: `printed` or `trace`.
    pub(crate) accuracy_from: &'static str,
    /// Source of the oracle's crops: `trace` or `reconstructed`; empty for fixed crops.
    pub tolerance_from: &'static str,
}

/// Figure 4: images that are right without a crop, by the largest crop that they tolerate.
#[derive(Clone, Debug, Serialize)]
pub struct Figure4Row {
    /// Weight set.
    pub weights: String,
    /// Criterion of a right classification.
    pub top: &'static str,
    /// Share of all images that are right without a crop, 0 to 1. Reconstructed: Table I's, of 16-bit weights.
    pub accuracy: f64,
    /// Number of cuts.
    pub cuts: usize,
    /// Share of the images that are right without a crop, 0 to 1.
    pub share: f64,
    /// Source of the tolerance: `trace` or `reconstructed`.
    pub tolerance_from: &'static str,
}

/// Crops of the oracle, on which Figures 3 to 5 are based.
#[derive(Clone, Debug, Serialize)]
pub struct OracleRow {
    /// Weight set.
    pub weights: String,
    /// Criterion of a right classification.
    pub top: &'static str,
    /// Share of all images that are right without a crop, 0 to 1. Reconstructed: Table I's, of 16-bit weights.
    pub accuracy: f64,
    /// The crop: top, bottom, left, right.
    pub cut: String,
    /// Share of the images that are right without a crop, 0 to 1.
    pub share: f64,
    /// Source of the tolerance: `trace` or `reconstructed`.
    pub tolerance_from: &'static str,
}

/// Figure 5: energy of each weight set, with and without AQuA.
#[derive(Clone, Debug, Serialize)]
pub struct Figure5Row {
    /// Weight set.
    pub weights: String,
    /// `none`, or the `oracle`.
    pub policy: &'static str,
    /// Criterion of a right classification; empty without AQuA.
    pub top: &'static str,
    /// Images that the energy is a mean over: `all`, or those that are `right` without a crop.
    pub population: &'static str,
    /// Dynamic energy relative to 16-bit weights without a crop; `None` where crossbars cannot hold the weights, and
    /// for the oracle without predictions of them.
    pub relative_energy: Option<f64>,
    /// Part of the weight set's own energy without a crop that AQuA saves, 0 to 1.
    pub saving: Option<f64>,
    /// Source of the tolerance: `trace` or `reconstructed`; empty without AQuA and without predictions.
    pub tolerance_from: &'static str,
    /// Reason for a missing energy; else empty.
    pub note: &'static str,
}

/// Value of [`Figure5Row::note`] for weights that crossbars cannot hold.
pub const NOT_REPRESENTABLE: &str = "not representable on this machine";

/// Value of [`Figure5Row::note`] for weights whose tolerance of crops neither the trace nor the paper states.
pub const NO_PREDICTIONS: &str = "no predictions";

/// Value of [`Figure4Row::tolerance_from`] for figures without a trace.
pub(super) const RECONSTRUCTED: &str = "reconstructed";
pub(super) const FROM_TRACE: &str = "trace";

/// Runs of a study, looked up by weight set and crop.
pub(super) struct Runs<'a>(pub(crate) &'a [Measured]);

impl Runs<'_> {
    pub(super) fn find(&self, wanted: impl Fn(&Job) -> bool) -> &Measured {
        self.0.iter().find(|run| wanted(&run.job)).expect("a study has a run for everything that is asked of it")
    }

    /// True if there are runs with `weights`.
    pub(super) fn have(&self, weights: &str) -> bool {
        self.0.iter().any(|run| run.job.weights.name() == weights)
    }

    /// The runs of all crops, in the order of Table I.
    pub(super) fn of(&self, weights: &str, rebalanced: bool) -> [&Measured; CROPS] {
        crops().map(|edges| {
            self.find(|job| {
                job.weights.name() == weights
                    && job.edges == edges
                    && job.rebalanced == (rebalanced && edges != Edges::NONE)
                    && job.activation_bits.is_none()
            })
        })
    }

    /// Energy of each crop relative to 16-bit weights without one.
    pub(super) fn energies(&self, weights: &str) -> [f64; CROPS] {
        let baseline = self.of(FIXED_16, false)[0].energy_pj;
        self.of(weights, false).map(|run| run.energy_pj / baseline)
    }
}

/// Tolerance of images with a weight set, and its source.
pub(super) struct Known<'a> {
    pub(crate) weights: &'a str,
    pub(crate) top: Top,
    pub(crate) tolerance: Tolerance,
    pub(crate) from: &'static str,
}

pub(super) fn table1(runs: &Runs<'_>, cycle_ns: f64) -> Vec<Table1Row> {
    let all = runs.of(FIXED_16, false);
    let none = all[0];
    let rows = all.into_iter().zip(TABLE_I).map(|(run, printed)| Table1Row {
        cuts: run.job.edges.count(),
        cut: bits(run.job.edges),
        relative_energy: run.energy_pj / none.energy_pj,
        printed_relative_energy: printed.relative_energy,
        relative_conversions: run.adc_conversions as f64 / none.adc_conversions as f64,
        relative_macs: run.macs as f64 / none.macs as f64,
        energy_mj: run.energy_pj * 1e-9,
        latency_cycles: run.latency_cycles,
        cycles_per_image: run.cycles_per_image,
        images_per_second: run.cycles_per_image.map(|cycles| 1e9 / (cycles * cycle_ns)),
        printed_top1_percent: printed.top1_percent,
        printed_top5_percent: printed.top5_percent,
    });
    rows.collect()
}

pub(super) fn throughput(runs: &Runs<'_>) -> Vec<ThroughputRow> {
    let (before, after) = (runs.of(FIXED_16, false), runs.of(FIXED_16, true));
    let none = before[0];
    let both = before.into_iter().zip(after).flat_map(|(before, after)| [(before, false), (after, true)]);
    let rows = both.map(|(run, rebalanced)| {
        let speed_up = none.cycles_per_image.zip(run.cycles_per_image).map(|(none, cropped)| none / cropped);
        let work_reduction = none.macs as f64 / run.macs as f64;
        ThroughputRow {
            cuts: run.job.edges.count(),
            cut: bits(run.job.edges),
            rebalanced,
            cycles_per_image: run.cycles_per_image,
            speed_up,
            work_reduction,
            captured_share: speed_up.map(|speed_up| speed_up / work_reduction),
            bottleneck: run.bottleneck.resource.clone(),
            bottleneck_layer: match &run.bottleneck.layers[..] {
                [first, .., last] => format!("{} layers, {first} to {last}", run.bottleneck.layers.len()),
                one => one.concat(),
            },
            bottleneck_layer_share: run.bottleneck.share,
            bottleneck_cycles: run.bottleneck.cycles,
            crossbar_cycles: run.bottleneck.crossbar_cycles,
            is_of_placement: run.bottleneck.is_of_placement,
        }
    });
    rows.collect()
}

pub(super) fn figure3(energies: &[f64; CROPS], known: &[Known<'_>]) -> Vec<Figure3Row> {
    let mut rows = Vec::new();
    for Known { top, tolerance, from, .. } in known.iter().filter(|known| known.weights == FIXED_16) {
        let accuracy_from = if tolerance.fixed.is_some() { FROM_TRACE } else { "printed" };
        let accuracies = tolerance.fixed.unwrap_or_else(|| published::accuracies(*top));
        let row = |policy, cut, population: Population, relative_energy, accuracy, tolerance_from| Figure3Row {
            policy,
            cut,
            top: top.name(),
            energy_population: population.name(),
            relative_energy,
            accuracy_percent: 100.0 * accuracy,
            accuracy_from,
            tolerance_from,
        };
        for ((edges, energy), accuracy) in crops().into_iter().zip(energies).zip(accuracies) {
            rows.push(row("fixed", bits(edges), Population::All, *energy, accuracy, ""));
        }
        for population in Population::ALL {
            let energy = tolerance.oracle_energy(energies, population);
            // The oracle keeps the accuracy of no crop.
            rows.push(row("oracle", String::new(), population, energy, accuracies[0], from));
        }
    }
    rows
}

pub(super) fn figure4(known: &[Known<'_>]) -> Vec<Figure4Row> {
    let rows = known.iter().flat_map(|Known { weights, top, tolerance, from }| {
        tolerance.shares.into_iter().enumerate().map(move |(cuts, share)| Figure4Row {
            weights: (*weights).to_owned(),
            top: top.name(),
            accuracy: tolerance.accuracy,
            cuts,
            share,
            tolerance_from: from,
        })
    });
    rows.collect()
}

pub(super) fn oracle(known: &[Known<'_>]) -> Vec<OracleRow> {
    let rows = known.iter().flat_map(|Known { weights, top, tolerance, from }| {
        crops().into_iter().zip(tolerance.crops).map(move |(edges, share)| OracleRow {
            weights: (*weights).to_owned(),
            top: top.name(),
            accuracy: tolerance.accuracy,
            cut: bits(edges),
            share,
            tolerance_from: from,
        })
    });
    rows.collect()
}

pub(super) fn figure5(runs: &Runs<'_>, sets: &[WeightSet], known: &[Known<'_>]) -> Vec<Figure5Row> {
    let mut rows = Vec::new();
    for set in sets {
        let energies = set.plan().map(|_| runs.energies(set.name()));
        let row = |policy, top, population: Population, energy: Option<f64>, tolerance_from| Figure5Row {
            weights: set.name().to_owned(),
            policy,
            top,
            population: population.name(),
            relative_energy: energy,
            saving: energy.zip(energies).map(|(energy, energies)| 1.0 - energy / energies[0]),
            tolerance_from,
            note: match (energies, energy) {
                (None, _) => NOT_REPRESENTABLE,
                (Some(_), None) => NO_PREDICTIONS,
                (Some(_), Some(_)) => "",
            },
        };
        for population in Population::ALL {
            rows.push(row("none", "", population, energies.map(|energies| energies[0]), ""));
            for top in Top::ALL {
                let known = known.iter().find(|known| known.weights == set.name() && known.top == top);
                let energy =
                    known.zip(energies).map(|(of, energies)| of.tolerance.oracle_energy(&energies, population));
                rows.push(row("oracle", top.name(), population, energy, known.map_or("", |known| known.from)));
            }
        }
    }
    rows
}

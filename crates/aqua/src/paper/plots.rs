//! Plots of the tables and figures. Reconstructed series are marked as such in the legend.

use super::Paper;
use super::tables::{
    FROM_TRACE, Figure3Row, Figure4Row, Figure5Row, NO_PREDICTIONS, NOT_REPRESENTABLE, RECONSTRUCTED, Table1Row,
    ThroughputRow,
};
use crate::plot::{self, Panel, Points, Series};
use crate::tolerance::Population;
use crate::trace::Top;
use crate::weights::FIXED_16;

/// A space at which no line ends.
const NO_BREAK: &str = "\u{a0}";
/// Title of the axis of crops.
const CROP_AXIS: &str = "crop (top, bottom, left, right)";

/// Suffix of the name of a series with values of these origins.
fn mark(mut origins: impl Iterator<Item = &'static str>) -> &'static str {
    if origins.any(|origin| origin == RECONSTRUCTED) { " (reconstructed)" } else { "" }
}

/// End of an axis for these values: a round number with some room above the largest.
fn most(series: &[Series]) -> f64 {
    let known = series.iter().flat_map(|series| &series.values).copied().filter(|value| *value > 0.0);
    let largest = known.reduce(f64::max).unwrap_or(1.0);
    let step = 10f64.powf(largest.log10().floor()) / 5.0;
    (1.05 * largest / step).ceil() * step
}

impl Paper {
    pub(super) fn plot_table1(&self) -> String {
        let labels: Vec<String> = self.table1.iter().map(|row| row.cut.clone()).collect();
        let series = |name: &str, colour, value: fn(&Table1Row) -> f64| Series {
            name: name.to_owned(),
            colour,
            values: self.table1.iter().map(value).collect(),
        };
        let energies = vec![
            series("simulated", plot::BASELINE, |row| row.relative_energy),
            series("printed in Table I", plot::PRINTED, |row| row.printed_relative_energy),
        ];
        let rates = vec![series("simulated", plot::BASELINE, |row| row.images_per_second.unwrap_or(f64::NAN))];
        let accuracies = vec![
            series("top-1, printed in Table I", plot::colour_by(Top::One), |row| row.printed_top1_percent),
            series("top-5, printed in Table I", plot::colour_by(Top::Five), |row| row.printed_top5_percent),
        ];
        let panels = [
            Panel { y: "relative energy", most: 1.1, digits: 2, series: energies },
            Panel { y: "images per second", most: most(&rates), digits: 0, series: rates },
            Panel { y: "accuracy, %", most: 100.0, digits: 0, series: accuracies },
        ];
        plot::bars(&labels, CROP_AXIS, &panels)
    }

    pub(super) fn plot_throughput(&self) -> String {
        let before = |row: &&ThroughputRow| !row.rebalanced;
        let labels: Vec<String> = self.throughput.iter().filter(before).map(|row| row.cut.clone()).collect();
        let series = |value: fn(&ThroughputRow) -> f64| {
            let named = [
                ("replicas balanced for the whole map", plot::BASELINE, false),
                ("replicas balanced for the crop", plot::REBALANCED, true),
            ];
            let series = named.map(|(name, colour, rebalanced)| {
                let rows = self.throughput.iter().filter(|row| row.rebalanced == rebalanced);
                Series { name: name.to_owned(), colour, values: rows.map(value).collect() }
            });
            series.to_vec()
        };
        let shares = series(|row| row.captured_share.unwrap_or(f64::NAN));
        let cycles = series(|row| row.cycles_per_image.unwrap_or(f64::NAN));
        let panels = [
            Panel { y: "captured share", most: most(&shares), digits: 2, series: shares },
            Panel { y: "cycles per image", most: most(&cycles), digits: 0, series: cycles },
        ];
        plot::bars(&labels, CROP_AXIS, &panels)
    }

    pub(super) fn plot_figure3(&self) -> String {
        let mut all = Vec::new();
        for top in Top::ALL {
            for (policy, population, name) in [
                ("fixed", Population::All, "one crop for all"),
                ("oracle", Population::All, "AQuA, energy of all images"),
                ("oracle", Population::Right, "AQuA, energy of right images only"),
            ] {
                let of = |row: &&Figure3Row| (row.policy, row.energy_population) == (policy, population.name());
                let rows = || self.figure3.iter().filter(of).filter(|row| row.top == top.name());
                all.push(Points {
                    name: format!("{}, {name}{}", top.name(), mark(rows().map(|row| row.tolerance_from))),
                    points: rows().map(|row| (row.relative_energy, row.accuracy_percent)).collect(),
                    // The paper's own points, of mixed populations, in colours of their own.
                    colour: plot::colour_by(top) + if population == Population::Right { 2 } else { 0 },
                    large: policy == "oracle",
                });
            }
        }
        // Rounded outwards to whole ticks.
        let accuracies = || self.figure3.iter().map(|row| row.accuracy_percent);
        let least = (accuracies().fold(100.0, f64::min) / 5.0).floor() * 5.0;
        let most = ((accuracies().fold(0.0, f64::max) / 5.0).floor() * 5.0 + 5.0).min(100.0);
        plot::scatter(&all, ("relative energy", "accuracy, % of all images"), (0.45, 1.05), (least, most))
    }

    pub(super) fn plot_figure4(&self) -> String {
        let labels: Vec<String> = (0..=4).map(|cuts: usize| cuts.to_string()).collect();
        let rows = |weights: &str, top: Top| -> Vec<&Figure4Row> {
            self.figure4.iter().filter(|row| row.top == top.name() && row.weights == weights).collect()
        };
        // A reconstructed tolerance is the same for all weight sets, and needs no panel for each.
        let is_shown = |weights: &&str| {
            *weights == FIXED_16 || rows(weights, Top::One).iter().any(|row| row.tolerance_from == FROM_TRACE)
        };
        let panel = |weights: &str| {
            let series = Top::ALL.map(|top| {
                let rows = rows(weights, top);
                let mark = mark(rows.iter().map(|row| row.tolerance_from));
                Series {
                    name: format!("{}, weights {weights}{mark}", top.name()),
                    colour: plot::colour_by(top),
                    values: rows.into_iter().map(|row| row.share).collect(),
                }
            });
            Panel { y: "share of right images", most: 1.0, digits: 3, series: series.to_vec() }
        };
        let sets = || self.weight_sets().map(|set| set.weights.as_str());
        let panels: Vec<Panel> = sets().filter(is_shown).map(panel).collect();
        let unknown = sets().filter(|weights| rows(weights, Top::One).is_empty());
        let unknown: String = unknown.map(|weights| format!("; weights {weights}: {NO_PREDICTIONS}")).collect();
        plot::bars(&labels, &format!("cuts tolerated by images that are right without a crop{unknown}"), &panels)
    }

    pub(super) fn plot_figure5(&self) -> String {
        let (drawn, missing): (Vec<&Figure5Row>, Vec<&Figure5Row>) =
            self.weight_sets().partition(|set| set.relative_energy.is_some());
        // A trace may have some weight sets and not others.
        let label = |set: &&Figure5Row| {
            let rows = || self.figure5.iter().filter(|row| row.weights == set.weights);
            let note = rows().map(|row| row.note).find(|note| !note.is_empty());
            let mark = note.map_or(mark(rows().map(|row| row.tolerance_from)).to_owned(), |note| {
                format!(" ({})", note.replace(' ', NO_BREAK))
            });
            format!("weights {}{mark}", set.weights)
        };
        let labels: Vec<String> = drawn.iter().map(label).collect();
        let series = |name, colour, energy: &dyn Fn(&Figure5Row) -> Option<f64>| Series {
            name,
            colour,
            values: drawn.iter().map(|set| energy(set).unwrap_or(f64::NAN)).collect(),
        };
        let panel = |y, population: Population| {
            let by_aqua = Top::ALL.map(|top| {
                let energy = |set: &Figure5Row| self.oracle(&set.weights, top, population)?.relative_energy;
                series(format!("AQuA, {}", top.name()), plot::colour_by(top), &energy)
            });
            let mut all = vec![series("no crop".to_owned(), plot::BASELINE, &|set| set.relative_energy)];
            all.extend(by_aqua);
            // Sets of more than 16 bits take more than the baseline.
            let largest = drawn.iter().filter_map(|set| set.relative_energy).fold(0.0, f64::max);
            Panel { y, most: if largest < 1.1 { 1.1 } else { most(&all) }, digits: 3, series: all }
        };
        let panels =
            [panel("energy, images right uncropped", Population::Right), panel("energy, all images", Population::All)];
        let missing = missing.into_iter().map(|set| format!("; weights {}: {NOT_REPRESENTABLE}", set.weights));
        let x = format!("relative to weights 16 without a crop{}", missing.collect::<String>());
        plot::bars(&labels, &x, &panels)
    }
}

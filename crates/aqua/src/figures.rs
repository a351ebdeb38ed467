//! Figures 4 and 5 for any network and pictures: the crops that the pictures tolerate, and the energy saved.
//!
//! The figures of the paper itself are made by [`Paper`](crate::Paper). Here weight sets have any name, and crops are
//! ordered by energy, not by the number of cuts.

use crate::crops::SIZES;
use crate::paper::{File, NOT_REPRESENTABLE};
use crate::plot::{self, Panel, Series};
use crate::tolerance::Population;
use crate::trace::Top;

/// Tolerance of the pictures with one set of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SetTolerance {
    /// Name of the weight set.
    pub weights: String,
    /// Criterion of a right classification.
    pub top: Top,
    /// Share of pictures that are right without a crop.
    pub accuracy: f64,
    /// Of these, the share by the number of edges of the cheapest crop under which they stay right; `None` if no
    /// picture is right without a crop.
    pub shares: Option<[f64; SIZES]>,
    /// Energies on the machine; `None` where its crossbars cannot hold the weights.
    pub energy: Option<SetEnergy>,
}

/// Dynamic energies per picture, pJ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetEnergy {
    /// Without a crop.
    pub uncropped_pj: f64,
    /// Mean of the pictures that are right without a crop, each under its cheapest crop; `None` if there are no such
    /// pictures.
    pub oracle_right_pj: Option<f64>,
    /// Mean of all pictures; those that are wrong without a crop are not cropped.
    pub oracle_all_pj: f64,
}

impl SetEnergy {
    /// The oracle's mean over some pictures.
    pub(crate) fn oracle_pj(&self, population: Population) -> Option<f64> {
        match population {
            Population::Right => self.oracle_right_pj,
            Population::All => Some(self.oracle_all_pj),
        }
    }
}

/// Figure 4 (edges that pictures tolerate) and Figure 5 (energy by weight set, relative to the first that the machine
/// holds, without a crop), as CSV and SVG. The sets come in pairs, right at top-1 and at top-5.
pub fn tolerance_figures(sets: &[SetTolerance]) -> Vec<File> {
    [
        ("figure4.csv", figure4_csv(sets)),
        ("figure4.svg", figure4_svg(sets)),
        ("figure5.csv", figure5_csv(sets)),
        ("figure5.svg", figure5_svg(sets)),
    ]
    .map(|(name, text)| File { name: name.to_owned(), text })
    .to_vec()
}

/// Label of a weight set in a figure.
fn label(weights: &str) -> String {
    if weights.parse::<u32>().is_ok() { format!("{weights} bits") } else { weights.to_owned() }
}

fn figure4_csv(sets: &[SetTolerance]) -> String {
    let mut text = String::from("weights,right_at,accuracy,cuts,share_of_right\n");
    for SetTolerance { weights, top, accuracy, shares, .. } in sets {
        for cuts in 0..SIZES {
            let share = shares.map_or(String::new(), |shares| format!("{:.4}", shares[cuts]));
            text += &format!("{weights},{},{accuracy:.4},{cuts},{share}\n", top.name());
        }
    }
    text
}

fn figure4_svg(sets: &[SetTolerance]) -> String {
    let series = sets.iter().enumerate().filter_map(|(colour, SetTolerance { weights, top, shares, .. })| {
        Some(Series { name: format!("{}, {}", label(weights), top.name()), colour, values: shares.as_ref()?.to_vec() })
    });
    let labels: Vec<String> = (0..SIZES).map(|cuts| cuts.to_string()).collect();
    let panel = Panel { y: "share of right pictures", most: 1.0, digits: 2, series: series.collect() };
    plot::bars(&labels, "edges cut from pictures that are right without a crop", &[panel])
}

/// Energy of the first set that the machine holds.
fn whole_pj(sets: &[SetTolerance]) -> Option<f64> {
    sets.iter().find_map(|set| set.energy).map(|energy| energy.uncropped_pj)
}

fn figure5_csv(sets: &[SetTolerance]) -> String {
    let whole = whole_pj(sets);
    let mut text = String::from("weights,policy,right_at,population,energy_pj,relative_energy,note\n");
    for SetTolerance { weights, top, energy, .. } in sets {
        let mut row = |policy, right_at, population: Population, pj: Option<f64>| {
            let energies = pj.zip(whole).map(|(pj, whole)| format!("{pj:.0},{:.4}", pj / whole));
            let energies = energies.unwrap_or_else(|| ",".to_owned());
            let note = if energy.is_none() { NOT_REPRESENTABLE } else { "" };
            text += &format!("{weights},{policy},{right_at},{},{energies},{note}\n", population.name());
        };
        if *top == Top::One {
            row("none", "", Population::All, energy.map(|energy| energy.uncropped_pj));
        }
        for population in Population::ALL {
            row("oracle", top.name(), population, energy.and_then(|energy| energy.oracle_pj(population)));
        }
    }
    text
}

fn figure5_svg(sets: &[SetTolerance]) -> String {
    let (held, missing): (Vec<&SetTolerance>, Vec<&SetTolerance>) = sets.iter().partition(|set| set.energy.is_some());
    let whole = whole_pj(sets).unwrap_or(1.0);
    let values = |top: Top, of: &dyn Fn(&SetEnergy) -> Option<f64>| -> Option<Vec<f64>> {
        let energies = held.iter().filter(|set| set.top == top).filter_map(|set| set.energy.as_ref());
        energies.map(|energy| Some(of(energy)? / whole)).collect()
    };
    // A population that is empty for one of the sets has no panel.
    let panel = |(y, population): (&'static str, Population)| {
        let oracle = |energy: &SetEnergy| energy.oracle_pj(population);
        let series = [
            ("no crop", plot::BASELINE, values(Top::One, &|energy| Some(energy.uncropped_pj))?),
            ("AQuA, right at top-1", plot::colour_by(Top::One), values(Top::One, &oracle)?),
            ("AQuA, right at top-5", plot::colour_by(Top::Five), values(Top::Five, &oracle)?),
        ];
        let series = series.map(|(name, colour, values)| Series { name: name.to_owned(), colour, values });
        Some(Panel { y, most: 1.1, digits: 3, series: series.to_vec() })
    };
    let panels = [("energy, right pictures", Population::Right), ("energy, all pictures", Population::All)];
    let panels: Vec<Panel> = panels.into_iter().filter_map(panel).collect();
    let names = |sets: &[&SetTolerance]| -> Vec<String> {
        sets.iter().filter(|set| set.top == Top::One).map(|set| label(&set.weights)).collect()
    };
    let missing: Vec<String> =
        names(&missing).into_iter().map(|name| format!("; {name}: {NOT_REPRESENTABLE}")).collect();
    plot::bars(&names(&held), &format!("weights{}", missing.concat()), &panels)
}

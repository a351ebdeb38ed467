//! Figures 4 and 5 for any network and pictures: which crops the pictures tolerate, and what that saves.

use crate::crops::SIZES;
use crate::paper::File;
use crate::plot::{self, Panel, Series};
use crate::trace::Top;

/// What the pictures tolerate with one set of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SetTolerance {
    /// Name of the weight set.
    pub weights: String,
    /// What counts as right.
    pub top: Top,
    /// Share of pictures that are right without a crop.
    pub accuracy: f64,
    /// Share of pictures by the number of edges of the cheapest crop under which they stay right.
    pub shares: [f64; SIZES],
    /// Dynamic energy of a picture without a crop, pJ.
    pub uncropped_pj: f64,
    /// Mean dynamic energy of a picture, each under its cheapest crop, pJ.
    pub oracle_pj: f64,
}

/// Figure 4 (edges that pictures tolerate) and Figure 5 (energy by weight set, relative to the first without a crop), as
/// CSV and SVG. The sets come in pairs, right at top-1 and at top-5.
pub fn tolerance_figures(sets: &[SetTolerance]) -> Vec<File> {
    let whole = sets.first().map_or(1.0, |set| set.uncropped_pj);
    let mut figure4 = String::from("weights,right_at,accuracy,cuts,share\n");
    let mut figure5 = String::from("weights,policy,right_at,energy_pj,relative_energy\n");
    let mut series4 = Vec::new();
    let mut labels5 = Vec::new();
    let mut series5 = ["no crop", "AQuA, right at top-1", "AQuA, right at top-5"]
        .map(|name| Series { name: name.to_owned(), values: Vec::new() });
    for set in sets {
        let SetTolerance { weights, top, accuracy, shares, uncropped_pj, oracle_pj } = set;
        let name = top.name();
        for (cuts, share) in shares.iter().enumerate() {
            figure4 += &format!("{weights},{name},{accuracy:.4},{cuts},{share:.4}\n");
        }
        series4.push(Series { name: format!("{weights} bits, {name}"), values: shares.to_vec() });
        if *top == Top::One {
            figure5 += &format!("{weights},none,,{uncropped_pj:.0},{:.4}\n", uncropped_pj / whole);
            labels5.push(format!("{weights} bits"));
            series5[0].values.push(uncropped_pj / whole);
        }
        figure5 += &format!("{weights},oracle,{name},{oracle_pj:.0},{:.4}\n", oracle_pj / whole);
        series5[if *top == Top::One { 1 } else { 2 }].values.push(oracle_pj / whole);
    }
    let labels4: Vec<String> = (0..SIZES).map(|cuts| cuts.to_string()).collect();
    let panel4 = Panel { y: "share of pictures", most: 1.0, digits: 2, series: series4 };
    let panel5 = Panel { y: "dynamic energy, relative", most: 1.1, digits: 3, series: series5.to_vec() };
    [
        ("figure4.csv", figure4),
        ("figure4.svg", plot::bars(&labels4, "edges cut", &[panel4])),
        ("figure5.csv", figure5),
        ("figure5.svg", plot::bars(&labels5, "weights", &[panel5])),
    ]
    .map(|(name, text)| File { name: name.to_owned(), text })
    .to_vec()
}

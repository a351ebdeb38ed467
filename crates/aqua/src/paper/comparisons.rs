//! How what was simulated compares with what the paper prints.

use serde::Serialize;

use super::tables::{FROM_TRACE, Figure5Row, Known, Runs};
use crate::crops::means_by_size;
use crate::published::{self, TABLE_I};
use crate::study::{Measured, WeightSet};
use crate::trace::Top;

/// A published number and the simulated one.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What it is.
    pub what: String,
    /// Simulated.
    pub got: f64,
    /// Published.
    pub expected: f64,
    /// Simulated less published.
    pub difference: f64,
    /// Where a difference comes from, and what the number rests on.
    pub why: &'static str,
}

/// Every published number beside the simulated one.
pub fn comparisons(runs: &Runs<'_>, figure5: &[Figure5Row], known: &[Known]) -> Vec<Comparison> {
    let mut all = Vec::new();
    let mut compare = |what: String, got: f64, expected: f64, why| {
        all.push(Comparison { what, got, expected, difference: got - expected, why });
    };
    let crops_of_16 = runs.of(WeightSet::Fixed16, false);
    let none = crops_of_16[0];
    let energies = runs.energies(WeightSet::Fixed16);
    for (run, printed) in crops_of_16.into_iter().zip(TABLE_I) {
        let opposite = matches!(printed.cut, "1100" | "0011");
        compare(
            format!("Table I, relative energy, crop {}", printed.cut),
            run.energy_pj / none.energy_pj,
            printed.relative_energy,
            if opposite {
                "opposite edges share no corner and cut more; the paper prints one value for all crops of two cuts \
                 and footnotes this one"
            } else {
                "all dynamic energy is counted, the transfers between tiles too; the printed value is that of the \
                 computed MACs"
            },
        );
    }
    // What follows from Table II by arithmetic, crops of each size in Table I's first place.
    let macs = [1.0, 0.8611, 0.7427, 0.6243, 0.5263];
    let conversions = [1.0, 0.8623, 0.7448, 0.6272, 0.5298];
    let first_of_size = |cuts: usize| {
        crops_of_16.into_iter().find(|run| run.job.edges.count() == cuts).expect("there are crops of every size")
    };
    type Count = fn(&Measured) -> u64;
    let arithmetic = [
        ("computed MACs", (|run| run.macs) as Count, macs, "the same arithmetic, counted in simulation"),
        ("ADC conversions", |run| run.adc_conversions, conversions, "row blocks are not always full: above the MACs"),
    ];
    for (what, count, expected, why) in arithmetic {
        for (cuts, expected) in expected.into_iter().enumerate() {
            let got = count(first_of_size(cuts)) as f64 / count(none) as f64;
            compare(format!("{what} by number of cuts, {cuts}"), got, expected, why);
        }
    }
    let eight = runs.find(|job| job.activation_bits == 8);
    compare(
        "ADC energy of the convolutions with 8-bit activations".to_owned(),
        eight.convolution_conversions as f64 / none.convolution_conversions as f64,
        0.5,
        "half the iterations (section III)",
    );
    for (weights, expected) in [(WeightSet::Fixed12, 0.75), (WeightSet::Varied, 0.7974)] {
        let got = runs.of(weights, false)[0].adc_conversions as f64 / none.adc_conversions as f64;
        let why = "columns of a weight: 6 for 11 or 12 bits, 7 for 13, 8 for 16; classifiers of the varied set have 16";
        compare(format!("ADC conversions, weights {}", weights.name()), got, expected, why);
    }
    let why_known = |from: &str| {
        if from == FROM_TRACE {
            "of the images of the trace"
        } else {
            "reconstructed: \"approximately\" and \"over\" in the text are taken at their word"
        }
    };
    for (known, stated) in
        known.iter().filter(|known| known.weights == WeightSet::Fixed16).zip([published::TOP_1, published::TOP_5])
    {
        let (top, shares) = (known.top.name(), known.tolerance.shares);
        compare(
            format!("Figure 4, {top}, share that needs the original"),
            shares[0],
            stated.original,
            why_known(known.from),
        );
        compare(
            format!("Figure 4, {top}, share that tolerates 4 cuts (a lower bound)"),
            shares[4],
            stated.four_cuts,
            why_known(known.from),
        );
        let saving = 1.0 - known.tolerance.oracle_energy(&energies);
        compare(format!("Figures 3 and 5, {top}, saving"), saving, 1.0 - stated.mean_energy, why_known(known.from));
    }
    let saving = |weights: &str, top: Top| {
        let row = figure5.iter().find(|row| row.weights == weights && row.top == top.name() && row.policy == "oracle");
        row.expect("Figure 5 has all weight sets")
    };
    for weights in ["varied", "12"] {
        for (top, expected) in Top::ALL.into_iter().zip([0.335, 0.42]) {
            compare(
                format!("Figure 5, {}, saving with weights {weights}", top.name()),
                saving(weights, top).saving,
                expected,
                "\"nearly identical, even with differently quantized weight sets\"; classifiers are never cropped, and \
                 weigh more where they keep 16 bits (varied)",
            );
        }
    }
    let four_cuts = 1.0 - means_by_size(&energies)[4];
    compare(
        "section II, \"up to 46 % energy savings depending on input\"".to_owned(),
        four_cuts,
        0.46,
        "the saving of an image that tolerates four cuts; Table I has 47.4 %",
    );
    compare(
        "section V, \"up to 41.8 %\"".to_owned(),
        saving("16", Top::Five).saving,
        0.418,
        "the abstract and section IV print 42.0 % for the same thing",
    );
    all
}

//! Comparison of simulated numbers with those that the paper prints.
//!
//! A comparison is an expected number, its source, a relation and a tolerance. Expected numbers are printed in the
//! paper or follow from its tables by arithmetic.

use serde::Serialize;

use super::tables::{FROM_TRACE, Figure5Row, Known, Runs};
use crate::crops::{bits, crops};
use crate::published::{self, TABLE_I};
use crate::study::Measured;
use crate::tolerance::{Population, most_saving};
use crate::trace::Top;
use crate::weights::{FIXED_12, FIXED_16, VARIED};

/// An expected number and the number obtained.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Weakest source of the number: `simulated` (runs alone), `trace` or `reconstructed`.
    pub evidence: &'static str,
    /// Quantity.
    pub what: String,
    /// Population: `all` images, or those that are `right` without a crop; empty if the number does not depend on the
    /// images.
    pub population: &'static str,
    /// The number obtained.
    pub got: f64,
    /// Expected relation to the expected number: `=`, `>=` or `<=`.
    pub(crate) relation: &'static str,
    /// The expected number.
    pub expected: f64,
    /// Largest accepted deviation.
    pub tolerance: f64,
    /// The number obtained minus the expected number.
    pub(crate) difference: f64,
    /// True if the relation holds within the tolerance.
    pub met: bool,
    /// Source of the expected number.
    pub expected_from: &'static str,
    /// Explanation of a difference.
    pub why: &'static str,
}

/// Value of [`Comparison::evidence`] for numbers from runs alone.
pub(super) const SIMULATED: &str = "simulated";

/// An expected number.
struct Expected {
    relation: &'static str,
    value: f64,
    tolerance: f64,
    from: &'static str,
}

fn about(value: f64, tolerance: f64, from: &'static str) -> Expected {
    Expected { relation: "=", value, tolerance, from }
}

fn at_least(value: f64, from: &'static str) -> Expected {
    Expected { relation: ">=", value, tolerance: 1e-9, from }
}

fn at_most(value: f64, from: &'static str) -> Expected {
    Expected { relation: "<=", value, tolerance: 1e-9, from }
}

impl Comparison {
    fn new(
        evidence: &'static str,
        (what, population): (String, &'static str),
        got: f64,
        expected: Expected,
        why: &'static str,
    ) -> Comparison {
        let Expected { relation, value, tolerance, from } = expected;
        let difference = got - value;
        let too_low = relation != "<=" && difference < -tolerance;
        let too_high = relation != ">=" && difference > tolerance;
        let met = !too_low && !too_high;
        Comparison {
            evidence,
            what,
            population,
            got,
            relation,
            expected: value,
            tolerance,
            difference,
            met,
            expected_from: from,
            why,
        }
    }
}

/// Compares every published number, and those that follow by arithmetic, with the number obtained.
pub(super) fn comparisons(runs: &Runs<'_>, figure5: &[Figure5Row], known: &[Known<'_>]) -> Vec<Comparison> {
    let mut all = of_runs(runs);
    for known in known.iter().filter(|known| known.weights == FIXED_16) {
        all.extend(of_images(known));
    }
    all.extend(of_savings(figure5));
    all
}

/// Number of actions in a run.
type Count = fn(&Measured) -> u64;

/// Comparisons that do not depend on the images.
fn of_runs(runs: &Runs<'_>) -> Vec<Comparison> {
    let mut all = Vec::new();
    let mut compare = |what: String, got: f64, expected: Expected, why| {
        all.push(Comparison::new(SIMULATED, (what, ""), got, expected, why));
    };
    let crops_of_16 = runs.of(FIXED_16, false);
    let none = crops_of_16[0];
    for (run, printed) in crops_of_16.into_iter().zip(TABLE_I) {
        let (expected, why) = if matches!(printed.cut, "1100" | "0011") {
            (
                about(0.7223, 0.006, "Table II, by arithmetic"),
                "opposite edges share no corner and cut more; the paper prints 0.743 for all crops of two cuts, and \
                 footnotes this one",
            )
        } else {
            (
                about(printed.relative_energy, 0.006, "Table I"),
                "all dynamic energy is counted, the transfers between tiles too; the printed value is that of the \
                 computed MACs",
            )
        };
        compare(format!("relative energy, crop {}", printed.cut), run.energy_pj / none.energy_pj, expected, why);
    }
    // Computed from Table II, for the crop of each size that Table I lists first.
    let macs = [1.0, 0.8611, 0.7427, 0.6243, 0.5263];
    let conversions = [1.0, 0.8623, 0.7448, 0.6272, 0.5298];
    let first_of_size = |cuts: usize| {
        crops_of_16.into_iter().find(|run| run.job.edges.count() == cuts).expect("there are crops of every size")
    };
    let arithmetic = [
        ("computed MACs", (|run| run.macs) as Count, macs, 0.0005, "the same arithmetic, counted in simulation"),
        (
            "ADC conversions",
            |run| run.adc_conversions,
            conversions,
            0.0001,
            "row blocks are not always full: above the MACs",
        ),
    ];
    for (what, count, expected, tolerance, why) in arithmetic {
        for (cuts, expected) in expected.into_iter().enumerate() {
            let got = count(first_of_size(cuts)) as f64 / count(none) as f64;
            let expected = about(expected, tolerance, "Table II, by arithmetic");
            compare(format!("{what} by number of cuts, {cuts}"), got, expected, why);
        }
    }
    let eight = runs.find(|job| job.activation_bits == Some(8));
    compare(
        "ADC energy of the convolutions with 8-bit activations".to_owned(),
        eight.convolution_conversions as f64 / none.convolution_conversions as f64,
        about(0.5, 0.0, "section III"),
        "half the iterations",
    );
    let sets = [(FIXED_12, 0.75), (VARIED, 0.7974)];
    for (weights, expected) in sets.into_iter().filter(|(weights, _)| runs.have(weights)) {
        let got = runs.of(weights, false)[0].adc_conversions as f64 / none.adc_conversions as f64;
        compare(
            format!("ADC conversions, weights {weights}"),
            got,
            about(expected, 0.0001, "section III, by arithmetic"),
            "columns of a weight: 6 for 11 or 12 bits, 7 for 13, 8 for 16; classifiers of the varied set have 16",
        );
    }
    all
}

/// Comparisons of the images' tolerance with 16-bit weights.
fn of_images(known: &Known<'_>) -> Vec<Comparison> {
    let Known { top, tolerance, from, .. } = known;
    let (name, stated) = (top.name(), published::stated(*top));
    let why = if *from == FROM_TRACE {
        "of the images of the trace"
    } else {
        "met by construction: \"approximately\" and \"over\" in the text are taken at their word"
    };
    let (right, all) = (Population::Right.name(), Population::All.name());
    let share = |what: &str, got, expected| {
        Comparison::new(from, (format!("Figure 4, {name}, {what}"), right), got, expected, why)
    };
    let mut compared = vec![
        share("share that needs the original", tolerance.shares[0], about(stated.original, 0.05, "section IV.C")),
        share("share that tolerates 4 cuts", tolerance.shares[4], at_least(stated.four_cuts, "section IV.C")),
    ];
    // Without a trace there are no accuracies to compare with Table I's.
    for ((edges, got), expected) in
        crops().into_iter().zip(tolerance.fixed.iter().flatten()).zip(published::accuracies(*top))
    {
        let what = format!("{name} accuracy, crop {}", bits(edges));
        let why = "of the images of the trace; other preprocessing or rounding moves it by some tenths of a point";
        compared.push(Comparison::new(from, (what, all), *got, about(expected, 0.005, "Table I"), why));
    }
    compared
}

/// Comparisons of AQuA's savings.
fn of_savings(figure5: &[Figure5Row]) -> Vec<Comparison> {
    let row = |weights, top: Top, population: Population| {
        let wanted = ("oracle", weights, top.name(), population.name());
        figure5.iter().find(|row| (row.policy, row.weights.as_str(), row.top, row.population) == wanted)
    };
    let of_16 = |top, population| row(FIXED_16, top, population).expect("a study has the 16-bit weights");
    let mut all = Vec::new();
    let mut compare = |what: String, row: &Figure5Row, got: Option<f64>, expected, why| {
        let got = got.expect("crossbars hold fixed-point weights");
        all.push(Comparison::new(row.tolerance_from, (what, row.population), got, expected, why));
    };
    for top in Top::ALL {
        let (name, stated) = (top.name(), published::stated(top));
        let (saving, of_right) = (1.0 - stated.mean_energy, of_16(top, Population::Right));
        compare(
            format!("Figures 3 and 5, {name}, saving"),
            of_right,
            of_right.saving,
            about(saving, 0.01, "section IV.C"),
            if of_right.tolerance_from == FROM_TRACE {
                "crops' simulated energies instead of the printed ones"
            } else {
                "met by construction"
            },
        );
        let of_all = of_16(top, Population::All);
        compare(
            format!("Figures 3 and 5, {name}, saving"),
            of_all,
            of_all.saving,
            about(saving * stated.accuracy, 0.01, "section IV.C and Table I, by arithmetic"),
            "images that are wrong without a crop save nothing",
        );
        compare(
            format!("Figures 3 and 5, {name}, saving, bound"),
            of_all,
            of_all.saving,
            at_most(
                most_saving(&published::accuracies(top), &published::energies()),
                "section IV's rule and Table I, by arithmetic",
            ),
            "if all images that four cuts leave right were right without a crop, and all others of those tolerated three",
        );
        for row in [VARIED, FIXED_12].into_iter().filter_map(|weights| row(weights, top, Population::Right)) {
            compare(
                format!("Figure 5, {name}, saving with weights {}", row.weights),
                row,
                row.saving,
                about(saving, 0.015, "section IV.C, \"nearly identical\""),
                "classifiers are never cropped, and weigh more where they keep 16 bits (varied)",
            );
        }
    }
    if let Some(both) = row(VARIED, Top::One, Population::Right) {
        compare(
            "weights and crops together, saving: varied, top-1".to_owned(),
            both,
            both.relative_energy.map(|energy| 1.0 - energy),
            about(published::BOTH_SAVE, 0.01, "section II, \"up to 46 %\""),
            "the paper does not say of which weights: the varied set under top-1 crops fits",
        );
    }
    let top5 = of_16(Top::Five, Population::Right);
    compare(
        "saving, top-5".to_owned(),
        top5,
        top5.saving,
        about(published::CONCLUDED_SAVING, 0.01, "section V, \"up to 41.8 %\""),
        "the abstract and section IV print 42.0 % for what seems to be the same thing",
    );
    all
}

//! Numbers printed in the AQuA paper: Table I, and the statements of sections II, IV and V.
//!
//! They are targets of comparison, and constraints on the [reconstruction](crate::Tolerance::reconstruct) of the
//! tolerance where no trace is given. No simulated number depends on them.

use crate::crops::CROPS;
use crate::trace::Top;

/// A row of Table I: a crop, its energy and the accuracy under it on the ILSVRC2012 validation set.
#[derive(Clone, Copy, Debug)]
pub struct TableRow {
    /// Top, bottom, left, right: 1 is cut.
    pub cut: &'static str,
    /// Energy relative to no crop, printed once for all crops of equally many cuts.
    pub relative_energy: f64,
    /// Images classified right at the first attempt, percent.
    pub(crate) top1_percent: f64,
    /// Images with the right class among the five likeliest, percent.
    pub(crate) top5_percent: f64,
}

const fn row(cut: &'static str, relative_energy: f64, top1_percent: f64, top5_percent: f64) -> TableRow {
    TableRow { cut, relative_energy, top1_percent, top5_percent }
}

/// Table I, in the order of [`network::Edges::all`].
pub const TABLE_I: [TableRow; 16] = [
    row("0000", 1.0, 65.09, 85.86),
    row("0001", 0.861, 64.71, 85.77),
    row("0010", 0.861, 64.66, 85.66),
    row("0100", 0.861, 63.72, 84.97),
    row("1000", 0.861, 63.97, 85.24),
    row("1010", 0.743, 63.17, 84.77),
    row("1001", 0.743, 63.22, 84.72),
    row("0110", 0.743, 62.46, 84.41),
    row("0101", 0.743, 62.69, 84.45),
    row("1100", 0.743, 62.15, 84.05),
    row("0011", 0.743, 63.59, 84.95),
    row("1110", 0.624, 60.70, 83.07),
    row("1101", 0.624, 60.83, 83.08),
    row("1011", 0.624, 61.44, 83.51),
    row("0111", 0.624, 61.05, 83.16),
    row("1111", 0.526, 58.57, 81.64),
];

/// Statements of section IV.C for one criterion of a right classification. By its rule an image that is wrong without a
/// crop is not cropped. Shares and savings refer to the other images, since Table I does not allow as much over all.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// Share of all images that are right without a crop (Table I).
    pub accuracy: f64,
    /// Of these, the share that needs the original, "approximately" and "around".
    pub original: f64,
    /// Of these, the least share that tolerates four cuts: "over 50 %".
    pub four_cuts: f64,
    /// Their mean energy under the oracle relative to no crop: 1 less the saving.
    pub mean_energy: f64,
}

/// Top-1: "approximately 20 %"; a saving of 33.5 %.
pub const TOP_1: Statement =
    Statement { accuracy: TABLE_I[0].top1_percent / 100.0, original: 0.20, four_cuts: 0.50, mean_energy: 0.665 };
/// Top-5: "only around 10 %"; a saving of 42.0 %.
pub const TOP_5: Statement =
    Statement { accuracy: TABLE_I[0].top5_percent / 100.0, original: 0.10, four_cuts: 0.50, mean_energy: 0.580 };

/// The saving over 16-bit weights without a crop "depending on input" of weights and crops together (section II).
pub const BOTH_SAVE: f64 = 0.46;
/// Saving stated in section V, where section IV states 42.0 %.
pub const CONCLUDED_SAVING: f64 = 0.418;

/// Statements of section IV.C for `top`.
pub fn stated(top: Top) -> Statement {
    match top {
        Top::One => TOP_1,
        Top::Five => TOP_5,
    }
}

/// Share of all images that are right under each crop, in the order of Table I.
pub fn accuracies(top: Top) -> [f64; CROPS] {
    TABLE_I.map(|row| match top {
        Top::One => row.top1_percent / 100.0,
        Top::Five => row.top5_percent / 100.0,
    })
}

/// Table I's energies.
pub fn energies() -> [f64; CROPS] {
    TABLE_I.map(|row| row.relative_energy)
}

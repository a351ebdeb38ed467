//! What the AQuA paper prints.

/// A row of Table I: a crop, its energy and what it leaves of the accuracy on the ILSVRC2012 validation set.
#[derive(Clone, Copy, Debug)]
pub struct TableRow {
    /// Top, bottom, left, right: 1 is cut.
    pub cut: &'static str,
    /// Energy relative to no crop, printed once for all crops of equally many cuts.
    pub relative_energy: f64,
    /// Images classified right at the first attempt, percent.
    pub top1_percent: f64,
    /// Images with the right class among the five likeliest, percent.
    pub top5_percent: f64,
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

/// What section IV.C states of one way to count an image as classified right.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// Share of images that need the original, "approximately" and "around".
    pub original: f64,
    /// Least share of images that tolerate four cuts: "over 50 %".
    pub four_cuts: f64,
    /// Mean energy of the oracle relative to no crop: 1 less the saving.
    pub mean_energy: f64,
}

/// Top-1: "approximately 20 %"; a saving of 33.5 %.
pub const TOP_1: Statement = Statement { original: 0.20, four_cuts: 0.50, mean_energy: 0.665 };
/// Top-5: "only around 10 %"; a saving of 42.0 %.
pub const TOP_5: Statement = Statement { original: 0.10, four_cuts: 0.50, mean_energy: 0.580 };

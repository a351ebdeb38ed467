//! Model of crossbars with imperfect cells and reads: every cell has a conductance of its own.
//!
//! Draws are seeded by place, not taken from one sequence: cells by (seed, layer, row block), read noise by (seed,
//! layer, window, row block, first output of the tile). Results therefore do not depend on the number of threads.

use std::ops::Range;

use index::{count, size};
use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Axis};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

use crate::datapath::Datapath;
use crate::error::Error;
use crate::serial::{self, BlockInputs, Columns};
use crate::tiles;

/// Imperfections of cells and reads. All are off by default; every draw follows from the seed.
///
/// A perfect cell of level v conducts v units and a column's sum is in the same units, so that one unit is one step of
/// the ADC. Sums are taken in single precision and rounded to the nearest step, negative ones to zero, before
/// they are clipped. The digital corrections assume perfect cells.
#[derive(Clone, Debug, PartialEq)]
pub struct NonIdealities {
    /// Seed of all random draws.
    pub seed: u64,
    /// Programming error: a cell's conductance is multiplied by exp(`programming_sigma` * z), z standard normal, drawn
    /// once when the cell is written.
    pub programming_sigma: f32,
    /// Read noise: `read_sigma` * z, in steps of the ADC, is added to a column's sum at each conversion, z standard
    /// normal. The noise of a window depends on the seed and the window's number, not on the picture.
    pub read_sigma: f32,
    /// Probability that a cell is stuck at its lowest conductance, whatever is written.
    pub stuck_off: f32,
    /// Probability that a cell is stuck at its highest conductance, whatever is written.
    pub stuck_on: f32,
    /// Highest over lowest conductance of a cell, more than 1. If finite, a cell of level 0 conducts
    /// (2^`cell_bits` - 1) / (ratio - 1) units, and every other cell so much more.
    pub on_off_ratio: f32,
}

impl Default for NonIdealities {
    fn default() -> Self {
        Self {
            seed: 0,
            programming_sigma: 0.0,
            read_sigma: 0.0,
            stuck_off: 0.0,
            stuck_on: 0.0,
            on_off_ratio: f32::INFINITY,
        }
    }
}

impl NonIdealities {
    /// True if no imperfection is on.
    pub(crate) fn are_off(&self) -> bool {
        let seed = self.seed;
        *self == Self { seed, ..Self::default() }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let ranges = [
            ("programming_sigma", self.programming_sigma, 0.0, f32::MAX),
            ("read_sigma", self.read_sigma, 0.0, f32::MAX),
            ("stuck_off", self.stuck_off, 0.0, 1.0),
            ("stuck_on", self.stuck_on, 0.0, 1.0 - self.stuck_off),
            ("on_off_ratio", self.on_off_ratio, 1.0 + f32::EPSILON, f32::INFINITY),
        ];
        for (parameter, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Parameter {
                    parameter,
                    value: value.into(),
                    least: least.into(),
                    most: most.into(),
                });
            }
        }
        Ok(())
    }
}

/// Weights as the conductances of cells; four bytes a cell.
#[derive(Debug)]
pub(crate) struct Conductances {
    /// Columns of a weight.
    slices: usize,
    /// Rows that are driven x columns, an output's slices from the top one down.
    cells: Array2<f32>,
    /// Row block x column.
    flipped: Array2<bool>,
    /// Seed of the read noise.
    seed: u64,
}

impl Conductances {
    /// Biases, cuts, flips and writes the weights (outputs x rows) of a group. The columns also have cells, of the
    /// lowest level, in the rows of other groups on the same crossbar: those of `driven` before and after `own`.
    /// Different seeds give different draws.
    pub(crate) fn program(
        datapath: &Datapath,
        weights: ArrayView2<i16>,
        weight_bits: u32,
        (own, driven): (Range<usize>, Range<usize>),
        seed: u64,
    ) -> Self {
        let slices = size(datapath.columns_per_weight(weight_bits));
        let columns = weights.nrows() * slices;
        let above = own.start - driven.start;
        let mut cells = Array2::zeros((driven.len(), columns));
        let mut flipped = Array2::from_elem((driven.len().div_ceil(datapath.rows), columns), false);
        let parts = cells.axis_chunks_iter_mut(Axis(0), datapath.rows).zip(flipped.rows_mut()).enumerate();
        tiles::share_out(datapath.options.threads.get(), parts, |(block, (mut cells, mut flipped))| {
            let mut draws = Xoshiro256PlusPlus::seed_from_u64(mix(seed, &[count(block)]));
            serial::program(datapath, weights, weight_bits, block, |output, weights| {
                for (slice, column) in (0..slices).rev().zip(output * slices..) {
                    let shift = slice * size(datapath.cell_bits);
                    let cell = |bits: u16| bits >> shift & datapath.largest_cell();
                    flipped[column] = cell(weights.flipped) != 0;
                    for (row, conductance) in cells.column_mut(column).iter_mut().enumerate() {
                        let stored = row.checked_sub(above).and_then(|row| weights.stored.get(row));
                        let level = f32::from(cell(stored.copied().unwrap_or(0)));
                        *conductance = self::conductance(datapath, level, &mut draws);
                    }
                }
            });
        });
        Self { slices, cells, flipped, seed }
    }

    /// Column currents when one slice of the encoded inputs is applied to a row block.
    fn currents(
        &self,
        datapath: &Datapath,
        block: usize,
        encoded: &[u16],
        iteration: u32,
        columns: &Range<usize>,
    ) -> Vec<f32> {
        let mut currents = vec![0.0; columns.len()];
        let (shift, mask) = (iteration * datapath.dac_bits, (1 << datapath.dac_bits) - 1);
        for (row, bits) in (block * datapath.rows..).zip(encoded) {
            let voltage = u32::from(*bits) >> shift & mask;
            if voltage != 0 {
                let cells = self.cells.row(row);
                let cells = cells.to_slice().expect("rows are contiguous");
                add_scaled(&mut currents, voltage as f32, &cells[columns.clone()]);
            }
        }
        currents
    }
}

/// Conductance of a cell after this level is written to it.
fn conductance(datapath: &Datapath, level: f32, draws: &mut impl Rng) -> f32 {
    let imperfect = &datapath.options.non_idealities;
    let highest = f32::from(datapath.largest_cell());
    let fate: f32 = draws.random();
    let level = if fate < imperfect.stuck_off {
        0.0
    } else if fate < imperfect.stuck_off + imperfect.stuck_on {
        highest
    } else {
        level
    };
    let lowest = highest / (imperfect.on_off_ratio - 1.0);
    let z: f32 = draws.sample(StandardNormal);
    (level + lowest) * (imperfect.programming_sigma * z).exp()
}

impl Columns for Conductances {
    fn read(&self, datapath: &Datapath, inputs: &BlockInputs, first_output: usize, sums: &mut [i64]) -> u64 {
        let columns = first_output * self.slices..(first_output + sums.len()) * self.slices;
        let place = [inputs.window, inputs.block, first_output].map(count);
        let mut noise = Xoshiro256PlusPlus::seed_from_u64(mix(self.seed, &place));
        let sigma = datapath.options.non_idealities.read_sigma;
        let adc_top = datapath.adc_top() as f32;
        let mut clipped = 0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of the ADC")]
        let mut convert = |current: f32| {
            // Without noise there is no need to draw any.
            let z: f32 = if sigma > 0.0 { noise.sample(StandardNormal) } else { 0.0 };
            let reading = (current + sigma * z).round();
            clipped += u64::from(reading > adc_top);
            reading.clamp(0.0, adc_top) as i64
        };

        let encoded = inputs.encoding.encode_all(inputs.driven);
        let mut totals = vec![0i64; columns.len()];
        for iteration in (0..inputs.encoding.iterations).rev() {
            let top = iteration + 1 == inputs.encoding.iterations;
            let sign = if top && inputs.encoding.subtracts_top { -1 } else { 1 };
            let currents = self.currents(datapath, inputs.block, &encoded, iteration, &columns);
            for (total, current) in totals.iter_mut().zip(currents) {
                *total = (*total << datapath.dac_bits) + sign * convert(current);
            }
        }

        let flipped_base = i64::from(datapath.largest_cell()) * inputs.unit_sum();
        for (total, column) in totals.iter_mut().zip(columns) {
            if self.flipped[(inputs.block, column)] {
                *total = flipped_base - *total;
            }
        }
        for (sum, slices) in sums.iter_mut().zip(totals.chunks_exact(self.slices)) {
            let merge = |upper, slice| (upper << datapath.cell_bits) + slice;
            *sum += slices.iter().fold(0, merge);
        }
        clipped
    }
}

/// Adds the currents of one row to the column currents.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_scaled(currents: &mut [f32], voltage: f32, cells: &[f32]) {
    for (current, conductance) in currents.iter_mut().zip(cells) {
        *current += voltage * conductance;
    }
}

/// A seed made from a seed and a place, so that neighbouring places have unrelated draws.
pub(crate) fn mix(seed: u64, place: &[u64]) -> u64 {
    let scramble = |n| SplitMix64::seed_from_u64(n).next_u64();
    place.iter().fold(scramble(seed), |seed, n| scramble(seed ^ n))
}

//! Model of every conversion of every column on bit planes: 64 rows of a crossbar are the bits of one word, and a
//! column's sum is made of population counts of (inputs AND cells).
//!
//! Eight outputs are computed at a time, one in each lane of a vector register. The words of a plane are a constant of
//! the type, so that the innermost loop has a fixed length.

use index::size;
use multiversion::multiversion;
use ndarray::{ArrayView2, Axis};

use crate::datapath::Datapath;
use crate::serial::{self, BlockInputs, BlockWeights, Columns};
use crate::tiles;

/// Outputs that are computed side by side, one in each lane of a vector register.
const LANES: usize = 8;

/// One word for each of the outputs that are computed side by side.
type Words = [u64; LANES];

/// Most bits of an activation or weight in whole slices: 16, rounded up to a multiple of 1 to 8.
const MOST_PLANES: usize = 21;

/// Weights as the crossbars hold them; a plane of a column has `W` words. Outputs are grouped by [`LANES`]; the last
/// group may be padded with outputs whose cells are all zero.
#[derive(Debug)]
struct BitPlanes<const W: usize> {
    /// Output groups.
    groups: usize,
    /// Columns of a weight.
    slices: usize,
    /// Bits of a cell.
    cell_bits: usize,
    /// Indexed by row block, group, slice, and bit of the cell; slices and bits from the top one down.
    cells: Vec<[Words; W]>,
    /// All ones where a column is flipped. Indexed by row block, group and slice.
    flipped: Vec<[i64; LANES]>,
}

/// Biases, cuts and, where that makes a column's sum smaller, flips the weights (outputs x rows).
pub(crate) fn program(datapath: &Datapath, weights: ArrayView2<i16>, weight_bits: u32) -> Box<dyn Columns> {
    let rows = weights.ncols().min(datapath.rows);
    match rows.div_ceil(64) {
        0..=1 => Box::new(BitPlanes::<1>::program(datapath, weights, weight_bits)),
        2 => Box::new(BitPlanes::<2>::program(datapath, weights, weight_bits)),
        3..=4 => Box::new(BitPlanes::<4>::program(datapath, weights, weight_bits)),
        5..=8 => Box::new(BitPlanes::<8>::program(datapath, weights, weight_bits)),
        _ => Box::new(BitPlanes::<16>::program(datapath, weights, weight_bits)),
    }
}

impl<const W: usize> BitPlanes<W> {
    fn program(datapath: &Datapath, weights: ArrayView2<i16>, weight_bits: u32) -> Self {
        let (outputs, rows) = weights.dim();
        let groups = outputs.div_ceil(LANES);
        let slices = size(datapath.columns_per_weight(weight_bits));
        let cell_bits = size(datapath.cell_bits);
        let columns = rows.div_ceil(datapath.rows) * groups * slices;
        let mut cells = vec![[[0; LANES]; W]; columns * cell_bits];
        let mut flipped = vec![[0; LANES]; columns];
        let parts = cells.chunks_exact_mut(slices * cell_bits).zip(flipped.chunks_exact_mut(slices)).enumerate();
        tiles::share_out(datapath.options.threads.get(), parts, |(index, (cells, flipped))| {
            let (block, first_output) = (index / groups, index % groups * LANES);
            let outputs = first_output..outputs.min(first_output + LANES);
            let weights = weights.slice_axis(Axis(0), outputs.into());
            serial::program(datapath, weights, weight_bits, block, |lane, w| write(w, lane, cells, flipped, cell_bits));
        });
        Self { groups, slices, cell_bits, cells, flipped }
    }
}

/// Writes one output's weights in a row block to its lane of the group's columns.
fn write<const W: usize>(
    weights: BlockWeights,
    lane: usize,
    cells: &mut [[Words; W]],
    flipped: &mut [[i64; LANES]],
    cell_bits: usize,
) {
    let mut planes = [[0; W]; MOST_PLANES];
    let planes = &mut planes[..cells.len()];
    pack(weights.stored, planes);
    for (cell, plane) in cells.iter_mut().zip(planes) {
        for (words, word) in cell.iter_mut().zip(plane) {
            words[lane] = *word;
        }
    }
    for (slice, flipped) in flipped.iter_mut().rev().enumerate() {
        let lowest = u32::from(weights.flipped) >> (slice * cell_bits) & 1;
        flipped[lane] = if lowest == 1 { -1 } else { 0 };
    }
}

impl<const W: usize> Columns for BitPlanes<W> {
    fn read(&self, datapath: &Datapath, inputs: &BlockInputs, first_output: usize, sums: &mut [i64]) -> u64 {
        let first = (inputs.block * self.groups + first_output / LANES) * self.slices;
        let columns = ColumnPlanes {
            slices: self.slices,
            cell_bits: self.cell_bits,
            cells: &self.cells[first * self.cell_bits..],
            flipped: &self.flipped[first..],
        };
        let mut group_sums = vec![[0; LANES]; sums.len().div_ceil(LANES)];
        let mut clipped = [0; LANES];
        read(datapath, &columns, inputs, &mut group_sums, &mut clipped);
        for (sum, group_sum) in sums.iter_mut().zip(group_sums.as_flattened()) {
            *sum += group_sum;
        }
        clipped.iter().sum()
    }
}

/// The columns that are read together: those of some outputs in one row block.
struct ColumnPlanes<'a, const W: usize> {
    slices: usize,
    cell_bits: usize,
    cells: &'a [[Words; W]],
    flipped: &'a [[i64; LANES]],
}

/// Reads the columns of some output groups, and counts clipped conversions lane by lane.
///
/// All results are as wide as a vector register: a narrower one, even if taken after the loops, makes the compiler
/// split the registers, at a third of the speed.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq",
    "x86_64+avx2+popcnt",
    "x86_64+popcnt"
))]
fn read<const W: usize>(
    datapath: &Datapath,
    columns: &ColumnPlanes<W>,
    inputs: &BlockInputs,
    group_sums: &mut [[i64; LANES]],
    clipped: &mut Words,
) {
    let BlockInputs { encoding, .. } = *inputs;
    let dac_bits = size(datapath.dac_bits);
    let adc_top = datapath.adc_top();
    // The reading of a flipped column is subtracted from this.
    let flipped_base = i64::from(datapath.largest_cell()) * inputs.unit_sum();

    let encoded = encoding.encode_all(inputs.activations);
    let mut planes = [[0; W]; MOST_PLANES];
    let planes = &mut planes[..size(encoding.iterations) * dac_bits];
    pack(&encoded, planes);

    let groups = columns.cells.chunks_exact(columns.slices * columns.cell_bits);
    let flipped = columns.flipped.chunks_exact(columns.slices);
    for ((sums, cells), flipped) in group_sums.iter_mut().zip(groups).zip(flipped) {
        for (column, flipped) in cells.chunks_exact(columns.cell_bits).zip(flipped) {
            // Shift-and-add over iterations, from the top slice down.
            let mut total = [0i64; LANES];
            for (iteration, slice) in planes.chunks_exact(dac_bits).enumerate() {
                let column_sums = sum_columns(slice, column);
                for lane in 0..LANES {
                    clipped[lane] += u64::from(column_sums[lane] > adc_top);
                    let converted = column_sums[lane].min(adc_top).cast_signed();
                    total[lane] = (total[lane] << dac_bits) + converted;
                }
                if iteration == 0 && encoding.subtracts_top {
                    total = total.map(|t| -t);
                }
            }
            for lane in 0..LANES {
                // (t ^ -1) + b + 1 is b - t.
                let corrected = (total[lane] ^ flipped[lane]) + (flipped[lane] & (flipped_base + 1));
                sums[lane] = (sums[lane] << columns.cell_bits) + corrected;
            }
        }
    }
}

/// Bit-line sums of one column of each output for one slice of the inputs: the sum over all pairs of an input bit and a
/// cell bit of the rows that have both, each weighted with its place value.
///
/// The loop over words is the innermost, so that the compiler unrolls it.
#[expect(clippy::inline_always, reason = "compiled for the instruction set of its caller")]
#[inline(always)]
fn sum_columns<const W: usize>(slice: &[[u64; W]], column: &[[Words; W]]) -> Words {
    let mut sums = [0; LANES];
    for input in slice {
        let mut sums_of_bit = [0; LANES];
        for cells in column {
            for lane in 0..LANES {
                let both = |word: usize| u64::from((cells[word][lane] & input[word]).count_ones());
                sums_of_bit[lane] = (sums_of_bit[lane] << 1) + (0..W).map(both).sum::<u64>();
            }
        }
        for lane in 0..LANES {
            sums[lane] = (sums[lane] << 1) + sums_of_bit[lane];
        }
    }
    sums
}

/// Transposes up to 64 `W` values to bit planes, from the highest bit down.
#[expect(clippy::inline_always, reason = "compiled for the instruction set of its caller")]
#[inline(always)]
fn pack<const W: usize>(values: &[u16], planes: &mut [[u64; W]]) {
    for (word, values) in values.chunks(64).enumerate() {
        let mut rows = [0u64; 64];
        for (row, value) in rows.iter_mut().zip(values) {
            *row = (*value).into();
        }
        for (bit, plane) in planes.iter_mut().rev().enumerate() {
            let bits = rows.iter().enumerate();
            plane[word] = bits.fold(0, |word, (row, value)| word | (value >> bit & 1) << row);
        }
    }
}

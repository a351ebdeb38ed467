//! Common part of the models that read crossbars slice by slice: encoding of activations, biasing and flipping of
//! weights, and the corrections after the last read.
//!
//! [`Columns`] is the seam: an implementation reads one row block and returns sums with flipped columns corrected;
//! [`multiply`] subtracts the bias of the weights and the offset of the activations. With `a` the activations, `w` the
//! weights, `b` the bias and `o` the offset, the columns yield sum((a + o) (w + b)), from which
//! b sum(a + o) + o sum(w) is subtracted.

use std::fmt::Debug;

use index::count;
use ndarray::{Array2, ArrayView2, Axis, Slice};

use crate::datapath::Datapath;
use crate::groups::Groups;
use crate::tiles::Tile;
use crate::windows::Windows;

/// Windows and outputs of a tile: the cells of a row block of these outputs stay in cache for all of its windows.
pub(crate) const TILE: (usize, usize) = (32, 512);

/// Encoding of activations of one precision for the DACs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding {
    activation_bits: u32,
    /// Slices, and so reads of a crossbar.
    pub(crate) iterations: u32,
    /// The sign bit is alone in the top slice, whose iteration is subtracted. Otherwise the sign bit is inverted.
    pub(crate) subtracts_top: bool,
}

impl Encoding {
    fn new(datapath: &Datapath, activation_bits: u32) -> Self {
        Self {
            activation_bits,
            iterations: datapath.iterations(activation_bits),
            subtracts_top: (activation_bits - 1).is_multiple_of(datapath.dac_bits),
        }
    }

    /// The bits that go to the DACs, one by one.
    pub(crate) fn encode_all(self, activations: &[i16]) -> Vec<u16> {
        activations.iter().map(|&activation| self.encode(activation)).collect()
    }

    /// Offset that the encoding adds to every activation.
    fn offset(self) -> u16 {
        if self.subtracts_top { 0 } else { 1 << (self.activation_bits - 1) }
    }

    /// The bits that go to the DACs, in as many low-order bits as an activation has.
    #[expect(clippy::inline_always, reason = "compiled for the instruction set of its caller")]
    #[inline(always)]
    pub(crate) fn encode(self, activation: i16) -> u16 {
        let mask = u16::MAX >> (16 - self.activation_bits);
        activation.cast_unsigned().wrapping_add(self.offset()) & mask
    }
}

/// The inputs of one row block in one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockInputs<'a> {
    pub(crate) window: usize,
    pub(crate) block: usize,
    pub(crate) encoding: Encoding,
    /// One for each row of the block that the outputs read.
    pub(crate) activations: &'a [i16],
    /// One for each row of the crossbars, those of other groups included.
    pub(crate) driven: &'a [i16],
}

impl BlockInputs<'_> {
    /// Sum of the unit column over all iterations.
    pub(crate) fn unit_sum(&self) -> i64 {
        let sum: i64 = self.activations.iter().map(|&a| i64::from(a)).sum();
        sum + i64::from(self.encoding.offset()) * count(self.activations.len()).cast_signed()
    }
}

/// Bias added to every weight, so that none is negative.
pub(crate) fn bias(weight_bits: u32) -> u16 {
    1 << (weight_bits - 1)
}

/// The weights of one output in one row block, as they are written to cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockWeights<'a> {
    /// Biased, and flipped where that applies; one for each row of the block. Every `cell_bits` of them, from the
    /// lowest up, are a cell.
    pub(crate) stored: &'a [u16],
    /// The bits of each weight that are inverted, always all or none of a cell's.
    pub(crate) flipped: u16,
}

/// Biases the weights of some outputs in row block `block` (`weights` is outputs x rows of the layer), flips columns
/// where that makes their sum smaller, and passes each output's weights to `write`, in order.
pub(crate) fn program(
    datapath: &Datapath,
    weights: ArrayView2<i16>,
    weight_bits: u32,
    block: usize,
    mut write: impl FnMut(usize, BlockWeights),
) {
    let bias = bias(weight_bits);
    let first = block * datapath.rows;
    let rows = first..weights.ncols().min(first + datapath.rows);
    let mut stored = Vec::with_capacity(rows.len());
    for (output, weights) in weights.rows().into_iter().enumerate() {
        let weights = weights.slice_axis_move(Axis(0), Slice::from(rows.clone()));
        stored.clear();
        stored.extend(weights.iter().map(|&w| w.cast_unsigned().wrapping_add(bias)));
        let flipped = flipped_bits(datapath, &stored, weight_bits);
        for w in &mut stored {
            *w ^= flipped;
        }
        write(output, BlockWeights { stored: &stored, flipped });
    }
}

/// Bits of the cells of those columns whose sum exceeds half of its largest possible value. A top slice of fewer bits
/// than a cell never does.
fn flipped_bits(datapath: &Datapath, biased: &[u16], weight_bits: u32) -> u16 {
    if !datapath.flipped_encoding {
        return 0;
    }
    let largest = datapath.largest_cell();
    let exceeds_half = |slice: u32| {
        let cell = |w: &u16| u64::from(*w >> (slice * datapath.cell_bits) & largest);
        2 * biased.iter().map(cell).sum::<u64>() > u64::from(largest) * count(biased.len())
    };
    let flipped = (0..datapath.columns_per_weight(weight_bits)).filter(|&s| exceeds_half(s));
    flipped.fold(0, |bits, slice| bits | largest << (slice * datapath.cell_bits))
}

/// Crossbars of one layer that are read one iteration at a time.
pub(crate) trait Columns: Debug + Send + Sync {
    /// Reads one row block for the outputs from `first_output` on, adds the conversions merged by shift-and-add to
    /// `sums`, with flipped columns corrected, and returns the number of clipped conversions.
    fn read(&self, datapath: &Datapath, inputs: &BlockInputs, first_output: usize, sums: &mut [i64]) -> u64;
}

/// Weights of a layer on crossbars that are read one iteration at a time.
#[derive(Debug)]
pub(crate) struct Programmed {
    pub(crate) groups: Groups,
    /// Columns of each group.
    pub(crate) columns: Vec<Box<dyn Columns>>,
    /// Added to every weight.
    pub(crate) bias: i64,
    /// Sum of the weights of each row block and output, without the bias.
    pub(crate) weight_sums: Array2<i64>,
}

/// Fills a tile of sums (windows x outputs) and returns the number of clipped conversions.
///
/// Row blocks that the windows [skip](Windows::skips) are neither read nor corrected: their inputs are zeros.
pub(crate) fn multiply(datapath: &Datapath, programmed: &Programmed, windows: &Windows, mut tile: Tile<i64>) -> u64 {
    let groups = programmed.groups;
    let mut clipped = 0;
    let outputs = tile.left..tile.left + tile.values.ncols();
    let first = groups.rows_of_pack(outputs.start / groups.outputs).start;
    let end = groups.rows_of_pack((outputs.end - 1) / groups.outputs).end;
    let (computed, inputs) = windows.gather(tile.top..tile.top + tile.values.nrows(), first..end);
    for (group, of_group) in groups.among(outputs.clone()) {
        let of_layer = group * groups.outputs + of_group.start..group * groups.outputs + of_group.end;
        let of_tile = of_layer.start - outputs.start..of_layer.end - outputs.start;
        let weight_sums = programmed.weight_sums.slice_axis(Axis(1), of_layer.into());
        for (block, rows) in groups.blocks(group, datapath.rows).enumerate() {
            let inputs = inputs.slice_axis(Axis(1), (rows.start - first..rows.end - first).into());
            // A block of several groups has all rows of each, a block of one group has no others.
            let own = groups.rows_of(group);
            let own = own.start.max(rows.start) - rows.start..own.end.min(rows.end) - rows.start;
            for (driven, &window) in inputs.rows().into_iter().zip(&computed) {
                if datapath.skip_zero_row_blocks && windows.skips(window, rows.clone()) {
                    continue;
                }
                let driven = driven.to_slice().expect("rows are contiguous");
                let inputs = BlockInputs {
                    window,
                    block,
                    encoding: Encoding::new(datapath, windows.bits(window)),
                    activations: &driven[own.clone()],
                    driven,
                };
                let sums = tile.values.row_mut(window - tile.top);
                let sums = &mut sums.into_slice().expect("rows are contiguous")[of_tile.clone()];
                clipped += programmed.columns[group].read(datapath, &inputs, of_group.start, sums);
                let (unit_sum, offset) = (inputs.unit_sum(), i64::from(inputs.encoding.offset()));
                for (sum, weight_sum) in sums.iter_mut().zip(weight_sums.row(block)) {
                    *sum -= programmed.bias * unit_sum + offset * weight_sum;
                }
            }
        }
    }
    for window in computed {
        let sums = tile.values.row_mut(window - tile.top);
        sums.into_iter().for_each(|sum| *sum <<= windows.dropped_bits(window));
    }
    clipped
}

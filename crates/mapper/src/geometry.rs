//! Geometry: cutting one replica of a layer into crossbars, and these into IMAs.
//!
//! | unit | part of the layer's weight matrix |
//! | --- | --- |
//! | row, column | input of a window; slice of the weights of an output |
//! | row block, column block | rows, columns of one crossbar |
//! | row group, column group | `ima_rows` row blocks, `ima_cols` column blocks: those of one IMA |
//! | output group | fewest column groups that no weight straddles the end of; finished in one tile |
//!
//! The last unit of each kind may be partly filled. All are numbered from 0 within a replica; ranges are half open.

use std::ops::Range;

use arch::Arch;
use network::{Layer, LayerPlan};

use crate::{Fabric, MappingError};

/// Division of one replica of a layer into crossbars, and of these into IMAs.
///
/// Row `c*K*K + ky*K + kx` of the replica is input channel `c` at kernel position `(ky, kx)`, so that a row block needs
/// few channels of the map. Column `o*s + i` is slice `i` of the `s` slices of the weights of output `o`.
///
/// The IMAs of a replica are numbered in blocks of a few column groups: along the columns of the block first, then down
/// the rows. A wider block means that fewer tiles need each input and more tiles have partial sums of each output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Rows of the replica: inputs of a window.
    pub rows: u32,
    /// Columns of the replica: outputs times slices.
    pub columns: u32,
    /// Columns per weight.
    pub(crate) columns_per_weight: u32,
    /// Row blocks: rows divided by the rows of a crossbar, rounded up.
    pub row_blocks: u32,
    /// Column blocks: columns divided by the columns of a crossbar, rounded up.
    pub col_blocks: u32,
    /// Row blocks per IMA.
    pub ima_rows: u32,
    /// Column blocks per IMA.
    pub ima_cols: u32,
    /// Row groups: row blocks divided by those of an IMA, rounded up.
    pub row_groups: u32,
    /// Column groups: column blocks divided by those of an IMA, rounded up.
    pub col_groups: u32,
    /// Column groups per block of the numbering of IMAs.
    block_cols: u32,
    /// Rows per input channel: kernel height times width.
    pub(crate) kernel_positions: u32,
    /// Rows of a crossbar.
    crossbar_rows: u32,
    /// Columns of a crossbar.
    crossbar_columns: u32,
}

/// Outputs that are finished in one tile: adjacent column groups, the last of which ends with a whole weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputGroup {
    /// Column groups of the replica, adjacent.
    pub col_groups: Range<u32>,
    /// Output channels.
    pub outputs: Range<u32>,
}

/// Part of a replica that one IMA holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImaSpec {
    /// Rows of the replica.
    pub rows: Range<u32>,
    /// Columns of the replica.
    pub columns: Range<u32>,
    /// Outputs with at least one column in the IMA.
    pub outputs: Range<u32>,
}

impl ImaSpec {
    /// Returns the used (rows, columns) of each crossbar of the IMA, row block by row block.
    pub fn crossbars(&self, arch: &Arch) -> impl Iterator<Item = (u32, u32)> + Clone + use<> {
        let used = |range: &Range<u32>, size: u32| {
            let end = range.end;
            range.clone().step_by(index::size(size)).map(move |first| size.min(end - first))
        };
        let columns = used(&self.columns, arch.crossbar.columns);
        used(&self.rows, arch.crossbar.rows).flat_map(move |rows| columns.clone().map(move |columns| (rows, columns)))
    }
}

impl Geometry {
    /// Cuts `layer` for IMAs of `ima_rows` x `ima_cols` crossbars.
    pub fn new(fabric: &Fabric, layer: &Layer, plan: &LayerPlan, ima_rows: u32, ima_cols: u32) -> Self {
        let columns_per_weight = fabric.columns_per_weight(plan.weight_bits);
        let rows = layer.rows();
        let columns = layer.output.channels * columns_per_weight;
        let (row_blocks, col_blocks) = (rows.div_ceil(fabric.crossbar.rows), columns.div_ceil(fabric.crossbar.columns));
        let (row_groups, col_groups) = (row_blocks.div_ceil(ima_rows), col_blocks.div_ceil(ima_cols));
        Self {
            rows,
            columns,
            columns_per_weight,
            row_blocks,
            col_blocks,
            ima_rows,
            ima_cols,
            row_groups,
            col_groups,
            block_cols: block_cols(fabric, layer, row_groups, col_groups),
            kernel_positions: layer.kernel.positions(),
            crossbar_rows: fabric.crossbar.rows,
            crossbar_columns: fabric.crossbar.columns,
        }
    }

    /// Returns the crossbars of one replica.
    pub fn crossbars(&self) -> u64 {
        u64::from(self.row_blocks) * u64::from(self.col_blocks)
    }

    /// Returns the IMAs of one replica, whatever the size of the board.
    pub(crate) fn imas(&self) -> u64 {
        u64::from(self.row_groups) * u64::from(self.col_groups)
    }

    /// Returns the IMAs of one replica; `u32::MAX` stands for more than any board has.
    pub fn imas_per_replica(&self) -> u32 {
        u32::try_from(self.imas()).unwrap_or(u32::MAX)
    }

    /// Returns (row group, column group) of IMA `index` of a replica; the inverse of [`Geometry::ima_at`].
    pub fn groups_of(&self, index: u32) -> (u32, u32) {
        let first = index / (self.row_groups * self.block_cols) * self.block_cols;
        let width = self.block_cols.min(self.col_groups - first);
        let within = index - first * self.row_groups;
        (within / width, first + within % width)
    }

    /// Returns the IMA of a replica that holds `row_group` and `col_group`.
    pub fn ima_at(&self, row_group: u32, col_group: u32) -> u32 {
        let first = col_group / self.block_cols * self.block_cols;
        let width = self.block_cols.min(self.col_groups - first);
        first * self.row_groups + row_group * width + col_group - first
    }

    /// Returns the part of the replica that IMA `index` holds.
    pub fn ima(&self, index: u32) -> ImaSpec {
        let (row_group, col_group) = self.groups_of(index);
        let row_blocks = blocks(row_group, self.ima_rows, self.row_blocks);
        let columns = self.columns_of(col_group);
        let rows = extent(&row_blocks, self.crossbar_rows, self.rows);
        ImaSpec { rows, outputs: self.outputs(&columns), columns }
    }

    /// Returns the columns of the replica that a column group holds.
    fn columns_of(&self, col_group: u32) -> Range<u32> {
        extent(&blocks(col_group, self.ima_cols, self.col_blocks), self.crossbar_columns, self.columns)
    }

    /// Returns the outputs with at least one of `columns`.
    fn outputs(&self, columns: &Range<u32>) -> Range<u32> {
        columns.start / self.columns_per_weight..columns.end.div_ceil(self.columns_per_weight)
    }

    /// Returns the output groups of a replica, in order; together they hold every output once.
    pub(crate) fn output_groups(&self) -> Vec<OutputGroup> {
        let mut groups = Vec::new();
        let mut first = 0;
        for col_group in 0..self.col_groups {
            let end = ((col_group + 1) * self.ima_cols * self.crossbar_columns).min(self.columns);
            if end.is_multiple_of(self.columns_per_weight) {
                let start = first * self.ima_cols * self.crossbar_columns;
                groups.push(OutputGroup { col_groups: first..col_group + 1, outputs: self.outputs(&(start..end)) });
                first = col_group + 1;
            }
        }
        groups
    }

    /// Returns the input channels that `rows` read.
    pub(crate) fn channels(&self, rows: &Range<u32>) -> Range<u32> {
        rows.start / self.kernel_positions..rows.end.div_ceil(self.kernel_positions)
    }

    /// Checks that inputs and results of one operation fit the IMA's registers; an error names the layer `layer`.
    pub(crate) fn check_registers(&self, fabric: &Fabric, layer: &str) -> Result<(), MappingError> {
        let bits = fabric.tile.partial_sum_bits;
        let inputs = (self.ima_rows.min(self.row_blocks) * self.crossbar_rows).min(self.rows);
        let results = self.ima_cols.min(self.col_blocks) * self.crossbar_columns / self.columns_per_weight;
        let registers = [
            ("ima_rows", "input", inputs, inputs * 16 / 8, fabric.ima.input_register_bytes),
            ("ima_cols", "output", results, results * bits / 8, fabric.ima.output_register_bytes),
        ];
        for (key, register, values, needed, available) in registers {
            if needed > available {
                return Err(MappingError::Invalid {
                    layer: layer.to_owned(),
                    key,
                    problem: format!(
                        "{values} values of an operation take {needed} bytes, \
                         and the {register} register of an IMA has {available}"
                    ),
                    remedy: format!("lower {key} or raise ima.{register}_register_bytes"),
                });
            }
        }
        Ok(())
    }

    /// Returns the bits over the buses for one window of one replica, 16 per input and result. Of shapes with equally
    /// many IMAs, the balance takes the one with the least.
    pub(crate) fn traffic(&self) -> u64 {
        let inputs = u64::from(self.rows) * u64::from(self.col_groups);
        let results: u64 = (0..self.col_groups)
            .map(|col_group| {
                let outputs = self.outputs(&self.columns_of(col_group));
                u64::from(outputs.end - outputs.start)
            })
            .sum();
        16 * (inputs + results * u64::from(self.row_groups))
    }
}

/// Returns the width, in column groups, of the blocks in which the IMAs of a replica are numbered. It is the one with
/// the fewest values sent from tile to tile per image, inputs and partial sums together.
fn block_cols(fabric: &Fabric, layer: &Layer, row_groups: u32, col_groups: u32) -> u32 {
    let per_tile = fabric.tile.imas;
    if u64::from(row_groups) * u64::from(col_groups) <= u64::from(per_tile) {
        return 1;
    }
    let inputs = u64::from(layer.input.height) * u64::from(layer.input.width) * u64::from(layer.input.channels);
    let results = layer.windows() * u64::from(layer.output.channels);
    let sent = |width: u32| {
        let rows = per_tile / width;
        inputs * u64::from(col_groups.div_ceil(width)) + results * u64::from(row_groups.div_ceil(rows) - 1)
    };
    (1..=per_tile.min(col_groups)).min_by_key(|&width| sent(width)).unwrap_or(1)
}

/// Returns the blocks of group `group` if `total` blocks are cut into groups of `size`.
fn blocks(group: u32, size: u32, total: u32) -> Range<u32> {
    group * size..((group + 1) * size).min(total)
}

/// Returns the rows or columns of `blocks` if `total` rows or columns are cut into blocks of `size`.
fn extent(blocks: &Range<u32>, size: u32, total: u32) -> Range<u32> {
    blocks.start * size..(blocks.end * size).min(total)
}

//! Geometry: cutting one replica of a layer into crossbars, and these into IMAs.
//!
//! | unit | part of the layer's weight matrix |
//! | --- | --- |
//! | row, column | input of a window; slice of the weights of an output |
//! | pack | rows and columns of groups of channels that share a crossbar, of one group that does not fit a crossbar, or of a layer without groups |
//! | row block, column block | rows, columns of a pack that one crossbar holds |
//! | pack group | packs of one IMA, or one pack that takes several IMAs |
//! | row group, column group | rows, columns of a pack group that one IMA holds: of one pack, `ima_rows` row blocks and `ima_cols` column blocks |
//! | output group | fewest column groups that no weight straddles the end of; finished in one tile |
//!
//! A column adds up all its rows, so groups of channels never share one. The matrix has packs along its diagonal and no
//! weights beside them; in a crossbar, the groups of a pack stand diagonally as well. The last unit of each kind may be
//! partly filled. All are numbered from 0 within a replica; ranges are half open.

use std::ops::Range;

use arch::Arch;
use network::Layer;

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
    /// Rows that the weights of an output occupy: all, or those of its group of channels.
    rows_per_output: u32,
    /// Rows of a pack.
    pack_rows: u32,
    /// Columns of a pack.
    pack_columns: u32,
    /// Row blocks of each pack: rows divided by the rows of a crossbar, rounded up.
    pub row_blocks: u32,
    /// Column blocks of all packs: of each, columns divided by the columns of a crossbar, rounded up.
    pub col_blocks: u32,
    /// Row blocks per IMA.
    pub ima_rows: u32,
    /// Column blocks per IMA.
    pub ima_cols: u32,
    /// Packs of each pack group.
    packs_per_group: u32,
    /// Pack groups.
    pack_groups: u32,
    /// Row groups of all pack groups.
    pub row_groups: u32,
    /// Column groups of all pack groups.
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
    /// Rows and columns that belong together: those of each pack of the IMA, or all. The last pack may have fewer.
    pub pack: (u32, u32),
}

impl ImaSpec {
    /// Returns rows and columns of the replica that each row block of the IMA holds.
    pub fn row_blocks(&self, crossbar_rows: u32) -> impl Iterator<Item = (Range<u32>, Range<u32>)> + Clone + use<> {
        let packs = cut(&self.rows, self.pack.0).zip(cut(&self.columns, self.pack.1));
        packs.flat_map(move |(rows, columns)| cut(&rows, crossbar_rows).map(move |rows| (rows, columns.clone())))
    }

    /// Returns the used (rows, columns) of each crossbar of the IMA, row block by row block.
    pub fn crossbars(&self, arch: &Arch) -> impl Iterator<Item = (u32, u32)> + Clone + use<> {
        let crossbar_columns = arch.crossbar.columns;
        self.row_blocks(arch.crossbar.rows).flat_map(move |(rows, columns)| {
            cut(&columns, crossbar_columns).map(move |columns| (length(&rows), length(&columns)))
        })
    }

    /// Returns the used columns of the widest of [`Self::crossbars`]: one of the first pack, since the last may be narrower.
    pub fn widest(&self, crossbar_columns: u32) -> u32 {
        self.pack.1.min(length(&self.columns)).min(crossbar_columns)
    }
}

impl Geometry {
    /// Cuts `layer`, with weights of `weight_bits` bits, for IMAs of `ima_rows` x `ima_cols` crossbars.
    pub fn new(fabric: &Fabric, layer: &Layer, weight_bits: u32, ima_rows: u32, ima_cols: u32) -> Self {
        let (crossbar_rows, crossbar_columns) = (fabric.crossbar.rows, fabric.crossbar.columns);
        let columns_per_weight = fabric.columns_per_weight(weight_bits);
        let (rows_per_output, groups) = (layer.rows(), layer.groups);
        let columns = layer.output.channels * columns_per_weight;
        // Groups of a pack, and its size.
        let packed = (crossbar_rows / rows_per_output).min(crossbar_columns / (columns / groups)).clamp(1, groups);
        let (pack_rows, pack_columns) = (packed * rows_per_output, packed * (columns / groups));
        let packs = groups.div_ceil(packed);
        let (row_blocks, pack_cols) = (pack_rows.div_ceil(crossbar_rows), pack_columns.div_ceil(crossbar_columns));
        let is_whole = ima_rows >= row_blocks && ima_cols >= pack_cols;
        let packs_per_group = if is_whole { (ima_cols / pack_cols).min(packs) } else { 1 };
        let pack_groups = packs.div_ceil(packs_per_group);
        let (row_groups, col_groups) = (row_blocks.div_ceil(ima_rows), pack_cols.div_ceil(ima_cols));
        Self {
            rows: groups * rows_per_output,
            columns,
            columns_per_weight,
            rows_per_output,
            pack_rows,
            pack_columns,
            row_blocks,
            col_blocks: packs * pack_cols,
            ima_rows,
            ima_cols,
            packs_per_group,
            pack_groups,
            row_groups: pack_groups * row_groups,
            col_groups: pack_groups * col_groups,
            block_cols: block_cols(fabric, layer, row_groups, col_groups),
            kernel_positions: layer.kernel.positions(),
            crossbar_rows,
            crossbar_columns,
        }
    }

    /// Returns the crossbars of one replica.
    pub fn crossbars(&self) -> u64 {
        u64::from(self.row_blocks) * u64::from(self.col_blocks)
    }

    /// Returns the cells of one replica that hold weights.
    pub fn cells(&self) -> u64 {
        u64::from(self.rows_per_output) * u64::from(self.columns)
    }

    /// Returns the row groups that meet each column group.
    fn rows_of_pack_group(&self) -> u32 {
        self.row_groups / self.pack_groups
    }

    /// Returns the IMAs of one replica, whatever the size of the board.
    pub(crate) fn imas(&self) -> u64 {
        u64::from(self.rows_of_pack_group()) * u64::from(self.col_groups)
    }

    /// Returns the IMAs of one replica; `u32::MAX` stands for more than any board has.
    pub fn imas_per_replica(&self) -> u32 {
        u32::try_from(self.imas()).unwrap_or(u32::MAX)
    }

    /// Returns (row group, column group) of IMA `index` of a replica; the inverse of [`Geometry::ima_at`].
    pub fn groups_of(&self, index: u32) -> (u32, u32) {
        let row_groups = self.rows_of_pack_group();
        let first = index / (row_groups * self.block_cols) * self.block_cols;
        let width = self.block_cols.min(self.col_groups - first);
        let within = index - first * row_groups;
        let col_group = first + within % width;
        (self.row_groups_of(col_group).start + within / width, col_group)
    }

    /// Returns the IMA of a replica that holds `row_group` and `col_group`, which meet.
    pub fn ima_at(&self, row_group: u32, col_group: u32) -> u32 {
        let row_groups = self.row_groups_of(col_group);
        let first = col_group / self.block_cols * self.block_cols;
        let width = self.block_cols.min(self.col_groups - first);
        first * length(&row_groups) + (row_group - row_groups.start) * width + col_group - first
    }

    /// Returns the row groups that meet a column group: those of its pack group.
    pub fn row_groups_of(&self, col_group: u32) -> Range<u32> {
        let pack_group = col_group / (self.col_groups / self.pack_groups);
        let row_groups = self.rows_of_pack_group();
        pack_group * row_groups..(pack_group + 1) * row_groups
    }

    /// Returns the part of the replica that IMA `index` holds.
    pub fn ima(&self, index: u32) -> ImaSpec {
        let (row_group, col_group) = self.groups_of(index);
        let (rows, columns) = (self.rows_of(row_group), self.columns_of(col_group));
        let pack = if self.packs_per_group == 1 {
            (length(&rows), length(&columns))
        } else {
            (self.pack_rows, self.pack_columns)
        };
        ImaSpec { rows, outputs: self.outputs(&columns), columns, pack }
    }

    /// Returns the rows of the replica that a row group holds.
    pub fn rows_of(&self, row_group: u32) -> Range<u32> {
        self.part(row_group, self.row_groups, self.ima_rows * self.crossbar_rows, self.pack_rows, self.rows)
    }

    /// Returns the columns of the replica that a column group holds.
    fn columns_of(&self, col_group: u32) -> Range<u32> {
        self.part(col_group, self.col_groups, self.ima_cols * self.crossbar_columns, self.pack_columns, self.columns)
    }

    /// Returns the rows (columns) of group `group` of `groups`, if one IMA holds `of_ima` rows of a pack, a pack has
    /// `of_pack` and the replica `all`.
    fn part(&self, group: u32, groups: u32, of_ima: u32, of_pack: u32, all: u32) -> Range<u32> {
        let of_pack_group = groups / self.pack_groups;
        let (pack_group, within) = (group / of_pack_group, group % of_pack_group);
        let of_packs = self.packs_per_group * of_pack;
        let first = pack_group * of_packs;
        let end = if within + 1 == of_pack_group { first + of_packs } else { first + (within + 1) * of_ima };
        first + within * of_ima..end.min(all)
    }

    /// Returns the outputs with at least one column in a column group.
    pub fn outputs_of(&self, col_group: u32) -> Range<u32> {
        self.outputs(&self.columns_of(col_group))
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
            let end = self.columns_of(col_group).end;
            if end.is_multiple_of(self.columns_per_weight) {
                let columns = self.columns_of(first).start..end;
                groups.push(OutputGroup { col_groups: first..col_group + 1, outputs: self.outputs(&columns) });
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
        let inputs = self.packs_per_group * (self.ima_rows * self.crossbar_rows).min(self.pack_rows);
        let columns = self.packs_per_group * (self.ima_cols * self.crossbar_columns).min(self.pack_columns);
        let results = columns / self.columns_per_weight;
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
        let inputs = u64::from(self.rows) * u64::from(self.col_groups / self.pack_groups);
        let outputs = |col_group| u64::from(length(&self.outputs_of(col_group)));
        let results: u64 = (0..self.col_groups).map(outputs).sum();
        16 * (inputs + results * u64::from(self.rows_of_pack_group()))
    }
}

/// Returns the width, in column groups, of the blocks in which the IMAs of a replica are numbered. It is the one with
/// the fewest values sent from tile to tile per image, inputs and partial sums together. Each pack has
/// `row_groups` and `col_groups`.
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

/// Cuts `range` into parts of `size`, the last of which may be smaller.
fn cut(range: &Range<u32>, size: u32) -> impl Iterator<Item = Range<u32>> + Clone + use<> {
    let end = range.end;
    range.clone().step_by(index::size(size)).map(move |first| first..end.min(first + size))
}

fn length(range: &Range<u32>) -> u32 {
    range.end - range.start
}

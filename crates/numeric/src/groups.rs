//! Groups of channels that are convolved apart, and their places on crossbars.

use std::ops::Range;

use crate::datapath::{Counts, Datapath};

/// Equal groups of a layer's outputs, each of which reads rows of its own. One group reads all rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// Number of groups.
    pub(crate) count: usize,
    /// Rows of each group.
    pub(crate) rows: usize,
    /// Outputs of each group.
    pub(crate) outputs: usize,
    /// Groups that stand diagonally in one crossbar; 1 where each is cut like a layer of its own.
    pub(crate) packed: usize,
}

impl Groups {
    pub(crate) fn new(datapath: &Datapath, count: usize, rows: usize, outputs: usize, weight_bits: u32) -> Self {
        let columns = outputs * index::size(datapath.columns_per_weight(weight_bits));
        let packed = (datapath.rows / rows.max(1)).min(datapath.columns / columns.max(1));
        Self { count, rows, outputs, packed: packed.clamp(1, count) }
    }

    /// Windows and outputs of a tile of `windows` x `outputs` or less, that cuts no group where there are several.
    pub(crate) fn tile(&self, (windows, outputs): (usize, usize)) -> (usize, usize) {
        if self.count == 1 { (windows, outputs) } else { (windows, self.outputs * (outputs / self.outputs).max(1)) }
    }

    /// The groups with outputs among these, and the outputs of each among these, counted from its first.
    pub(crate) fn among(self, outputs: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let groups = outputs.start / self.outputs..outputs.end.div_ceil(self.outputs);
        groups.map(move |group| {
            let first = group * self.outputs;
            (group, outputs.start.saturating_sub(first)..(outputs.end - first).min(self.outputs))
        })
    }

    /// Rows of a group.
    pub(crate) fn rows_of(self, group: usize) -> Range<usize> {
        group * self.rows..(group + 1) * self.rows
    }

    /// Groups that are packed together with a group.
    pub(crate) fn pack(self, group: usize) -> Range<usize> {
        let first = group / self.packed * self.packed;
        first..(first + self.packed).min(self.count)
    }

    /// Rows of all groups that are packed together with a group.
    pub(crate) fn rows_of_pack(self, group: usize) -> Range<usize> {
        let pack = self.pack(group);
        pack.start * self.rows..pack.end * self.rows
    }

    /// The same, cut into blocks of `block` rows.
    pub(crate) fn blocks(self, group: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
        let rows = self.rows_of_pack(group);
        rows.clone().step_by(block).map(move |start| start..(start + block).min(rows.end))
    }

    /// Actions for one window in which the blocks of rows that `is_read` refuses are skipped.
    pub(crate) fn counts(
        self,
        datapath: &Datapath,
        weight_bits: u32,
        activation_bits: u32,
        is_read: impl Fn(Range<usize>) -> bool,
    ) -> Counts {
        let mut counts = Counts::default();
        for first in (0..self.count).step_by(self.packed) {
            let outputs = self.pack(first).len() * self.outputs;
            for block in self.blocks(first, datapath.rows) {
                let rows = block.len();
                if is_read(block) {
                    counts += datapath.counts(rows, outputs, weight_bits, activation_bits);
                }
            }
        }
        counts
    }
}

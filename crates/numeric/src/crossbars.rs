//! One layer's weights, programmed onto crossbars, and the choice of the method by which they are multiplied.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use index::count;
use ndarray::{Array2, ArrayView2, Axis};

use crate::conductance::{Conductances, mix};
use crate::datapath::{Counts, Datapath};
use crate::error::{Error, check_precision, check_range, check_shape};
use crate::groups::Groups;
use crate::serial::{Columns, Programmed};
use crate::windows::Windows;
use crate::{bit_serial, integer, serial, tiles};

/// Method by which a layer's sums are computed, in rising order of detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The plain integer product: no conversion can clip, so that it is what the crossbars compute.
    Integer,
    /// Every conversion of every column, in integers, on perfect cells.
    BitSerial,
    /// Every conversion of every column, in floating point, on imperfect cells.
    Conductances,
}

/// A layer's weights on the crossbars of a machine.
#[derive(Debug)]
pub struct Crossbars {
    datapath: Datapath,
    groups: Groups,
    weight_bits: u32,
    method: Method,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    /// Outputs x rows of a group.
    Integer(Array2<i16>),
    Serial(Programmed),
}

/// Result of a layer for a set of windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Windows x outputs, in units of the activations' step times the weights' step. Zero in cropped windows.
    pub sums: Array2<i64>,
    /// Actions of the machine.
    pub counts: Counts,
    /// Conversions that the ADC clipped.
    pub clipped: u64,
}

impl Datapath {
    /// Writes a layer's quantised weights (outputs x rows) to crossbars. Layers that are given different `stream`
    /// numbers have unrelated random imperfections.
    ///
    /// # Errors
    /// If `weight_bits` is not 2 to 16 or a weight does not fit.
    pub fn program(&self, weights: ArrayView2<i16>, weight_bits: u32, stream: u64) -> Result<Crossbars, Error> {
        self.program_groups(weights, 1, weight_bits, stream)
    }

    /// Writes the weights of a layer whose outputs are in `groups` equal groups (outputs x rows of a group). Each group
    /// has columns of its own. As many groups as fit one crossbar stand in it diagonally, where their rows are driven
    /// together; a group that does not fit one crossbar is cut like a layer of its own.
    ///
    /// # Errors
    /// As [`program`](Self::program).
    ///
    /// # Panics
    /// If the outputs cannot be cut into so many groups.
    pub fn program_groups(
        &self,
        weights: ArrayView2<i16>,
        groups: usize,
        weight_bits: u32,
        stream: u64,
    ) -> Result<Crossbars, Error> {
        check_precision("weights", weight_bits)?;
        check_range("weight", weights, weight_bits)?;
        let (outputs, rows) = weights.dim();
        assert!(outputs.is_multiple_of(groups), "{outputs} outputs in {groups} groups");
        let groups = Groups::new(self, groups, rows, outputs / groups, weight_bits);
        let method = if !self.options.non_idealities.are_off() {
            Method::Conductances
        } else if self.options.integer_product && self.is_lossless(rows) {
            Method::Integer
        } else {
            Method::BitSerial
        };
        let cells = match method {
            Method::Integer => Cells::Integer(weights.as_standard_layout().into_owned()),
            _ => Cells::Serial(self.program_cells(weights, groups, weight_bits, (method, stream))),
        };
        Ok(Crossbars { datapath: self.clone(), groups, weight_bits, method, cells })
    }

    fn program_cells(
        &self,
        weights: ArrayView2<i16>,
        groups: Groups,
        weight_bits: u32,
        (method, stream): (Method, u64),
    ) -> Programmed {
        let of_group = weights.axis_chunks_iter(Axis(0), groups.outputs).enumerate();
        let columns = of_group.map(|(group, weights)| match method {
            Method::Conductances => {
                let seed = self.options.non_idealities.seed;
                let seed = match groups.count {
                    1 => mix(seed, &[stream]),
                    _ => mix(seed, &[stream, count(group)]),
                };
                let rows = (groups.rows_of(group), groups.rows_of_pack(group));
                Box::new(Conductances::program(self, weights, weight_bits, rows, seed)) as Box<dyn Columns>
            }
            Method::Integer | Method::BitSerial => bit_serial::program(self, weights, weight_bits),
        });
        let columns = columns.collect();
        let blocks = weights.axis_chunks_iter(Axis(1), self.rows);
        let sums = blocks.map(|block| block.map_axis(Axis(1), |w| w.iter().map(|&w| i64::from(w)).sum::<i64>()));
        let sums: Vec<i64> = sums.flatten().collect();
        let shape = (weights.ncols().div_ceil(self.rows), weights.nrows());
        let weight_sums = Array2::from_shape_vec(shape, sums).expect("a sum for each output");
        Programmed { groups, columns, bias: serial::bias(weight_bits).into(), weight_sums }
    }
}

impl Crossbars {
    /// Method by which the sums are computed.
    pub fn method(&self) -> Method {
        self.method
    }

    pub(crate) fn set_threads(&mut self, threads: NonZeroUsize) {
        self.datapath.options.threads = threads;
    }

    /// `N_W`.
    pub(crate) fn weight_bits(&self) -> u32 {
        self.weight_bits
    }

    /// Multiplies each window by the weights.
    ///
    /// # Errors
    /// If the windows do not have as many inputs as the weights of all groups have rows.
    pub fn multiply(&self, windows: &Windows) -> Result<Product, Error> {
        let groups = self.groups;
        check_shape("a window", &[windows.rows()], &[groups.count * groups.rows])?;
        let threads = self.datapath.options.threads.get();
        let mut sums = Array2::zeros((windows.count(), groups.count * groups.outputs));
        let clipped = AtomicU64::new(0);
        match &self.cells {
            Cells::Integer(weights) => {
                tiles::for_each(threads, sums.view_mut(), groups.tile(integer::TILE), |tile| {
                    integer::multiply(weights.view(), groups, windows, tile);
                });
            }
            Cells::Serial(programmed) => {
                tiles::for_each(threads, sums.view_mut(), groups.tile(serial::TILE), |tile| {
                    let clipped_here = serial::multiply(&self.datapath, programmed, windows, tile);
                    clipped.fetch_add(clipped_here, Ordering::Relaxed);
                });
            }
        }
        Ok(Product { sums, counts: self.counts(windows), clipped: clipped.into_inner() })
    }

    /// Actions for these windows, without computing them.
    pub fn counts(&self, windows: &Windows) -> Counts {
        let Self { datapath, groups, weight_bits, .. } = self;
        let count = |bits, is_read: &dyn Fn(Range<usize>) -> bool| groups.counts(datapath, *weight_bits, bits, is_read);
        let mut of_bits: BTreeMap<u32, Counts> = BTreeMap::new();
        let mut total = Counts::default();
        for (window, bits) in (0..windows.count()).map(|window| (window, windows.bits(window))) {
            total += if datapath.skip_zero_row_blocks && bits > 0 {
                count(bits, &|rows| !windows.skips(window, rows))
            } else {
                *of_bits.entry(bits).or_insert_with(|| count(bits, &|_| true))
            };
        }
        total
    }
}

//! One layer's weights, programmed onto crossbars, and the choice of the method by which they are multiplied.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayView2, Axis};

use crate::conductance::Conductances;
use crate::datapath::{Counts, Datapath};
use crate::error::{Error, check_precision, check_range, check_shape};
use crate::serial::Columns;
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
    outputs: usize,
    rows: usize,
    weight_bits: u32,
    method: Method,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    /// Outputs x rows.
    Integer(Array2<i16>),
    Serial {
        columns: Box<dyn Columns>,
        /// Sum of the weights of each row block and output.
        weight_sums: Array2<i64>,
    },
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
        check_precision("weights", weight_bits)?;
        check_range("weight", weights, weight_bits)?;
        let method = if !self.options.non_idealities.are_off() {
            Method::Conductances
        } else if self.options.integer_product && self.is_lossless(weights.ncols()) {
            Method::Integer
        } else {
            Method::BitSerial
        };
        let serial = |columns| {
            let blocks = weights.axis_chunks_iter(Axis(1), self.rows);
            let sums = blocks.map(|block| block.map_axis(Axis(1), |w| w.iter().map(|&w| i64::from(w)).sum::<i64>()));
            let sums: Vec<i64> = sums.flatten().collect();
            let shape = (weights.ncols().div_ceil(self.rows), weights.nrows());
            Cells::Serial { columns, weight_sums: Array2::from_shape_vec(shape, sums).expect("a sum for each output") }
        };
        let cells = match method {
            Method::Integer => Cells::Integer(weights.as_standard_layout().into_owned()),
            Method::BitSerial => serial(bit_serial::program(self, weights, weight_bits)),
            Method::Conductances => serial(Box::new(Conductances::program(self, weights, weight_bits, stream))),
        };
        Ok(Crossbars {
            datapath: self.clone(),
            outputs: weights.nrows(),
            rows: weights.ncols(),
            weight_bits,
            method,
            cells,
        })
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
    /// If the windows do not have as many inputs as the weights have rows.
    pub fn multiply(&self, windows: &Windows) -> Result<Product, Error> {
        check_shape("a window", &[windows.rows()], &[self.rows])?;
        let threads = self.datapath.options.threads.get();
        let mut sums = Array2::zeros((windows.count(), self.outputs));
        let clipped = AtomicU64::new(0);
        match &self.cells {
            Cells::Integer(weights) => {
                tiles::for_each(threads, sums.view_mut(), integer::TILE, |tile| {
                    integer::multiply(weights.view(), windows, tile);
                });
            }
            Cells::Serial { columns, weight_sums } => {
                let bias = serial::bias(self.weight_bits).into();
                tiles::for_each(threads, sums.view_mut(), serial::TILE, |tile| {
                    let clipped_here =
                        serial::multiply(&self.datapath, &**columns, bias, weight_sums.view(), windows, tile);
                    clipped.fetch_add(clipped_here, Ordering::Relaxed);
                });
            }
        }
        Ok(Product { sums, counts: self.counts(windows), clipped: clipped.into_inner() })
    }

    /// Actions for these windows, without computing them.
    pub fn counts(&self, windows: &Windows) -> Counts {
        let Self { datapath, rows, outputs, weight_bits, .. } = self;
        let mut total = Counts::default();
        for window in 0..windows.count() {
            let bits = windows.bits(window);
            total += datapath.counts(*rows, *outputs, *weight_bits, bits);
            if datapath.skip_zero_row_blocks && bits > 0 {
                let blocks = 0..rows.div_ceil(datapath.rows);
                let skipped = blocks.filter(|&block| windows.skips(window, block, datapath.rows));
                let skipped = skipped.map(|block| datapath.rows.min(rows - block * datapath.rows));
                skipped.for_each(|rows| total -= datapath.counts(rows, *outputs, *weight_bits, bits));
            }
        }
        total
    }
}

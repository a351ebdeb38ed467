//! Machines and matrices for the tests.

use std::num::NonZeroUsize;

use arch::{Adc, Crossbar, Dac};
use ndarray::{Array2, ArrayView2};
use numeric::{Datapath, NonIdealities, Options};
use proptest::prelude::*;

/// A machine in the terms of its arch file.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub rows: u32,
    pub columns: u32,
    pub cell_bits: u32,
    pub dac_bits: u32,
    pub adc_bits: u32,
    pub flipped_encoding: bool,
    pub unit_column: bool,
}

/// ISAAC-CE's crossbars.
pub(crate) const ISAAC: Machine = Machine {
    rows: 128,
    columns: 128,
    cell_bits: 2,
    dac_bits: 1,
    adc_bits: 8,
    flipped_encoding: true,
    unit_column: false,
};

impl Machine {
    pub(crate) fn parts(&self) -> (Crossbar, Dac, Adc) {
        let crossbar = Crossbar { rows: self.rows, columns: self.columns, cell_bits: self.cell_bits };
        let dac = Dac { bits: self.dac_bits };
        let adc = Adc {
            count: 8,
            bits: self.adc_bits,
            rate_gsps: 1.28,
            flipped_encoding: self.flipped_encoding,
            unit_column: self.unit_column,
        };
        (crossbar, dac, adc)
    }

    pub(crate) fn datapath(&self, options: Options) -> Datapath {
        let (crossbar, dac, adc) = self.parts();
        Datapath::new(&crossbar, &dac, &adc, options).unwrap()
    }

    /// The same machine with the least ADC that does not clip.
    pub(crate) fn lossless(mut self) -> Self {
        self.adc_bits = self.datapath(Options::default()).least_adc_bits();
        self
    }
}

/// Every read modelled.
pub(crate) fn bit_serial() -> Options {
    Options { integer_product: false, ..Options::default() }
}

pub(crate) fn on_threads(threads: usize, options: Options) -> Options {
    Options { threads: NonZeroUsize::new(threads).unwrap(), ..options }
}

pub(crate) fn imperfect(non_idealities: NonIdealities) -> Options {
    Options { non_idealities, ..Options::default() }
}

/// Any machine that is modelled, with the least lossless ADC.
pub(crate) fn machines() -> impl Strategy<Value = Machine> {
    // Small cells and DACs are those that are built, and come more often.
    let bits = || prop_oneof![4 => 1u32..=4, 1 => 5u32..=8];
    let numbers = (1u32..=1024, 8u32..=256, bits(), bits());
    (numbers, any::<bool>(), any::<bool>()).prop_map(|(n, flipped_encoding, unit_column)| {
        Machine { rows: n.0, columns: n.1, cell_bits: n.2, dac_bits: n.3, adc_bits: 1, flipped_encoding, unit_column }
            .lossless()
    })
}

/// A matrix of `bits`-bit values, in which extremes are frequent.
pub(crate) fn matrices(rows: usize, columns: usize, bits: u32) -> impl Strategy<Value = Array2<i16>> {
    let (least, most) = (i16::MIN >> (16 - bits), i16::MAX >> (16 - bits));
    let random = prop::collection::vec(least..=most, rows * columns);
    let extremes = prop::sample::select(vec![least, most, 0, -1, 1]);
    let sparse = prop::collection::vec(prop_oneof![4 => extremes.clone(), 1 => least..=most], rows * columns);
    let constant = extremes.prop_map(move |v| vec![v; rows * columns]);
    prop_oneof![2 => random, 2 => sparse, 1 => constant]
        .prop_map(move |values| Array2::from_shape_vec((rows, columns), values).unwrap())
}

/// Sum over rows of activation times weight, written as plainly as can be.
pub(crate) fn reference(windows: ArrayView2<i16>, weights: ArrayView2<i16>) -> Array2<i64> {
    Array2::from_shape_fn((windows.nrows(), weights.nrows()), |(window, output)| {
        let mut sum = 0i64;
        for row in 0..windows.ncols() {
            sum += i64::from(windows[(window, row)]) * i64::from(weights[(output, row)]);
        }
        sum
    })
}

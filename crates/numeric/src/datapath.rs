//! Parameters of a machine that decide its values, and the closed form of its counts.

use std::num::NonZeroUsize;
use std::ops::{Add, AddAssign, Mul};
use std::thread;

use arch::{Adc, Crossbar, Dac};
use index::{count, size};

use crate::conductance::NonIdealities;
use crate::error::Error;

/// Options of a computation that are no parameters of the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Threads to compute on; the results do not depend on it. All processors by default.
    pub threads: NonZeroUsize,
    /// Takes the plain integer product where the crossbars provably compute it. If false, every conversion is modelled.
    /// True by default.
    pub integer_product: bool,
    /// Imperfections of cells and reads; none by default.
    pub non_idealities: NonIdealities,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            integer_product: true,
            non_idealities: NonIdealities::default(),
        }
    }
}

/// Numbers of actions of the blocks of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads of a whole crossbar.
    pub crossbar_reads: u64,
    /// Conversions of one column; used columns only, and the unit column if the machine converts it.
    pub adc_conversions: u64,
    /// Used rows driven in one read.
    pub dac_activations: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            crossbar_reads: self.crossbar_reads + other.crossbar_reads,
            adc_conversions: self.adc_conversions + other.adc_conversions,
            dac_activations: self.dac_activations + other.dac_activations,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Counts {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self {
            crossbar_reads: self.crossbar_reads * times,
            adc_conversions: self.adc_conversions * times,
            dac_activations: self.dac_activations * times,
        }
    }
}

/// Parameters of a machine's crossbars, DACs and ADCs that decide values and counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Datapath {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) cell_bits: u32,
    pub(crate) dac_bits: u32,
    pub(crate) adc_bits: u32,
    pub(crate) flipped_encoding: bool,
    pub(crate) unit_column: bool,
    pub(crate) skip_zero_row_blocks: bool,
    pub(crate) options: Options,
}

impl Datapath {
    /// The datapath of a machine with these parts.
    ///
    /// # Errors
    /// If a parameter is outside of the model (crossbars of 1 to 1024 rows, cells and DACs of 1 to 8 bits, ADCs of 1 to
    /// 32 bits), or a non-ideality is outside of its range.
    pub fn new(crossbar: &Crossbar, dac: &Dac, adc: &Adc, options: Options) -> Result<Self, Error> {
        let ranges = [
            ("crossbar.rows", crossbar.rows, 1024),
            ("crossbar.columns", crossbar.columns, u32::MAX),
            ("crossbar.cell_bits", crossbar.cell_bits, 8),
            ("dac.bits", dac.bits, 8),
            ("adc.bits", adc.bits, 32),
        ];
        for (parameter, value, most) in ranges {
            if !(1..=most).contains(&value) {
                return Err(Error::Parameter { parameter, value: value.into(), least: 1.0, most: most.into() });
            }
        }
        options.non_idealities.check()?;
        Ok(Self {
            rows: size(crossbar.rows),
            columns: size(crossbar.columns),
            cell_bits: crossbar.cell_bits,
            dac_bits: dac.bits,
            adc_bits: adc.bits,
            flipped_encoding: adc.flipped_encoding,
            unit_column: adc.unit_column,
            skip_zero_row_blocks: false,
            options,
        })
    }

    /// Returns the datapath, skipping row blocks of a window whose inputs are all padding or cropped if
    /// `skip_zero_row_blocks` is true (`ima.skip_zero_row_blocks` of the arch file). Counts depend on it, and clipping
    /// where the ADC is too small; other values do not.
    pub fn skipping_zero_row_blocks(self, skip_zero_row_blocks: bool) -> Self {
        Self { skip_zero_row_blocks, ..self }
    }

    /// Resolution at which no conversion can clip, and below which some input and weights clip: the bits of the largest
    /// sum of a column, rows * (2^`cell_bits` - 1) * (2^`dac_bits` - 1), where flipping halves the cells' part.
    pub fn least_adc_bits(&self) -> u32 {
        self.column_sum_bits(self.rows)
    }

    /// True if no conversion of a layer with `rows` rows can clip.
    pub fn is_lossless(&self, rows: usize) -> bool {
        self.column_sum_bits(rows.min(self.rows)) <= self.adc_bits
    }

    fn column_sum_bits(&self, used_rows: usize) -> u32 {
        arch::column_sum_bits(count(used_rows), self.cell_bits, self.dac_bits, self.flipped_encoding)
    }

    /// Largest value of a cell.
    pub(crate) fn largest_cell(&self) -> u16 {
        (1 << self.cell_bits) - 1
    }

    /// Largest output of the ADC.
    pub(crate) fn adc_top(&self) -> u64 {
        (1 << self.adc_bits) - 1
    }

    /// Crossbar reads that apply `activation_bits` bits to the rows.
    pub(crate) fn iterations(&self, activation_bits: u32) -> u32 {
        arch::iterations(activation_bits, self.dac_bits)
    }

    /// Adjacent columns that one weight takes.
    pub(crate) fn columns_per_weight(&self, weight_bits: u32) -> u32 {
        arch::columns_per_weight(weight_bits, self.cell_bits)
    }

    /// Actions for one window of a layer of `rows` rows and `outputs` outputs.
    pub fn counts(&self, rows: usize, outputs: usize, weight_bits: u32, activation_bits: u32) -> Counts {
        let columns = outputs * size(self.columns_per_weight(weight_bits));
        let row_blocks = rows.div_ceil(self.rows);
        let column_blocks = columns.div_ceil(self.columns);
        let crossbars = count(row_blocks * column_blocks);
        let unit_columns = if self.unit_column { crossbars } else { 0 };
        let one_iteration = Counts {
            crossbar_reads: crossbars,
            adc_conversions: count(row_blocks * columns) + unit_columns,
            dac_activations: count(rows * column_blocks),
        };
        one_iteration * self.iterations(activation_bits).into()
    }
}

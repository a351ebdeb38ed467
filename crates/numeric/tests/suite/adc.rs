//! The ADC's resolution: what is least, and what happens below it.

use ndarray::Array2;
use numeric::{Options, Windows};
use proptest::prelude::*;

use crate::machine::{ISAAC, Machine, bit_serial, machines, matrices, reference};

/// All input bits at one, and as many full cells as a column may hold before it is flipped: the largest sum there is.
fn worst_case(machine: &Machine) -> (Array2<i16>, Array2<i16>) {
    let rows = machine.rows as usize;
    let largest = (1usize << machine.cell_bits) - 1;
    let total = if machine.flipped_encoding { rows * largest / 2 } else { rows * largest };
    let (weight_bits, activation_bits) = (machine.cell_bits * 2, machine.dac_bits * 2);
    // The lowest cell of each weight takes its share of the total; the weight's sign bit cancels the bias.
    let weights = Array2::from_shape_fn((1, rows), |(_, row)| {
        let cell = (total * (row + 1) / rows - total * row / rows) as i32;
        (cell - (1 << (weight_bits - 1))) as i16
    });
    let all_ones_but_the_sign = (1 << (activation_bits - 1)) - 1;
    (weights, Array2::from_elem((1, rows), all_ones_but_the_sign))
}

/// ADC resolution that the check of arch files requires for this machine.
fn asked_for(machine: &Machine) -> u32 {
    let mut arch = arch::load("isaac-ce").unwrap();
    (arch.crossbar, arch.dac, arch.adc) = machine.parts();
    arch::lossless_adc_bits(&arch)
}

#[test]
fn an_adc_has_a_bit_even_where_all_columns_sum_to_nothing() {
    let machine = Machine { rows: 1, cell_bits: 1, dac_bits: 3, ..ISAAC };
    assert_eq!((asked_for(&machine), machine.lossless().adc_bits), (1, 1));
}

#[test]
fn the_least_resolution_does_not_clip_and_one_bit_less_does() {
    for rows in [32, 33, 43, 64, 100, 127, 128, 255, 256, 511, 512] {
        for cell_bits in 1..=4 {
            for dac_bits in 1..=4 {
                for flipped_encoding in [false, true] {
                    let machine = Machine { rows, cell_bits, dac_bits, flipped_encoding, ..ISAAC };
                    let least = Machine { adc_bits: asked_for(&machine), ..machine.clone() };
                    assert_eq!(least.adc_bits, machine.clone().lossless().adc_bits);
                    let (weights, windows) = worst_case(&machine);
                    let run = |machine: &Machine| {
                        let datapath = machine.datapath(bit_serial());
                        let crossbars = datapath.program(weights.view(), cell_bits * 2, 0).unwrap();
                        let windows = Windows::of_matrix(windows.view(), dac_bits * 2).unwrap();
                        crossbars.multiply(&windows).unwrap()
                    };
                    let product = run(&least);
                    assert_eq!(product.clipped, 0, "{least:?}");
                    assert_eq!(product.sums, reference(windows.view(), weights.view()));

                    let less = Machine { adc_bits: least.adc_bits - 1, ..least };
                    assert!(run(&less).clipped > 0, "{less:?}");
                    assert!(!less.datapath(Options::default()).is_lossless(rows as usize));
                }
            }
        }
    }
}

#[test]
fn isaac_needs_nine_bits_and_eight_with_flipped_encoding() {
    let least = |flipped_encoding| Machine { flipped_encoding, ..ISAAC }.lossless().adc_bits;
    assert_eq!(least(false), 9);
    assert_eq!(least(true), 8);
}

#[test]
fn a_clipped_conversion_reads_as_the_top_of_the_adc() {
    // One weight of one 2-bit cell column pair; 128 rows of cell 3 (not flipped) with input bit 1 sum to 384.
    let machine = Machine { adc_bits: 8, flipped_encoding: false, ..ISAAC };
    let crossbars = machine.datapath(bit_serial()).program(Array2::from_elem((1, 128), 1).view(), 2, 0).unwrap();
    let windows = Windows::of_matrix(Array2::from_elem((1, 128), 1).view(), 2).unwrap();
    let product = crossbars.multiply(&windows).unwrap();
    assert_eq!(product.clipped, 1);
    // 255 instead of 384, less the bias of 2 on 128 rows.
    assert_eq!(product.sums[(0, 0)], 255 - 2 * 128);
}

#[test]
fn a_layer_of_few_rows_is_lossless_on_a_smaller_adc() {
    let machine = Machine { adc_bits: 6, ..ISAAC };
    let datapath = machine.datapath(Options::default());
    // 27 rows of 2-bit cells: at most 81, 40 with flipping.
    assert!(datapath.is_lossless(27));
    assert!(!datapath.is_lossless(128));
}

/// The machine of the crate's documentation cell by cell, with one conversion for each column and iteration: sums and
/// clipped conversions.
fn cell_by_cell(
    machine: &Machine,
    (weights, weight_bits): (&Array2<i16>, u32),
    (windows, activation_bits): (&Array2<i16>, u32),
) -> (Array2<i64>, u64) {
    let (cell_bits, dac_bits) = (machine.cell_bits, machine.dac_bits);
    let (outputs, rows) = weights.dim();
    let iterations = activation_bits.div_ceil(dac_bits);
    let sign_alone = activation_bits - dac_bits * (iterations - 1) == 1;
    let offset = if sign_alone { 0 } else { 1i64 << (activation_bits - 1) };
    let bias = 1i64 << (weight_bits - 1);
    let largest_cell = (1i64 << cell_bits) - 1;
    let adc_top = (1i64 << machine.adc_bits) - 1;
    let mut clipped = 0;
    let sums = Array2::from_shape_fn((windows.nrows(), outputs), |(window, output)| {
        let mut result = 0;
        for first in (0..rows).step_by(machine.rows as usize) {
            let block = first..rows.min(first + machine.rows as usize);
            for column in 0..weight_bits.div_ceil(cell_bits) {
                let cell =
                    |row: usize| (i64::from(weights[(output, row)]) + bias) >> (column * cell_bits) & largest_cell;
                let total: i64 = block.clone().map(cell).sum();
                let flip = machine.flipped_encoding && 2 * total > largest_cell * block.len() as i64;
                for iteration in 0..iterations {
                    let slice = |row: usize| {
                        let applied = i64::from(windows[(window, row)]) + offset;
                        let field = applied & ((1 << activation_bits) - 1);
                        field >> (iteration * dac_bits) & ((1 << dac_bits) - 1)
                    };
                    let stored = |row| {
                        if flip { largest_cell - cell(row) } else { cell(row) }
                    };
                    let current: i64 = block.clone().map(|row| slice(row) * stored(row)).sum();
                    clipped += u64::from(current > adc_top);
                    let converted = current.min(adc_top);
                    let unit: i64 = block.clone().map(slice).sum();
                    let column_sum = if flip { largest_cell * unit - converted } else { converted };
                    let subtracted = sign_alone && iteration + 1 == iterations;
                    let sign = if subtracted { -1 } else { 1 };
                    let place = column * cell_bits + iteration * dac_bits;
                    result += sign * (column_sum << place);
                }
            }
        }
        for row in 0..rows {
            let activation = i64::from(windows[(window, row)]);
            result -= bias * (activation + offset) + offset * i64::from(weights[(output, row)]);
        }
        result
    });
    (sums, clipped)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_adc_clips_as_a_model_of_each_cell_does(
        (machine, adc_bits) in (machines(), 1u32..=12),
        (weights, weight_bits) in (2u32..=16).prop_flat_map(|n| (matrices(9, 140, n), Just(n))),
        (windows, activation_bits) in (2u32..=16).prop_flat_map(|n| (matrices(2, 140, n), Just(n))),
    ) {
        let machine = Machine { adc_bits, ..machine };
        let crossbars = machine
            .datapath(bit_serial())
            .program(weights.view(), weight_bits, 0)
            .unwrap();
        let product = crossbars
            .multiply(&Windows::of_matrix(windows.view(), activation_bits).unwrap())
            .unwrap();
        let (sums, clipped) = cell_by_cell(&machine, (&weights, weight_bits), (&windows, activation_bits));
        prop_assert_eq!(product.clipped, clipped);
        prop_assert_eq!(product.sums, sums);
    }
}

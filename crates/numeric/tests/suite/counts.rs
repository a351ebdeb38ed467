//! Counts are those of the machine, whatever the values.

use ndarray::Array2;
use numeric::{Counts, Options, Windows};

use crate::machine::{ISAAC, Machine, bit_serial};

#[test]
fn vgg16_layers_count_as_published() {
    // Windows, rows, outputs; reads and conversions of `tests/data/vgg16-counts.csv` at 16 bits: windows x crossbars x
    // 16 and windows x row blocks x columns x 16.
    let datapath = ISAAC.datapath(Options::default());
    let conv1_2 = datapath.counts(576, 64, 16, 16) * 50176;
    assert_eq!(conv1_2.crossbar_reads, 50176 * 5 * 4 * 16);
    assert_eq!(conv1_2.adc_conversions, 50176 * 5 * 512 * 16);
    assert_eq!(conv1_2.dac_activations, 50176 * 576 * 4 * 16);
}

#[test]
fn counts_follow_the_closed_form_for_any_machine_and_precision() {
    for (rows, outputs, weight_bits, bits) in [(27, 10, 11, 16), (300, 33, 13, 7), (128, 16, 16, 2)] {
        for unit_column in [false, true] {
            for dac_bits in 1..=4 {
                let machine = Machine { dac_bits, unit_column, ..ISAAC }.lossless();
                let iterations = u64::from(bits_per(bits, dac_bits));
                let columns = outputs as u64 * u64::from(bits_per(weight_bits, 2));
                let row_blocks = (rows as u64).div_ceil(128);
                let column_blocks = columns.div_ceil(128);
                let unit = u64::from(unit_column) * row_blocks * column_blocks;
                let windows = 3;
                let expected = Counts {
                    crossbar_reads: windows * iterations * row_blocks * column_blocks,
                    adc_conversions: windows * iterations * (row_blocks * columns + unit),
                    dac_activations: windows * iterations * rows as u64 * column_blocks,
                };
                for options in [Options::default(), bit_serial()] {
                    let crossbars = machine
                        .datapath(options)
                        .program(Array2::zeros((outputs, rows)).view(), weight_bits, 0)
                        .unwrap();
                    let windows = Windows::of_matrix(Array2::zeros((3, rows)).view(), bits).unwrap();
                    assert_eq!(crossbars.multiply(&windows).unwrap().counts, expected);
                    assert_eq!(crossbars.counts(&windows), expected);
                }
            }
        }
    }
}

fn bits_per(bits: u32, slice: u32) -> u32 {
    bits.div_ceil(slice)
}

//! With a lossless ADC the crossbars compute the plain integer product.

use ndarray::{Array2, Array3, arr2};
use network::{Axes, Kernel, Layer, LayerKind, LayerPlan, MapId, Part, Region, Shape};
use numeric::{Method, Options, Windows};
use proptest::prelude::*;

use crate::machine::{ISAAC, Machine, bit_serial, machines, matrices, on_threads, reference};

#[derive(Clone, Debug)]
struct Case {
    machine: Machine,
    weight_bits: u32,
    activation_bits: u32,
    weights: Array2<i16>,
    windows: Array2<i16>,
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1usize..=1100, 1usize..=20, 1usize..=4);
    (machines(), 2u32..=16, 2u32..=16, sizes).prop_flat_map(
        |(machine, weight_bits, activation_bits, (rows, outputs, windows))| {
            let matrices = (matrices(outputs, rows, weight_bits), matrices(windows, rows, activation_bits));
            matrices.prop_map(move |(weights, windows)| Case {
                machine: machine.clone(),
                weight_bits,
                activation_bits,
                weights,
                windows,
            })
        },
    )
}

impl Case {
    fn run(&self, options: Options) -> (Method, numeric::Product) {
        let datapath = self.machine.datapath(options);
        let crossbars = datapath.program(self.weights.view(), self.weight_bits, 0).unwrap();
        let windows = Windows::of_matrix(self.windows.view(), self.activation_bits).unwrap();
        (crossbars.method(), crossbars.multiply(&windows).unwrap())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn bit_serial_and_integer_methods_equal_the_reference_at_the_least_adc_bits(case in cases()) {
        let expected = reference(case.windows.view(), case.weights.view());
        let (method, product) = case.run(bit_serial());
        prop_assert_eq!(method, Method::BitSerial);
        prop_assert_eq!(product.clipped, 0);
        prop_assert_eq!(&product.sums, &expected);

        let (method, product) = case.run(Options::default());
        prop_assert_eq!(method, Method::Integer);
        prop_assert_eq!(product.clipped, 0);
        prop_assert_eq!(&product.sums, &expected);
    }
}

/// Every `N_A`, `N_W`, cell and DAC, at the corners of the ranges.
#[test]
fn every_combination_of_precisions_is_exact_at_the_extremes() {
    for weight_bits in 2..=16 {
        for activation_bits in 2..=16 {
            let corners = |bits: u32| {
                let (least, most) = (i16::MIN >> (16 - bits), i16::MAX >> (16 - bits));
                [least, most, -1, 0, 1]
            };
            let (w, a) = (corners(weight_bits), corners(activation_bits));
            let weights = Array2::from_shape_fn((6, 70), |(o, r)| w[if o < 5 { o } else { r % 5 }]);
            let windows = Array2::from_shape_fn((6, 70), |(i, r)| a[if i < 5 { i } else { r % 4 }]);
            for setting in 0..32 {
                let machine = Machine {
                    rows: 32,
                    cell_bits: setting % 4 + 1,
                    dac_bits: setting / 4 % 4 + 1,
                    flipped_encoding: setting >= 16,
                    ..ISAAC
                }
                .lossless();
                let case =
                    Case { machine, weight_bits, activation_bits, weights: weights.clone(), windows: windows.clone() };
                let (_, product) = case.run(on_threads(1, bit_serial()));
                let expected = reference(case.windows.view(), case.weights.view());
                assert_eq!(product.sums, expected, "{case:?}");
                assert_eq!(product.clipped, 0);
            }
        }
    }
}

#[test]
fn the_largest_layer_of_vgg16_does_not_overflow() {
    let weights = Array2::from_elem((2, 25088), i16::MIN);
    for windows in [1, 20] {
        let windows = Array2::from_elem((windows, 25088), i16::MIN);
        for options in [Options::default(), bit_serial()] {
            let crossbars = ISAAC.datapath(options).program(weights.view(), 16, 0).unwrap();
            let windows = Windows::of_matrix(windows.view(), 16).unwrap();
            let product = crossbars.multiply(&windows).unwrap();
            assert!(product.sums.iter().all(|&sum| sum == 25088 << 30));
        }
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let value = |i: usize| (i as i64 * 7919 % 65536 - 32768) as i16;
    let weights = Array2::from_shape_fn((530, 300), |(o, r)| value(o * 300 + r));
    let windows = Array2::from_shape_fn((70, 300), |(w, r)| value(w * 631 + r * 17));
    let lossy = Machine { adc_bits: 6, ..ISAAC };
    for (machine, options) in [(ISAAC, Options::default()), (ISAAC, bit_serial()), (lossy, bit_serial())] {
        let run = |threads| {
            let datapath = machine.datapath(on_threads(threads, options.clone()));
            let crossbars = datapath.program(weights.view(), 16, 0).unwrap();
            let windows = Windows::of_matrix(windows.view(), 16).unwrap();
            crossbars.multiply(&windows).unwrap()
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(3));
        if machine.adc_bits == ISAAC.adc_bits {
            assert_eq!(run(2).sums, reference(windows.view(), weights.view()));
        }
    }
}

#[test]
fn skipping_row_blocks_of_zeros_changes_no_sum_whatever_the_dac() {
    let input = Shape { height: 8, width: 6, channels: 5 };
    let output = Shape { channels: 9, ..input };
    let layer = Layer {
        name: "layer".into(),
        kind: LayerKind::Convolution,
        input,
        kernel: Kernel::square(3, 1, 1),
        groups: 1,
        output,
        pool: None,
        pooled: output,
        crop: None,
    };
    // Rows 0 to 3 of the map are not stored.
    let stored = vec![Array2::from_shape_fn((8, 6), |(y, _)| y > 3)].into();
    let parts = [Part { map: MapId::INPUT, channels: 0..5 }];
    let value = |i: usize| (i as i64 * 7919 % 4096 - 2048) as i16;
    let map = Array3::from_shape_fn((5, 8, 6), |(c, y, x)| if y > 3 { value(c * 48 + y * 6 + x) } else { 0 });
    let weights = Array2::from_shape_fn((9, 45), |(o, r)| value(o * 45 + r + 7));
    let plan = LayerPlan { weight_bits: 12, activation_bits: 12, regions: vec![] };
    for dac_bits in 1..=4 {
        for rows in [4, 9, 32] {
            let machine = Machine { rows, dac_bits, ..ISAAC }.lossless();
            let run = |skips| {
                let datapath = machine.datapath(bit_serial()).skipping_zero_row_blocks(skips);
                let windows = Windows::of_layer(map.view(), &layer, &plan).unwrap();
                let windows = windows.with_stored(&layer, &parts, &stored).unwrap();
                datapath.program(weights.view(), 12, 0).unwrap().multiply(&windows).unwrap()
            };
            let (skipping, reading) = (run(true), run(false));
            assert_eq!(skipping.sums, reading.sums, "{rows} rows, {dac_bits}-bit DACs");
            // Windows of rows 0 to 2 see nothing that is stored: all of their blocks are skipped, and more with small
            // ones.
            let whole = reading.counts.adc_conversions;
            assert!(skipping.counts.adc_conversions <= whole * 5 / 8, "{:?} of {whole}", skipping.counts);
        }
    }
}

/// A layer, its weights and its map as a user would convolve by hand: torch layout, zero padding.
#[test]
fn windows_of_a_map_follow_kernel_stride_padding_and_the_bits_of_their_regions() {
    for (kernel_height, kernel_width, stride, padding) in [(3, 3, 1, 1), (1, 1, 1, 0), (2, 3, 2, 1), (5, 5, 3, 2)] {
        let input = Shape { height: 9, width: 11, channels: 3 };
        let output = Shape {
            height: (input.height + 2 * padding - kernel_height) / stride + 1,
            width: (input.width + 2 * padding - kernel_width) / stride + 1,
            channels: 5,
        };
        let layer = Layer {
            name: "layer".into(),
            kind: LayerKind::Convolution,
            input,
            kernel: Kernel { size: Axes { y: kernel_height, x: kernel_width }, ..Kernel::square(1, stride, padding) },
            groups: 1,
            output,
            pool: None,
            pooled: output,
            crop: None,
        };
        let plan = LayerPlan {
            weight_bits: 7,
            activation_bits: 12,
            regions: vec![
                Region { top: 1, left: 0, height: 1, width: 3, bits: 0 },
                Region { top: 0, left: 2, height: 9, width: 1, bits: 5 },
            ],
        };
        let map = Array3::from_shape_fn((3, 9, 11), |(c, y, x)| ((c * 1117 + y * 613 + x * 331) % 4096) as i16 - 2048);
        let kernel = [kernel_height as usize, kernel_width as usize];
        let weight =
            |o: usize, c: usize, ky: usize, kx: usize| ((o * 41 + c * 29 + ky * 13 + kx * 7) % 128) as i16 - 64;
        let area = kernel[0] * kernel[1];
        let weights = Array2::from_shape_fn((5, 3 * area), |(o, row)| {
            weight(o, row / area, row % area / kernel[1], row % kernel[1])
        });
        let windows = Windows::of_layer(map.view(), &layer, &plan).unwrap();
        for options in [Options::default(), bit_serial()] {
            let crossbars = ISAAC.datapath(options).program(weights.view(), 7, 0).unwrap();
            let sums = crossbars.multiply(&windows).unwrap().sums;
            for y in 0..output.height {
                for x in 0..output.width {
                    for o in 0..5 {
                        let mut expected = 0i64;
                        for (c, ky, kx) in kernel_indices(3, kernel) {
                            let at = |n: u32, k: usize| (n * stride) as isize + k as isize - padding as isize;
                            let (iy, ix) = (at(y, ky), at(x, kx));
                            if !(0..9).contains(&iy) || !(0..11).contains(&ix) {
                                continue;
                            }
                            let activation = map[(c, iy as usize, ix as usize)];
                            let activation = match plan.bits_at(y, x) {
                                0 => 0,
                                12 => i64::from(activation),
                                // 5 of 12 bits: rounded to multiples of 128, at most 15 of them.
                                _ => ((f64::from(activation) / 128.0 + 0.5).floor().min(15.0) * 128.0) as i64,
                            };
                            expected += activation * i64::from(weight(o, c, ky, kx));
                        }
                        let window = (y * output.width + x) as usize;
                        assert_eq!(sums[(window, o)], expected, "{y} {x} {o}");
                    }
                }
            }
        }
    }
}

/// All indices of a kernel.
fn kernel_indices(channels: usize, [height, width]: [usize; 2]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..channels * height * width).map(move |i| (i / (height * width), i / width % height, i % width))
}

#[test]
fn values_and_shapes_that_do_not_fit_are_refused() {
    let datapath = ISAAC.datapath(Options::default());
    let says = |error: numeric::Error, text: &str| assert_eq!(error.to_string(), text);
    let weights = arr2(&[[1i16, 8]]);
    says(datapath.program(weights.view(), 4, 0).unwrap_err(), "weight 8 does not fit in 4 bits");
    says(datapath.program(weights.view(), 17, 0).unwrap_err(), "17 bits for weights: must be 2 to 16");
    says(Windows::of_matrix(weights.view(), 1).unwrap_err(), "1 bits for activations: must be 2 to 16");
    says(Windows::of_matrix(weights.view(), 3).unwrap_err(), "activation 8 does not fit in 3 bits");
    let crossbars = datapath.program(weights.view(), 5, 0).unwrap();
    let windows = Windows::of_matrix(arr2(&[[1i16, 2, 3]]).view(), 5).unwrap();
    says(crossbars.multiply(&windows).unwrap_err(), "a window has the shape [3] where [2] is needed");
}

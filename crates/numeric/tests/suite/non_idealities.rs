//! Imperfections are drawn from a seed, and off means off.

use ndarray::Array2;
use numeric::{Method, NonIdealities, Options, Product, Windows};

use crate::machine::{ISAAC, Machine, imperfect, on_threads, reference};

fn matrix(rows: usize, columns: usize) -> Array2<i16> {
    let value = |i: usize| (i as i64 * 48271 % 65536 - 32768) as i16;
    Array2::from_shape_fn((rows, columns), |(y, x)| value(y * columns + x))
}

fn run(options: Options, stream: u64) -> (Method, Product) {
    let crossbars = ISAAC.datapath(options).program(matrix(20, 300).view(), 16, stream).unwrap();
    let windows = Windows::of_matrix(matrix(40, 300).view(), 16).unwrap();
    (crossbars.method(), crossbars.multiply(&windows).unwrap())
}

fn exact() -> Array2<i64> {
    reference(matrix(40, 300).view(), matrix(20, 300).view())
}

/// Root mean square of the error, relative to that of the sums.
fn relative_error(sums: &Array2<i64>) -> f64 {
    let square = |v: f64| v * v;
    let error: f64 = sums.iter().zip(&exact()).map(|(a, b)| square((a - b) as f64)).sum();
    let signal: f64 = exact().iter().map(|&b| square(b as f64)).sum();
    (error / signal).sqrt()
}

fn each_alone(seed: u64) -> [NonIdealities; 5] {
    let off = NonIdealities { seed, ..NonIdealities::default() };
    [
        NonIdealities { programming_sigma: 0.05, ..off.clone() },
        NonIdealities { read_sigma: 0.7, ..off.clone() },
        NonIdealities { stuck_off: 0.01, ..off.clone() },
        NonIdealities { stuck_on: 0.01, ..off.clone() },
        NonIdealities { on_off_ratio: 100.0, ..off },
    ]
}

#[test]
fn the_same_seed_gives_the_same_sums_on_any_number_of_threads() {
    for non_idealities in each_alone(7) {
        let options = imperfect(non_idealities.clone());
        let (method, product) = run(on_threads(1, options.clone()), 3);
        assert_eq!(method, Method::Conductances);
        assert_ne!(product.sums, exact(), "{non_idealities:?}");
        assert!(relative_error(&product.sums) < 1.0, "{non_idealities:?}");
        assert_eq!(product, run(on_threads(2, options), 3).1);
    }
}

#[test]
fn another_seed_or_stream_gives_other_sums_where_anything_is_drawn() {
    for (a, b) in each_alone(1).into_iter().zip(each_alone(2)).take(4) {
        let first = run(imperfect(a.clone()), 0).1;
        assert_ne!(first, run(imperfect(b), 0).1);
        assert_ne!(first, run(imperfect(a), 1).1);
    }
}

#[test]
fn off_is_exact_whatever_the_seed() {
    let (method, product) = run(imperfect(NonIdealities { seed: 9, ..NonIdealities::default() }), 0);
    assert_eq!(method, Method::Integer);
    assert_eq!(product.sums, exact());
}

#[test]
fn cells_that_are_imperfect_by_next_to_nothing_compute_the_exact_sums() {
    let off = NonIdealities::default();
    for non_idealities in [
        NonIdealities { programming_sigma: 1e-6, ..off.clone() },
        NonIdealities { read_sigma: 1e-3, ..off.clone() },
        NonIdealities { on_off_ratio: 1e6, ..off },
    ] {
        let product = run(imperfect(non_idealities), 0).1;
        assert_eq!(product.sums, exact());
        assert_eq!(product.clipped, 0);
    }
}

#[test]
fn more_programming_error_is_more_error() {
    let error = |programming_sigma| {
        let non_idealities = NonIdealities { programming_sigma, ..NonIdealities::default() };
        relative_error(&run(imperfect(non_idealities), 0).1.sums)
    };
    assert!(error(0.02) < error(0.1));
    assert!(error(0.1) < error(0.4));
}

#[test]
fn impossible_non_idealities_are_refused() {
    let off = NonIdealities::default();
    for non_idealities in [
        NonIdealities { programming_sigma: -1.0, ..off.clone() },
        NonIdealities { read_sigma: f32::NAN, ..off.clone() },
        NonIdealities { stuck_off: 0.6, stuck_on: 0.6, ..off.clone() },
        NonIdealities { on_off_ratio: 1.0, ..off },
    ] {
        let parts = ISAAC.parts();
        let made = numeric::Datapath::new(&parts.0, &parts.1, &parts.2, imperfect(non_idealities));
        assert!(matches!(made, Err(numeric::Error::Parameter { .. })));
    }
}

#[test]
fn cells_that_are_imperfect_by_next_to_nothing_clip_as_perfect_ones_do() {
    let machine = Machine { adc_bits: 5, ..ISAAC };
    let run = |options| {
        let crossbars = machine.datapath(options).program(matrix(20, 300).view(), 16, 0).unwrap();
        let windows = Windows::of_matrix(matrix(40, 300).view(), 16).unwrap();
        crossbars.multiply(&windows).unwrap()
    };
    let nearly_perfect = NonIdealities { programming_sigma: 1e-6, ..NonIdealities::default() };
    let perfect = run(Options::default());
    assert!(perfect.clipped > 0);
    assert_eq!(run(imperfect(nearly_perfect)), perfect);
}

/// Sums of the inputs of each window, which an equal error in every cell multiplies.
fn input_sums() -> Vec<i64> {
    let windows = matrix(40, 300);
    windows.rows().into_iter().map(|row| row.iter().map(|&v| i64::from(v)).sum()).collect()
}

fn without_flipping(non_idealities: NonIdealities) -> Array2<i64> {
    let machine = Machine { adc_bits: 12, flipped_encoding: false, ..ISAAC };
    let crossbars = machine.datapath(imperfect(non_idealities)).program(matrix(20, 300).view(), 16, 0).unwrap();
    let windows = Windows::of_matrix(matrix(40, 300).view(), 16).unwrap();
    crossbars.multiply(&windows).unwrap().sums
}

#[test]
fn a_ratio_of_four_adds_one_level_to_each_two_bit_cell() {
    // (2^2 - 1) / (4 - 1) = 1 in each of 8 slices, whose place values sum to (4^8 - 1) / 3.
    let sums = without_flipping(NonIdealities { on_off_ratio: 4.0, ..NonIdealities::default() });
    let error = (4i64.pow(8) - 1) / 3;
    for ((window, output), sum) in sums.indexed_iter() {
        assert_eq!(*sum, exact()[(window, output)] + error * input_sums()[window]);
    }
}

#[test]
fn cells_that_are_all_stuck_read_as_the_extreme_weights() {
    let off = NonIdealities::default();
    let stuck_on = without_flipping(NonIdealities { stuck_on: 1.0, ..off.clone() });
    let stuck_off = without_flipping(NonIdealities { stuck_off: 1.0, ..off });
    for ((window, output), sum) in stuck_on.indexed_iter() {
        assert_eq!(*sum, i64::from(i16::MAX) * input_sums()[window]);
        assert_eq!(stuck_off[(window, output)], i64::from(i16::MIN) * input_sums()[window]);
    }
}

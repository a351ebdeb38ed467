//! Traces.

use aqua::{Top, Trace, WeightSet};

/// Ten images with 16-bit weights; see below for what each tolerates.
pub const TEN_IMAGES: &str = include_str!("../../../../traces/ten-images.csv");

#[test]
fn ten_images_give_the_shares_worked_out_by_hand() {
    let trace = Trace::parse(TEN_IMAGES, "ten.csv").expect("a good trace");
    let top1 = trace.tolerance(WeightSet::Fixed16, Top::One).expect("the trace has it");
    // Wrong uncropped: a (though right under crops) and b. Right under no crop only: c, d. One cut: e (right),
    // f (left or top). Two cuts: g (top and bottom). Three: h (two of them). Four: i, j.
    assert_eq!(top1.shares, [0.4, 0.2, 0.1, 0.1, 0.2]);
    assert_eq!(top1.accuracy, Some(0.8));
    let crops = |pairs: &[(usize, f64)]| {
        let mut crops = [0.0; 16];
        pairs.iter().for_each(|&(crop, share)| crops[crop] = share);
        crops
    };
    let expected = crops(&[(0, 0.4), (1, 0.1), (2, 0.05), (4, 0.05), (9, 0.1), (11, 0.05), (13, 0.05), (15, 0.2)]);
    assert!(top1.crops.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-12), "{:?}", top1.crops);
    // With energies of 1, 0.9, 0.8, 0.7, 0.6 by size: 0.4 + 0.18 + 0.08 + 0.07 + 0.12.
    let energies = aqua::crops::crops().map(|edges| 1.0 - 0.1 * edges.count() as f64);
    assert!((top1.oracle_energy(&energies) - 0.85).abs() < 1e-12);

    // Top-5: all but b are right uncropped and under all crops.
    let top5 = trace.tolerance(WeightSet::Fixed16, Top::Five).expect("the trace has it");
    assert_eq!(top5.shares, [0.1, 0.0, 0.0, 0.0, 0.9]);
    assert!((top5.oracle_energy(&energies) - 0.64).abs() < 1e-12);
    assert_eq!(trace.tolerance(WeightSet::Varied, Top::One), None);
}

#[test]
fn an_image_that_is_right_under_all_but_the_original_crop_alone_keeps_its_fixed_crop() {
    let trace = Trace::parse(TEN_IMAGES, "ten.csv").expect("a good trace");
    let fixed = trace.tolerance(WeightSet::Fixed16, Top::One).and_then(|tolerance| tolerance.fixed);
    // Under the full crop: a, i and j.
    assert!((fixed.expect("a trace has accuracies")[15] - 0.3).abs() < 1e-12);
}

#[test]
fn bad_traces_are_reported_with_their_places() {
    let bad = TEN_IMAGES.replacen("top1_0001", "top1_001", 1).replacen("\na,16,", "\na,17,", 1);
    insta::assert_snapshot!("header", Trace::parse(&bad, "ten.csv").expect_err("a bad header"));
    let bad = TEN_IMAGES
        .replacen("\na,16,0", "\na,17,0", 1)
        .replacen("\nb,16,0", "\nb,16,x", 1)
        .replacen("\nd,16", "\nc,16", 1)
        .replacen("\ne,16,1,", "\ne,16,", 1);
    insta::assert_snapshot!("rows", Trace::parse(&bad, "ten.csv").expect_err("bad rows"));
    insta::assert_snapshot!("empty", Trace::parse("", "ten.csv").expect_err("nothing"));
}

//! Traces.

use aqua::{Population, Top, Trace};

use super::close;

/// Ten images with 16-bit weights; see below for what each tolerates.
pub(crate) const TEN_IMAGES: &str = include_str!("../../../../traces/ten-images.csv");

#[test]
fn ten_images_give_the_shares_worked_out_by_hand() {
    let trace = Trace::parse(TEN_IMAGES, "ten.csv", &[]).expect("a good trace");
    let top1 = trace.tolerance("16", Top::One).expect("the trace has it");
    // Wrong uncropped: a (though right under crops) and b. Right under no crop only: c, d. One cut: e (right),
    // f (left or top). Two cuts: g (top and bottom). Three: h (two of them). Four: i, j.
    assert_eq!(top1.accuracy, 0.8);
    assert_eq!(top1.shares, [0.25, 0.25, 0.125, 0.125, 0.25]);
    let crops = |pairs: &[(usize, f64)]| {
        let mut crops = [0.0; 16];
        for &(crop, images) in pairs {
            crops[crop] = images / 8.0;
        }
        crops
    };
    let expected = crops(&[(0, 2.0), (1, 1.0), (2, 0.5), (4, 0.5), (9, 1.0), (11, 0.5), (13, 0.5), (15, 2.0)]);
    assert!(top1.crops.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-12), "{:?}", top1.crops);
    // With energies of 1, 0.9, 0.8, 0.7, 0.6 by size: 2 + 1.8 + 0.8 + 0.7 + 1.2 for right images, and 2 for the others.
    let energies = aqua::crops::crops().map(|edges| 1.0 - 0.1 * edges.count() as f64);
    close(top1.oracle_energy(&energies, Population::Right), 6.5 / 8.0, 1e-12, "right images");
    close(top1.oracle_energy(&energies, Population::All), 0.85, 1e-12, "all images");

    // Top-5: all but b are right uncropped and under all crops.
    let top5 = trace.tolerance("16", Top::Five).expect("the trace has it");
    assert_eq!(top5.shares, [0.0, 0.0, 0.0, 0.0, 1.0]);
    close(top5.oracle_energy(&energies, Population::Right), 0.6, 1e-12, "right images");
    close(top5.oracle_energy(&energies, Population::All), 0.64, 1e-12, "all images");
    assert_eq!(trace.tolerance("varied", Top::One), None);
}

#[test]
fn an_image_that_is_right_under_all_but_the_original_crop_alone_keeps_its_fixed_crop() {
    let trace = Trace::parse(TEN_IMAGES, "ten.csv", &[]).expect("a good trace");
    let fixed = trace.tolerance("16", Top::One).and_then(|tolerance| tolerance.fixed);
    // Under the full crop: a, i and j.
    assert!((fixed.expect("a trace has accuracies")[15] - 0.3).abs() < 1e-12);
}

#[test]
fn bad_traces_are_reported_with_their_places() {
    let bad = TEN_IMAGES.replacen("top1_0001", "top1_001", 1).replacen("\na,16,", "\na,17,", 1);
    insta::assert_snapshot!("header", Trace::parse(&bad, "ten.csv", &[]).expect_err("a bad header"));
    let bad = TEN_IMAGES
        .replacen("\na,16,0", "\na,17,0", 1)
        .replacen("\nb,16,0", "\nb,16,x", 1)
        .replacen("\nd,16", "\nc,16", 1)
        .replacen("\ne,16,1,", "\ne,16,", 1);
    insta::assert_snapshot!("rows", Trace::parse(&bad, "ten.csv", &[]).expect_err("bad rows"));
    insta::assert_snapshot!("empty", Trace::parse("", "ten.csv", &[]).expect_err("nothing"));
}

#[test]
fn an_unknown_weight_set_is_one_fault_for_all_its_rows() {
    let bad = TEN_IMAGES.replace(",16,", ",32,").replacen(",32,", ",8,", 1);
    let faults = Trace::parse(&bad, "ten.csv", &[]).expect_err("no such sets");
    let messages: Vec<&str> = faults.iter().map(document::Fault::message).collect();
    assert_eq!(messages, ["there is no weight set \"8\"", "there is no weight set \"32\""]);
}

#[test]
fn a_trace_in_which_nothing_is_right_is_refused() {
    let (header, _) = TEN_IMAGES.split_once('\n').expect("a header");
    let wrong = format!("{header}\na,16{}\n", ",0".repeat(32));
    let faults = Trace::parse(&wrong, "wrong.csv", &[]).expect_err("no share of no images");
    let messages: Vec<&str> = faults.iter().map(document::Fault::message).collect();
    assert_eq!(
        messages,
        ["top-1", "top-5"].map(|top| format!("with weights 16, no image is right at {top} without a crop"))
    );
}

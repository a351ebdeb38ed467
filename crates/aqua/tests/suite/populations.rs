//! Images that the paper's savings are of.

use aqua::published::{self, TABLE_I};
use aqua::{Allowed, Paper, Population, Tolerance, Top, Trace, most_saving};
use proptest::prelude::*;

use super::close;

#[test]
fn the_printed_savings_are_above_what_table_1_allows_over_all_images() {
    // By hand: four cuts save 0.474 of at most 58.57 % (81.64 %), three save 0.376 of the other right images.
    for (top, four_cuts, others, bound, of_right, over_all) in
        [(Top::One, 0.5857, 0.0652, 0.302, 0.335, 0.218), (Top::Five, 0.8164, 0.0422, 0.403, 0.420, 0.361)]
    {
        let allowed = Allowed::by_the_paper(top);
        close(allowed.most_over_all, four_cuts * 0.474 + others * 0.376, 1e-12, "bound");
        close(allowed.most_over_all, bound, 0.0005, "bound, rounded");
        close(allowed.saving, of_right, 1e-12, "printed saving");
        close(allowed.saving_over_all, over_all, 0.0005, "the same over all images");
        assert!(allowed.saving > allowed.most_over_all && allowed.saving_over_all < allowed.most_over_all);
    }
}

/// Images, each right or wrong under the 16 crops.
fn images() -> impl Strategy<Value = Vec<[bool; 16]>> {
    // Mostly right, so that large crops are tolerated, too.
    prop::collection::vec(prop::array::uniform16(prop::bool::weighted(0.8)), 1..40)
}

proptest! {
    #[test]
    fn no_images_save_more_than_their_accuracies_allow(images in images(), energies in prop::array::uniform15(0.1..1.0)) {
        let mut all = [1.0; 16];
        all[1..].copy_from_slice(&energies);
        let tolerance = Tolerance::count(images.iter().copied());
        prop_assume!(tolerance.is_some());
        let tolerance = tolerance.expect("some image is right");
        let saving = 1.0 - tolerance.oracle_energy(&all, Population::All);
        let bound = most_saving(&tolerance.fixed.expect("images were counted"), &all);
        prop_assert!(saving <= bound + 1e-12, "{saving} of at most {bound}");
    }

    #[test]
    fn images_that_are_wrong_without_a_crop_save_nothing_and_change_no_share(images in images(), wrong in 0..40usize) {
        let count = |images: Vec<[bool; 16]>| Tolerance::count(images.into_iter());
        let energies = published::energies();
        let before = count(images.clone());
        prop_assume!(before.is_some());
        let before = before.expect("some image is right");
        let mut more = images.clone();
        // Right under every crop, but not without one.
        let mut image = [true; 16];
        image[0] = false;
        more.extend(std::iter::repeat_n(image, wrong));
        let after = count(more).expect("some image is right");
        prop_assert_eq!(before.shares, after.shares);
        prop_assert_eq!(before.crops, after.crops);
        let saved = |tolerance: &Tolerance, images: usize| {
            (1.0 - tolerance.oracle_energy(&energies, Population::All)) * images as f64
        };
        prop_assert!((saved(&before, images.len()) - saved(&after, images.len() + wrong)).abs() < 1e-9);
    }
}

#[test]
fn a_bound_is_reached_by_images_that_tolerate_three_or_four_cuts() {
    let mut three = [true; 16];
    three[15] = false;
    let images = [[true; 16], three, [false; 16], [false; 16]];
    let tolerance = Tolerance::count(images.into_iter()).expect("two are right");
    let energies = published::energies();
    let saving = 1.0 - tolerance.oracle_energy(&energies, Population::All);
    close(saving, 0.25 * 0.474 + 0.25 * 0.376, 1e-12, "saving");
    close(saving, most_saving(&tolerance.fixed.expect("images were counted"), &energies), 1e-12, "bound");
}

/// Images of ImageNet as they may be: accuracies of Table I under every crop, Figure 4's statements, and the printed
/// savings, all at once; whoever is right at top-1 is right at top-5.
fn as_published() -> String {
    const IMAGES: usize = 4000;
    let sets = ["float", "16", "varied", "12"];
    let share = |share: f64| (share * IMAGES as f64).round() as usize;
    let crops: Vec<u32> = TABLE_I.iter().map(|row| u32::from_str_radix(row.cut, 2).expect("four digits")).collect();
    // What an image that tolerates one crop of `cuts` edges is right under: all of which it has the edges.
    let tolerates = |cuts: u32, image: usize| -> [bool; 16] {
        let largest: Vec<u32> = crops.iter().copied().filter(|crop| crop.count_ones() == cuts).collect();
        let largest = largest[image % largest.len()];
        std::array::from_fn(|crop| crops[crop] & !largest == 0)
    };
    // Mean energies of 0.665 and 0.580 by hand, from Table I's energies: shares of right images for 0, 2, 3, 4 cuts.
    let (one, five) = ([0.2, 0.1655, 0.0845, 0.55], [0.1, 0.0143, 0.0357, 0.85]);
    let (right1, right5) = (share(0.6509), share(0.8586));
    let [original1, two1, three1] = [one[0], one[1], one[2]].map(|part| share(0.6509 * part));
    let [original5, two5, three5] = [five[0], five[1], five[2]].map(|part| share(0.8586 * part));
    let mut top1: Vec<[bool; 16]> = (0..IMAGES)
        .map(|image| match right1.checked_sub(image + 1) {
            None => [false; 16],
            Some(left) if left < original1 => tolerates(0, image),
            Some(left) if left < original1 + two1 => tolerates(2, image),
            Some(left) if left < original1 + two1 + three1 => tolerates(3, image),
            Some(_) => tolerates(4, image),
        })
        .collect();
    let first5 = right1 - original1;
    let mut top5: Vec<[bool; 16]> = (0..IMAGES)
        .map(|image| match image.checked_sub(first5) {
            _ if image >= right5 => [false; 16],
            Some(place) if place < original5 => tolerates(0, image),
            Some(place) if place < original5 + two5 => tolerates(2, image),
            Some(place) if place < original5 + two5 + three5 => tolerates(3, image),
            _ => tolerates(4, image),
        })
        .collect();
    // Images that are wrong without a crop make up what Table I has more.
    for (images, right, accuracies) in
        [(&mut top1, right1, published::accuracies(Top::One)), (&mut top5, right5, published::accuracies(Top::Five))]
    {
        for (crop, accuracy) in accuracies.into_iter().enumerate().skip(1) {
            let have = images.iter().filter(|image| image[crop]).count();
            let more = share(accuracy).checked_sub(have).expect("right images alone are not above Table I");
            assert!(more <= IMAGES - right, "Table I can be met");
            images[right..right + more].iter_mut().for_each(|image| image[crop] = true);
        }
    }
    let digits = |image: &[bool; 16]| image.map(|right| if right { "1" } else { "0" }).join(",");
    let names = |top: &str| TABLE_I.map(|row| format!("{top}_{}", row.cut)).join(",");
    let mut text = format!("image,weights,{},{}\n", names("top1"), names("top5"));
    for (image, (top1, top5)) in top1.iter().zip(&top5).enumerate() {
        assert!((0..16).all(|crop| top5[crop] || !top1[crop]), "top-1 of image {image} is in its top-5");
        for set in sets {
            text += &format!("{image},{set},{},{}\n", digits(top1), digits(top5));
        }
    }
    text
}

#[test]
fn a_trace_with_the_published_shares_meets_every_expected_number() {
    let trace = Trace::parse(&as_published(), "trace.csv", &[]).expect("a good trace");
    let paper = Paper::new(super::paper::runs(), &super::paper::of_paper(), 100.0, Some(&trace))
        .expect("nothing is reconstructed");
    assert!(paper.comparisons.iter().all(|comparison| comparison.evidence != "reconstructed"));
    for comparison in &paper.comparisons {
        assert!(comparison.met, "{comparison:?}");
    }
    // Accuracies under all crops are held against Table I where there are some.
    let accuracies = paper.comparisons.iter().filter(|comparison| comparison.what.contains("accuracy")).count();
    assert_eq!(accuracies, 32);
    let files = paper.files();
    assert!(files.iter().all(|file| !file.text.contains("(reconstructed)")), "nothing is marked");
}

#[test]
fn floating_point_weights_have_accuracy_and_tolerance_and_no_energy() {
    let trace = Trace::parse(&as_published(), "trace.csv", &[]).expect("a good trace");
    let float = trace.tolerance("float", Top::Five).expect("the trace has them");
    close(float.accuracy, 0.8586, 0.0005, "accuracy");
    for trace in [None, Some(&trace)] {
        let paper =
            Paper::new(super::paper::runs(), &super::paper::of_paper(), 100.0, trace).expect("the text can be met");
        let figure4 = paper.figure4.iter().filter(|row| row.weights == "float");
        assert_eq!(figure4.count(), 10);
        let rows: Vec<_> = paper.figure5.iter().filter(|row| row.weights == "float").collect();
        assert_eq!(rows.len(), 6);
        for row in rows {
            assert_eq!((row.relative_energy, row.saving), (None, None));
            assert_eq!(row.note, "not representable on this machine");
        }
        for file in paper.files().into_iter().filter(|file| ["figure5.svg", "paper.md"].contains(&&*file.name)) {
            assert!(file.text.contains("not representable on this machine"), "{}", file.name);
        }
    }
}

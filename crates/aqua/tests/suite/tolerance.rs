//! The reconstructed distribution.

use aqua::published::{Statement, TOP_1, TOP_5, energies};
use aqua::{Population, Tolerance};

#[test]
fn reconstructions_meet_what_the_text_states() {
    for stated in [TOP_1, TOP_5] {
        let tolerance = Tolerance::reconstruct(&stated, &energies()).expect("it can be met");
        assert!((tolerance.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((tolerance.crops.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(tolerance.shares[0], stated.original);
        assert!(tolerance.shares[4] >= stated.four_cuts);
        assert!((tolerance.oracle_energy(&energies(), Population::Right) - stated.mean_energy).abs() < 1e-9);
    }
}

#[test]
fn no_other_distribution_that_meets_it_has_more_entropy() {
    let entropy = |shares: &[f64]| -> f64 { shares.iter().map(|share| -share * share.ln()).sum() };
    let sizes = [1.0, 0.861, 0.743, 0.624, 0.526];
    for stated in [TOP_1, TOP_5] {
        let shares = Tolerance::reconstruct(&stated, &energies()).expect("it can be met").shares;
        // Moves that keep the sum and the mean: three of the free sizes, the middle one against the outer ones.
        for (a, b, c) in [(1, 2, 3), (1, 2, 4), (1, 3, 4), (2, 3, 4)] {
            let towards_a = (sizes[b] - sizes[c]) / (sizes[a] - sizes[c]);
            for step in [-1e-4, 1e-4] {
                let mut other = shares;
                other[b] -= step;
                other[a] += step * towards_a;
                other[c] += step * (1.0 - towards_a);
                let allowed = other.iter().all(|&share| share > 0.0) && other[4] >= stated.four_cuts;
                assert!(!allowed || entropy(&other) <= entropy(&shares) + 1e-12, "{a} {b} {c} {step}");
            }
        }
    }
}

#[test]
fn what_cannot_be_met_is_said() {
    let stated = Statement { accuracy: 1.0, original: 0.5, four_cuts: 0.5, mean_energy: 0.6 };
    let error = Tolerance::reconstruct(&stated, &energies()).expect_err("half the images alone have 0.5");
    assert_eq!(
        error.to_string(),
        "no distribution over 0 to 4 cuts has a mean energy of 0.6000 with 0.50 of the images uncropped: it can be \
         from 0.7630 to 0.9305"
    );
}

//! AQuA's numbers: policies worked out by hand, and the published ones from simulated runs.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of test cases are small")]

mod isaac;
mod paper;
mod populations;
mod tolerance;
mod trace;

fn close(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what}: {got}, expected {expected}");
}

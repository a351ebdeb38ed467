//! AQuA's numbers: policies worked out by hand, and the published ones from simulated runs.

mod paper;
mod populations;
mod tolerance;
mod trace;

fn close(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what}: {got}, expected {expected}");
}

//! AQuA's numbers: policies worked out by hand, and the published ones from simulated runs.

mod paper;
mod tolerance;
mod trace;

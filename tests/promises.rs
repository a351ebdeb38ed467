//! What users rely on across the crates, a module for each promise.

mod agreement;
mod conservation;
mod dependencies;
mod determinism;
mod isaac;
mod paper;
mod pipeline;
mod regions;
mod stalls;
mod support;
mod vgg16;

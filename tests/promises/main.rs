//! What users rely on across the crates, a module for each promise.

mod agreement;
mod any;
mod conservation;
mod dependencies;
mod determinism;
mod forward;
mod graphs;
mod isaac;
mod many_images;
mod paper;
mod pipeline;
mod placement;
mod regions;
mod resnet18;
mod settled;
mod stalls;
mod support;
mod vgg16;
mod widths;

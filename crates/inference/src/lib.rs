//! What a network on a machine answers for a picture, and what the answer costs: both under the same plan.
//!
//! A [`Classifier`] computes answers, an [`Accelerator`] simulates plans, and both count the reads and conversions of
//! each layer: [`Classifier::classify`] holds the two counts equal.

mod accelerator;
mod classifier;
mod oracle;
mod parallel;
mod ranges;

pub use accelerator::{Accelerator, Cost};
pub use classifier::{Answer, Classifier, calibrate, is_right, widen};
pub use oracle::{Crop, crops, energies, oracle};
pub use parallel::in_order;
pub use ranges::Ranges;

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Tensors, pictures or precisions that the crossbars cannot compute with.
    #[error(transparent)]
    Numeric(#[from] numeric::Error),
    /// A plan that does not fit the network.
    #[error("{0}")]
    Plan(#[from] document::Faults),
    /// A plan under which the network does not fit the machine.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mapping(Vec<mapper::MappingError>),
    /// A simulation that cannot go on.
    #[error(transparent)]
    Simulation(#[from] chip::SimulationError),
    /// The answer and its cost are not those of the same computation.
    #[error("layer {layer}: the crossbars computed with {computed} {what}, and {simulated} were simulated")]
    Counts {
        /// Name of the layer.
        layer: String,
        /// What was counted.
        what: &'static str,
        /// Of the computation.
        computed: u64,
        /// Of the simulation.
        simulated: u64,
    },
}

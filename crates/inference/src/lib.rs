//! Answers of a network on a machine, and their cost, both under the same plan.
//!
//! A [`Classifier`] computes answers, an [`Accelerator`] simulates plans, and both count the reads, conversions and
//! driven rows of each layer. [`Classifier::classify`] fails if the two counts differ: an answer and its cost always
//! belong to the same computation. A plan may change from picture to picture as long as only activations differ; the
//! weights stay on the crossbars, and each distinct plan is simulated once.
//!
//! [`calibrate`] finds the input [`Ranges`] of each layer and merge from pictures in floating point. [`oracle()`] selects the
//! cheapest of the 16 [`crops`] under which the answer stays right (AQuA, section IV). [`in_order`] computes many
//! pictures in parallel and passes on the results in the order of the pictures. Energies are in pJ, latencies in cycles
//! or ns.
//!
//! ```
//! use inference::{Accelerator, Classifier};
//! use ndarray::{Array1, Array3, ArrayD};
//! use network::Plan;
//! use numeric::{Datapath, InputRanges, LayerWeights, Model, Options, Weights};
//!
//! let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
//! let plan = Plan::uniform(&network, 16, 16);
//! let layout = mapper::balance(&arch, &network, &plan).unwrap();
//! let accelerator = Accelerator::new(&arch, &network, layout.mapping.clone());
//! let cost = accelerator.cost(&plan).unwrap();
//!
//! // Weights of zero give all classes the same score.
//! let zeros = network.layers.iter().map(|layer| {
//!     let outputs = layer.output.channels as usize;
//!     let weights = ArrayD::zeros(vec![outputs, layer.rows() as usize]);
//!     LayerWeights { weights, bias: Array1::zeros(outputs) }
//! });
//! let zeros = Weights::from(zeros.collect::<Vec<_>>());
//! let (bits, ranges) = (vec![16; network.layers.len()], InputRanges::zero(&network));
//! let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, Options::default()).unwrap();
//! let datapath = datapath.skipping_zero_row_blocks(arch.ima.skip_zero_row_blocks);
//! let model = Model::program(&datapath, &network, &zeros, &bits, &ranges).unwrap();
//!
//! let classifier = Classifier::new(network.clone(), model);
//! let answer = classifier.classify(&plan, Array3::<f32>::zeros((3, 16, 16)).view(), &cost).unwrap();
//! assert_eq!(answer.scores, [0.0; 10]);
//! assert!(cost.dynamic_pj > 0.0);
//! ```

mod accelerator;
mod classifier;
mod oracle;
mod parallel;
mod ranges;

pub use accelerator::{Accelerator, Cost};
pub use classifier::{Answer, Classifier, calibrate, is_right, scores};
pub use oracle::{Crop, crops, energies, oracle};
pub use parallel::in_order;
pub use ranges::Ranges;

/// Error that prevents an answer.
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
    /// A simulation that cannot continue.
    #[error(transparent)]
    Simulation(#[from] chip::SimulationError),
    /// The answer and its cost are not those of the same computation.
    #[error("layer {layer}: the crossbars computed with {computed} {what}, and {simulated} were simulated")]
    Counts {
        /// Name of the layer.
        layer: String,
        /// Kind of action.
        what: &'static str,
        /// Actions in the computation.
        computed: u64,
        /// Actions in the simulation.
        simulated: u64,
    },
}

//! Simulated runs of the study, from which the paper's tables and figures are made.
//!
//! Each [`Job`] simulates one image alone, for energy and latency. A job with `settled` also runs images until their
//! pace has settled (docs/model.md, "Digest, settled, bound"). The bottleneck is the resource that bounds the interval
//! between images; it follows from the mapping and the plan alone.

use analysis::{Bound, Kind, Resource};
use arch::Arch;
use chip::{Options, Routed, SimulationError};
use document::{Fault, Faults};
use mapper::{LayerLayout, MappingError};
use network::{Edges, LayerKind, Network};

use crate::crops::crops;
use crate::weights::{FIXED_16, WeightSet};

/// Images of the first run that is tested for being settled: VGG16's queues have then filled on most machines.
const FIRST_IMAGES: u32 = 48;

/// One run of the study.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Weights, which crossbars can hold.
    pub weights: WeightSet,
    /// Bits of the activations of convolutions, in place of those of the weight set.
    pub activation_bits: Option<u32>,
    /// Crop of every convolution.
    pub edges: Edges,
    /// Replicas are balanced for the crop, not for the whole map.
    pub rebalanced: bool,
    /// Images are run until their rate has settled, not one alone.
    pub settled: bool,
}

/// Result of a run of the study.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The run.
    pub job: Job,
    /// Dynamic energy of an image, pJ.
    pub energy_pj: f64,
    /// ADC conversions of an image.
    pub adc_conversions: u64,
    /// ADC conversions of an image in the convolutions alone.
    pub convolution_conversions: u64,
    /// Multiply-accumulates of an image.
    pub macs: u64,
    /// Cycles from the start to the last result of an image alone on the machine.
    pub latency_cycles: u64,
    /// Cycles from one image's last result to the next's, settled; `None` for a single image.
    pub cycles_per_image: Option<f64>,
    /// Resource that sets the pace.
    pub bottleneck: Bottleneck,
}

/// Resource that sets the pace of a run: the one that an image needs longest.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// Name: the crossbars of a layer's replica, or a shared resource (a bus, a port, a link).
    pub(crate) resource: String,
    /// Layers whose crossbars they are, or the layer that needs most of the shared resource.
    pub layers: Vec<String>,
    /// Share of the resource that these layers need, 0 to 1.
    pub share: f64,
    /// Cycles for which an image needs it: lower bound on the cycles per image.
    pub cycles: f64,
    /// Cycles in which the replica with the most windows reads its crossbars for one image.
    pub crossbar_cycles: u64,
    /// True if other places of the replicas may lower the cycles.
    pub(crate) is_of_placement: bool,
}

/// Error of a run of the study.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The network states no crops, or not enough layers.
    #[error("{0}")]
    Plan(#[from] Faults),
    /// The machine is too small.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mapping(Vec<MappingError>),
    /// The simulation failed, for example in a deadlock.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
}

impl From<Vec<MappingError>> for StudyError {
    fn from(errors: Vec<MappingError>) -> StudyError {
        StudyError::Mapping(errors)
    }
}

impl StudyError {
    /// Returns the faults of the user, or the simulation error if there are none.
    pub fn into_faults(self) -> Result<Faults, SimulationError> {
        match self {
            StudyError::Plan(faults) => Ok(faults),
            StudyError::Mapping(errors) => Ok(errors.into_iter().map(Fault::from).collect::<Vec<_>>().into()),
            StudyError::Simulation(error) => Err(error),
        }
    }
}

impl Job {
    /// The study: every crop with every weight set, throughput before and after rebalancing for the 16-bit weights, and
    /// one run with 8-bit activations.
    pub fn all(sets: &[WeightSet]) -> Vec<Job> {
        let job = |weights: &WeightSet, edges, rebalanced, settled| Job {
            weights: weights.clone(),
            activation_bits: None,
            edges,
            rebalanced,
            settled,
        };
        let mut jobs = Vec::new();
        for weights in sets.iter().filter(|set| set.plan().is_some()) {
            let is_baseline = weights.name() == FIXED_16;
            for edges in crops() {
                jobs.push(job(weights, edges, false, is_baseline));
                // Without a crop there is nothing to rebalance.
                if is_baseline && edges != Edges::NONE {
                    jobs.push(job(weights, edges, true, true));
                }
            }
            if is_baseline {
                jobs.push(Job { activation_bits: Some(8), ..job(weights, Edges::NONE, false, false) });
            }
        }
        jobs
    }

    /// Simulates the run.
    pub fn run(self, arch: &Arch, network: &Network) -> Result<Measured, StudyError> {
        let mut plan = self.weights.plan().expect("a study runs weights that crossbars can hold").clone();
        if let Some(bits) = self.activation_bits {
            let layers = plan.layers.iter_mut().zip(&network.layers);
            for (layer, _) in layers.filter(|(_, layer)| layer.kind == LayerKind::Convolution) {
                layer.activation_bits = bits;
            }
        }
        let plan = plan.crop(network, self.edges)?;
        let balance = if self.rebalanced { mapper::balance_cropped } else { mapper::balance };
        let layout = balance(arch, network, &plan)?;
        let routed = Routed::new(arch, &layout);
        let options = Options::default();
        let outcome = routed.run(&options)?;
        let first = Options { images: FIRST_IMAGES, ..options };
        let bound = Bound::of(&routed, first.uncontended);
        let settled = self.settled.then(|| routed.run_until_settled(&first, bound.cycles)).transpose()?;
        let pace = settled.and_then(|(_, outcome)| outcome.pace(bound.cycles).ok());
        let convolutions =
            || outcome.layers.iter().zip(&layout.layers).filter(|(_, layer)| !layer.is_fully_connected());
        let conversions: u64 = convolutions().map(|(layer, _)| layer.counts.adc_conversions).sum();
        Ok(Measured {
            job: self,
            energy_pj: analysis::total_pj(&analysis::energy(arch, &outcome.counts())),
            adc_conversions: outcome.counts().adc_conversions,
            convolution_conversions: conversions,
            macs: layout.layers.iter().map(LayerLayout::macs).sum(),
            latency_cycles: outcome.cycles,
            cycles_per_image: pace.map(|pace| pace.cycles_per_image),
            bottleneck: Bottleneck::of(&bound),
        })
    }
}

impl Bottleneck {
    fn of(bound: &Bound) -> Bottleneck {
        let first = bound.resources.first().expect("an image of the study has windows");
        let crossbars = |of: &&Resource| of.kind == Kind::Crossbars;
        let read = bound.resources.iter().find(crossbars).expect("windows take crossbars");
        let (resource, needing, share) = match first.kind {
            Kind::Crossbars => {
                let as_long = bound.resources.iter().filter(crossbars).filter(|of| of.amount == read.amount);
                ("crossbars".to_owned(), as_long.map(|of| &of.layers[0]).collect(), 1.0)
            }
            _ => (first.name.clone(), vec![&first.layers[0]], first.layers[0].share),
        };
        let layers = needing.into_iter().map(|part| part.layer.clone()).collect();
        let is_of_placement = bound.is_of_placement();
        Bottleneck { resource, layers, share, cycles: bound.cycles, crossbar_cycles: read.amount, is_of_placement }
    }
}

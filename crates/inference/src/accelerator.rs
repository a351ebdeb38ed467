//! Cost of plans on a machine, simulated once for each plan.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arch::{Arch, Counts};
use chip::Options;
use mapper::{Layout, Mapping};
use network::{Network, Plan};

use crate::Error;

/// A network mapped on a machine. Plans that differ in activations only leave the crossbars as they are programmed.
#[derive(Debug)]
pub struct Accelerator<'a> {
    arch: &'a Arch,
    network: &'a Network,
    mapping: Mapping,
    /// Cost of each plan requested so far.
    costs: Mutex<Vec<(Plan, Arc<PendingCost>)>>,
}

/// A cost once it has been simulated.
type PendingCost = OnceLock<Result<Arc<Cost>, Error>>;

/// Cost of one picture, alone on the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Cycles from the start to the last result.
    pub cycles: u64,
    /// The same in ns.
    pub latency_ns: f64,
    /// Dynamic energy, pJ.
    pub dynamic_pj: f64,
    /// Counts of each layer.
    pub layers: Vec<Counts>,
}

impl<'a> Accelerator<'a> {
    /// The machine with a network on it.
    pub fn new(arch: &'a Arch, network: &'a Network, mapping: Mapping) -> Self {
        Self { arch, network, mapping, costs: Mutex::default() }
    }

    /// The network.
    pub fn network(&self) -> &'a Network {
        self.network
    }

    /// Cost of a picture under `plan`. Each plan is simulated once, even if several threads request it at the same
    /// time.
    ///
    /// # Errors
    /// If the network does not fit the machine under this plan.
    pub fn cost(&self, plan: &Plan) -> Result<Arc<Cost>, Error> {
        let cost = {
            let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, cost)) = costs.iter().find(|(known, _)| known == plan) {
                cost.clone()
            } else {
                let cost = Arc::new(PendingCost::new());
                costs.push((plan.clone(), cost.clone()));
                cost
            }
        };
        cost.get_or_init(|| self.simulate(plan).map(Arc::new)).clone()
    }

    /// Plans that have been simulated.
    pub fn simulations(&self) -> usize {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn simulate(&self, plan: &Plan) -> Result<Cost, Error> {
        let layout = Layout::new(self.arch, self.network, plan, self.mapping.clone()).map_err(Error::Mapping)?;
        let outcome = chip::run(self.arch, &layout, &Options::default())?;
        Ok(Cost {
            cycles: outcome.cycles,
            latency_ns: outcome.cycles as f64 * self.arch.cycle_ns,
            dynamic_pj: analysis::total_pj(&analysis::energy(self.arch, &outcome.counts())),
            layers: outcome.layers.into_iter().map(|layer| layer.counts).collect(),
        })
    }
}

//! Selection of network, plan and mapping: options common to all commands on a mapped network.
//!
//! [`Selection::load`] reads and checks all files and maps the network, so that a [`Selected`] can be simulated.

use analysis::Bound;
use arch::Arch;
use chip::{Options, Outcome, Routed};
use clap::Args;
use document::{Fault, Faults};
use mapper::{Balance, Fill, Layout};
use network::{Edges, Network, Plan, parse_activations, parse_weights};
use report::{Report, Run};
use tracing::info_span;

use crate::changes::ChosenMachine;
use crate::failure::Failure;

/// Network, precision and mapping.
#[derive(Args)]
#[command(next_help_heading = "Network and mapping")]
pub(crate) struct Selection {
    /// Network: one of `aquasim network list`, or a TOML or ONNX file
    #[arg(long, value_name = "PRESET|FILE", default_value = "vgg16")]
    network: String,
    #[command(flatten)]
    precision: Precision,
    /// Mapping written by `aquasim map`, in place of a balanced one
    #[arg(long, value_name = "FILE")]
    mapping: Option<String>,
}

/// Bits of weights and activations.
#[derive(Args)]
#[command(next_help_heading = "Network and mapping")]
pub(crate) struct Precision {
    /// Bits of the weights of all layers, or of each; varied is AQuA's set for VGG16
    #[arg(long, value_name = "BITS|BITS,...|varied", default_value = "16")]
    weights: String,
    /// Bits of the activations of all layers, or of each; 0 crops a layer
    #[arg(long, value_name = "BITS|BITS,...", default_value = "16")]
    activations: String,
    /// Edges cut from the map of every convolution: any of top, bottom, left, right, or none
    #[arg(long, value_name = "EDGE,...", default_value = "none")]
    crop: String,
    /// TOML file with the bits of each layer and region, in place of --weights, --activations and --crop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["weights", "activations", "crop"])]
    plan: Option<String>,
}

/// Number of replicas.
#[derive(Args)]
#[command(next_help_heading = "Network and mapping")]
pub(crate) struct Filling {
    /// Map as many replicas as the board holds, as some of its chips hold (8-chips), or as the crossbars need for an
    /// image in a number of cycles (784-cycles)
    #[arg(long, value_name = "AIM", num_args = 0..=1, default_missing_value = "board")]
    #[arg(conflicts_with = "mapping")]
    fill: Option<String>,
}

impl Filling {
    /// Returns the aim; the pace of the last layer if none is given.
    pub(crate) fn aim(&self) -> Result<Fill, Fault> {
        Ok(self.fill.as_deref().map(str::parse).transpose()?.unwrap_or_default())
    }
}

/// A selection, checked and mapped.
pub(crate) struct Selected {
    /// Machine.
    pub(crate) arch: Arch,
    /// Network.
    pub(crate) network: Network,
    /// Precision and crops.
    pub(crate) plan: Plan,
    /// Name of the plan in reports.
    pub(crate) plan_name: String,
    /// Layout of the network on the machine.
    pub(crate) layout: Layout,
}

impl Selection {
    /// Refuses a fixed crop for a command or policy that chooses crops itself.
    pub(crate) fn refuse_crop(&self, who: &str) -> Result<(), Fault> {
        let crop = &self.precision.crop;
        if crop == "none" {
            return Ok(());
        }
        Err(Fault::new(format!("--crop {crop} is fixed, and {who} chooses crops itself"), "remove --crop"))
    }

    /// Reads the selection, and maps the network to `machine`.
    pub(crate) fn load(&self, machine: &ChosenMachine) -> Result<Selected, Failure> {
        self.load_filled(machine.load()?, &Filling { fill: None })
    }

    /// Reads the selection as [`Self::load`] does, and maps the network with a number of replicas.
    pub(crate) fn load_filled(&self, arch: Arch, filling: &Filling) -> Result<Selected, Failure> {
        let fill = filling.aim()?;
        let network = onnx::load(&self.network)?;
        let (plan, plan_name) = self.precision.plan(&network)?;
        let layout = info_span!("map").in_scope(|| self.map(&arch, &network, &plan, fill))?;
        Ok(Selected { arch, network, plan, plan_name, layout })
    }

    fn map(&self, arch: &Arch, network: &Network, plan: &Plan, fill: Fill) -> Result<Layout, Failure> {
        match &self.mapping {
            Some(path) => Ok(Layout::load(path, arch, network, plan)?),
            None => Ok(Balance { fill, ..Balance::default() }.layout(arch, network, plan)?),
        }
    }
}

impl Precision {
    /// Returns the plan, and its name.
    pub(crate) fn plan(&self, network: &Network) -> Result<(Plan, String), Faults> {
        if let Some(path) = &self.plan {
            return Ok((Plan::load(path, network)?, path.clone()));
        }
        let Precision { weights, activations, crop, .. } = self;
        let edges: Edges = crop.parse()?;
        let plan = Plan::uniform(network, network::FULL_PRECISION_BITS, network::FULL_PRECISION_BITS)
            .with_weights(&parse_weights(weights, network)?)
            .with_activations(&parse_activations(activations, network)?)
            .crop(network, edges)?;
        Ok((plan, format!("weights {weights}, activations {activations}, crop {edges}")))
    }
}

impl Selected {
    /// Replaces the plan by one that differs in activations only, so that the crossbars stay the same.
    pub(crate) fn set_plan(&mut self, plan: Plan, name: &str) -> Result<(), Failure> {
        self.layout = Layout::new(&self.arch, &self.network, &plan, self.layout.mapping.clone())?;
        self.plan = plan;
        let base = self.plan_name.rsplit_once(", crop ").map_or(self.plan_name.as_str(), |(base, _)| base);
        self.plan_name = format!("{base}, {name}");
        Ok(())
    }

    /// Finds the routes of values, for runs and their report.
    pub(crate) fn routed(&self) -> Routed<'_> {
        Routed::new(&self.arch, &self.layout)
    }

    /// Report of a run with these options.
    pub(crate) fn report(&self, routed: &Routed<'_>, options: &Options, outcome: &Outcome) -> Report {
        let Selected { arch, network, plan, plan_name, layout } = self;
        let bound = &Bound::of(routed, options.uncontended);
        Report::new(&Run { arch, network, plan, plan_name, layout, options, outcome, bound })
    }
}

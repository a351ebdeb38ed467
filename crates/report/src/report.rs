//! The report of a run as a value: what JSON states, and what tables, pages and plots are made from.

use analysis::Bound;
use arch::Arch;
use chip::{Cause, Counts, Fidelity, Options, Outcome, Stalls};
use mapper::Layout;
use network::{Network, Plan};
use serde::{Serialize, Serializer};

use crate::energy::{GroupEnergy, StaticEnergy, energy, static_energy, total_pj};

/// Version of the JSON form of [`Report`]: raised when a key changes its meaning or goes away.
pub const SCHEMA: u32 = 2;

/// All that a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Machine.
    pub arch: &'a Arch,
    /// Network.
    pub network: &'a Network,
    /// Precision and crops.
    pub plan: &'a Plan,
    /// What the plan is called in the report.
    pub plan_name: &'a str,
    /// Where the network lies on the machine.
    pub layout: &'a Layout,
    /// How it was run.
    pub options: &'a Options,
    /// What happened.
    pub outcome: &'a Outcome,
}

/// The report of a run. Every figure is of the whole run, all images together, unless it says otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The program that made it.
    pub tool: Tool,
    /// Name of the machine.
    pub arch: String,
    /// Name of the network.
    pub network: String,
    /// Name of the plan.
    pub plan: String,
    /// Images, one after another.
    pub images: u32,
    /// How finely IMAs were simulated.
    #[serde(serialize_with = "fidelity")]
    pub fidelity: Fidelity,
    /// Whether every shared resource had unlimited capacity.
    pub uncontended: bool,
    /// Cycles from the start to the last result.
    pub cycles: u64,
    /// The same in ns.
    pub time_ns: f64,
    /// Cycles between the last results of the last two images; `None` for one image.
    pub interval_cycles: Option<u64>,
    /// Of every completion and its cycle: equal for equal behaviour. 16 hexadecimal digits in JSON.
    #[serde(serialize_with = "hexadecimal")]
    pub digest: u64,
    /// Multiply-accumulates of the windows that were computed.
    pub macs: u64,
    /// Throughput and efficiency.
    pub figures: Figures,
    /// What happened, over all layers.
    #[serde(serialize_with = "counts")]
    pub counts: Counts,
    /// Energy.
    pub energy_pj: Energy,
    /// Crossbars.
    pub crossbars: Crossbars,
    /// IMAs.
    pub imas: Imas,
    /// Chips with at least one IMA in use.
    pub chips: u32,
    /// IMA-cycles by cause, of the IMAs in use; they add up to these IMAs times the cycles of the run.
    #[serde(serialize_with = "stalls")]
    pub stalls: Stalls,
    /// What bounds the cycles for each image: it follows from the mapping and the plan alone.
    pub bound: Bound,
    /// What it took to choose the plan from the picture, before the run; `None` if no picture was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predictor: Option<Predictor>,
    /// One entry per layer of the network.
    pub layers: Vec<LayerReport>,
}

/// What choosing a plan from a picture costs; no other figure contains it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Predictor {
    /// Dynamic energy, pJ.
    pub energy_pj: f64,
    /// Time before the run, ns.
    pub latency_ns: f64,
}

/// A program.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Throughput and efficiency. An operation is a multiplication or an addition; energy is dynamic and static.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Cycles for each image in steady state: the mean of the later half of the intervals without the last sixth.
    /// `None` for one image.
    pub cycles_per_image: Option<f64>,
    /// Images per second in steady state. `None` for one image.
    pub images_per_second: Option<f64>,
    /// Energy over time, mW.
    pub average_power_mw: f64,
    /// Energy of a multiply-accumulate, pJ.
    pub pj_per_mac: f64,
    /// Operations per ns.
    pub gops: f64,
    /// Operations per nJ.
    pub gops_per_watt: f64,
}

/// Energy of a run, pJ.
#[derive(Clone, Debug, Serialize)]
pub struct Energy {
    /// Of what happened, by group.
    #[serde(serialize_with = "dynamic_by_group")]
    pub dynamic: Vec<GroupEnergy>,
    /// Of what draws power all the time, by group.
    #[serde(rename = "static", serialize_with = "static_by_group")]
    pub statics: Vec<StaticEnergy>,
    /// Sum over the groups of `dynamic`.
    pub dynamic_total: f64,
    /// Sum over the groups of `static`.
    pub static_total: f64,
}

/// Crossbars of a board.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Crossbars {
    /// For one copy of every layer.
    pub needed: u64,
    /// Holding weights: all copies of every layer.
    pub mapped: u64,
    /// On the board.
    pub available: u64,
}

/// IMAs of a board.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Imas {
    /// That belong to a layer.
    pub mapped: u64,
    /// On the board.
    pub available: u64,
}

/// What a run did for one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    /// Name of the layer.
    pub name: String,
    /// N_W: bits of a weight.
    pub weight_bits: u32,
    /// N_A: bits of an activation outside the plan's regions.
    pub activation_bits: u32,
    /// Windows that were computed.
    pub windows: u64,
    /// Windows that were cropped, and so not computed.
    pub windows_cropped: u64,
    /// Crossbars on top of each other in one copy.
    pub row_blocks: u32,
    /// Crossbars beside each other in one copy.
    pub col_blocks: u32,
    /// Crossbars of one copy.
    pub crossbars: u64,
    /// Copies.
    pub replicas: u64,
    /// Row blocks of one IMA.
    pub ima_rows: u32,
    /// Column blocks of one IMA.
    pub ima_cols: u32,
    /// IMAs of all copies.
    pub imas: u64,
    /// First cycle in which its inputs were fetched; `None` if all its windows are cropped.
    pub first_cycle: Option<u64>,
    /// Last cycle in which its results were written; `None` if none were.
    pub last_cycle: Option<u64>,
    /// Multiply-accumulates of the windows that were computed.
    pub macs: u64,
    /// What happened.
    #[serde(serialize_with = "counts")]
    pub counts: Counts,
    /// Dynamic energy by group, pJ.
    #[serde(serialize_with = "dynamic_by_group")]
    pub energy_pj: Vec<GroupEnergy>,
    /// IMA-cycles by cause.
    #[serde(serialize_with = "stalls")]
    pub stalls: Stalls,
}

impl Report {
    /// The report of `run`.
    pub fn new(run: &Run<'_>) -> Report {
        let Run { arch, outcome, .. } = *run;
        let layers: Vec<LayerReport> = (0..run.layout.layers.len()).map(|index| LayerReport::new(run, index)).collect();
        let sum = |figure: fn(&LayerReport) -> u64| layers.iter().map(figure).sum();
        let (counts, macs) = (outcome.counts(), sum(|layer| layer.macs));
        let time_ns = outcome.cycles as f64 * arch.cycle_ns;
        let energy_pj = Energy::new(energy(arch, &counts), static_energy(arch, outcome.chips, time_ns));
        Report {
            schema: SCHEMA,
            tool: Tool { name: "aquasim", version: env!("CARGO_PKG_VERSION") },
            arch: arch.name.clone(),
            network: run.network.name.clone(),
            plan: run.plan_name.to_owned(),
            images: run.options.images,
            fidelity: run.options.fidelity,
            uncontended: run.options.uncontended,
            cycles: outcome.cycles,
            time_ns,
            interval_cycles: outcome.interval_cycles(),
            digest: outcome.digest,
            macs,
            figures: Figures::new(macs, &energy_pj, time_ns, outcome.steady_interval_cycles(), arch.cycle_ns),
            counts,
            energy_pj,
            crossbars: Crossbars {
                needed: sum(|layer| layer.crossbars),
                mapped: sum(|layer| layer.crossbars * layer.replicas),
                available: arch.crossbars(),
            },
            imas: Imas { mapped: sum(|layer| layer.imas), available: arch.imas().into() },
            chips: outcome.chips,
            stalls: outcome.stalls(),
            bound: Bound::new(arch, run.layout, run.options.uncontended),
            predictor: None,
            layers,
        }
    }

    /// The report as JSON, for people and programs.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }
}

impl Figures {
    fn new(macs: u64, energy: &Energy, time_ns: f64, cycles_per_image: Option<f64>, cycle_ns: f64) -> Figures {
        let (macs, pj) = (macs as f64, energy.total());
        let operations = 2.0 * macs;
        Figures {
            cycles_per_image,
            images_per_second: cycles_per_image.map(|cycles| 1e9 / (cycles * cycle_ns)),
            // pJ / ns = mW.
            average_power_mw: pj / time_ns,
            pj_per_mac: pj / macs,
            gops: operations / time_ns,
            gops_per_watt: 1000.0 * operations / pj,
        }
    }
}

impl Energy {
    fn new(dynamic: Vec<GroupEnergy>, statics: Vec<StaticEnergy>) -> Energy {
        let dynamic_total = total_pj(&dynamic);
        let static_total = statics.iter().map(|group| group.pj).sum();
        Energy { dynamic, statics, dynamic_total, static_total }
    }

    /// Dynamic and static energy of all groups, pJ.
    pub fn total(&self) -> f64 {
        self.dynamic_total + self.static_total
    }
}

impl LayerReport {
    fn new(run: &Run<'_>, index: usize) -> LayerReport {
        let (laid, done) = (&run.layout.layers[index], &run.outcome.layers[index]);
        let (plan, geometry) = (&run.plan.layers[index], &laid.geometry);
        let images = u64::from(run.options.images);
        LayerReport {
            name: laid.layer.name.clone(),
            weight_bits: plan.weight_bits,
            activation_bits: plan.activation_bits,
            windows: done.counts.windows,
            windows_cropped: laid.layer.windows() * images - done.counts.windows,
            row_blocks: geometry.row_blocks,
            col_blocks: geometry.col_blocks,
            crossbars: geometry.crossbars(),
            replicas: laid.copies.len() as u64,
            ima_rows: geometry.ima_rows,
            ima_cols: geometry.ima_cols,
            imas: done.imas,
            first_cycle: done.first_cycle,
            last_cycle: done.last_cycle,
            macs: laid.macs() * images,
            energy_pj: energy(run.arch, &done.counts),
            counts: done.counts.clone(),
            stalls: done.stalls.clone(),
        }
    }

    /// Part of the cycles of its IMAs that went to `cause`, 0 to 1.
    pub fn share(&self, cause: Cause) -> f64 {
        self.stalls[cause] as f64 / self.stalls.total() as f64
    }
}

/// Name in machine-readable output.
pub fn fidelity_name(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Operation => "operation",
        Fidelity::Iteration => "iteration",
    }
}

fn fidelity<S: Serializer>(fidelity: &Fidelity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(fidelity_name(*fidelity))
}

fn hexadecimal<S: Serializer>(digest: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{digest:016x}"))
}

fn counts<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.entries())
}

fn stalls<S: Serializer>(stalls: &Stalls, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(Cause::ALL.map(|cause| (cause.name(), stalls[cause])))
}

fn dynamic_by_group<S: Serializer>(groups: &[GroupEnergy], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(groups.iter().map(|group| (group.name, group.pj())))
}

fn static_by_group<S: Serializer>(groups: &[StaticEnergy], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(groups.iter().map(|group| (group.name, group.pj)))
}

//! Report of a run as a value, and its JSON form.
//!
//! Field names are the keys of the JSON form. A key names its unit: `_pj`, `_ns`, `_mw`, `_cycles`. Totals of a run are
//! sums over its layers, and [`Figures`] follow from totals, pace and latency of the outcome.

use analysis::{Bound, Edges, GroupEnergy, StaticEnergy, energy, static_energy, total_pj};
use arch::{Arch, Counts};
use chip::{Cause, Fidelity, Options, Outcome, Stalls, Unsettled};
use index::{Index, count};
use mapper::Layout;
use network::{LayerId, Network, Plan};
use serde::{Serialize, Serializer};

/// Version of the JSON form of [`Report`]. It rises when a key changes its meaning or is removed.
pub const SCHEMA: u32 = 2;

/// Inputs and outcome of a run, from which a report is made.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Machine.
    pub arch: &'a Arch,
    /// Network.
    pub network: &'a Network,
    /// Precision and crops.
    pub plan: &'a Plan,
    /// Name of the plan in the report.
    pub plan_name: &'a str,
    /// Mapping of the network to the machine, laid out.
    pub layout: &'a Layout,
    /// Options of the run.
    pub options: &'a Options,
    /// Outcome of the simulation.
    pub outcome: &'a Outcome,
    /// Bound on its pace.
    pub bound: &'a Bound,
}

/// Report of a run. Quantities are those of the whole run, all images together, unless stated otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this form: [`SCHEMA`].
    pub schema: u32,
    /// Program that made the report.
    pub tool: Tool,
    /// Name of the machine.
    pub arch: String,
    /// Machine, by the keys of an arch file.
    pub machine: Arch,
    /// Name of the network.
    pub network: String,
    /// Name of the plan.
    pub plan: String,
    /// Number of images.
    pub images: u32,
    /// Fidelity of the simulation of IMAs.
    #[serde(serialize_with = "fidelity")]
    pub fidelity: Fidelity,
    /// True if every shared resource had unlimited capacity.
    pub uncontended: bool,
    /// Recurrence of the state, if not every image was simulated; null otherwise. No other figure depends on it.
    pub recurrence: Option<Recurrence>,
    /// Cycles from the start to the last result.
    pub cycles: u64,
    /// Time from the start to the last result, ns.
    pub time_ns: f64,
    /// Digest of all completions and their cycles, equal for equal behaviour. 16 hexadecimal digits in JSON.
    #[serde(serialize_with = "hexadecimal")]
    pub digest: u64,
    /// Multiply-accumulates of the windows that were computed.
    pub macs: u64,
    /// Multiply-accumulates of all windows, as if nothing were cropped.
    pub nominal_macs: u64,
    /// Latency, rate, energy and efficiency per image.
    pub figures: Figures,
    /// Counted actions of all layers.
    #[serde(serialize_with = "counts")]
    pub counts: Counts,
    /// Dynamic and static energy.
    pub energy_pj: Energy,
    /// Crossbars needed, mapped and available.
    pub crossbars: Crossbars,
    /// IMAs mapped and available.
    pub imas: Imas,
    /// Chips with at least one IMA in use.
    pub chips: u32,
    /// IMA-cycles of the mapped IMAs by stall cause. They add up to these IMAs times the cycles of the run.
    #[serde(serialize_with = "stalls")]
    pub stalls: Stalls,
    /// Bound on the cycles per image. It follows from the mapping and the plan alone.
    pub bound: Bound,
    /// Cost of choosing the plan from the image, before the run; `None` if the plan does not depend on an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predictor: Option<Predictor>,
    /// Report of each layer of the network.
    pub layers: Vec<LayerReport>,
}

/// Cost of choosing a plan from an image. No other figure contains it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Predictor {
    /// Dynamic energy, pJ.
    pub energy_pj: f64,
    /// Time before the run, ns.
    pub latency_ns: f64,
}

/// Recurrence of the state of the machine. Images in which it only recurs are counted and not simulated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Recurrence {
    /// Images that were complete when the state was one that recurs, for the first time.
    pub from_image: u32,
    /// Images from one recurrence to the next.
    pub period_images: u32,
    /// Cycles from one recurrence to the next.
    pub period_cycles: u64,
    /// Images that were simulated.
    pub images_simulated: u32,
}

/// Name and version of a program.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Name.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
}

impl Tool {
    /// This program.
    pub(crate) const THIS: Tool = Tool { name: "aquasim", version: env!("CARGO_PKG_VERSION") };
}

/// Figures per image. An operation in GOPS is a multiplication or an addition. Rates, and all figures that follow from
/// them, exist for a settled run only (see [`chip::Outcome::pace`]) and are `None` otherwise.
///
/// `computed` figures refer to the multiply-accumulates that were computed, `nominal` ones to those of the network
/// without crops. A crop that saves energy lowers the nominal energy per multiply-accumulate and raises the nominal
/// rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// True if the intervals between images have stopped drifting, so that the run has a pace.
    pub settled: bool,
    /// Reason why the run is not settled.
    pub unsettled_because: Option<String>,
    /// Estimated number of images with which the run would settle.
    pub images_needed: Option<u64>,
    /// Mean cycles from one image's last result to the next image's.
    pub cycles_per_image: Option<f64>,
    /// Twice the standard error of `cycles_per_image`.
    pub cycles_per_image_error: Option<f64>,
    /// Images per second.
    pub images_per_second: Option<f64>,
    /// Cycles from the fetch of the first image's first inputs to its last result. In a run of one image it is the
    /// latency of an image alone on the machine; in others later images may hold the first one up.
    pub first_latency_cycles: Option<u64>,
    /// Mean latency under load: that of the images that count in a settled run. Also `None` if the latency still grows
    /// as buffers fill.
    pub loaded_latency_cycles: Option<f64>,
    /// Longest latency under load.
    pub longest_loaded_latency_cycles: Option<u64>,
    /// Energy over time of the whole run, mW; `None` for a run of 0 cycles.
    pub average_power_mw: Option<f64>,
    /// Dynamic energy per image, pJ.
    pub dynamic_pj_per_image: f64,
    /// Static energy per image, pJ: over the interval from one image to the next.
    pub static_pj_per_image: Option<f64>,
    /// Dynamic energy per computed multiply-accumulate, pJ.
    pub dynamic_pj_per_mac_computed: Option<f64>,
    /// Dynamic energy per nominal multiply-accumulate, pJ.
    pub dynamic_pj_per_mac_nominal: Option<f64>,
    /// Dynamic and static energy per computed multiply-accumulate, pJ.
    pub pj_per_mac_computed: Option<f64>,
    /// Dynamic and static energy per nominal multiply-accumulate, pJ.
    pub pj_per_mac_nominal: Option<f64>,
    /// Computed operations per ns.
    pub gops_computed: Option<f64>,
    /// Nominal operations per ns.
    pub gops_nominal: Option<f64>,
    /// Computed operations per nJ.
    pub gops_per_watt_computed: Option<f64>,
    /// Nominal operations per nJ.
    pub gops_per_watt_nominal: Option<f64>,
}

/// Energy of a run, pJ.
#[derive(Clone, Debug, Serialize)]
pub struct Energy {
    /// Dynamic energy by group.
    #[serde(serialize_with = "dynamic_by_group")]
    pub dynamic: Vec<GroupEnergy>,
    /// Static energy by group.
    #[serde(rename = "static", serialize_with = "static_by_group")]
    pub statics: Vec<StaticEnergy>,
    /// Sum of `dynamic` over its groups.
    pub dynamic_total: f64,
    /// Sum of `static` over its groups.
    pub static_total: f64,
}

/// Crossbars of a board, by use.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Crossbars {
    /// Crossbars of one replica of every layer.
    pub needed: u64,
    /// Crossbars that hold weights: all replicas of every layer.
    pub mapped: u64,
    /// Crossbars on the board.
    pub available: u64,
}

/// IMAs of a board, by use.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Imas {
    /// IMAs that belong to a layer.
    pub mapped: u64,
    /// IMAs on the board.
    pub available: u64,
}

/// Report of one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    /// Name of the layer.
    pub name: String,
    /// N_W: bits of a weight.
    pub weight_bits: u32,
    /// N_A: bits of an activation outside the plan's regions.
    pub activation_bits: u32,
    /// Windows computed.
    pub windows: u64,
    /// Windows cropped, and therefore not computed.
    pub windows_cropped: u64,
    /// Row blocks of one replica: crossbars along the rows of the weight matrix, or of one pack of groups.
    pub row_blocks: u32,
    /// Column blocks of one replica: crossbars along the columns of the weight matrix, pack by pack.
    pub col_blocks: u32,
    /// Crossbars of one replica.
    pub crossbars: u64,
    /// Number of replicas.
    pub replicas: u64,
    /// Row blocks of one IMA.
    pub ima_rows: u32,
    /// Column blocks of one IMA.
    pub ima_cols: u32,
    /// IMAs of all replicas.
    pub imas: u64,
    /// First cycle in which inputs were fetched; `None` if all windows are cropped.
    pub first_cycle: Option<u64>,
    /// Last cycle in which results were written; `None` if none were, because no window was computed or no layer reads
    /// them.
    pub last_cycle: Option<u64>,
    /// Multiply-accumulates of the windows that were computed.
    pub macs: u64,
    /// Multiply-accumulates of all windows, as if nothing were cropped.
    pub nominal_macs: u64,
    /// Counted actions.
    #[serde(serialize_with = "counts")]
    pub counts: Counts,
    /// Dynamic energy by group, pJ.
    #[serde(serialize_with = "dynamic_by_group")]
    pub energy_pj: Vec<GroupEnergy>,
    /// IMA-cycles by stall cause.
    #[serde(serialize_with = "stalls")]
    pub stalls: Stalls,
    /// Edges to other layers; `None` if they are those of a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edges: Option<Edges>,
}

impl Report {
    /// Makes the report of `run`.
    pub fn new(run: &Run<'_>) -> Report {
        let Run { arch, layout, outcome, .. } = *run;
        let layers: Vec<LayerReport> = layout.layers.indices().map(|id| LayerReport::new(run, id)).collect();
        let sum = |figure: fn(&LayerReport) -> u64| layers.iter().map(figure).sum();
        let (counts, macs, nominal_macs) = (outcome.counts(), sum(|layer| layer.macs), sum(|layer| layer.nominal_macs));
        let time_ns = outcome.cycles as f64 * arch.cycle_ns;
        let energy_pj = Energy::new(energy(arch, &counts), static_energy(arch, outcome.chips, time_ns));
        Report {
            schema: SCHEMA,
            tool: Tool::THIS,
            arch: arch.name.clone(),
            machine: arch.clone(),
            network: run.network.name.clone(),
            plan: run.plan_name.to_owned(),
            images: run.options.images,
            fidelity: run.options.fidelity,
            uncontended: run.options.uncontended,
            recurrence: outcome.recurrence.map(Recurrence::from),
            cycles: outcome.cycles,
            time_ns,
            digest: outcome.digest,
            macs,
            nominal_macs,
            figures: Figures::new(run, [macs, nominal_macs], &energy_pj),
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
            bound: run.bound.clone(),
            predictor: None,
            layers,
        }
    }

    /// Returns the report as indented JSON, with a final line feed.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }
}

impl From<chip::Recurrence> for Recurrence {
    fn from(chip::Recurrence { from, images, cycles, simulated }: chip::Recurrence) -> Self {
        Self { from_image: from, period_images: images, period_cycles: cycles, images_simulated: simulated }
    }
}

impl Figures {
    /// Works out the figures of `run`. `macs` are its computed and its nominal MACs.
    fn new(run: &Run<'_>, macs: [u64; 2], energy: &Energy) -> Figures {
        let (outcome, cycle_ns) = (run.outcome, run.arch.cycle_ns);
        let images = f64::from(run.options.images);
        let pace = outcome.pace(run.bound.cycles);
        let unsettled = pace.as_ref().err();
        let (unsettled_because, images_needed) =
            (unsettled.map(ToString::to_string), unsettled.and_then(Unsettled::images_needed));
        let pace = pace.ok();
        let latency = pace.as_ref().and_then(|pace| pace.latency);
        let interval_ns = pace.as_ref().map(|pace| pace.cycles_per_image * cycle_ns);
        let dynamic_pj = energy.dynamic_total / images;
        let static_pj = interval_ns.map(|ns| static_energy(run.arch, outcome.chips, ns).iter().map(|of| of.pj).sum());
        let pj = static_pj.map(|static_pj: f64| dynamic_pj + static_pj);
        // A network that is cropped as a whole has no MACs to which a figure could refer.
        let [computed, nominal] = macs.map(|macs| (macs > 0).then_some(macs as f64 / images));
        let quotient = |numerator: Option<f64>, denominator: Option<f64>| Some(numerator? / denominator?);
        let operations = |macs: Option<f64>| macs.map(|macs| 2.0 * macs);
        // Operations per pJ are 1000 per nJ.
        let per_watt = |macs| quotient(operations(macs), pj).map(|per_pj| 1000.0 * per_pj);
        Figures {
            settled: pace.is_some(),
            unsettled_because,
            images_needed,
            cycles_per_image: pace.as_ref().map(|pace| pace.cycles_per_image),
            cycles_per_image_error: pace.as_ref().map(|pace| pace.error),
            images_per_second: interval_ns.map(|ns| 1e9 / ns),
            first_latency_cycles: outcome.latency_of(0),
            loaded_latency_cycles: latency.map(|latency| latency.mean),
            longest_loaded_latency_cycles: latency.map(|latency| latency.longest),
            // pJ / ns = mW.
            average_power_mw: (outcome.cycles > 0).then(|| energy.total() / (outcome.cycles as f64 * cycle_ns)),
            dynamic_pj_per_image: dynamic_pj,
            static_pj_per_image: static_pj,
            dynamic_pj_per_mac_computed: computed.map(|macs| dynamic_pj / macs),
            dynamic_pj_per_mac_nominal: nominal.map(|macs| dynamic_pj / macs),
            pj_per_mac_computed: quotient(pj, computed),
            pj_per_mac_nominal: quotient(pj, nominal),
            gops_computed: quotient(operations(computed), interval_ns),
            gops_nominal: quotient(operations(nominal), interval_ns),
            gops_per_watt_computed: per_watt(computed),
            gops_per_watt_nominal: per_watt(nominal),
        }
    }
}

impl Energy {
    fn new(dynamic: Vec<GroupEnergy>, statics: Vec<StaticEnergy>) -> Energy {
        let dynamic_total = total_pj(&dynamic);
        let static_total = statics.iter().map(|group| group.pj).sum();
        Energy { dynamic, statics, dynamic_total, static_total }
    }

    /// Returns the dynamic and static energy of all groups, pJ.
    fn total(&self) -> f64 {
        self.dynamic_total + self.static_total
    }
}

impl LayerReport {
    fn new(run: &Run<'_>, id: LayerId) -> LayerReport {
        let (laid, done) = (&run.layout.layers[id], &run.outcome.layers[id.index()]);
        let (plan, geometry) = (&run.plan.layers[id], &laid.geometry);
        let images = u64::from(run.options.images);
        let edges = Edges::of(run.layout, id);
        let of_chain = Edges::of_chain(id.index(), run.layout.layers.len());
        LayerReport {
            name: laid.layer.name.clone(),
            weight_bits: plan.weight_bits,
            activation_bits: plan.activation_bits,
            windows: done.counts.windows,
            windows_cropped: laid.layer.windows() * images - done.counts.windows,
            row_blocks: geometry.row_blocks,
            col_blocks: geometry.col_blocks,
            crossbars: geometry.crossbars(),
            replicas: count(laid.replicas.len()),
            ima_rows: geometry.ima_rows,
            ima_cols: geometry.ima_cols,
            imas: done.imas,
            first_cycle: done.first_cycle,
            last_cycle: done.last_cycle,
            macs: laid.macs() * images,
            nominal_macs: laid.layer.windows() * laid.layer.macs_per_window() * images,
            energy_pj: energy(run.arch, &done.counts),
            counts: done.counts.clone(),
            stalls: done.stalls.clone(),
            edges: (edges != of_chain).then_some(edges),
        }
    }

    /// Returns the fraction of the layer's IMA-cycles that went to `cause`, 0 to 1.
    pub(crate) fn share(&self, cause: Cause) -> f64 {
        self.stalls[cause] as f64 / self.stalls.total() as f64
    }
}

/// Returns the name of a fidelity in machine-readable output.
pub fn fidelity_name(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Operation => "operation",
        Fidelity::Iteration => "iteration",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn fidelity<S: Serializer>(fidelity: &Fidelity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(fidelity_name(*fidelity))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
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

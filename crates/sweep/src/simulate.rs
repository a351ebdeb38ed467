//! Simulation of one point: from its values to the rows of the tables.
//!
//! The columns stand in the order of the cells that `derived_cells`, `simulated_cells` and `layer_cells` return. Errors
//! and panics of a point are caught and become its outcome.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arch::Arch;
use chip::{Cause, Options};
use document::Faults;
use mapper::MappingError;
use network::{Edges, FULL_PRECISION_BITS, Network, Plan, parse_activations, parse_weights};
use report::{LayerReport, Report};

use crate::cell::Kind;
use crate::spec::to_toml;
use crate::{Cell, Outcome, Sweep};

/// Columns of a point: figures derived from its machine, then results of the simulation.
pub(crate) const POINT_COLUMNS: [(&str, Kind); 50] = [
    ("arch_name", Kind::Text),
    ("peak_gops", Kind::Real),
    ("peak_gops_per_watt", Kind::Real),
    ("peak_gops_per_mm2", Kind::Real),
    ("mb_per_mm2", Kind::Real),
    ("chip_power_mw", Kind::Real),
    ("chip_area_mm2", Kind::Real),
    ("adc_power_share", Kind::Real),
    ("adc_area_share", Kind::Real),
    (WARNINGS, Kind::Text),
    ("network_name", Kind::Text),
    ("images_simulated", Kind::Integer),
    ("cycles", Kind::Integer),
    ("time_ns", Kind::Real),
    ("first_latency_cycles", Kind::Integer),
    ("loaded_latency_cycles", Kind::Real),
    ("longest_loaded_latency_cycles", Kind::Integer),
    ("settled", Kind::Boolean),
    ("images_needed", Kind::Integer),
    ("cycles_per_image", Kind::Real),
    ("cycles_per_image_error", Kind::Real),
    ("images_per_second", Kind::Real),
    ("digest", Kind::Text),
    ("macs", Kind::Integer),
    ("nominal_macs", Kind::Integer),
    ("adc_conversions", Kind::Integer),
    ("dynamic_energy_pj", Kind::Real),
    ("static_energy_pj", Kind::Real),
    ("average_power_mw", Kind::Real),
    ("dynamic_pj_per_image", Kind::Real),
    ("static_pj_per_image", Kind::Real),
    ("dynamic_pj_per_mac_computed", Kind::Real),
    ("dynamic_pj_per_mac_nominal", Kind::Real),
    ("pj_per_mac_computed", Kind::Real),
    ("pj_per_mac_nominal", Kind::Real),
    ("gops_computed", Kind::Real),
    ("gops_nominal", Kind::Real),
    ("gops_per_watt_computed", Kind::Real),
    ("gops_per_watt_nominal", Kind::Real),
    ("chips", Kind::Integer),
    ("crossbars_needed", Kind::Integer),
    ("crossbars_mapped", Kind::Integer),
    ("crossbars_available", Kind::Integer),
    ("imas_mapped", Kind::Integer),
    ("imas_available", Kind::Integer),
    ("computing_ima_cycles", Kind::Integer),
    ("waiting_ima_cycles", Kind::Integer),
    ("main_wait", Kind::Text),
    ("bound_cycles", Kind::Real),
    ("bound_resource", Kind::Text),
];

/// Column of the warnings that `aquasim run` would print.
const WARNINGS: &str = "warnings";

/// Returns the warnings in the row of a point with these `cells`.
pub(crate) fn warnings(cells: &[Cell]) -> Option<String> {
    let place = POINT_COLUMNS.iter().position(|(name, _)| *name == WARNINGS)?;
    cells.get(place).filter(|cell| !cell.is_empty()).map(ToString::to_string)
}

/// Columns of a component group.
pub(crate) const COMPONENT_COLUMNS: [(&str, Kind); 6] = [
    ("component", Kind::Text),
    ("counted", Kind::Text),
    ("count", Kind::Integer),
    ("pj_each", Kind::Real),
    ("dynamic_energy_pj", Kind::Real),
    ("static_energy_pj", Kind::Real),
];

/// Columns of a layer.
pub(crate) const LAYER_COLUMNS: [(&str, Kind); 30] = [
    ("layer", Kind::Text),
    ("weight_bits", Kind::Integer),
    ("activation_bits", Kind::Integer),
    ("windows", Kind::Integer),
    ("windows_cropped", Kind::Integer),
    ("row_blocks", Kind::Integer),
    ("col_blocks", Kind::Integer),
    ("crossbars", Kind::Integer),
    ("replicas", Kind::Integer),
    ("ima_rows", Kind::Integer),
    ("ima_cols", Kind::Integer),
    ("imas", Kind::Integer),
    ("first_cycle", Kind::Integer),
    ("last_cycle", Kind::Integer),
    ("macs", Kind::Integer),
    ("nominal_macs", Kind::Integer),
    ("adc_conversions", Kind::Integer),
    ("dynamic_energy_pj", Kind::Real),
    ("computing", Kind::Integer),
    ("input", Kind::Integer),
    ("bus", Kind::Integer),
    ("ima_output_register", Kind::Integer),
    ("lockstep", Kind::Integer),
    ("output_register", Kind::Integer),
    ("downstream_buffer", Kind::Integer),
    ("max_pool", Kind::Integer),
    ("router", Kind::Integer),
    ("link", Kind::Integer),
    ("filling", Kind::Integer),
    ("finished", Kind::Integer),
];

/// Simulates `point`. Any failure, a panic included, concerns this point alone.
pub fn simulate(sweep: &Sweep, point: u64) -> Outcome {
    let point = Point::new(sweep, point);
    match catch_unwind(AssertUnwindSafe(|| point.run())) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(panic) => Outcome::Failed(format!("internal error: {}", panic_message(&*panic))),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Values of one point.
struct Point<'a> {
    sweep: &'a Sweep,
    indices: Vec<usize>,
}

impl<'a> Point<'a> {
    fn new(sweep: &'a Sweep, point: u64) -> Point<'a> {
        Point { sweep, indices: sweep.grid.indices(point) }
    }

    /// Returns the index and the value of the point on the axis `key`; `None` if the sweep has no such axis.
    fn value(&self, key: &str) -> Option<(usize, &'a Cell)> {
        let axes = self.sweep.grid.axes.iter().zip(&self.indices);
        axes.into_iter().find(|(axis, _)| axis.key == key).map(|(axis, &index)| (index, &axis.values[index]))
    }

    fn arch(&self) -> Result<Arch, Faults> {
        let (index, _) = self.value("arch.file").expect("every sweep has machines");
        let (text, file) = &self.sweep.archs[index];
        let axes = self.sweep.grid.axes.iter().zip(&self.indices);
        let overrides = axes.filter_map(|(axis, &index)| {
            let key = axis.key.strip_prefix("arch.").filter(|key| *key != "file")?;
            Some((key, to_toml(&axis.values[index])?))
        });
        arch::with_overrides(text, file, &overrides.collect::<Vec<_>>())
    }

    fn plan(&self, network: &Network) -> Result<Plan, Faults> {
        if let Some((index, _)) = self.value("plan") {
            let (text, file) = &self.sweep.plans[index];
            return Plan::parse(text, file, network);
        }
        let text = |key| self.value(key).expect("without plans there are weights, activations and crops").1.to_string();
        let edges: Edges = text("crop").parse()?;
        Plan::uniform(network, FULL_PRECISION_BITS, FULL_PRECISION_BITS)
            .with_weights(&parse_weights(&text("weights"), network)?)
            .with_activations(&parse_activations(&text("activations"), network)?)
            .crop(network, edges)
    }

    fn run(&self) -> Result<Outcome, String> {
        let arch = self.arch().map_err(|faults| messages(&faults))?;
        if !self.sweep.grid.simulated {
            let mut point = derived_cells(&arch);
            point.resize(POINT_COLUMNS.len(), Cell::Empty);
            return Ok(Outcome::Done { point, components: Vec::new(), layers: Vec::new() });
        }
        let (index, _) = self.value("network").expect("every sweep has networks");
        let network = &self.sweep.networks[index];
        let plan = self.plan(network).map_err(|faults| messages(&faults))?;
        let rebalance = matches!(self.value("rebalance"), Some((_, Cell::Boolean(true))));
        let balance = if rebalance { mapper::balance_cropped } else { mapper::balance };
        let layout = balance(&arch, network, &plan).map_err(|errors: Vec<MappingError>| {
            errors.iter().map(|error| format!("{error}; {}", error.remedy())).collect::<Vec<_>>().join("; ")
        })?;
        let options = Options { images: chip::FIRST_IMAGES, ..Options::default() };
        let ran = match self.value("images") {
            Some((_, Cell::Integer(images))) => {
                let images = u32::try_from(*images).expect("checked with the file");
                let options = Options { images, ..options };
                chip::run(&arch, &layout, &options).map(|outcome| (options, outcome))
            }
            _ => chip::run_until_settled(&arch, &layout, &options),
        };
        let (options, outcome) = ran.map_err(|error| error.to_string())?;
        let report = Report::new(&report::Run {
            arch: &arch,
            network,
            plan: &plan,
            plan_name: "",
            layout: &layout,
            options: &options,
            outcome: &outcome,
        });
        let mut point = derived_cells(&arch);
        point.extend(simulated_cells(&report));
        let components = report.energy_pj.dynamic.iter().map(|group| {
            let statics = report.energy_pj.statics.iter().find(|other| other.name == group.name);
            vec![
                group.name.into(),
                group.action.into(),
                group.actions.into(),
                group.pj_per_action.into(),
                group.pj().into(),
                statics.map(|group| group.pj).into(),
            ]
        });
        let layers = report.layers.iter().map(layer_cells).collect();
        Ok(Outcome::Done { point, components: components.collect(), layers })
    }
}

/// Joins faults to one line, for a cell of a table.
fn messages(faults: &Faults) -> String {
    faults.iter().map(|fault| format!("{}; {}", fault.message(), fault.remedy())).collect::<Vec<_>>().join("; ")
}

fn derived_cells(arch: &Arch) -> Vec<Cell> {
    let derived = arch::derived::derived(arch);
    vec![
        arch.name.as_str().into(),
        derived.peak_gops.into(),
        derived.gops_per_watt.into(),
        derived.gops_per_mm2.into(),
        derived.mb_per_mm2.into(),
        derived.chip.power_mw.into(),
        derived.chip.area_mm2.into(),
        derived.adc_power_share.into(),
        derived.adc_area_share.into(),
        Some(arch::warnings(arch).join("; ")).filter(|warnings| !warnings.is_empty()).into(),
    ]
}

fn simulated_cells(report: &Report) -> Vec<Cell> {
    let figures = &report.figures;
    let computing = report.stalls[Cause::Computing];
    let waiting: u64 = Cause::ALL.into_iter().filter(|cause| cause.is_wait()).map(|cause| report.stalls[cause]).sum();
    vec![
        report.network.as_str().into(),
        report.images.into(),
        report.cycles.into(),
        report.time_ns.into(),
        figures.first_latency_cycles.into(),
        figures.loaded_latency_cycles.into(),
        figures.longest_loaded_latency_cycles.into(),
        figures.settled.into(),
        figures.images_needed.into(),
        figures.cycles_per_image.into(),
        figures.cycles_per_image_error.into(),
        figures.images_per_second.into(),
        format!("{:016x}", report.digest).into(),
        report.macs.into(),
        report.nominal_macs.into(),
        report.counts.adc_conversions.into(),
        report.energy_pj.dynamic_total.into(),
        report.energy_pj.static_total.into(),
        figures.average_power_mw.into(),
        figures.dynamic_pj_per_image.into(),
        figures.static_pj_per_image.into(),
        figures.dynamic_pj_per_mac_computed.into(),
        figures.dynamic_pj_per_mac_nominal.into(),
        figures.pj_per_mac_computed.into(),
        figures.pj_per_mac_nominal.into(),
        figures.gops_computed.into(),
        figures.gops_nominal.into(),
        figures.gops_per_watt_computed.into(),
        figures.gops_per_watt_nominal.into(),
        report.chips.into(),
        report.crossbars.needed.into(),
        report.crossbars.mapped.into(),
        report.crossbars.available.into(),
        report.imas.mapped.into(),
        report.imas.available.into(),
        computing.into(),
        waiting.into(),
        report.stalls.main_wait().map(Cause::name).into(),
        report.bound.cycles.into(),
        report.bound.resources.first().map(|first| first.name.as_str()).into(),
    ]
}

fn layer_cells(layer: &LayerReport) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![
        layer.name.as_str().into(),
        layer.weight_bits.into(),
        layer.activation_bits.into(),
        layer.windows.into(),
        layer.windows_cropped.into(),
        layer.row_blocks.into(),
        layer.col_blocks.into(),
        layer.crossbars.into(),
        layer.replicas.into(),
        layer.ima_rows.into(),
        layer.ima_cols.into(),
        layer.imas.into(),
        layer.first_cycle.into(),
        layer.last_cycle.into(),
        layer.macs.into(),
        layer.nominal_macs.into(),
        layer.counts.adc_conversions.into(),
        analysis::total_pj(&layer.energy_pj).into(),
    ];
    cells.extend(Cause::ALL.map(|cause| Cell::from(layer.stalls[cause])));
    cells
}

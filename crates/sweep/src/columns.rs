//! Columns of a point: figures derived from its machine, then results of the simulation.

use arch::Arch;
use arch::derived::{Derived, derived};
use chip::Cause;
use report::columns::{Column, layers, stalls};
use report::{Cell, Kind, LayerReport, Report};

/// Column of the warnings that `aquasim run` would print.
const WARNINGS: &str = "warnings";

/// Machine of a point with its derived figures.
pub(crate) struct Machine<'a> {
    arch: &'a Arch,
    derived: Derived,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(arch: &'a Arch) -> Machine<'a> {
        Machine { arch, derived: derived(arch) }
    }
}

/// Returns the columns that follow from the machine of a point.
pub(crate) fn derived_columns<'a>() -> Vec<Column<Machine<'a>>> {
    type Of<'a> = Column<Machine<'a>>;
    vec![
        Of::new("arch_name", Kind::Text, |machine| machine.arch.name.as_str().into()),
        Of::new("peak_gops", Kind::Real, |machine| machine.derived.peak_gops.into()),
        Of::new("peak_gops_per_watt", Kind::Real, |machine| machine.derived.gops_per_watt.into()),
        Of::new("peak_gops_per_mm2", Kind::Real, |machine| machine.derived.gops_per_mm2.into()),
        Of::new("mb_per_mm2", Kind::Real, |machine| machine.derived.mb_per_mm2.into()),
        Of::new("chip_power_mw", Kind::Real, |machine| machine.derived.chip.power_mw.into()),
        Of::new("chip_area_mm2", Kind::Real, |machine| machine.derived.chip.area_mm2.into()),
        Of::new("adc_power_share", Kind::Real, |machine| machine.derived.adc_power_share.into()),
        Of::new("adc_area_share", Kind::Real, |machine| machine.derived.adc_area_share.into()),
        Of::new(WARNINGS, Kind::Text, |machine| {
            Some(arch::warnings(machine.arch).join("; ")).filter(|warnings| !warnings.is_empty()).into()
        }),
    ]
}

/// Returns the columns that follow from the simulation of a point.
pub(crate) fn simulated_columns() -> Vec<Column<Report>> {
    type Of = Column<Report>;
    vec![
        Of::new("network_name", Kind::Text, |report| report.network.as_str().into()),
        Of::new("images_run", Kind::Integer, |report| report.images.into()),
        Of::new("cycles", Kind::Integer, |report| report.cycles.into()),
        Of::new("time_ns", Kind::Real, |report| report.time_ns.into()),
        Of::new("first_latency_cycles", Kind::Integer, |report| report.figures.first_latency_cycles.into()),
        Of::new("loaded_latency_cycles", Kind::Real, |report| report.figures.loaded_latency_cycles.into()),
        Of::new("longest_loaded_latency_cycles", Kind::Integer, |report| {
            report.figures.longest_loaded_latency_cycles.into()
        }),
        Of::new("settled", Kind::Boolean, |report| report.figures.settled.into()),
        Of::new("images_needed", Kind::Integer, |report| report.figures.images_needed.into()),
        Of::new("cycles_per_image", Kind::Real, |report| report.figures.cycles_per_image.into()),
        Of::new("cycles_per_image_error", Kind::Real, |report| report.figures.cycles_per_image_error.into()),
        Of::new("images_per_second", Kind::Real, |report| report.figures.images_per_second.into()),
        Of::new("digest", Kind::Text, |report| format!("{:016x}", report.digest).into()),
        Of::new("macs", Kind::Integer, |report| report.macs.into()),
        Of::new("nominal_macs", Kind::Integer, |report| report.nominal_macs.into()),
        Of::new("adc_conversions", Kind::Integer, |report| report.counts.adc_conversions.into()),
        Of::new("dynamic_energy_pj", Kind::Real, |report| report.energy_pj.dynamic_total.into()),
        Of::new("static_energy_pj", Kind::Real, |report| report.energy_pj.static_total.into()),
        Of::new("average_power_mw", Kind::Real, |report| report.figures.average_power_mw.into()),
        Of::new("dynamic_pj_per_image", Kind::Real, |report| report.figures.dynamic_pj_per_image.into()),
        Of::new("static_pj_per_image", Kind::Real, |report| report.figures.static_pj_per_image.into()),
        Of::new("dynamic_pj_per_mac_computed", Kind::Real, |report| report.figures.dynamic_pj_per_mac_computed.into()),
        Of::new("dynamic_pj_per_mac_nominal", Kind::Real, |report| report.figures.dynamic_pj_per_mac_nominal.into()),
        Of::new("pj_per_mac_computed", Kind::Real, |report| report.figures.pj_per_mac_computed.into()),
        Of::new("pj_per_mac_nominal", Kind::Real, |report| report.figures.pj_per_mac_nominal.into()),
        Of::new("gops_computed", Kind::Real, |report| report.figures.gops_computed.into()),
        Of::new("gops_nominal", Kind::Real, |report| report.figures.gops_nominal.into()),
        Of::new("gops_per_watt_computed", Kind::Real, |report| report.figures.gops_per_watt_computed.into()),
        Of::new("gops_per_watt_nominal", Kind::Real, |report| report.figures.gops_per_watt_nominal.into()),
        Of::new("chips", Kind::Integer, |report| report.chips.into()),
        Of::new("crossbars_needed", Kind::Integer, |report| report.crossbars.needed.into()),
        Of::new("crossbars_mapped", Kind::Integer, |report| report.crossbars.mapped.into()),
        Of::new("crossbars_available", Kind::Integer, |report| report.crossbars.available.into()),
        Of::new("imas_mapped", Kind::Integer, |report| report.imas.mapped.into()),
        Of::new("imas_available", Kind::Integer, |report| report.imas.available.into()),
        Of::new("computing_ima_cycles", Kind::Integer, |report| report.stalls[Cause::Computing].into()),
        Of::new("waiting_ima_cycles", Kind::Integer, |report| waiting(report).into()),
        Of::new("main_wait", Kind::Text, |report| report.stalls.main_wait().map(Cause::name).into()),
        Of::new("bound_cycles", Kind::Real, |report| report.bound.cycles.into()),
        Of::new("bound_resource", Kind::Text, |report| {
            report.bound.resources.first().map(|first| first.name.as_str()).into()
        }),
    ]
}

/// Returns the columns of a layer: those of the tables of a run, with the IMA-cycles by stall cause.
pub(crate) fn layer_columns() -> Vec<Column<LayerReport>> {
    layers().into_iter().chain(stalls()).collect()
}

/// Returns the cells of `row` in `columns`.
pub(crate) fn cells<Row>(columns: &[Column<Row>], row: &Row) -> Vec<Cell> {
    columns.iter().map(|column| column.cell(row)).collect()
}

/// Returns the warnings in the row of a point with these `cells`.
pub(crate) fn warnings(cells: &[Cell]) -> Option<String> {
    let place = derived_columns().iter().position(|column| column.name == WARNINGS)?;
    cells.get(place).filter(|cell| !cell.is_empty()).map(ToString::to_string)
}

fn waiting(report: &Report) -> u64 {
    Cause::ALL.into_iter().filter(|cause| cause.is_wait()).map(|cause| report.stalls[cause]).sum()
}

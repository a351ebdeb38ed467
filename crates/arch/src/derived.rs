//! Figures that follow from a machine: power at rated load, area, peak throughput and storage.
//!
//! The rated load of a group is what keeps it busy in every cycle (MODEL section 6). At that load ISAAC-CE draws the powers of
//! ISAAC's Table I.

use serde::Serialize;

use crate::Arch;
use crate::check::FULL_PRECISION_BITS;

/// What contains a group; its figures are of the group in one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One IMA.
    Ima,
    /// One tile.
    Tile,
    /// One router, which several tiles share.
    Router,
    /// One chip.
    Chip,
}

/// A group of equal units: a row of ISAAC's Table I.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Name, as in energy reports.
    pub name: &'static str,
    /// What the figures are of.
    pub scope: Scope,
    /// Units in one scope.
    pub units: u64,
    /// Power of the group in one scope at rated load, mW.
    pub power_mw: f64,
    /// Area of the group in one scope, mm2.
    pub area_mm2: f64,
}

/// Power and area of something as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Total {
    /// At rated load, mW.
    pub power_mw: f64,
    /// mm2.
    pub area_mm2: f64,
}

/// What follows from a machine. Figures of throughput count a multiplication and an addition as two operations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Derived {
    /// Groups in the order of ISAAC's Table I.
    pub groups: Vec<Group>,
    /// One tile with its share of a router.
    pub tile: Total,
    /// One chip.
    pub chip: Total,
    /// ADCs' part of a tile's power, 0 to 1.
    pub adc_power_share: f64,
    /// ADCs' part of a tile's area, 0 to 1.
    pub adc_area_share: f64,
    /// Operations per ns of one chip, weights and activations of 16 bits.
    pub peak_gops: f64,
    /// Power efficiency (ISAAC's PE), GOPS/W.
    pub gops_per_watt: f64,
    /// Computational efficiency (ISAAC's CE), GOPS/mm2.
    pub gops_per_mm2: f64,
    /// Storage efficiency (ISAAC's SE): weights on a chip, in units of 2^20 bytes per mm2.
    pub mb_per_mm2: f64,
}

/// Energy or area of an ADC of `bits` bits relative to one of 8: ISAAC's rule, a linear part and an exponential one.
pub fn adc_scale(bits: u32) -> f64 {
    let energy = |bits: u32| 0.19543 * f64::from(bits) + 0.000414 * f64::from(bits).exp2();
    energy(bits) / energy(8)
}

/// The figures that follow from `arch`.
pub fn derived(arch: &Arch) -> Derived {
    let groups = groups(arch);
    let tile = total(&groups, |scope| scopes_per_tile(arch, scope));
    let chip = total(&groups, |scope| scopes_per_chip(arch, scope));
    let adcs: Vec<Group> = groups
        .iter()
        .filter(|group| group.name == "adc")
        .cloned()
        .collect();
    let adcs = total(&adcs, |scope| scopes_per_tile(arch, scope));

    let crossbars = f64::from(arch.tiles_per_chip() * arch.tile.imas * arch.ima.crossbars);
    let cells = crossbars * f64::from(arch.crossbar.rows) * f64::from(arch.crossbar.columns);
    let weights = cells / f64::from(arch.columns_per_weight(FULL_PRECISION_BITS));
    let peak_gops = 2.0 * weights / (cycles_per_operation(arch) * arch.cycle_ns);
    let megabytes = cells * f64::from(arch.crossbar.cell_bits) / 8.0 / f64::from(1 << 20);
    Derived {
        tile,
        chip,
        adc_power_share: adcs.power_mw / tile.power_mw,
        adc_area_share: adcs.area_mm2 / tile.area_mm2,
        peak_gops,
        gops_per_watt: peak_gops / (chip.power_mw / 1000.0),
        gops_per_mm2: peak_gops / chip.area_mm2,
        mb_per_mm2: megabytes / chip.area_mm2,
        groups,
    }
}

/// Cycles from one IMA operation to the next, with activations of 16 bits.
fn cycles_per_operation(arch: &Arch) -> f64 {
    f64::from(arch.iterations(FULL_PRECISION_BITS)) * arch.cycles_per_iteration() as f64
}

fn groups(arch: &Arch) -> Vec<Group> {
    let (energy, area) = (&arch.energy, &arch.area);
    let crossbars = f64::from(arch.ima.crossbars);
    let lines = crossbars * f64::from(arch.crossbar.rows);
    let columns = crossbars * f64::from(arch.crossbar.columns);
    let cells = lines * f64::from(arch.crossbar.columns);
    let conversions = f64::from(arch.adc.count) * f64::from(arch.conversions_per_cycle());
    let scale = adc_scale(arch.adc.bits);
    let operation = cycles_per_operation(arch);
    // Results of an IMA and of a tile in a cycle.
    let ima_results =
        crossbars * f64::from(arch.results_per_crossbar(FULL_PRECISION_BITS)) / operation;
    let tile_results = f64::from(arch.tile.imas) * ima_results;
    let edram_bits = f64::from(arch.edram.bytes_per_cycle) * 8.0;
    let bus_bits = f64::from(arch.bus.bytes_per_cycle) * 8.0;
    let register_bits = f64::from(arch.tile.output_register_bytes) * 8.0 / operation;
    let input_bits = 2.0 * lines * f64::from(arch.dac.bits);
    // A router has a port for each of its tiles and four for its neighbours.
    let ports = f64::from(arch.router.tile_columns * arch.router.tile_rows + 4);
    let flits = ports * f64::from(arch.flits_per_cycle());

    let group = |scope, name, units, pj_per_cycle: f64, mm2_per_unit: f64| Group {
        name,
        scope,
        units,
        power_mw: pj_per_cycle / arch.cycle_ns,
        area_mm2: units as f64 * mm2_per_unit,
    };
    use Scope::{Chip, Ima, Router, Tile};
    let u = u64::from;
    let crossbar_lines = u(arch.ima.crossbars) * u(arch.crossbar.rows);
    let crossbar_columns = u(arch.ima.crossbars) * u(arch.crossbar.columns);
    let cells_per_crossbar = f64::from(arch.crossbar.rows) * f64::from(arch.crossbar.columns);
    let bytes = f64::from;
    let mut groups = vec![
        group(
            Tile,
            "edram_buffer",
            1,
            energy.edram_bit.pj * edram_bits,
            area.edram_byte.mm2 * bytes(arch.edram.bytes),
        ),
        group(Tile, "bus", 1, energy.bus_bit.pj * bus_bits, area.bus.mm2),
        group(
            Router,
            "router",
            1,
            energy.router_flit.pj * flits,
            area.router.mm2,
        ),
        group(
            Tile,
            "sigmoid",
            u(arch.tile.sigmoids),
            energy.sigmoid_value.pj * tile_results,
            area.sigmoid.mm2,
        ),
        group(
            Tile,
            "tile_shift_add",
            1,
            energy.tile_shift_add_value.pj * tile_results,
            area.tile_shift_add.mm2,
        ),
        group(
            Tile,
            "max_pool",
            1,
            energy.max_pool_value.pj * tile_results,
            area.max_pool.mm2,
        ),
        group(
            Tile,
            "tile_output_register",
            1,
            energy.tile_output_register_bit.pj * register_bits,
            area.tile_output_register_byte.mm2 * bytes(arch.tile.output_register_bytes),
        ),
        group(
            Ima,
            "adc",
            u(arch.adc.count),
            energy.adc_conversion_8_bits.pj * scale * conversions,
            area.adc_8_bits.mm2 * scale,
        ),
        group(
            Ima,
            "dac",
            crossbar_lines,
            energy.dac_row.pj * lines,
            area.dac.mm2,
        ),
        group(
            Ima,
            "sample_hold",
            crossbar_columns,
            energy.sample_hold_column.pj * columns,
            area.sample_hold.mm2,
        ),
        group(
            Ima,
            "crossbar",
            u(arch.ima.crossbars),
            energy.crossbar_cell.pj * cells,
            area.crossbar_cell.mm2 * cells_per_crossbar,
        ),
        group(
            Ima,
            "shift_add",
            u(arch.shift_add.count),
            energy.shift_add_value.pj * conversions,
            area.shift_add.mm2,
        ),
        group(
            Ima,
            "input_register",
            1,
            energy.input_register_bit.pj * input_bits,
            area.input_register_byte.mm2 * bytes(arch.ima.input_register_bytes),
        ),
        group(
            Ima,
            "output_register",
            1,
            energy.output_register_value.pj * ima_results,
            area.output_register_byte.mm2 * bytes(arch.ima.output_register_bytes),
        ),
    ];
    groups.push(Group {
        name: "hyper_transport",
        scope: Chip,
        units: u(arch.hyper_transport.links),
        power_mw: arch.static_power.hyper_transport.mw,
        area_mm2: f64::from(arch.hyper_transport.links) * area.hyper_transport_link.mm2,
    });
    groups
}

/// How many of a scope one tile has; routers are shared, links belong to the chip.
fn scopes_per_tile(arch: &Arch, scope: Scope) -> f64 {
    match scope {
        Scope::Ima => f64::from(arch.tile.imas),
        Scope::Tile => 1.0,
        Scope::Router => 1.0 / f64::from(arch.router.tile_columns * arch.router.tile_rows),
        Scope::Chip => 0.0,
    }
}

/// How many of a scope one chip has.
fn scopes_per_chip(arch: &Arch, scope: Scope) -> f64 {
    match scope {
        Scope::Chip => 1.0,
        part => f64::from(arch.tiles_per_chip()) * scopes_per_tile(arch, part),
    }
}

fn total(groups: &[Group], scopes: impl Fn(Scope) -> f64) -> Total {
    let sum = |figure: fn(&Group) -> f64| {
        groups
            .iter()
            .map(|group| scopes(group.scope) * figure(group))
            .sum()
    };
    Total {
        power_mw: sum(|group| group.power_mw),
        area_mm2: sum(|group| group.area_mm2),
    }
}

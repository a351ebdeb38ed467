//! Derived figures of a machine: power at rated load, area, peak throughput and storage.
//!
//! The rated load of a group is the most actions that it can take in a cycle: ADCs convert at their full rate, every
//! row is driven, eDRAM and bus move their full width, every port of a router passes flits, and output registers and
//! the units of the tile take the results of 16-bit operations as fast as these can end. At that load ISAAC-CE draws
//! the powers of ISAAC's Table I.
//!
//! Power is actions per cycle times energy per action over the length of a cycle; 1 pJ per ns is 1 mW. Links are the
//! exception: their power is static. Figures of a tile include its part of a router, those of a chip its links.

use serde::Serialize;

use crate::{Arch, FULL_PRECISION_BITS};

/// Level of the machine at which the figures of a group are stated.
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

impl Scope {
    /// Returns the number of these per tile: a fraction of a router, 0 for a chip.
    pub fn per_tile(self, arch: &Arch) -> f64 {
        match self {
            Scope::Ima => f64::from(arch.tile.imas),
            Scope::Tile => 1.0,
            Scope::Router => 1.0 / f64::from(arch.router.tile_columns * arch.router.tile_rows),
            Scope::Chip => 0.0,
        }
    }

    /// Returns the number of these per chip.
    pub fn per_chip(self, arch: &Arch) -> f64 {
        match self {
            Scope::Chip => 1.0,
            part => f64::from(arch.tiles_per_chip()) * part.per_tile(arch),
        }
    }
}

/// A group of equal units: a row of ISAAC's Table I.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Name, as in energy reports.
    pub name: &'static str,
    /// Level at which units, power and area are stated.
    pub scope: Scope,
    /// Units per scope; [`Scope::per_tile`] and [`Scope::per_chip`] return the number of scopes.
    pub units: u64,
    /// Power at rated load per scope, mW.
    pub power_mw: f64,
    /// Area per scope, mm2.
    pub area_mm2: f64,
}

/// Power and area of a tile or chip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Total {
    /// Power at rated load, mW.
    pub power_mw: f64,
    /// Area, mm2.
    pub area_mm2: f64,
}

/// Derived figures of a machine. Throughput counts a multiplication and an addition as two operations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Derived {
    /// Groups in the order of ISAAC's Table I.
    pub groups: Vec<Group>,
    /// One tile with its part of a router.
    pub tile: Total,
    /// One chip.
    pub chip: Total,
    /// Fraction of a tile's power that its ADCs draw, 0 to 1.
    pub adc_power_share: f64,
    /// Fraction of a tile's area that its ADCs take, 0 to 1.
    pub adc_area_share: f64,
    /// Peak throughput of one chip at 16-bit weights and activations, operations per ns.
    pub peak_gops: f64,
    /// Power efficiency (ISAAC's PE), GOPS/W.
    pub gops_per_watt: f64,
    /// Computational efficiency (ISAAC's CE), GOPS/mm2.
    pub gops_per_mm2: f64,
    /// Storage efficiency (ISAAC's SE): weights on a chip, in units of 2^20 bytes per mm2.
    pub mb_per_mm2: f64,
}

/// Returns the energy of a conversion of `bits` bits relative to one of 8 bits, by ISAAC's rule: a linear and an
/// exponential term (docs/model.md, "ADC rules").
pub fn adc_energy_scale(bits: u32) -> f64 {
    relative_to_8_bits(bits, 0.19543, 0.000414)
}

/// Returns the area of an ADC of `bits` bits relative to one of 8 bits, by ISAAC's rule, which differs from that of the
/// energy.
pub fn adc_area_scale(bits: u32) -> f64 {
    relative_to_8_bits(bits, 81.727, 2.13353)
}

fn relative_to_8_bits(bits: u32, linear: f64, exponential: f64) -> f64 {
    let of = |bits: u32| linear * f64::from(bits) + exponential * f64::from(bits).exp2();
    of(bits) / of(8)
}

/// Computes the derived figures of `arch`.
pub fn derived(arch: &Arch) -> Derived {
    let groups = groups(arch);
    let tile = total(&groups, |scope| scope.per_tile(arch));
    let chip = total(&groups, |scope| scope.per_chip(arch));
    let adcs: Vec<Group> = groups.iter().filter(|group| group.name == "adc").cloned().collect();
    let adcs = total(&adcs, |scope| scope.per_tile(arch));

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

/// Returns the cycles from one operation of an IMA to the next at 16-bit activations: those of its reads or, if longer,
/// the time that an operation keeps an output register over the number of these.
fn cycles_per_operation(arch: &Arch) -> f64 {
    let (iterations, cycles) = (arch.iterations(FULL_PRECISION_BITS), arch.cycles_per_iteration());
    let conversion = arch.conversion_cycles(arch.columns_per_adc());
    let merge = arch.merge_cycles(arch.columns_per_shift_add());
    // From the first read to the last, and its conversion, shift-and-add and transfer to the tile.
    let kept = (iterations - 1) * cycles + 1 + conversion + merge + 1;
    f64::from(iterations * cycles).max(f64::from(kept) / f64::from(arch.ima.output_registers))
}

fn groups(arch: &Arch) -> Vec<Group> {
    let (energy, area) = (&arch.energy, &arch.area);
    let count = u64::from;
    let rows = count(arch.ima.crossbars) * count(arch.crossbar.rows);
    let columns = count(arch.ima.crossbars) * count(arch.converted_columns());
    let cells_of_one = f64::from(arch.crossbar.rows) * f64::from(arch.crossbar.columns);

    // Actions per cycle at rated load, per scope.
    let conversions = f64::from(arch.adc.count) * arch.conversions_per_cycle().per_cycle();
    let operation = cycles_per_operation(arch);
    let results_of_one = f64::from(arch.results_per_crossbar(FULL_PRECISION_BITS));
    let ima_results = f64::from(arch.ima.crossbars) * results_of_one / operation;
    let tile_results = f64::from(arch.tile.imas) * ima_results;
    let register_bits = 8.0 * f64::from(arch.tile.output_register_bytes) / operation;
    let input_bits = 2.0 * rows as f64 * f64::from(arch.dac.bits);
    let edram_bits = 8.0 * f64::from(arch.edram.bytes_per_cycle);
    let bus_bits = 8.0 * f64::from(arch.bus.bytes_per_cycle);
    // A router has a port for each of its tiles and four for its neighbours.
    let ports = f64::from(arch.router.tile_columns * arch.router.tile_rows + 4);
    let flits = ports * arch.flits_per_cycle().per_cycle();

    let cells = f64::from(arch.ima.crossbars) * cells_of_one;
    let group = |scope, name, units, actions: f64, pj: f64, mm2_of_one: f64| Group {
        name,
        scope,
        units,
        power_mw: actions * pj / arch.cycle_ns,
        area_mm2: units as f64 * mm2_of_one,
    };
    let memory = |scope, name, bytes, actions, pj, mm2_of_byte: f64| {
        group(scope, name, 1, actions, pj, f64::from(bytes) * mm2_of_byte)
    };
    let links = Group {
        name: "hyper_transport",
        scope: Scope::Chip,
        units: count(arch.hyper_transport.links),
        power_mw: arch.static_power.hyper_transport.mw,
        area_mm2: f64::from(arch.hyper_transport.links) * area.hyper_transport_link.mm2,
    };
    use Scope::{Ima, Router, Tile};
    vec![
        memory(Tile, "edram_buffer", arch.edram.bytes, edram_bits, energy.edram_bit.pj, area.edram_byte.mm2),
        group(Tile, "bus", 1, bus_bits, energy.bus_bit.pj, area.bus.mm2),
        group(Router, "router", 1, flits, energy.router_flit.pj, area.router.mm2),
        group(Tile, "sigmoid", count(arch.tile.sigmoids), tile_results, energy.sigmoid_value.pj, area.sigmoid.mm2),
        group(Tile, "tile_shift_add", 1, tile_results, energy.tile_shift_add_value.pj, area.tile_shift_add.mm2),
        group(Tile, "max_pool", 1, tile_results, energy.max_pool_value.pj, area.max_pool.mm2),
        memory(
            Tile,
            "tile_output_register",
            arch.tile.output_register_bytes,
            register_bits,
            energy.tile_output_register_bit.pj,
            area.tile_output_register_byte.mm2,
        ),
        group(
            Ima,
            "adc",
            count(arch.adc.count),
            conversions,
            energy.adc_conversion_8_bits.pj * adc_energy_scale(arch.adc.bits),
            area.adc_8_bits.mm2 * adc_area_scale(arch.adc.bits),
        ),
        group(Ima, "dac", rows, rows as f64, energy.dac_row.pj, area.dac.mm2),
        group(Ima, "sample_hold", columns, columns as f64, energy.sample_hold_column.pj, area.sample_hold.mm2),
        group(
            Ima,
            "crossbar",
            count(arch.ima.crossbars),
            cells,
            energy.crossbar_cell.pj,
            area.crossbar_cell.mm2 * cells_of_one,
        ),
        group(
            Ima,
            "shift_add",
            count(arch.shift_add.count),
            conversions,
            energy.shift_add_value.pj,
            area.shift_add.mm2,
        ),
        memory(
            Ima,
            "input_register",
            arch.ima.input_register_bytes,
            input_bits,
            energy.input_register_bit.pj,
            area.input_register_byte.mm2,
        ),
        memory(
            Ima,
            "output_register",
            arch.ima.output_register_bytes,
            ima_results,
            energy.output_register_value.pj,
            area.output_register_byte.mm2 * f64::from(arch.ima.output_registers) / 2.0,
        ),
        links,
    ]
}

fn total(groups: &[Group], scopes: impl Fn(Scope) -> f64) -> Total {
    let sum = |figure: fn(&Group) -> f64| groups.iter().map(|group| scopes(group.scope) * figure(group)).sum();
    Total { power_mw: sum(|group| group.power_mw), area_mm2: sum(|group| group.area_mm2) }
}

//! Derived figures of a machine: power at rated load, area, peak throughput and storage.
//!
//! The rated load of a group is the most actions that it can take in a cycle: ADCs convert at their full rate, every
//! row is driven, eDRAM and bus move their full width, every port of a router passes flits, and output registers and
//! the units of the tile take the results of 16-bit operations as fast as these can end. At that load ISAAC-CE draws
//! the powers of ISAAC's Table I.
//!
//! Power is actions per cycle times energy per action over the length of a cycle; 1 pJ per ns is 1 mW. Links are the
//! exception: their power is static. Figures of a tile include its part of a router, those of a chip its links.

use network::FULL_PRECISION_BITS;
use serde::Serialize;

use crate::Arch;
use crate::block::{BLOCKS, Block, Scope};

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

impl Group {
    /// Returns the figures of `block` in a machine.
    fn new(block: &Block, arch: &Arch) -> Group {
        let units = (block.units)(arch);
        let dynamic_mw = (block.rated_actions)(arch) * (block.pj_per_action)(arch) / arch.cycle_ns;
        Group {
            name: block.name,
            scope: block.scope,
            units,
            power_mw: dynamic_mw + block.static_mw.map_or(0.0, |power| power(arch)),
            area_mm2: units as f64 * (block.mm2_per_unit)(arch),
        }
    }
}

/// Computes the derived figures of `arch`.
pub fn derived(arch: &Arch) -> Derived {
    derived_of(BLOCKS, arch)
}

/// Computes the derived figures of a machine that consists of `blocks`.
pub fn derived_of(blocks: &[Block], arch: &Arch) -> Derived {
    let groups = groups(blocks, arch);
    let tile = total(&groups, |scope| scope.per_tile(arch));
    let chip = total(&groups, |scope| scope.per_chip(arch));
    let adcs: Vec<Group> = groups.iter().filter(|group| group.name == "adc").cloned().collect();
    let adcs = total(&adcs, |scope| scope.per_tile(arch));

    let crossbars = f64::from(arch.tiles_per_chip() * arch.tile.imas * arch.ima.crossbars);
    let cells = crossbars * f64::from(arch.crossbar.rows) * f64::from(arch.crossbar.columns);
    let weights = cells / f64::from(arch.columns_per_weight(FULL_PRECISION_BITS));
    let peak_gops = 2.0 * weights / (arch.cycles_per_operation() * arch.cycle_ns);
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

/// Returns the groups of `blocks`, in the order of ISAAC's Table I.
fn groups(blocks: &[Block], arch: &Arch) -> Vec<Group> {
    let mut blocks: Vec<&Block> = blocks.iter().collect();
    blocks.sort_by_key(|block| block.table_row.unwrap_or(u32::MAX));
    blocks.into_iter().map(|block| Group::new(block, arch)).collect()
}

fn total(groups: &[Group], scopes: impl Fn(Scope) -> f64) -> Total {
    let sum = |figure: fn(&Group) -> f64| groups.iter().map(|group| scopes(group.scope) * figure(group)).sum();
    Total { power_mw: sum(|group| group.power_mw), area_mm2: sum(|group| group.area_mm2) }
}

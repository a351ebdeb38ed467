//! Catalogue of hardware blocks: one file and one line each.
//!
//! The file of a block has all that the simulator knows of it: its table in the arch file, its energy and area entries,
//! its time, what counts its actions, its rated load and its rules. [`BLOCKS`] lists the blocks as data. Energies of
//! counts, derived figures, static energy, warnings and contradictions iterate it, and so do the reports and tables
//! made of these.
//!
//! Keys that several blocks share stay in the tables of their place: `[tile]` and `[ima]`.

use document::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Arch, Counts};

/// Declares the module of each block, the `[energy]` and `[area]` tables of the arch file, and [`BLOCKS`].
macro_rules! catalogue {
    ($($block:ident),+ $(,)?) => {
        $(mod $block;)+

        /// Energy of each action.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct Energy {
            $(
                #[doc = concat!("Entry of `", stringify!($block), "`.")]
                #[serde(flatten)]
                pub $block: $block::Energy,
            )+
        }

        /// Area of one unit of each block.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct Area {
            $(
                #[doc = concat!("Entry of `", stringify!($block), "`.")]
                #[serde(flatten)]
                pub $block: $block::Area,
            )+
        }

        /// All blocks, from the IMA outwards: the order of energy reports and of the arch file.
        pub const BLOCKS: &[Block] = &[$($block::BLOCK),+];
    };
}

/// Declares the entries of a block in the `[energy]` and `[area]` tables of the arch file. Docs are shown in the schema
/// and in faults.
macro_rules! entries {
    ($(#[$energy_meta:meta])* energy.$energy:ident, $(#[$area_meta:meta])* area.$area:ident $(,)?) => {
        /// Entry in `[energy]`.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct Energy {
            $(#[$energy_meta])*
            pub $energy: $crate::Coefficient,
        }

        /// Entry in `[area]`.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct Area {
            $(#[$area_meta])*
            pub $area: $crate::SquareMillimetres,
        }
    };
}

catalogue! {
    adc,
    dac,
    crossbar,
    sample_hold,
    shift_add,
    input_register,
    output_register,
    edram,
    bus,
    tile_output_register,
    tile_shift_add,
    sigmoid,
    max_pool,
    router,
    hyper_transport,
}

pub use adc::{Adc, adc_area_scale, adc_energy_scale, column_sum_bits, conversion_cycles, lossless_adc_bits};
pub use bus::Bus;
pub use crossbar::{Crossbar, columns_per_weight};
pub use dac::{Dac, iterations};
pub use edram::Edram;
pub use hyper_transport::HyperTransport;
pub use router::Router;
pub use shift_add::ShiftAdd;

/// A kind of hardware block: units that are equal, act alike and are reported as one group.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Name in reports and tables.
    pub name: &'static str,
    /// Row of ISAAC's Table I, by which derived figures are listed. Blocks without one come last.
    pub table_row: Option<u32>,
    /// Level of the machine at which units, rated load and static power are stated.
    pub scope: Scope,
    /// Units per scope.
    pub units: fn(&Arch) -> u64,
    /// Area of one unit, mm2.
    pub mm2_per_unit: fn(&Arch) -> f64,
    /// Counted action.
    pub action: &'static str,
    /// Number of these actions among the counts of a run or of a layer.
    pub actions: fn(&Arch, &Counts) -> u64,
    /// Energy of one action, pJ.
    pub pj_per_action: fn(&Arch) -> f64,
    /// Most actions per cycle, per scope: the rated load.
    pub rated_actions: fn(&Arch) -> f64,
    /// Power drawn at all times per scope, mW; `None` if the block draws power only when it acts.
    pub static_mw: Option<fn(&Arch) -> f64>,
    /// Choices that cost accuracy or time.
    pub warnings: fn(&Arch) -> Vec<String>,
    /// Adds a fault for each contradiction between the fields of a machine that concerns the block.
    pub contradictions: fn(&Arch, &mut Document),
}

impl Block {
    /// A single unit per tile that never acts, has no area and no rules. Blocks state in what they differ from it.
    pub const BLANK: Block = Block {
        name: "",
        table_row: None,
        scope: Scope::Tile,
        units: |_| 1,
        mm2_per_unit: |_| 0.0,
        action: "",
        actions: |_, _| 0,
        pj_per_action: |_| 0.0,
        rated_actions: |_| 0.0,
        static_mw: None,
        warnings: |_| Vec::new(),
        contradictions: |_, _| {},
    };
}

/// Level of the machine at which the figures of a block are stated.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_block_has_a_name_and_a_row_of_its_own() {
        let names: BTreeSet<_> = BLOCKS.iter().map(|block| block.name).collect();
        let rows: BTreeSet<_> = BLOCKS.iter().map(|block| block.table_row).collect();
        assert_eq!([names.len(), rows.len()], [BLOCKS.len(); 2]);
    }
}

//! The machine as its file states it.
//!
//! Docs of fields are shown in the schema and in faults. The tables of single blocks and what follows from them stand in
//! the catalogue, [`crate::block`]; here are those that join blocks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::block::{Adc, Area, Bus, Crossbar, Dac, Edram, Energy, HyperTransport, Router, ShiftAdd};
use crate::coefficient::Milliwatts;

/// The most output registers of an IMA, which is what the simulator keeps count of.
pub const MOST_OUTPUT_REGISTERS: u32 = 7;

/// Longest name of a machine, in bytes.
pub(crate) const LONGEST_NAME: usize = 128;

/// A checked machine. TOML keys equal these fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arch {
    /// Name shown in reports.
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    pub name: String,
    /// Length of a cycle, one crossbar read, in ns.
    #[schemars(range(min = 0.001, max = 1_000_000.0))]
    pub cycle_ns: f64,
    /// Chips and how they are joined.
    pub board: Board,
    /// Tiles of a chip.
    pub chip: Chip,
    /// Parts of a tile.
    pub tile: Tile,
    /// Parts of an in-situ multiply-accumulate unit (IMA).
    pub ima: Ima,
    /// Memristor array.
    pub crossbar: Crossbar,
    /// Digital-to-analogue converters, one per crossbar row.
    pub dac: Dac,
    /// Analogue-to-digital converters of an IMA.
    pub adc: Adc,
    /// Shift-and-add units of an IMA.
    pub shift_add: ShiftAdd,
    /// Tile buffer.
    pub edram: Edram,
    /// Shared eDRAM-to-IMA bus of a tile.
    pub bus: Bus,
    /// Router of the concentrated mesh.
    pub router: Router,
    /// Chip-to-chip links.
    pub hyper_transport: HyperTransport,
    /// Energy of each action, with its source.
    pub energy: Energy,
    /// Power drawn whether or not anything happens, with its source.
    pub static_power: StaticPower,
    /// Area of each block, with its source.
    pub area: Area,
}

/// Chips of the board: a grid, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Chips on the board.
    #[schemars(range(min = 1, max = 1024))]
    pub chips: u32,
    /// Chips in one row of the grid.
    #[schemars(range(min = 1, max = 1024))]
    pub columns: u32,
}

/// Tiles of a chip: a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Tiles in one row of the grid.
    #[schemars(range(min = 1, max = 64))]
    pub tile_columns: u32,
    /// Rows of the grid.
    #[schemars(range(min = 1, max = 64))]
    pub tile_rows: u32,
}

/// Parts of a tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// IMAs of a tile, at most 64: a tile keeps a set of them in one machine word.
    #[schemars(range(min = 1, max = 64))]
    pub imas: u32,
    /// Bits of a result or partial sum on its way from an IMA.
    #[schemars(range(min = 1, max = 64))]
    pub partial_sum_bits: u32,
    /// Tile output register, in bytes.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub output_register_bytes: u32,
    /// Sigmoid units of a tile.
    #[schemars(range(min = 1, max = 1024))]
    pub sigmoids: u32,
}

/// Parts of an IMA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ima {
    /// Crossbars of an IMA, at most 64: eight times those of ISAAC.
    #[schemars(range(min = 1, max = 64))]
    pub crossbars: u32,
    /// Input register, in bytes: the inputs of one operation, while those of the next are written behind them.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub input_register_bytes: u32,
    /// One of its output registers, in bytes: the results of one operation.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub output_register_bytes: u32,
    /// Output registers, used in turn: operations that have started and whose results are not in the tile yet. 2 where
    /// the file says nothing; at most 7, what the simulator keeps count of.
    #[serde(default = "two_output_registers")]
    #[schemars(range(min = 1, max = MOST_OUTPUT_REGISTERS))]
    pub output_registers: u32,
    /// An operation skips the row blocks whose inputs are all zero.
    pub skip_zero_row_blocks: bool,
}

/// One is read while the other is written.
fn two_output_registers() -> u32 {
    2
}

/// Power drawn at all times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticPower {
    /// The links of one chip.
    pub hyper_transport: Milliwatts,
}

impl Arch {
    /// Returns the machine with the costs of `other`: its name, energies, static power and areas, and the encoding and
    /// resolution of its conversions. A run takes as long on both.
    #[must_use]
    pub fn with_costs_of(&self, other: &Arch) -> Arch {
        let Arch { name, energy, static_power, area, .. } = other.clone();
        let adc = Adc { bits: other.adc.bits, flipped_encoding: other.adc.flipped_encoding, ..self.adc.clone() };
        Arch { name, adc, energy, static_power, area, ..self.clone() }
    }

    /// Returns the tiles of one chip.
    pub fn tiles_per_chip(&self) -> u32 {
        self.chip.tile_columns * self.chip.tile_rows
    }

    /// Returns the tiles of the board.
    pub fn tiles(&self) -> u32 {
        self.board.chips * self.tiles_per_chip()
    }

    /// Returns the IMAs of the board.
    pub fn imas(&self) -> u32 {
        self.tiles() * self.tile.imas
    }

    /// Returns the crossbars of the board.
    pub fn crossbars(&self) -> u64 {
        u64::from(self.imas()) * u64::from(self.ima.crossbars)
    }
}

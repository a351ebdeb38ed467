//! The machine as its file states it.
//!
//! Docs of fields are shown in the schema and in faults. Methods of [`Arch`] state what follows from the fields in one
//! place: numbers of blocks, rates per cycle, columns per weight and the length of an iteration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rate;

/// The most output registers of an IMA, which is what the simulator keeps count of.
pub const MOST_OUTPUT_REGISTERS: u32 = 7;

/// Bits of the weights and activations that registers are sized for and rated loads are stated at (ISAAC section VI).
pub const FULL_PRECISION_BITS: u32 = 16;

/// A checked machine. TOML keys equal these fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arch {
    /// Name shown in reports.
    #[schemars(length(min = 1, max = 128))]
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

/// Memristor array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crossbar {
    /// Word lines: inputs.
    #[schemars(range(min = 1, max = 4096))]
    pub rows: u32,
    /// Bit lines.
    #[schemars(range(min = 1, max = 4096))]
    pub columns: u32,
    /// Bits stored in one cell.
    #[schemars(range(min = 1, max = 8))]
    pub cell_bits: u32,
}

/// Digital-to-analogue converters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dac {
    /// Input bits applied to a row in one read.
    #[schemars(range(min = 1, max = 16))]
    pub bits: u32,
}

/// Analogue-to-digital converters of one IMA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adc {
    /// ADCs of an IMA; its crossbars share them evenly.
    #[schemars(range(min = 1, max = 4096))]
    pub count: u32,
    /// Resolution: bits of a conversion.
    #[schemars(range(min = 1, max = 32))]
    pub bits: u32,
    /// Conversions per ns of one ADC (Gsamples/s).
    #[schemars(range(min = 1e-6, max = 1000.0))]
    pub rate_gsps: f64,
    /// Weights are stored flipped where that makes a column's sum smaller, which saves one bit (ISAAC section V).
    pub flipped_encoding: bool,
    /// One column more, which sums the inputs, is held, converted and merged, too (ISAAC section V).
    pub unit_column: bool,
}

/// Shift-and-add units of one IMA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftAdd {
    /// Units of an IMA.
    #[schemars(range(min = 1, max = 4096))]
    pub count: u32,
    /// Conversions that one unit merges in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub values_per_cycle: u32,
}

/// Tile buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edram {
    /// Capacity in bytes.
    #[schemars(range(min = 1, max = 1 << 30))]
    pub bytes: u32,
    /// Bytes read or written in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub bytes_per_cycle: u32,
}

/// Shared bus of a tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Bytes moved in a cycle.
    #[schemars(range(min = 1, max = 1 << 24))]
    pub bytes_per_cycle: u32,
}

/// Router of the concentrated mesh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Router {
    /// Columns of the block of tiles that one router serves.
    #[schemars(range(min = 1, max = 64))]
    pub tile_columns: u32,
    /// Rows of the block of tiles that one router serves.
    #[schemars(range(min = 1, max = 64))]
    pub tile_rows: u32,
    /// Bits of a flit, the width of a mesh link.
    #[schemars(range(min = 1, max = 4096))]
    pub flit_bits: u32,
    /// Flits per ns on one link (GHz).
    #[schemars(range(min = 1e-6, max = 1000.0))]
    pub clock_ghz: f64,
}

/// Chip-to-chip links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HyperTransport {
    /// Links of a chip: north, east, south, west.
    #[schemars(range(min = 0, max = 4))]
    pub links: u32,
    /// Bytes per ns of one link in one direction (GB/s).
    #[schemars(range(min = 1e-6, max = 1_000_000.0))]
    pub gigabytes_per_second: f64,
}

/// Energy of one action and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coefficient {
    /// Energy of one action, pJ.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub pj: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// Energy of each action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Energy {
    /// One conversion by an 8-bit ADC; other resolutions scale by ISAAC's rule.
    pub adc_conversion_8_bits: Coefficient,
    /// One row driven in one read.
    pub dac_row: Coefficient,
    /// One cell in a read of its array.
    pub crossbar_cell: Coefficient,
    /// One column held.
    pub sample_hold_column: Coefficient,
    /// One conversion merged by an IMA's shift-and-add.
    pub shift_add_value: Coefficient,
    /// One bit written to, or read from, an IMA's input register.
    pub input_register_bit: Coefficient,
    /// One result through an IMA's output register.
    pub output_register_value: Coefficient,
    /// One bit read from, or written to, eDRAM.
    pub edram_bit: Coefficient,
    /// One bit over the tile's bus.
    pub bus_bit: Coefficient,
    /// One bit into the tile's output register.
    pub tile_output_register_bit: Coefficient,
    /// One value merged by the tile's shift-and-add.
    pub tile_shift_add_value: Coefficient,
    /// One value through a sigmoid unit.
    pub sigmoid_value: Coefficient,
    /// One value into the max-pool unit.
    pub max_pool_value: Coefficient,
    /// One flit through one router.
    pub router_flit: Coefficient,
    /// One bit over one chip-to-chip link.
    pub hyper_transport_bit: Coefficient,
}

/// Power drawn at all times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticPower {
    /// The links of one chip.
    pub hyper_transport: Milliwatts,
}

/// A power and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milliwatts {
    /// mW.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub mw: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// An area and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SquareMillimetres {
    /// mm2.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub mm2: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// Area of one unit of each block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// One 8-bit ADC; other resolutions scale by ISAAC's rule, which is not that of the energy.
    pub adc_8_bits: SquareMillimetres,
    /// One row's DAC.
    pub dac: SquareMillimetres,
    /// One cell of a crossbar.
    pub crossbar_cell: SquareMillimetres,
    /// One column's sample-and-hold.
    pub sample_hold: SquareMillimetres,
    /// One shift-and-add of an IMA.
    pub shift_add: SquareMillimetres,
    /// One byte of an IMA's input register.
    pub input_register_byte: SquareMillimetres,
    /// One byte of an IMA's output register: of two, as Table I's area is taken to be that of both.
    pub output_register_byte: SquareMillimetres,
    /// One byte of eDRAM.
    pub edram_byte: SquareMillimetres,
    /// The bus of a tile.
    pub bus: SquareMillimetres,
    /// One byte of the tile's output register.
    pub tile_output_register_byte: SquareMillimetres,
    /// The shift-and-add of a tile.
    pub tile_shift_add: SquareMillimetres,
    /// One sigmoid unit.
    pub sigmoid: SquareMillimetres,
    /// The max-pool unit of a tile.
    pub max_pool: SquareMillimetres,
    /// One router.
    pub router: SquareMillimetres,
    /// One chip-to-chip link.
    pub hyper_transport_link: SquareMillimetres,
}

impl Arch {
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

    /// Returns the rate of one ADC, columns per cycle.
    pub fn conversions_per_cycle(&self) -> Rate {
        Rate::new(1, self.adc.rate_gsps, self.cycle_ns)
    }

    /// Returns the rate of one port of a router, flits per cycle.
    pub fn flits_per_cycle(&self) -> Rate {
        Rate::new(1, self.router.clock_ghz, self.cycle_ns)
    }

    /// Returns the rate of a chip-to-chip link, bits per cycle and direction.
    pub fn link_bits_per_cycle(&self) -> Rate {
        Rate::new(8, self.hyper_transport.gigabytes_per_second, self.cycle_ns)
    }

    /// Returns the iterations of an operation: crossbar reads that apply `activation_bits` bits to a row.
    pub fn iterations(&self, activation_bits: u32) -> u32 {
        activation_bits.div_ceil(self.dac.bits)
    }

    /// Returns the adjacent columns per weight of `weight_bits` bits.
    pub fn columns_per_weight(&self, weight_bits: u32) -> u32 {
        weight_bits.div_ceil(self.crossbar.cell_bits)
    }

    /// Returns the results of one crossbar; a weight that straddles two crossbars counts in both.
    pub fn results_per_crossbar(&self, weight_bits: u32) -> u32 {
        self.crossbar.columns.div_ceil(self.columns_per_weight(weight_bits))
    }

    /// Returns the columns of a crossbar that are held, converted and merged, with the unit column if there is one.
    pub fn converted_columns(&self) -> u32 {
        self.crossbar.columns + u32::from(self.adc.unit_column)
    }

    /// Returns the columns per read of the ADC with the most crossbars, in a fully used IMA.
    pub fn columns_per_adc(&self) -> u32 {
        self.ima.crossbars.div_ceil(self.adc.count) * self.converted_columns()
    }

    /// Returns the columns per read of the shift-and-add with the most crossbars, in a fully used IMA.
    pub fn columns_per_shift_add(&self) -> u32 {
        self.ima.crossbars.div_ceil(self.shift_add.count) * self.converted_columns()
    }

    /// Returns the cycles in which one ADC converts `columns` columns, at least 1.
    pub fn conversion_cycles(&self, columns: u32) -> u32 {
        // At least one conversion a cycle, so no more cycles than columns.
        self.conversions_per_cycle().cycles(columns.into()).max(1) as u32
    }

    /// Returns the cycles in which one shift-and-add merges `columns` columns, at least 1.
    pub fn merge_cycles(&self, columns: u32) -> u32 {
        columns.div_ceil(self.shift_add.values_per_cycle).max(1)
    }

    /// Returns the cycles per iteration of a fully used IMA: those of its slowest unit, at least 1.
    pub fn cycles_per_iteration(&self) -> u32 {
        self.conversion_cycles(self.columns_per_adc()).max(self.merge_cycles(self.columns_per_shift_add()))
    }
}

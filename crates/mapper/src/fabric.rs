//! The part of a machine that mappings depend on.

use arch::{Arch, Board, Bus, Chip, Crossbar, Dac, Edram, Tile};

/// The part of a machine that mappings and layouts depend on: places for weights, buffers, and the rates of a tile.
///
/// It keeps whole tables of the arch file where the mapper reads most of their keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Fabric {
    pub(crate) name: String,
    pub(crate) board: Board,
    pub(crate) chip: Chip,
    pub(crate) tile: Tile,
    pub(crate) ima: Ima,
    pub(crate) crossbar: Crossbar,
    pub(crate) dac: Dac,
    pub(crate) edram: Edram,
    pub(crate) bus: Bus,
}

/// Sizes of an IMA.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ima {
    pub(crate) crossbars: u32,
    pub(crate) input_register_bytes: u32,
    pub(crate) output_register_bytes: u32,
}

impl Fabric {
    /// Copies the part of `arch`.
    pub fn new(arch: &Arch) -> Self {
        Self {
            name: arch.name.clone(),
            board: arch.board.clone(),
            chip: arch.chip.clone(),
            tile: arch.tile.clone(),
            ima: Ima {
                crossbars: arch.ima.crossbars,
                input_register_bytes: arch.ima.input_register_bytes,
                output_register_bytes: arch.ima.output_register_bytes,
            },
            crossbar: arch.crossbar.clone(),
            dac: arch.dac.clone(),
            edram: arch.edram.clone(),
            bus: arch.bus.clone(),
        }
    }

    pub(crate) fn tiles_per_chip(&self) -> u32 {
        self.chip.tile_columns * self.chip.tile_rows
    }

    pub(crate) fn tiles(&self) -> u32 {
        self.board.chips * self.tiles_per_chip()
    }

    pub(crate) fn imas(&self) -> u32 {
        self.tiles() * self.tile.imas
    }

    pub(crate) fn crossbars(&self) -> u64 {
        u64::from(self.imas()) * u64::from(self.ima.crossbars)
    }

    pub(crate) fn iterations(&self, activation_bits: u32) -> u32 {
        arch::iterations(activation_bits, self.dac.bits)
    }

    pub(crate) fn columns_per_weight(&self, weight_bits: u32) -> u32 {
        arch::columns_per_weight(weight_bits, self.crossbar.cell_bits)
    }
}

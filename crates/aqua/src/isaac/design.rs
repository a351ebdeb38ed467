//! Machines of ISAAC's design space, and the rule by which their structures grow.
//!
//! A [`Design`] states what ISAAC varies in its Figures 5 and 6: rows of a crossbar, ADCs and crossbars of an IMA, IMAs
//! of a tile; and the choices of its sections V and VIII: bits of cells and DACs, encoding, length of a cycle. The rest
//! follows from ISAAC-CE, whose parts are enough for what they feed. The rule is ours, since ISAAC prints the parts of
//! ISAAC-CE alone:
//!
//! | part | grows with |
//! | --- | --- |
//! | DACs | rows of a crossbar; its columns stay 128 |
//! | ADC bits | the sums of a column: no bit is lost |
//! | shift-and-adds of an IMA | its ADCs |
//! | input register | the 16-bit inputs of all crossbars of the IMA |
//! | output registers | the results of all crossbars of the IMA, or of all IMAs of the tile |
//! | bus: wires, area | the inputs that all IMAs of the tile take per ns |
//! | eDRAM: banks of 32 KB with a port of 512 bytes per 100 ns | the same, and never less than 64 KB, since what a layer buffers depends on its map |
//! | sigmoids, tile shift-and-add, max-pool | the results of all IMAs of the tile per ns |
//! | tiles of a chip | the die of ISAAC-CE: as many as fit, with its links |
//!
//! One router serves four tiles, whatever their size. Crossbars, DACs and sample-and-holds draw the same power for as
//! long as a cycle lasts. A DAC of v bits takes 2^v - 1 times the area and energy of one of 1 bit.

use std::fmt;

use arch::derived::derived;
use arch::{Arch, lossless_adc_bits};
use document::Faults;
use network::FULL_PRECISION_BITS;
use serde::Serialize;

/// A point of the design space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Rows of a crossbar; it has the columns of ISAAC-CE.
    pub rows: u32,
    /// ADCs of an IMA.
    pub adcs: u32,
    /// Crossbars of an IMA.
    pub crossbars: u32,
    /// IMAs of a tile.
    pub imas: u32,
    /// Bits of a cell.
    pub cell_bits: u32,
    /// Bits of a DAC.
    pub dac_bits: u32,
    /// Columns are stored flipped where that saves a bit of ADC resolution.
    pub flipped_encoding: bool,
    /// Length of a cycle, ns.
    pub cycle_ns: f64,
}

/// Efficiencies of a design whose crossbars are all busy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// ISAAC's CE, GOPS/mm2.
    pub gops_per_mm2: f64,
    /// ISAAC's PE, GOPS/W.
    pub gops_per_watt: f64,
}

impl Design {
    /// The design that ISAAC calls the optimum (section VIII).
    pub const ISAAC_CE: Design = Design {
        rows: 128,
        adcs: 8,
        crossbars: 8,
        imas: 12,
        cell_bits: 2,
        dac_bits: 1,
        flipped_encoding: true,
        cycle_ns: 100.0,
    };

    /// The space of Figure 5: no IMA with more ADCs than crossbars, since a crossbar feeds one ADC.
    pub fn space() -> Vec<Design> {
        let mut all = Vec::new();
        for rows in [32, 64, 128, 256] {
            for crossbars in [4, 8, 16, 32] {
                for adcs in [1, 2, 4, 8, 16, 32].into_iter().filter(|&adcs| adcs <= crossbars) {
                    for imas in [4, 8, 12, 16, 24] {
                        all.push(Design { rows, adcs, crossbars, imas, ..Design::ISAAC_CE });
                    }
                }
            }
        }
        all
    }

    /// Designs of the space around ISAAC-CE that are simulated, and one with twice its rows and IMAs.
    pub fn near_isaac_ce() -> Vec<Design> {
        let base = Design::ISAAC_CE;
        vec![
            Design { rows: 64, ..base },
            Design { adcs: 4, ..base },
            Design { adcs: 4, crossbars: 4, ..base },
            Design { adcs: 16, crossbars: 16, ..base },
            Design { imas: 8, ..base },
            Design { imas: 16, ..base },
            Design { imas: 24, ..base },
            Design { rows: 256, imas: 24, ..base },
        ]
    }

    /// Changes of one choice of ISAAC-CE each: name and design.
    pub fn choices() -> Vec<(&'static str, Design)> {
        let base = Design::ISAAC_CE;
        vec![
            ("ISAAC-CE", base),
            ("no encoding, 9-bit ADCs", Design { flipped_encoding: false, ..base }),
            ("no encoding, half the rows", Design { flipped_encoding: false, rows: 64, ..base }),
            ("2-bit DACs, 10-bit ADCs", Design { dac_bits: 2, ..base }),
            ("2-bit DACs, a quarter of the rows", Design { dac_bits: 2, rows: 32, ..base }),
            ("1-bit cells, 7-bit ADCs", Design { cell_bits: 1, ..base }),
            ("1-bit cells, twice the rows", Design { cell_bits: 1, rows: 256, ..base }),
            ("4-bit cells, 10-bit ADCs", Design { cell_bits: 4, ..base }),
            ("4-bit cells, a quarter of the rows", Design { cell_bits: 4, rows: 32, ..base }),
            ("twice the rows, 9-bit ADCs", Design { rows: 256, ..base }),
            ("cycles of 200 ns, half the ADCs", Design { cycle_ns: 200.0, adcs: 4, ..base }),
        ]
    }

    /// Returns the machine with `chips` chips, made from the prices of `base`, a machine with the parts of ISAAC-CE.
    pub fn arch(&self, base: &Arch, chips: u32) -> Result<Arch, Faults> {
        let mut arch = base.clone();
        arch.name = self.to_string();
        arch.cycle_ns = self.cycle_ns;
        (arch.crossbar.rows, arch.crossbar.cell_bits) = (self.rows, self.cell_bits);
        (arch.adc.count, arch.adc.flipped_encoding) = (self.adcs, self.flipped_encoding);
        arch.dac.bits = self.dac_bits;
        (arch.ima.crossbars, arch.tile.imas) = (self.crossbars, self.imas);
        arch.adc.bits = lossless_adc_bits(&arch);

        let time = self.cycle_ns / base.cycle_ns;
        arch.shift_add.count = scaled(base.shift_add.count, f64::from(self.adcs) / f64::from(base.adc.count));
        arch.shift_add.values_per_cycle = scaled(base.shift_add.values_per_cycle, time);
        arch.energy.crossbar.crossbar_cell.pj *= time;
        arch.energy.sample_hold.sample_hold_column.pj *= time;
        let dac = f64::from((1u32 << self.dac_bits) - 1);
        arch.energy.dac.dac_row.pj *= dac * time;
        arch.area.dac.dac.mm2 *= dac;

        arch.ima.input_register_bytes = self.crossbars * (self.rows * FULL_PRECISION_BITS).div_ceil(8);
        let results = self.crossbars * arch.results_per_crossbar(FULL_PRECISION_BITS);
        arch.ima.output_register_bytes = (results * arch.tile.partial_sum_bits).div_ceil(8);
        arch.tile.output_register_bytes = self.imas * arch.ima.output_register_bytes;

        let inputs = inputs_per_ns(&arch) / inputs_per_ns(base);
        arch.bus.bytes_per_cycle = scaled(base.bus.bytes_per_cycle, inputs * time);
        arch.area.bus.bus.mm2 *= inputs;
        let banks = scaled(BANKS, inputs).max(BANKS);
        arch.edram.bytes = base.edram.bytes / BANKS * banks;
        arch.edram.bytes_per_cycle = scaled(base.edram.bytes_per_cycle / BANKS * banks, time);

        let results = results_per_ns(&arch) / results_per_ns(base);
        arch.tile.sigmoids = scaled(base.tile.sigmoids, results);
        arch.area.tile_shift_add.tile_shift_add.mm2 *= results;
        arch.area.max_pool.max_pool.mm2 *= results;

        (arch.chip.tile_columns, arch.chip.tile_rows) = grid(&arch, Design::tiles_of_die(&arch, base));
        (arch.board.chips, arch.board.columns) = (chips, columns(chips));
        arch::parse(&arch::to_toml(&arch), &arch.name)
    }

    /// Returns the tiles of `arch` that take the area of the tiles of a chip of `base`: not rounded.
    pub(super) fn tiles_of_die(arch: &Arch, base: &Arch) -> f64 {
        let tile = |of: &Arch| derived(of).tile.area_mm2;
        f64::from(base.tiles_per_chip()) * tile(base) / tile(arch)
    }

    /// Returns the peak efficiencies on the die of `base`.
    pub fn peak(&self, base: &Arch) -> Result<Peak, Faults> {
        Ok(Peak::new(&self.arch(base, 1)?, base))
    }
}

impl Peak {
    /// Returns the peak efficiencies of `arch` on the die of `base`. The number of tiles is not rounded, so that designs
    /// differ by their parts alone.
    pub(super) fn new(arch: &Arch, base: &Arch) -> Peak {
        let (one, die) = (derived(arch), derived(base));
        let tiles = Design::tiles_of_die(arch, base);
        let gops = tiles * one.peak_gops / f64::from(arch.tiles_per_chip());
        let links = die.chip.power_mw - f64::from(base.tiles_per_chip()) * die.tile.power_mw;
        Peak {
            gops_per_mm2: gops / die.chip.area_mm2,
            gops_per_watt: 1000.0 * gops / (tiles * one.tile.power_mw + links),
        }
    }
}

/// eDRAM banks of a tile of ISAAC-CE (Table I).
const BANKS: u32 = 2;

impl fmt::Display for Design {
    /// Writes ISAAC's name of the design, and what else differs from ISAAC-CE.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Design { rows, adcs, crossbars, imas, .. } = self;
        write!(f, "H{rows}-A{adcs}-C{crossbars}-I{imas}")?;
        let base = Design::ISAAC_CE;
        if self.cell_bits != base.cell_bits {
            write!(f, ", {}-bit cells", self.cell_bits)?;
        }
        if self.dac_bits != base.dac_bits {
            write!(f, ", {}-bit DACs", self.dac_bits)?;
        }
        if !self.flipped_encoding {
            write!(f, ", no encoding")?;
        }
        if self.cycle_ns != base.cycle_ns {
            write!(f, ", {} ns", self.cycle_ns)?;
        }
        Ok(())
    }
}

/// Returns `count` times `ratio`, rounded up: at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "parts of a machine are small numbers")]
fn scaled(count: u32, ratio: f64) -> u32 {
    // Ratios are quotients of small whole numbers: what lies this close above one is that.
    (f64::from(count) * ratio - 1e-9).ceil().max(1.0) as u32
}

/// Length of an operation at 16-bit activations, ns.
fn operation_ns(arch: &Arch) -> f64 {
    f64::from(arch.iterations(FULL_PRECISION_BITS) * arch.cycles_per_iteration()) * arch.cycle_ns
}

/// Inputs per ns that all IMAs of a tile take.
fn inputs_per_ns(arch: &Arch) -> f64 {
    f64::from(arch.tile.imas * arch.ima.crossbars * arch.crossbar.rows) / operation_ns(arch)
}

/// Results per ns that all IMAs of a tile deliver.
fn results_per_ns(arch: &Arch) -> f64 {
    let results = arch.tile.imas * arch.ima.crossbars * arch.results_per_crossbar(FULL_PRECISION_BITS);
    f64::from(results) / operation_ns(arch)
}

/// Returns columns and rows of the grid with the most tiles, at most `tiles`, that routers divide and that is at most three
/// times as wide as high.
fn grid(arch: &Arch, tiles: f64) -> (u32, u32) {
    let (wide, high) = (arch.router.tile_columns, arch.router.tile_rows);
    let sides = || (1..=32u32).flat_map(|columns| (1..=32u32).map(move |rows| (columns * wide, rows * high)));
    // A number of tiles that the rounding of areas puts just below its own is that number.
    let fits = |&(columns, rows): &(u32, u32)| f64::from(columns * rows) <= tiles * (1.0 + 1e-9);
    let shapely = |&(columns, rows): &(u32, u32)| rows <= columns && columns <= 3 * rows;
    sides().filter(fits).filter(shapely).max_by_key(|&(columns, rows)| (columns * rows, rows)).unwrap_or((wide, high))
}

/// Returns the chips in one row of the board: the most square grid.
fn columns(chips: u32) -> u32 {
    let rows = (1..=chips).take_while(|rows| rows * rows <= chips).filter(|&rows| chips.is_multiple_of(rows)).last();
    chips / rows.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isaac() -> Arch {
        arch::load("isaac-ce").expect("the preset is built in")
    }

    #[test]
    fn the_rule_makes_isaac_ce_of_isaac_ce() {
        let base = isaac();
        let made = Design::ISAAC_CE.arch(&base, 16).expect("it is sound");
        let differences: Vec<String> = arch::diff(&base, &made).into_iter().map(|of| of.key).collect();
        assert_eq!(differences, ["name"]);
        let (peak, derived) = (Design::ISAAC_CE.peak(&base).expect("it is sound"), derived(&base));
        assert!((peak.gops_per_mm2 / derived.gops_per_mm2 - 1.0).abs() < 1e-12);
        assert!((peak.gops_per_watt / derived.gops_per_watt - 1.0).abs() < 1e-12);
    }

    #[test]
    fn every_design_is_sound_and_loses_no_bit() {
        let base = isaac();
        let choices = Design::choices().into_iter().map(|(_, design)| design);
        for design in Design::space().into_iter().chain(choices) {
            let arch = design.arch(&base, 64).unwrap_or_else(|faults| panic!("{design}: {faults}"));
            assert_eq!(arch.adc.bits, lossless_adc_bits(&arch), "{design}");
            let tiles = f64::from(arch.tiles_per_chip()) / Design::tiles_of_die(&arch, &base);
            assert!((0.66..=1.0 + 1e-9).contains(&tiles), "{design}: {tiles}");
        }
    }

    #[test]
    fn parts_grow_with_what_they_feed() {
        let base = isaac();
        let of = |design: Design| design.arch(&base, 16).expect("it is sound");
        let twice = of(Design { imas: 24, ..Design::ISAAC_CE });
        assert_eq!((twice.bus.bytes_per_cycle, twice.edram.bytes_per_cycle), (2048, 2048));
        assert_eq!((twice.edram.bytes, twice.tile.output_register_bytes, twice.tile.sigmoids), (131_072, 6144, 4));
        // Twice the inputs, for as many results.
        let tall = of(Design { rows: 256, ..Design::ISAAC_CE });
        assert_eq!((tall.adc.bits, tall.bus.bytes_per_cycle), (9, 2048));
        assert_eq!((tall.ima.input_register_bytes, tall.ima.output_register_bytes), (4096, 256));
        // As many bytes per ns in a cycle of twice the length, for IMAs that take half as many.
        let slow = of(Design { cycle_ns: 200.0, adcs: 4, ..Design::ISAAC_CE });
        assert_eq!((slow.bus.bytes_per_cycle, slow.shift_add.count), (1024, 2));
        assert!((slow.area.bus.bus.mm2 / base.area.bus.bus.mm2 - 0.5).abs() < 1e-12);
    }

    #[test]
    fn boards_are_as_square_as_their_chips_allow() {
        assert_eq!([1, 2, 8, 16, 32, 64].map(columns), [1, 2, 4, 4, 8, 8]);
    }
}

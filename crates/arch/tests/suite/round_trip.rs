//! Writing a machine and reading it back, whole or damaged.

use arch::Arch;
use proptest::prelude::*;

fn machine() -> impl Strategy<Value = Arch> {
    let grid = (1_u32..5, 1_u32..5, 1_u32..4, 1_u32..4, 1_u32..8, 1_u32..8);
    let parts = (1_u32..=64, 1_u32..=64, 1_u32..=128, 1_u32..=128, 1_u32..=8, 1_u32..=8, 1_u32..=12);
    let numbers = (
        1.0_f64..1e4,
        1.0_f64..100.0,
        proptest::collection::vec(0.0_f64..1e3, 4),
        any::<bool>(),
        "[a-z \"\\\\\n]{1,9}",
    );
    (grid, parts, numbers).prop_map(|(grid, parts, numbers)| {
        let mut arch = arch::load("isaac-ce").unwrap();
        let (chip_columns, chip_rows, router_columns, router_rows, across, down) = grid;
        arch.board.chips = chip_columns * chip_rows;
        arch.board.columns = chip_columns;
        arch.router.tile_columns = router_columns;
        arch.router.tile_rows = router_rows;
        arch.chip.tile_columns = router_columns * across;
        arch.chip.tile_rows = router_rows * down;
        (
            arch.tile.imas,
            arch.ima.crossbars,
            arch.crossbar.rows,
            arch.crossbar.columns,
            arch.crossbar.cell_bits,
            arch.dac.bits,
            arch.adc.bits,
        ) = parts;
        let (cycle_ns, rate, energies, truth, source) = numbers;
        arch.cycle_ns = cycle_ns;
        arch.adc.rate_gsps = rate;
        arch.router.clock_ghz = rate;
        arch.hyper_transport.gigabytes_per_second = rate;
        arch.adc.unit_column = truth;
        arch.ima.skip_zero_row_blocks = truth;
        arch.energy.adc.adc_conversion_8_bits.pj = energies[0];
        arch.energy.crossbar.crossbar_cell.pj = energies[1] * 1e-9;
        arch.static_power.hyper_transport.mw = energies[2];
        arch.area.edram.edram_byte.mm2 = energies[3] * 1e-12;
        arch.energy.dac.dac_row.source = source;
        // Room for 128 results of 16 bits.
        arch.ima.output_register_bytes = 256;
        arch
    })
}

proptest! {
    #[test]
    fn a_machine_that_is_written_and_read_back_is_the_same(arch in machine()) {
        let text = arch::to_toml(&arch);
        prop_assert_eq!(arch::parse(&text, "written.toml").unwrap_or_else(|faults| panic!("{faults}")), arch);
    }

    #[test]
    fn a_damaged_text_gives_faults_that_can_be_drawn(
        at: prop::sample::Index,
        length in 0_usize..300,
        with in "[-=.\\[\\]{}\"'#\n a1é]{0,6}",
    ) {
        let text = arch::text("isaac-ce").unwrap().0;
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        let damaged = format!("{}{with}{}", &text[..start], &text[end..]);
        if let Err(faults) = arch::parse(&damaged, "damaged.toml") {
            prop_assert!(faults.to_string().contains("damaged.toml"));
        }
    }
}

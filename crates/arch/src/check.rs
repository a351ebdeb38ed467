//! Checks between fields of a machine, and warnings.
//!
//! A contradiction is a fault, drawn at all fields that have a part in it. A choice that costs accuracy or time is a
//! warning: users may make it on purpose. Keys, types and ranges of single fields are checked before, by the schema.

use document::Document;

use crate::{Arch, FULL_PRECISION_BITS};

/// Returns the bits of a lossless ADC, which holds the largest sum of a column: (2^cell - 1)(2^dac - 1) per row.
/// Flipped encoding halves the largest sum of a column's cells, which saves a bit (ISAAC section V).
pub fn lossless_adc_bits(arch: &Arch) -> u32 {
    column_sum_bits(arch, arch.adc.flipped_encoding)
}

fn column_sum_bits(arch: &Arch, flipped_encoding: bool) -> u32 {
    let largest = |bits: u32| (1_u64 << bits) - 1;
    let cells = u64::from(arch.crossbar.rows) * largest(arch.crossbar.cell_bits);
    let sum = if flipped_encoding { cells / 2 } else { cells } * largest(arch.dac.bits);
    // A flipped column of a single one-bit cell sums to 0; an ADC has at least one bit.
    (u64::BITS - sum.leading_zeros()).max(1)
}

/// Returns a warning for an ADC too narrow for its sums, and for each kind of unit that makes an iteration last more
/// than a cycle.
pub fn warnings(arch: &Arch) -> Vec<String> {
    let mut warnings = Vec::new();
    if arch.adc.bits < lossless_adc_bits(arch) {
        let [plain, flipped] = [false, true].map(|flipped_encoding| column_sum_bits(arch, flipped_encoding));
        warnings.push(format!(
            "adc.bits = {} cannot hold a {}-row sum of {}-bit cells (needs {plain}, or {flipped} with flipped encoding)",
            arch.adc.bits, arch.crossbar.rows, arch.crossbar.cell_bits
        ));
    }
    let (converted, merged) = (arch.columns_per_adc(), arch.columns_per_shift_add());
    let units = [
        (
            "an ADC converts",
            arch.conversions_per_cycle().per_cycle(),
            converted,
            arch.conversion_cycles(converted),
            "adc.count or adc.rate_gsps",
        ),
        (
            "a shift-and-add merges",
            arch.shift_add.values_per_cycle.into(),
            merged,
            arch.merge_cycles(merged),
            "shift_add.count or shift_add.values_per_cycle",
        ),
    ];
    for (unit_does, per_cycle, columns, cycles, keys) in units {
        if cycles > 1 {
            warnings.push(format!(
                "{unit_does} {per_cycle} columns in a cycle and has {columns} for each read, \
                 so an iteration takes {cycles} cycles (raise {keys})"
            ));
        }
    }
    warnings
}

/// Adds a fault for each contradiction, at all fields that have a part in it.
pub(crate) fn contradictions(arch: &Arch, document: &mut Document) {
    board(arch, document);
    grid(arch, document);
    rates(arch, document);
    registers(arch, document);
}

fn board(arch: &Arch, document: &mut Document) {
    let (chips, columns) = (arch.board.chips, arch.board.columns);
    if !chips.is_multiple_of(columns) {
        document.fault(
            &["board.columns", "board.chips"],
            format!("board.chips = {chips} do not fill rows of board.columns = {columns}"),
            format!("give a number of columns that divides {chips}, or {} chips", chips.next_multiple_of(columns)),
        );
    }
    let links = arch.hyper_transport.links;
    let needed = match (chips, chips.div_ceil(columns)) {
        (1, _) => 0,
        (_, 1) => 2,
        _ => 4,
    };
    if links < needed {
        document.fault(
            &["hyper_transport.links", "board.chips", "board.columns"],
            format!("{chips} chips in rows of {columns} need {needed} links each, and hyper_transport.links = {links}"),
            if needed == 4 && links >= 2 {
                format!("give each chip 4 links, or put all in one row with board.columns = {chips}, which needs 2")
            } else {
                format!("give each chip {needed} links")
            },
        );
    }
}

fn grid(arch: &Arch, document: &mut Document) {
    let directions = [
        ("tile_columns", arch.chip.tile_columns, arch.router.tile_columns),
        ("tile_rows", arch.chip.tile_rows, arch.router.tile_rows),
    ];
    for (key, chip, router) in directions {
        if !chip.is_multiple_of(router) {
            document.fault(
                &[&format!("router.{key}"), &format!("chip.{key}")],
                format!("router.{key} = {router} does not divide chip.{key} = {chip}"),
                format!(
                    "give each router a block that divides the grid, or make chip.{key} {}",
                    chip.next_multiple_of(router)
                ),
            );
        }
    }
}

fn rates(arch: &Arch, document: &mut Document) {
    let cycle = arch.cycle_ns;
    let (converts, clock) = (arch.adc.rate_gsps, arch.router.clock_ghz);
    let carries = arch.hyper_transport.gigabytes_per_second;
    let rates = [
        (
            arch.conversions_per_cycle(),
            "adc.rate_gsps",
            format!("an ADC of {converts} Gsamples/s does not convert a column in a cycle of {cycle} ns"),
            1.0,
        ),
        (
            arch.flits_per_cycle(),
            "router.clock_ghz",
            format!("a router of {clock} GHz does not pass a flit in a cycle of {cycle} ns"),
            1.0,
        ),
        (
            arch.link_bits_per_cycle(),
            "hyper_transport.gigabytes_per_second",
            format!("a link of {carries} GB/s does not carry a bit in a cycle of {cycle} ns"),
            0.125,
        ),
    ];
    for (rate, key, problem, least) in rates {
        if rate.cycles(1) > 1 {
            let remedy = format!("give {key} at least {}, or a longer cycle", least / cycle);
            document.fault(&[key, "cycle_ns"], problem, remedy);
        }
    }
}

fn registers(arch: &Arch, document: &mut Document) {
    let rows = arch.crossbar.rows;
    let inputs = (rows * FULL_PRECISION_BITS).div_ceil(8);
    if arch.ima.input_register_bytes < inputs {
        document.fault(
            &["ima.input_register_bytes", "crossbar.rows"],
            format!(
                "ima.input_register_bytes = {} cannot hold the {rows} inputs of one crossbar, \
                 of {FULL_PRECISION_BITS} bits each",
                arch.ima.input_register_bytes
            ),
            format!("give it at least {inputs} bytes"),
        );
    }
    let results = arch.results_per_crossbar(FULL_PRECISION_BITS);
    let bytes = (results * arch.tile.partial_sum_bits).div_ceil(8);
    if arch.ima.output_register_bytes < bytes {
        document.fault(
            &["ima.output_register_bytes", "crossbar.columns", "crossbar.cell_bits", "tile.partial_sum_bits"],
            format!(
                "ima.output_register_bytes = {} cannot hold the {results} results of one crossbar, of {} bits each",
                arch.ima.output_register_bytes, arch.tile.partial_sum_bits
            ),
            format!("give it at least {bytes} bytes"),
        );
    }
    if arch.tile.output_register_bytes < arch.ima.output_register_bytes {
        document.fault(
            &["tile.output_register_bytes", "ima.output_register_bytes"],
            format!(
                "tile.output_register_bytes = {} cannot take what one IMA delivers, ima.output_register_bytes = {}",
                arch.tile.output_register_bytes, arch.ima.output_register_bytes
            ),
            format!("give it at least {} bytes", arch.ima.output_register_bytes),
        );
    }
}

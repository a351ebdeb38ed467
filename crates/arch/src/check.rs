//! Checks between fields of a machine, and warnings.
//!
//! A contradiction is a fault, drawn at all fields that have a part in it. A choice that costs accuracy or time is a
//! warning: users may make it on purpose. Keys, types and ranges of single fields are checked before, by the schema.
//! The rules of single blocks stand in their files.

use document::Document;

use crate::block::BLOCKS;
use crate::{Arch, Rate};

/// Returns the warnings of all blocks: an ADC too narrow for its sums, and units that make an iteration last more than
/// a cycle.
pub fn warnings(arch: &Arch) -> Vec<String> {
    BLOCKS.iter().flat_map(|block| (block.warnings)(arch)).collect()
}

/// Adds a fault for each contradiction, at all fields that have a part in it.
pub(crate) fn contradictions(arch: &Arch, document: &mut Document) {
    board(arch, document);
    for block in BLOCKS {
        (block.contradictions)(arch, document);
    }
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
}

/// Adds a fault if the rate given by `key` does not fill an action a cycle, for which it would have to be `least`.
pub(crate) fn one_action_a_cycle(document: &mut Document, rate: Rate, key: &str, problem: String, least: f64) {
    if rate.cycles(1) > 1 {
        document.fault(&[key, "cycle_ns"], problem, format!("give {key} at least {least}, or a longer cycle"));
    }
}

/// Returns a warning if a unit that handles `per_cycle` columns in a cycle, and has `columns` for each read, needs
/// several `cycles` for them. `keys` are those by which it would be faster.
pub(crate) fn longer_iteration(
    unit_does: &str,
    per_cycle: f64,
    columns: u32,
    cycles: u32,
    keys: &str,
) -> Option<String> {
    (cycles > 1).then(|| {
        format!(
            "{unit_does} {per_cycle} columns in a cycle and has {columns} for each read, \
             so an iteration takes {cycles} cycles (raise {keys})"
        )
    })
}

//! HyperTransport links between chips. ISAAC's draw power at all times, so their rated load has no actions.

use document::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::check::one_action_a_cycle;
use crate::{Arch, Rate};

pub(crate) const BLOCK: Block = Block {
    name: "hyper_transport",
    table_row: Some(15),
    scope: Scope::Chip,
    units: |arch| arch.hyper_transport.links.into(),
    mm2_per_unit: |arch| arch.area.hyper_transport.hyper_transport_link.mm2,
    action: "bits",
    actions: |_, counts| counts.link_bits,
    pj_per_action: |arch| arch.energy.hyper_transport.hyper_transport_bit.pj,
    static_mw: Some(|arch| arch.static_power.hyper_transport.mw),
    contradictions: |arch, document| {
        reach_all_neighbours(arch, document);
        let (carries, cycle) = (arch.hyper_transport.gigabytes_per_second, arch.cycle_ns);
        let problem = format!("a link of {carries} GB/s does not carry a bit in a cycle of {cycle} ns");
        let (rate, key) = (arch.link_bits_per_cycle(), "hyper_transport.gigabytes_per_second");
        one_action_a_cycle(document, rate, key, problem, 0.125 / cycle);
    },
    ..Block::BLANK
};

entries! {
    /// One bit over one chip-to-chip link.
    energy.hyper_transport_bit,
    /// One chip-to-chip link.
    area.hyper_transport_link,
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

impl Arch {
    /// Returns the rate of a chip-to-chip link, bits per cycle and direction.
    pub fn link_bits_per_cycle(&self) -> Rate {
        Rate::new(8, self.hyper_transport.gigabytes_per_second, self.cycle_ns)
    }
}

/// Returns the links that a chip needs to reach its neighbours in a grid of `chips` chips in rows of `columns`.
fn links_needed(chips: u32, columns: u32) -> u32 {
    match (chips, chips.div_ceil(columns)) {
        (1, _) => 0,
        (_, 1) => 2,
        _ => 4,
    }
}

fn reach_all_neighbours(arch: &Arch, document: &mut Document) {
    let (chips, columns, links) = (arch.board.chips, arch.board.columns, arch.hyper_transport.links);
    let needed = links_needed(chips, columns);
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

#[cfg(test)]
mod tests {
    use super::links_needed;

    #[test]
    fn a_row_of_chips_needs_two_links_each_and_a_grid_four() {
        assert_eq!([(1, 1), (4, 4), (4, 2), (4, 1)].map(|(chips, columns)| links_needed(chips, columns)), [0, 2, 4, 4]);
    }
}

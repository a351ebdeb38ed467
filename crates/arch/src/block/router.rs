//! Routers of the concentrated mesh, each for a rectangle of tiles.

use document::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Block, Scope};
use crate::check::one_action_a_cycle;
use crate::{Arch, Rate};

pub(crate) const BLOCK: Block = Block {
    name: "router",
    table_row: Some(3),
    scope: Scope::Router,
    mm2_per_unit: |arch| arch.area.router.router.mm2,
    action: "flit hops",
    actions: |_, counts| counts.router_flit_hops,
    pj_per_action: |arch| arch.energy.router.router_flit.pj,
    rated_actions: |arch| {
        // A port for each of its tiles and four for its neighbours.
        let ports = f64::from(arch.router.tile_columns * arch.router.tile_rows + 4);
        ports * arch.flits_per_cycle().per_cycle()
    },
    contradictions: |arch, document| {
        divides_grid(arch, document);
        let (clock, cycle) = (arch.router.clock_ghz, arch.cycle_ns);
        let problem = format!("a router of {clock} GHz does not pass a flit in a cycle of {cycle} ns");
        one_action_a_cycle(document, arch.flits_per_cycle(), "router.clock_ghz", problem, 1.0 / cycle);
    },
    ..Block::BLANK
};

entries! {
    /// One flit through one router.
    energy.router_flit,
    /// One router.
    area.router,
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
    /// A value that several tiles receive takes each port and link once, and is copied where its routes part; otherwise
    /// it is sent to each of them. True where the file says nothing.
    #[serde(default = "yes")]
    pub multicast: bool,
    /// Flits per ns on one link (GHz).
    #[schemars(range(min = 1e-6, max = 1000.0))]
    pub clock_ghz: f64,
}

fn yes() -> bool {
    true
}

impl Arch {
    /// Returns the rate of one port of a router, flits per cycle.
    pub fn flits_per_cycle(&self) -> Rate {
        Rate::new(1, self.router.clock_ghz, self.cycle_ns)
    }
}

fn divides_grid(arch: &Arch, document: &mut Document) {
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

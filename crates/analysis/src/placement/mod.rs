//! Search for a placement in which no router port and no link holds the crossbars up.
//!
//! The search moves tiles with all that they hold. Buses, eDRAM ports, crossbars and the ports between tiles and their
//! routers keep their loads; of these, the busiest one sets the *pace*. A port between routers, or a link, is overloaded
//! if it takes more than 95 % of the pace. The search ends as soon as none is.
//!
//! 1. Flows: the traffic between tiles, from the trees of the layout. Under unicast it is exact to the flit.
//! 2. Boundaries of chips: the tiles stay in their order, and the free tiles are shared out to the ends of the chips.
//!    Large blocks of tiles must be on the right chip before tiles are exchanged.
//! 3. Exchanges of equally long runs of tiles, which cut no replica. One run holds a tile that sends or receives over an
//!    overloaded port. Free tiles are exchanged like all others, so gaps come by themselves. An exchange stays if the
//!    overload is not much above the least so far (record-to-record travel: Dueck, Journal of Computational Physics,
//!    1993). Only flows of the tiles exchanged are worked out again.
//!
//! Overload is the sum of squares, over all ports, of the time above the limit, in whole numbers. Starts differ in
//! the seed of the generator. Work is counted in exchanges, so the result depends neither on time nor on threads.
//! The result should be simulated: a bound says what cannot be faster, not what is.

mod arrangement;
mod flows;
mod loads;
mod random;

use arch::Arch;
use index::{IndexVec, size};
use mapper::{Layout, Mapping};

use crate::Bound;
use arrangement::{Arrangement, Tiles};
use flows::{FlowId, Flows, PlanId};
use loads::Loads;
use random::Random;

/// Part of the pace that a port between routers, and a link, may take, in percent.
const LIMIT_PERCENT: u64 = 95;
/// Exchanges that a start tries without a gain before it ends.
const PATIENCE: u32 = 1000;
/// Exchanges tried without a gain before the flows over overloaded ports are found anew.
const FRESH: u32 = 200;
/// An exchange stays if the overload is at most the least of its start, and the part 1 / `TOLERATED` of it more.
const TOLERATED: u128 = 8;
/// Distance from a tile, in places, that counts as near.
const NEAR: u32 = 12;
/// Parts into which a range of gaps is divided.
const STEPS: u32 = 8;

/// Result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The mapping with its replicas moved; the mapping given if nothing had to be moved or nothing was gained.
    pub mapping: Mapping,
    /// True if no port between routers and no link takes longer than the pace allows.
    pub keeps_pace: bool,
    /// Starts that were needed.
    pub starts: u32,
    /// Boundaries of chips that were tried.
    pub boundaries: u32,
    /// Exchanges that were tried.
    pub exchanges: u32,
}

/// Searches a placement of the tiles of `layouts` on the first `chips` chips of the board. The layouts are those of one
/// mapping, each under another plan; all of them count. There are at most `starts` starts.
///
/// # Panics
/// If there is no layout, or the mapping occupies more chips.
pub fn place(arch: &Arch, layouts: &[&Layout], chips: u32, starts: u32) -> Placement {
    let first = layouts.first().expect("there is a layout");
    let flows = Flows::new(arch, layouts);
    let paces: IndexVec<PlanId, u64> = (0..)
        .zip(layouts)
        .map(|(plan, layout)| pace(arch, layout).max(flows.busiest_tile_port(PlanId(plan))))
        .collect();
    let limits = paces.iter().map(|pace| pace * LIMIT_PERCENT / 100).collect();
    let tiles = Tiles::new(arch, first, chips);
    let mut search = Search {
        flows: &flows,
        arrangement: Arrangement::unchanged(&tiles),
        loads: Loads::new(arch, &flows, &limits),
        boundaries: 0,
        exchanges: 0,
    };
    search.loads.arrange(&search.arrangement);
    let mut best = (search.loads.overload(), search.arrangement.clone());
    let keeps_pace = |loads: &Loads| paces.enumerate().all(|(plan, &pace)| loads.busiest(plan) <= pace);
    let mut needed = 0;
    let mut reached = keeps_pace(&search.loads);
    if !reached {
        search.move_boundaries(&tiles);
        let begin = search.arrangement.clone();
        while needed < starts && best.0 > 0 {
            search.arrangement.clone_from(&begin);
            search.loads.arrange(&begin);
            let found = search.exchange(&tiles, Random(needed.into()));
            if found.0 < best.0 {
                best = found;
            }
            needed += 1;
        }
        search.loads.arrange(&best.1);
        reached = keeps_pace(&search.loads);
    }
    Placement {
        mapping: best.1.apply(arch, &first.mapping),
        keeps_pace: reached,
        starts: needed,
        boundaries: search.boundaries,
        exchanges: search.exchanges,
    }
}

/// Returns the time that the busiest resource which no placement changes is needed, in thousandths of a cycle.
fn pace(arch: &Arch, layout: &Layout) -> u64 {
    let bound = Bound::new(arch, layout, false);
    let mut fixed = bound.resources.iter().filter(|of| !of.kind.depends_on_placement());
    let cycles = fixed.next().map_or(0.0, |busiest| busiest.cycles);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cycles are not negative")]
    let thousandths = (1000.0 * cycles) as u64;
    thousandths
}

/// A search under way.
struct Search<'a> {
    flows: &'a Flows,
    arrangement: Arrangement<'a>,
    loads: Loads<'a>,
    boundaries: u32,
    exchanges: u32,
}

impl<'a> Search<'a> {
    /// Keeps the tiles in their order and chooses the free places at the end of each chip, chip by chip: first in large
    /// steps, then in smaller ones around the best.
    fn move_boundaries(&mut self, tiles: &'a Tiles) {
        let mut gaps = vec![0; tiles.chips()];
        let may_cross = Arrangement::in_order(tiles, &gaps, false).is_none();
        let mut least = self.loads.overload();
        for chip in 0..gaps.len().saturating_sub(1) {
            let others = gaps.iter().sum::<u32>() - gaps[chip];
            let most = tiles.free() - others;
            let (mut low, mut high) = (0, most);
            loop {
                let step = (high - low).div_ceil(STEPS).max(1);
                for gap in (low..=high).step_by(size(step)) {
                    let tried = [&gaps[..chip], &[gap], &gaps[chip + 1..]].concat();
                    let Some(arrangement) = Arrangement::in_order(tiles, &tried, may_cross) else { continue };
                    self.loads.arrange(&arrangement);
                    self.boundaries += 1;
                    if self.loads.overload() < least {
                        (least, self.arrangement, gaps) = (self.loads.overload(), arrangement, tried);
                    }
                }
                if step == 1 {
                    break;
                }
                (low, high) = (gaps[chip].saturating_sub(step - 1), (gaps[chip] + step - 1).min(most));
            }
        }
    }

    /// Exchanges runs of tiles until no port is overloaded or nothing is gained any more. Returns the least overload and its arrangement.
    fn exchange(&mut self, tiles: &Tiles, mut random: Random) -> (u128, Arrangement<'a>) {
        let mut best = (self.loads.overload(), self.arrangement.clone());
        let mut overloading = self.loads.overloading(&self.arrangement);
        let mut since = 0;
        while best.0 > 0 && since < PATIENCE {
            since += 1;
            if since % FRESH == 0 {
                overloading = self.loads.overloading(&self.arrangement);
            }
            let Some((a, b, length)) = self.propose(tiles, &mut random, &overloading) else { continue };
            self.exchanges += 1;
            self.loads.exchange(&mut self.arrangement, a, b, length);
            let overload = self.loads.overload();
            if overload < best.0 {
                best = (overload, self.arrangement.clone());
                overloading = self.loads.overloading(&self.arrangement);
                since = 0;
            } else if overload > best.0 + best.0 / TOLERATED {
                self.loads.take_back(&mut self.arrangement, a, b, length);
            }
        }
        best
    }

    /// Chooses two runs to be exchanged: (place, place, length).
    fn propose(&self, tiles: &Tiles, random: &mut Random, overloading: &[FlowId]) -> Option<(u32, u32, u32)> {
        let flow = self.flows.flow(*random.of(overloading));
        let receiver = *random.of(&flow.to);
        let (moved, other) = if random.below(2) == 0 { (flow.from, receiver) } else { (receiver, flow.from) };
        let mut run = self.arrangement.bundle(self.arrangement.place(moved).0);
        if random.below(2) == 0 && run.end < tiles.len() {
            let further = (run.end + random.below(NEAR)).min(tiles.len() - 1);
            run.end = self.arrangement.bundle(further).end;
        }
        if !self.arrangement.is_movable(&run) {
            return None;
        }
        let start = if random.below(2) == 0 {
            (self.arrangement.place(other).0 + random.below(NEAR)).saturating_sub(NEAR)
        } else {
            random.below(tiles.len())
        };
        let length = run.end - run.start;
        let mut targets = (start..start + 2 * NEAR).map(|start| start..start + length);
        let target = targets.find(|target| {
            let is_disjoint = target.end <= run.start || run.end <= target.start;
            is_disjoint && self.arrangement.is_movable(target)
        })?;
        Some((run.start, target.start, length))
    }
}

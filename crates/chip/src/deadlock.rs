//! Explanation of a run that stopped before its last image: a ring of parts, each of which waits for the next.
//!
//! Each tile reports its waiting parts and, for each, the things waited for. These are resolved to the parts of tiles
//! that provide them, and a depth-first search finds a ring. `docs/model.md` ("Why no ring of waits can close") argues
//! that valid layouts have none.

use std::collections::BTreeMap;
use std::fmt;

use components::{Awaited, Part, PartAddress, Policy, Tile, Waiting};
use des::Cycle;
use index::Index;
use mapper::{Layout, ReplicaId, TileId};

use crate::Board;
use crate::wiring::Wiring;

/// Waits of a ring that the explanation shows; further ones are counted.
const SHOWN: usize = 8;

/// A run that cannot continue. The text of the error takes one line; [`Deadlock::explanation`] names the ring.
#[derive(Clone, Debug)]
pub struct Deadlock {
    /// Last cycle in which a tile was active.
    cycle: Cycle,
    /// Images finished, and images that must finish.
    images: (u32, u32),
    /// All parts that wait.
    waiting: Vec<Waiting>,
    /// Indices in `waiting`: each part waits for the next, and the last for the first. If no ring was found, the
    /// longest chain, whose last part waits for nothing known.
    ring: Vec<usize>,
    /// True if the last part of `ring` waits for the first.
    pub closed: bool,
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, of) = self.images;
        write!(f, "deadlock after cycle {}, with {done} of {of} images done", self.cycle)?;
        match self.ring.first().map(|&first| &self.waiting[first]) {
            Some(Waiting { unit, waits_for, .. }) => {
                write!(f, ": {unit} waits for {waits_for}, first of {} in a ring", self.ring.len())
            }
            None => Ok(()),
        }
    }
}

impl std::error::Error for Deadlock {}

impl Deadlock {
    /// Finds the ring of waits on a board that has stopped.
    pub(crate) fn find(
        layout: &Layout,
        wiring: &Wiring,
        board: &Board<impl Policy>,
        cycle: Cycle,
        images: (u32, u32),
    ) -> Self {
        let waiting: Vec<Waiting> = board.tiles.iter().flat_map(Tile::waiting).collect();
        for Waiting { unit, waits_for, .. } in &waiting {
            tracing::info!("{unit} waits for {waits_for}");
        }
        let numbers: BTreeMap<(TileId, Part), usize> =
            waiting.iter().enumerate().map(|(number, waiting)| ((waiting.tile, waiting.part), number)).collect();
        let next: Vec<Vec<usize>> = waiting
            .iter()
            .map(|waiting| {
                let parts = waiting.awaited.iter().flat_map(|&awaited| parts(awaited, layout, wiring, board));
                parts.filter_map(|part| numbers.get(&part).copied()).collect()
            })
            .collect();
        let (ring, closed) = ring(&next);
        Self { cycle, images, waiting, ring, closed }
    }

    /// Describes the ring of waits, in at most 12 lines.
    pub fn explanation(&self) -> String {
        let (done, of) = self.images;
        let mut text = format!("deadlock after cycle {}, with {done} of {of} images done; ", self.cycle);
        text +=
            if self.closed { "these wait for each other:\n" } else { "the last of these waits for nothing known:\n" };
        for &number in self.ring.iter().take(SHOWN) {
            let Waiting { unit, waits_for, .. } = &self.waiting[number];
            text += &format!("  {unit} waits for {waits_for}\n");
        }
        if self.ring.len() > SHOWN {
            text += &format!("  and {} more\n", self.ring.len() - SHOWN);
        }
        let groups = self.waiting.iter().filter(|waiting| matches!(waiting.part, Part::Group(_))).count();
        let registers = self.waiting.len() - groups;
        text + &format!("{groups} groups of IMAs and {registers} output registers wait; -v lists them all")
    }
}

/// Parts of tiles that provide the thing waited for, as (tile, part).
fn parts(awaited: Awaited, layout: &Layout, wiring: &Wiring, board: &Board<impl Policy>) -> Vec<(TileId, Part)> {
    let register = |PartAddress { tile, part }| (tile, Part::Register(part));
    match awaited {
        Awaited::Part(tile, part) => vec![(tile, part)],
        Awaited::Room { tile, inputs } => {
            board.tiles[tile.index()].slowest_readers(inputs).into_iter().map(|part| (tile, part)).collect()
        }
        Awaited::Position { map, y, x } => {
            let Some((producer, _)) = layout.maps[map].source else { return Vec::new() };
            let Some(finish) = layout.finishes(map).and_then(|finishes| finishes.at(y, x)) else { return Vec::new() };
            wiring.accumulators(producer, finish.replica).iter().copied().map(register).collect()
        }
        Awaited::Pool { layer, feeder, group, image } => {
            let of = &layout.layers[layer];
            let is_fed = |replica: &ReplicaId| {
                of.levels.iter().any(|level| level.window_feeders(*replica).any(|of| of == feeder))
            };
            let fed = of.replicas.indices().filter(is_fed);
            let accumulators = fed.map(|replica| wiring.accumulators(layer, replica)[group.index()]);
            let pools = accumulators.map(|PartAddress { tile, part }| &board.tiles[tile.index()].parts()[part]);
            let late = pools.filter(|pool| pool.pool_images().is_some_and(|images| images <= image));
            // A late pool waits for the windows of its feeders.
            let feeders = late.flat_map(|pool| pool.spec().feeders.iter().flatten().copied());
            feeders.map(register).collect()
        }
    }
}

/// Finds a ring in the graph `next` (edges by node). Without a ring, returns the longest path of the search, and false.
fn ring(next: &[Vec<usize>]) -> (Vec<usize>, bool) {
    let mut seen = vec![false; next.len()];
    let mut longest = Vec::new();
    for start in 0..next.len() {
        // Path of the search: nodes, and the number of edges tried at each.
        let mut way: Vec<(usize, usize)> = Vec::new();
        if !seen[start] {
            seen[start] = true;
            way.push((start, 0));
        }
        while let Some(&mut (at, ref mut tried)) = way.last_mut() {
            let Some(&to) = next[at].get(*tried) else {
                if way.len() > longest.len() {
                    longest = way.iter().map(|&(at, _)| at).collect();
                }
                way.pop();
                continue;
            };
            *tried += 1;
            if let Some(first) = way.iter().position(|&(at, _)| at == to) {
                return (way[first..].iter().map(|&(at, _)| at).collect(), true);
            }
            if !seen[to] {
                seen[to] = true;
                way.push((to, 0));
            }
        }
    }
    (longest, false)
}

#[cfg(test)]
mod tests {
    use super::ring;

    #[test]
    fn a_ring_is_found_behind_dead_ends() {
        // 0 waits for 1, which waits for nobody; 2 leads into the ring 3, 4, 5.
        let next = [vec![1], vec![], vec![1, 3], vec![4], vec![0, 5], vec![3]];
        assert_eq!(ring(&next), (vec![3, 4, 5], true));
    }

    #[test]
    fn without_a_ring_the_longest_chain_is_shown() {
        assert_eq!(ring(&[vec![1], vec![2], vec![]]), (vec![0, 1, 2], false));
        assert_eq!(ring(&[]), (vec![], false));
    }
}

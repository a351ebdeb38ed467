//! Arrangements: which tile of a layout lies where.
//!
//! A tile moves with all that it holds. Tiles that share a replica are tied: they move together and stay in order.

use std::ops::Range;

use arch::Arch;
use index::{IndexVec, size};
use mapper::{Layout, Mapping, TileId};

/// Tiles that are tied to each other, all of which hold something.
type Bundle = Range<u32>;

/// Places of the tiles of a layout, on the first chips of a board.
#[derive(Clone)]
pub(super) struct Arrangement<'a> {
    tiles: &'a Tiles,
    /// Tile at each place.
    at: IndexVec<TileId, TileId>,
    /// Place of each tile.
    place: IndexVec<TileId, TileId>,
}

/// Tiles of a layout.
pub(super) struct Tiles {
    per_chip: u32,
    /// True for a tile that shares a replica with the next one.
    tied: IndexVec<TileId, bool>,
    /// Tiles that hold something, in order.
    bundles: Vec<Bundle>,
}

impl Tiles {
    /// Finds the tiles of `layout` that are tied, among those of the first `chips` chips.
    pub(super) fn new(arch: &Arch, layout: &Layout, chips: u32) -> Self {
        let tiles = size(chips * arch.tiles_per_chip());
        let mut tied = IndexVec::filled(false, tiles);
        let mut used: IndexVec<TileId, bool> = IndexVec::filled(false, tiles);
        for layer in &layout.layers {
            for &first in &layer.replicas {
                let last = first + layer.geometry.imas_per_replica() - 1;
                let (first, last) = (first / arch.tile.imas, last / arch.tile.imas);
                (first..=last).for_each(|tile| used[TileId(tile)] = true);
                (first..last).for_each(|tile| tied[TileId(tile)] = true);
            }
        }
        let mut bundles: Vec<Bundle> = Vec::new();
        for (tile, _) in used.enumerate().filter(|(_, used)| **used) {
            match bundles.last_mut() {
                Some(bundle) if bundle.end == tile.0 && tied[TileId(tile.0 - 1)] => bundle.end += 1,
                _ => bundles.push(tile.0..tile.0 + 1),
            }
        }
        Self { per_chip: arch.tiles_per_chip(), tied, bundles }
    }

    /// Returns the number of tiles, free ones included.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.tied.len()).expect("a board has fewer than 2^32 tiles")
    }

    /// Returns the number of chips.
    pub(super) fn chips(&self) -> usize {
        size(self.len() / self.per_chip)
    }

    /// Returns the number of free tiles.
    pub(super) fn free(&self) -> u32 {
        self.len() - self.bundles.iter().map(|bundle| bundle.end - bundle.start).sum::<u32>()
    }
}

impl<'a> Arrangement<'a> {
    /// Every tile in its place.
    pub(super) fn unchanged(tiles: &'a Tiles) -> Self {
        let at: IndexVec<TileId, TileId> = tiles.tied.indices().collect();
        Self { tiles, place: at.clone(), at }
    }

    /// The tiles in their order, with at least `gaps` free places at the end of each chip, where no bundle that fits a
    /// chip lies across two. `None` if that takes too many places, unless they `may_cross`.
    pub(super) fn in_order(tiles: &'a Tiles, gaps: &[u32], may_cross: bool) -> Option<Self> {
        let per_chip = tiles.per_chip;
        let mut place: IndexVec<TileId, Option<TileId>> = IndexVec::filled(None, tiles.tied.len());
        let mut taken: IndexVec<TileId, bool> = IndexVec::filled(false, tiles.tied.len());
        let (mut end, mut spare) = (0, tiles.free());
        for bundle in &tiles.bundles {
            let length = bundle.end - bundle.start;
            let room = per_chip - end % per_chip;
            if length <= per_chip && room < length + gaps[size(end / per_chip)] {
                if room <= spare {
                    end += room;
                    spare -= room;
                } else if !may_cross {
                    return None;
                }
            }
            for (tile, at) in bundle.clone().zip(end..) {
                place[TileId(tile)] = Some(TileId(at));
                taken[TileId(at)] = true;
            }
            end += length;
        }
        let mut free = taken.enumerate().filter(|(_, taken)| !**taken).map(|(place, _)| place);
        let place = place.into_iter().map(|place| place.or_else(|| free.next()).expect("as many places as tiles"));
        let place: IndexVec<TileId, TileId> = place.collect();
        let mut at = place.clone();
        place.enumerate().for_each(|(tile, &place)| at[place] = tile);
        Some(Self { tiles, at, place })
    }

    /// Returns the place of a tile.
    #[inline]
    pub(super) fn place(&self, tile: TileId) -> TileId {
        self.place[tile]
    }

    /// Returns the tile at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> TileId {
        self.at[TileId(place)]
    }

    /// Returns the places of the tiles that are tied to the one at `place`.
    pub(super) fn bundle(&self, place: u32) -> Range<u32> {
        let (mut start, mut end) = (place, place + 1);
        while !self.is_cut(start) {
            start -= 1;
        }
        while !self.is_cut(end) {
            end += 1;
        }
        start..end
    }

    /// True if no tiles are tied across the start of `place`.
    fn is_cut(&self, place: u32) -> bool {
        place == 0 || !self.tiles.tied[self.at(place - 1)]
    }

    /// True if `run` can be moved as a whole: it lies on one chip and ties no tile to one outside.
    pub(super) fn is_movable(&self, run: &Range<u32>) -> bool {
        run.end <= self.tiles.len()
            && run.start / self.tiles.per_chip == (run.end - 1) / self.tiles.per_chip
            && self.is_cut(run.start)
            && self.is_cut(run.end)
    }

    /// Exchanges the tiles of two runs of `length` places, which do not overlap.
    pub(super) fn exchange(&mut self, a: u32, b: u32, length: u32) {
        for (a, b) in (a..a + length).zip(b..b + length) {
            let (tile_a, tile_b) = (self.at(a), self.at(b));
            (self.at[TileId(a)], self.at[TileId(b)]) = (tile_b, tile_a);
            (self.place[tile_a], self.place[tile_b]) = (TileId(b), TileId(a));
        }
    }

    /// Returns `mapping` with its replicas where their tiles now lie.
    pub(super) fn apply(&self, arch: &Arch, mapping: &Mapping) -> Mapping {
        let mut mapping = mapping.clone();
        for first in mapping.layers.iter_mut().flat_map(|layer| &mut layer.replicas) {
            let per_tile = arch.tile.imas;
            *first = self.place(TileId(*first / per_tile)).0 * per_tile + *first % per_tile;
        }
        mapping
    }
}

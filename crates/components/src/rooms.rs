use des::{Cycle, Fingerprint, Recurrent};
use index::IndexVec;
use mapper::TileId;

use crate::RoomId;

/// Room table of the board: for each input slice, the positions that producers may have sent.
///
/// Takes the place of credit messages from consumers to producers. A limit raised in a cycle is seen from the next
/// cycle on, as a message would be, so the order in which tiles are evaluated does not matter. A producer that finds no
/// room registers, and is woken once, after the next rise. Slices are numbered over the board.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    limits: IndexVec<RoomId, Limit>,
    /// For each slice, the tiles that wait for room, numbered over the board.
    waiting: IndexVec<RoomId, Vec<TileId>>,
}

/// Limit of a slice: positions that may have been sent, counted over all images.
#[derive(Clone, Copy, Debug)]
struct Limit {
    now: u32,
    /// The limit at the start of cycle `raised_at`.
    before: u32,
    raised_at: Cycle,
}

impl Rooms {
    /// A table of slices with these first limits.
    pub fn new(limits: impl IntoIterator<Item = u32>) -> Self {
        let limits: IndexVec<_, _> = limits.into_iter().map(|now| Limit { now, before: now, raised_at: 0 }).collect();
        Self { waiting: IndexVec::filled(Vec::new(), limits.len()), limits }
    }

    /// Limit of `slice` as seen in cycle `now`: positions that may have been sent, counted over all images.
    #[inline]
    pub(crate) fn limit(&self, slice: RoomId, now: Cycle) -> u32 {
        let limit = self.limits[slice];
        if limit.raised_at == now { limit.before } else { limit.now }
    }

    /// Raises the limit of `slice` in cycle `now`. Returns the tiles that waited, to be woken in the next cycle.
    pub(crate) fn raise(&mut self, slice: RoomId, to: u32, now: Cycle) -> Vec<TileId> {
        let limit = &mut self.limits[slice];
        *limit =
            Limit { now: to, before: if limit.raised_at == now { limit.before } else { limit.now }, raised_at: now };
        std::mem::take(&mut self.waiting[slice])
    }

    /// Registers `tile` to be woken by the next rise of `slice`. If the limit has been raised in this cycle, returns
    /// true and does not register: the tile should look again in the next cycle.
    pub(crate) fn wait(&mut self, slice: RoomId, tile: TileId, now: Cycle) -> bool {
        if self.limits[slice].raised_at == now {
            return true;
        }
        let waiting = &mut self.waiting[slice];
        if !waiting.contains(&tile) {
            waiting.push(tile);
        }
        false
    }
}

impl Recurrent for Rooms {
    fn state(&self, print: &mut Fingerprint) {
        // From the next cycle on, limits are those of the slices, which have them in their own state.
        let Self { limits: _, waiting } = self;
        for tiles in waiting {
            print.unordered(tiles, |tile, print| print.number(tile.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    #[test]
    fn a_rise_is_seen_in_the_next_cycle_and_not_in_its_own() {
        let mut rooms = Rooms::new([3, 3]);
        assert!(rooms.raise(RoomId(1), 5, 10).is_empty());
        assert_eq!((rooms.limit(RoomId(1), 10), rooms.limit(RoomId(1), 11), rooms.limit(RoomId(0), 11)), (3, 5, 3));
        rooms.raise(RoomId(1), 6, 10);
        assert_eq!((rooms.limit(RoomId(1), 10), rooms.limit(RoomId(1), 11)), (3, 6), "twice in a cycle");
    }

    #[test]
    fn who_waits_is_woken_once_by_a_rise_before_or_after() {
        let mut rooms = Rooms::new([3]);
        assert!([7, 7, 2].map(TileId).into_iter().all(|tile| !rooms.wait(RoomId(0), tile, 9)));
        assert_eq!(rooms.raise(RoomId(0), 4, 9), [TileId(7), TileId(2)]);
        assert!(rooms.wait(RoomId(0), TileId(7), 9), "it saw the limit before the rise of this cycle");
        assert!(rooms.raise(RoomId(0), 5, 10).is_empty(), "and need not be woken twice");
    }

    #[test]
    fn who_waits_for_which_slice_is_state_and_the_order_is_not() {
        let add = |rooms: &Rooms, print: &mut Fingerprint| rooms.state(print);
        assert_told_apart(
            &Rooms::new([3, 3]),
            add,
            &[
                |rooms| _ = rooms.wait(RoomId(0), TileId(7), 9),
                |rooms| _ = rooms.wait(RoomId(1), TileId(7), 9),
                |rooms| _ = rooms.wait(RoomId(1), TileId(8), 9),
            ],
        );
        let hash = |tiles: [u32; 2]| {
            let (mut rooms, mut print) = (Rooms::new([3]), Fingerprint::new(10, 0));
            for tile in tiles {
                _ = rooms.wait(RoomId(0), TileId(tile), 9);
            }
            rooms.state(&mut print);
            print.hash()
        };
        assert_eq!(hash([1, 2]), hash([2, 1]));
    }
}

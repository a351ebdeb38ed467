//! An untimed play of a network to its end, with the room that the buffers of a layout have.
//!
//! Where paths of a network meet, buffers that are too small stop the pipeline for ever. Windows are tokens here: a
//! replica reads its next window as soon as the inputs have been sent, merges the operands of joins, and sends the
//! positions that it finishes as soon as all their destinations have room. The order of moves does not matter for what
//! stops, so one play decides for every timing. A replica has one window at a time, which is less than the machine
//! allows; a layout that plays to the end with less room does so with more.

use std::collections::{BTreeMap, BTreeSet};

use index::{IndexVec, count, size};
use network::{Axes, Layer, LayerId, MapId};

use crate::ids::Position;
use crate::{Capacities, InputOrder, Layout, Level, LevelId, Reader, ReplicaId, SliceId, Window};

index::index! {
    /// A replica of the board.
    struct PlayerId(u32);
    /// An input slice of the board.
    struct RoomId(u32);
}

/// Images of a play: the second begins while the first is under way.
const IMAGES: u32 = 2;

/// A slice without room for a position that nothing can make room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Layer that reads the slice.
    pub(crate) layer: LayerId,
    /// The slice.
    pub(crate) slice: SliceId,
}

/// Plays `layout` to the end of its images.
pub(crate) fn play(layout: &Layout, capacities: &Capacities) -> Result<(), Stop> {
    let mut play = Play::new(layout, capacities);
    while let Some(player) = play.movable.pop() {
        play.advance(player);
    }
    // Of the slices that positions wait for, one that a join or another path keeps from making room comes first.
    let mut blocked = play.rooms.iter().filter(|room| !room.blocked.is_empty()).map(|room| room.of);
    let first = blocked.clone().find(|stop| layout.layers[stop.layer].waits_for_several());
    match first.or_else(|| blocked.next()) {
        Some(stop) => Err(stop),
        None => Ok(()),
    }
}

/// A replica in play.
struct Player {
    layer: LayerId,
    replica: ReplicaId,
    /// Windows read and merged so far, over all images.
    read: u32,
    merged: u32,
    /// Finished positions that have not been sent: image, step, map, position.
    leaving: BTreeSet<(u32, u32, MapId, u32)>,
}

/// Room of an input slice.
struct Room<'a> {
    of: Stop,
    order: &'a InputOrder,
    /// Positions that there is room for.
    held: u32,
    /// Positions that may have been sent, over all images.
    limit: u32,
    readers: Vec<PlayerId>,
    /// Players with a position that finds no room.
    blocked: Vec<PlayerId>,
}

struct Play<'a> {
    layout: &'a Layout,
    players: IndexVec<PlayerId, Player>,
    /// First player of each layer.
    first: IndexVec<LayerId, u32>,
    rooms: IndexVec<RoomId, Room<'a>>,
    /// First room of each layer.
    first_room: IndexVec<LayerId, u32>,
    /// Rooms of the slices that each player reads, for crossbars and for the output register.
    reads: IndexVec<PlayerId, [Vec<RoomId>; 2]>,
    /// True for each position that has been sent, image by image.
    sent: IndexVec<MapId, Vec<bool>>,
    /// Players that wait for a position: map, image times positions plus position.
    waiting: BTreeMap<(MapId, u32), Vec<PlayerId>>,
    /// Values that each position of a level with a pool misses, image by image.
    missing: IndexVec<LayerId, IndexVec<LevelId, Vec<u32>>>,
    movable: Vec<PlayerId>,
}

impl<'a> Play<'a> {
    fn new(layout: &'a Layout, capacities: &Capacities) -> Self {
        let (mut players, mut first) = (IndexVec::default(), IndexVec::default());
        for (layer, of) in layout.layers.enumerate() {
            first.push(u32::try_from(players.len()).expect("a board has fewer than 2^32 replicas"));
            for replica in of.replicas.indices() {
                players.push(Player { layer, replica, read: 0, merged: 0, leaving: BTreeSet::new() });
            }
        }
        let (mut rooms, mut first_room) = (IndexVec::default(), IndexVec::default());
        let mut reads = IndexVec::filled([Vec::new(), Vec::new()], players.len());
        for (layer, of) in layout.layers.enumerate() {
            first_room.push(u32::try_from(rooms.len()).expect("slices are numbered in 32 bits"));
            for (number, slice) in of.slices.enumerate() {
                let with_windows = slice.replicas.iter().filter(|&&replica| !of.windows(replica).is_empty());
                let readers: Vec<PlayerId> = with_windows.map(|replica| PlayerId(first[layer] + replica.0)).collect();
                let held = slice.order.held(Some(capacities[layer][number]));
                let room = rooms.push(Room {
                    of: Stop { layer, slice: number },
                    order: &slice.order,
                    held,
                    limit: slice.order.limit(held, 0),
                    readers: readers.clone(),
                    blocked: Vec::new(),
                });
                for reader in readers {
                    reads[reader][usize::from(slice.reader == Reader::Register)].push(room);
                }
            }
        }
        let sent = layout.maps.iter().map(|map| vec![map.source.is_none(); size(map.positions() * IMAGES)]);
        let of_level = |level: &Level| {
            if level.pool.is_none() {
                return Vec::new();
            }
            let missing = |finish: Option<crate::Finish>| {
                finish.map_or(0, |finish| level.contributions(finish.replica)[size(finish.ordinal)])
            };
            level.finishes.iter().map(missing).collect::<Vec<u32>>().repeat(size(IMAGES))
        };
        let missing = layout.layers.iter().map(|layer| layer.levels.iter().map(of_level).collect());
        Self {
            layout,
            movable: players.indices().rev().collect(),
            players,
            first,
            rooms,
            first_room,
            reads,
            sent: sent.collect(),
            waiting: BTreeMap::new(),
            missing: missing.collect(),
        }
    }

    /// Moves a player as far as it can.
    fn advance(&mut self, id: PlayerId) {
        let Player { layer, replica, .. } = self.players[id];
        let of = &self.layout.layers[layer];
        let windows = of.windows(replica);
        let per_image = u32::try_from(windows.len()).expect("windows are counted in 32 bits");
        loop {
            while let Some(&first) = self.players[id].leaving.first() {
                if !self.send(id, first) {
                    return;
                }
                self.players[id].leaving.pop_first();
            }
            let Player { read, merged, .. } = self.players[id];
            if merged == per_image * IMAGES {
                return;
            }
            let (image, step) = (merged / per_image, merged % per_image);
            let window = windows[size(step)];
            let awaited = if read == merged {
                of.sources().into_iter().find_map(|map| self.unsent(map, image, under(&of.layer, window)))
            } else {
                let mut merging = of.levels.iter().flat_map(|level| {
                    let operands = level.merges.iter().flat_map(|merge| &merge.parts);
                    operands.map(move |part| (part.map, level.merging(replica, step, &window)))
                });
                merging.find_map(|(map, positions)| self.unsent(map, image, positions))
            };
            if let Some(position) = awaited {
                self.waiting.entry(position).or_default().push(id);
                return;
            }
            let reader = if read == merged {
                self.players[id].read += 1;
                Reader::Crossbars
            } else {
                self.players[id].merged += 1;
                for (level, values) in of.levels.enumerate().filter(|(_, level)| level.pool.is_none()) {
                    self.pass(layer, (level, values), image, (window.y.into(), window.x.into()), (step, id));
                }
                Reader::Register
            };
            self.release(id, reader);
        }
    }

    /// Returns one of these positions that has not been sent; cropped ones are not awaited.
    fn unsent(&self, map: MapId, image: u32, mut at: impl Iterator<Item = (u32, u32)>) -> Option<(MapId, u32)> {
        let (of, finishes) = (&self.layout.maps[map], self.layout.finishes(map)?);
        let sent = &self.sent[map][size(image * of.positions())..];
        let (y, x) = at.find(|&(y, x)| !sent[size(y * of.shape.width + x)] && finishes.at(y, x).is_some())?;
        Some((map, image * of.positions() + y * of.shape.width + x))
    }

    /// Sends a position, if all its destinations have room.
    fn send(&mut self, id: PlayerId, (image, _, map, position): (u32, u32, MapId, u32)) -> bool {
        let of = &self.layout.maps[map];
        for destination in of.destinations(position) {
            let (layer, slice) = of.readers[destination.receiver];
            let room = &mut self.rooms[RoomId(self.first_room[layer] + slice.0)];
            if image * room.order.positions + destination.rank >= room.limit {
                room.blocked.push(id);
                return false;
            }
        }
        let number = image * of.positions() + position;
        self.sent[map][size(number)] = true;
        self.movable.extend(self.waiting.remove(&(map, number)).into_iter().flatten());
        true
    }

    /// Passes a finished value of a level to its maps and to the pools above it. `finish` is the step of the last window
    /// under it and the replica that finishes it.
    fn pass(
        &mut self,
        layer: LayerId,
        (_, level): (LevelId, &Level),
        image: u32,
        at: (u32, u32),
        (step, finisher): (u32, PlayerId),
    ) {
        let of = &self.layout.layers[layer];
        let position = at.0 * level.width + at.1;
        for &map in level.maps.iter().filter(|map| self.layout.maps[**map].stores(position)) {
            self.players[finisher].leaving.insert((image, step, map, position));
        }
        for &above in &level.above {
            let pool = &of.levels[above];
            for (y, x) in pool.positions_over(at.0, at.1) {
                let position = Position(y * pool.width + x);
                let missing = &mut self.missing[layer][above][size(image * pool.positions() + position.0)];
                *missing -= 1;
                if *missing == 0 {
                    let finish = pool.finishes.at(y, x).expect("a value lies under the position");
                    let finisher = PlayerId(self.first[layer] + finish.replica.0);
                    self.pass(layer, (above, pool), image, (y, x), (finish.step, finisher));
                    self.movable.push(finisher);
                }
            }
        }
    }

    /// Raises the limits of the slices that a player has read another window of, and lets blocked players go on.
    fn release(&mut self, id: PlayerId, reader: Reader) {
        let reads = &self.reads[id][usize::from(reader == Reader::Register)];
        for room in reads.iter().copied() {
            let progress = |player: &PlayerId| {
                let Player { layer, replica, read, merged, .. } = self.players[*player];
                let windows = count(self.layout.layers[layer].windows(replica).len());
                let done = u64::from(if reader == Reader::Register { merged } else { read });
                (done / windows, done % windows)
            };
            let room = &mut self.rooms[room];
            let (image, step) = room.readers.iter().map(progress).min().expect("the player reads it");
            let image = u32::try_from(image).expect("a play has few images");
            let (ahead, positions) = (room.order.limit(room.held, size(step)), room.order.positions);
            let limit = (image * positions + ahead).min(positions * IMAGES);
            if limit > room.limit {
                room.limit = limit;
                self.movable.append(&mut room.blocked);
            }
        }
    }
}

/// Returns the positions that `layer` reads for a window.
fn under(layer: &Layer, window: Window) -> impl Iterator<Item = (u32, u32)> {
    let (rows, columns) = window.receptive_field(layer);
    let Axes { y: down, x: along } = layer.kernel.dilation;
    rows.step_by(size(down)).flat_map(move |y| columns.clone().step_by(size(along)).map(move |x| (y, x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::Plan;

    #[test]
    fn a_residual_block_stops_if_the_skip_holds_only_what_the_join_reads() {
        let convolution = |name: &str| {
            format!("[[layers]]\nname = '{name}'\nkind = 'convolution'\nkernel = 3\npadding = 1\nchannels = 4\n")
        };
        let block = ["stem", "a", "b"].map(convolution).concat();
        let text = format!(
            "name = 'block'\ninput = {{ height = 8, width = 8, channels = 4 }}\n{block}activation = 'none'\n\
             [[layers]]\nname = 'sum'\nkind = 'add'\ninputs = ['b', 'stem']\n"
        );
        let network = network::parse(&text, "block.toml").expect("the network is valid");
        let arch = arch::load("tiny").expect("a preset");
        let plan = Plan::uniform(&network, 16, 16);
        let layout = crate::balance_to(&arch, &network, &plan, 64, 64).expect("it fits");
        let (b, mut capacities) = (LayerId(2), layout.capacities(&arch.edram));
        let skip = layout.layers[b].slices.enumerate().find(|(_, slice)| slice.reader == Reader::Register);
        let (skip, _) = skip.expect("b merges the values of stem");
        let mut plays_with = |positions| {
            capacities[b][skip] = positions;
            play(&layout, &capacities)
        };
        // Positions of stem from that of a window of b to the last that a needs for it.
        assert_eq!(plays_with(2 * 8 + 3), Ok(()));
        assert_eq!(plays_with(8), Err(Stop { layer: b, slice: skip }));
    }
}

//! Waits in a tile that has stopped: its waiting parts, and the things that they wait for.
//!
//! Used to explain a deadlock. A part is a lockstep group, which waits for inputs or for room in the output register,
//! or a part of the output register, which waits for contributions, credits, pools or room in buffers.

use mapper::{GroupId, ReplicaId, TileId, Window};
use network::{LayerId, MapId};

use super::{Obstacle, SliceBuffer, Tile};
use crate::{ImaId, InputId, LockstepId, PartAddress, Policy, SumsSpec};

/// A part of a tile that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A lockstep group.
    Group(LockstepId),
    /// The part of the output register of a lockstep group.
    Register(LockstepId),
}

/// A thing waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A part of a tile of the board.
    Part(TileId, Part),
    /// A position of a map, in row `y` and column `x`.
    Position {
        /// Map.
        map: MapId,
        /// Row.
        y: u32,
        /// Column.
        x: u32,
    },
    /// Room for an input slice in the eDRAM buffer of a tile.
    Room {
        /// Tile of the board.
        tile: TileId,
        /// Input slice in its buffer.
        inputs: InputId,
    },
    /// Completion of `image` by the max-pools of the layer that replica `feeder` feeds.
    Pool {
        /// Layer.
        layer: LayerId,
        /// Replica that feeds the pools.
        feeder: ReplicaId,
        /// Output group.
        group: GroupId,
        /// Image that a pool has not completed.
        image: u32,
    },
}

/// A part of a tile that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Tile of the board.
    pub tile: TileId,
    /// Part of the tile.
    pub part: Part,
    /// Name of the part, for messages.
    pub unit: String,
    /// Name of the thing waited for, for messages.
    pub waits_for: String,
    /// Things waited for, as alternatives in the search for a ring.
    pub awaited: Vec<Awaited>,
}

impl<P: Policy> Tile<'_, P> {
    /// Parts of the tile that wait.
    pub fn waiting(&self) -> Vec<Waiting> {
        let groups = self.imas.groups.indices().filter_map(|group| self.group_waits(group));
        groups.chain(self.outputs.parts.indices().filter_map(|part| self.register_waits(part))).collect()
    }

    /// Lockstep groups that keep input slice `inputs` from making room: those that have read the fewest windows.
    pub fn slowest_readers(&self, inputs: InputId) -> Vec<Part> {
        let readers = self.imas.groups.enumerate().filter_map(|(id, group)| {
            let control = &self.inputs.controls[group.control];
            control.inputs.contains(&inputs).then(|| (control.split(group.arriving.window), id))
        });
        let readers: Vec<_> = readers.collect();
        let slowest = readers.iter().map(|&(read, _)| read).min();
        let groups = readers.into_iter().filter(|&(read, _)| Some(read) == slowest).map(|(_, id)| Part::Group(id));
        // Operands of joins are read by parts of the output register.
        let merging = self.outputs.parts.enumerate().filter_map(|(id, part)| {
            let skips = part.skips.as_ref().filter(|skips| skips.reads(inputs))?;
            Some((self.inputs.controls[self.imas.groups[id].control].split(skips.merged), id))
        });
        let merging: Vec<_> = merging.collect();
        let slowest = merging.iter().map(|&(merged, _)| merged).min();
        let parts =
            merging.into_iter().filter(|&(merged, _)| Some(merged) == slowest).map(|(_, id)| Part::Register(id));
        groups.chain(parts).collect()
    }

    fn group_waits(&self, id: LockstepId) -> Option<Waiting> {
        let (group, pipeline) = (&self.imas.groups[id], &self.imas.pipeline);
        let control = &self.inputs.controls[group.control];
        let at = |window: &Window| format!("({}, {})", window.y, window.x);
        let (waits_for, awaited) = if !(pipeline.can_send() & group.imas).is_empty() {
            let window = at(control.window(group.sending));
            let what = format!("room in the tile's output register, with the results of window {window}");
            (what, Awaited::Part(self.id, Part::Register(id)))
        } else if group.fetching < control.total && !(group.imas & pipeline.idle()).is_empty() {
            let window = at(control.window(control.ready.min(control.total - 1)));
            (format!("the inputs of window {window}"), self.awaited_input(id))
        } else {
            return None;
        };
        let imas: Vec<String> = group.imas.into_iter().map(|ima: ImaId| ima.to_string()).collect();
        let imas = if imas.len() == 1 { format!("IMA {}", imas[0]) } else { format!("IMAs {}", imas.join(", ")) };
        let unit = format!("tile {} {imas} ({}, replica {})", self.id, control.layer.layer.name, control.replica);
        Some(Waiting { tile: self.id, part: Part::Group(id), unit, waits_for, awaited: vec![awaited] })
    }

    /// Input that the next window of a lockstep group misses, or the room that its image waits for.
    fn awaited_input(&self, group: LockstepId) -> Awaited {
        let control = &self.inputs.controls[self.imas.groups[group].control];
        match control.awaited_input() {
            Some((inputs, y, x)) => Awaited::Position { map: self.inputs.edram.slices[inputs].slice.map, y, x },
            None => Awaited::Room { tile: self.id, inputs: control.inputs[0] },
        }
    }

    fn register_waits(&self, id: LockstepId) -> Option<Waiting> {
        let sums = &self.outputs.parts[id];
        let control = &self.inputs.controls[self.imas.groups[id].control];
        let &SumsSpec { layer, layer_id, replica, group, .. } = sums.spec();
        let register = |&PartAddress { tile, part }: &PartAddress| Awaited::Part(tile, Part::Register(part));
        let (waits_for, awaited) = match sums.obstacle(control, self.imas.groups[id].merging.is_under_way())? {
            Obstacle::Room { tile, inputs } => {
                (format!("room in the buffer of tile {tile}"), vec![Awaited::Room { tile, inputs }])
            }
            Obstacle::Pool { image } => (
                "a max-pool to complete an earlier image".to_owned(),
                vec![Awaited::Pool { layer: layer_id, feeder: replica, group, image }],
            ),
            Obstacle::Credit(accumulator) => {
                (format!("room for partial sums in tile {}", accumulator.tile), vec![register(&accumulator)])
            }
            Obstacle::Skip(operand) => {
                let position = |(inputs, y, x)| {
                    let slice: &SliceBuffer = &self.inputs.edram.slices[inputs];
                    Awaited::Position { map: slice.slice.map, y, x }
                };
                let at = operand.map_or(String::new(), |(_, y, x)| format!(" at ({y}, {x})"));
                let waits_for = format!("the skip of {}{at}", layer.joins().join(", "));
                (waits_for, operand.map(position).into_iter().collect())
            }
            Obstacle::Contributions => {
                let here = Awaited::Part(self.id, Part::Group(id));
                let there = sums.spec().contributors.iter().map(register);
                ("the results of its oldest window".to_owned(), [here].into_iter().chain(there).collect())
            }
        };
        let unit = format!("tile {} output register ({}, replica {replica})", self.id, layer.layer.name);
        Some(Waiting { tile: self.id, part: Part::Register(id), unit, waits_for, awaited })
    }
}

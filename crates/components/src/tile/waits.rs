//! Waits in a tile that has stopped: its waiting parts, and the things that they wait for.
//!
//! Used to explain a deadlock. A part is a lockstep group, which waits for inputs or for room in the output register,
//! or a part of the output register, which waits for contributions, credits, pools or room in buffers.

use mapper::Window;

use super::Tile;
use crate::Contributor;
use crate::bits::ones;
use crate::tile_output_register::Obstacle;

/// A part of a tile that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A lockstep group, by number in the tile.
    Group(usize),
    /// The part of the output register of a lockstep group, by number in the tile.
    Register(usize),
}

/// A thing waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A part of a tile of the board.
    Part(u32, Part),
    /// A position of the input map of a layer, in row `y` and column `x`.
    Position {
        /// Layer that reads it.
        layer: u16,
        /// Row.
        y: u32,
        /// Column.
        x: u32,
    },
    /// Room for an input slice in the eDRAM buffer of a tile.
    Room {
        /// Tile of the board.
        tile: u32,
        /// Number of the input slice in its buffer.
        inputs: u8,
    },
    /// Completion of `image` by the max-pools of the layer that replica `feeder` feeds.
    Pool {
        /// Layer.
        layer: u16,
        /// Replica that feeds the pools.
        feeder: u32,
        /// Output group.
        group: u32,
        /// Image that a pool has not completed.
        image: u32,
    },
}

/// A part of a tile that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Tile of the board.
    pub tile: u32,
    /// Part of the tile.
    pub part: Part,
    /// Name of the part, for messages.
    pub unit: String,
    /// Name of the thing waited for, for messages.
    pub waits_for: String,
    /// Things waited for, as alternatives in the search for a ring.
    pub awaited: Vec<Awaited>,
}

impl Tile<'_> {
    /// Parts of the tile that wait.
    pub fn waiting(&self) -> Vec<Waiting> {
        let groups = (0..self.locksteps.len()).filter_map(|group| self.group_waits(group));
        groups.chain((0..self.sums.len()).filter_map(|register| self.register_waits(register))).collect()
    }

    /// Lockstep groups that keep input slice `inputs` from making room: those that have read the fewest windows.
    pub fn slowest_readers(&self, inputs: u8) -> Vec<Part> {
        let control_of = |group: usize| &self.controls[usize::from(self.locksteps[group].control)];
        let read = |group: usize| control_of(group).split(self.locksteps[group].arriving.window);
        let readers: Vec<_> = (0..self.locksteps.len()).filter(|&group| control_of(group).inputs == inputs).collect();
        let slowest = readers.iter().map(|&group| read(group)).min();
        readers.into_iter().filter(|&group| Some(read(group)) == slowest).map(Part::Group).collect()
    }

    /// Images that the max-pool of part `register` of the output register has completed; `None` if it has no max-pool.
    pub fn pool_images(&self, register: u8) -> Option<u32> {
        self.sums[usize::from(register)].pool_images()
    }

    fn group_waits(&self, group: usize) -> Option<Waiting> {
        let lockstep = &self.locksteps[group];
        let control = &self.controls[usize::from(lockstep.control)];
        let at = |window: &Window| format!("({}, {})", window.y, window.x);
        let (waits_for, awaited) = if self.pipeline.can_send() & lockstep.imas != 0 {
            let window = at(control.window(lockstep.sending));
            let what = format!("room in the tile's output register, with the results of window {window}");
            (what, Awaited::Part(self.id, Part::Register(group)))
        } else if lockstep.fetching < control.total && lockstep.imas & !self.pipeline.at_work() != 0 {
            let window = at(control.window(control.ready.min(control.total - 1)));
            (format!("the inputs of window {window}"), self.awaited_input(group))
        } else {
            return None;
        };
        let imas: Vec<String> = ones(lockstep.imas).map(|ima| ima.to_string()).collect();
        let imas = if imas.len() == 1 { format!("IMA {}", imas[0]) } else { format!("IMAs {}", imas.join(", ")) };
        let unit = format!("tile {} {imas} ({}, replica {})", self.id, control.layer.layer.name, control.replica);
        Some(Waiting { tile: self.id, part: Part::Group(group), unit, waits_for, awaited: vec![awaited] })
    }

    /// Input that the next window of a lockstep group misses, or the room that its image waits for.
    fn awaited_input(&self, group: usize) -> Awaited {
        let control = &self.controls[usize::from(self.locksteps[group].control)];
        match control.awaited_input() {
            Some((y, x)) => Awaited::Position { layer: control.layer_index, y, x },
            None => Awaited::Room { tile: self.id, inputs: control.inputs },
        }
    }

    fn register_waits(&self, register: usize) -> Option<Waiting> {
        let sums = &self.sums[register];
        let control = &self.controls[usize::from(self.locksteps[register].control)];
        let (waits_for, awaited) = match sums.obstacle(control)? {
            Obstacle::Room { tile, inputs } => {
                (format!("room in the buffer of tile {tile}"), vec![Awaited::Room { tile, inputs }])
            }
            Obstacle::Pool { image } => {
                let &crate::SumsSpec { layer_index: layer, replica: feeder, group, .. } = sums.spec();
                (
                    "a max-pool to complete an earlier image".to_owned(),
                    vec![Awaited::Pool { layer, feeder, group, image }],
                )
            }
            Obstacle::Credit(Contributor { tile, sums }) => (
                format!("room for partial sums in tile {tile}"),
                vec![Awaited::Part(tile, Part::Register(usize::from(sums)))],
            ),
            Obstacle::Contributions => {
                let here = Awaited::Part(self.id, Part::Group(register));
                let there = sums.spec().contributors.iter();
                let there =
                    there.map(|&Contributor { tile, sums }| Awaited::Part(tile, Part::Register(usize::from(sums))));
                ("the results of its oldest window".to_owned(), [here].into_iter().chain(there).collect())
            }
        };
        let &crate::SumsSpec { layer, replica, .. } = sums.spec();
        let unit = format!("tile {} output register ({}, replica {replica})", self.id, layer.layer.name);
        Some(Waiting { tile: self.id, part: Part::Register(register), unit, waits_for, awaited })
    }
}

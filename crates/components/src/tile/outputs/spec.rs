//! Specification of a part of the output register: where its windows come from, and where their values go.

use index::{Index, IndexVec};
use mapper::{GroupId, LayerLayout, LevelId, MapLayout, ReceiverId, ReplicaId, TileId};
use network::LayerId;

use super::skips::Operand;
use crate::{ChipId, InputId, LockstepId, MapTrees, RoomId, SegmentId, Trees};

/// An input slice of a reader, as destination of an output group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Tile of the board.
    pub tile: TileId,
    /// Input slice in that tile's buffer.
    pub inputs: InputId,
    /// The same slice in the room table.
    pub room: RoomId,
    /// Bits per position that it receives from the group; 0 if it reads none of the group's channels.
    pub bits: u32,
    /// Positions per image that it receives.
    pub positions: u32,
}

/// Address of a part of an output register, in an accumulator tile or in a contributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartAddress {
    /// Tile of the board.
    pub tile: TileId,
    /// Part of that tile's output register.
    pub part: LockstepId,
}

/// Specification of a part of the output register: its place, its sizes, and the tiles that it exchanges messages with.
#[derive(Clone, Debug)]
pub struct SumsSpec<'a> {
    /// Chip of the board.
    pub chip: ChipId,
    /// Tile of the board.
    pub tile: TileId,
    /// The layer.
    pub layer: &'a LayerLayout,
    /// Number of the layer in the network.
    pub layer_id: LayerId,
    /// Ways out of the tile, for the maps that windows finished here belong to.
    pub exits: Vec<Exit<'a>>,
    /// Operands that are merged into each window; empty in contributors.
    pub operands: Vec<Operand>,
    /// Positions per image of all results of the network.
    pub result_positions: u32,
    /// Replica of the layer.
    pub replica: ReplicaId,
    /// Output group of the layer.
    pub group: GroupId,
    /// Accumulator of each (replica, group) of the layer, at index replica x groups + group.
    pub accumulators: &'a [PartAddress],
    /// Contributors, if this is the accumulator tile; empty otherwise.
    pub contributors: Vec<PartAddress>,
    /// Pools that windows finished here go to; 0 if none of them is in another replica.
    pub pools: u32,
    /// For each level, accumulators of the replicas whose windows feed its pool here, this replica included; empty if it
    /// alone feeds it.
    pub feeders: IndexVec<LevelId, Vec<PartAddress>>,
    /// Windows that this part of the register holds.
    pub slots: u32,
    /// First credit for partial sums: windows that the accumulator tile's register holds.
    pub credit: u32,
    /// Bits per result or partial sum.
    pub partial_sum_bits: u32,
    /// Tree to the accumulator tile; `None` if this is it.
    pub to_accumulator: Option<SegmentId>,
    /// Trees of all layers.
    pub trees: &'a Trees,
}

impl SumsSpec<'_> {
    /// Accumulator of the same output group for a replica of the layer.
    #[inline]
    pub(super) fn accumulator_of(&self, replica: ReplicaId) -> PartAddress {
        self.accumulators[replica.index() * self.layer.groups.len() + self.group.index()]
    }
}

/// Way of a map out of a tile, for the values of one output group.
#[derive(Clone, Copy, Debug)]
pub struct Exit<'a> {
    /// Level that the map leaves from.
    pub level: LevelId,
    /// The map.
    pub map: &'a MapLayout,
    /// Its input slices.
    pub targets: &'a IndexVec<ReceiverId, Target>,
    /// True if one of them is in the tile itself.
    pub is_read_here: bool,
    /// Its trees.
    pub trees: &'a MapTrees,
    /// Values of a position.
    pub values: u32,
}

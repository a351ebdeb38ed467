//! Numbers of parts of the board and of a tile. The mapper's limits keep each below the width of its type.

index::index! {
    /// A chip of the board.
    pub struct ChipId(u32);
    /// An IMA of a tile, among those that hold weights.
    pub struct ImaId(u8);
    /// A layer control of a tile: one for each replica with IMAs in the tile.
    pub struct ControlId(u8);
    /// A lockstep group of a tile, and its part of the tile's output register.
    pub struct LockstepId(u8);
    /// An input slice in the eDRAM buffer of a tile.
    pub struct InputId(u8);
    /// An input slice of the board: its place in the room table.
    pub struct RoomId(u32);
}

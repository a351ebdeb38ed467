//! Indices of the parts of a layout. Their widths hold what [`limits`](crate::limits) lets pass.

index::index! {
    /// A tile of the board, counted chip by chip.
    pub struct TileId(u32);
    /// A replica of a layer.
    pub struct ReplicaId(u32);
    /// An output group of a layer; each replica has all of them.
    pub struct GroupId(u16);
    /// An input slice of a layer, in order of tiles.
    pub struct SliceId(u32);
    /// An input slice of any reader of a map, reader by reader.
    pub struct ReceiverId(u32);
    /// A level of a layer: its windows, or what a pool makes of another level.
    pub struct LevelId(u16);
    /// A position of a level or map: row times width plus column.
    pub(crate) struct Position(u32);
}

//! Grids of tiles, routers and chips.
//!
//! Tiles, routers and chips are numbered back and forth along the rows of their grids, so that neighbours in number are
//! neighbours in place. A link is attached to the router in the middle of an edge.

use arch::Arch;
use index::size;
use mapper::TileId;

use crate::{ChipId, Direction, Port};

/// Grids of tiles, routers and chips.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshGeometry {
    columns: u32,
    rows: u32,
    tiles_per_router: u32,
    tiles_per_chip: u32,
    board_columns: u32,
}

impl MeshGeometry {
    /// The grids of `arch`.
    pub fn new(arch: &Arch) -> Self {
        Self {
            columns: arch.chip.tile_columns / arch.router.tile_columns,
            rows: arch.chip.tile_rows / arch.router.tile_rows,
            tiles_per_router: arch.router.tile_columns * arch.router.tile_rows,
            tiles_per_chip: arch.tiles_per_chip(),
            board_columns: arch.board.columns,
        }
    }

    /// Routers in a row of a chip.
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// Routers of a chip.
    pub fn routers(&self) -> u32 {
        self.columns * self.rows
    }

    /// Tiles of a router.
    pub fn tiles_per_router(&self) -> usize {
        size(self.tiles_per_router)
    }

    /// Ports of a router: from its tiles, to its tiles, to its neighbours.
    fn ports_of_router(&self) -> u32 {
        2 * self.tiles_per_router + 4
    }

    /// Ports of all routers of a chip.
    pub fn ports(&self) -> usize {
        size(self.routers() * self.ports_of_router())
    }

    /// Number of a port of the router at (column, row) among the ports of the chip: router by router, row by row.
    pub(super) fn port_number(&self, (column, row): (u32, u32), port: Port) -> u32 {
        let of_router = u32::try_from(port.number(self.tiles_per_router())).expect("a router has few ports");
        (row * self.columns + column) * self.ports_of_router() + of_router
    }

    /// (column, row) of the router of the port of that number, and the port.
    pub fn port(&self, number: u32) -> ((u32, u32), Port) {
        let (router, of_router) = (number / self.ports_of_router(), number % self.ports_of_router());
        let port = Port::from_number(size(of_router), self.tiles_per_router());
        ((router % self.columns, router / self.columns), port)
    }

    /// Chip of a tile.
    pub fn chip_of(&self, tile: TileId) -> ChipId {
        ChipId(tile.0 / self.tiles_per_chip)
    }

    /// (column, row) of the router of a tile of the chip. Tiles of one router have successive numbers, and routers are
    /// numbered back and forth along the rows.
    pub fn router_of(&self, tile: u32) -> (u32, u32) {
        back_and_forth(tile / self.tiles_per_router, self.columns)
    }

    /// (column, row) of the router of a tile of the board, and the number of the tile at that router.
    pub(super) fn place(&self, tile: TileId) -> ((u32, u32), usize) {
        let tile = tile.0 % self.tiles_per_chip;
        (self.router_of(tile), size(tile % self.tiles_per_router))
    }

    /// First step on the grid of chips from one to another, along the row first; `None` if they are the same.
    pub(super) fn side_towards(&self, from: ChipId, to: ChipId) -> Option<Direction> {
        Direction::towards(self.chip_at(from.0), self.chip_at(to.0))
    }

    /// (column, row) of a chip on the board. Chips are numbered back and forth along the rows, as routers are.
    pub fn chip_at(&self, chip: u32) -> (u32, u32) {
        back_and_forth(chip, self.board_columns)
    }

    /// The neighbour of `chip` on side `side`; `chip` itself at the edge of the board, which no route crosses.
    pub fn neighbour(&self, chip: ChipId, side: Direction) -> ChipId {
        let (column, row) = self.chip_at(chip.0);
        let at_edge = match side {
            Direction::North => row == 0,
            Direction::East => column + 1 == self.board_columns,
            Direction::South => false,
            Direction::West => column == 0,
        };
        if at_edge {
            return chip;
        }
        let (column, row) = step((column, row), side);
        let steps = if row.is_multiple_of(2) { column } else { self.board_columns - 1 - column };
        ChipId(row * self.board_columns + steps)
    }

    /// Calls `port` with each port to a neighbour on the way between two tiles: the chip, the router (row by row), the
    /// direction, and true if the port leads into the link of the chip on that side.
    #[inline]
    pub fn route(&self, from: TileId, to: TileId, mut port: impl FnMut(ChipId, u32, Direction, bool)) {
        let (mut chip, last_chip) = (self.chip_of(from), self.chip_of(to));
        let (mut at, last) = (self.place(from).0, self.place(to).0);
        let router = |(column, row): (u32, u32)| row * self.columns + column;
        loop {
            let side = self.side_towards(chip, last_chip);
            let exit = side.map_or(last, |side| self.link_router(side));
            while let Some(direction) = Direction::towards(at, exit) {
                port(chip, router(at), direction, false);
                at = step(at, direction);
            }
            let Some(side) = side else { return };
            port(chip, router(at), side, true);
            chip = self.neighbour(chip, side);
            at = self.link_router(side.opposite());
        }
    }

    /// (column, row) of the router that the link on side `side` is attached to: the middle of that edge.
    pub(super) fn link_router(&self, side: Direction) -> (u32, u32) {
        match side {
            Direction::North => (self.columns / 2, 0),
            Direction::South => (self.columns / 2, self.rows - 1),
            Direction::West => (0, self.rows / 2),
            Direction::East => (self.columns - 1, self.rows / 2),
        }
    }
}

/// (column, row) of `number` on a grid numbered back and forth along its rows.
fn back_and_forth(number: u32, columns: u32) -> (u32, u32) {
    let (row, step) = (number / columns, number % columns);
    (if row.is_multiple_of(2) { step } else { columns - 1 - step }, row)
}

/// The neighbour of `at` in `direction`.
pub(super) fn step((column, row): (u32, u32), direction: Direction) -> (u32, u32) {
    match direction {
        Direction::North => (column, row - 1),
        Direction::East => (column + 1, row),
        Direction::South => (column, row + 1),
        Direction::West => (column - 1, row),
    }
}

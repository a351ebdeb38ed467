//! The concentrated mesh of a chip: geometry, routes and the ports that packets take.
//!
//! Tiles, routers and chips are numbered back and forth along the rows of their grids, so that neighbours in number are
//! neighbours in place. A route goes along the row first, then along the column; a packet to another chip leaves at the
//! middle of an edge, and chips are crossed in the same order. The ports of a route are taken when the packet enters
//! the mesh, in the canonical order of source, then destination, so a packet may wait for a port that an earlier one
//! uses a little later. A crossing takes at least a cycle (docs/model.md, "Mesh and links").

use arch::{Arch, Times};
use des::{Component, Cycle, Wake};
use index::{IndexVec, size};
use mapper::TileId;
use network::LayerId;

use super::router::{Router, arrival};
use crate::{ChipId, Context, Direction, Event, Packet, Port, Probe};

/// The concentrated mesh of one chip: its routers and the routes of packets through them.
#[derive(Clone, Debug)]
pub struct Mesh {
    chip: ChipId,
    geometry: MeshGeometry,
    places: Places,
    /// For each chip of the board, the side on which packets to it leave this chip; `None` for this chip.
    sides: IndexVec<ChipId, Option<Direction>>,
    /// Time steps of a flit at a port; `None` if ports have no limit.
    flit: Option<Times>,
    routers: Vec<Router>,
    /// Packets received in this cycle.
    waiting: Vec<Packet>,
    /// Flits through routers since the start, once for each router, by producing layer.
    pub flit_hops: IndexVec<LayerId, u64>,
}

/// Places of the tiles of a chip at its routers.
#[derive(Clone, Debug)]
struct Places {
    /// Number on the board of the chip's first tile.
    first_tile: u32,
    /// For each tile of the chip, its router, as (column, row), and its number at that router.
    places: Vec<((u32, u32), usize)>,
}

impl Places {
    /// Router of a tile of the chip, as (column, row), and the tile's number at that router.
    #[inline]
    fn of(&self, tile: TileId) -> ((u32, u32), usize) {
        self.places[size(tile.0 - self.first_tile)]
    }
}

/// Grids of tiles, routers and chips, and the routes on them.
#[derive(Clone, Debug)]
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

    /// (column, row) of the router of a tile of the chip. Tiles of one router have successive numbers, and routers are
    /// numbered back and forth along the rows.
    pub fn router_of(&self, tile: u32) -> (u32, u32) {
        back_and_forth(tile / self.tiles_per_router, self.columns)
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

    /// Calls `hop` with each port and link on the route between two tiles of the board, in order: the route of
    /// [`Mesh`].
    pub fn way(&self, source: TileId, destination: TileId, mut hop: impl FnMut(Hop)) {
        let place = |tile: TileId| (ChipId(tile.0 / self.tiles_per_chip), tile.0 % self.tiles_per_chip);
        let number = |tile: u32| size(tile % self.tiles_per_router);
        let ((mut chip, source), (last_chip, destination)) = (place(source), place(destination));
        let mut at = self.router_of(source);
        hop(Hop::Port(chip, at, Port::FromTile(number(source))));
        loop {
            let side = Direction::towards(self.chip_at(chip.0), self.chip_at(last_chip.0));
            let exit = side.map_or_else(|| self.router_of(destination), |side| self.link_router(side));
            while let Some(direction) = Direction::towards(at, exit) {
                hop(Hop::Port(chip, at, Port::Neighbour(direction)));
                at = step(at, direction);
            }
            let Some(side) = side else {
                hop(Hop::Port(chip, at, Port::ToTile(number(destination))));
                return;
            };
            hop(Hop::Port(chip, at, Port::Neighbour(side)));
            hop(Hop::Link(chip, side));
            (chip, at) = (self.neighbour(chip, side), self.link_router(side.opposite()));
        }
    }

    /// (column, row) of the router that the link on side `side` is attached to: the middle of that edge.
    fn link_router(&self, side: Direction) -> (u32, u32) {
        match side {
            Direction::North => (self.columns / 2, 0),
            Direction::South => (self.columns / 2, self.rows - 1),
            Direction::West => (0, self.rows / 2),
            Direction::East => (self.columns - 1, self.rows / 2),
        }
    }
}

/// A resource that a packet takes on its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// A port of a router: chip, (column, row) of the router, port.
    Port(ChipId, (u32, u32), Port),
    /// The outgoing link of a chip on a side.
    Link(ChipId, Direction),
}

impl Mesh {
    /// The idle mesh of chip `chip`, for a network of `layers` layers. If `uncontended`, its ports have no limit.
    pub fn new(arch: &Arch, chip: ChipId, uncontended: bool, layers: usize) -> Self {
        let geometry = MeshGeometry::new(arch);
        let flit = (!uncontended).then(|| arch.flits_per_cycle().times());
        let router = Router::new(size(geometry.tiles_per_router), flit.map_or(1, |flit| flit.per_action));
        Self {
            chip,
            flit,
            routers: vec![router; size(geometry.routers())],
            sides: (0..arch.board.chips)
                .map(|to| Direction::towards(geometry.chip_at(chip.0), geometry.chip_at(to)))
                .collect(),
            places: Places {
                first_tile: chip.0 * geometry.tiles_per_chip,
                places: (0..geometry.tiles_per_chip)
                    .map(|tile| (geometry.router_of(tile), size(tile % geometry.tiles_per_router)))
                    .collect(),
            },
            geometry,
            waiting: Vec::new(),
            flit_hops: IndexVec::filled(0, layers),
        }
    }

    /// Routes a packet through the mesh to router `exit`, and on to its tile or off the chip. Returns the cycle in
    /// which its last flit leaves the mesh, and the cycle in which it would leave an idle mesh.
    fn route(
        &mut self,
        now: Cycle,
        packet: &Packet,
        exit: (u32, u32),
        leaves_chip: Option<Direction>,
        probe: &mut impl Probe,
    ) -> (Cycle, Cycle) {
        let (geometry, chip) = (&self.geometry, self.chip);
        let per_cycle = self.flit.map(|flit| flit.per_cycle);
        let start = now * per_cycle.unwrap_or(1);
        let (mut head, mut ports, columns) = (start, 0, geometry.columns);
        let routers = &mut self.routers;
        let mut pass = |at: (u32, u32), port: Port| {
            head = routers[size(at.1 * columns + at.0)].pass(port, head, packet.flits);
            let cycle = per_cycle.map_or(now, |per_cycle| (head - 1) / per_cycle);
            probe.observe(|| Event::Port { chip, router: at, port, flits: packet.flits, at: cycle });
            ports += 1;
        };
        let mut at = if let Some(side) = packet.entered {
            geometry.link_router(side)
        } else {
            let (at, tile) = self.places.of(packet.source);
            pass(at, Port::FromTile(tile));
            at
        };
        let mut hops = 1;
        while let Some(direction) = Direction::towards(at, exit) {
            pass(at, Port::Neighbour(direction));
            at = step(at, direction);
            hops += 1;
        }
        match leaves_chip {
            Some(side) => pass(at, Port::Neighbour(side)),
            None => pass(at, Port::ToTile(self.places.of(packet.destination).1)),
        }
        self.flit_hops[packet.layer] += hops * u64::from(packet.flits);
        let leaves = |head| self.flit.map_or(now, |flit| arrival(head, packet.flits, flit));
        let done = leaves(head);
        // Most packets are not held up, and divisions are slow.
        let unhindered = start + ports * self.flit.map_or(1, |flit| flit.per_action);
        (done, if head == unhindered { done } else { leaves(unhindered) })
    }
}

/// (column, row) of `number` on a grid numbered back and forth along its rows.
fn back_and_forth(number: u32, columns: u32) -> (u32, u32) {
    let (row, step) = (number / columns, number % columns);
    (if row.is_multiple_of(2) { step } else { columns - 1 - step }, row)
}

/// The neighbour of `at` in `direction`.
fn step((column, row): (u32, u32), direction: Direction) -> (u32, u32) {
    match direction {
        Direction::North => (column, row - 1),
        Direction::East => (column + 1, row),
        Direction::South => (column, row + 1),
        Direction::West => (column - 1, row),
    }
}

impl<C: Context> Component<C> for Mesh {
    type Message = Packet;

    fn receive(&mut self, packet: Packet, _: &mut C) -> Wake {
        self.waiting.push(packet);
        Wake::Evaluate
    }

    fn evaluate(&mut self, context: &mut C) {
        // A canonical order, so that results do not depend on delivery order; (source, destination) usually decides.
        self.waiting.sort_unstable_by(|a, b| {
            let tiles = |packet: &Packet| u64::from(packet.source.0) << 32 | u64::from(packet.destination.0);
            tiles(a).cmp(&tiles(b)).then_with(|| a.cmp(b))
        });
        let now = context.now();
        let mut waiting = std::mem::take(&mut self.waiting);
        for mut packet in waiting.drain(..) {
            let side = self.sides[ChipId(packet.destination.0 / self.geometry.tiles_per_chip)];
            let exit = match side {
                Some(side) => self.geometry.link_router(side),
                None => self.places.of(packet.destination).0,
            };
            let (done, unhindered) = self.route(now, &packet, exit, side, context.probe());
            packet.waits.add_routers(done - unhindered);
            let chip = self.chip;
            context.probe().observe(|| {
                let Packet { source, destination, layer, flits, .. } = packet;
                let waited = u32::try_from(done - unhindered).expect("no packet waits for 2^32 cycles");
                Event::Packet { chip, source, destination, layer, flits, waited, cycles: now..done + 1 }
            });
            let delay = done + 1 - now;
            match side {
                Some(side) => context.send_to_link(delay, chip, side, packet),
                None => context.send_to_tile(delay, packet.destination, packet.message.after(packet.waits)),
            }
        }
        self.waiting = waiting;
    }
}

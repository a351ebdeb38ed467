//! Tracks of a trace and names of its slices: numbers and texts.
//!
//! Numbers follow from the scene by arithmetic, so that no event needs a look-up in a map.

use analysis::{Carrier, LOAD_CYCLES, Scene};
use components::{Cause, ChipId, ImaId, InputId, Stage};
use index::IndexVec;
use mapper::TileId;
use network::{LayerId, MapId};

use crate::record::stage_name;
use crate::{Clock, TimeUnit};

index::index! {
    /// Number of a track.
    pub(crate) struct TrackId(u32);
    /// Number of a name.
    pub(crate) struct NameId(u32);
}

impl TrackId {
    /// Returns the number in the file, which is not 0.
    pub(crate) fn uuid(self) -> u64 {
        u64::from(self.0) + 1
    }
}

impl NameId {
    /// Returns the number in the file, which is not 0.
    pub(crate) fn iid(self) -> u64 {
        u64::from(self.0) + 1
    }
}

/// Track: a row in the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Track {
    Layers,
    Load(Carrier),
    Chip(ChipId),
    Tile(TileId),
    /// Sigmoid and max-pool.
    Activation(TileId),
    /// eDRAM writes. They overlap by at most one cycle, so two rows hold them.
    Write(TileId, u32),
    /// Announcements of room in the buffer.
    Room(TileId),
    /// Buffer fill: tile, index among the layers with inputs there.
    Fill(TileId, InputId),
    Ima(TileId, ImaId),
    /// Place of the input register: tile, IMA, place.
    Input(TileId, ImaId, u32),
    Convert(TileId, ImaId),
    Accumulate(TileId, ImaId),
    /// Output register: tile, IMA, register.
    Output(TileId, ImaId, u32),
    Crossbar(TileId, ImaId, u32),
}

/// Tracks of a tile without its buffer fills and IMAs.
const OF_TILE: u32 = 7;
/// Tracks of an IMA without its output registers and crossbars.
const OF_IMA: u32 = 5;

/// Name of a slice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// Layer, row, column.
    Window(LayerId, u16, u16),
    /// Map, position.
    Position(MapId, u32),
    Wait(LayerId, Cause),
    Stage(Stage),
    /// Layer of the buffer.
    Room(LayerId),
}

/// Stall causes.
const CAUSES: u32 = Cause::Skip as u32 + 1;

/// Numbers of tracks and names.
pub(crate) struct Numbers {
    layers: u32,
    /// Routers of a chip.
    routers: u32,
    output_registers: u32,
    crossbars: u32,
    tiles: IndexVec<TileId, FirstOfTile>,
    /// Number of tracks.
    tracks: u32,
    /// Names: that of the first window of each layer with the columns of its windows, and that of the first position of each
    /// map.
    windows: IndexVec<LayerId, (u32, u32)>,
    positions: IndexVec<MapId, u32>,
    /// First of the other names.
    others: u32,
}

/// First tracks of a tile: its own, and that of its first IMA.
struct FirstOfTile {
    own: u32,
    imas: u32,
}

impl Numbers {
    pub(crate) fn new(scene: &Scene<'_>) -> Numbers {
        let (layers, (columns, rows)) = (number(scene.layers().len()), scene.routers());
        let ima = &scene.arch().ima;
        let mut numbers = Numbers {
            layers,
            routers: columns * rows,
            output_registers: ima.output_registers,
            crossbars: ima.crossbars,
            tiles: IndexVec::default(),
            tracks: 0,
            windows: IndexVec::default(),
            positions: IndexVec::default(),
            others: 0,
        };
        numbers.tracks = 1 + layers + number(scene.chips().len()) * numbers.of_chip();
        for tile in scene.tiles() {
            let imas = numbers.tracks + OF_TILE + number(scene.buffered(tile).len());
            numbers.tiles.push(FirstOfTile { own: numbers.tracks, imas });
            numbers.tracks = imas + number(scene.imas(tile).len()) * numbers.of_ima();
        }
        for layer in scene.layers() {
            let (rows, columns) = scene.output(layer);
            numbers.windows.push((numbers.others, columns));
            numbers.others += rows * columns;
        }
        for map in scene.maps() {
            let (rows, columns) = scene.shape(map);
            numbers.positions.push(numbers.others);
            numbers.others += rows * columns;
        }
        numbers
    }

    /// Returns the number of tracks of a chip without its tiles: its own, mesh, links, mesh links.
    fn of_chip(&self) -> u32 {
        1 + 1 + 4 + 4 * self.routers
    }

    /// Returns the number of tracks of an IMA.
    fn of_ima(&self) -> u32 {
        OF_IMA + self.output_registers + self.crossbars
    }

    /// Returns the number behind the last track.
    pub(crate) fn tracks(&self) -> TrackId {
        TrackId(self.tracks)
    }

    pub(crate) fn track(&self, track: Track) -> TrackId {
        let chip_of = |chip: ChipId| 1 + self.layers + chip.0 * self.of_chip();
        let tile_of = |tile: TileId| self.tiles[tile].own;
        let ima_of = |tile: TileId, ima: ImaId| self.tiles[tile].imas + u32::from(ima.0) * self.of_ima();
        TrackId(match track {
            Track::Layers => 0,
            Track::Load(Carrier::Layer(layer)) => 1 + u32::from(layer.0),
            Track::Chip(chip) => chip_of(chip),
            Track::Load(Carrier::Mesh(chip)) => chip_of(chip) + 1,
            Track::Load(Carrier::Link(chip, side)) => chip_of(chip) + 2 + side.number(),
            Track::Load(Carrier::Channel(chip, router, direction)) => {
                chip_of(chip) + 6 + 4 * router + direction.number()
            }
            Track::Tile(tile) => tile_of(tile),
            Track::Load(Carrier::Bus(tile)) => tile_of(tile) + 1,
            Track::Load(Carrier::Writes(tile)) => tile_of(tile) + 2,
            Track::Activation(tile) => tile_of(tile) + 3,
            Track::Write(tile, row) => tile_of(tile) + 4 + row,
            Track::Room(tile) => tile_of(tile) + 6,
            Track::Fill(tile, buffer) => tile_of(tile) + OF_TILE + u32::from(buffer.0),
            Track::Ima(tile, ima) => ima_of(tile, ima),
            Track::Input(tile, ima, place) => ima_of(tile, ima) + 1 + place,
            Track::Convert(tile, ima) => ima_of(tile, ima) + 3,
            Track::Accumulate(tile, ima) => ima_of(tile, ima) + 4,
            Track::Output(tile, ima, register) => ima_of(tile, ima) + OF_IMA + register,
            Track::Crossbar(tile, ima, crossbar) => ima_of(tile, ima) + OF_IMA + self.output_registers + crossbar,
        })
    }

    pub(crate) fn name(&self, name: Name) -> NameId {
        let rooms = self.others + self.layers * CAUSES;
        NameId(match name {
            Name::Window(layer, row, column) => {
                let (first, columns) = self.windows[layer];
                first + u32::from(row) * columns + u32::from(column)
            }
            Name::Position(map, position) => self.positions[map] + position,
            Name::Wait(layer, cause) => self.others + u32::from(layer.0) * CAUSES + cause as u32,
            Name::Room(layer) => rooms + u32::from(layer.0),
            Name::Stage(stage) => rooms + self.layers + stage as u32,
        })
    }

    /// Returns the number behind the last name.
    pub(crate) fn names(&self) -> NameId {
        NameId(self.name(Name::Stage(Stage::Accumulate)).0 + 1)
    }
}

impl Track {
    /// Returns the parent of a track, its name, and the unit of a counter.
    pub(crate) fn description(self, scene: &Scene<'_>) -> (Option<Track>, String, Option<String>) {
        match self {
            Track::Layers => (None, format!("layers{}", remark(scene)), None),
            Track::Load(carrier) => {
                let parent = match carrier {
                    Carrier::Layer(_) => Track::Layers,
                    Carrier::Mesh(chip) | Carrier::Channel(chip, ..) | Carrier::Link(chip, _) => Track::Chip(chip),
                    Carrier::Bus(tile) | Carrier::Writes(tile) => Track::Tile(tile),
                };
                (
                    Some(parent),
                    format!("{} load", scene.carrier(carrier)),
                    Some(format!("{} per {LOAD_CYCLES} cycles", carrier.unit())),
                )
            }
            Track::Chip(chip) => (None, format!("chip {chip}{}", remark(scene)), None),
            Track::Tile(tile) => {
                let (chip, tile) = scene.place(tile);
                (Some(Track::Chip(chip)), format!("tile {tile}"), None)
            }
            Track::Activation(tile) => (Some(Track::Tile(tile)), "sigmoid and max-pool".to_owned(), None),
            Track::Write(tile, row) => (Some(Track::Tile(tile)), format!("eDRAM write {row}"), None),
            Track::Room(tile) => (Some(Track::Tile(tile)), "buffer gives room".to_owned(), None),
            Track::Fill(tile, inputs) => {
                let name = format!("buffer fill, {}", scene.buffer(tile, inputs));
                (Some(Track::Tile(tile)), name, Some("bytes".to_owned()))
            }
            Track::Ima(tile, ima) => {
                let layer = scene.layer(scene.layer_of(tile, ima));
                (Some(Track::Tile(tile)), format!("IMA {ima} ({layer})"), None)
            }
            Track::Input(tile, ima, slot) => (Some(Track::Ima(tile, ima)), format!("input register {slot}"), None),
            Track::Crossbar(tile, ima, crossbar) => (Some(Track::Ima(tile, ima)), format!("crossbar {crossbar}"), None),
            Track::Convert(tile, ima) => (Some(Track::Ima(tile, ima)), "ADCs".to_owned(), None),
            Track::Accumulate(tile, ima) => (Some(Track::Ima(tile, ima)), "shift-and-adds".to_owned(), None),
            Track::Output(tile, ima, slot) => (Some(Track::Ima(tile, ima)), format!("output register {slot}"), None),
        }
    }
}

/// Returns a number of units of the scene as a number of tracks.
fn number(units: usize) -> u32 {
    u32::try_from(units).expect("units are numbered in at most 32 bits")
}

/// Returns a remark on the unit of time if it is not the ns that Perfetto assumes.
fn remark(scene: &Scene<'_>) -> String {
    match Clock::of(scene).unit {
        TimeUnit::Nanosecond => String::new(),
        unit => format!(" (1 ns shown is 1 {})", unit.symbol()),
    }
}

impl Name {
    /// Returns the name as text.
    pub(crate) fn text(self, scene: &Scene<'_>) -> String {
        match self {
            Name::Window(layer, row, column) => format!("{} ({row}, {column})", scene.layer(layer)),
            Name::Position(map, position) => {
                let columns = scene.shape(map).1;
                let results = if scene.is_pooled(map) { "pooled results" } else { "results" };
                let layer = scene.finisher(map).map_or("the host", |layer| scene.layer(layer));
                format!("{layer} {results} ({}, {})", position / columns, position % columns)
            }
            Name::Wait(layer, cause) => match cause {
                Cause::Input => format!("waits: input from {}", scene.producers(layer)),
                Cause::DownstreamBuffer => format!("waits: downstream buffer of {}", scene.readers(layer)),
                Cause::Skip => format!("waits: skip of {}", scene.joins(layer)),
                cause if cause.is_wait() => format!("waits: {}", cause.name().replace('_', " ")),
                cause => cause.name().to_owned(),
            },
            Name::Stage(stage) => stage_name(stage).to_owned(),
            Name::Room(layer) => format!("room for inputs of {}", scene.layer(layer)),
        }
    }
}

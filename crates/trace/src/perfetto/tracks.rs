//! Tracks of a trace and names of its slices: numbers and texts.
//!
//! Numbers follow from the scene by arithmetic, so that no event needs a look-up in a map.

use analysis::{Carrier, LOAD_CYCLES, Scene};
use chip::{Cause, Stage};

use crate::csv::stage_name;
use crate::{Clock, TimeUnit};

/// Track: a row in the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    Layers,
    Load(Carrier),
    Chip(u32),
    Tile(u32),
    /// Sigmoid and max-pool.
    Activation(u32),
    /// eDRAM writes. They overlap by at most one cycle, so two rows hold them.
    Write(u32, u8),
    /// Announcements of room in the buffer.
    Room(u32),
    /// Buffer fill: tile, index among the layers with inputs there.
    Fill(u32, u8),
    Ima(u32, u8),
    /// Place of the input register: tile, IMA, place.
    Input(u32, u8, u8),
    Convert(u32, u8),
    Accumulate(u32, u8),
    /// Output register: tile, IMA, register.
    Output(u32, u8, u8),
    Crossbar(u32, u8, u8),
}

/// Tracks of a tile without its buffer fills and IMAs.
const OF_TILE: u32 = 7;
/// Tracks of an IMA without its output registers and crossbars.
const OF_IMA: u32 = 5;

/// Name of a slice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Layer, row, column.
    Window(u16, u16, u16),
    /// Layer that produced it, position.
    Position(u16, u32),
    /// Layer, cause.
    Wait(u16, u8),
    Stage(u8),
    /// Layer of the buffer.
    Room(u16),
}

/// Numbers of tracks and names.
pub struct Numbers {
    pub layers: u32,
    routers: u32,
    output_registers: u32,
    crossbars: u32,
    /// First track of each tile.
    tiles: Vec<u32>,
    /// First IMA and first buffer of each tile, then the number of all.
    pub imas: Vec<u32>,
    pub buffers: Vec<u32>,
    /// Number of buffers of each tile.
    buffered: Vec<u32>,
    /// Number of tracks.
    pub tracks: u32,
    /// Names by layer: that of its first window with the columns of its map, and that of its first position.
    windows: Vec<(u32, u32)>,
    positions: Vec<u32>,
    /// First of the other names.
    others: u32,
}

impl Numbers {
    pub fn new(scene: &Scene<'_>) -> Numbers {
        let (layers, chips, routers) = (scene.layers().count() as u32, scene.chips(), scene.routers());
        let mut numbers = Numbers {
            layers,
            routers,
            output_registers: scene.arch.ima.output_registers,
            crossbars: scene.arch.ima.crossbars,
            tiles: Vec::new(),
            imas: Vec::new(),
            buffers: Vec::new(),
            buffered: Vec::new(),
            tracks: 1 + layers + chips * (1 + 1 + 4 + 4 * routers),
            windows: Vec::new(),
            positions: Vec::new(),
            others: 0,
        };
        let (mut imas, mut buffers) = (0, 0);
        for tile in 0..scene.tiles() {
            let (of_tile, buffered) = (scene.imas(tile) as u32, scene.buffered(tile).len() as u32);
            numbers.tiles.push(numbers.tracks);
            numbers.imas.push(imas);
            numbers.buffers.push(buffers);
            numbers.buffered.push(buffered);
            numbers.tracks += OF_TILE + buffered + of_tile * numbers.of_ima();
            imas += of_tile;
            buffers += buffered;
        }
        numbers.imas.push(imas);
        numbers.buffers.push(buffers);
        for layer in 0..layers as u16 {
            let ((rows, columns), (pooled_rows, pooled_columns)) = (scene.output(layer), scene.pooled(layer));
            numbers.windows.push((numbers.others, columns));
            numbers.positions.push(numbers.others + rows * columns);
            numbers.others += rows * columns + pooled_rows * pooled_columns;
        }
        numbers
    }

    /// Returns the number of tracks of an IMA.
    fn of_ima(&self) -> u32 {
        OF_IMA + self.output_registers + self.crossbars
    }

    pub fn track(&self, track: Track) -> u32 {
        let chips = 1 + self.layers;
        let per_chip = 6 + 4 * self.routers;
        let tile_of = |tile: u32| self.tiles[tile as usize];
        let ima_of = |tile: u32, ima: u8| {
            tile_of(tile) + OF_TILE + self.buffered[tile as usize] + u32::from(ima) * self.of_ima()
        };
        match track {
            Track::Layers => 0,
            Track::Load(Carrier::Layer(layer)) => 1 + u32::from(layer),
            Track::Chip(chip) => chips + chip * per_chip,
            Track::Load(Carrier::Mesh(chip)) => chips + chip * per_chip + 1,
            Track::Load(Carrier::Link(chip, side)) => chips + chip * per_chip + 2 + u32::from(side),
            Track::Load(Carrier::Channel(chip, router, direction)) => {
                chips + chip * per_chip + 6 + 4 * router + u32::from(direction)
            }
            Track::Tile(tile) => tile_of(tile),
            Track::Load(Carrier::Bus(tile)) => tile_of(tile) + 1,
            Track::Load(Carrier::Writes(tile)) => tile_of(tile) + 2,
            Track::Activation(tile) => tile_of(tile) + 3,
            Track::Write(tile, row) => tile_of(tile) + 4 + u32::from(row),
            Track::Room(tile) => tile_of(tile) + 6,
            Track::Fill(tile, number) => tile_of(tile) + OF_TILE + u32::from(number),
            Track::Ima(tile, ima) => ima_of(tile, ima),
            Track::Input(tile, ima, slot) => ima_of(tile, ima) + 1 + u32::from(slot),
            Track::Convert(tile, ima) => ima_of(tile, ima) + 3,
            Track::Accumulate(tile, ima) => ima_of(tile, ima) + 4,
            Track::Output(tile, ima, slot) => ima_of(tile, ima) + OF_IMA + u32::from(slot),
            Track::Crossbar(tile, ima, crossbar) => {
                ima_of(tile, ima) + OF_IMA + self.output_registers + u32::from(crossbar)
            }
        }
    }

    pub fn name(&self, name: Name) -> u32 {
        let causes = Cause::ALL.len() as u32;
        let rooms = self.others + self.layers * causes;
        match name {
            Name::Window(layer, row, column) => {
                let (first, columns) = self.windows[usize::from(layer)];
                first + u32::from(row) * columns + u32::from(column)
            }
            Name::Position(layer, position) => self.positions[usize::from(layer)] + position,
            Name::Wait(layer, cause) => self.others + u32::from(layer) * causes + u32::from(cause),
            Name::Room(layer) => rooms + u32::from(layer),
            Name::Stage(stage) => rooms + self.layers + u32::from(stage),
        }
    }

    pub fn names(&self) -> u32 {
        self.name(Name::Stage(2)) + 1
    }

    pub fn ima(&self, tile: u32, ima: u8) -> usize {
        self.imas[tile as usize] as usize + usize::from(ima)
    }
}

impl Track {
    /// Returns the parent of a track, its name, and the unit of a counter.
    pub fn description(self, scene: &Scene<'_>) -> (Option<Track>, String, Option<String>) {
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
            Track::Fill(tile, number) => {
                let layer = scene.layer(scene.buffered(tile)[usize::from(number)]);
                (Some(Track::Tile(tile)), format!("buffer fill, inputs of {layer}"), Some("bytes".to_owned()))
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

/// Returns a remark on the unit of time if it is not the ns that Perfetto assumes.
fn remark(scene: &Scene<'_>) -> String {
    match Clock::of(scene).unit {
        TimeUnit::Nanosecond => String::new(),
        unit => format!(" (1 ns shown is 1 {})", unit.symbol()),
    }
}

impl Name {
    /// Returns the name as text.
    pub fn text(self, scene: &Scene<'_>) -> String {
        let before = |layer: u16| layer.checked_sub(1).map_or("the host", |before| scene.layer(before));
        match self {
            Name::Window(layer, row, column) => format!("{} ({row}, {column})", scene.layer(layer)),
            Name::Position(layer, position) => {
                let columns = scene.pooled(layer).1;
                let results = if scene.pools(layer) { "pooled results" } else { "results" };
                format!("{} {results} ({}, {})", scene.layer(layer), position / columns, position % columns)
            }
            Name::Wait(layer, cause) => match Cause::ALL[usize::from(cause)] {
                Cause::Input => format!("waits: input from {}", before(layer)),
                Cause::DownstreamBuffer => format!("waits: downstream buffer of {}", scene.layer(layer + 1)),
                cause if cause.is_wait() => format!("waits: {}", cause.name().replace('_', " ")),
                cause => cause.name().to_owned(),
            },
            Name::Stage(stage) => {
                stage_name([Stage::Read, Stage::Convert, Stage::Accumulate][usize::from(stage)]).to_owned()
            }
            Name::Room(layer) => format!("room for inputs of {}", scene.layer(layer)),
        }
    }
}

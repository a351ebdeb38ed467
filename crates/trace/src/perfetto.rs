//! Perfetto's native format: a stream of protobuf packets, each complete in itself, so that a file that ends early can
//! be opened.
//!
//! The messages below are those fields of `perfetto/trace/trace_packet.proto` and `track_event.proto` (Perfetto, Apache
//! 2.0) that are used here, under their names there.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::Range;

use chip::{Cause, Stage, Unit};
use components::ImaTiming;
use des::Cycle;
use prost::Message;

use crate::csv::stage_name;
use crate::event::Event;
use crate::load::{Carrier, LOAD_CYCLES};
use crate::writer::{Counted, Sink};
use crate::{Detail, Filter, Scene};

/// A packet with an event.
#[derive(Clone, PartialEq, Message)]
struct EventPacket {
    #[prost(uint64, tag = "8")]
    timestamp: u64,
    #[prost(uint32, tag = "10")]
    trusted_packet_sequence_id: u32,
    #[prost(message, required, tag = "11")]
    track_event: TrackEvent,
    #[prost(uint32, tag = "13")]
    sequence_flags: u32,
}

/// A packet with what events refer to.
#[derive(Clone, PartialEq, Message)]
struct DescriptionPacket {
    #[prost(uint32, tag = "10")]
    trusted_packet_sequence_id: u32,
    #[prost(message, optional, tag = "12")]
    interned_data: Option<InternedData>,
    #[prost(uint32, tag = "13")]
    sequence_flags: u32,
    #[prost(message, optional, tag = "60")]
    track_descriptor: Option<TrackDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct TrackEvent {
    #[prost(int32, tag = "9")]
    r#type: i32,
    #[prost(uint64, tag = "10")]
    name_iid: u64,
    #[prost(uint64, tag = "11")]
    track_uuid: u64,
    #[prost(int64, optional, tag = "30")]
    counter_value: Option<i64>,
    #[prost(fixed64, repeated, packed = "false", tag = "47")]
    flow_ids: Vec<u64>,
    #[prost(fixed64, repeated, packed = "false", tag = "48")]
    terminating_flow_ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct InternedData {
    #[prost(message, repeated, tag = "2")]
    event_names: Vec<EventName>,
}

#[derive(Clone, PartialEq, Message)]
struct EventName {
    #[prost(uint64, tag = "1")]
    iid: u64,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct TrackDescriptor {
    #[prost(uint64, tag = "1")]
    uuid: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, optional, tag = "5")]
    parent_uuid: Option<u64>,
    #[prost(message, optional, tag = "8")]
    counter: Option<CounterDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct CounterDescriptor {
    #[prost(string, tag = "6")]
    unit_name: String,
}

const SLICE_BEGIN: i32 = 1;
const SLICE_END: i32 = 2;
const INSTANT: i32 = 3;
const COUNTER: i32 = 4;

/// All packets are of one sequence.
const SEQUENCE: u32 = 1;
/// The first packet of a sequence, and all others: the names they refer to were given since.
const INCREMENTAL_STATE_CLEARED: u32 = 1;
const NEEDS_INCREMENTAL_STATE: u32 = 2;

/// A row of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Track {
    Layers,
    Load(Carrier),
    Chip(u32),
    Tile(u32),
    /// Sigmoid and max-pool.
    Activation(u32),
    /// Writes overlap by a cycle at the most, so two rows hold them.
    Write(u32, u8),
    /// The buffer tells that it has room.
    Room(u32),
    /// Tile, number among the layers with inputs there.
    Fill(u32, u8),
    Ima(u32, u8),
    /// One of the two operations that the input register holds.
    Input(u32, u8, u8),
    Convert(u32, u8),
    Accumulate(u32, u8),
    /// One of the two operations that the output register holds.
    Output(u32, u8, u8),
    Crossbar(u32, u8, u8),
}

/// Rows of a tile, but for its buffers and its IMAs.
const OF_TILE: u32 = 7;
/// Rows of an IMA, but for its crossbars.
const OF_IMA: u32 = 7;

/// What slices are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
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

/// A slice or instant from which arrows may start, kept back until it is known how many do.
struct Source {
    track: Track,
    name: Name,
    cycles: Range<Cycle>,
    flows: Vec<u64>,
}

/// What may have ended a wait of an IMA: the last two fetches and results.
#[derive(Default)]
struct OfIma([Option<Source>; 4]);

/// What may have ended waits in a tile.
#[derive(Default)]
struct OfTile {
    /// The last writes: layer of the inputs, rank.
    writes: VecDeque<(u16, u32, Source)>,
    /// The last writes that windows of a copy waited for: layer, copy, rank, cycle.
    supplies: VecDeque<(u16, u32, u32, Cycle)>,
    /// The last buffer that told this tile of room.
    room: Option<Source>,
    /// The end of the last write, and what the rows of writes are taken until.
    written_until: Cycle,
    rows_until: [Cycle; 2],
}

/// Writes and supplies of a tile that are remembered. An IMA begins at most a few cycles after its inputs came.
const REMEMBERED: usize = 32;

/// Bytes of packets that are written together.
const BUFFERED: usize = 1 << 16;
/// Bytes that a slice takes, about.
const KEPT_BYTES: u64 = 64;

/// Writes Perfetto traces.
pub(crate) struct Perfetto<'a> {
    scene: &'a Scene<'a>,
    detail: Detail,
    end: Cycle,
    file: Counted,
    /// Packets that are not written yet.
    buffer: Vec<u8>,
    numbers: Numbers,
    /// Whether each track and name has been described.
    tracks: Vec<bool>,
    names: Vec<bool>,
    flows: u64,
    imas: Vec<OfIma>,
    tiles: Vec<OfTile>,
    /// For each buffer that writes were seen of, its positions by rank.
    positions: Vec<Option<Vec<u32>>>,
    /// What carried a load in the present stretch and in the one before.
    loads: [Stretch; 2],
    /// Slices that are kept back.
    kept: u64,
    /// Slices, instants and samples that are written.
    written: u64,
}

/// What carried a load in a stretch of cycles, in order.
#[derive(Default)]
struct Stretch {
    from: Cycle,
    carriers: Vec<Carrier>,
}

/// Numbers of tracks and names: they follow from the scene, so none has to be looked up.
struct Numbers {
    layers: u32,
    routers: u32,
    crossbars: u32,
    /// For each tile, the number of its first track.
    tiles: Vec<u32>,
    /// For each tile, its first IMA, and its first buffer.
    imas: Vec<u32>,
    buffers: Vec<u32>,
    /// For each tile, its buffers.
    buffered: Vec<u32>,
    /// All tracks.
    tracks: u32,
    /// For each layer: its first window's name, columns; its first position's name.
    windows: Vec<(u32, u32)>,
    positions: Vec<u32>,
    /// The first of the other names.
    others: u32,
}

impl Numbers {
    fn new(scene: &Scene<'_>) -> Numbers {
        let (layers, chips, routers) = (scene.layers().count() as u32, scene.chips(), scene.routers());
        let mut numbers = Numbers {
            layers,
            routers,
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
            numbers.tracks += OF_TILE + buffered + of_tile * (OF_IMA + numbers.crossbars);
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

    fn track(&self, track: Track) -> u32 {
        let chips = 1 + self.layers;
        let per_chip = 6 + 4 * self.routers;
        let tile_of = |tile: u32| self.tiles[tile as usize];
        let ima_of = |tile: u32, ima: u8| {
            tile_of(tile) + OF_TILE + self.buffered[tile as usize] + u32::from(ima) * (OF_IMA + self.crossbars)
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
            Track::Output(tile, ima, slot) => ima_of(tile, ima) + 5 + u32::from(slot),
            Track::Crossbar(tile, ima, crossbar) => ima_of(tile, ima) + OF_IMA + u32::from(crossbar),
        }
    }

    fn name(&self, name: Name) -> u32 {
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

    fn names(&self) -> u32 {
        self.name(Name::Stage(2)) + 1
    }

    fn ima(&self, tile: u32, ima: u8) -> usize {
        self.imas[tile as usize] as usize + usize::from(ima)
    }
}

impl<'a> Perfetto<'a> {
    pub fn new(scene: &'a Scene<'a>, filter: &Filter, file: Counted) -> io::Result<Self> {
        let numbers = Numbers::new(scene);
        let all = |numbers: &[u32]| numbers[numbers.len() - 1] as usize;
        let mut perfetto = Self {
            scene,
            detail: filter.detail,
            end: filter.cycles.end,
            file,
            buffer: Vec::new(),
            tracks: vec![false; numbers.tracks as usize],
            names: vec![false; numbers.names() as usize],
            flows: 0,
            imas: (0..all(&numbers.imas)).map(|_| OfIma::default()).collect(),
            tiles: (0..scene.tiles()).map(|_| OfTile::default()).collect(),
            positions: vec![None; all(&numbers.buffers)],
            loads: Default::default(),
            kept: 0,
            written: 0,
            numbers,
        };
        perfetto.describe_with(INCREMENTAL_STATE_CLEARED, None, None)?;
        Ok(perfetto)
    }

    fn packet(&mut self, packet: &impl Message) -> io::Result<()> {
        // Field 1 of the file's message, of which packets are the only field.
        const PACKET: u8 = 1 << 3 | 2;
        self.buffer.push(PACKET);
        packet.encode_length_delimited(&mut self.buffer).expect("a vector grows as it must");
        if self.buffer.len() < BUFFERED { Ok(()) } else { self.write_buffer() }
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn describe_with(
        &mut self,
        sequence_flags: u32,
        interned_data: Option<InternedData>,
        track_descriptor: Option<TrackDescriptor>,
    ) -> io::Result<()> {
        let trusted_packet_sequence_id = SEQUENCE;
        self.packet(&DescriptionPacket { trusted_packet_sequence_id, interned_data, sequence_flags, track_descriptor })
    }

    /// Number of a track, which is described when it is first used, after those around it.
    #[inline]
    fn track(&mut self, track: Track) -> io::Result<u64> {
        let number = self.numbers.track(track);
        if !self.tracks[number as usize] {
            self.describe_track(track, number)?;
        }
        Ok(u64::from(number) + 1)
    }

    #[cold]
    fn describe_track(&mut self, track: Track, number: u32) -> io::Result<()> {
        self.tracks[number as usize] = true;
        let (parent, name, unit) = self.description(track);
        let parent_uuid = parent.map(|parent| self.track(parent)).transpose()?;
        let counter = unit.map(|unit_name| CounterDescriptor { unit_name });
        let track_descriptor = Some(TrackDescriptor { uuid: u64::from(number) + 1, name, parent_uuid, counter });
        self.describe_with(NEEDS_INCREMENTAL_STATE, None, track_descriptor)
    }

    /// The track around a track, its name, and the unit of a counter.
    fn description(&self, track: Track) -> (Option<Track>, String, Option<String>) {
        let scene = self.scene;
        match track {
            Track::Layers => (None, "layers".to_owned(), None),
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
            Track::Chip(chip) => (None, format!("chip {chip}"), None),
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

    /// Number of a name, which is given when it is first used. There are as many as windows of one image, not as events.
    #[inline]
    fn name(&mut self, name: Name) -> io::Result<u64> {
        let number = self.numbers.name(name);
        if !self.names[number as usize] {
            self.describe_name(name, number)?;
        }
        Ok(u64::from(number) + 1)
    }

    #[cold]
    fn describe_name(&mut self, name: Name, number: u32) -> io::Result<()> {
        self.names[number as usize] = true;
        let scene = self.scene;
        let before = |layer: u16| layer.checked_sub(1).map_or("the host", |before| scene.layer(before));
        let name = match name {
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
        };
        let event_names = vec![EventName { iid: u64::from(number) + 1, name }];
        self.describe_with(NEEDS_INCREMENTAL_STATE, Some(InternedData { event_names }), None)
    }

    #[inline]
    fn track_event(&mut self, at: Cycle, track_event: TrackEvent) -> io::Result<()> {
        self.written += u64::from(track_event.r#type != SLICE_END);
        self.packet(&EventPacket {
            timestamp: self.scene.nanoseconds(at),
            trusted_packet_sequence_id: SEQUENCE,
            track_event,
            sequence_flags: NEEDS_INCREMENTAL_STATE,
        })
    }

    #[inline]
    fn slice(&mut self, track: Track, name: Name, cycles: &Range<Cycle>) -> io::Result<()> {
        self.slice_with_arrows(track, name, cycles, Vec::new(), None)
    }

    /// A slice from which the arrows `from` start, and in whose end `to` ends.
    fn slice_with_arrows(
        &mut self,
        track: Track,
        name: Name,
        cycles: &Range<Cycle>,
        from: Vec<u64>,
        to: Option<u64>,
    ) -> io::Result<()> {
        let (track_uuid, name_iid) = (self.track(track)?, self.name(name)?);
        let begin = TrackEvent { r#type: SLICE_BEGIN, name_iid, track_uuid, flow_ids: from, ..Default::default() };
        self.track_event(cycles.start, begin)?;
        let terminating_flow_ids = to.into_iter().collect();
        let end = TrackEvent { r#type: SLICE_END, track_uuid, terminating_flow_ids, ..Default::default() };
        self.track_event(cycles.end, end)
    }

    fn counter(&mut self, track: Track, at: Cycle, value: u64) -> io::Result<()> {
        let (track_uuid, counter_value) = (self.track(track)?, Some(value as i64));
        self.track_event(at, TrackEvent { r#type: COUNTER, track_uuid, counter_value, ..Default::default() })
    }

    /// Writes what arrows might have started from.
    fn let_go(&mut self, source: Option<Source>) -> io::Result<()> {
        self.kept -= u64::from(source.is_some());
        match source {
            None => Ok(()),
            Some(Source { track: Track::Room(_), flows, .. }) if flows.is_empty() => Ok(()),
            Some(Source { track: track @ Track::Room(_), name, cycles, flows }) => {
                let (track_uuid, name_iid) = (self.track(track)?, self.name(name)?);
                let instant =
                    TrackEvent { r#type: INSTANT, name_iid, track_uuid, flow_ids: flows, ..Default::default() };
                self.track_event(cycles.start, instant)
            }
            Some(Source { track, name, cycles, flows }) => self.slice_with_arrows(track, name, &cycles, flows, None),
        }
    }

    /// What ended a wait of an IMA, if it is still known.
    fn ended(&mut self, unit: Unit, cause: Cause, end: Cycle) -> Option<&mut Source> {
        let Unit { tile, ima, layer, copy } = unit;
        let OfTile { writes, supplies, room, .. } = &mut self.tiles[tile as usize];
        match cause {
            Cause::Input | Cause::Mesh | Cause::Filling => {
                let of_copy = |supply: &&(u16, u32, u32, Cycle)| (supply.0, supply.1) == (layer, copy);
                let &(.., rank, _) = supplies.iter().rev().filter(of_copy).find(|supply| supply.3 < end)?;
                let of_rank = |write: &&mut (u16, u32, Source)| (write.0, write.1) == (layer, rank);
                writes.iter_mut().rev().find(of_rank).map(|write| &mut write.2)
            }
            Cause::DownstreamBuffer if room.as_ref().is_some_and(|room| room.cycles.start < end) => room.as_mut(),
            Cause::Bus | Cause::OutputRegister | Cause::DownstreamBuffer => {
                let sources = self.imas[self.numbers.ima(tile, ima)].0.iter_mut();
                sources.flatten().find(|source| source.cycles.end == end)
            }
            Cause::Computing | Cause::Finished => None,
        }
    }

    fn wait(&mut self, unit: Unit, cause: Cause, cycles: &Range<Cycle>) -> io::Result<()> {
        let flow = self.flows + 1;
        let arrow = self.ended(unit, cause, cycles.end).map(|source| source.flows.push(flow));
        let to = arrow.map(|()| flow);
        self.flows = to.unwrap_or(self.flows);
        let name = Name::Wait(unit.layer, cause as u8);
        self.slice_with_arrows(Track::Ima(unit.tile, unit.ima), name, cycles, Vec::new(), to)
    }

    fn operation(&mut self, unit: Unit, window: u32, reads: &Range<Cycle>, timing: ImaTiming) -> io::Result<()> {
        let Unit { tile, ima, .. } = unit;
        let name = self.window(unit.layer, unit.copy, window);
        self.slice(Track::Ima(tile, ima), name, reads)?;
        if self.detail < Detail::Crossbar {
            return Ok(());
        }
        for crossbar in 0..self.scene.crossbars(tile, ima) as u8 {
            self.slice(Track::Crossbar(tile, ima, crossbar), name, reads)?;
        }
        let [convert, accumulate] = stages(reads, timing);
        self.slice(Track::Convert(tile, ima), name, &convert)?;
        self.slice(Track::Accumulate(tile, ima), name, &accumulate)
    }

    /// Keeps a fetch (0, 1) or result (2, 3) of an IMA in place of the one before the last.
    fn keep(&mut self, unit: Unit, slot: usize, source: Source) -> io::Result<()> {
        self.kept += 1;
        let kept = &mut self.imas[self.numbers.ima(unit.tile, unit.ima)].0[slot];
        let before = kept.replace(source);
        self.let_go(before)
    }

    fn write(&mut self, tile: u32, layer: Option<u16>, rank: u32, cycles: &Range<Cycle>) -> io::Result<()> {
        let of = layer.map_or(self.numbers.layers as u16, |layer| layer) - 1;
        let position = match layer {
            Some(layer) => {
                let scene = self.scene;
                let number = scene.buffered(tile).iter().position(|&of| of == layer).expect("it has a buffer");
                let buffer = self.numbers.buffers[tile as usize] as usize + number;
                let positions = self.positions[buffer].get_or_insert_with(|| scene.positions(tile, layer));
                positions[rank as usize % positions.len()]
            }
            None => {
                let (rows, columns) = self.scene.pooled(of);
                rank % (rows * columns)
            }
        };
        self.kept += 1;
        // The port serves one after another, and two of them may share a cycle.
        let of_tile = &mut self.tiles[tile as usize];
        let cycles = cycles.start.max(of_tile.written_until.saturating_sub(1)).min(cycles.end - 1)..cycles.end;
        of_tile.written_until = cycles.end;
        let row = usize::from(of_tile.rows_until[0] > cycles.start && of_tile.rows_until[0] < cycles.end);
        of_tile.rows_until[row] = cycles.end;
        let (track, name) = (Track::Write(tile, row as u8), Name::Position(of, position));
        of_tile.writes.push_back((layer.unwrap_or(u16::MAX), rank, Source { track, name, cycles, flows: Vec::new() }));
        if of_tile.writes.len() <= REMEMBERED {
            return Ok(());
        }
        let oldest = of_tile.writes.pop_front().map(|oldest| oldest.2);
        self.let_go(oldest)
    }

    fn load(&mut self, carrier: Carrier, from: Cycle, amount: u64) -> io::Result<()> {
        if from > self.loads[0].from {
            self.end_loads(from)?;
        }
        self.loads[0].carriers.push(carrier);
        self.counter(Track::Load(carrier), from.max(1), amount)
    }

    /// A stretch begins in cycle `from`. What carried a load in the stretch before the last and not in the last had none.
    fn end_loads(&mut self, from: Cycle) -> io::Result<()> {
        let [last, before] = std::mem::take(&mut self.loads);
        let over = before.from + LOAD_CYCLES;
        let goes_on = |carrier: &Carrier| last.from == over && last.carriers.binary_search(carrier).is_ok();
        for &carrier in before.carriers.iter().filter(|carrier| !goes_on(carrier)) {
            self.counter(Track::Load(carrier), over.min(self.end), 0)?;
        }
        self.loads = [Stretch { from, carriers: Vec::new() }, last];
        Ok(())
    }

    #[inline]
    fn window(&self, layer: u16, copy: u32, window: u32) -> Name {
        let (row, column, _) = self.scene.window(layer, copy, window);
        Name::Window(layer, row, column)
    }
}

/// When the converters and the shift-and-adds work on an operation whose reads take `reads`: they follow the reads.
pub(crate) fn stages(reads: &Range<Cycle>, timing: ImaTiming) -> [Range<Cycle>; 2] {
    let convert =
        reads.start + 1..reads.end + 1 + Cycle::from(timing.convert_cycles) - Cycle::from(timing.cycles_per_read);
    let delay = 1 + Cycle::from(timing.convert_cycles);
    let accumulate =
        reads.start + delay..reads.end + delay + Cycle::from(timing.merge_cycles) - Cycle::from(timing.cycles_per_read);
    [convert, accumulate]
}

impl Sink for Perfetto<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match *event {
            Event::Load { carrier, from, amount } => self.load(carrier, from, amount),
            Event::Fill { tile, layer, bits, at } => {
                let of_layer = |&of: &u16| of == layer;
                let number = self.scene.buffered(tile).iter().position(of_layer).expect("it has a buffer");
                self.counter(Track::Fill(tile, number as u8), at + 1, bits / 8)
            }
            Event::Operation { unit, window, ref cycles, timing } => self.operation(unit, window, cycles, timing),
            Event::Wait { unit, cause, ref cycles } => self.wait(unit, cause, cycles),
            Event::Fetch { unit, window, ref cycles, .. } => {
                let (name, slot) = (self.window(unit.layer, unit.copy, window), window % 2);
                let track = Track::Input(unit.tile, unit.ima, slot as u8);
                self.keep(unit, slot as usize, Source { track, name, cycles: cycles.clone(), flows: Vec::new() })
            }
            Event::Result { unit, window, ref cycles, .. } => {
                let (name, slot) = (self.window(unit.layer, unit.copy, window), window % 2);
                let track = Track::Output(unit.tile, unit.ima, slot as u8);
                self.keep(unit, 2 + slot as usize, Source { track, name, cycles: cycles.clone(), flows: Vec::new() })
            }
            Event::Activate { tile, layer, copy, window, at } => {
                let name = self.window(layer, copy, window);
                self.slice(Track::Activation(tile), name, &(at..at + 1))
            }
            Event::Write { tile, layer, rank, ref cycles, .. } => self.write(tile, layer, rank, cycles),
            Event::Supply { tile, layer, copy, rank, at } => {
                let supplies = &mut self.tiles[tile as usize].supplies;
                supplies.push_back((layer, copy, rank, at));
                if supplies.len() > REMEMBERED {
                    supplies.pop_front();
                }
                Ok(())
            }
            Event::Room { tile, layer, to, at } => {
                let (track, name) = (Track::Room(tile), Name::Room(layer));
                let source = Source { track, name, cycles: at..at + 1, flows: Vec::new() };
                self.kept += 1;
                let before = self.tiles[to as usize].room.replace(source);
                self.let_go(before)
            }
            Event::Stage { unit: Unit { tile, ima, .. }, stage, ref cycles } => match stage {
                Stage::Read => (0..self.scene.crossbars(tile, ima) as u8)
                    .try_for_each(|crossbar| self.slice(Track::Crossbar(tile, ima, crossbar), Name::Stage(0), cycles)),
                Stage::Convert => self.slice(Track::Convert(tile, ima), Name::Stage(1), cycles),
                Stage::Accumulate => self.slice(Track::Accumulate(tile, ima), Name::Stage(2), cycles),
            },
            // The loads of meshes and links tell of them.
            Event::Packet { .. } | Event::Crossing { .. } => Ok(()),
        }
    }

    fn events(&self) -> u64 {
        self.written
    }

    fn bytes(&self) -> u64 {
        self.file.bytes + self.buffer.len() as u64 + KEPT_BYTES * self.kept
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end_loads(Cycle::MAX)?;
        self.end_loads(Cycle::MAX)?;
        for ima in 0..self.imas.len() {
            for slot in 0..4 {
                let source = self.imas[ima].0[slot].take();
                self.let_go(source)?;
            }
        }
        for tile in 0..self.tiles.len() {
            let OfTile { writes, room, .. } = std::mem::take(&mut self.tiles[tile]);
            writes.into_iter().try_for_each(|write| self.let_go(Some(write.2)))?;
            self.let_go(room)?;
        }
        self.write_buffer()?;
        self.file.flush()
    }
}

//! Perfetto's native format: a stream of protobuf packets, each complete in itself, so that a file that ends early can
//! be opened.
//!
//! The messages below are those fields of `perfetto/trace/trace_packet.proto` and `track_event.proto` (Perfetto, Apache
//! 2.0) that are used here, under their names there.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;

use chip::{Cause, Stage, Unit};
use components::Direction;
use des::Cycle;
use prost::Message;

use crate::csv::stage_name;
use crate::event::Event;
use crate::writer::{Counted, Sink};
use crate::{Detail, Filter, Scene};

#[derive(Clone, PartialEq, Message)]
struct TracePacket {
    #[prost(uint64, optional, tag = "8")]
    timestamp: Option<u64>,
    #[prost(uint32, tag = "10")]
    trusted_packet_sequence_id: u32,
    #[prost(message, optional, tag = "11")]
    track_event: Option<TrackEvent>,
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
    #[prost(uint64, optional, tag = "10")]
    name_iid: Option<u64>,
    #[prost(uint64, tag = "11")]
    track_uuid: u64,
    #[prost(int64, optional, tag = "30")]
    counter_value: Option<i64>,
    #[prost(fixed64, repeated, tag = "47")]
    flow_ids: Vec<u64>,
    #[prost(fixed64, repeated, tag = "48")]
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

/// The first packet of a sequence, and all others: the names they refer to were given since.
const INCREMENTAL_STATE_CLEARED: u32 = 1;
const NEEDS_INCREMENTAL_STATE: u32 = 2;

/// Cycles over which a counter of load adds up.
pub(crate) const LOAD_CYCLES: Cycle = 64;

/// A row of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Track {
    Layers,
    Layer(u16),
    Chip(u32),
    Mesh(u32),
    Link(u32, u8),
    Tile(u32),
    Bus(u32),
    Writes(u32),
    Fill(u32, u16),
    Ima(u32, u8),
    /// One of the two operations that the input register holds.
    Input(u32, u8, u8),
    Crossbar(u32, u8, u8),
    Convert(u32, u8),
    Accumulate(u32, u8),
    /// One of the two operations that the output register holds.
    Output(u32, u8, u8),
}

/// What slices are called.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    /// Layer, row, column.
    Window(u16, u16, u16),
    /// Layer, cause.
    Wait(u16, u8),
    Stage(u8),
    Write(Option<u16>),
}

/// What may end a wait of an IMA, as flows.
#[derive(Clone, Copy, Default)]
struct Sources {
    fetch: u64,
    result: u64,
    /// What ended its last wait.
    ended: Option<u64>,
}

/// Writes Perfetto traces.
pub(crate) struct Perfetto<'a> {
    scene: &'a Scene<'a>,
    detail: Detail,
    from: Cycle,
    file: Counted,
    buffer: Vec<u8>,
    tracks: HashMap<Track, u64>,
    names: HashMap<Name, u64>,
    flows: u64,
    sources: HashMap<(u32, u8), Sources>,
    /// For each tile and layer, the flow of the last write.
    writes: HashMap<(u32, u16), u64>,
    fills: HashMap<(u32, u16), i64>,
    /// Loads of the present stretch of cycles.
    loads: HashMap<Track, i64>,
    stretch: Cycle,
}

impl<'a> Perfetto<'a> {
    pub fn new(scene: &'a Scene<'a>, filter: Filter, file: Counted) -> io::Result<Self> {
        let mut perfetto = Self {
            scene,
            detail: filter.detail,
            from: filter.cycles.start,
            file,
            buffer: Vec::new(),
            tracks: HashMap::new(),
            names: HashMap::new(),
            flows: 0,
            sources: HashMap::new(),
            writes: HashMap::new(),
            fills: HashMap::new(),
            loads: HashMap::new(),
            stretch: 0,
        };
        perfetto.packet(TracePacket { sequence_flags: INCREMENTAL_STATE_CLEARED, ..TracePacket::default() })?;
        Ok(perfetto)
    }

    fn packet(&mut self, mut packet: TracePacket) -> io::Result<()> {
        // Field 1 of the file's message, of which packets are the only field.
        const PACKET: u8 = 1 << 3 | 2;
        packet.trusted_packet_sequence_id = 1;
        if packet.sequence_flags == 0 {
            packet.sequence_flags = NEEDS_INCREMENTAL_STATE;
        }
        self.buffer.clear();
        self.buffer.push(PACKET);
        packet.encode_length_delimited(&mut self.buffer).expect("a vector grows as it must");
        self.file.write_all(&self.buffer)
    }

    /// Number of a track, which is described when it is first used, after those around it.
    fn track(&mut self, track: Track) -> io::Result<u64> {
        if let Some(&uuid) = self.tracks.get(&track) {
            return Ok(uuid);
        }
        let (parent, name, unit) = self.describe(track);
        let parent_uuid = parent.map(|parent| self.track(parent)).transpose()?;
        let uuid = self.tracks.len() as u64 + 1;
        self.tracks.insert(track, uuid);
        let counter = unit.map(|unit| CounterDescriptor { unit_name: unit.to_owned() });
        let track_descriptor = Some(TrackDescriptor { uuid, name, parent_uuid, counter });
        self.packet(TracePacket { track_descriptor, ..TracePacket::default() })?;
        Ok(uuid)
    }

    /// The track around a track, its name, and the unit of a counter.
    fn describe(&self, track: Track) -> (Option<Track>, String, Option<&'static str>) {
        let scene = self.scene;
        match track {
            Track::Layers => (None, "layers".to_owned(), None),
            Track::Layer(layer) => {
                (Some(Track::Layers), format!("{} operations", scene.layer(layer)), Some("operations per 64 cycles"))
            }
            Track::Chip(chip) => (None, format!("chip {chip}"), None),
            Track::Mesh(chip) => (Some(Track::Chip(chip)), "mesh load".to_owned(), Some("flits per 64 cycles")),
            Track::Link(chip, side) => {
                let name = format!("link load from the {:?}", Direction::ALL[usize::from(side)]).to_lowercase();
                (Some(Track::Chip(chip)), name, Some("bits per 64 cycles"))
            }
            Track::Tile(tile) => {
                let (chip, tile) = scene.place(tile);
                (Some(Track::Chip(chip)), format!("tile {tile}"), None)
            }
            Track::Bus(tile) => (Some(Track::Tile(tile)), "bus load".to_owned(), Some("bits per 64 cycles")),
            Track::Writes(tile) => (Some(Track::Tile(tile)), "eDRAM writes".to_owned(), None),
            Track::Fill(tile, layer) => {
                (Some(Track::Tile(tile)), format!("buffer fill, inputs of {}", scene.layer(layer)), Some("bytes"))
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
    fn name(&mut self, name: Name) -> io::Result<u64> {
        if let Some(&iid) = self.names.get(&name) {
            return Ok(iid);
        }
        let scene = self.scene;
        let before = |layer: u16| layer.checked_sub(1).map_or("the host", |before| scene.layer(before));
        let text = match name {
            Name::Window(layer, row, column) => format!("{} ({row}, {column})", scene.layer(layer)),
            Name::Wait(layer, cause) => match Cause::ALL[usize::from(cause)] {
                Cause::Input => format!("waits: input from {}", before(layer)),
                Cause::DownstreamBuffer => format!("waits: downstream buffer of {}", scene.layer(layer + 1)),
                cause if cause.is_wait() => format!("waits: {}", cause.name().replace('_', " ")),
                cause => cause.name().to_owned(),
            },
            Name::Stage(stage) => {
                stage_name([Stage::Read, Stage::Convert, Stage::Accumulate][usize::from(stage)]).to_owned()
            }
            Name::Write(Some(layer)) => format!("{} input", scene.layer(layer)),
            Name::Write(None) => "result".to_owned(),
        };
        let iid = self.names.len() as u64 + 1;
        self.names.insert(name, iid);
        let interned_data = Some(InternedData { event_names: vec![EventName { iid, name: text }] });
        self.packet(TracePacket { interned_data, ..TracePacket::default() })?;
        Ok(iid)
    }

    fn track_event(&mut self, at: Cycle, track_event: TrackEvent) -> io::Result<()> {
        let timestamp = Some(self.scene.nanoseconds(at));
        self.packet(TracePacket { timestamp, track_event: Some(track_event), ..TracePacket::default() })
    }

    fn slice(&mut self, track: Track, name: Name, cycles: &Range<Cycle>) -> io::Result<()> {
        self.slice_with_flows(track, name, cycles, None, None)
    }

    fn slice_with_flows(
        &mut self,
        track: Track,
        name: Name,
        cycles: &Range<Cycle>,
        begins: Option<u64>,
        ends: Option<u64>,
    ) -> io::Result<()> {
        let (track_uuid, name_iid) = (self.track(track)?, Some(self.name(name)?));
        let flow_ids = begins.into_iter().collect();
        let terminating_flow_ids = ends.into_iter().collect();
        let begin = TrackEvent {
            r#type: SLICE_BEGIN,
            name_iid,
            track_uuid,
            flow_ids,
            terminating_flow_ids,
            ..Default::default()
        };
        self.track_event(cycles.start, begin)?;
        self.track_event(cycles.end, TrackEvent { r#type: SLICE_END, track_uuid, ..Default::default() })
    }

    fn counter(&mut self, track: Track, at: Cycle, value: i64) -> io::Result<()> {
        let track_uuid = self.track(track)?;
        let counter_value = Some(value);
        self.track_event(at, TrackEvent { r#type: COUNTER, track_uuid, counter_value, ..Default::default() })
    }

    /// Adds to a load. Loads are told at the end of each stretch of cycles, for its beginning.
    fn load(&mut self, track: Track, at: Cycle, amount: i64) -> io::Result<()> {
        if at / LOAD_CYCLES > self.stretch {
            self.tell_loads()?;
            self.stretch = at / LOAD_CYCLES;
        }
        *self.loads.entry(track).or_default() += amount;
        Ok(())
    }

    fn tell_loads(&mut self) -> io::Result<()> {
        let begins_at = (self.stretch * LOAD_CYCLES).max(self.from).max(1);
        let mut loads = std::mem::take(&mut self.loads);
        for (&track, &load) in &loads {
            self.counter(track, begins_at, load)?;
            if load > 0 {
                // Until something happens again.
                self.counter(track, (self.stretch + 1) * LOAD_CYCLES, 0)?;
            }
        }
        loads.clear();
        self.loads = loads;
        Ok(())
    }

    fn next_flow(&mut self) -> u64 {
        self.flows += 1;
        self.flows
    }

    fn operation(
        &mut self,
        unit: Unit,
        window: u32,
        cycles: &Range<Cycle>,
        stages: [Range<Cycle>; 2],
    ) -> io::Result<()> {
        self.load(Track::Layer(unit.layer), cycles.start, 1)?;
        if self.detail < Detail::Ima {
            return Ok(());
        }
        let Unit { tile, ima, .. } = unit;
        let name = self.window(unit, window);
        let ended = self.sources.entry((tile, ima)).or_default().ended.take();
        self.slice_with_flows(Track::Ima(tile, ima), name, cycles, None, ended)?;
        if self.detail == Detail::Crossbar {
            for crossbar in 0..self.scene.crossbars(tile, ima) as u8 {
                self.slice(Track::Crossbar(tile, ima, crossbar), name, cycles)?;
            }
            let [convert, accumulate] = stages;
            self.slice(Track::Convert(tile, ima), name, &convert)?;
            self.slice(Track::Accumulate(tile, ima), name, &accumulate)?;
        }
        Ok(())
    }

    fn wait(&mut self, unit: Unit, cause: Cause, cycles: &Range<Cycle>) -> io::Result<()> {
        let Unit { tile, ima, layer, .. } = unit;
        let write = self.writes.get(&(tile, layer)).copied();
        let sources = self.sources.entry((tile, ima)).or_default();
        let flow = |flow: u64| (flow > 0).then_some(flow);
        sources.ended = match cause {
            Cause::Input | Cause::Mesh | Cause::Filling => write,
            Cause::Bus => flow(sources.fetch),
            Cause::OutputRegister | Cause::DownstreamBuffer => flow(sources.result),
            Cause::Computing | Cause::Finished => None,
        };
        self.slice(Track::Ima(tile, ima), Name::Wait(layer, cause as u8), cycles)
    }

    fn window(&self, unit: Unit, window: u32) -> Name {
        let (row, column, _) = self.scene.window(unit, window);
        Name::Window(unit.layer, row, column)
    }
}

impl Sink for Perfetto<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match *event {
            Event::Operation { unit, window, ref cycles, timing } => {
                // Converters and shift-and-adds follow the reads.
                let convert = cycles.start + 1
                    ..cycles.end
                        + 1
                        + Cycle::from(timing.convert_cycles - timing.cycles_per_read.min(timing.convert_cycles));
                let delay = 1 + Cycle::from(timing.convert_cycles);
                let last = Cycle::from(timing.cycles_per_read - timing.merge_cycles);
                let accumulate = cycles.start + delay..cycles.end + delay - last;
                self.operation(unit, window, cycles, [convert, accumulate])
            }
            Event::Wait { unit, cause, ref cycles } => self.wait(unit, cause, cycles),
            Event::Fetch { unit, window, bits, ref cycles } => {
                self.load(Track::Bus(unit.tile), cycles.start, bits as i64)?;
                if self.detail < Detail::Ima {
                    return Ok(());
                }
                let (flow, name) = (self.next_flow(), self.window(unit, window));
                self.sources.entry((unit.tile, unit.ima)).or_default().fetch = flow;
                let track = Track::Input(unit.tile, unit.ima, (window % 2) as u8);
                self.slice_with_flows(track, name, cycles, Some(flow), None)
            }
            Event::Result { unit, window, bits, ref cycles } => {
                self.load(Track::Bus(unit.tile), cycles.start, bits as i64)?;
                if self.detail < Detail::Ima {
                    return Ok(());
                }
                let (flow, name) = (self.next_flow(), self.window(unit, window));
                self.sources.entry((unit.tile, unit.ima)).or_default().result = flow;
                let track = Track::Output(unit.tile, unit.ima, (window % 2) as u8);
                self.slice_with_flows(track, name, cycles, Some(flow), None)
            }
            Event::Stage { unit: Unit { tile, ima, .. }, stage, ref cycles } => match stage {
                Stage::Read => (0..self.scene.crossbars(tile, ima) as u8)
                    .try_for_each(|crossbar| self.slice(Track::Crossbar(tile, ima, crossbar), Name::Stage(0), cycles)),
                Stage::Convert => self.slice(Track::Convert(tile, ima), Name::Stage(1), cycles),
                Stage::Accumulate => self.slice(Track::Accumulate(tile, ima), Name::Stage(2), cycles),
            },
            Event::Write { tile, layer, ref cycles, .. } => {
                let flow = self.next_flow();
                if let Some(layer) = layer {
                    self.writes.insert((tile, layer), flow);
                }
                let (track_uuid, name_iid) = (self.track(Track::Writes(tile))?, Some(self.name(Name::Write(layer))?));
                let flow_ids = vec![flow];
                let instant = TrackEvent { r#type: INSTANT, name_iid, track_uuid, flow_ids, ..Default::default() };
                self.track_event(cycles.start, instant)
            }
            Event::Fill { tile, layer, bits, at } => {
                let fill = self.fills.entry((tile, layer)).or_default();
                *fill += bits;
                let bytes = *fill / 8;
                self.counter(Track::Fill(tile, layer), at.max(self.from), bytes)
            }
            Event::Packet { chip, flits, ref cycles, .. } => self.load(Track::Mesh(chip), cycles.start, flits.into()),
            Event::Crossing { to, enters, bits, ref cycles, .. } => {
                self.load(Track::Link(to, enters as u8), cycles.start, bits.into())
            }
        }
    }

    fn bytes(&self) -> u64 {
        self.file.bytes
    }

    fn finish(&mut self) -> io::Result<()> {
        self.tell_loads()?;
        self.file.flush()
    }
}

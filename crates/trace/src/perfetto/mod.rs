//! Perfetto traces: a stream of protobuf packets.
//!
//! Each packet is complete in itself, so a file that ends early can be opened. Tracks are the units of the machine,
//! slices their operations, waits and transfers, counters the loads and fills. An arrow (a flow, in Perfetto) leads
//! from the event that ended a wait to the end of the wait.
//!
//! A slice must list its arrows when it is written, but later waits may still refer to it. Slices from which an arrow
//! may start are therefore kept back, a bounded number for each IMA and tile, until newer ones replace them. Their
//! bytes are counted from the start, so the byte limit of the trace holds.

mod packets;
mod proto;
mod tracks;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use analysis::{Carrier, LOAD_CYCLES, Scene, Sequence};
use components::{Cause, Event, ImaId, ImaTiming, InputId, Stage, Unit};
use des::Cycle;
use index::{Index, IndexVec, count, size};
use mapper::{ReplicaId, TileId};
use network::LayerId;

use self::packets::Packets;
use self::proto::{INSTANT, SLICE_BEGIN, TrackEvent};
use self::tracks::{Name, Track};
use crate::record::{Record, stages};
use crate::sink::{Format, Sink, TraceFile};
use crate::{Detail, Filter};

pub(crate) const FORMAT: Format = Format {
    ending: "pftrace",
    viewers: "Perfetto",
    open: |scene, filter, file| Ok(Box::new(Perfetto::new(scene, filter, file)?)),
};

/// Slice or instant from which arrows may start, kept back until their number is known.
struct Source {
    begin: TrackEvent,
    cycles: Range<Cycle>,
    /// Bytes that it takes in the file.
    bytes: u64,
}

index::index! {
    /// Register of an IMA: the two places of the input register, then the output registers.
    struct Register(u32);
}

/// Places of the input register.
const INPUTS: u32 = 2;

/// Events that may end a wait of an IMA: the last fetch or result of each register.
type OfIma = IndexVec<Register, Option<Source>>;

/// Events that may end waits in a tile.
#[derive(Default)]
struct OfTile {
    imas: IndexVec<ImaId, OfIma>,
    /// Positions of each buffer by sequence number, worked out at its first write.
    positions: IndexVec<InputId, Option<IndexVec<Sequence, u32>>>,
    /// Latest writes.
    writes: VecDeque<Write>,
    /// Latest writes for which windows of a replica waited.
    supplies: VecDeque<Supply>,
    /// Latest buffer that announced room to this tile.
    room: Option<Source>,
    /// End of the latest write, and the cycles until which the rows of writes are occupied.
    written_until: Cycle,
    rows_until: [Cycle; 2],
}

/// A write: layer and input slice, none for results; sequence number; slice of the trace.
type Write = (Option<(LayerId, InputId)>, u32, Source);
/// A write that windows waited for: layer and input slice, replica, sequence number, cycle.
type Supply = ((LayerId, InputId), ReplicaId, u32, Cycle);

/// Writes and supplies kept for each tile. An IMA starts at most a few cycles after its inputs arrived.
const REMEMBERED: usize = 32;

/// Upper limit of the bytes of an arrow in a slice.
const ARROW_BYTES: u64 = 12;
/// Upper limit of the bytes of a sample of a counter.
const SAMPLE_BYTES: u64 = 48;
/// Upper limits of the bytes of a slice, and of the description of a track or name without a layer's name in it.
const SLICE_BYTES: u64 = 80;
const DESCRIPTION_BYTES: u64 = 128;
/// Largest number of tracks and names that one event may introduce, apart from crossbars.
const NEW_OF_EVENT: u64 = 8;

/// Sink for Perfetto traces.
struct Perfetto<'a> {
    scene: &'a Scene<'a>,
    detail: Detail,
    end: Cycle,
    packets: Packets<'a>,
    flows: u64,
    tiles: IndexVec<TileId, OfTile>,
    /// Carriers with a load in the present stretch and in the previous one.
    loads: [Stretch; 2],
    /// Bytes of the slices kept back.
    kept: u64,
    /// Upper limit of the bytes that an event adds.
    of_event: u64,
}

/// Carriers with a load in a stretch of cycles, in order.
#[derive(Default)]
struct Stretch {
    from: Cycle,
    carriers: Vec<Carrier>,
}

impl<'a> Perfetto<'a> {
    fn new(scene: &'a Scene<'a>, filter: &Filter, file: TraceFile) -> io::Result<Self> {
        let of_ima = |_| (0..INPUTS + scene.arch().ima.output_registers).map(|_| None).collect();
        let of_tile = |tile| OfTile {
            imas: scene.imas(tile).map(of_ima).collect(),
            positions: scene.buffered(tile).map(|_| None).collect(),
            ..Default::default()
        };
        let longest = scene.layers().map(|layer| scene.layer(layer).len()).max().unwrap_or(0);
        Ok(Self {
            scene,
            detail: filter.detail(),
            end: filter.cycles().end,
            packets: Packets::new(scene, file)?,
            flows: 0,
            tiles: scene.tiles().map(of_tile).collect(),
            loads: Default::default(),
            kept: 0,
            of_event: (NEW_OF_EVENT + u64::from(scene.arch().ima.crossbars))
                * (SLICE_BYTES + 2 * (DESCRIPTION_BYTES + count(longest))),
        })
    }

    /// Creates a slice or instant from which arrows may start. Its track and name are described now, so that its bytes
    /// are known.
    fn source(&mut self, r#type: i32, track: Track, name: Name, cycles: Range<Cycle>) -> io::Result<Source> {
        let (track_uuid, name_iid) = (self.packets.track(track)?, self.packets.name(name)?);
        let begin = TrackEvent { r#type, name_iid, track_uuid, ..Default::default() };
        let bytes = self.packets.event_bytes(&begin, &cycles);
        self.kept += bytes;
        Ok(Source { begin, cycles, bytes })
    }

    /// Writes a slice that was kept back. An instant without arrows is dropped.
    fn let_go(&mut self, source: Option<Source>) -> io::Result<()> {
        let Some(Source { begin, cycles, bytes }) = source else { return Ok(()) };
        self.kept -= bytes;
        match begin.r#type {
            INSTANT if begin.flow_ids.is_empty() => Ok(()),
            INSTANT => self.packets.track_event(cycles.start, begin),
            _ => self.packets.begun_slice(begin, &cycles, None),
        }
    }

    /// Returns the event that ended a wait of an IMA, if it is still kept.
    fn ended(&mut self, unit: Unit, cause: Cause, end: Cycle) -> Option<&mut Source> {
        let Unit { tile, ima, layer, replica } = unit;
        let OfTile { imas, writes, supplies, room, .. } = &mut self.tiles[tile];
        match cause {
            Cause::Input | Cause::Router | Cause::Link | Cause::Filling => {
                // The wait ends one cycle after the request, which follows the write.
                let of_replica = |supply: &&Supply| (supply.0.0, supply.1) == (layer, replica);
                let mut of_replica = supplies.iter().rev().filter(of_replica);
                let &(slice, _, sequence, _) = of_replica.find(|supply| supply.3 + 1 < end)?;
                let of_sequence = |write: &&mut Write| (write.0, write.1) == (Some(slice), sequence);
                writes.iter_mut().rev().find(of_sequence).map(|write| &mut write.2)
            }
            Cause::DownstreamBuffer if room.as_ref().is_some_and(|room| room.cycles.start < end) => room.as_mut(),
            Cause::Bus | Cause::ImaOutputRegister | Cause::OutputRegister | Cause::DownstreamBuffer => {
                let sources = imas[ima].iter_mut();
                sources.flatten().find(|source| source.cycles.end == end)
            }
            // A message from another replica ends a wait for a max-pool, and a write one for a skip; the origins are not kept.
            Cause::MaxPool | Cause::Skip | Cause::Computing | Cause::Lockstep | Cause::Finished => None,
        }
    }

    fn wait(&mut self, unit: Unit, cause: Cause, cycles: &Range<Cycle>) -> io::Result<()> {
        let flow = self.flows + 1;
        let to = self.ended(unit, cause, cycles.end).map(|source| {
            source.begin.flow_ids.push(flow);
            source.bytes += ARROW_BYTES;
            flow
        });
        if to.is_some() {
            self.flows = flow;
            self.kept += ARROW_BYTES;
        }
        let name = Name::Wait(unit.layer, cause);
        self.packets.slice_with_arrow(Track::Ima(unit.tile, unit.ima), name, cycles, to)
    }

    fn operation(&mut self, unit: Unit, window: u32, reads: &Range<Cycle>, timing: ImaTiming) -> io::Result<()> {
        let Unit { tile, ima, .. } = unit;
        let name = self.window(unit.layer, unit.replica, window);
        self.packets.slice(Track::Ima(tile, ima), name, reads)?;
        if self.detail < Detail::Crossbar {
            return Ok(());
        }
        for crossbar in self.scene.crossbars(tile, ima) {
            self.packets.slice(Track::Crossbar(tile, ima, crossbar), name, reads)?;
        }
        let [convert, accumulate] = stages(reads, timing);
        self.packets.slice(Track::Convert(tile, ima), name, &convert)?;
        self.packets.slice(Track::Accumulate(tile, ima), name, &accumulate)
    }

    /// Keeps the fetch or result of a window for a register of an IMA, and writes the one it replaces.
    fn keep(&mut self, unit: Unit, window: u32, register: u32, track: Track, cycles: &Range<Cycle>) -> io::Result<()> {
        let name = self.window(unit.layer, unit.replica, window);
        let source = self.source(SLICE_BEGIN, track, name, cycles.clone())?;
        self.kept += 1;
        let kept = &mut self.tiles[unit.tile].imas[unit.ima][Register(register)];
        let before = kept.replace(source);
        self.let_go(before)
    }

    fn write(
        &mut self,
        tile: TileId,
        slice: Option<(LayerId, InputId)>,
        sequence: u32,
        cycles: &Range<Cycle>,
    ) -> io::Result<()> {
        let scene = self.scene;
        let of_tile = &mut self.tiles[tile];
        let (map, position) = if let Some((_, inputs)) = slice {
            let positions = &mut of_tile.positions[inputs];
            let positions = positions.get_or_insert_with(|| scene.positions(tile, inputs));
            let of_image = Sequence::new(size(sequence) % positions.len());
            (scene.map(tile, inputs), positions[of_image])
        } else {
            scene.result(sequence)
        };
        // The port serves writes one after another; two successive ones may share a cycle.
        let cycles = cycles.start.max(of_tile.written_until.saturating_sub(1)).min(cycles.end - 1)..cycles.end;
        of_tile.written_until = cycles.end;
        let [first_until, second_until] = &mut of_tile.rows_until;
        let first_is_taken = *first_until > cycles.start && *first_until < cycles.end;
        let (row, row_until) = if first_is_taken { (1, second_until) } else { (0, first_until) };
        *row_until = cycles.end;
        let (track, name) = (Track::Write(tile, row), Name::Position(map, position));
        let source = self.source(SLICE_BEGIN, track, name, cycles)?;
        let of_tile = &mut self.tiles[tile];
        of_tile.writes.push_back((slice, sequence, source));
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
        self.packets.counter(Track::Load(carrier), from.max(1), amount)
    }

    /// Starts the stretch from cycle `from` on. Sets the counters to 0 of carriers that had a load in the stretch
    /// before the last, but none in the last.
    fn end_loads(&mut self, from: Cycle) -> io::Result<()> {
        let [last, before] = std::mem::take(&mut self.loads);
        let over = before.from + LOAD_CYCLES;
        let goes_on = |carrier: &Carrier| last.from == over && last.carriers.binary_search(carrier).is_ok();
        for &carrier in before.carriers.iter().filter(|carrier| !goes_on(carrier)) {
            self.packets.counter(Track::Load(carrier), over.min(self.end), 0)?;
        }
        self.loads = [Stretch { from, carriers: Vec::new() }, last];
        Ok(())
    }

    #[inline]
    fn window(&self, layer: LayerId, replica: ReplicaId, window: u32) -> Name {
        let (row, column, _) = self.scene.window(layer, replica, window);
        Name::Window(layer, row, column)
    }
}

impl Sink for Perfetto<'_> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        let (event, cycles) = match *record {
            Record::Load { carrier, from, amount } => return self.load(carrier, from, amount),
            Record::Fill { tile, inputs, bits, at, .. } => {
                return self.packets.counter(Track::Fill(tile, inputs), at + 1, bits / 8);
            }
            Record::Event { ref event, ref cycles } => (event, cycles),
        };
        match *event {
            Event::Operation { unit, window, timing, .. } => self.operation(unit, window, cycles, timing),
            Event::Wait { unit, cause, .. } => self.wait(unit, cause, cycles),
            Event::Fetch { unit, window, .. } => {
                let place = window % INPUTS;
                self.keep(unit, window, place, Track::Input(unit.tile, unit.ima, place), cycles)
            }
            Event::Result { unit, window, .. } => {
                let register = window % self.scene.arch().ima.output_registers;
                self.keep(unit, window, INPUTS + register, Track::Output(unit.tile, unit.ima, register), cycles)
            }
            Event::Stage { unit: Unit { tile, ima, .. }, stage, .. } => match stage {
                Stage::Read => self.scene.crossbars(tile, ima).try_for_each(|crossbar| {
                    self.packets.slice(Track::Crossbar(tile, ima, crossbar), Name::Stage(stage), cycles)
                }),
                Stage::Convert => self.packets.slice(Track::Convert(tile, ima), Name::Stage(stage), cycles),
                Stage::Accumulate => self.packets.slice(Track::Accumulate(tile, ima), Name::Stage(stage), cycles),
            },
            Event::Activate { tile, layer, replica, window, .. } => {
                let name = self.window(layer, replica, window);
                self.packets.slice(Track::Activation(tile), name, cycles)
            }
            Event::Write { tile, slice, sequence, .. } => self.write(tile, slice, sequence, cycles),
            Event::Supply { tile, layer, inputs, replica, sequence, at } => {
                let supplies = &mut self.tiles[tile].supplies;
                supplies.push_back(((layer, inputs), replica, sequence, at));
                if supplies.len() > REMEMBERED {
                    supplies.pop_front();
                }
                Ok(())
            }
            Event::Room { tile, layer, to, at, .. } => {
                let source = self.source(INSTANT, Track::Room(tile), Name::Room(layer), at..at + 1)?;
                let before = self.tiles[to].room.replace(source);
                self.let_go(before)
            }
            // Shown by loads and fills.
            Event::Arrive { .. }
            | Event::Skip { .. }
            | Event::Progress { .. }
            | Event::Packet { .. }
            | Event::Port { .. }
            | Event::Crossing { .. } => Ok(()),
        }
    }

    fn entries(&self) -> u64 {
        self.packets.written
    }

    fn bytes(&self) -> u64 {
        let samples = self.loads.iter().map(|stretch| count(stretch.carriers.len())).sum::<u64>();
        self.packets.bytes() + self.kept + SAMPLE_BYTES * samples + self.of_event
    }

    fn finish(&mut self, _limit: u64) -> io::Result<Option<Cycle>> {
        self.end_loads(Cycle::MAX)?;
        self.end_loads(Cycle::MAX)?;
        let mut tiles = std::mem::take(&mut self.tiles);
        for source in tiles.iter_mut().flat_map(|tile| std::mem::take(&mut tile.imas)).flatten() {
            self.let_go(source)?;
        }
        for OfTile { writes, room, .. } in tiles {
            writes.into_iter().try_for_each(|write| self.let_go(Some(write.2)))?;
            self.let_go(room)?;
        }
        self.packets.finish().map(|()| None)
    }
}

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

use analysis::{Carrier, LOAD_CYCLES, Scene};
use chip::{Cause, Stage, Unit};
use components::ImaTiming;
use des::Cycle;

use self::packets::Packets;
use self::proto::{INSTANT, SLICE_BEGIN, TrackEvent};
use self::tracks::{Name, Track};
use crate::event::{Event, stages};
use crate::writer::{Counted, Sink};
use crate::{Detail, Filter};

/// Slice or instant from which arrows may start, kept back until their number is known.
struct Source {
    begin: TrackEvent,
    cycles: Range<Cycle>,
    /// Bytes that it takes in the file.
    bytes: u64,
}

/// Events that may end a wait of an IMA: the last two fetches, and the last results of each output register.
struct OfIma(Vec<Option<Source>>);

/// Events that may end waits in a tile.
#[derive(Default)]
struct OfTile {
    /// Latest writes: layer of the inputs, sequence number.
    writes: VecDeque<(u16, u32, Source)>,
    /// Latest writes for which windows of a replica waited: layer, replica, sequence number, cycle.
    supplies: VecDeque<(u16, u32, u32, Cycle)>,
    /// Latest buffer that announced room to this tile.
    room: Option<Source>,
    /// End of the latest write, and the cycles until which the rows of writes are occupied.
    written_until: Cycle,
    rows_until: [Cycle; 2],
}

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
pub(crate) struct Perfetto<'a> {
    scene: &'a Scene<'a>,
    detail: Detail,
    end: Cycle,
    packets: Packets<'a>,
    flows: u64,
    imas: Vec<OfIma>,
    tiles: Vec<OfTile>,
    /// Positions of each buffer by sequence number, worked out at its first write.
    positions: Vec<Option<Vec<u32>>>,
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
    pub fn new(scene: &'a Scene<'a>, filter: &Filter, file: Counted) -> io::Result<Self> {
        let packets = Packets::new(scene, file)?;
        let slots = || (0..2 + scene.arch.ima.output_registers).map(|_| None).collect();
        let all = |numbers: &[u32]| numbers[numbers.len() - 1] as usize;
        Ok(Self {
            scene,
            detail: filter.detail,
            end: filter.cycles.end,
            flows: 0,
            imas: (0..all(&packets.numbers.imas)).map(|_| OfIma(slots())).collect(),
            tiles: (0..scene.tiles()).map(|_| OfTile::default()).collect(),
            positions: vec![None; all(&packets.numbers.buffers)],
            loads: Default::default(),
            kept: 0,
            of_event: (NEW_OF_EVENT + u64::from(scene.arch.ima.crossbars))
                * (SLICE_BYTES + 2 * (DESCRIPTION_BYTES + scene.longest_name())),
            packets,
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
        let OfTile { writes, supplies, room, .. } = &mut self.tiles[tile as usize];
        match cause {
            Cause::Input | Cause::Router | Cause::Link | Cause::Filling => {
                // The wait ends one cycle after the request, which follows the write.
                let of_replica = |supply: &&(u16, u32, u32, Cycle)| (supply.0, supply.1) == (layer, replica);
                let &(.., rank, _) = supplies.iter().rev().filter(of_replica).find(|supply| supply.3 + 1 < end)?;
                let of_rank = |write: &&mut (u16, u32, Source)| (write.0, write.1) == (layer, rank);
                writes.iter_mut().rev().find(of_rank).map(|write| &mut write.2)
            }
            Cause::DownstreamBuffer if room.as_ref().is_some_and(|room| room.cycles.start < end) => room.as_mut(),
            Cause::Bus | Cause::ImaOutputRegister | Cause::OutputRegister | Cause::DownstreamBuffer => {
                let sources = self.imas[self.packets.numbers.ima(tile, ima)].0.iter_mut();
                sources.flatten().find(|source| source.cycles.end == end)
            }
            // A message from another replica ends a wait for a max-pool; its origin is not kept.
            Cause::MaxPool | Cause::Computing | Cause::Lockstep | Cause::Finished => None,
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
        let name = Name::Wait(unit.layer, cause as u8);
        self.packets.slice_with_arrow(Track::Ima(unit.tile, unit.ima), name, cycles, to)
    }

    fn operation(&mut self, unit: Unit, window: u32, reads: &Range<Cycle>, timing: ImaTiming) -> io::Result<()> {
        let Unit { tile, ima, .. } = unit;
        let name = self.window(unit.layer, unit.replica, window);
        self.packets.slice(Track::Ima(tile, ima), name, reads)?;
        if self.detail < Detail::Crossbar {
            return Ok(());
        }
        for crossbar in 0..self.scene.crossbars(tile, ima) as u8 {
            self.packets.slice(Track::Crossbar(tile, ima, crossbar), name, reads)?;
        }
        let [convert, accumulate] = stages(reads, timing);
        self.packets.slice(Track::Convert(tile, ima), name, &convert)?;
        self.packets.slice(Track::Accumulate(tile, ima), name, &accumulate)
    }

    /// Keeps a fetch (slots 0 and 1) or result (slots from 2 on) of an IMA, and writes the one it replaces.
    fn keep(&mut self, unit: Unit, slot: usize, track: Track, name: Name, cycles: &Range<Cycle>) -> io::Result<()> {
        let source = self.source(SLICE_BEGIN, track, name, cycles.clone())?;
        self.kept += 1;
        let kept = &mut self.imas[self.packets.numbers.ima(unit.tile, unit.ima)].0[slot];
        let before = kept.replace(source);
        self.let_go(before)
    }

    fn write(&mut self, tile: u32, layer: Option<u16>, rank: u32, cycles: &Range<Cycle>) -> io::Result<()> {
        let of = layer.map_or(self.packets.numbers.layers as u16, |layer| layer) - 1;
        let position = match layer {
            Some(layer) => {
                let scene = self.scene;
                let number = scene.buffered(tile).iter().position(|&of| of == layer).expect("it has a buffer");
                let buffer = self.packets.numbers.buffers[tile as usize] as usize + number;
                let positions = self.positions[buffer].get_or_insert_with(|| scene.positions(tile, layer));
                positions[rank as usize % positions.len()]
            }
            None => {
                let (rows, columns) = self.scene.pooled(of);
                rank % (rows * columns)
            }
        };
        // The port serves writes one after another; two successive ones may share a cycle.
        let of_tile = &mut self.tiles[tile as usize];
        let cycles = cycles.start.max(of_tile.written_until.saturating_sub(1)).min(cycles.end - 1)..cycles.end;
        of_tile.written_until = cycles.end;
        let row = usize::from(of_tile.rows_until[0] > cycles.start && of_tile.rows_until[0] < cycles.end);
        of_tile.rows_until[row] = cycles.end;
        let (track, name) = (Track::Write(tile, row as u8), Name::Position(of, position));
        let source = self.source(SLICE_BEGIN, track, name, cycles)?;
        let of_tile = &mut self.tiles[tile as usize];
        of_tile.writes.push_back((layer.unwrap_or(u16::MAX), rank, source));
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
    fn window(&self, layer: u16, replica: u32, window: u32) -> Name {
        let (row, column, _) = self.scene.window(layer, replica, window);
        Name::Window(layer, row, column)
    }
}

impl Sink for Perfetto<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match *event {
            Event::Load { carrier, from, amount } => self.load(carrier, from, amount),
            Event::Fill { tile, layer, bits, at } => {
                let of_layer = |&of: &u16| of == layer;
                let number = self.scene.buffered(tile).iter().position(of_layer).expect("it has a buffer");
                self.packets.counter(Track::Fill(tile, number as u8), at + 1, bits / 8)
            }
            Event::Operation { unit, window, ref cycles, timing } => self.operation(unit, window, cycles, timing),
            Event::Wait { unit, cause, ref cycles } => self.wait(unit, cause, cycles),
            Event::Fetch { unit, window, ref cycles, .. } => {
                let (name, slot) = (self.window(unit.layer, unit.replica, window), window % 2);
                let track = Track::Input(unit.tile, unit.ima, slot as u8);
                self.keep(unit, slot as usize, track, name, cycles)
            }
            Event::Result { unit, window, ref cycles, .. } => {
                let slot = window % self.scene.arch.ima.output_registers;
                let name = self.window(unit.layer, unit.replica, window);
                let track = Track::Output(unit.tile, unit.ima, slot as u8);
                self.keep(unit, 2 + slot as usize, track, name, cycles)
            }
            Event::Activate { tile, layer, replica, window, at } => {
                let name = self.window(layer, replica, window);
                self.packets.slice(Track::Activation(tile), name, &(at..at + 1))
            }
            Event::Write { tile, layer, rank, ref cycles, .. } => self.write(tile, layer, rank, cycles),
            Event::Supply { tile, layer, replica, rank, at } => {
                let supplies = &mut self.tiles[tile as usize].supplies;
                supplies.push_back((layer, replica, rank, at));
                if supplies.len() > REMEMBERED {
                    supplies.pop_front();
                }
                Ok(())
            }
            Event::Room { tile, layer, to, at } => {
                let source = self.source(INSTANT, Track::Room(tile), Name::Room(layer), at..at + 1)?;
                let before = self.tiles[to as usize].room.replace(source);
                self.let_go(before)
            }
            Event::Stage { unit: Unit { tile, ima, .. }, stage, ref cycles } => match stage {
                Stage::Read => (0..self.scene.crossbars(tile, ima) as u8).try_for_each(|crossbar| {
                    self.packets.slice(Track::Crossbar(tile, ima, crossbar), Name::Stage(0), cycles)
                }),
                Stage::Convert => self.packets.slice(Track::Convert(tile, ima), Name::Stage(1), cycles),
                Stage::Accumulate => self.packets.slice(Track::Accumulate(tile, ima), Name::Stage(2), cycles),
            },
            // Shown by the loads of meshes and links.
            Event::Packet { .. } | Event::Crossing { .. } => Ok(()),
        }
    }

    fn events(&self) -> u64 {
        self.packets.written
    }

    fn bytes(&self) -> u64 {
        let samples = self.loads.iter().map(|stretch| stretch.carriers.len() as u64).sum::<u64>();
        self.packets.bytes() + self.kept + SAMPLE_BYTES * samples + self.of_event
    }

    fn finish(&mut self, _limit: u64) -> io::Result<Option<Cycle>> {
        self.end_loads(Cycle::MAX)?;
        self.end_loads(Cycle::MAX)?;
        for ima in 0..self.imas.len() {
            for source in std::mem::take(&mut self.imas[ima].0) {
                self.let_go(source)?;
            }
        }
        for tile in 0..self.tiles.len() {
            let OfTile { writes, room, .. } = std::mem::take(&mut self.tiles[tile]);
            writes.into_iter().try_for_each(|write| self.let_go(Some(write.2)))?;
            self.let_go(room)?;
        }
        self.packets.finish().map(|()| None)
    }
}

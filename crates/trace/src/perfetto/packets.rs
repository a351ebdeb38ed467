//! Packets of a trace: encoding, and interning of tracks and names.
//!
//! A description precedes the first event that refers to it. The first packet clears the state of the sequence, as
//! Perfetto requires before names can be interned.

use std::io::{self, Write};
use std::ops::Range;

use analysis::Scene;
use des::Cycle;
use index::{Index, IndexVec, count};
use prost::Message;

use super::proto::{
    COUNTER, CounterDescriptor, DescriptionPacket, EventName, EventPacket, INCREMENTAL_STATE_CLEARED, InternedData,
    NEEDS_INCREMENTAL_STATE, SEQUENCE, SLICE_BEGIN, SLICE_END, TrackDescriptor, TrackEvent,
};
use super::tracks::{Name, NameId, Numbers, Track, TrackId};
use crate::Clock;
use crate::sink::TraceFile;

/// Bytes of packets from which on the buffer is written.
const BUFFERED: usize = 1 << 16;

/// Writer of packets. Tracks and names are described when first used.
pub(crate) struct Packets<'a> {
    scene: &'a Scene<'a>,
    clock: Clock,
    file: TraceFile,
    /// Packets not yet written.
    buffer: Vec<u8>,
    numbers: Numbers,
    /// Tracks and names that have been described.
    tracks: IndexVec<TrackId, bool>,
    names: IndexVec<NameId, bool>,
    /// Slices, instants and samples written.
    pub(crate) written: u64,
}

impl<'a> Packets<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>, file: TraceFile) -> io::Result<Self> {
        let numbers = Numbers::new(scene);
        let mut packets = Self {
            scene,
            clock: Clock::of(scene),
            file,
            buffer: Vec::new(),
            tracks: IndexVec::filled(false, numbers.tracks().index()),
            names: IndexVec::filled(false, numbers.names().index()),
            written: 0,
            numbers,
        };
        packets.describe_with(INCREMENTAL_STATE_CLEARED, None, None)?;
        Ok(packets)
    }

    /// Returns the bytes of the file, including those not yet written.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.bytes() + count(self.buffer.len())
    }

    fn packet(&mut self, packet: &impl Message) -> io::Result<()> {
        // Field 1 of the message `Trace`, the only one used: a packet.
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

    /// Writes the buffer and flushes the file.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.write_buffer()?;
        self.file.flush()
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

    /// Returns the number of a track. On first use it is described, after its parents.
    #[inline]
    pub(crate) fn track(&mut self, track: Track) -> io::Result<u64> {
        let number = self.numbers.track(track);
        if !self.tracks[number] {
            self.describe_track(track, number)?;
        }
        Ok(number.uuid())
    }

    #[cold]
    fn describe_track(&mut self, track: Track, number: TrackId) -> io::Result<()> {
        self.tracks[number] = true;
        let (parent, name, unit) = track.description(self.scene);
        let parent_uuid = parent.map(|parent| self.track(parent)).transpose()?;
        let counter = unit.map(|unit_name| CounterDescriptor { unit_name });
        let track_descriptor = Some(TrackDescriptor { uuid: number.uuid(), name, parent_uuid, counter });
        self.describe_with(NEEDS_INCREMENTAL_STATE, None, track_descriptor)
    }

    /// Returns the number of a name, which is described on first use. Their number grows with the windows of one image,
    /// not with the events.
    #[inline]
    pub(crate) fn name(&mut self, name: Name) -> io::Result<u64> {
        let number = self.numbers.name(name);
        if !self.names[number] {
            self.describe_name(name, number)?;
        }
        Ok(number.iid())
    }

    #[cold]
    fn describe_name(&mut self, name: Name, number: NameId) -> io::Result<()> {
        self.names[number] = true;
        let name = name.text(self.scene);
        let event_names = vec![EventName { iid: number.iid(), name }];
        self.describe_with(NEEDS_INCREMENTAL_STATE, Some(InternedData { event_names }), None)
    }

    fn event_packet(&self, at: Cycle, track_event: TrackEvent) -> EventPacket {
        EventPacket {
            timestamp: self.clock.stamp(at),
            trusted_packet_sequence_id: SEQUENCE,
            track_event,
            sequence_flags: NEEDS_INCREMENTAL_STATE,
        }
    }

    #[inline]
    pub(crate) fn track_event(&mut self, at: Cycle, track_event: TrackEvent) -> io::Result<()> {
        self.written += u64::from(track_event.r#type != SLICE_END);
        self.packet(&self.event_packet(at, track_event))
    }

    /// Returns the bytes of the packets of a slice or instant.
    pub(crate) fn event_bytes(&self, begin: &TrackEvent, cycles: &Range<Cycle>) -> u64 {
        let end = TrackEvent { r#type: SLICE_END, track_uuid: begin.track_uuid, ..Default::default() };
        let packets = [self.event_packet(cycles.start, begin.clone()), self.event_packet(cycles.end, end)];
        // Number and length of the field precede each packet.
        packets.iter().map(|packet| 4 + count(packet.encoded_len())).sum()
    }

    #[inline]
    pub(crate) fn slice(&mut self, track: Track, name: Name, cycles: &Range<Cycle>) -> io::Result<()> {
        self.slice_with_arrow(track, name, cycles, None)
    }

    /// Writes a slice at whose end the arrow `to` ends.
    pub(crate) fn slice_with_arrow(
        &mut self,
        track: Track,
        name: Name,
        cycles: &Range<Cycle>,
        to: Option<u64>,
    ) -> io::Result<()> {
        let (track_uuid, name_iid) = (self.track(track)?, self.name(name)?);
        let begin = TrackEvent { r#type: SLICE_BEGIN, name_iid, track_uuid, ..Default::default() };
        self.begun_slice(begin, cycles, to)
    }

    /// Writes a slice that starts with `begin`.
    pub(crate) fn begun_slice(&mut self, begin: TrackEvent, cycles: &Range<Cycle>, to: Option<u64>) -> io::Result<()> {
        let track_uuid = begin.track_uuid;
        self.track_event(cycles.start, begin)?;
        let terminating_flow_ids = to.into_iter().collect();
        let end = TrackEvent { r#type: SLICE_END, track_uuid, terminating_flow_ids, ..Default::default() };
        self.track_event(cycles.end, end)
    }

    pub(crate) fn counter(&mut self, track: Track, at: Cycle, value: u64) -> io::Result<()> {
        let (track_uuid, counter_value) = (self.track(track)?, i64::try_from(value).ok());
        self.track_event(at, TrackEvent { r#type: COUNTER, track_uuid, counter_value, ..Default::default() })
    }
}

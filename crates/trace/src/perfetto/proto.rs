//! Protobuf messages of Perfetto (Apache 2.0): the fields of `perfetto/trace/trace_packet.proto`, `track_event.proto`
//! and the messages they contain that this crate writes, under their original names and tags.

use prost::Message;

/// Packet with an event.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EventPacket {
    #[prost(uint64, tag = "8")]
    pub(crate) timestamp: u64,
    #[prost(uint32, tag = "10")]
    pub(crate) trusted_packet_sequence_id: u32,
    #[prost(message, required, tag = "11")]
    pub(crate) track_event: TrackEvent,
    #[prost(uint32, tag = "13")]
    pub(crate) sequence_flags: u32,
}

/// Packet with a description to which events refer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DescriptionPacket {
    #[prost(uint32, tag = "10")]
    pub(crate) trusted_packet_sequence_id: u32,
    #[prost(message, optional, tag = "12")]
    pub(crate) interned_data: Option<InternedData>,
    #[prost(uint32, tag = "13")]
    pub(crate) sequence_flags: u32,
    #[prost(message, optional, tag = "60")]
    pub(crate) track_descriptor: Option<TrackDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TrackEvent {
    #[prost(int32, tag = "9")]
    pub(crate) r#type: i32,
    #[prost(uint64, tag = "10")]
    pub(crate) name_iid: u64,
    #[prost(uint64, tag = "11")]
    pub(crate) track_uuid: u64,
    #[prost(int64, optional, tag = "30")]
    pub(crate) counter_value: Option<i64>,
    #[prost(fixed64, repeated, packed = "false", tag = "47")]
    pub(crate) flow_ids: Vec<u64>,
    #[prost(fixed64, repeated, packed = "false", tag = "48")]
    pub(crate) terminating_flow_ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InternedData {
    #[prost(message, repeated, tag = "2")]
    pub(crate) event_names: Vec<EventName>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EventName {
    #[prost(uint64, tag = "1")]
    pub(crate) iid: u64,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TrackDescriptor {
    #[prost(uint64, tag = "1")]
    pub(crate) uuid: u64,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) parent_uuid: Option<u64>,
    #[prost(message, optional, tag = "8")]
    pub(crate) counter: Option<CounterDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CounterDescriptor {
    #[prost(string, tag = "6")]
    pub(crate) unit_name: String,
}

pub(crate) const SLICE_BEGIN: i32 = 1;
pub(crate) const SLICE_END: i32 = 2;
pub(crate) const INSTANT: i32 = 3;
pub(crate) const COUNTER: i32 = 4;

/// Sequence of all packets.
pub(crate) const SEQUENCE: u32 = 1;
/// Flag of the first packet of the sequence, and flag of all others, which refer to names given since then.
pub(crate) const INCREMENTAL_STATE_CLEARED: u32 = 1;
pub(crate) const NEEDS_INCREMENTAL_STATE: u32 = 2;

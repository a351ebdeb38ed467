//! Records of a trace: events of the simulator, loads and fills.

use std::ops::Range;

use analysis::{Carrier, LOAD_CYCLES, Scene};
use components::{Cause, Event, ImaId, ImaTiming, InputId, Stage, Unit};
use des::Cycle;
use mapper::{ReplicaId, TileId};
use network::LayerId;

use crate::Detail;

/// Record of a trace, as a [`Sink`](crate::Sink) receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Load of a carrier in the [`LOAD_CYCLES`] cycles from `from` on.
    Load {
        /// Carrier of the load.
        carrier: Carrier,
        /// First cycle.
        from: Cycle,
        /// Amount, in the unit of the carrier.
        amount: u64,
    },
    /// Contents of a buffer from the end of cycle `at` on.
    Fill {
        /// Tile of the buffer.
        tile: TileId,
        /// Layer that reads the inputs.
        layer: LayerId,
        /// Input slice of the tile.
        inputs: InputId,
        /// Bits of inputs that some window still needs.
        bits: u64,
        /// Cycle of the change.
        at: Cycle,
    },
    /// Event of the simulator.
    Event {
        /// Event, with its whole span.
        event: Event,
        /// Part of the span within the selected cycles.
        cycles: Range<Cycle>,
    },
}

/// Place of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// IMA: tile of the board, IMA of the tile.
    Ima(TileId, ImaId),
    /// Tile of the board.
    Tile(TileId),
    /// Carrier of loads.
    Carrier(Carrier),
}

/// Description of a record, alike for all kinds of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name of the kind of record.
    pub name: &'static str,
    /// Place of the event.
    pub place: Place,
    /// Layer concerned; `None` if several share the place, or for results of the network.
    pub layer: Option<LayerId>,
    /// Replica and window, counted over all images, of records that concern one window.
    pub window: Option<(ReplicaId, u32)>,
    /// Half-open span; empty for an event at the end of a cycle.
    pub cycles: Range<Cycle>,
    /// Operations, flits or bits of a load; bits of a fill, fetch, result, skip, write or crossing; flits of a packet; 1 for
    /// other events.
    pub amount: u64,
    /// Cause of a wait.
    pub cause: Option<Cause>,
}

impl Record {
    /// Describes the record, with the part of its span that the trace shows.
    pub fn description(&self) -> Description {
        let of = |name, place, layer, cycles, amount| Description {
            name,
            place,
            layer,
            window: None,
            cycles,
            amount,
            cause: None,
        };
        match *self {
            Record::Load { carrier, from, amount } => {
                let layer = if let Carrier::Layer(layer) = carrier { Some(layer) } else { None };
                of("load", Place::Carrier(carrier), layer, from..from + LOAD_CYCLES, amount)
            }
            Record::Fill { tile, layer, bits, at, .. } => of("fill", Place::Tile(tile), Some(layer), at..at, bits),
            Record::Event { ref event, ref cycles } => Description { cycles: cycles.clone(), ..describe(event) },
        }
    }

    /// Returns the cycle in which the simulator reports the event.
    pub(crate) fn known_at(&self) -> Cycle {
        match self {
            Record::Load { from, .. } => from + LOAD_CYCLES,
            Record::Fill { at, .. } => *at,
            Record::Event { event: Event::Wait { .. }, cycles } => cycles.end,
            Record::Event { cycles, .. } => cycles.start,
        }
    }
}

impl Description {
    /// Returns row and column of the window in the layer's output, and its image.
    pub fn row_and_column(&self, scene: &Scene<'_>) -> Option<(u16, u16, u32)> {
        let (layer, (replica, window)) = self.layer.zip(self.window)?;
        Some(scene.window(layer, replica, window))
    }
}

impl Place {
    /// Returns the path of the place, such as `chip0/tile3/ima5` or `chip0/mesh`; empty for the load of a layer. It has
    /// no comma.
    pub fn path(self, scene: &Scene<'_>) -> String {
        match self {
            Place::Ima(tile, ima) => scene.ima_path(tile, ima),
            Place::Tile(tile) => scene.tile_path(tile),
            Place::Carrier(Carrier::Layer(_)) => String::new(),
            Place::Carrier(carrier @ (Carrier::Mesh(chip) | Carrier::Link(chip, _) | Carrier::Channel(chip, ..))) => {
                format!("chip{chip}/{}", scene.carrier(carrier).replace(", ", " "))
            }
            Place::Carrier(carrier @ (Carrier::Bus(tile) | Carrier::Writes(tile))) => {
                format!("{}/{}", scene.tile_path(tile), scene.carrier(carrier))
            }
        }
    }
}

/// Describes an event, with its whole span. Inlined, since the filter needs little of it for every event.
#[inline]
pub(crate) fn describe(event: &Event) -> Description {
    let of = |name, place, layer, cycles: &Range<Cycle>, amount| Description {
        name,
        place,
        layer,
        window: None,
        cycles: cycles.clone(),
        amount,
        cause: None,
    };
    let of_ima = |name, unit: Unit, cycles: &Range<Cycle>, amount| {
        of(name, Place::Ima(unit.tile, unit.ima), Some(unit.layer), cycles, amount)
    };
    let of_window = |name, unit: Unit, window, cycles: &Range<Cycle>, amount| Description {
        window: Some((unit.replica, window)),
        ..of_ima(name, unit, cycles, amount)
    };
    let at_end = |name, tile, layer, at, amount| of(name, Place::Tile(tile), Some(layer), &(at..at), amount);
    match *event {
        Event::Operation { unit, window, at, iterations, timing } => {
            of_window("operation", unit, window, &(at..at + timing.reads(iterations)), 1)
        }
        Event::Wait { unit, cause, ref cycles } => {
            Description { cause: Some(cause), ..of_ima("wait", unit, cycles, 1) }
        }
        Event::Fetch { unit, window, bits, ref cycles } => of_window("fetch", unit, window, cycles, bits),
        Event::Result { unit, window, bits, ref cycles } => of_window("result", unit, window, cycles, bits),
        Event::Stage { unit, stage, ref cycles } => of_ima(stage_name(stage), unit, cycles, 1),
        Event::Activate { tile, layer, replica, window, at } => Description {
            window: Some((replica, window)),
            ..of("activate", Place::Tile(tile), Some(layer), &(at..at + 1), 1)
        },
        Event::Skip { tile, layer, replica, window, bits, ref cycles } => {
            Description { window: Some((replica, window)), ..of("skip", Place::Tile(tile), Some(layer), cycles, bits) }
        }
        Event::Write { tile, slice, bits, ref cycles, .. } => {
            of("write", Place::Tile(tile), slice.map(|(layer, _)| layer), cycles, bits.into())
        }
        Event::Supply { tile, layer, at, .. } => at_end("supply", tile, layer, at, 1),
        Event::Arrive { tile, layer, bits, at, .. } => at_end("arrive", tile, layer, at, bits),
        Event::Progress { tile, layer, at, .. } => at_end("progress", tile, layer, at, 1),
        Event::Room { tile, layer, at, .. } => at_end("room", tile, layer, at, 1),
        Event::Packet { chip, layer, flits, ref cycles, .. } => {
            of("packet", Place::Carrier(Carrier::Mesh(chip)), Some(layer), cycles, flits.into())
        }
        Event::Port { chip, flits, at, .. } => {
            of("port", Place::Carrier(Carrier::Mesh(chip)), None, &(at..at + 1), flits.into())
        }
        Event::Crossing { to, enters, layer, bits, ref cycles } => {
            of("crossing", Place::Carrier(Carrier::Link(to, enters)), Some(layer), cycles, bits.into())
        }
    }
}

/// Returns the lowest detail at which a trace has an event as such; `None` if traces show it by loads and fills only.
pub(crate) fn detail(event: &Event) -> Option<Detail> {
    match event {
        Event::Arrive { .. } | Event::Progress { .. } | Event::Port { .. } => None,
        Event::Stage { .. } => Some(Detail::Crossbar),
        _ => Some(Detail::Ima),
    }
}

/// Returns the name of a stage in traces.
pub(crate) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Read => "read",
        Stage::Convert => "convert",
        Stage::Accumulate => "shift-and-add",
    }
}

/// Returns the cycles in which ADCs and shift-and-adds work on an operation that is read in `reads`. ADCs follow the
/// first read by one cycle, shift-and-adds by the time of a conversion more.
pub(crate) fn stages(reads: &Range<Cycle>, timing: ImaTiming) -> [Range<Cycle>; 2] {
    let last_read = reads.end - Cycle::from(timing.cycles_per_read);
    let convert = reads.start + 1..last_read + 1 + Cycle::from(timing.convert_cycles);
    let delay = 1 + Cycle::from(timing.convert_cycles);
    [convert, reads.start + delay..last_read + delay + Cycle::from(timing.merge_cycles)]
}

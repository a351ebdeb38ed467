//! CSV traces: one line for each event, with the same ten columns for all.
//!
//! `from_cycle` and `cycles` are the start and length of the span. `amount` counts operations, flits or bits of a load;
//! bits of a fill, fetch, result, write or crossing; flits of a packet; and is 1 for other events. Only waits have a
//! cause.

use std::io::{self, Write};

use analysis::{Carrier, LOAD_CYCLES, Scene};
use chip::Unit;
use des::Cycle;

use crate::event::Event;
use crate::writer::{Counted, Sink};

/// Sink for CSV files.
pub(crate) struct Csv<'a> {
    scene: &'a Scene<'a>,
    file: Counted,
    lines: u64,
    /// Names of the layers, quoted where RFC 4180 requires it.
    layers: Vec<String>,
    /// Upper limit of the bytes of a line.
    longest_line: u64,
}

/// Upper limit of the bytes of a line without the name of its layer.
const LINE_BYTES: u64 = 256;

impl<'a> Csv<'a> {
    pub fn new(scene: &'a Scene<'a>, mut file: Counted) -> io::Result<Self> {
        writeln!(file, "event,unit,layer,row,column,image,from_cycle,cycles,amount,cause")?;
        let layers: Vec<String> = scene.layers().map(quoted).collect();
        let longest = layers.iter().map(String::len).max().unwrap_or(0);
        Ok(Self { scene, file, lines: 0, layers, longest_line: LINE_BYTES + longest as u64 })
    }

    fn tile(&self, tile: u32) -> String {
        let (chip, tile) = self.scene.place(tile);
        format!("chip{chip}/tile{tile}")
    }
}

impl Sink for Csv<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let scene = self.scene;
        let ima = |unit: &Unit| scene.ima_path(unit.tile, unit.ima);
        let window = |unit: &Unit, window: u32| Some(scene.window(unit.layer, unit.replica, window));
        let (kind, path, layer, window, cycles, amount, cause) = match event {
            Event::Load { carrier, from, amount } => {
                let (path, layer) = match *carrier {
                    Carrier::Layer(layer) => (String::new(), Some(layer)),
                    Carrier::Mesh(chip) | Carrier::Channel(chip, ..) | Carrier::Link(chip, _) => {
                        (format!("chip{chip}/{}", scene.carrier(*carrier).replace(", ", " ")), None)
                    }
                    Carrier::Bus(tile) | Carrier::Writes(tile) => {
                        (format!("{}/{}", self.tile(tile), scene.carrier(*carrier)), None)
                    }
                };
                ("load", path, layer, None, &(*from..from + LOAD_CYCLES), *amount, "")
            }
            Event::Fill { tile, layer, bits, at } => {
                ("fill", self.tile(*tile), Some(*layer), None, &(*at..*at), *bits, "")
            }
            Event::Operation { unit, window: of, cycles, .. } => {
                ("operation", ima(unit), Some(unit.layer), window(unit, *of), cycles, 1, "")
            }
            Event::Wait { unit, cause, cycles } => ("wait", ima(unit), Some(unit.layer), None, cycles, 1, cause.name()),
            Event::Fetch { unit, window: of, bits, cycles } => {
                ("fetch", ima(unit), Some(unit.layer), window(unit, *of), cycles, *bits, "")
            }
            Event::Result { unit, window: of, bits, cycles } => {
                ("result", ima(unit), Some(unit.layer), window(unit, *of), cycles, *bits, "")
            }
            Event::Activate { tile, layer, replica, window, at } => {
                let window = Some(scene.window(*layer, *replica, *window));
                ("activate", self.tile(*tile), Some(*layer), window, &(*at..at + 1), 1, "")
            }
            Event::Write { tile, layer, bits, cycles, .. } => {
                ("write", self.tile(*tile), *layer, None, cycles, u64::from(*bits), "")
            }
            Event::Supply { tile, layer, at, .. } => {
                ("supply", self.tile(*tile), Some(*layer), None, &(*at..*at), 1, "")
            }
            Event::Room { tile, layer, at, .. } => ("room", self.tile(*tile), Some(*layer), None, &(*at..*at), 1, ""),
            Event::Packet { chip, layer, flits, cycles, .. } => {
                ("packet", format!("chip{chip}/mesh"), Some(*layer), None, cycles, u64::from(*flits), "")
            }
            Event::Crossing { to, enters, layer, bits, cycles } => {
                let path = format!("chip{to}/{}", scene.carrier(Carrier::Link(*to, *enters as u8)));
                ("crossing", path, Some(*layer), None, cycles, u64::from(*bits), "")
            }
            Event::Stage { unit, stage, cycles } => {
                (stage_name(*stage), ima(unit), Some(unit.layer), None, cycles, 1, "")
            }
        };
        self.lines += 1;
        let layer = layer.map_or("", |layer| self.layers[usize::from(layer)].as_str());
        write!(self.file, "{kind},{path},{layer},")?;
        match window {
            Some((row, column, image)) => write!(self.file, "{row},{column},{image}")?,
            None => write!(self.file, ",,")?,
        }
        writeln!(self.file, ",{},{},{amount},{cause}", cycles.start, cycles.end - cycles.start)
    }

    fn events(&self) -> u64 {
        self.lines
    }

    fn bytes(&self) -> u64 {
        self.file.bytes() + self.longest_line
    }

    fn finish(&mut self, _limit: u64) -> io::Result<Option<Cycle>> {
        self.file.flush().map(|()| None)
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Returns the name of a stage in traces.
pub(crate) fn stage_name(stage: chip::Stage) -> &'static str {
    match stage {
        chip::Stage::Read => "read",
        chip::Stage::Convert => "convert",
        chip::Stage::Accumulate => "shift-and-add",
    }
}

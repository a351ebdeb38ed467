//! A trace as a table: one line for each event.

use std::io::{self, Write};

use crate::Scene;
use crate::event::Event;
use crate::writer::{Counted, Sink};

/// Writes comma-separated values.
pub(crate) struct Csv<'a> {
    scene: &'a Scene<'a>,
    file: Counted,
}

impl<'a> Csv<'a> {
    pub fn new(scene: &'a Scene<'a>, mut file: Counted) -> io::Result<Self> {
        writeln!(file, "event,unit,layer,row,column,image,from_cycle,cycles,amount,cause")?;
        Ok(Self { scene, file })
    }

    fn tile(&self, tile: u32) -> String {
        let (chip, tile) = self.scene.place(tile);
        format!("chip{chip}/tile{tile}")
    }
}

impl Sink for Csv<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let scene = self.scene;
        let (kind, unit, layer, window, cycles, amount, cause) = match event {
            Event::Operation { unit, window, cycles, .. } => (
                "operation",
                scene.ima_path(unit.tile, unit.ima),
                Some(unit.layer),
                Some((*unit, *window)),
                cycles,
                1,
                "",
            ),
            Event::Wait { unit, cause, cycles } => {
                ("wait", scene.ima_path(unit.tile, unit.ima), Some(unit.layer), None, cycles, 1, cause.name())
            }
            Event::Fetch { unit, window, bits, cycles } => {
                let path = scene.ima_path(unit.tile, unit.ima);
                ("fetch", path, Some(unit.layer), Some((*unit, *window)), cycles, *bits as i64, "")
            }
            Event::Result { unit, window, bits, cycles } => {
                let path = scene.ima_path(unit.tile, unit.ima);
                ("result", path, Some(unit.layer), Some((*unit, *window)), cycles, *bits as i64, "")
            }
            Event::Stage { unit, stage, cycles } => {
                let path = scene.ima_path(unit.tile, unit.ima);
                (stage_name(*stage), path, Some(unit.layer), None, cycles, 1, "")
            }
            Event::Write { tile, layer, bits, cycles } => {
                ("write", self.tile(*tile), *layer, None, cycles, i64::from(*bits), "")
            }
            Event::Fill { tile, layer, bits, at } => {
                ("fill", self.tile(*tile), Some(*layer), None, &(*at..*at), *bits, "")
            }
            Event::Packet { chip, layer, flits, cycles, .. } => {
                ("packet", format!("chip{chip}/mesh"), Some(*layer), None, cycles, i64::from(*flits), "")
            }
            Event::Crossing { to, enters, layer, bits, cycles } => {
                let path = format!("chip{to}/link_{}", format!("{enters:?}").to_lowercase());
                ("crossing", path, Some(*layer), None, cycles, i64::from(*bits), "")
            }
        };
        let layer = layer.map_or("", |layer| scene.layer(layer));
        write!(self.file, "{kind},{unit},{layer},")?;
        match window.map(|(unit, window)| scene.window(unit, window)) {
            Some((row, column, image)) => write!(self.file, "{row},{column},{image}")?,
            None => write!(self.file, ",,")?,
        }
        writeln!(self.file, ",{},{},{amount},{cause}", cycles.start, cycles.end - cycles.start)
    }

    fn bytes(&self) -> u64 {
        self.file.bytes
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Name of a stage in traces.
pub(crate) fn stage_name(stage: chip::Stage) -> &'static str {
    match stage {
        chip::Stage::Read => "read",
        chip::Stage::Convert => "convert",
        chip::Stage::Accumulate => "shift-and-add",
    }
}

//! CSV traces: one line for each record, with the same ten columns for all.
//!
//! `from_cycle` and `cycles` are the start and length of the span. `amount` counts operations, flits or bits of a load;
//! bits of a fill, fetch, result, write or crossing; flits of a packet; and is 1 for other events. Only waits have a
//! cause.

use std::io::{self, Write};

use analysis::Scene;
use des::Cycle;
use index::{IndexVec, count};
use network::LayerId;

use crate::record::{Description, Record};
use crate::sink::{Format, Sink, TraceFile};

pub(crate) const FORMAT: Format =
    Format { ending: "csv", viewers: "spreadsheets", open: |scene, _, file| Ok(Box::new(Csv::new(scene, file)?)) };

/// Sink for CSV files.
struct Csv<'a> {
    scene: &'a Scene<'a>,
    file: TraceFile,
    lines: u64,
    /// Line in progress, so that the file receives each as a whole.
    line: Vec<u8>,
    /// Names of the layers, quoted where RFC 4180 requires it.
    layers: IndexVec<LayerId, String>,
    /// Upper limit of the bytes of a line.
    longest_line: u64,
}

/// Upper limit of the bytes of a line without the name of its layer.
const LINE_BYTES: u64 = 256;

impl<'a> Csv<'a> {
    fn new(scene: &'a Scene<'a>, mut file: TraceFile) -> io::Result<Self> {
        writeln!(file, "event,unit,layer,row,column,image,from_cycle,cycles,amount,cause")?;
        let layers: IndexVec<LayerId, String> = scene.layers().map(|layer| quoted(scene.layer(layer))).collect();
        let longest = layers.iter().map(String::len).max().unwrap_or(0);
        Ok(Self { scene, file, lines: 0, line: Vec::new(), layers, longest_line: LINE_BYTES + count(longest) })
    }
}

impl Sink for Csv<'_> {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        let description = record.description();
        let window = description.row_and_column(self.scene);
        let Description { name, place, layer, cycles, amount, cause, .. } = description;
        let path = place.path(self.scene);
        let layer = layer.map_or("", |layer| self.layers[layer].as_str());
        self.lines += 1;
        let line = &mut self.line;
        line.clear();
        write!(line, "{name},{path},{layer},")?;
        match window {
            Some((row, column, image)) => write!(line, "{row},{column},{image}")?,
            None => write!(line, ",,")?,
        }
        let cause = cause.map_or("", |cause| cause.name());
        writeln!(line, ",{},{},{amount},{cause}", cycles.start, cycles.end - cycles.start)?;
        self.file.write_all(line)
    }

    fn entries(&self) -> u64 {
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

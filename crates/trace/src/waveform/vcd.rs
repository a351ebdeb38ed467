//! VCD files. Each change is written at once, so the size of the file is exact.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use analysis::Scene;
use index::IndexVec;
use vcd::{IdCode, TimescaleUnit, Value};

use super::signals::{SignalId, Signals, declare};
use super::{Body, Waveform};
use crate::sink::{Format, TraceFile};
use crate::{Clock, Filter, TimeUnit};

pub(crate) const FORMAT: Format = Format {
    ending: "vcd",
    viewers: "GTKWave, Surfer",
    open: |scene, filter, file| Ok(Box::new(Waveform::new(scene, filter, Vcd::new(scene, filter, file)?))),
};

/// VCD: value change dump of IEEE 1364, uncompressed text.
struct Vcd {
    writer: vcd::Writer<TraceFile>,
    bytes: Rc<Cell<u64>>,
    signals: IndexVec<SignalId, Option<IdCode>>,
    /// Time written last.
    now: u64,
}

impl Vcd {
    fn new(scene: &Scene<'_>, filter: &Filter, file: TraceFile) -> io::Result<Self> {
        let bytes = file.counter();
        let mut writer = vcd::Writer::new(file);
        writer.version(concat!("aquasim ", env!("CARGO_PKG_VERSION")))?;
        let unit = match Clock::of(scene).unit {
            TimeUnit::Nanosecond => TimescaleUnit::NS,
            TimeUnit::Picosecond => TimescaleUnit::PS,
            TimeUnit::Femtosecond => TimescaleUnit::FS,
        };
        writer.timescale(1, unit)?;
        let all = Signals::new(scene).bits;
        let mut state = (writer, IndexVec::filled(None, all.len()));
        declare(
            scene,
            filter,
            &mut state,
            |(writer, _), name| {
                name.map_or_else(|| Ok(()), |name| writer.add_module(name))
                    .and_then(|()| if name.is_none() { writer.upscope() } else { Ok(()) })
            },
            |(writer, signals), signal, name, bits| {
                signals[signal] = Some(writer.add_wire(bits, name)?);
                Ok(())
            },
        )?;
        let (mut writer, signals) = state;
        writer.enddefinitions()?;
        writer.timestamp(0)?;
        let mut vcd = Self { writer, bytes, signals, now: 0 };
        for (signal, &bits) in all.enumerate() {
            vcd.change(signal, bits, 0)?;
        }
        Ok(vcd)
    }
}

impl Body for Vcd {
    fn time(&mut self, stamp: u64) -> io::Result<()> {
        // The first cycle starts at the time of the initial values.
        if stamp == self.now {
            return Ok(());
        }
        self.now = stamp;
        self.writer.timestamp(stamp)
    }

    fn change(&mut self, signal: SignalId, bits: u32, value: u64) -> io::Result<()> {
        let Some(id) = self.signals[signal] else { return Ok(()) };
        let bit = |bit: u32| Value::from(value >> bit & 1 == 1);
        if bits == 1 {
            self.writer.change_scalar(id, bit(0))
        } else {
            self.writer.change_vector(id, (0..bits).rev().map(bit))
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    fn make_room(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

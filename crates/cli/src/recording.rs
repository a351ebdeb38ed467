//! `aquasim run --trace`: records the events of a run, cycle by cycle.
//!
//! A recorder observes the run and passes events to a thread that writes the file; crate `trace` has both. A recorder
//! cannot influence the simulation. The file has a limit: the trace ends with the cycle that would exceed it, and the
//! run continues.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use analysis::{Scene, Timeline};
use chip::{Options, Outcome, Routed, SimulationError};
use clap::{Args, ValueEnum};
use document::Fault;
use trace::{Detail, FORMATS, Filter, Format, Recorder, Summary};
use tracing::info_span;

use crate::failure::Failure;
use crate::output::{self, Output};

/// Bytes of a megabyte.
const MEGABYTE: u64 = 1_000_000;

/// Recording of a run: detail, times and file.
#[derive(Args)]
#[command(next_help_heading = "Trace")]
pub(crate) struct Recording {
    // Its help is made from the list of formats.
    #[arg(long, value_name = "FILE", help = trace_help())]
    trace: Option<PathBuf>,
    /// Cycles to record, from A up to but not including B
    #[arg(long, value_name = "A..B", value_parser = cycles, requires = "trace")]
    trace_cycles: Option<Range<u64>>,
    /// Units to record, such as chip0/tile3, chip0/*/ima0
    #[arg(long, value_name = "PATTERN", default_value = "*", requires = "trace")]
    trace_units: String,
    /// Layers to record, such as conv3_*,fc6
    #[arg(long, value_name = "PATTERN,...", value_delimiter = ',', requires = "trace")]
    trace_layers: Vec<String>,
    /// Detail of the recording; each level includes the one before
    #[arg(long, value_enum, default_value_t = DetailName::Tile, requires = "trace")]
    trace_detail: DetailName,
    /// Megabytes of the file, at most: where it would become larger, the trace ends
    #[arg(long, value_name = "MB", default_value_t = 500, requires = "trace")]
    trace_limit: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum DetailName {
    /// Operations of each layer, loads of meshes and links
    Layer,
    /// Each tile and mesh link: bus, writes, fill of the buffer
    Tile,
    /// Each IMA and window: operations, waits, fetches, results, writes
    Ima,
    /// Parts of IMAs too: crossbars, converters, shift-and-adds, and their iterations at iteration fidelity
    Crossbar,
}

impl From<DetailName> for Detail {
    fn from(name: DetailName) -> Detail {
        match name {
            DetailName::Layer => Detail::Layer,
            DetailName::Tile => Detail::Tile,
            DetailName::Ima => Detail::Ima,
            DetailName::Crossbar => Detail::Crossbar,
        }
    }
}

/// A recording with an open file, ready to start.
pub(crate) struct Prepared<'a> {
    scene: &'a Scene<'a>,
    filter: Filter,
    path: PathBuf,
    output: Output,
    format: Format,
    limit: u64,
}

impl Recording {
    /// Opens the file if a trace is requested.
    pub(crate) fn prepare<'a>(&self, scene: impl FnOnce() -> &'a Scene<'a>) -> Result<Option<Prepared<'a>>, Fault> {
        let Some(path) = self.trace.clone() else { return Ok(None) };
        let Some(format) = Format::of(&path) else {
            let message = format!("a trace cannot be written as {}", path.display());
            return Err(Fault::new(message, format!("end its name in {}", endings())));
        };
        let scene = scene();
        let cycles = self.trace_cycles.clone().unwrap_or(0..u64::MAX);
        let filter = Filter::new(scene, cycles, self.trace_detail.into(), &self.trace_layers, &self.trace_units);
        if !filter.shows_something() {
            let message = "the trace would show nothing: no unit or no layer matches";
            let (unit, layer) = scene.examples();
            return Err(Fault::new(message, format!("units are called {unit}, layers {layer}")));
        }
        let limit = self.trace_limit.saturating_mul(MEGABYTE);
        let smallest = trace::smallest(scene, &filter, format).expect("memory takes what is written to it");
        if limit < smallest {
            let (needed, given) = (smallest.div_ceil(MEGABYTE), self.trace_limit);
            return Err(Fault::new(
                format!("the header of {} alone takes {needed} MB, and --trace-limit allows {given}", path.display()),
                format!("give at least {needed}, or show less: --trace-detail, --trace-units, --trace-layers"),
            ));
        }
        let output = Output::create(&path)?;
        Ok(Some(Prepared { scene, filter, path, output, format, limit }))
    }
}

/// Simulates while a recording, a timeline, both or neither observe. Returns the outcome, the timeline, and the result
/// of writing the recording: an error there does not stop the run.
pub(crate) fn simulate(
    recording: Option<Prepared<'_>>,
    timeline: Option<Timeline>,
    routed: &Routed<'_>,
    options: &Options,
) -> (Result<Outcome, SimulationError>, Option<Timeline>, Result<(), Failure>) {
    let _span = info_span!("simulate").entered();
    let run = |probes: (Option<Recorder>, Option<Timeline>)| routed.run_probed(options, probes);
    match recording {
        // Without a probe the simulation is compiled without probe calls.
        None if timeline.is_none() => (routed.run(options), None, Ok(())),
        None => {
            let (outcome, (_, timeline)) = run((None, timeline));
            (outcome, timeline, Ok(()))
        }
        Some(recording) => {
            let (ran, written) = recording.write(|recorder| {
                let (outcome, (recorder, timeline)) = run((Some(recorder), timeline));
                ((outcome, timeline), recorder.expect("the recorder comes back"))
            });
            (ran.0, ran.1, written)
        }
    }
}

impl Prepared<'_> {
    /// Writes the events that the recorder observes during `run`.
    fn write<T>(self, run: impl FnOnce(Recorder) -> (T, Recorder)) -> (T, Result<(), Failure>) {
        let Prepared { scene, filter, path, output, format, limit } = self;
        let (result, summary) = std::thread::scope(|scope| {
            let (recorder, writing) = trace::start(scope, scene, filter, (output.stream(), format), limit);
            let (result, recorder) = run(recorder);
            (result, writing.finish(recorder))
        });
        let written = summary.and_then(|summary| output.complete().map(|()| summary));
        (result, report(&path.display().to_string(), limit, written))
    }
}

/// Reports whether the trace was written, and the cycle at which it ended early.
fn report(path: &str, limit: u64, written: io::Result<Summary>) -> Result<(), Failure> {
    let summary = written.map_err(|error| Failure::not_written(path, &error))?;
    tracing::info!(events = summary.events, bytes = summary.bytes, "trace written");
    if let Some(cycle) = summary.ended_at {
        output::say(&format!(
            "{path} ends with cycle {cycle}: it has reached its limit of {} MB (--trace-limit); \
             --trace-cycles, --trace-layers, --trace-units and --trace-detail make it smaller",
            limit / MEGABYTE
        ));
    }
    Ok(())
}

fn trace_help() -> String {
    let formats = FORMATS.map(|Format { ending, viewers, .. }| format!(".{ending} ({viewers})"));
    format!("Record what happens, in simulated time: {}", formats.join(", "))
}

/// Returns the endings of trace files: ".pftrace, .fst, .vcd or .csv".
fn endings() -> String {
    let [others @ .., last] = FORMATS.map(|format| format!(".{}", format.ending));
    format!("{} or {last}", others.join(", "))
}

fn cycles(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let cycles: Range<u64> = parsed.ok_or("give two cycles, such as 1000..2000")?;
    if cycles.is_empty() { Err("the second cycle must be after the first".to_owned()) } else { Ok(cycles) }
}

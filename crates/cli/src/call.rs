//! Commands as functions.
//!
//! Each takes the options of its command, as words without the name of the command: `["--images", "8"]`. Options that
//! write files of results have no effect, unless stated. Work is stopped, and followed, by a [`crate::Session`].

use std::path::Path;

use anstream::adapter::strip_str;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command};
use document::Fault;
use report::{csv, floorplan, terminal};
use sweep::{Folder, Progress, Remarks, Shard};

use crate::failure::Failure;
use crate::{compare, infer, map, run, session, sweep as command};

/// Result of a command.
#[derive(Clone, Debug)]
pub struct Forms {
    /// As JSON, as the option `--json` writes it.
    pub json: String,
    /// As printed on a terminal, without styles.
    pub text: String,
    /// Tables as CSV, by name: those of the option `--csv`.
    pub tables: Vec<(&'static str, String)>,
}

impl Forms {
    fn new(json: String, text: &str, tables: Vec<(&'static str, String)>) -> Forms {
        Forms { json, text: strip_str(text).to_string(), tables }
    }
}

/// Mapping of a network to a machine.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// Place of each layer and the bound.
    pub forms: Forms,
    /// The mapping as a file.
    pub toml: String,
    /// Drawing of the chips in use, as SVG.
    pub floorplan: String,
}

/// Folder of a sweep, or of a shard, all of whose points are simulated.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The folder.
    pub folder: String,
    /// Points simulated, each of several that mean the same once.
    pub points: u64,
    /// Points that failed, and the reason of the first.
    pub failures: (u64, Option<String>),
    /// Points with warnings about their machine, and the first.
    pub warnings: (u64, Option<String>),
}

/// Runs a network on a machine: `aquasim run`.
pub fn run(options: &[String]) -> Result<Forms, Failure> {
    let report = parse::<run::Run>(options)?.report()?;
    let tables = vec![
        ("layers", csv::layers(&report)),
        ("components", csv::components(&report)),
        ("stalls", csv::stalls(&report)),
    ];
    Ok(Forms::new(report.to_json(), &terminal::run(&report), tables))
}

/// Maps a network to a machine: `aquasim map`.
pub fn map(options: &[String]) -> Result<Mapped, Failure> {
    let mapped = parse::<map::Map>(options)?.map()?;
    let (arch, layout) = (&mapped.selected.arch, &mapped.selected.layout);
    Ok(Mapped {
        forms: Forms::new(mapped.report().to_json(), &mapped.text(), Vec::new()),
        toml: layout.mapping.to_toml(),
        floorplan: floorplan::svg(arch, layout),
    })
}

/// Answers pictures: `aquasim infer`. Writes the plans of `--plans`.
pub fn infer(options: &[String]) -> Result<Forms, Failure> {
    let answered = parse::<infer::Infer>(options)?.answer()?;
    let answers = &answered.answers;
    Ok(Forms::new(answered.json(), &answers.text(), vec![("pictures", answers.csv())]))
}

/// Compares machines, runs and sweeps: `aquasim compare`.
pub fn compare(options: &[String]) -> Result<Forms, Failure> {
    let comparison = parse::<compare::Compare>(options)?.compare()?;
    Ok(Forms::new(comparison.to_json(), &terminal::comparison(&comparison), Vec::new()))
}

/// Simulates the points of a sweep that are not done yet, and writes the tables: `aquasim sweep`. `text` stands in place
/// of the content of the file; its paths begin at the current folder.
pub fn sweep(options: &[String], text: Option<&str>) -> Result<Swept, Failure> {
    let command: command::Sweep = parse(options)?;
    let sweep = match text {
        Some(text) => sweep::Sweep::parse(text, "sweep", Path::new(""))?,
        None => command.load()?,
    };
    let (out, shard) = (command.folder(), command.shard()?);
    let mut folder = Folder::open(&out, &sweep.grid, shard.unwrap_or(Shard::WHOLE))?;
    let stop = session::stop();
    let Progress { distinct, done } = command.simulate(&sweep, &mut folder, || stop.is_requested())?.progress;
    if done < distinct {
        return Err(Failure::Other(chip::SimulationError::Stopped.into()));
    }
    if shard.is_none() {
        folder.write_tables()?;
    }
    let Remarks { failures, warnings } = folder.remarks()?;
    Ok(Swept { folder: out.to_string_lossy().into_owned(), points: done, failures, warnings })
}

/// Parses the options of a command.
fn parse<Options: Args>(options: &[String]) -> Result<Options, Failure> {
    let command = Options::augment_args(Command::new("aquasim").no_binary_name(true));
    let parsed = command.try_get_matches_from(options).and_then(|matches| Options::from_arg_matches(&matches));
    parsed.map_err(|error| fault(&error).into())
}

/// Mistake in an option. The remedy is that of the option's own parser, if it has one.
fn fault(error: &clap::Error) -> Fault {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    // Without the name of its value.
    let name = |text: String| text.split_once(" <").map_or(text.clone(), |(name, _)| name.to_owned());
    let option = name(context(ContextKind::InvalidArg).unwrap_or_default());
    match (error.kind(), context(ContextKind::InvalidValue)) {
        (ErrorKind::ValueValidation, Some(value)) => {
            let remedy = std::error::Error::source(error).map(ToString::to_string);
            Fault::new(format!("{option} cannot be {value}"), remedy.unwrap_or_else(|| SEE_HELP.to_owned()))
        }
        (ErrorKind::InvalidValue, Some(value)) => {
            let remedy = context(ContextKind::ValidValue).map(|valid| format!("give one of {valid}"));
            Fault::new(format!("{option} cannot be {value:?}"), remedy.unwrap_or_else(|| SEE_HELP.to_owned()))
        }
        (ErrorKind::ArgumentConflict, _) => {
            let other = name(context(ContextKind::PriorArg).unwrap_or_default());
            Fault::new(format!("{option} and {other} cannot be given together"), "leave one of them out")
        }
        (ErrorKind::MissingRequiredArgument, _) => Fault::new(format!("{option} is missing"), "give it"),
        _ => {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default();
            Fault::new(message.strip_prefix("error: ").unwrap_or(message), SEE_HELP)
        }
    }
}

/// Remedy where an option has none of its own.
const SEE_HELP: &str = "see the help of the command";

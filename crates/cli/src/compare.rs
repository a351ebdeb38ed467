//! `aquasim compare`: machines, runs and sweeps side by side.
//!
//! Machines are run with the options of the command; reports and points of sweeps are read. Two sweeps or more are
//! compared point by point.

use std::fs;
use std::path::{Path, PathBuf};

use arch::Draft;
use clap::Args;
use document::Fault;
use report::compare::{Cells, Comparison, Subject};
use report::terminal;

use crate::changes::Changes;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::run::command;
use crate::workload::Workload;

/// Compare machines, runs or sweeps: what differs, and their figures side by side
#[derive(Args)]
pub(crate) struct Compare {
    /// Machines, which are run with the options below; reports of `aquasim run --json`; folders of sweeps, or points of
    /// them, as in DIR:3. All are compared with the first
    #[arg(value_name = "PRESET|FILE|DIR|DIR:POINT", required = true, help_heading = "Arguments")]
    subjects: Vec<String>,
    /// Compare the first machine also with itself with a value changed, as in adc.bits=6; once for each value
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Machine")]
    set: Vec<String>,
    #[command(flatten)]
    workload: Workload,
    /// Write the comparison as JSON; - is standard output, which then gets nothing else
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Write a page with the runs side by side, for a browser
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    html: Option<PathBuf>,
}

/// Largest number of points of one sweep that are compared with each other.
const MOST_POINTS: usize = 8;

impl Compare {
    /// Reads and runs the subjects, and writes the comparison.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let html = self.html.as_deref().map(Output::create).transpose()?;
        let comparison = self.compare()?;
        if self.json.as_deref() != Some(Path::new("-")) {
            output::print(&terminal::comparison(&comparison))?;
        }
        if let Some(html) = html {
            html.write(&comparison.to_html(&command()))?;
        }
        if let Some(json) = json {
            json.write(&comparison.to_json())?;
        }
        Ok(())
    }

    /// Reads and runs the subjects, and compares them.
    pub(crate) fn compare(&self) -> Result<Comparison, Failure> {
        let folders: Vec<&String> = self.subjects.iter().filter(|name| Path::new(name).is_dir()).collect();
        if folders.len() > 1 && folders.len() == self.subjects.len() && self.set.is_empty() {
            let sweeps = folders.into_iter().map(|folder| Sweep::read(folder)).collect::<Result<Vec<_>, _>>()?;
            if sweeps.iter().any(|sweep| sweep.points.len() > 1) {
                return compare_sweeps(&sweeps);
            }
        }
        let mut runs = Vec::new();
        for name in &self.subjects {
            if Path::new(name).is_dir() {
                runs.extend(Sweep::read(name)?.all()?);
            } else {
                runs.push(subject(name, &self.workload)?);
            }
        }
        if !self.set.is_empty() {
            let (first, changes) = (&self.subjects[0], Changes { set: self.set.clone() });
            if kind(first)? != Kind::Machine {
                let remedy = "give a machine first, or remove --set";
                return Err(Fault::new(format!("{first} is no machine that --set could change"), remedy).into());
            }
            runs.insert(1, Subject::of(&self.workload.report(changes.load(first)?)?));
        }
        if let [_] = runs[..] {
            let remedy = "give another machine, report or sweep, or changes with --set";
            return Err(Fault::new(format!("there is nothing to compare {} with", self.subjects[0]), remedy).into());
        }
        Ok(Comparison::of_runs(runs))
    }
}

#[derive(PartialEq)]
enum Kind<'a> {
    /// Preset or arch file.
    Machine,
    /// Text of a report.
    Report(String),
    /// Folder of a sweep, and the number of a point.
    Point(&'a str, &'a str),
}

fn kind(name: &str) -> Result<Kind<'_>, Fault> {
    if let Some((folder, point)) = name.rsplit_once(':').filter(|(folder, _)| Path::new(folder).is_dir()) {
        return Ok(Kind::Point(folder, point));
    }
    match fs::read_to_string(name) {
        Ok(text) if text.trim_start().starts_with('{') => Ok(Kind::Report(text)),
        Err(error) if name.contains(['/', '.']) && Path::new(name).extension() != Some("toml".as_ref()) => {
            let remedy = "give a preset, an arch file, a report of `aquasim run --json`, or the folder of a sweep";
            Err(Fault::new(format!("{name} cannot be read: {error}"), remedy))
        }
        _ => Ok(Kind::Machine),
    }
}

/// Returns the run called `name`: a machine with the workload, a saved report, or a point of a sweep.
pub(crate) fn subject(name: &str, workload: &Workload) -> Result<Subject, Failure> {
    match kind(name)? {
        Kind::Point(folder, point) => Sweep::read(folder)?.point(point),
        Kind::Report(text) => Subject::of_saved(&text)
            .map_err(|error| Fault::new(format!("{name}: {error}"), "write one with `aquasim run --json FILE`").into()),
        Kind::Machine => {
            let arch = Draft::load(name)?.finish()?;
            output::warn_of(&arch);
            Ok(Subject::of(&workload.report(arch)?))
        }
    }
}

/// Tables of a sweep.
struct Sweep {
    folder: String,
    points: Vec<Cells>,
    components: Vec<Cells>,
    layers: Vec<Cells>,
}

impl Sweep {
    fn read(folder: &str) -> Result<Sweep, Failure> {
        let rows = |name: &str| {
            let path = Path::new(folder).join(name);
            let fault = |error: &csv::Error| {
                let remedy = "give a folder that `aquasim sweep` has finished";
                Fault::new(format!("{} cannot be read: {error}", path.display()), remedy)
            };
            read_rows(&path).map_err(|error| fault(&error))
        };
        let folder_name = folder.trim_end_matches('/').to_owned();
        let (points, components, layers) = (rows("points.csv")?, rows("components.csv")?, rows("layers.csv")?);
        Ok(Sweep { folder: folder_name, points, components, layers })
    }

    /// Returns all points, if they are few.
    fn all(&self) -> Result<Vec<Subject>, Fault> {
        if self.points.len() > MOST_POINTS {
            let (folder, points) = (&self.folder, self.points.len());
            let remedy = format!("pick some, as in {folder}:0 {folder}:3, or give another sweep to compare it with");
            return Err(Fault::new(format!("{folder} has {points} points, too many side by side"), remedy));
        }
        Ok(self.points.iter().map(|row| self.subject(row)).collect())
    }

    /// Returns the point with the number `point`.
    fn point(&self, point: &str) -> Result<Subject, Failure> {
        let row = self.points.iter().find(|row| cell(row, "point") == point);
        let row = row.ok_or_else(|| {
            let problem = format!("{} has no point {point}", self.folder);
            Fault::new(problem, format!("its points are 0 to {}", self.points.len().saturating_sub(1)))
        })?;
        Ok(self.subject(row))
    }

    fn subject(&self, row: &Cells) -> Subject {
        let of_point = |rows: &[Cells]| -> Vec<Cells> {
            rows.iter().filter(|other| cell(other, "point") == cell(row, "point")).cloned().collect()
        };
        Subject::of_point(row, &of_point(&self.components), &of_point(&self.layers))
    }

    /// Returns the keys that have several values, in the order of the grid.
    fn varied(&self) -> Vec<&str> {
        self.keys()
            .filter(|(key, first)| self.points.iter().any(|row| cell(row, key) != *first))
            .map(|(key, _)| key)
            .collect()
    }

    /// Returns the keys of the grid, with their values at the first point.
    fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let cells = self.points.first().into_iter().flatten().map(|(key, text)| (key.as_str(), text.as_str()));
        // The number of the point and the version come first, the results last.
        cells.skip(2).take_while(|(key, _)| *key != "status").filter(|(key, _)| !key.ends_with("_hash"))
    }

    /// Returns the point with these values of `keys`.
    fn find(&self, keys: &[&str], values: &[&str]) -> Option<&Cells> {
        self.points.iter().find(|row| keys.iter().zip(values).all(|(key, value)| cell(row, key) == *value))
    }
}

/// Reads the rows of a CSV file.
fn read_rows(path: &Path) -> csv::Result<Vec<Cells>> {
    let mut reader = csv::Reader::from_path(path)?;
    let headings = reader.headers()?.clone();
    let owned = |(heading, cell): (&str, &str)| (heading.to_owned(), cell.to_owned());
    reader.records().map(|row| Ok(headings.iter().zip(&row?).map(owned).collect())).collect()
}

fn cell<'a>(row: &'a Cells, heading: &str) -> &'a str {
    row.iter().find(|(key, _)| key == heading).map_or("", |(_, text)| text)
}

/// Compares sweeps point by point. Points belong together that have the same values of all keys that vary in a sweep.
fn compare_sweeps(sweeps: &[Sweep]) -> Result<Comparison, Failure> {
    let mut keys: Vec<&str> = Vec::new();
    for key in sweeps.iter().flat_map(Sweep::varied) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut points = Vec::new();
    for row in &sweeps[0].points {
        let values: Vec<&str> = keys.iter().map(|key| cell(row, key)).collect();
        let rows: Option<Vec<&Cells>> = sweeps[1..].iter().map(|sweep| sweep.find(&keys, &values)).collect();
        if let Some(rows) = rows {
            let rows = [row].into_iter().chain(rows);
            let name = keys.iter().zip(&values).map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>();
            points.push((name.join(", "), sweeps.iter().zip(rows).map(|(sweep, row)| sweep.subject(row)).collect()));
        }
    }
    if points.is_empty() {
        let problem = format!("the sweeps have no point in common: they vary {}", keys.join(", "));
        return Err(Fault::new(problem, "compare points of them, as in DIR:0").into());
    }
    let fixed = |sweep: &Sweep| {
        let keys = sweep.keys().filter(|(key, _)| !keys.contains(key));
        keys.map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
    };
    let named: Vec<(String, usize, Cells)> =
        sweeps.iter().map(|sweep| (sweep.folder.clone(), sweep.points.len(), fixed(sweep))).collect();
    Ok(Comparison::of_sweeps(&named, &points))
}

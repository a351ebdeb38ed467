//! Sweep files: reading, checking, and expansion to a grid.
//!
//! A file gives one value, a list, or a range `{ from, to, step }` for any of these keys:
//!
//! | key | values |
//! | --- | --- |
//! | `arch.file` | preset or file of the machine; `isaac-ce` by default |
//! | `arch.adc.bits` and any other key of an arch file | values in place of that file's |
//! | `network` | preset or file; `vgg16` by default |
//! | `weights`, `activations`, `crop` | as on the command line; `16`, `16` and `none` by default |
//! | `plan` | plan files in place of these three |
//! | `balance` | replicas, as of `--fill`: `board`, `8-chips` or `784-cycles`; `last-layer` by default |
//! | `rebalance` | whether replicas are balanced for the crop; `false` by default |
//! | `images` | images, one after another, or `auto`: until their rate has settled; 1 by default |
//!
//! Every value is combined with every other; the first key of the file varies slowest. The keys that `zip` lists go
//! together instead, row by row: `zip = ["arch.crossbar.rows", "arch.adc.bits"]`. `simulate = false` only computes what
//! follows from the machines. Relative paths begin at the folder of the sweep file.

use std::path::Path;

use arch::{Arch, Draft};
use document::{Document, Fault, Faults};
use mapper::Fill;
use network::{Edges, Network, Plan, parse_activations, parse_weights};
use toml::Value;

use crate::axis::Dimension;
use crate::{Axis, Cell, Grid};

/// Largest number of points of a sweep.
const MOST_POINTS: u64 = 1_000_000_000;
/// Largest number of values of a range.
const MOST_VALUES: f64 = 100_000.0;

/// Keys of a sweep file, apart from `simulate` and those below `arch`.
const KEYS: [&str; 10] =
    ["arch", "network", "weights", "activations", "crop", "plan", "balance", "rebalance", "images", "zip"];
pub(crate) const SIMULATE: &str = "simulate";

/// Checked sweep file, with all files that it names.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Points of the sweep.
    pub grid: Grid,
    /// Machines of `arch.file`.
    pub(crate) archs: Vec<Draft>,
    /// Networks of `network`.
    pub(crate) networks: Vec<Network>,
    /// Text and file name of each plan of `plan`.
    pub(crate) plans: Vec<(String, String)>,
}

impl Sweep {
    /// Reads the sweep file at `path`, in TOML.
    pub fn load(path: &str) -> Result<Sweep, Faults> {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        Sweep::parse(&document::read_text(path)?, path, folder)
    }

    /// Reads the sweep in `text`. Faults call it `file`; paths in it are relative to `folder`.
    pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Sweep, Faults> {
        let mut reader = Reader { document: Document::parse(text, file), folder, elsewhere: Vec::new() };
        let sweep = reader.read();
        let Reader { document, elsewhere, .. } = reader;
        match document.finish(Some(sweep)) {
            Ok(sweep) if elsewhere.is_empty() => Ok(sweep),
            Ok(_) => Err(elsewhere.into()),
            Err(faults) => Err(faults.iter().cloned().chain(elsewhere).collect::<Vec<_>>().into()),
        }
    }

    /// Returns the number of points.
    pub fn points(&self) -> u64 {
        self.grid.points().expect("counted when the file was read")
    }
}

/// Axis with the meaning of each of its values. Equal texts are equal meanings.
struct Meant {
    axis: Axis,
    meanings: Vec<String>,
}

impl Meant {
    fn new(key: &str, values: Vec<Cell>, hashes: Vec<String>, meanings: Vec<String>) -> Meant {
        Meant { axis: Axis { key: key.to_owned(), values, hashes, dimension: 0 }, meanings }
    }

    /// Creates an axis whose values are their own meanings.
    fn plain(key: &str, given: Vec<Given>) -> Meant {
        let meaning = |given: &Given| match given.value {
            // 8 and 8.0 are the same value.
            Cell::Integer(number) => format!("{:?}", Cell::Real(number as f64)),
            ref other => format!("{other:?}"),
        };
        let meanings = given.iter().map(meaning).collect();
        Meant::new(key, given.into_iter().map(|given| given.value).collect(), Vec::new(), meanings)
    }
}

/// Value of a key, with its path in the file.
struct Given {
    value: Cell,
    path: String,
}

/// Returns the values that decide whether all are allowed: of a range, the first and the last.
fn ends(given: &[Given]) -> impl Iterator<Item = &Given> {
    given.chunk_by(|a, b| a.path == b.path).flat_map(|range| {
        let last = (range.len() > 1).then(|| &range[range.len() - 1]);
        range.first().into_iter().chain(last)
    })
}

struct Reader<'a> {
    document: Document,
    folder: &'a Path,
    /// Faults in the files that the sweep names.
    elsewhere: Vec<Fault>,
}

impl Reader<'_> {
    fn read(&mut self) -> Sweep {
        let table = self.document.table().clone();
        self.check_keys(&table);
        let simulated = match table.get(SIMULATE) {
            None => true,
            Some(Value::Boolean(truth)) => *truth,
            Some(_) => {
                self.document.fault(&[SIMULATE], "simulate must be true or false", "write one of the two");
                true
            }
        };
        let (networks, network_axis) = self.networks(&table);
        let (plans, plan_axis) = self.plans(&table, &networks);
        let (archs, arch_axes) = self.archs(&table);
        let mut axes = arch_axes;
        axes.push(network_axis);
        if let Some(axis) = plan_axis {
            axes.push(axis);
        } else {
            let weights = |text: &str, network: &Network| parse_weights(text, network);
            axes.push(self.bits(&table, "weights", &networks, weights));
            let activations = |text: &str, network: &Network| parse_activations(text, network);
            axes.push(self.bits(&table, "activations", &networks, activations));
            axes.push(self.crops(&table, &networks));
        }
        axes.push(self.balance(&table));
        axes.push(self.rebalance(&table));
        axes.push(self.images(&table));
        // The grid has the order of the file. Keys that are not in the file have one value.
        let place = |Meant { axis, .. }: &Meant| {
            let key = axis.key.split('.').next().unwrap_or(&axis.key);
            table.keys().position(|name| name == key)
        };
        axes.sort_by_key(|meant| place(meant).unwrap_or(usize::MAX));
        let zipped = self.zipped(&table, &axes);
        let grid = self.grid(axes, &zipped, simulated);
        Sweep { grid, archs, networks, plans }
    }

    fn check_keys(&mut self, table: &toml::Table) {
        let known = || KEYS.into_iter().chain([SIMULATE]);
        for key in table.keys().filter(|key| !known().any(|known| known == key.as_str())) {
            if key == "policy" {
                let remedy = "write the plan of each picture with --plans of `aquasim predict` or `aquasim infer`, \
                              and list those files as plan";
                self.document.fault(&[key], "a sweep has no pictures that a policy could look at", remedy);
                continue;
            }
            let remedy = match document::nearest(key, known()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("the keys are {}", known().collect::<Vec<_>>().join(", ")),
            };
            self.document.fault(&[key], format!("unknown key {key}"), remedy);
        }
        for key in ["weights", "activations", "crop"] {
            if table.contains_key("plan") && table.contains_key(key) {
                let message = format!("plan and {key} both state the precision");
                self.document.fault(&["plan", key], message, format!("put {key} into the plan files, or remove plan"));
            }
        }
    }

    /// Reads the values at `path`: one, a list or a range.
    fn values(&mut self, path: &str, value: &Value) -> Vec<Given> {
        match value {
            Value::Array(items) if items.is_empty() => {
                self.document.fault(&[path], format!("{path} has no values"), "give at least one, or remove it");
                Vec::new()
            }
            Value::Array(items) => {
                let paths = (0..items.len()).map(|index| format!("{path}[{index}]"));
                paths.zip(items).filter_map(|(path, item)| self.value(&path, item)).collect()
            }
            Value::Table(range) => {
                let numbers = self.range(path, range);
                numbers.into_iter().map(|value| Given { value, path: path.to_owned() }).collect()
            }
            one => self.value(path, one).into_iter().collect(),
        }
    }

    fn value(&mut self, path: &str, value: &Value) -> Option<Given> {
        let value = match value {
            Value::String(text) => text.as_str().into(),
            Value::Integer(number) => Cell::Integer(*number),
            Value::Float(number) => (*number).into(),
            Value::Boolean(truth) => (*truth).into(),
            _ => Cell::Empty,
        };
        if value.is_empty() {
            let remedy = "give numbers, texts, or true and false";
            self.document.fault(&[path], format!("{path} is not a value that a point can have"), remedy);
            return None;
        }
        Some(Given { value, path: path.to_owned() })
    }

    /// Reads the numbers of a range, its end included.
    fn range(&mut self, path: &str, range: &toml::Table) -> Vec<Cell> {
        let number = |key: &str| match range.get(key) {
            Some(Value::Integer(number)) => Some(*number as f64),
            Some(Value::Float(number)) => Some(*number),
            _ => None,
        };
        let all = (number("from"), number("to"), number("step").or((!range.contains_key("step")).then_some(1.0)));
        let (Some(from), Some(to), Some(step)) = all else {
            let remedy = "write { from = 6, to = 10, step = 2 }; step is 1 if it is left out";
            self.document.fault(&[path], format!("the range {path} needs numbers from and to"), remedy);
            return Vec::new();
        };
        if let Some(key) = range.keys().find(|key| !["from", "to", "step"].contains(&key.as_str())) {
            let message = format!("unknown key {path}.{key}");
            self.document.fault(&[&format!("{path}.{key}")], message, "a range has from, to and step");
        }
        // The tolerance keeps the last step despite rounding.
        let steps = ((to - from) / step + 1e-9).floor();
        let problem = if ![from, to, step].into_iter().all(f64::is_finite) {
            Some("is not finite".to_owned())
        } else if step == 0.0 {
            Some("has a step of 0".to_owned())
        } else if steps < 0.0 {
            Some(format!("leads away from {to}"))
        } else if steps >= MOST_VALUES {
            Some(format!("has more than {MOST_VALUES} values"))
        } else {
            None
        };
        if let Some(problem) = problem {
            let remedy = "give a step that leads from the first value to the last in fewer steps";
            self.document.fault(&[path], format!("the range {path} {problem}"), remedy);
            return Vec::new();
        }
        let whole = range.values().all(|value| matches!(value, Value::Integer(_)));
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers remain whole")]
        let value = |index: u32| {
            let number = from + f64::from(index) * step;
            if whole { Cell::Integer(number as i64) } else { number.into() }
        };
        (0..=u32::MAX).take_while(|&index| f64::from(index) <= steps).map(value).collect()
    }

    /// Reads the values of `key`, or `default`, as texts with their paths.
    fn texts(&mut self, table: &toml::Table, key: &str, default: &str) -> Vec<(String, String)> {
        let Some(value) = table.get(key) else {
            return vec![(default.to_owned(), key.to_owned())];
        };
        let given = self.values(key, value);
        given.into_iter().map(|Given { value, path }| (value.to_string(), path)).collect()
    }

    /// Adds faults caused by the value at `path`, in the file that it names or in the value itself.
    fn add(&mut self, path: &str, faults: &Faults) {
        for fault in faults.iter() {
            match fault.file() {
                Some(_) => self.elsewhere.push(fault.clone()),
                None => self.document.fault(&[path], fault.message(), fault.remedy()),
            }
        }
    }

    /// Resolves a name for the loaders: presets stay as they are, paths are relative to the folder of the sweep file.
    fn locate(&self, name: &str, presets: &[&str]) -> String {
        document::locate(self.folder, name, presets)
    }

    fn networks(&mut self, table: &toml::Table) -> (Vec<Network>, Meant) {
        let (mut networks, mut values, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        for (name, path) in self.texts(table, "network", "vgg16") {
            let text = onnx::text(&self.locate(&name, &network::names()));
            let network = text.and_then(|(text, file)| Ok((network::parse(&text, &file)?, hash(&text))));
            match network {
                Ok((network, hash)) => {
                    networks.push(network);
                    hashes.push(hash);
                    values.push(name.into());
                }
                Err(faults) => self.add(&path, &faults),
            }
        }
        let meanings = networks.iter().map(|network| format!("{network:?}")).collect();
        (networks, Meant::new("network", values, hashes, meanings))
    }

    fn plans(&mut self, table: &toml::Table, networks: &[Network]) -> (Vec<(String, String)>, Option<Meant>) {
        if !table.contains_key("plan") {
            return (Vec::new(), None);
        }
        let (mut plans, mut values, mut hashes, mut meanings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, path) in self.texts(table, "plan", "") {
            let file = self.locate(&name, &[]);
            let text = match document::read_text(&file) {
                Ok(text) => text,
                Err(faults) => {
                    self.add(&path, &faults);
                    continue;
                }
            };
            let read: Vec<_> = networks.iter().map(|network| Plan::parse(&text, &file, network)).collect();
            self.check_fits(&path, &read);
            meanings.push(format!("{:?}", read.into_iter().map(Result::ok).collect::<Vec<_>>()));
            hashes.push(hash(&text));
            plans.push((text, file));
            values.push(name.into());
        }
        (plans, Some(Meant::new("plan", values, hashes, meanings)))
    }

    /// Reports a value that fits none of the networks. If it fits some, only the points of the others fail.
    fn check_fits<T>(&mut self, path: &str, read: &[Result<T, Faults>]) {
        if read.iter().all(Result::is_err)
            && let Some(Err(faults)) = read.first()
        {
            self.add(path, faults);
        }
    }

    fn bits(
        &mut self,
        table: &toml::Table,
        key: &str,
        networks: &[Network],
        parse: impl Fn(&str, &Network) -> Result<Vec<u32>, Faults>,
    ) -> Meant {
        let (mut values, mut meanings) = (Vec::new(), Vec::new());
        for (text, path) in self.texts(table, key, "16") {
            let read: Vec<_> = networks.iter().map(|network| parse(&text, network)).collect();
            self.check_fits(&path, &read);
            meanings.push(format!("{:?}", read.into_iter().map(Result::ok).collect::<Vec<_>>()));
            values.push(text.into());
        }
        Meant::new(key, values, Vec::new(), meanings)
    }

    fn crops(&mut self, table: &toml::Table, networks: &[Network]) -> Meant {
        let (mut values, mut meanings) = (Vec::new(), Vec::new());
        for (text, path) in self.texts(table, "crop", "none") {
            match text.parse::<Edges>() {
                Ok(edges) => {
                    let crop = |network: &Network| Plan::uniform(network, 16, 16).crop(network, edges);
                    self.check_fits(&path, &networks.iter().map(crop).collect::<Vec<_>>());
                    meanings.push(edges.to_string());
                    values.push(edges.to_string().into());
                }
                Err(faults) => self.add(&path, &faults),
            }
        }
        Meant::new("crop", values, Vec::new(), meanings)
    }

    fn balance(&mut self, table: &toml::Table) -> Meant {
        let mut values = Vec::new();
        for (text, path) in self.texts(table, "balance", &Fill::default().to_string()) {
            match text.parse::<Fill>() {
                Ok(fill) => values.push(Given { value: fill.to_string().into(), path }),
                Err(fault) => self.add(&path, &fault.into()),
            }
        }
        Meant::plain("balance", values)
    }

    fn rebalance(&mut self, table: &toml::Table) -> Meant {
        let key = "rebalance";
        let default = vec![Given { value: false.into(), path: key.to_owned() }];
        let given = table.get(key).map_or(default, |value| self.values(key, value));
        for Given { path, .. } in given.iter().filter(|given| !matches!(given.value, Cell::Boolean(_))) {
            let remedy = "true balances the replicas of each layer for the crop of the point";
            self.document.fault(&[path], format!("{path} must be true or false"), remedy);
        }
        Meant::plain(key, given)
    }

    fn images(&mut self, table: &toml::Table) -> Meant {
        let key = "images";
        let default = vec![Given { value: Cell::Integer(1), path: key.to_owned() }];
        let given = table.get(key).map_or(default, |value| self.values(key, value));
        let allowed = 1..=i64::from(chip::MOST_IMAGES);
        for Given { value, path } in ends(&given) {
            let is_allowed = matches!(value, Cell::Integer(images) if allowed.contains(images));
            if !is_allowed && *value != Cell::from("auto") {
                let most = chip::MOST_IMAGES;
                let message = format!("{path} must be a whole number from 1 to {most}, or \"auto\", not {value}");
                self.document.fault(&[path], message, "auto runs images until their rate has settled");
            }
        }
        Meant::plain(key, given)
    }

    /// Reads the machines of `arch.file`. Returns them with their axis and those of the swept keys of the arch file.
    fn archs(&mut self, table: &toml::Table) -> (Vec<Draft>, Vec<Meant>) {
        let empty = toml::Table::new();
        let keys = match table.get("arch") {
            None => &empty,
            Some(Value::Table(keys)) => keys,
            Some(_) => {
                let remedy = "write arch.file = [...] for machines, arch.adc.bits = [...] for one of their keys";
                self.document.fault(&["arch"], "arch is a table of keys", remedy);
                &empty
            }
        };
        let (mut archs, mut values, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        let files = match keys.get("file") {
            None => vec![Given { value: "isaac-ce".into(), path: "arch".to_owned() }],
            Some(value) => self.values("arch.file", value),
        };
        for Given { value, path } in files {
            let draft = Draft::load(&self.locate(&value.to_string(), &arch::names()));
            match draft.and_then(|draft| draft.clone().finish().map(|_| draft)) {
                Ok(draft) => {
                    hashes.push(hash(&draft.texts().concat()));
                    archs.push(draft);
                    values.push(value);
                }
                Err(faults) => self.add(&path, &faults),
            }
        }
        let mut swept = Vec::new();
        self.swept(keys, "", &mut swept);
        if let Some(draft) = archs.first() {
            for (key, given) in &swept {
                self.check_swept(key, given, draft.document());
            }
        }
        // Machines that differ only in swept keys mean the same.
        let first: Vec<(&str, Value)> =
            swept.iter().filter_map(|(key, given)| Some((key.as_str(), to_toml(&given.first()?.value)?))).collect();
        let meaning = |draft: &Draft| match overridden(draft.document().clone(), &first) {
            Ok(arch) => arch::to_toml(&arch),
            Err(_) => draft.texts().concat(),
        };
        let meanings = archs.iter().map(meaning).collect();
        let mut axes = vec![Meant::new("arch.file", values, hashes, meanings)];
        axes.extend(swept.into_iter().map(|(key, given)| Meant::plain(&format!("arch.{key}"), given)));
        (archs, axes)
    }

    /// Returns the keys of the arch file below `path`, with their values.
    fn swept(&mut self, table: &toml::Table, path: &str, all: &mut Vec<(String, Vec<Given>)>) {
        for (name, value) in table.iter().filter(|(name, _)| !path.is_empty() || *name != "file") {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value {
                Value::Table(inner) if !inner.contains_key("from") => self.swept(inner, &key, all),
                value => {
                    let given = self.values(&format!("arch.{key}"), value);
                    all.push((key, given));
                }
            }
        }
    }

    /// Reports values that a key of an arch file cannot have. Contradictions with other keys are left to each point.
    fn check_swept(&mut self, key: &str, given: &[Given], arch: &Document) {
        for Given { value, path } in ends(given) {
            let Some(value) = to_toml(value) else { continue };
            if let Err(faults) = overridden(arch.clone(), &[(key, value)]) {
                for fault in faults.iter() {
                    self.document.fault(&[path], fault.message(), fault.remedy());
                }
                // All values of an unknown key have the same fault.
                if faults.iter().any(|fault| fault.message().starts_with("unknown key")) {
                    return;
                }
            }
        }
    }

    /// Reads the keys that are zipped.
    fn zipped(&mut self, table: &toml::Table, axes: &[Meant]) -> Vec<String> {
        let Some(value) = table.get("zip") else {
            return Vec::new();
        };
        let Value::Array(items) = value else {
            self.document.fault(&["zip"], "zip must be a list of keys", "as in zip = [\"weights\", \"crop\"]");
            return Vec::new();
        };
        let mut keys = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (path, key) = (format!("zip[{index}]"), item.as_str().unwrap_or_default());
            if let Some(meant) = axes.iter().find(|meant| meant.axis.key == key) {
                keys.push((meant, path));
            } else {
                let remedy = match document::nearest(key, axes.iter().map(|meant| meant.axis.key.as_str())) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "name keys that the file gives".to_owned(),
                };
                self.document.fault(&[&path], format!("the sweep has no key {key:?}"), remedy);
            }
        }
        for (meant, path) in keys.iter().skip(1) {
            let (first, other) = (&keys[0].0.axis, &meant.axis);
            if first.values.len() != other.values.len() {
                let (first_length, length) = (first.values.len(), other.values.len());
                self.document.fault(
                    &[path, &keys[0].1],
                    format!("{} has {length} values and goes together with {first_length} of {}", other.key, first.key),
                    "give both equally many values, or take one out of zip",
                );
            }
        }
        keys.into_iter().map(|(meant, _)| meant.axis.key.clone()).collect()
    }

    /// Builds the grid of `axes`, of which those of the keys `zipped` share a dimension.
    fn grid(&mut self, axes: Vec<Meant>, zipped: &[String], simulated: bool) -> Grid {
        let mut grid = Grid {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            simulated,
            axes: Vec::new(),
            dimensions: Vec::new(),
        };
        let is_zipped = |meant: &Meant| zipped.contains(&meant.axis.key);
        let steps = axes.iter().filter(|meant| is_zipped(meant)).map(|meant| meant.meanings.len()).min().unwrap_or(0);
        let row = |step: usize| {
            let meanings = axes.iter().filter(|meant| is_zipped(meant)).map(|meant| meant.meanings[step].as_str());
            meanings.collect::<Vec<_>>().join("\n")
        };
        let together: Vec<String> = (0..steps).map(row).collect();
        // Zipped axes belong to the dimension of the first of them.
        let mut place = None;
        for meant in axes {
            let dimension = match (is_zipped(&meant), place) {
                (true, Some(place)) => place,
                (is_zipped, _) => {
                    let dimension = grid.dimensions.len();
                    grid.dimensions.push(Dimension::new(if is_zipped { together.clone() } else { meant.meanings }));
                    place = place.or(is_zipped.then_some(dimension));
                    dimension
                }
            };
            grid.axes.push(Axis { dimension, ..meant.axis });
        }
        if grid.points().is_none_or(|points| points > MOST_POINTS) {
            let varied: Vec<&str> = grid.axes.iter().filter(|a| a.values.len() > 1).map(|a| a.key.as_str()).collect();
            self.document.fault(&varied, "the grid has more than a billion points", "give fewer values");
        }
        grid
    }
}

/// Reads an arch with other values, checking only its structure.
fn overridden(mut document: Document, overrides: &[(&str, Value)]) -> Result<Arch, Faults> {
    for (key, value) in overrides {
        document.set(key, value.clone());
    }
    let arch = document.read();
    document.finish(arch)
}

/// Returns a cell as a TOML value; `None` if it is empty.
pub(crate) fn to_toml(cell: &Cell) -> Option<Value> {
    match cell {
        Cell::Empty => None,
        Cell::Boolean(truth) => Some(Value::Boolean(*truth)),
        Cell::Integer(number) => Some(Value::Integer(*number)),
        Cell::Real(number) => Some(Value::Float(*number)),
        Cell::Text(text) => Some(Value::String(text.clone())),
    }
}

/// Returns the hash of an input file, as in the tables.
fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

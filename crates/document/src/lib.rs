//! Users' files: TOML text to typed values, with every fault reported at its line and column and with a remedy.
//!
//! A [`Document`] is read in four steps.
//!
//! 1. [`Document::parse`] records the position of every key and value, and the faults of syntax. [`Document::set`] and
//!    [`Document::overlay`] may then replace values.
//! 2. [`Document::read`] compares the document with the JSON Schema of a type. It reports all unknown keys, missing
//!    keys, wrong types and numbers out of range at once, and fills in stand-ins where the document does not fit.
//! 3. The owner of the type adds faults that no schema can state, by the paths of the values that contradict each other
//!    ([`Document::fault`]). Faults of values that are known to be wrong are dropped, so that no stand-in is reported.
//! 4. [`Document::finish`] returns the value if there are no faults, else all [`Faults`].
//!
//! Paths are dotted keys and indices from 0, as in `adc.bits` or `layers[2].kernel`; spans are bytes of the text. The
//! docs of a type's fields appear in remedies, and the limits of its schema (`range`, `length`) are those checked here.
//!
//! # Example
//!
//! ```
//! use document::Document;
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Adc {
//!     #[schemars(range(min = 1, max = 32))]
//!     bits: u32,
//!     count: u32,
//! }
//!
//! let mut document = Document::parse("bits = 40\ncuont = 8\n", "adc.toml");
//! let adc: Option<Adc> = document.read();
//! let faults = document.finish(adc).err().expect("two keys are wrong");
//! let messages: Vec<&str> = faults.iter().map(|fault| fault.message()).collect();
//! assert_eq!(messages, ["bits must be a whole number from 1 to 32, not 40", "unknown key cuont"]);
//! ```

mod fault;
mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use toml::Value;
use toml::de::{DeTable, DeValue};

pub use fault::{Fault, Faults, Text};
use fault::{Place, Source};
use shape::{Misfit, MisfitKind, join};

/// A TOML text with the position of every key and value, and the faults found in it so far.
#[derive(Clone, Debug)]
pub struct Document {
    source: Arc<Source>,
    table: toml::Table,
    /// Places of keys and values, by path, as in `adc.bits` or `layers[2].kernel`.
    keys: BTreeMap<String, Place>,
    values: BTreeMap<String, Place>,
    /// Paths of the values that stand-ins have replaced. Further faults of these would not be of what the user wrote.
    unsound: BTreeSet<String>,
    /// Places that are not TOML. Keys may seem to be missing because their lines could not be read.
    slips: Vec<Place>,
    faults: Vec<Fault>,
}

impl Document {
    /// Parses `text`. Faults show the name `file`; those of syntax are kept with those found later.
    pub fn parse(text: &str, file: &str) -> Document {
        let source = Arc::new(Source { file: file.to_owned(), text: text.to_owned() });
        let (tree, errors) = DeTable::parse_recoverable(text);
        let mut document = Document {
            table: toml::Table::new(),
            keys: BTreeMap::new(),
            values: BTreeMap::new(),
            unsound: BTreeSet::new(),
            slips: Vec::new(),
            faults: Vec::new(),
            source: source.clone(),
        };
        for error in errors {
            let place = document.here(error.span().unwrap_or(0..0));
            // The parser may report several errors for one place.
            if !document.slips.iter().any(|slip| slip.is(&place)) {
                document.slips.push(place.clone());
                document.faults.push(syntax_fault(error.message(), place));
            }
        }
        document.table = document.plain_table(tree.get_ref(), "");
        document
    }

    /// Sets the value at the dotted `key`, which need not exist, to `value`.
    pub fn set(&mut self, key: &str, value: Value) {
        let text = format!("{key} = {value}");
        let mut other = Document::parse("", "");
        other.source = Arc::new(Source { file: format!("override of {}", self.source.file), text });
        for (end, _) in key.match_indices('.').chain([(key.len(), "")]) {
            other.keys.insert(key[..end].to_owned(), other.here(0..key.len()));
            other.values.insert(key[..end].to_owned(), other.here(key.len() + 3..other.source.text.len()));
        }
        let (parents, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = toml::Table::from_iter([(name.to_owned(), value)]);
        for parent in parents.rsplit('.').filter(|parent| !parent.is_empty()) {
            table = toml::Table::from_iter([(parent.to_owned(), Value::Table(table))]);
        }
        other.table = table;
        self.overlay(other);
    }

    /// Replaces values by those of `other`, table by table, and takes over its faults. Each value keeps its place.
    pub fn overlay(&mut self, other: Document) {
        let Document { table, mut keys, mut values, unsound, slips, faults, .. } = other;
        let mut merged = Merged::default();
        merge(&mut self.table, table, "", &mut merged);
        for (path, key) in merged.refused {
            self.faults.push(Fault::at(
                vec![keys[&path].clone()],
                format!("{path} is a value and has no key {key}"),
                format!("override {path} itself"),
            ));
        }
        // What is missing from a table of both is missing where the table was first.
        keys.retain(|path, _| !merged.tables.contains(path));
        values.retain(|path, _| !merged.tables.contains(path));
        self.keys.extend(keys);
        self.values.extend(values);
        self.unsound.extend(unsound);
        self.slips.extend(slips);
        self.faults.extend(faults);
    }

    /// Takes the value of a key of the outermost table out of the document. Faults still have their place at it.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    /// Reads the document as a `T`, with stand-ins for values that do not fit; `None` if the text is not TOML.
    pub fn read<T: DeserializeOwned + JsonSchema>(&mut self) -> Option<T> {
        let mut misfits = Vec::new();
        let table = Value::Table(self.table.clone());
        let table = shape::check(table, &schema::<T>(), "", &mut misfits)?;
        for misfit in misfits {
            self.add_misfit(misfit);
        }
        if !self.slips.is_empty() {
            return None;
        }
        match T::deserialize(table) {
            Ok(value) => Some(value),
            Err(error) => panic!("what fits the schema of a type can be read as one: {error}"),
        }
    }

    /// Returns the document as a table, as far as it is TOML, for keys that no schema can list.
    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// Adds a fault of the values at `paths`, the primary one first, unless one of them is already known to be wrong.
    pub fn fault(&mut self, paths: &[&str], message: impl Into<String>, remedy: impl Into<String>) {
        if paths.iter().all(|path| self.is_sound(path)) {
            let places = paths.iter().map(|path| self.place(path)).collect();
            self.faults.push(Fault::at(places, message, remedy));
        }
    }

    /// True if the value at `path` fits the schema, with all values inside it and around it.
    pub fn is_sound(&self, path: &str) -> bool {
        if path.is_empty() || self.unsound.is_empty() {
            return self.unsound.is_empty();
        }
        let below = |end: char| {
            let inside = format!("{path}{end}");
            self.unsound.range(inside.clone()..).next().is_some_and(|unsound| unsound.starts_with(&inside))
        };
        let around = |(end, _): (usize, &str)| self.unsound.contains(&path[..end]);
        let outer = path.match_indices(['.', '[']).any(around) || self.unsound.contains("");
        !(outer || self.unsound.contains(path) || below('.') || below('['))
    }

    /// Returns `value`, or all faults if there are any or `value` is `None`.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults.into()),
        }
    }

    fn add_misfit(&mut self, misfit: Misfit) {
        let place = match misfit.kind {
            MisfitKind::MissingKey if !self.slips.is_empty() => return,
            MisfitKind::UnknownKey => self.keys.get(&misfit.path).cloned(),
            MisfitKind::MissingKey | MisfitKind::WrongValue => None,
        };
        let place = place.unwrap_or_else(|| self.place(&misfit.path));
        // An unquoted text is a fault of syntax and of type. The fault of type is kept, unless there is no text at all.
        if self.slips.iter().any(|slip| slip.is(&place)) {
            if place.span.is_empty() {
                return;
            }
            self.faults.retain(|fault| !fault.is_at(&place));
        }
        self.unsound.insert(misfit.replaced);
        self.faults.push(Fault::at(vec![place], misfit.message, misfit.remedy));
    }

    /// Returns the place of the value at `path`, or of the table that it is missing from.
    fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.values.get(path).or_else(|| self.keys.get(path)) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => {
                    return Place { source: self.source.clone(), span: 0..0 };
                }
            }
        }
    }

    fn plain_table(&mut self, table: &DeTable<'_>, path: &str) -> toml::Table {
        let mut plain = toml::Table::new();
        for (key, value) in table {
            let path = join(path, key.get_ref());
            self.keys.insert(path.clone(), self.here(key.span()));
            self.values.insert(path.clone(), self.here(value.span()));
            plain.insert(key.to_string(), self.plain_value(value.get_ref(), &path));
        }
        plain
    }

    fn plain_value(&mut self, value: &DeValue<'_>, path: &str) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Value::Integer(number),
                    // Too large for an integer: as a float it is refused with the allowed range.
                    Err(_) => Value::Float(as_float(number.as_str(), number.radix())),
                }
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(truth) => Value::Boolean(*truth),
            DeValue::Datetime(date) => Value::Datetime(*date),
            DeValue::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    self.values.insert(path.clone(), self.here(item.span()));
                    self.plain_value(item.get_ref(), &path)
                });
                Value::Array(items.collect())
            }
            DeValue::Table(table) => Value::Table(self.plain_table(table, path)),
        }
    }

    fn here(&self, span: Range<usize>) -> Place {
        Place { source: self.source.clone(), span }
    }
}

/// Paths at which two tables were merged.
#[derive(Default)]
struct Merged {
    /// Tables of both.
    tables: BTreeSet<String>,
    /// Values of the first for which the second has a table, with the first key of that.
    refused: Vec<(String, String)>,
}

/// Puts the values of `other` into `table`, whose path is `path`.
fn merge(table: &mut toml::Table, other: toml::Table, path: &str, merged: &mut Merged) {
    for (key, value) in other {
        let path = join(path, &key);
        match (table.get_mut(&key), value) {
            (Some(Value::Table(table)), Value::Table(other)) => {
                merge(table, other, &path, merged);
                merged.tables.insert(path);
            }
            (Some(_), Value::Table(other)) if !other.is_empty() => {
                let (key, _) = other.into_iter().next().expect("is not empty");
                merged.refused.push((path, key));
            }
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Returns the whole number with these digits, rounded to a float.
fn as_float(digits: &str, radix: u32) -> f64 {
    if radix == 10 {
        // A malformed number may have no digits; it is reported as a fault of syntax.
        return digits.parse().unwrap_or(f64::NAN);
    }
    let digits = digits.chars().filter_map(|digit| digit.to_digit(radix));
    digits.fold(0.0, |number, digit| number * f64::from(radix) + f64::from(digit))
}

fn syntax_fault(message: &str, place: Place) -> Fault {
    let text = &place.source.text;
    let (before, within) = (&text[..place.span.start], &text[place.span.clone()]);
    let (message, remedy) = match message {
        "duplicate key" => (format!("key {within} is given twice"), "remove one of the two"),
        _ if within.is_empty() && before.trim_end().ends_with('=') => {
            ("a value is missing".to_owned(), "write one behind the =")
        }
        _ => (message.to_owned(), "correct the TOML"),
    };
    Fault::at(vec![place], message, remedy)
}

/// Returns the JSON Schema of a document that is read as a `T`.
pub fn schema<T: JsonSchema>() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Reads the text file at `path`; binary files are refused.
pub fn read_text(path: &str) -> Result<String, Faults> {
    let bytes = std::fs::read(path)
        .map_err(|error| Fault::new(format!("{path} cannot be read: {error}"), "give the path of a TOML file"))?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Fault::new(format!("{path} is a binary file"), "give a TOML file, which is text in UTF-8").into()),
    }
}

/// Returns the text of a preset, or of the file at that path if no preset has that name, and the name to show in
/// faults.
pub fn preset_or_file(presets: &[(&str, &str)], name: &str) -> Result<(String, String), Faults> {
    if let Some((_, text)) = presets.iter().find(|(preset, _)| *preset == name) {
        return Ok(((*text).to_owned(), format!("{name}.toml")));
    }
    let names = || presets.iter().map(|(preset, _)| *preset);
    // A name without the form of a path, and of no file, was meant as that of a preset.
    if !name.contains(['/', '\\', '.']) && !Path::new(name).exists() {
        let list = names().collect::<Vec<_>>().join(", ");
        let remedy = match nearest(name, names()) {
            Some(near) => format!("did you mean {near}? The presets are {list}"),
            None => format!("the presets are {list}; anything else is the path of a TOML file"),
        };
        return Err(Fault::new(format!("there is no preset or file called {name}"), remedy).into());
    }
    Ok((read_text(name)?, name.to_owned()))
}

/// Resolves a name in a file in `folder`, as [`preset_or_file`] takes it: presets stay as they are, paths begin at
/// `folder`.
pub fn locate(folder: &Path, name: &str, presets: &[&str]) -> String {
    if presets.contains(&name) || !name.contains(['/', '\\', '.']) && !folder.join(name).exists() {
        return name.to_owned();
    }
    folder.join(name).to_string_lossy().into_owned()
}

/// Returns the known name nearest to `name`, if their edit distance is at most a third of the length of `name`, rounded
/// up.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = name.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

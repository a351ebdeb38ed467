//! Arch files on their way to a machine: files that extend others, and single values in place of theirs.
//!
//! A file with `extends = "isaac-ce"` states only what differs from that preset or file. `--set` changes a machine in
//! the same way. A machine that is changed and given no name is called after the one that was changed, as in
//! `ISAAC-CE with adc.bits = 6`.

use std::fs;
use std::path::{Path, PathBuf};

use document::{Document, Faults};
use serde_json::{Value, json};

use crate::machine::LONGEST_NAME;
use crate::{Arch, check, diff};

/// Key by which a file names the preset or file that it changes.
const EXTENDS: &str = "extends";
/// Text between the name of a machine and its changes.
const WITH: &str = " with ";
/// Largest number of changes that are part of a name.
const NAMED: usize = 3;

/// A machine whose values may still be replaced.
#[derive(Clone, Debug)]
pub struct Draft {
    document: Document,
    /// Texts of the files, that which extends the others last.
    texts: Vec<String>,
    /// Machine from whose name and differences the name is made; `None` if the name is stated.
    named_after: Option<Arch>,
}

impl Draft {
    /// Reads a preset, or the arch file at that path if no preset has that name, with all that it extends.
    pub fn load(preset_or_path: &str) -> Result<Draft, Faults> {
        let (text, file) = crate::text(preset_or_path)?;
        Draft::parse(&text, &file)
    }

    /// Reads `text`, with all that it extends. Faults show the name `file`, in whose folder relative paths begin.
    pub fn parse(text: &str, file: &str) -> Result<Draft, Faults> {
        Draft::read(text, file, &mut Vec::new())
    }

    /// Reads `text`, which the files `above` extend.
    fn read(text: &str, file: &str, above: &mut Vec<PathBuf>) -> Result<Draft, Faults> {
        let mut document = Document::parse(text, file);
        let Some(base) = document.take(EXTENDS) else {
            let misspelt = document.table().keys().find(|key| document::nearest(key, [EXTENDS]).is_some()).cloned();
            if let Some(key) = misspelt {
                document.fault(&[&key], format!("unknown key {key}"), format!("did you mean {EXTENDS}?"));
                return document.finish(None);
            }
            return Ok(Draft { document, texts: vec![text.to_owned()], named_after: None });
        };
        let Some(base) = base.as_str() else {
            document.fault(&[EXTENDS], "extends must be a text", "write the name of a preset, or the path of a file");
            return document.finish(None);
        };
        let (presets, folder) = (crate::names(), Path::new(file).parent().unwrap_or(Path::new("")));
        let base = document::locate(folder, base, &presets);
        let identity = |path: &str| fs::canonicalize(path).unwrap_or_else(|_| path.into());
        above.push(identity(file));
        if !presets.contains(&base.as_str()) && above.contains(&identity(&base)) {
            document.fault(&[EXTENDS], format!("{base} extends itself"), "extend a preset, or a file without extends");
            return document.finish(None);
        }
        match crate::text(&base) {
            Ok((base_text, base_file)) => {
                let mut draft = Draft::read(&base_text, &base_file, above)?.change(document)?;
                draft.texts.push(text.to_owned());
                Ok(draft)
            }
            Err(faults) => {
                for fault in faults.iter() {
                    document.fault(&[EXTENDS], fault.message(), fault.remedy());
                }
                document.finish(None)
            }
        }
    }

    /// Replaces values by those of `changes`. The machine must be sound without them.
    pub fn change(mut self, changes: Document) -> Result<Draft, Faults> {
        let unchanged = self.clone().finish()?;
        let states_name = changes.table().contains_key("name");
        self.named_after = (!states_name).then(|| self.named_after.unwrap_or(unchanged));
        self.document.overlay(changes);
        Ok(self)
    }

    /// Returns the texts of the files, that which extends the others last.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Returns the values, with their places.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Returns the machine with other values for some dotted keys, as [`crate::with_overrides`] does.
    pub fn with_overrides(&self, overrides: &[(&str, toml::Value)]) -> Result<Arch, Faults> {
        let mut draft = self.clone();
        for (key, value) in overrides {
            draft.document.set(key, value.clone());
        }
        draft.finish()
    }

    /// Returns the machine, checked.
    pub fn finish(mut self) -> Result<Arch, Faults> {
        let arch = self.document.read();
        if let Some(arch) = &arch {
            check::contradictions(arch, &mut self.document);
        }
        let mut arch: Arch = self.document.finish(arch)?;
        if let Some(original) = self.named_after {
            arch.name = name(&original, &arch);
        }
        Ok(arch)
    }
}

/// True if `name` is that of a machine that was made of the one called `original` by changes of its values.
pub fn is_changed(name: &str, original: &str) -> bool {
    name.strip_prefix(original).is_some_and(|changes| changes.starts_with(WITH))
}

/// Returns the name of `original` with the changes that make it `variant`, or with their number where they are many.
fn name(original: &Arch, variant: &Arch) -> String {
    let is_figure = |key: &str| key != "name" && !key.ends_with(".source");
    let differences = diff(original, variant).into_iter().filter(|difference| is_figure(&difference.key));
    let changes: Vec<String> = differences.map(|change| format!("{} = {}", change.key, change.right)).collect();
    if changes.is_empty() {
        return original.name.clone();
    }
    let name = |shown: usize| match (changes[..shown].join(", "), changes.len() - shown) {
        (_, all) if shown == 0 => format!("{}{WITH}{all} changes", original.name),
        (shown, 0) => format!("{}{WITH}{shown}", original.name),
        (shown, more) => format!("{}{WITH}{shown} and {more} more", original.name),
    };
    let names = (0..=changes.len().min(NAMED)).rev().map(name);
    names.into_iter().find(|name| name.len() <= LONGEST_NAME).unwrap_or_else(|| original.name.clone())
}

/// Returns the JSON Schema of an arch file, for editors. A file that extends another may leave out any key.
pub fn schema() -> Value {
    let mut schema = document::schema::<Arch>();
    let whole = take_required(&mut schema);
    schema["properties"][EXTENDS] = json!({
        "description": "Preset or file, relative to this one, that has the values which are not stated here.",
        "type": "string",
    });
    schema["if"] = json!({ "not": { "required": [EXTENDS] } });
    schema["then"] = whole;
    schema
}

/// Takes the required keys out of `schema` and the tables in it. Returns a schema that only requires them.
fn take_required(schema: &mut Value) -> Value {
    let mut taken = json!({});
    let Some(schema) = schema.as_object_mut() else { return taken };
    if let Some(required) = schema.shift_remove("required") {
        taken["required"] = required;
    }
    for (key, inner) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let inner = take_required(inner);
        if inner != json!({}) {
            taken["properties"][key] = inner;
        }
    }
    taken
}

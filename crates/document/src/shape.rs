//! Comparison of a document with its JSON Schema: keys, types and ranges.
//!
//! [`check`] covers the part of JSON Schema that the schemas of this workspace use: objects, arrays, numbers with
//! bounds, booleans, texts with bounds on their length or from a set of names, and either a plain value or a table. It
//! never stops at a misfit: each is recorded and replaced by a stand-in, so that the rest of the document is checked as
//! well.

use serde_json::Value as Schema;
use toml::Value;

use crate::nearest;

/// A key or value that does not fit the schema.
pub(crate) struct Misfit {
    pub(crate) kind: MisfitKind,
    /// Path of the key or value, as in `layers[2].kernel`.
    pub(crate) path: String,
    /// Path of the value that a stand-in has replaced.
    pub(crate) replaced: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

#[derive(PartialEq)]
pub(crate) enum MisfitKind {
    UnknownKey,
    MissingKey,
    WrongValue,
}

/// Checks `value` against `schema`. Returns it without unknown keys and with stand-ins for misfits, so that it can be
/// read and checked further; `None` stands for an optional value that is left out.
pub(crate) fn check(value: Value, schema: &Schema, path: &str, misfits: &mut Vec<Misfit>) -> Option<Value> {
    let is_optional = is_optional(schema);
    let schema = alternative(schema, &value);
    match (kind(schema), value) {
        ("object", Value::Table(table)) => Some(check_table(table, schema, path, misfits)),
        ("array", Value::Array(items)) => {
            let items = items
                .into_iter()
                .enumerate()
                .filter_map(|(index, item)| check(item, &schema["items"], &format!("{path}[{index}]"), misfits));
            Some(Value::Array(items.collect()))
        }
        (_, value) if fits(&value, schema) => Some(value),
        (_, value) => {
            misfits.push(Misfit {
                kind: MisfitKind::WrongValue,
                path: path.to_owned(),
                replaced: path.to_owned(),
                message: format!("{path} must be {}, not {}", wanted(schema), given(&value)),
                remedy: remedy(path, &value, schema),
            });
            if is_optional { None } else { stand_in(schema) }
        }
    }
}

fn check_table(mut table: toml::Table, schema: &Schema, path: &str, misfits: &mut Vec<Misfit>) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let known: Vec<&str> = properties.clone().map(|(key, _)| key.as_str()).collect();
    let mut meant = Vec::new();
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        let absent = known.iter().copied().filter(|key| !table.contains_key(*key));
        let near = nearest(key, absent).or_else(|| nearest(key, known.iter().copied()));
        meant.extend(near);
        misfits.push(Misfit {
            kind: MisfitKind::UnknownKey,
            path: join(path, key),
            replaced: join(path, near.unwrap_or(key)),
            message: format!("unknown key {}", join(path, key)),
            remedy: match near {
                Some(name) => format!("did you mean {name}?"),
                None => format!("the keys here are {}", known.join(", ")),
            },
        });
    }
    let mut checked = toml::Table::new();
    for (key, schema_of_key) in properties {
        let path = join(path, key);
        let value = match table.remove(key) {
            Some(value) => check(value, schema_of_key, &path, misfits),
            None if is_required(schema, key) => {
                // A key with a misspelt name has been reported under that name.
                if !meant.contains(&key.as_str()) {
                    misfits.push(Misfit {
                        kind: MisfitKind::MissingKey,
                        replaced: path.clone(),
                        message: format!("{path} is missing"),
                        remedy: format!("add {key}, {}{}", wanted(schema_of_key), description(schema_of_key)),
                        path,
                    });
                }
                stand_in(schema_of_key)
            }
            None => None,
        };
        if let Some(value) = value {
            checked.insert(key.clone(), value);
        }
    }
    Value::Table(checked)
}

/// Returns the path of a key of the table at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_required(schema: &Schema, key: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|required| required.iter().any(|name| name == key))
}

/// True if the value may be left out.
fn is_optional(schema: &Schema) -> bool {
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    schema["type"].is_array() || alternatives.into_iter().any(|schema| schema["type"] == "null")
}

/// Returns the schema that `value` is meant for, where there are several: that of a table for a table, else the first.
fn alternative<'a>(schema: &'a Schema, value: &Value) -> &'a Schema {
    let Some(schemas) = schema["anyOf"].as_array() else { return schema };
    let wanted = schemas.iter().find(|schema| value.is_table() == (kind(schema) == "object"));
    wanted.unwrap_or(&schemas[0])
}

/// Returns the JSON type of a schema; for an optional value, its type when it is given.
fn kind(schema: &Schema) -> &str {
    match &schema["type"] {
        Schema::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
        kind => kind.as_str().unwrap_or("string"),
    }
}

/// Returns the names that a value may have; empty if it is not one of a set.
fn choices(schema: &Schema) -> Vec<&str> {
    let constants = schema["oneOf"].as_array().into_iter().flatten();
    constants.filter_map(|choice| choice["const"].as_str()).collect()
}

/// Returns the least and the largest value of a number, by the schema or else by its type.
fn bounds(schema: &Schema) -> (Option<f64>, Option<f64>) {
    let most = match schema["format"].as_str() {
        Some("uint8") => Some(u8::MAX.into()),
        Some("uint16") => Some(u16::MAX.into()),
        Some("uint32") => Some(u32::MAX.into()),
        Some("float") => Some(f32::MAX.into()),
        _ => None,
    };
    (schema["minimum"].as_f64(), schema["maximum"].as_f64().or(most))
}

/// True if `character` breaks lines or cannot be shown, so that names in tables, waveforms and reports cannot hold it.
fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn fits(value: &Value, schema: &Schema) -> bool {
    let (minimum, maximum) = bounds(schema);
    let range = minimum.unwrap_or(f64::MIN)..=maximum.unwrap_or(f64::MAX);
    let in_range = |number: f64| range.contains(&number);
    match (kind(schema), value) {
        ("integer" | "number", Value::Integer(number)) => in_range(*number as f64),
        ("number", Value::Float(number)) => in_range(*number),
        ("boolean", Value::Boolean(_)) => true,
        ("string", Value::String(text)) => {
            let choices = choices(schema);
            let length = text.len() as u64;
            let shortest = schema["minLength"].as_u64().unwrap_or(0);
            // A text of limited length is a name, which is shown within a line.
            let is_name = |longest: u64| length <= longest && !text.contains(is_unprintable);
            length >= shortest
                && schema["maxLength"].as_u64().is_none_or(is_name)
                && (choices.is_empty() || choices.contains(&text.as_str()))
        }
        _ => false,
    }
}

/// Returns a value that fits the schema; `None` for an optional value.
fn stand_in(schema: &Schema) -> Option<Value> {
    if is_optional(schema) {
        return None;
    }
    Some(match kind(schema) {
        "object" => check_table(toml::Table::new(), schema, "", &mut Vec::new()),
        "array" => Value::Array(Vec::new()),
        "integer" => Value::Integer(schema["minimum"].as_i64().unwrap_or(0)),
        "number" => Value::Float(schema["minimum"].as_f64().unwrap_or(1.0)),
        "boolean" => Value::Boolean(false),
        _ => Value::String((*choices(schema).first().unwrap_or(&"?")).to_owned()),
    })
}

/// Describes the values that the schema allows.
fn wanted(schema: &Schema) -> String {
    let range = match bounds(schema) {
        (Some(minimum), Some(maximum)) => format!(" from {minimum} to {maximum}"),
        (Some(minimum), None) => format!(" of at least {minimum}"),
        (None, _) => String::new(),
    };
    match kind(schema) {
        "object" => "a table".to_owned(),
        "array" => "a list".to_owned(),
        "integer" => format!("a whole number{range}"),
        "number" => format!("a number{range}"),
        "boolean" => "true or false".to_owned(),
        _ if !schema["maxLength"].is_null() => {
            format!("a text of 1 to {} bytes without control characters", schema["maxLength"])
        }
        _ if choices(schema).is_empty() => "a text that is not empty".to_owned(),
        _ => format!("one of {}", choices(schema).join(", ")),
    }
}

/// Describes the value that the user wrote.
fn given(value: &Value) -> String {
    match value {
        Value::String(text) => format!("the text {text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(date) => format!("the date {date}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// Returns the remedy for a value that does not fit the schema.
fn remedy(path: &str, value: &Value, schema: &Schema) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    let choices = choices(schema);
    match value {
        Value::String(text) if !choices.is_empty() => match nearest(text, choices) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("write one of the names{}", description(schema)),
        },
        Value::String(text) if matches!(kind(schema), "integer" | "number") => {
            match text.split_once(|c: char| !matches!(c, '0'..='9' | '.' | '_' | '-' | '+')) {
                // A text like "100 ns" for a key that ends in its unit.
                Some((number, _)) if has_unit_of(text, key) => {
                    format!("write the number alone: {key} = {number}")
                }
                _ => format!("write a number without a unit{}", description(schema)),
            }
        }
        _ => format!("correct {key}{}", description(schema)),
    }
}

/// True if `text` begins with a digit and ends with the unit at the end of `key`.
fn has_unit_of(text: &str, key: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let last = key.rsplit('_').next().unwrap_or(key);
    text.starts_with(|c: char| c.is_ascii_digit()) && unit.eq_ignore_ascii_case(last)
}

/// Returns the first paragraph of the schema's description in parentheses, to be appended to a remedy.
fn description(schema: &Schema) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    match paragraph.trim_end_matches('.').replace('\n', " ") {
        text if text.is_empty() => text,
        text => format!(" ({text})"),
    }
}

//! JSON Schema of sweep files, for editors.
//!
//! Files are checked by [`crate::spec`], which knows more: files and networks that a sweep names.

use serde_json::{Value, json};

use crate::Sweep;
use crate::spec::SIMULATE;

impl Sweep {
    /// Returns the JSON Schema of sweep files.
    pub fn schema() -> Value {
        let text = || json!({ "type": "string" });
        let text_or_number = || json!({ "type": ["string", "integer"] });
        let mut arch = arch::schema();
        let mut keys = of_point(&arch["properties"].take());
        keys["file"] = several(&text());
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Sweep",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "arch": { "type": "object", "additionalProperties": false, "properties": keys },
                "network": several(&text()),
                "weights": several(&text_or_number()),
                "activations": several(&text_or_number()),
                "crop": several(&text()),
                "plan": several(&text()),
                "balance": several(&text()),
                "rebalance": several(&json!({ "type": "boolean" })),
                "images": several(&json!({ "anyOf": [
                    { "type": "integer", "minimum": 1, "maximum": chip::MOST_IMAGES }, { "const": "auto" }
                ] })),
                "zip": { "type": "array", "items": text() },
                SIMULATE: { "type": "boolean" },
            },
        })
    }
}

/// Returns the schema of one value, a list, or a range, each of which fits `schema`.
fn several(schema: &Value) -> Value {
    let number = json!({ "type": "number" });
    json!({ "anyOf": [
        schema,
        { "type": "array", "items": schema, "minItems": 1 },
        {
            "type": "object",
            "properties": { "from": number, "to": number, "step": number },
            "required": ["from", "to"],
            "additionalProperties": false,
        },
    ] })
}

/// Returns the schemas of the keys of a point: tables as they are, with several values in place of each value.
fn of_point(properties: &Value) -> Value {
    let key = |(key, schema): (&String, &Value)| {
        if schema["type"] != "object" {
            return (key.clone(), several(schema));
        }
        let mut table = schema.clone();
        table["properties"] = of_point(&schema["properties"]);
        (key.clone(), table)
    };
    let properties = properties.as_object().into_iter().flatten().filter(|(key, _)| *key != "extends");
    Value::Object(properties.map(key).collect())
}

//! Differences between two machines, by value: spelling, order and comments of their files do not count.

use serde_json::Value;

use crate::Arch;

/// A key at which two machines have different values.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Dotted key, as in `adc.bits`.
    pub key: String,
    /// Value in the first machine.
    pub left: Value,
    /// Value in the second machine.
    pub right: Value,
}

/// Returns the values in which two machines differ, in the order of the fields of [`Arch`].
pub fn diff(left: &Arch, right: &Arch) -> Vec<Difference> {
    let [left, right] = [left, right].map(|arch| serde_json::to_value(arch).expect("an arch is plain data"));
    let mut differences = Vec::new();
    compare("", &left, &right, &mut differences);
    differences
}

fn compare(path: &str, left: &Value, right: &Value, differences: &mut Vec<Difference>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            // Both come from the same struct, so they have the same keys in the same order.
            for ((key, left), right) in left.iter().zip(right.values()) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, left, right, differences);
            }
        }
        _ if left == right => {}
        _ => differences.push(Difference { key: path.to_owned(), left: left.clone(), right: right.clone() }),
    }
}

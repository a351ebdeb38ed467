//! Subjects of a comparison: a run, from its report, or a point of a sweep, from the rows of its tables.

use arch::Arch;
use arch::derived::derived;
use serde_json::{Map, Number, Value, json};

use crate::Report;

/// Row of a table of a sweep: headings and texts of its cells, in the order of the table.
pub type Cells = Vec<(String, String)>;

/// Reason why a text cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The text is no JSON.
    #[error("this is not a report of `aquasim run --json`: {0}")]
    Json(#[from] serde_json::Error),
    /// The JSON is not that of a report.
    #[error("this is not a report of `aquasim run --json`: it has no {0}")]
    NoReport(&'static str),
    /// The report has another form.
    #[error("this report has the form {0}, and this program reads {form}", form = crate::SCHEMA)]
    Schema(Value),
}

/// A run that is compared with others.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Name of the machine, with the point of a sweep.
    pub name: String,
    /// JSON form of its report. A point of a sweep has those keys that its tables state.
    pub(crate) report: Value,
    /// Area of each component group in a chip, mm2; `None` if the machine is not known.
    pub(crate) areas: Option<Vec<(&'static str, f64)>>,
}

impl Subject {
    /// Makes a subject of a report.
    pub fn of(report: &Report) -> Subject {
        Subject::new(serde_json::to_value(report).expect("a report is plain data"))
    }

    /// Makes a subject of a report that `aquasim run --json` wrote.
    pub fn of_saved(json: &str) -> Result<Subject, SubjectError> {
        let report: Value = serde_json::from_str(json)?;
        for key in ["schema", "arch", "figures"] {
            if report.get(key).is_none() {
                return Err(SubjectError::NoReport(key));
            }
        }
        if report["schema"] != crate::SCHEMA {
            return Err(SubjectError::Schema(report["schema"].clone()));
        }
        Ok(Subject::new(report))
    }

    fn new(mut report: Value) -> Subject {
        // The machine of another version may have other keys.
        let arch: Option<Arch> = report.get("machine").and_then(|machine| serde_json::from_value(machine.clone()).ok());
        let areas = arch.map(|arch| {
            let derived = derived(&arch);
            report["chip_area_mm2"] = json!(derived.chip.area_mm2);
            report["peak_gops"] = json!(derived.peak_gops);
            report["peak_gops_per_watt"] = json!(derived.gops_per_watt);
            report["peak_gops_per_mm2"] = json!(derived.gops_per_mm2);
            let area = |group: &arch::derived::Group| (group.name, group.area_mm2 * group.scope.per_chip(&arch));
            derived.groups.iter().map(area).collect()
        });
        let name = report["arch"].as_str().unwrap_or_default().to_owned();
        Subject { name, report, areas }
    }

    /// Makes a subject of a point of a sweep: its row in the table of points, and its rows in those of components and
    /// layers.
    pub fn of_point(point: &Cells, components: &[Cells], layers: &[Cells]) -> Subject {
        let mut report: Map<_, _> = point.iter().map(|(key, text)| (key.clone(), value(text))).collect();
        let take = |report: &mut Map<String, Value>, key: &str| report.get(key).cloned().unwrap_or_default();
        let mut machine = json!({});
        for (key, text) in point {
            if let Some(key) = key.strip_prefix("arch.").filter(|key| *key != "file_hash") {
                machine[key] = value(text);
            }
        }
        let dynamic = components.iter().map(|row| (cell(row, "component"), value(cell(row, "dynamic_energy_pj"))));
        let energy = json!({
            "dynamic": dynamic.map(|(name, pj)| (name.to_owned(), pj)).collect::<Map<_, _>>(),
            "dynamic_total": take(&mut report, "dynamic_energy_pj"),
            "static_total": take(&mut report, "static_energy_pj"),
        });
        let layers: Vec<Value> = layers.iter().map(layer).collect();
        let figures = Value::Object(report.clone());
        for (key, value) in [
            ("tool", json!({ "version": take(&mut report, "tool_version") })),
            ("arch", take(&mut report, "arch_name")),
            ("network", take(&mut report, "network_name")),
            ("images", take(&mut report, "images_run")),
            ("bound", json!({ "cycles": take(&mut report, "bound_cycles") })),
            ("crossbars", json!({ "mapped": take(&mut report, "crossbars_mapped") })),
            ("energy_pj", energy),
            ("layers", layers.into()),
            ("figures", figures),
            ("machine", machine),
        ] {
            report.insert(key.to_owned(), value);
        }
        let name = format!("{}, point {}", cell(point, "arch_name"), cell(point, "point"));
        Subject { name, report: report.into(), areas: None }
    }

    /// Returns the number at a JSON pointer.
    pub(crate) fn number(&self, pointer: &str) -> Option<f64> {
        self.report.pointer(pointer).and_then(Value::as_f64)
    }

    /// Returns the layers of the report.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &Value> {
        self.report["layers"].as_array().into_iter().flatten()
    }

    /// Returns the values of the machine, by dotted key; empty if it is not known.
    pub(crate) fn machine(&self) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        values("", &self.report["machine"], &mut all);
        all.retain(|(key, _)| !key.is_empty() && key != "name");
        all
    }
}

/// Returns the report of a layer of a point, as far as its row states it.
fn layer(row: &Cells) -> Value {
    let of = |ending: &str| {
        let own = row.iter().filter_map(|(key, text)| Some((key.strip_suffix(ending)?.to_owned(), value(text))));
        // The total has a name of the same form.
        Value::Object(own.filter(|(key, _)| key != "dynamic").collect())
    };
    let mut layer: Map<_, _> = row.iter().map(|(key, text)| (key.clone(), value(text))).collect();
    layer.insert("name".to_owned(), cell(row, "layer").into());
    layer.insert("energy_pj".to_owned(), of("_energy_pj"));
    layer.insert("stalls".to_owned(), of("_ima_cycles"));
    layer.into()
}

/// Returns the text of the cell under `heading`, empty if there is none.
fn cell<'a>(row: &'a Cells, heading: &str) -> &'a str {
    row.iter().find(|(key, _)| key == heading).map_or("", |(_, text)| text)
}

/// Returns the value of a cell.
fn value(text: &str) -> Value {
    match text {
        "" => Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        text => serde_json::from_str::<Number>(text).map_or_else(|_| text.into(), Value::Number),
    }
}

fn values(path: &str, value: &Value, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                values(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, all);
            }
        }
        Value::Null => {}
        value => all.push((path.to_owned(), value.clone())),
    }
}

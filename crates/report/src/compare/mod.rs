//! Comparison of runs and of sweeps: what differs between them, and figures side by side.
//!
//! Each [`Subject`] is a run or a point of a sweep; the first is the one that all others are compared with. Figures are
//! those of an image where runs may have different numbers of images; a figure of whole runs is compared only between
//! runs of equally many. A figure that is not settled or not known has no number, and takes no part in differences and
//! ratios.

pub(crate) mod page;
mod subject;

use serde::Serialize;
use serde_json::Value;

use crate::Tool;

pub use subject::{Cells, Subject, SubjectError};

/// Version of the JSON form of [`Comparison`]. It rises when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// Reason why a figure is missing: the run has not settled.
pub(crate) const NOT_SETTLED: &str = "not settled";

/// Unit of a figure. Text forms choose a prefix; JSON has the unit as it is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Number of things.
    #[serde(rename = "")]
    Count,
    /// Cycles.
    #[serde(rename = "cycles")]
    Cycles,
    /// Time.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Images per second.
    #[serde(rename = "images/s")]
    ImagesPerSecond,
    /// Energy.
    #[serde(rename = "pJ")]
    Picojoules,
    /// Power.
    #[serde(rename = "mW")]
    Milliwatts,
    /// Operations per ns.
    #[serde(rename = "GOPS")]
    Gops,
    /// Operations per nJ.
    #[serde(rename = "GOPS/W")]
    GopsPerWatt,
    /// Operations per ns and mm2.
    #[serde(rename = "GOPS/mm2")]
    GopsPerMm2,
    /// Area.
    #[serde(rename = "mm2")]
    SquareMillimetres,
}

/// Comparison of runs, or of sweeps point by point.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    schema: u32,
    tool: Tool,
    /// Runs, or sweeps.
    pub(crate) subjects: Vec<Compared>,
    /// Values of the machines that differ. What a subject does not state is null.
    pub(crate) machine: Vec<Setting>,
    /// Other differences: network, plan, images.
    pub(crate) settings: Vec<Setting>,
    /// Figures side by side.
    pub(crate) tables: Vec<Table>,
    /// Runs with their energies and stalls, for charts; empty for sweeps.
    #[serde(skip)]
    pub(crate) runs: Vec<Subject>,
}

/// Name and scope of a subject.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) name: String,
    /// Network, plan and images; for a sweep, its points.
    pub(crate) scope: String,
    /// True if the machine is known.
    pub(crate) machine_is_known: bool,
}

/// A key with a value for each subject.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) values: Vec<Value>,
}

/// Figures of one kind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// A figure of all subjects.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Figure of each subject; `None` if it has none.
    pub(crate) values: Vec<Option<f64>>,
    /// Reasons why subjects have no figure.
    pub(crate) missing: Vec<Option<&'static str>>,
    /// Difference of each subject from the first; `None` where the two are not to be compared.
    pub(crate) differences: Vec<Option<f64>>,
    /// Ratio of each subject to the first; `None` where there is none.
    pub(crate) ratios: Vec<Option<f64>>,
}

/// Runs for which a figure exists, or can be compared.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// All runs.
    Any,
    /// Runs that have settled.
    Settled,
    /// Runs of equally many images.
    SameImages,
}

/// A figure of a run.
struct Figure {
    name: &'static str,
    unit: Unit,
    scope: Scope,
    value: fn(&Subject) -> Option<f64>,
}

const fn figure(name: &'static str, unit: Unit, scope: Scope, value: fn(&Subject) -> Option<f64>) -> Figure {
    Figure { name, unit, scope, value }
}

const FIGURES: [Figure; 22] = [
    figure("cycles", Unit::Cycles, Scope::SameImages, |run| run.number("/cycles")),
    figure("time", Unit::Nanoseconds, Scope::SameImages, |run| run.number("/time_ns")),
    figure("latency of the first image", Unit::Cycles, Scope::SameImages, |run| {
        run.number("/figures/first_latency_cycles")
    }),
    figure("cycles per image", Unit::Cycles, Scope::Settled, |run| run.number("/figures/cycles_per_image")),
    figure("rate", Unit::ImagesPerSecond, Scope::Settled, |run| run.number("/figures/images_per_second")),
    figure("bound on cycles per image", Unit::Cycles, Scope::Any, |run| run.number("/bound/cycles")),
    figure("dynamic energy per image", Unit::Picojoules, Scope::Any, |run| run.number("/figures/dynamic_pj_per_image")),
    figure("static energy per image", Unit::Picojoules, Scope::Settled, |run| {
        run.number("/figures/static_pj_per_image")
    }),
    figure("average power", Unit::Milliwatts, Scope::SameImages, |run| run.number("/figures/average_power_mw")),
    figure("dynamic energy per nominal MAC", Unit::Picojoules, Scope::Any, |run| {
        run.number("/figures/dynamic_pj_per_mac_nominal")
    }),
    figure("energy per nominal MAC", Unit::Picojoules, Scope::Settled, |run| run.number("/figures/pj_per_mac_nominal")),
    figure("nominal throughput", Unit::Gops, Scope::Settled, |run| run.number("/figures/gops_nominal")),
    figure("computed throughput", Unit::Gops, Scope::Settled, |run| run.number("/figures/gops_computed")),
    figure("nominal efficiency", Unit::GopsPerWatt, Scope::Settled, |run| run.number("/figures/gops_per_watt_nominal")),
    figure("computed efficiency", Unit::GopsPerWatt, Scope::Settled, |run| {
        run.number("/figures/gops_per_watt_computed")
    }),
    figure("crossbars that hold weights", Unit::Count, Scope::Any, |run| run.number("/crossbars/mapped")),
    figure("chips in use", Unit::Count, Scope::Any, |run| run.number("/chips")),
    figure("area of the chips in use", Unit::SquareMillimetres, Scope::Any, |run| {
        Some(run.number("/chips")? * run.number(CHIP_AREA)?)
    }),
    figure("area of a chip", Unit::SquareMillimetres, Scope::Any, |run| run.number(CHIP_AREA)),
    figure("peak throughput of a chip", Unit::Gops, Scope::Any, |run| run.number("/peak_gops")),
    figure("peak efficiency", Unit::GopsPerWatt, Scope::Any, |run| run.number("/peak_gops_per_watt")),
    figure("peak throughput per area", Unit::GopsPerMm2, Scope::Any, |run| run.number("/peak_gops_per_mm2")),
];

const CHIP_AREA: &str = "/chip_area_mm2";

impl Comparison {
    /// Compares runs with the first of them.
    pub fn of_runs(runs: Vec<Subject>) -> Comparison {
        let names = |of: fn(&Subject) -> Vec<String>| {
            let mut all: Vec<String> = Vec::new();
            for name in runs.iter().flat_map(of) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            all
        };
        let components = names(|run| of_object(&run.report["energy_pj"]["dynamic"]));
        let blocks = names(|run| run.areas.iter().flatten().map(|(name, _)| (*name).to_owned()).collect());
        let layers = names(|run| run.layers().filter_map(|layer| Some(layer["name"].as_str()?.to_owned())).collect());
        let table = |name, title, names: &[String], unit, scope, value: &dyn Fn(&Subject, &str) -> Option<f64>| {
            let row = |name: &String| Row::new(name.clone(), unit, scope, &runs, |run| value(run, name));
            Table { name, title, rows: names.iter().map(row).collect() }
        };
        let tables = vec![
            Table {
                name: "figures",
                title: "Figures",
                rows: FIGURES
                    .iter()
                    .map(|of| Row::new(of.name.to_owned(), of.unit, of.scope, &runs, of.value))
                    .collect(),
            },
            table(
                "energy_by_component",
                "Dynamic energy of an image, by component",
                &components,
                Unit::Picojoules,
                Scope::Any,
                &|run, name| Some(run.report["energy_pj"]["dynamic"].get(name)?.as_f64()? / run.number("/images")?),
            ),
            table(
                "area_by_component",
                "Area of a chip, by component",
                &blocks,
                Unit::SquareMillimetres,
                Scope::Any,
                &|run, name| Some(run.areas.as_ref()?.iter().find(|(block, _)| *block == name)?.1),
            ),
            table(
                "cycles_by_layer",
                "Cycles from the first input of a layer to its last result",
                &layers,
                Unit::Cycles,
                Scope::SameImages,
                &|run, name| {
                    let layer = layer(run, name)?;
                    // Both cycles are worked in.
                    Some(layer["last_cycle"].as_f64()? - layer["first_cycle"].as_f64()? + 1.0)
                },
            ),
            table(
                "energy_by_layer",
                "Dynamic energy of an image, by layer",
                &layers,
                Unit::Picojoules,
                Scope::Any,
                &|run, name| Some(layer_pj(layer(run, name)?) / run.number("/images")?),
            ),
            table(
                "efficiency_by_layer",
                "Nominal efficiency of each layer, dynamic energy alone",
                &layers,
                Unit::GopsPerWatt,
                Scope::Any,
                &|run, name| {
                    let layer = layer(run, name)?;
                    // Operations per pJ are 1000 per nJ.
                    let efficiency = 2000.0 * layer["nominal_macs"].as_f64()? / layer_pj(layer);
                    efficiency.is_finite().then_some(efficiency)
                },
            ),
        ];
        let settings = ["network", "plan", "weights", "activations", "crop", "balance", "rebalance", "images"];
        let of_run = |run: &Subject| {
            let own = settings.into_iter().chain(["fidelity", "uncontended"]);
            let own = own.map(|key| (key.to_owned(), run.report[key].clone()));
            own.chain([("aquasim".to_owned(), run.report["tool"]["version"].clone())]).collect()
        };
        Comparison {
            schema: SCHEMA,
            tool: Tool::THIS,
            subjects: runs.iter().map(Compared::of_run).collect(),
            machine: differing(
                &runs.iter().map(Subject::machine).collect::<Vec<_>>(),
                runs.iter().any(|run| run.areas.is_some()),
            ),
            settings: differing(&runs.iter().map(of_run).collect::<Vec<_>>(), true),
            tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
            runs,
        }
    }

    /// Compares sweeps with the first of them, each given with its name, the number of its points and the keys that are
    /// the same in all of these. `points` has the name of each point that is in all sweeps, and its run in each.
    pub fn of_sweeps(sweeps: &[(String, usize, Cells)], points: &[(String, Vec<Subject>)]) -> Comparison {
        let table = |of: &Figure| {
            let row = |(name, runs): &(String, Vec<Subject>)| Row::new(name.clone(), of.unit, of.scope, runs, of.value);
            Table { name: of.name, title: of.name, rows: points.iter().map(row).collect() }
        };
        let is_known = |table: &Table| table.rows.iter().any(|row| row.values.iter().any(Option::is_some));
        let scope = |all: &usize| format!("{} of {all} points", points.len());
        let fixed = |(_, _, keys): &(String, usize, Cells)| {
            keys.iter().map(|(key, text)| (key.clone(), Value::from(text.as_str()))).collect()
        };
        Comparison {
            schema: SCHEMA,
            tool: Tool::THIS,
            subjects: (sweeps.iter())
                .map(|(name, all, _)| Compared { name: name.clone(), scope: scope(all), machine_is_known: true })
                .collect(),
            machine: Vec::new(),
            settings: differing(&sweeps.iter().map(fixed).collect::<Vec<_>>(), false),
            tables: FIGURES.iter().map(table).filter(is_known).collect(),
            runs: Vec::new(),
        }
    }

    /// Returns the comparison as indented JSON, with a final line feed.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a comparison is plain data");
        json + "\n"
    }
}

impl Compared {
    fn of_run(run: &Subject) -> Compared {
        let text = |key: &str| run.report[key].as_str().map(str::to_owned);
        let images = run.number("/images").map(|images| match images {
            1.0 => "1 image".to_owned(),
            images => format!("{images} images"),
        });
        let scope = [text("network"), text("plan").filter(|plan| !plan.is_empty()), images];
        Compared {
            name: run.name.clone(),
            scope: scope.into_iter().flatten().collect::<Vec<_>>().join(", "),
            machine_is_known: run.report["machine"].is_object(),
        }
    }
}

impl Row {
    fn new(name: String, unit: Unit, scope: Scope, runs: &[Subject], value: impl Fn(&Subject) -> Option<f64>) -> Row {
        let is_settled = |run: &Subject| run.report["figures"]["settled"] == true;
        let has_value = |run: &&Subject| scope != Scope::Settled || is_settled(run);
        let values: Vec<Option<f64>> = runs.iter().map(|run| Some(run).filter(has_value).and_then(&value)).collect();
        let missing = runs.iter().zip(&values).map(|(run, figure)| match figure {
            Some(_) => None,
            None if run.report["status"] == "failed" => Some("failed"),
            None if scope == Scope::Settled && !is_settled(run) => Some(NOT_SETTLED),
            None => Some("not known"),
        });
        let missing = missing.collect();
        let first = values[0];
        let images = |run: &Subject| run.number("/images");
        let pair = |(run, other): (&Subject, Option<f64>)| {
            let is_comparable = scope != Scope::SameImages || images(run) == images(&runs[0]);
            Some((first?, other?)).filter(|_| is_comparable)
        };
        let pairs: Vec<Option<(f64, f64)>> = runs.iter().zip(values.iter().copied()).map(pair).collect();
        let difference = |pair: &Option<(f64, f64)>| pair.map(|(first, other)| other - first);
        let ratio =
            |pair: &Option<(f64, f64)>| pair.filter(|(first, _)| *first != 0.0).map(|(first, other)| other / first);
        Row {
            name,
            unit,
            missing,
            differences: pairs.iter().map(difference).collect(),
            ratios: pairs.iter().map(ratio).collect(),
            values,
        }
    }

    /// True if the figure is the same for all subjects.
    pub(crate) fn is_same(&self) -> bool {
        self.differences.iter().all(|difference| *difference == Some(0.0))
    }

    /// True if no subject has the figure.
    pub(crate) fn is_missing(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }
}

/// Returns the keys with different values. `whole` tells that a subject states all its keys: what another does not
/// state is then no difference.
fn differing(all: &[Vec<(String, Value)>], whole: bool) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for (key, _) in all.iter().flatten() {
        if settings.iter().any(|setting| setting.key == *key) {
            continue;
        }
        let of =
            |own: &Vec<(String, Value)>| own.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        settings
            .push(Setting { key: key.clone(), values: all.iter().map(|own| of(own).unwrap_or_default()).collect() });
    }
    let differs = |setting: &Setting| {
        let mut stated = setting.values.iter().filter(|value| !whole || !value.is_null());
        let first = stated.next();
        stated.any(|value| !is_equal(Some(value), first))
    };
    settings.retain(differs);
    settings
}

/// True if two values are equal: 8 and 8.0 are.
fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.and_then(Value::as_f64), right.and_then(Value::as_f64)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn of_object(value: &Value) -> Vec<String> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn layer<'a>(run: &'a Subject, name: &str) -> Option<&'a Value> {
    run.layers().find(|layer| layer["name"] == name)
}

/// Returns the dynamic energy of a layer in the whole run, pJ.
fn layer_pj(layer: &Value) -> f64 {
    layer["energy_pj"].as_object().into_iter().flatten().filter_map(|(_, pj)| pj.as_f64()).sum()
}

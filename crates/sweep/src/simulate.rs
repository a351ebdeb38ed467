//! Simulation of one point: from its values to the rows of the tables.
//!
//! Errors and panics of a point are caught and become its outcome.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arch::Arch;
use chip::{Options, Routed};
use document::Faults;
use mapper::{Balance, MappingError};
use network::{Edges, FULL_PRECISION_BITS, Network, Plan, parse_activations, parse_weights};
use report::Report;

use crate::columns::{Machine, cells, derived_columns, layer_columns, simulated_columns};
use crate::spec::to_toml;
use crate::{Cell, Outcome, Sweep};

/// Simulates `point`. Any failure, a panic included, concerns this point alone.
pub fn simulate(sweep: &Sweep, point: u64) -> Outcome {
    let point = Point::new(sweep, point);
    match catch_unwind(AssertUnwindSafe(|| point.run())) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(panic) => Outcome::Failed(format!("internal error: {}", panic_message(&*panic))),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Values of one point.
struct Point<'a> {
    sweep: &'a Sweep,
    indices: Vec<usize>,
}

impl<'a> Point<'a> {
    fn new(sweep: &'a Sweep, point: u64) -> Point<'a> {
        Point { sweep, indices: sweep.grid.indices(point) }
    }

    /// Returns the index and the value of the point on the axis `key`; `None` if the sweep has no such axis.
    fn value(&self, key: &str) -> Option<(usize, &'a Cell)> {
        let axes = self.sweep.grid.axes.iter().zip(&self.indices);
        axes.into_iter().find(|(axis, _)| axis.key == key).map(|(axis, &index)| (index, &axis.values[index]))
    }

    fn arch(&self) -> Result<Arch, Faults> {
        let (index, _) = self.value("arch.file").expect("every sweep has machines");
        let axes = self.sweep.grid.axes.iter().zip(&self.indices);
        let overrides = axes.filter_map(|(axis, &index)| {
            let key = axis.key.strip_prefix("arch.").filter(|key| *key != "file")?;
            Some((key, to_toml(&axis.values[index])?))
        });
        self.sweep.archs[index].with_overrides(&overrides.collect::<Vec<_>>())
    }

    fn plan(&self, network: &Network) -> Result<Plan, Faults> {
        if let Some((index, _)) = self.value("plan") {
            let (text, file) = &self.sweep.plans[index];
            return Plan::parse(text, file, network);
        }
        let text = |key| self.value(key).expect("without plans there are weights, activations and crops").1.to_string();
        let edges: Edges = text("crop").parse()?;
        Plan::uniform(network, FULL_PRECISION_BITS, FULL_PRECISION_BITS)
            .with_weights(&parse_weights(&text("weights"), network)?)
            .with_activations(&parse_activations(&text("activations"), network)?)
            .crop(network, edges)
    }

    fn run(&self) -> Result<Outcome, String> {
        let arch = self.arch().map_err(|faults| messages(&faults))?;
        let mut point = cells(&derived_columns(), &Machine::new(&arch));
        if !self.sweep.grid.simulated {
            point.extend(simulated_columns().iter().map(|_| Cell::Empty));
            return Ok(Outcome::Done { point, components: Vec::new(), layers: Vec::new() });
        }
        let (index, _) = self.value("network").expect("every sweep has networks");
        let network = &self.sweep.networks[index];
        let plan = self.plan(network).map_err(|faults| messages(&faults))?;
        let (_, fill) = self.value("balance").expect("every sweep has a balance");
        let fill = fill.to_string().parse().expect("checked with the file");
        let for_crop = matches!(self.value("rebalance"), Some((_, Cell::Boolean(true))));
        let layout =
            Balance { fill, for_crop }.layout(&arch, network, &plan).map_err(|errors: Vec<MappingError>| {
                errors.iter().map(|error| format!("{error}; {}", error.remedy())).collect::<Vec<_>>().join("; ")
            })?;
        let routed = Routed::new(&arch, &layout);
        let options = Options { images: chip::FIRST_IMAGES, ..Options::default() };
        let ran = match self.value("images") {
            Some((_, Cell::Integer(images))) => {
                let images = u32::try_from(*images).expect("checked with the file");
                let options = Options { images, ..options };
                routed.run(&options).map(|outcome| (options, outcome))
            }
            _ => routed.run_until_settled(&options),
        };
        let (options, outcome) = ran.map_err(|error| error.to_string())?;
        let report = Report::new(&report::Run {
            routed: &routed,
            network,
            plan: &plan,
            plan_name: "",
            options: &options,
            outcome: &outcome,
        });
        point.extend(cells(&simulated_columns(), &report));
        let (of_component, of_layer) = (report::columns::components(), layer_columns());
        Ok(Outcome::Done {
            point,
            components: report.components().map(|component| cells(&of_component, &component)).collect(),
            layers: report.layers.iter().map(|layer| cells(&of_layer, layer)).collect(),
        })
    }
}

/// Joins faults to one line, for a cell of a table.
fn messages(faults: &Faults) -> String {
    faults.iter().map(|fault| format!("{}; {}", fault.message(), fault.remedy())).collect::<Vec<_>>().join("; ")
}

//! Simulation of one point: from its values to the rows of the tables.
//!
//! Errors and panics of a point are caught and become its outcome.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use analysis::Bound;
use arch::Arch;
use chip::{Options, Routed, Routing, Trees};
use document::Faults;
use mapper::{Balance, Layout, MappingError, Problem};
use network::{Edges, FULL_PRECISION_BITS, Network, Plan, parse_activations, parse_weights};
use report::Report;

use crate::columns::{Machine, cells, derived_columns, layer_columns, simulated_columns};
use crate::recent::Recent;
use crate::spec::to_toml;
use crate::{Cell, Outcome, Sweep};

/// Layouts that are kept, and routes: those of VGG16 take some 10 MB.
const MOST_LAYOUTS: usize = 8;
/// Runs that are kept: one of VGG16 takes some 20 kB.
const MOST_RUNS: usize = 100;

/// Simulates points of a sweep, on any number of threads.
///
/// Points share what they have in common: layouts, the routes of values, and whole runs where machines differ in costs
/// only. An [`Outcome`] depends on its point alone.
pub struct Simulator<'a> {
    sweep: &'a Sweep,
    layouts: Recent<Problem<'a>, Result<Layout, String>>,
    trees: Recent<(Problem<'a>, Routing), Trees>,
    runs: Recent<Task<'a>, Result<Ran, String>>,
    /// Machine whose costs the machines of all tasks have.
    costs: Arch,
}

/// All that a run depends on.
#[derive(PartialEq)]
struct Task<'a> {
    machine: Arch,
    /// Images; `None` until the pace is settled.
    images: Option<u32>,
    problem: Problem<'a>,
}

/// A run, with its options and the bound on its pace.
struct Ran {
    options: Options,
    outcome: chip::Outcome,
    bound: Bound,
}

impl<'a> Simulator<'a> {
    /// Prepares the simulation of any points of `sweep`.
    pub fn new(sweep: &'a Sweep) -> Self {
        let costs = arch::load("isaac-ce").expect("the preset is built in");
        let (layouts, trees) = (Recent::new(MOST_LAYOUTS), Recent::new(MOST_LAYOUTS));
        Self { sweep, layouts, trees, runs: Recent::new(MOST_RUNS), costs }
    }

    /// Simulates `point`. Any failure, a panic included, concerns this point alone.
    pub fn simulate(&self, point: u64) -> Outcome {
        let point = Point::new(self.sweep, point);
        match catch_unwind(AssertUnwindSafe(|| point.run(self))) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::Failed(error),
            Err(panic) => Outcome::Failed(format!("internal error: {}", panic_message(&*panic))),
        }
    }

    /// Returns the number of layouts made so far.
    pub fn layouts_made(&self) -> u64 {
        self.layouts.made()
    }

    /// Returns the number of runs made so far.
    pub fn runs_made(&self) -> u64 {
        self.runs.made()
    }

    fn layout(&self, problem: &Problem<'a>) -> Arc<Result<Layout, String>> {
        self.layouts.get(problem.clone(), |problem| {
            problem.layout().map_err(|errors: Vec<MappingError>| {
                errors.iter().map(|error| format!("{error}; {}", error.remedy())).collect::<Vec<_>>().join("; ")
            })
        })
    }

    /// Runs `layout`, that of the problem, on the machine with other costs.
    fn ran(&self, problem: Problem<'a>, layout: &Layout, arch: &Arch, images: Option<u32>) -> Arc<Result<Ran, String>> {
        let task = Task { problem, machine: arch.with_costs_of(&self.costs), images };
        self.runs.get(task, |Task { problem, machine, images }| {
            let routing = (problem.clone(), Routing::new(machine));
            let trees = self.trees.get(routing, |(_, routing)| Trees::new(routing, layout));
            let routed = Routed::along(machine, layout, &trees);
            let options = Options { images: images.unwrap_or(chip::FIRST_IMAGES), ..Options::default() };
            let bound = Bound::of(&routed, options.uncontended);
            let ran = match images {
                Some(_) => routed.run(&options).map(|outcome| (options, outcome)),
                None => routed.run_until_settled(&options, bound.cycles),
            };
            let (options, outcome) = ran.map_err(|error| error.to_string())?;
            Ok(Ran { options, outcome, bound })
        })
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

    fn run(&self, simulator: &Simulator<'a>) -> Result<Outcome, String> {
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
        let problem = Problem::new(Balance { fill, for_crop }, &arch, network, &plan);
        let layout = simulator.layout(&problem);
        let layout = layout.as_ref().as_ref().map_err(String::clone)?;
        let images = match self.value("images") {
            Some((_, Cell::Integer(images))) => Some(u32::try_from(*images).expect("checked with the file")),
            _ => None,
        };
        let ran = simulator.ran(problem, layout, &arch, images);
        let Ran { options, outcome, bound } = ran.as_ref().as_ref().map_err(String::clone)?;
        let (plan, plan_name) = (&plan, "");
        let report =
            Report::new(&report::Run { arch: &arch, network, plan, plan_name, layout, options, outcome, bound });
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use toml::{Table, Value};

    use super::*;

    fn sweep(text: &str) -> Sweep {
        let text = format!("network = \"tiny\"\narch.file = \"tiny\"\n{text}");
        Sweep::parse(&text, "sweep.toml", Path::new("")).unwrap_or_else(|faults| panic!("{}", messages(&faults)))
    }

    /// Simulates a point that shares nothing with others, on its machine with its own costs.
    fn alone(sweep: &Sweep, point: u64) -> Outcome {
        let mut simulator = Simulator::new(sweep);
        if let Ok(arch) = Point::new(sweep, point).arch() {
            simulator.costs = arch;
        }
        simulator.simulate(point)
    }

    #[test]
    fn points_share_the_layouts_and_the_runs_that_they_have_in_common() {
        let sweep = sweep(
            "arch.adc.bits = [8, 6]\n arch.edram.bytes = [8192, 16384]\n arch.ima.output_registers = [1, 2]\n \
             arch.router.flit_bits = [32, 8]\n weights = [\"16\", \"8\"]",
        );
        let expected: BTreeMap<u64, Outcome> = (0..sweep.points()).map(|point| (point, alone(&sweep, point))).collect();
        for (threads, backwards) in [(1, false), (1, true), (3, false)] {
            let simulator = Simulator::new(&sweep);
            let order: Vec<u64> = if backwards { (0..32).rev().collect() } else { (0..32).collect() };
            let mut outcomes = BTreeMap::new();
            let simulate = |point| (point, simulator.simulate(point));
            let collect = |done: Vec<_>| {
                outcomes.extend(done);
                Ok::<_, ()>(())
            };
            crate::pool::run(threads, order.into_iter(), simulate, collect).expect("collecting does not fail");
            assert_eq!(outcomes, expected);
            // Sizes of the buffer and bits of the weights.
            assert_eq!(simulator.layouts_made(), 4);
            // All but the bits of the ADCs.
            assert_eq!(simulator.runs_made(), 16);
        }
        let distinct =
            expected.values().map(|outcome| format!("{outcome:?}")).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(distinct.len(), 32, "a key without effect tests nothing");
    }

    /// Returns the keys of a table, with their values.
    fn keys(table: &Table, path: &str, all: &mut Vec<(String, Value)>) {
        for (name, value) in table {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value {
                Value::Table(inner) => keys(inner, &key, all),
                value => all.push((key, value.clone())),
            }
        }
    }

    /// Returns other values of a key, of which one may be allowed.
    fn others(value: &Value) -> Vec<Value> {
        match *value {
            Value::Boolean(truth) => vec![Value::Boolean(!truth)],
            Value::Integer(number) => [2 * number, number / 2, number + 1].map(Value::Integer).to_vec(),
            Value::Float(number) => [2.0 * number + 1.0, number / 2.0].map(Value::Float).to_vec(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_point_is_as_if_alone_whatever_key_of_the_machine_differs() {
        let machine = arch::to_toml(&arch::load("tiny").expect("a preset"));
        let mut all = Vec::new();
        keys(&machine.parse().expect("it is TOML"), "", &mut all);
        let (mut tried, mut shared) = (0, 0);
        for (key, value) in all {
            for other in others(&value) {
                let text = format!("network = \"tiny\"\narch.file = \"tiny\"\narch.{key} = [{value}, {other}]");
                let Ok(sweep) = Sweep::parse(&text, "sweep.toml", Path::new("")) else { continue };
                let simulator = Simulator::new(&sweep);
                simulator.simulate(0);
                assert_eq!(simulator.simulate(1), alone(&sweep, 1), "{text}");
                tried += 1;
                shared += u64::from(simulator.layouts_made() == 1);
            }
        }
        assert!(tried > 80 && shared > 40, "{tried} values tried, {shared} of them with the layout of the first");
    }
}

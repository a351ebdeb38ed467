//! The examples of `traces/`: what is built into each is what `stalls` names first, and what it promises is what the
//! changed machine does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use analysis::{Analysis, Bound, Change, Kind, Measure, Subject, WhatIf, what_ifs};
use arch::Arch;
use chip::{Cause, Options};
use mapper::{Layout, Mapping};
use network::{Network, Plan};
use serde_json::Value;

use crate::{folder, succeeds};

/// An example as it is read from its files.
struct Example {
    folder: PathBuf,
    arch: Arch,
    network: Network,
    plan: Plan,
    layout: Layout,
}

impl Example {
    fn load(name: &str) -> Example {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces").join(name).canonicalize().unwrap();
        let file = |name: &str| Some(folder.join(name)).filter(|path| path.exists()).map(text);
        let arch = arch::load(&file("arch.toml").unwrap_or("tiny".to_owned())).unwrap();
        let network = network::load(&text(folder.join("network.toml"))).unwrap();
        let plan = match file("plan.toml") {
            Some(plan) => Plan::load(&plan, &network).unwrap(),
            None => Plan::uniform(&network, 16, 16),
        };
        let layout = Layout::load(&text(folder.join("mapping.toml")), &arch, &network, &plan).unwrap();
        Example { folder, arch, network, plan, layout }
    }

    fn analysis(&self) -> Analysis {
        let outcome = chip::run(&self.arch, &self.layout, &Options::default()).unwrap();
        Analysis::of(&outcome, &self.layout, Bound::new(&self.arch, &self.layout, false))
    }

    fn what_ifs(&self, analysis: &Analysis) -> Vec<WhatIf> {
        let Example { arch, network, plan, layout, .. } = self;
        let subject = Subject { arch, network, plan, layout, options: &Options::default() };
        what_ifs(&subject, Measure::FirstLatency(analysis.cycles as f64), analysis, 3)
    }

    /// Runs a command on files in `at`, or on the example's own where there is none.
    fn command(&self, at: &Path, command: &[&str]) -> String {
        let mut arguments: Vec<String> = command.iter().map(|&argument| argument.to_owned()).collect();
        for option in ["arch", "network", "mapping", "plan"] {
            let name = format!("{option}.toml");
            let path = [at, &self.folder].map(|folder| folder.join(&name)).into_iter().find(|path| path.exists());
            match path {
                Some(path) => arguments.extend([format!("--{option}"), text(path)]),
                None if option == "arch" => arguments.extend(["--arch".to_owned(), "tiny".to_owned()]),
                None => {}
            }
        }
        succeeds(at, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Cycles of the changed machine or mapping, written to files and run like any other.
    fn cycles_with(&self, change: &Change) -> f64 {
        let at = folder();
        let (mut arch, mut mapping): (Arch, Mapping) = (self.arch.clone(), self.layout.mapping.clone());
        change.apply(&mut arch, &mut mapping, &self.layout);
        fs::write(at.path().join("arch.toml"), arch::to_toml(&arch)).unwrap();
        fs::write(at.path().join("mapping.toml"), mapping.to_toml()).unwrap();
        cycles(&self.command(at.path(), &["run", "--json", "-"]))
    }
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("paths are UTF-8")
}

fn cycles(report: &str) -> f64 {
    serde_json::from_str::<Value>(report).unwrap()["cycles"].as_f64().unwrap()
}

/// The first row of the table of waits: layer and what it waits for.
fn first_cause(printed: &str) -> (&str, &str) {
    let row = printed.lines().find(|line| line.trim_start().starts_with("1  ")).expect("a first cause");
    let (layer, cause) = row.trim_start()[1..].trim_start().split_once("  ").expect("columns");
    (layer, cause.trim_start().split("  ").next().unwrap())
}

/// Checks the resource that bounds an example, and that `stalls` names it in its first line.
fn is_bound_by(name: &str, kind: Kind, resource: &str) {
    let example = Example::load(name);
    let first = &example.analysis().bound.resources[0];
    assert_eq!((first.kind, first.name.as_str()), (kind, resource));
    let at = folder();
    let printed = example.command(at.path(), &["stalls", "--what-ifs", "0"]);
    let line = printed.lines().nth(2).expect("a table");
    assert!(line.trim_start().starts_with(resource) && line.contains("100.0 %"), "{printed}");
    assert!(!printed.contains("bottleneck"), "{printed}");
}

/// `stalls` names `layer` and `awaited` first; every change that it tries does, run as a user would, what it says; the
/// best of them gains at least `gain`.
fn is_explained(name: &str, layer: &str, (cause, awaited): (Cause, &str), gain: f64) {
    let example = Example::load(name);
    let analysis = example.analysis();
    let first = analysis.waits_that_matter().next().unwrap();
    assert_eq!((analysis.layers[first.layer].name.as_str(), first.cause), (layer, cause));
    let at = folder();
    let printed = example.command(at.path(), &["stalls"]);
    assert_eq!(first_cause(&printed), (layer, awaited), "{printed}");
    promises_hold(&example, &analysis, &printed, gain);
}

fn promises_hold(example: &Example, analysis: &Analysis, printed: &str, gain: f64) {
    let tried = example.what_ifs(analysis);
    assert!(!tried.is_empty());
    for WhatIf { change, gave, .. } in &tried {
        let promised = gave.as_ref().unwrap_or_else(|error| panic!("{change:?}: {error}")).cycles;
        assert_eq!(example.cycles_with(change), promised, "{change:?}");
    }
    let best = tried[0].gave.as_ref().unwrap().cycles;
    let gained = 1.0 - best / analysis.cycles as f64;
    assert!(gained >= gain, "{gained} gained");
    let percent = format!("{:.1} %", 100.0 * gained);
    assert!(printed.contains(&percent), "{percent} is not in\n{printed}");
}

#[test]
fn the_bus_bound_tile_waits_for_its_bus_and_a_wider_one_nearly_doubles_its_speed() {
    is_bound_by("bus-bound", Kind::Bus, "bus of tile 0 on chip 0");
    is_explained("bus-bound", "wide", (Cause::Bus, "the bus and the eDRAM port of its tiles"), 0.4);
}

#[test]
fn the_full_buffer_pushes_back_on_the_layer_before_it() {
    is_bound_by("full-buffer", Kind::Crossbars, "crossbars of uneven, replica 0");
    is_explained("full-buffer", "steady", (Cause::DownstreamBuffer, "room in the buffers of uneven"), 0.15);
    let example = Example::load("full-buffer");
    let tried = example.what_ifs(&example.analysis());
    let larger =
        tried.iter().find(|tried| matches!(&tried.change, Change::Machine(fields) if fields[0].0 == "edram.bytes"));
    let (cycles, before) =
        (larger.expect("a larger buffer is tried").gave.as_ref().unwrap().cycles, example.analysis().cycles);
    assert!(cycles <= 0.95 * before as f64, "a larger buffer takes {cycles} of {before} cycles");
}

#[test]
fn the_mesh_hot_spot_is_what_the_layer_behind_it_waits_for() {
    is_bound_by("mesh-hot-spot", Kind::RouterPort, "south port of router 0,0 on chip 0");
    is_explained("mesh-hot-spot", "one", (Cause::Router, "ports of routers"), 0.3);
}

#[test]
fn in_the_clean_pipeline_nothing_waits_and_no_single_replica_helps_much() {
    is_bound_by("clean-pipeline", Kind::Crossbars, "crossbars of first, replica 0");
    let example = Example::load("clean-pipeline");
    let analysis = example.analysis();
    assert_eq!(analysis.waits_that_matter().next(), None);
    assert!(analysis.chain.is_empty());
    let at = folder();
    let printed = example.command(at.path(), &["stalls"]);
    assert!(printed.contains("Nothing waits for more than 1.0 % of its cycles."), "{printed}");
    promises_hold(&example, &analysis, &printed, 0.0);
}

/// `make.sh` makes what stands beside it, to the byte.
#[test]
fn examples_are_those_of_this_version() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces");
    let at = folder();
    let mut script = Command::new(traces.join("make.sh"));
    script.arg(at.path()).env("AQUASIM", env!("CARGO_BIN_EXE_aquasim"));
    assert!(script.status().expect("make.sh can be run").success());
    for example in fs::read_dir(at.path()).unwrap() {
        let example = example.unwrap();
        for file in fs::read_dir(example.path()).unwrap() {
            let made = file.unwrap().path();
            let kept = traces.join(example.file_name()).join(made.file_name().unwrap());
            assert!(fs::read(&made).unwrap() == fs::read(&kept).unwrap(), "{}: run traces/make.sh", kept.display());
        }
    }
}

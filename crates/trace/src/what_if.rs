//! What a change of the machine or of the mapping would gain, found by running it.

use arch::Arch;
use chip::{Cause, Options};
use mapper::{Layout, Mapping};
use network::{Network, Plan};

use crate::{Analysis, Wait};

/// A run, and all it takes to run it again with something changed.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Machine.
    pub arch: &'a Arch,
    /// Network.
    pub network: &'a Network,
    /// Precision and crops.
    pub plan: &'a Plan,
    /// Where the network lies on the machine.
    pub layout: &'a Layout,
    /// How it is run.
    pub options: &'a Options,
}

/// A change that may help against a wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Fields of the machine: dotted key, value now, value tried.
    Machine(Vec<(&'static str, f64, f64)>),
    /// One more copy in each strip of a layer; the copies that are there stay where they are.
    Copies {
        /// Number of the layer in the network.
        layer: usize,
        /// Copies now.
        from: usize,
        /// Copies tried.
        to: usize,
    },
}

/// What a change did.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The wait that it is meant for.
    pub wait: Wait,
    /// What was changed.
    pub change: Change,
    /// Cycles of the run with the change, or why there was none.
    pub cycles: Result<u64, String>,
}

/// Tries what may help against the waits of `analysis`: against the longest of each of the `causes` worst causes, and
/// against what they lead back to.
pub fn what_ifs(subject: &Subject<'_>, analysis: &Analysis, causes: usize) -> Vec<WhatIf> {
    let mut worst: Vec<Wait> = Vec::new();
    for wait in &analysis.waits {
        if worst.iter().all(|other| other.cause != wait.cause) {
            worst.push(*wait);
        }
    }
    worst.truncate(causes);
    let behind: Vec<Wait> = worst.iter().map(|&wait| analysis.bottleneck_behind(wait)).collect();
    worst.extend(behind);
    if worst.is_empty() {
        worst.extend(analysis.chain.last());
    }
    let mut tried: Vec<WhatIf> = Vec::new();
    for wait in worst {
        for change in remedies(subject, wait) {
            if tried.iter().all(|other| other.change != change) {
                let cycles = change.run(subject);
                tried.push(WhatIf { wait, change, cycles });
            }
        }
    }
    tried
}

/// What may help against `wait`. A wait for another layer is helped there: its chain leads to that.
fn remedies(subject: &Subject<'_>, wait: Wait) -> Vec<Change> {
    let arch = subject.arch;
    let twice = |key, value: f64| (key, value, 2.0 * value);
    match wait.cause {
        // Inputs pass the eDRAM port and the bus, so one alone would help little.
        Cause::Bus => vec![Change::Machine(vec![
            twice("bus.bytes_per_cycle", arch.bus.bytes_per_cycle.into()),
            twice("edram.bytes_per_cycle", arch.edram.bytes_per_cycle.into()),
        ])],
        Cause::OutputRegister => {
            vec![Change::Machine(vec![twice("tile.output_register_bytes", arch.tile.output_register_bytes.into())])]
        }
        Cause::DownstreamBuffer => vec![Change::Machine(vec![twice("edram.bytes", arch.edram.bytes.into())])],
        Cause::Mesh => {
            let mut changes = vec![Change::Machine(vec![twice("router.clock_ghz", arch.router.clock_ghz)])];
            if arch.board.chips > 1 {
                let rate = arch.hyper_transport.gigabytes_per_second;
                changes.push(Change::Machine(vec![twice("hyper_transport.gigabytes_per_second", rate)]));
            }
            changes
        }
        Cause::Computing if !subject.layout.layers[wait.layer].is_fully_connected() => {
            let layer = &subject.layout.mapping.layers[wait.layer];
            let from = layer.copies.len();
            vec![Change::Copies { layer: wait.layer, from, to: from + layer.strips as usize }]
        }
        _ => Vec::new(),
    }
}

impl Change {
    /// Cycles of the run with the change.
    fn run(&self, subject: &Subject<'_>) -> Result<u64, String> {
        let Subject { network, plan, layout, options, .. } = *subject;
        let (mut arch, mut mapping) = (subject.arch.clone(), layout.mapping.clone());
        self.apply(&mut arch, &mut mapping, layout);
        let layout = Layout::new(&arch, network, plan, mapping).map_err(|errors| errors[0].to_string())?;
        let outcome = chip::run(&arch, &layout, options).map_err(|error| error.to_string())?;
        Ok(outcome.cycles)
    }

    /// Makes the change.
    pub fn apply(&self, arch: &mut Arch, mapping: &mut Mapping, layout: &Layout) {
        match self {
            Change::Machine(fields) => {
                for &(key, _, value) in fields {
                    set(arch, key, value);
                }
            }
            Change::Copies { layer, .. } => add_copies(arch, mapping, layout, *layer),
        }
    }
}

fn set(arch: &mut Arch, key: &str, value: f64) {
    // Whole numbers up to 2^32 are exact in a double; what is larger stays at the most there can be.
    let whole = value as u32;
    match key {
        "bus.bytes_per_cycle" => arch.bus.bytes_per_cycle = whole,
        "edram.bytes_per_cycle" => arch.edram.bytes_per_cycle = whole,
        "edram.bytes" => arch.edram.bytes = whole,
        "tile.output_register_bytes" => arch.tile.output_register_bytes = whole,
        "router.clock_ghz" => arch.router.clock_ghz = value,
        "hyper_transport.gigabytes_per_second" => arch.hyper_transport.gigabytes_per_second = value,
        _ => unreachable!("remedies change no {key}"),
    }
}

/// Gives each strip of layer `layer` one more copy, in tiles behind all that is mapped.
fn add_copies(arch: &Arch, mapping: &mut Mapping, layout: &Layout, layer: usize) {
    let per_tile = arch.tile.imas;
    let ends = layout.layers.iter().flat_map(|layer| {
        let imas = layer.geometry.imas_per_copy();
        layer.copies.iter().map(move |first| first + imas)
    });
    let mut next = ends.max().unwrap_or(0).next_multiple_of(per_tile);
    let imas = layout.layers[layer].geometry.imas_per_copy();
    let mapped = &mut mapping.layers[layer];
    let strips: Vec<Vec<u32>> = mapped.copies.chunks(mapped.interleave as usize).map(<[u32]>::to_vec).collect();
    mapped.copies.clear();
    for strip in strips {
        // A copy is not cut by the end of a tile that could hold it, and a larger one begins with a tile.
        let left = per_tile - next % per_tile;
        if left < imas.min(per_tile) {
            next += left;
        }
        mapped.copies.extend(strip);
        mapped.copies.push(next);
        next = next.saturating_add(imas);
    }
    mapped.interleave += 1;
}

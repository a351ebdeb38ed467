//! What a change of the machine or of the mapping would gain, found by running it.

use arch::Arch;
use chip::{Cause, Options};
use mapper::{LayerMapping, Layout, Mapping};
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
    /// More copies of a layer, one for each of its strips, in tiles of their own behind that strip's; what lies behind
    /// moves on.
    Copies {
        /// Number of the layer in the network.
        layer: usize,
        /// Copies now.
        from: usize,
        /// Copies tried.
        to: usize,
        /// Strips of the map with these.
        strips: u32,
        /// Copies that share a strip.
        interleave: u32,
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
/// against what they lead back to. What helps most comes first.
pub fn what_ifs(subject: &Subject<'_>, analysis: &Analysis, causes: usize) -> Vec<WhatIf> {
    let mut worst: Vec<Wait> = Vec::new();
    for wait in analysis.waits_that_matter() {
        if worst.iter().all(|other| other.cause != wait.cause) {
            worst.push(wait);
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
    tried.sort_by_key(|tried| tried.cycles.as_ref().map_or(u64::MAX, |&cycles| cycles));
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
        Cause::ImaOutputRegister if arch.ima.output_registers < 7 => {
            let now = f64::from(arch.ima.output_registers);
            vec![Change::Machine(vec![("ima.output_registers", now, (2.0 * now).min(7.0))])]
        }
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
        Cause::Computing if !subject.layout.layers[wait.layer].is_fully_connected() => more_copies(subject, wait.layer),
        _ => Vec::new(),
    }
}

/// One more copy in each strip of a layer: they take the strip's rows in turn, or each a part of its columns.
fn more_copies(subject: &Subject<'_>, layer: usize) -> Vec<Change> {
    let LayerMapping { strips, interleave, ref copies, .. } = subject.layout.mapping.layers[layer];
    let (from, to) = (copies.len(), copies.len() + strips as usize);
    let columns = subject.layout.layers[layer].layer.output.width;
    let in_turn = Change::Copies { layer, from, to, strips, interleave: interleave + 1 };
    let beside = Change::Copies { layer, from, to, strips: 2 * strips, interleave };
    if interleave == 1 && 2 * strips <= columns { vec![beside, in_turn] } else { vec![in_turn] }
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
            Change::Copies { layer, strips, interleave, .. } => {
                add_copies(arch, mapping, layout, *layer);
                mapping.layers[*layer].strips = *strips;
                mapping.layers[*layer].interleave = *interleave;
            }
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
        "ima.output_registers" => arch.ima.output_registers = whole,
        "tile.output_register_bytes" => arch.tile.output_register_bytes = whole,
        "router.clock_ghz" => arch.router.clock_ghz = value,
        "hyper_transport.gigabytes_per_second" => arch.hyper_transport.gigabytes_per_second = value,
        _ => unreachable!("remedies change no {key}"),
    }
}

/// Gives each strip of layer `layer` one more copy, in tiles of its own behind the strip's copies. All that lies behind
/// moves on by as many tiles: layers that exchange data stay neighbours.
fn add_copies(arch: &Arch, mapping: &mut Mapping, layout: &Layout, layer: usize) {
    let per_tile = arch.tile.imas;
    let sizes: Vec<u32> = layout.layers.iter().map(|layer| layer.geometry.imas_per_copy()).collect();
    let room = sizes[layer].next_multiple_of(per_tile);
    let LayerMapping { strips, interleave, .. } = mapping.layers[layer];
    // From the last strip on, so that those before it stay where they are.
    for strip in (0..strips).rev() {
        let copies = (strip * interleave) as usize..((strip + 1) * interleave) as usize;
        let behind = mapping.layers[layer].copies[copies.clone()].iter().max().map_or(0, |first| first + sizes[layer]);
        let mut place = behind.next_multiple_of(per_tile);
        // No copy is cut in two.
        while let Some(end) = (mapping.layers.iter().zip(&sizes))
            .flat_map(|(mapped, size)| mapped.copies.iter().map(move |first| (*first, first + size)))
            .find_map(|(first, end)| (first < place && place < end).then_some(end))
        {
            place = end.next_multiple_of(per_tile);
        }
        for first in mapping.layers.iter_mut().flat_map(|mapped| &mut mapped.copies) {
            if *first >= place {
                *first = first.saturating_add(room);
            }
        }
        mapping.layers[layer].copies.insert(copies.end, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_copy_lies_behind_those_of_its_strip_and_the_rest_moves_on() {
        let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        let plan = Plan::uniform(&network, 16, 16);
        let layout = mapper::balance(&arch, &network, &plan).unwrap();
        for layer in 0..layout.layers.len() {
            let (mut changed, mut arch) = (layout.mapping.clone(), arch.clone());
            arch.chip.tile_rows *= 4;
            let before = changed.layers[layer].copies.len();
            let LayerMapping { strips, interleave, .. } = changed.layers[layer];
            let (to, interleave) = (before + strips as usize, interleave + 1);
            Change::Copies { layer, from: before, to, strips, interleave }.apply(&mut arch, &mut changed, &layout);
            assert_eq!(changed.layers[layer].copies.len(), to);
            let order = |mapping: &Mapping| {
                let mut copies: Vec<(u32, usize)> = (mapping.layers.iter().enumerate())
                    .flat_map(|(of, mapped)| mapped.copies.iter().map(move |&first| (first, of)))
                    .collect();
                copies.sort_unstable();
                copies.into_iter().map(|(_, of)| of).collect::<Vec<_>>()
            };
            // The others follow each other as before.
            let others = |mapping: &Mapping| order(mapping).into_iter().filter(|&of| of != layer).collect::<Vec<_>>();
            assert_eq!(others(&changed), others(&layout.mapping));
            Layout::new(&arch, &network, &plan, changed).expect("it fits on a larger machine");
        }
    }
}

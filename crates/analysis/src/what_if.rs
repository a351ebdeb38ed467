//! Single changes of the machine or the mapping, each simulated and compared with the run as it is.
//!
//! Each bottleneck and each wait has a list of remedies: a doubled rate or size of the resource concerned, or one more
//! replica in each strip of the layer concerned. Every remedy is simulated alone, with everything else unchanged, so
//! gains of several remedies do not add up.

use arch::{Arch, MOST_OUTPUT_REGISTERS};
use chip::{Cause, Options, Outcome, Routed};
use index::Index;
use mapper::{LayerMapping, Layout, Mapping, ReplicaId};
use network::{LayerId, Network, Plan};

use crate::{Analysis, Bound, Kind, Resource, Wait};

/// Run to be changed, with all inputs needed to repeat it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Machine.
    pub arch: &'a Arch,
    /// Network.
    pub network: &'a Network,
    /// Precision and crops.
    pub plan: &'a Plan,
    /// Mapping of the network to the machine, laid out.
    pub layout: &'a Layout,
    /// Options of the run.
    pub options: &'a Options,
}

/// Target of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Against {
    /// Bottleneck: a resource at the bound or near it.
    Bottleneck(Resource),
    /// Wait of a layer.
    Wait(Wait),
}

/// Change of the machine or of the mapping.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Keys of the arch file: dotted key, present value, value tried.
    Machine(Vec<(&'static str, f64, f64)>),
    /// One more replica for each strip of a layer, in tiles of its own after the strip's other replicas. All later
    /// replicas move to higher tiles.
    Replicas {
        /// Index of the layer in the network.
        layer: usize,
        /// Present number of replicas.
        from: u32,
        /// Number of replicas tried.
        to: u32,
        /// Strips of the map with the replicas tried.
        strips: u32,
        /// Replicas per strip.
        interleave: u32,
    },
}

/// Result of a change.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// Target of the change.
    pub against: Against,
    /// Change that was made.
    pub change: Change,
    /// Cycles of the changed run, or the reason why it could not be run.
    pub gave: Result<Gave, String>,
}

/// Cycles of a changed run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gave {
    /// [`Measure`] of the run, in cycles.
    pub cycles: f64,
    /// Bound of the changed run, in cycles per image.
    pub bound: f64,
}

/// Quantity by which runs are compared, with its value in the unchanged run. Intervals are compared if that run is
/// settled, latencies of the first image otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Mean cycles from one image to the next; requires settled runs.
    Interval(f64),
    /// Cycles from the fetch of the first image's first inputs to its last result.
    FirstLatency(f64),
}

impl Measure {
    /// Returns the measure for comparisons with `outcome`, whose bound is `bound` cycles per image; `None` if no result
    /// depends on the first inputs.
    pub fn of(outcome: &Outcome, bound: f64) -> Option<Measure> {
        match outcome.pace(bound) {
            Ok(pace) => Some(Measure::Interval(pace.cycles_per_image)),
            Err(_) => outcome.latency_of(0).map(|cycles| Measure::FirstLatency(cycles as f64)),
        }
    }

    /// Returns the cycles of the unchanged run.
    pub fn before(self) -> f64 {
        let (Measure::Interval(cycles) | Measure::FirstLatency(cycles)) = self;
        cycles
    }

    /// Returns the same quantity of another run, whose bound is `bound` cycles per image.
    fn again(self, outcome: &Outcome, bound: f64) -> Result<f64, String> {
        match self {
            Measure::Interval(_) => {
                outcome.pace(bound).map(|pace| pace.cycles_per_image).map_err(|why| why.to_string())
            }
            Measure::FirstLatency(_) => {
                let latency = outcome.latency_of(0).ok_or("no result depends on the first inputs")?;
                Ok(latency as f64)
            }
        }
    }
}

/// Simulates the remedies for the bottlenecks of `analysis` (one of each kind), for the longest wait of each of the
/// `causes` worst causes, and for the ends of the chains of these waits.
///
/// The results are sorted by cycles, the largest gain first; changes that could not be run come last. A change that is
/// a remedy for several targets is run once, for the first of them.
pub fn what_ifs(subject: &Subject<'_>, measure: Measure, analysis: &Analysis, causes: usize) -> Vec<WhatIf> {
    let mut bottlenecks: Vec<&Resource> = Vec::new();
    for resource in analysis.bound.bottlenecks() {
        if bottlenecks.iter().all(|other| other.kind != resource.kind) {
            bottlenecks.push(resource);
        }
    }
    let mut worst: Vec<Wait> = Vec::new();
    for wait in analysis.waits_that_matter() {
        if worst.iter().all(|other| other.cause != wait.cause) {
            worst.push(wait);
        }
    }
    worst.truncate(causes);
    let behind: Vec<Wait> = worst.iter().map(|&wait| analysis.end_of_chain(wait)).collect();
    let bottlenecks = bottlenecks.into_iter().cloned().map(Against::Bottleneck);
    let mut tried: Vec<WhatIf> = Vec::new();
    for against in bottlenecks.chain(worst.into_iter().chain(behind).map(Against::Wait)) {
        for change in against.remedies(subject) {
            if tried.iter().all(|other| other.change != change) {
                let gave = change.run(subject, measure);
                tried.push(WhatIf { against: against.clone(), change, gave });
            }
        }
    }
    let cycles = |tried: &WhatIf| tried.gave.as_ref().map_or(f64::INFINITY, |gave| gave.cycles);
    tried.sort_by(|a, b| cycles(a).total_cmp(&cycles(b)));
    tried
}

impl Against {
    /// Returns the remedies. A wait for another layer has none of its own: the end of its chain has.
    fn remedies(&self, subject: &Subject<'_>) -> Vec<Change> {
        let arch = subject.arch;
        let twice = |key, value: f64| (key, value, 2.0 * value);
        let bus = twice("bus.bytes_per_cycle", arch.bus.bytes_per_cycle.into());
        let edram_port = twice("edram.bytes_per_cycle", arch.edram.bytes_per_cycle.into());
        let routers = twice("router.clock_ghz", arch.router.clock_ghz);
        let links = twice("hyper_transport.gigabytes_per_second", arch.hyper_transport.gigabytes_per_second);
        let fields = match self {
            Against::Bottleneck(resource) => match resource.kind {
                Kind::Crossbars => return more_replicas(subject, layer_named(subject, &resource.layers[0].layer)),
                Kind::Bus => vec![bus],
                Kind::EdramPort => vec![edram_port],
                Kind::RouterPort => vec![routers],
                Kind::Link => vec![links],
            },
            Against::Wait(wait) => match wait.cause {
                Cause::Computing => return more_replicas(subject, wait.layer),
                // Inputs pass the eDRAM port and the bus, so a change of one alone would gain little.
                Cause::Bus => vec![bus, edram_port],
                Cause::ImaOutputRegister if arch.ima.output_registers < MOST_OUTPUT_REGISTERS => {
                    let now = arch.ima.output_registers;
                    let more = (2 * now).min(MOST_OUTPUT_REGISTERS);
                    vec![("ima.output_registers", now.into(), more.into())]
                }
                Cause::OutputRegister => {
                    vec![twice("tile.output_register_bytes", arch.tile.output_register_bytes.into())]
                }
                Cause::DownstreamBuffer => vec![twice("edram.bytes", arch.edram.bytes.into())],
                Cause::Router => vec![routers],
                Cause::Link => vec![links],
                Cause::ImaOutputRegister
                | Cause::Lockstep
                | Cause::MaxPool
                | Cause::Skip
                | Cause::Input
                | Cause::Filling
                | Cause::Finished => return Vec::new(),
            },
        };
        vec![Change::Machine(fields)]
    }
}

fn layer_named(subject: &Subject<'_>, name: &str) -> usize {
    let layer = subject.layout.layers.iter().position(|layer| layer.layer.name == name);
    layer.expect("a bound names layers of its network")
}

/// Returns the ways to add one replica to each strip of a layer: replicas take the rows of a strip in turn, or the
/// strip is cut in two. A fully connected layer has one window, so another replica would be idle.
fn more_replicas(subject: &Subject<'_>, layer: usize) -> Vec<Change> {
    if subject.layout.layers[LayerId::new(layer)].is_fully_connected() {
        return Vec::new();
    }
    let LayerMapping { strips, interleave, .. } = subject.layout.mapping.layers[layer];
    let (from, to) = (strips * interleave, strips * (interleave + 1));
    let columns = subject.layout.layers[LayerId::new(layer)].layer.output.width;
    let in_turn = Change::Replicas { layer, from, to, strips, interleave: interleave + 1 };
    let beside = Change::Replicas { layer, from, to, strips: 2 * strips, interleave };
    if interleave == 1 && 2 * strips <= columns { vec![beside, in_turn] } else { vec![in_turn] }
}

impl Change {
    /// Runs the subject with the change.
    fn run(&self, subject: &Subject<'_>, measure: Measure) -> Result<Gave, String> {
        let Subject { network, plan, layout, options, .. } = *subject;
        let (mut arch, mut mapping) = (subject.arch.clone(), layout.mapping.clone());
        self.apply(&mut arch, &mut mapping, layout);
        let layout = Layout::new(&arch, network, plan, mapping).map_err(|errors| errors[0].to_string())?;
        let routed = Routed::new(&arch, &layout);
        let outcome = routed.run(options).map_err(|error| error.to_string())?;
        let bound = Bound::of(&routed, options.uncontended);
        Ok(Gave { cycles: measure.again(&outcome, bound.cycles)?, bound: bound.cycles })
    }

    /// Applies the change to a machine and a mapping. `layout` is that of the unchanged mapping.
    pub fn apply(&self, arch: &mut Arch, mapping: &mut Mapping, layout: &Layout) {
        match self {
            Change::Machine(fields) => {
                for &(key, _, value) in fields {
                    set(arch, key, value);
                }
            }
            Change::Replicas { layer, strips, interleave, .. } => {
                add_replicas(arch, mapping, layout, *layer);
                mapping.layers[*layer].strips = *strips;
                mapping.layers[*layer].interleave = *interleave;
            }
        }
    }
}

fn set(arch: &mut Arch, key: &str, value: f64) {
    // Integers up to 2^32 are exact in a double; larger ones saturate.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no value is negative")]
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

/// Gives each strip of layer `layer` one more replica, in tiles of its own after the strip's other replicas. All later
/// replicas move by as many tiles, so layers that exchange data stay neighbours.
fn add_replicas(arch: &Arch, mapping: &mut Mapping, layout: &Layout, layer: usize) {
    let per_tile = arch.tile.imas;
    let sizes: Vec<u32> = layout.layers.iter().map(|layer| layer.geometry.imas_per_replica()).collect();
    let room = sizes[layer].next_multiple_of(per_tile);
    let LayerMapping { strips, interleave, .. } = mapping.layers[layer];
    // From the last strip to the first, so that strips not yet visited keep their places.
    for strip in (0..strips).rev() {
        let replicas = ReplicaId(strip * interleave).index()..ReplicaId((strip + 1) * interleave).index();
        let behind =
            mapping.layers[layer].replicas[replicas.clone()].iter().max().map_or(0, |first| first + sizes[layer]);
        let mut place = behind.next_multiple_of(per_tile);
        // A replica that spans the place is not split: the place moves to its end.
        while let Some(end) = (mapping.layers.iter().zip(&sizes))
            .flat_map(|(mapped, size)| mapped.replicas.iter().map(move |first| (*first, first + size)))
            .find_map(|(first, end)| (first < place && place < end).then_some(end))
        {
            place = end.next_multiple_of(per_tile);
        }
        for first in mapping.layers.iter_mut().flat_map(|mapped| &mut mapped.replicas) {
            if *first >= place {
                *first = first.saturating_add(room);
            }
        }
        mapping.layers[layer].replicas.insert(replicas.end, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_replica_lies_behind_those_of_its_strip_and_the_rest_moves_on() {
        let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        let plan = Plan::uniform(&network, 16, 16);
        let layout = mapper::balance(&arch, &network, &plan).unwrap();
        for layer in 0..layout.layers.len() {
            let (mut changed, mut arch) = (layout.mapping.clone(), arch.clone());
            arch.chip.tile_rows *= 4;
            let LayerMapping { strips, interleave, .. } = changed.layers[layer];
            let (from, interleave) = (strips * interleave, interleave + 1);
            let to = strips * interleave;
            Change::Replicas { layer, from, to, strips, interleave }.apply(&mut arch, &mut changed, &layout);
            assert_eq!(changed.layers[layer].replicas.len(), ReplicaId(to).index());
            let order = |mapping: &Mapping| {
                let mut replicas: Vec<(u32, usize)> = (mapping.layers.iter().enumerate())
                    .flat_map(|(of, mapped)| mapped.replicas.iter().map(move |&first| (first, of)))
                    .collect();
                replicas.sort_unstable();
                replicas.into_iter().map(|(_, of)| of).collect::<Vec<_>>()
            };
            // The others follow each other as before.
            let others = |mapping: &Mapping| order(mapping).into_iter().filter(|&of| of != layer).collect::<Vec<_>>();
            assert_eq!(others(&changed), others(&layout.mapping));
            Layout::new(&arch, &network, &plan, changed).expect("it fits on a larger machine");
        }
    }
}

//! Results of a run: counts and stalls of each layer, completion cycles of each image, and the digest.
//!
//! `collect` adds up what the components counted and checks the conservation laws; a failed check is a bug of the
//! simulator and panics. Bits written to a buffer belong to the layer that produced them, and the input image to the
//! layers that read it.

use arch::{Arch, Counts};
use components::{Cause, Completions, Event, Policy, Probe, Stalls};
use des::Cycle;
use index::{IndexVec, count, size};
use mapper::Layout;
use network::{LayerId, MapId};

use crate::counted::Counted;
use crate::deadlock::Deadlock;
use crate::recurrence::{Recurrence, Skipped};
use crate::wiring::Wiring;
use crate::{Board, Options, SimulationError};

/// Results of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Last cycle in which a tile was active; the length of the run in cycles.
    pub cycles: Cycle,
    /// For each image, the cycle in which the first inputs that its results depend on were fetched; empty if no layer
    /// computes anything.
    pub begun: Vec<Cycle>,
    /// For each image, the cycle in which its last result was written; empty if the last layer computes nothing.
    pub images: Vec<Cycle>,
    /// For each of these images, the cycle in which all of it and of the images before was finished: its last result, or
    /// a later output that nobody reads.
    pub complete: Vec<Cycle>,
    /// Hash of every completion and its cycle. Equal runs have equal digests.
    pub digest: u64,
    /// One entry for each layer of the network.
    pub layers: Vec<LayerOutcome>,
    /// Chips with at least one IMA in use.
    pub chips: u32,
    /// Recurrence of the state, if not all images were simulated. All other fields are those of the full run.
    pub recurrence: Option<Recurrence>,
}

/// Results of a run for one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerOutcome {
    /// Counts of all components that worked for the layer.
    pub counts: Counts,
    /// IMA-cycles by cause. Their sum is `imas` times the cycles of the run.
    pub stalls: Stalls,
    /// IMAs of all replicas.
    pub imas: u64,
    /// First cycle in which its inputs were fetched; `None` if it computes nothing.
    pub first_cycle: Option<Cycle>,
    /// Last cycle in which its results were written; `None` if none was.
    pub last_cycle: Option<Cycle>,
}

impl Outcome {
    /// Counts added up over all layers.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.layers.iter().for_each(|layer| counts += &layer.counts);
        counts
    }

    /// Stalls added up over all layers.
    pub fn stalls(&self) -> Stalls {
        let mut stalls = Stalls::default();
        self.layers.iter().for_each(|layer| stalls += &layer.stalls);
        stalls
    }
}

/// A board after a run, and the part of the run that was not simulated.
pub(crate) struct Ended<'a, 'b, P: Policy> {
    pub(crate) board: &'a Board<'b, P>,
    pub(crate) completions: Completions,
    pub(crate) skipped: Option<Skipped>,
}

/// Adds up the counts of the components and checks the conservation laws.
pub(crate) fn collect(
    arch: &Arch,
    layout: &Layout,
    wiring: &Wiring,
    Ended { board, mut completions, skipped }: Ended<impl Policy>,
    options: &Options,
    probe: &mut impl Probe,
) -> Result<Outcome, SimulationError> {
    let mut counted = Counted::new(arch, layout, board);
    if let Some(skipped) = &skipped {
        skipped.add_to(&mut counted);
        completions.repeat(skipped.period(), skipped.times(), skipped.cycles_of_period());
    }
    let skipped_cycles = skipped.as_ref().map_or(0, Skipped::cycles);
    let cycles = completions.images().iter().map(|image| image.last_at).max().unwrap_or(0);
    let (images, awaited) = finished_images(layout, &completions, options);
    let last_of_each = completions.images().iter().take(images.len()).map(|image| image.last_at);
    let complete = last_of_each.scan(0, |last, at| {
        *last = at.max(*last);
        Some(*last)
    });
    if images.len() < size(awaited) {
        let done = (u32::try_from(images.len()).expect("fewer than awaited"), awaited);
        let deadlock = Deadlock::find(layout, wiring, board, cycles, done);
        return Err(SimulationError::Deadlock(Box::new(deadlock)));
    }
    let layer = |(counts, stalls)| LayerOutcome { counts, stalls, ..LayerOutcome::default() };
    let mut layers: IndexVec<LayerId, LayerOutcome> = counted.layers.into_iter().map(layer).collect();
    for tile in &board.tiles {
        for (unit, finished) in tile.finished(cycles, skipped_cycles) {
            let layer = &mut layers[unit.layer];
            layer.stalls.add(Cause::Finished, finished.end - finished.start);
            if !finished.is_empty() {
                probe.observe(|| Event::Wait { unit, cause: Cause::Finished, cycles: finished });
            }
            layer.imas += 1;
        }
        for control in tile.controls() {
            let layer = &mut layers[control.id];
            layer.first_cycle = layer.first_cycle.into_iter().chain(control.first_fetch).min();
        }
        for inputs in tile.slices().iter().filter(|inputs| inputs.last_written_at > 0) {
            if let Some((producer, _)) = layout.maps[inputs.map()].source {
                let layer = &mut layers[producer];
                layer.last_cycle = layer.last_cycle.max(Some(inputs.last_written_at + skipped_cycles));
            }
        }
    }
    let results: Vec<_> = layout.results().collect();
    for tile in &board.tiles {
        for (&(_, layer), written) in results.iter().zip(tile.results().maps()).filter(|(_, of)| of.bits > 0) {
            layers[layer].last_cycle = layers[layer].last_cycle.max(Some(written.last_at + skipped_cycles));
        }
    }
    for ((reader, _), slice) in layout.receivers(MapId::INPUT) {
        let bits = u64::from(slice.order.positions) * slice.position_bits * u64::from(options.images);
        let counts = &mut layers[reader].counts;
        counts.host_bits_written += bits;
        counts.edram_bits_written += bits;
    }
    let outcome = Outcome {
        cycles,
        begun: completions.images().iter().filter_map(|image| image.begun).collect(),
        complete: complete.collect(),
        images,
        digest: completions.digest(),
        layers: layers.into_iter().collect(),
        chips: used_chips(arch, layout),
        recurrence: skipped.map(|skipped| skipped.recurrence(options.images)),
    };
    assert_eq!(completions.complete(), completions.images().len(), "an image misses completions");
    check(&outcome, layout, options);
    Ok(outcome)
}

/// Completion cycle of each image, up to the first unfinished one, and the number of images that must finish: 0 if the
/// last layer computes nothing.
fn finished_images(layout: &Layout, completions: &Completions, options: &Options) -> (Vec<Cycle>, u32) {
    let expected = results_per_image(layout);
    let awaited = if expected > 0 { options.images } else { 0 };
    let finished = completions.images().iter().take_while(|image| image.results == expected);
    (finished.take(size(awaited)).map(|image| image.last_result_at).collect(), awaited)
}

/// Packets of results of an image.
pub(crate) fn results_per_image(layout: &Layout) -> u64 {
    let of_result = |(map, layer): (MapId, LayerId)| {
        let level = layout.level(map).expect("a layer finishes the results");
        let groups = layout.layers[layer].groups.iter().filter(|group| level.values(group) > 0);
        let finishes = layout.finishes(map).expect("a layer finishes the results");
        count(finishes.iter().flatten().count() * groups.count())
    };
    layout.results().map(of_result).sum()
}

fn used_chips(arch: &Arch, layout: &Layout) -> u32 {
    let per_chip = arch.tiles_per_chip() * arch.tile.imas;
    let mut chips: Vec<u32> = layout
        .layers
        .iter()
        .flat_map(|layer| {
            let imas = layer.geometry.imas_per_replica();
            layer.replicas.iter().flat_map(move |&first| first / per_chip..=(first + imas - 1) / per_chip)
        })
        .collect();
    chips.sort_unstable();
    chips.dedup();
    u32::try_from(chips.len()).expect("chips are numbered in 32 bits")
}

/// Checks the conservation laws, which hold after every run.
fn check(outcome: &Outcome, layout: &Layout, options: &Options) {
    for (layer, layout) in outcome.layers.iter().zip(&layout.layers) {
        let name = &layout.layer.name;
        assert_eq!(layer.stalls.total(), layer.imas * outcome.cycles, "the cycles of {name} do not add up");
        let windows = layout.computed_windows() * u64::from(options.images);
        assert_eq!(layer.counts.windows, windows, "{name} did not finish all its windows");
        let (sent, written) = (layer.counts.result_bits_sent, layer.counts.edram_bits_written);
        assert_eq!(sent + layer.counts.host_bits_written, written, "bits of {name} were lost on their way");
        let computing = layer.stalls[Cause::Computing];
        assert!(computing <= layer.imas * outcome.cycles, "{name} computed longer than the run lasted");
    }
}

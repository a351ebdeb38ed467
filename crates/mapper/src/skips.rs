//! Room of input slices where paths of the network meet.
//!
//! A layer that reads several maps holds back each of them until the others are there. A layer from which the paths to
//! these maps part stops as soon as one of its positions finds no room; then the other paths starve, and a buffer that
//! holds only what a step reads may never be read. The *through-path rule* sizes the buffers: for each step of a layer,
//! there is room for all positions that are produced up to the last step of the fork which any window up to this step
//! needs through the other paths.
//!
//! Steps are those of whole layers: replicas finish positions of the same step at about the same time, and limits of
//! buffers count positions in the order of steps. A step needs what all replicas need in it.

use std::collections::BTreeMap;

use index::{IndexVec, size};
use network::{Layer, LayerId, MapId, Part};

use crate::layer_layout::sources;
use crate::{Finishes, LayerLayout, Layout, Window};

/// For each step of a layer, the number of steps of another that must have been done.
type Steps = Vec<u32>;

/// Steps of producers for which input slices need room, by layer and map.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    through: BTreeMap<(LayerId, MapId), Steps>,
}

impl Needs {
    /// Applies the through-path rule to the layers of `layout`, which need no input slices yet.
    pub(crate) fn new(layout: &Layout) -> Self {
        let sources: IndexVec<LayerId, Vec<MapId>> = layout.layers.iter().map(of_layer).collect();
        let mut needs = Self::default();
        if sources.iter().all(|maps| maps.len() < 2) {
            return needs;
        }
        // Steps of each layer before it that a layer needs, and those of its producers, map by map.
        let mut before: IndexVec<LayerId, BTreeMap<LayerId, Steps>> = IndexVec::default();
        let mut direct: IndexVec<LayerId, Vec<(MapId, LayerId, Steps)>> = IndexVec::default();
        for (id, maps) in sources.enumerate() {
            let layer = &layout.layers[id];
            // The host has no steps: it keeps buffers filled.
            let produced = maps.iter().filter_map(|&map| {
                let (producer, _) = layout.maps[map].source?;
                Some((map, producer, directly_needed(layer, map, layout.finishes(map)?)))
            });
            let produced: Vec<(MapId, LayerId, Steps)> = produced.collect();
            for (map, producer, _) in produced.iter().filter(|_| produced.len() > 1) {
                let others = produced.iter().filter(|(of, ..)| of != map);
                let others = others.map(|(_, other, needed)| (*other, needed.clone()));
                let through = through(*producer, others, layer.steps, &before, &direct);
                needs.through.insert((id, *map), through);
            }
            let mut ancestors: BTreeMap<LayerId, Steps> = BTreeMap::new();
            let mut raise = |ancestor: LayerId, steps: &mut dyn Iterator<Item = u32>| {
                let all = ancestors.entry(ancestor).or_insert_with(|| vec![0; layer.steps]);
                all.iter_mut().zip(steps).for_each(|(all, step)| *all = (*all).max(step));
            };
            for (_, producer, steps) in &produced {
                raise(*producer, &mut steps.iter().copied());
                for (ancestor, of_producer) in &before[*producer] {
                    raise(*ancestor, &mut steps.iter().map(|&step| steps_for(of_producer, step)));
                }
            }
            before.push(ancestors);
            direct.push(produced);
        }
        needs
    }

    /// Returns, for each step of `layer`, the steps of the producer of `map` whose positions must find room; `None` if the
    /// layer reads no other map.
    pub(crate) fn through(&self, layer: LayerId, map: MapId) -> Option<&[u32]> {
        self.through.get(&(layer, map)).map(Vec::as_slice)
    }
}

/// Returns the steps that the first `steps` steps of a layer need, by what each of them needs.
fn steps_for(needed: &[u32], steps: u32) -> u32 {
    steps.checked_sub(1).map_or(0, |last| needed[size(last)])
}

/// Returns the maps that a layer reads or merges.
fn of_layer(layer: &LayerLayout) -> Vec<MapId> {
    let operands = layer.levels.iter().flat_map(|level| &level.merges).flat_map(|merge| &merge.parts);
    let parts: Vec<Part> = layer.reads.iter().chain(operands).cloned().collect();
    sources(&parts)
}

/// Returns the steps of the producer of `map` that each step of `layer` needs, and all steps before it.
fn directly_needed(layer: &LayerLayout, map: MapId, finishes: &Finishes) -> Steps {
    let mut needed = vec![0; layer.steps];
    if layer.sources().contains(&map) {
        let Layer { kernel, input, .. } = &layer.layer;
        for replica in layer.replicas.indices() {
            for (needed, Window { y, x, .. }) in needed.iter_mut().zip(layer.windows(replica)) {
                for row in kernel.rows((*y).into(), input.height).step_by(size(kernel.dilation.y)) {
                    let columns = kernel.columns((*x).into(), input.width);
                    let read = finishes.between(row, &columns).iter().step_by(size(kernel.dilation.x));
                    *needed = read.flatten().map(|finish| finish.step + 1).fold(*needed, u32::max);
                }
            }
        }
    }
    for level in layer.levels.iter().filter(|level| level.has_operand(map)) {
        for replica in layer.replicas.indices() {
            for (step, (y, x)) in layer.merging(level, replica) {
                let needed = &mut needed[size(step)];
                *needed = finishes.at(y, x).map_or(*needed, |finish| (*needed).max(finish.step + 1));
            }
        }
    }
    let mut most = 0;
    for needed in &mut needed {
        most = most.max(*needed);
        *needed = most;
    }
    needed
}

/// Returns, for each step of a layer, the steps of `producer` that it may do before `others`, with the steps that the layer
/// needs of them, have what they need. The paths back from these end at layers that `producer` needs, too: a path beyond
/// such a fork starves no earlier than the fork itself.
fn through(
    producer: LayerId,
    others: impl Iterator<Item = (LayerId, Steps)>,
    steps: usize,
    before: &IndexVec<LayerId, BTreeMap<LayerId, Steps>>,
    direct: &IndexVec<LayerId, Vec<(MapId, LayerId, Steps)>>,
) -> Steps {
    let mut through = vec![0; steps];
    let mut needed: BTreeMap<LayerId, Steps> = BTreeMap::new();
    let raise = |needed: &mut BTreeMap<LayerId, Steps>, of: LayerId, more: Steps| match needed.get_mut(&of) {
        Some(all) => all.iter_mut().zip(more).for_each(|(all, more)| *all = (*all).max(more)),
        None => _ = needed.insert(of, more),
    };
    others.for_each(|(other, steps)| raise(&mut needed, other, steps));
    // Producers precede consumers, so a layer comes after all through which the paths lead to it.
    while let Some((of, steps)) = needed.pop_last() {
        let of_producer = before[producer].get(&of);
        if of != producer && of_producer.is_none() {
            for (_, next, direct) in &direct[of] {
                raise(&mut needed, *next, steps.iter().map(|&step| steps_for(direct, step)).collect());
            }
            continue;
        }
        for (through, step) in through.iter_mut().zip(steps) {
            // Steps of the producer that need no more of the fork.
            let allowed = of_producer.map_or(step, |needed| {
                u32::try_from(needed.partition_point(|&needed| needed <= step)).expect("steps have 32 bits")
            });
            *through = (*through).max(allowed);
        }
    }
    through
}

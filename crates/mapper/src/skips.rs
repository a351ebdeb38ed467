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
use network::{Kernel, LayerId, MapId};

use crate::{LayerLayout, Layout, Level, Window};

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
        let sources: IndexVec<LayerId, Vec<(MapId, Kernel)>> = layout.layers.iter().map(of_layer).collect();
        let mut needs = Self::default();
        if sources.iter().all(|maps| maps.len() < 2) {
            return needs;
        }
        let dominators = dominators(layout, &sources);
        // Steps of each layer before it that a layer needs.
        let mut before: IndexVec<LayerId, BTreeMap<LayerId, Steps>> = IndexVec::default();
        for (id, maps) in sources.enumerate() {
            let layer = &layout.layers[id];
            // The host has no steps: it keeps buffers filled.
            let produced = maps.iter().filter_map(|(map, kernel)| {
                let (producer, level) = layout.maps[*map].source?;
                Some((*map, producer, direct(layer, kernel, &layout.layers[producer].levels[level])))
            });
            let produced: Vec<(MapId, LayerId, Steps)> = produced.collect();
            for (map, producer, _) in &produced {
                let mut through = vec![0; layer.steps()];
                for (_, other, needed) in produced.iter().filter(|(of, ..)| of != map) {
                    let first = common_dominator(&dominators, *producer, *other);
                    let forks =
                        layout.layers.indices().filter(|fork| Some(*fork) >= first && *fork <= *producer.max(other));
                    for fork in forks {
                        let to = |end: LayerId| before[end].get(&fork);
                        let is_ancestor = |end: LayerId| end == fork || to(end).is_some();
                        if !(is_ancestor(*producer) && is_ancestor(*other)) {
                            continue;
                        }
                        for (through, &needed) in through.iter_mut().zip(needed) {
                            let of_fork =
                                if *other == fork { needed } else { steps_for(&before[*other][&fork], needed) };
                            // Steps of the producer that need no more of the fork.
                            let produced = match to(*producer) {
                                Some(steps) if *producer != fork => {
                                    u32::try_from(steps.partition_point(|&step| step <= of_fork))
                                        .expect("steps have 32 bits")
                                }
                                _ => of_fork,
                            };
                            *through = (*through).max(produced);
                        }
                    }
                }
                if produced.len() > 1 {
                    needs.through.insert((id, *map), through);
                }
            }
            let mut ancestors: BTreeMap<LayerId, Steps> = BTreeMap::new();
            let mut raise = |ancestor: LayerId, steps: &mut dyn Iterator<Item = u32>| {
                let all = ancestors.entry(ancestor).or_insert_with(|| vec![0; layer.steps()]);
                all.iter_mut().zip(steps).for_each(|(all, step)| *all = (*all).max(step));
            };
            for (_, producer, steps) in &produced {
                raise(*producer, &mut steps.iter().copied());
                for (ancestor, of_producer) in &before[*producer] {
                    raise(*ancestor, &mut steps.iter().map(|&step| steps_for(of_producer, step)));
                }
            }
            before.push(ancestors);
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

/// Returns the maps that a layer reads or merges, each with the kernel of its windows.
fn of_layer(layer: &LayerLayout) -> Vec<(MapId, Kernel)> {
    let read = layer.sources().into_iter().map(|map| (map, layer.layer.kernel));
    let operands = layer.levels.iter().flat_map(|level| &level.merges).flat_map(|merge| &merge.parts);
    let mut maps: Vec<_> = read.chain(operands.map(|part| (part.map, Kernel::square(1, 1, 0)))).collect();
    let mut known: Vec<MapId> = Vec::new();
    maps.retain(|(map, _)| {
        let is_new = !known.contains(map);
        known.push(*map);
        is_new
    });
    maps
}

/// Returns the steps of the producer that each step of `layer` needs, and all steps before it.
fn direct(layer: &LayerLayout, kernel: &Kernel, level: &Level) -> Steps {
    let mut needed = vec![0; layer.steps()];
    for replica in layer.replicas.indices() {
        for (needed, Window { y, x, .. }) in needed.iter_mut().zip(layer.windows(replica)) {
            for row in kernel.rows((*y).into(), level.height).step_by(size(kernel.dilation.y)) {
                let columns = kernel.columns((*x).into(), level.width);
                let read = level.finishes_between(row, &columns).iter().step_by(size(kernel.dilation.x));
                *needed = read.flatten().map(|finish| finish.step + 1).fold(*needed, u32::max);
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

/// Returns, for each layer, the last layer before it that all paths from the host to it pass; `None` is the host.
fn dominators(
    layout: &Layout,
    sources: &IndexVec<LayerId, Vec<(MapId, Kernel)>>,
) -> IndexVec<LayerId, Option<LayerId>> {
    let mut dominators: IndexVec<LayerId, Option<LayerId>> = IndexVec::default();
    for maps in sources {
        let producers = maps.iter().map(|(map, _)| layout.maps[*map].source.map(|(producer, _)| producer));
        let common = producers.reduce(|a, b| match (a, b) {
            (Some(a), Some(b)) => common_dominator(&dominators, a, b),
            _ => None,
        });
        dominators.push(common.flatten());
    }
    dominators
}

/// Returns the last layer that all paths from the host to `a` and to `b` pass, perhaps one of them; `None` is the host.
fn common_dominator(dominators: &IndexVec<LayerId, Option<LayerId>>, a: LayerId, b: LayerId) -> Option<LayerId> {
    let (mut a, mut b) = (Some(a), Some(b));
    // Producers precede consumers, so the later one cannot dominate the other.
    while a != b {
        let later = if a > b { &mut a } else { &mut b };
        *later = later.and_then(|layer| dominators[layer]);
    }
    a
}

use arch::{Arch, Counts};
use components::{Policy, Stalls};
use index::IndexVec;
use mapper::Layout;
use network::LayerId;

use crate::Board;

/// Sums of what the components have counted up to a cycle, in the midst of a run or at its end.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// Counts and stalls of each layer.
    pub(crate) layers: IndexVec<LayerId, (Counts, Stalls)>,
}

impl Counted {
    /// Adds up what the components of `board` have counted.
    pub(crate) fn new(arch: &Arch, layout: &Layout, board: &Board<impl Policy>) -> Self {
        let mut layers: IndexVec<LayerId, (Counts, Stalls)> = IndexVec::filled(Default::default(), layout.layers.len());
        let results: Vec<_> = layout.results().collect();
        let crossbar_cells = u64::from(arch.crossbar.rows) * u64::from(arch.crossbar.columns);
        for tile in &board.tiles {
            tile.visit_counts(crossbar_cells, |layer, counts| layers[layer].0 += counts);
            for control in tile.controls() {
                layers[control.id].1 += &control.stalls;
            }
            // Writes count for the layer that produced them.
            for inputs in tile.slices() {
                if let Some((producer, _)) = layout.maps[inputs.map()].source {
                    layers[producer].0.edram_bits_written += inputs.bits_written;
                }
            }
            for (&(_, layer), written) in results.iter().zip(tile.results().maps()) {
                layers[layer].0.edram_bits_written += written.bits;
            }
        }
        for mesh in &board.meshes {
            layers.iter_mut().zip(&mesh.flit_hops).for_each(|(layer, hops)| layer.0.router_flit_hops += hops);
        }
        for link in &board.links {
            layers.iter_mut().zip(&link.bits).for_each(|(layer, bits)| layer.0.link_bits += bits);
        }
        Self { layers }
    }

    /// Adds the increase from `earlier` to `later` in the run, `times` times.
    pub(crate) fn add_increase(&mut self, earlier: &Self, later: &Self, times: u64) {
        for (mine, (earlier, later)) in self.layers.iter_mut().zip(earlier.layers.iter().zip(&later.layers)) {
            mine.0.add_increase(&earlier.0, &later.0, times);
            mine.1.add_increase(&earlier.1, &later.1, times);
        }
    }
}

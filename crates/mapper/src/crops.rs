//! Positions that a plan leaves of a network.
//!
//! A position is stored after a layer if its window is computed, after a pool if a position under its window is, after
//! an addition if either operand is, and after any other stage if it was. The mean of a whole map is always stored. A
//! position may so be stored though all windows under it are cropped. The last of them is then *kept*: it passes through
//! the tiles for what is added on the way.

use index::{IndexVec, size};
use network::{Kernel, Layer, LayerId, LayerPlan, Map, MapId, Network, Operation, Plan, Shape};

/// True for some positions of a grid, row by row; `None` stands for all of them.
type Mask = Option<Vec<bool>>;

/// Positions that a plan leaves of a network.
pub(crate) struct Crops {
    /// Windows of each layer that are computed or kept.
    passing: IndexVec<LayerId, Mask>,
    /// Stored positions of each map.
    stored: IndexVec<MapId, Mask>,
}

impl Crops {
    /// Finds the positions that `plan` leaves of `network`.
    pub(crate) fn new(network: &Network, plan: &Plan) -> Self {
        let layers = || network.layers.iter().zip(&plan.layers);
        let mut crops = Self {
            passing: layers().map(|(layer, plan)| computed(layer, plan)).collect(),
            stored: IndexVec::default(),
        };
        let computed = crops.passing.clone();
        for map in &network.maps {
            let layer = map.producer.layer().and_then(|id| Some((id, computed[id].as_ref()?)));
            let stored = layer.map(|(id, computed)| {
                let (stored, kept) = crops.finish(&network.layers[id], map, computed.clone());
                let passing = crops.passing[id].as_mut().expect("some windows are cropped");
                for window in kept {
                    passing[window] = true;
                }
                stored
            });
            crops.stored.push(stored.filter(|stored| stored.contains(&false)));
        }
        crops
    }

    /// True if the window of a layer at row `y` and column `x` of `width` is computed or kept.
    pub(crate) fn passes(&self, layer: LayerId, y: u32, x: u32, width: u32) -> bool {
        self.passing[layer].as_ref().is_none_or(|passing| passing[size(y * width + x)])
    }

    /// Returns, for each position of a map, whether it is stored; `None` if all are.
    pub(crate) fn stored(&self, map: MapId) -> Option<&[bool]> {
        self.stored[map].as_deref()
    }

    /// Takes the `stored` windows of `layer` through the stages of `map`. Returns its stored positions, and the windows
    /// that are kept for them.
    fn finish(&self, layer: &Layer, map: &Map, mut stored: Vec<bool>) -> (Vec<bool>, Vec<usize>) {
        // Pools so far, each with the size of the values that it takes.
        let mut pools: Vec<(Kernel, Shape)> = Vec::new();
        let mut kept = Vec::new();
        for (stage, shape) in map.stages.iter().zip(map.shapes(layer.output)) {
            let is_mean_of_all = match &stage.operation {
                Operation::Activation(_) | Operation::Affine(_) => continue,
                Operation::Add(operand) => {
                    let operands: Vec<_> = operand.iter().map(|part| self.stored(part.map)).collect();
                    let is_added = |position: usize| operands.iter().any(|of| of.is_none_or(|of| of[position]));
                    for (position, stored) in stored.iter_mut().enumerate() {
                        if !*stored && is_added(position) {
                            *stored = true;
                            kept.push(last_under(position, shape.width, &pools));
                        }
                    }
                    continue;
                }
                Operation::MaxPool(_) => false,
                Operation::AveragePool { kernel, .. } => *kernel == Kernel::covering(shape),
            };
            let kernel = *stage.operation.kernel().expect("a pool has a window");
            let after = stage.operation.shape(shape).expect("sizes of stages have been checked");
            let is_stored = |y, x| {
                let mut rows = kernel.rows(y, shape.height).step_by(size(kernel.dilation.y));
                let columns = kernel.columns(x, shape.width).step_by(size(kernel.dilation.x));
                rows.any(|row| columns.clone().any(|column| stored[size(row * shape.width + column)]))
            };
            stored = (0..after.height)
                .flat_map(|y| (0..after.width).map(move |x| (y, x)))
                .map(|(y, x)| is_stored(y, x))
                .collect();
            pools.push((kernel, shape));
            if is_mean_of_all && !stored[0] {
                stored[0] = true;
                kept.push(last_under(0, 1, &pools));
            }
        }
        (stored, kept)
    }
}

/// Returns the windows of a layer that are computed.
fn computed(layer: &Layer, plan: &LayerPlan) -> Mask {
    if plan.regions.is_empty() && plan.activation_bits > 0 {
        return None;
    }
    let Shape { height, width, .. } = layer.output;
    let windows = (0..height).flat_map(|y| (0..width).map(move |x| plan.bits_at(y, x) > 0));
    Some(windows.collect()).filter(|computed: &Vec<bool>| computed.contains(&false))
}

/// Returns the last window under `position` of a map of `width` columns, which `pools` make of the windows.
fn last_under(position: usize, width: u32, pools: &[(Kernel, Shape)]) -> usize {
    let position = u32::try_from(position).expect("a map has fewer than 2^32 positions");
    let (mut at, mut columns) = ((position / width, position % width), width);
    for (kernel, below) in pools.iter().rev() {
        let row = kernel.rows(at.0, below.height).step_by(size(kernel.dilation.y)).next_back();
        let column = kernel.columns(at.1, below.width).step_by(size(kernel.dilation.x)).next_back();
        (at, columns) = (row.zip(column).expect("a pool reads a position"), below.width);
    }
    size(at.0 * columns + at.1)
}

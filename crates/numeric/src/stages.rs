//! Stages: operations on the finished values of a layer, and the positions that are stored after each.
//!
//! A position is stored after a layer if its window is not cropped; after a pool if a position under its window is; after
//! a merge if either operand is; after any other stage if it was. A mean over the whole map is always stored. Positions
//! that are not stored are zero.

use index::{IndexVec, size};
use ndarray::{Array1, Array2, Array3, ArrayView3, Axis, concatenate};
use network::{
    Activation, Kernel, LayerId, LayerPlan, Map, MapId, Network, Operation, Part, Plan, Shape, Sides, Stage,
};

use crate::tiles;
use crate::weights::{StageWeights, of_stage, slice};
use crate::windows::precisions;

/// Channels and positions of a tile of a map.
const TILE: (usize, usize) = (64, 1024);

/// Values between two stages.
#[derive(Clone)]
pub(crate) struct Values {
    /// Channels x height x width.
    pub(crate) values: Array3<f32>,
    /// Height x width.
    pub(crate) stored: Array2<bool>,
}

/// Finds the stored positions of each map (height x width).
pub fn stored(network: &Network, plan: &Plan) -> IndexVec<MapId, Array2<bool>> {
    let mut stored: IndexVec<MapId, Array2<bool>> = IndexVec::default();
    for Map { producer, stages, .. } in &network.maps {
        let mut mask = match producer.layer() {
            None => Array2::from_elem(extent(network.input), true),
            Some(id) => computed(network, id, &plan.layers[id]),
        };
        for Stage { operation, .. } in stages {
            mask = stored_after(operation, mask, &stored);
        }
        stored.push(mask);
    }
    stored
}

/// Positions of a layer's values whose windows are not cropped (height x width).
pub(crate) fn computed(network: &Network, id: LayerId, plan: &LayerPlan) -> Array2<bool> {
    let layer = &network.layers[id];
    let computed = precisions(layer, plan).map(|bits| bits != 0).collect();
    Array2::from_shape_vec(extent(layer.output), computed).expect("each window has a precision")
}

/// Stored positions after `operation`, given those of what it works on.
pub(crate) fn stored_after(
    operation: &Operation,
    mut before: Array2<bool>,
    maps: &IndexVec<MapId, Array2<bool>>,
) -> Array2<bool> {
    let (height, width) = before.dim();
    let before_shape = Shape { height: number(height), width: number(width), channels: 1 };
    match operation {
        Operation::Activation(_) | Operation::Affine(_) => before,
        Operation::Add(parts) => {
            for part in parts {
                before.zip_mut_with(&maps[part.map], |stored, other| *stored |= other);
            }
            before
        }
        Operation::AveragePool { kernel, .. } if *kernel == Kernel::covering(before_shape) => {
            Array2::from_elem((1, 1), true)
        }
        Operation::MaxPool(kernel) | Operation::AveragePool { kernel, .. } => {
            let after = operation.shape(before_shape).expect("sizes of stages have been checked");
            Array2::from_shape_fn(extent(after), |(y, x)| {
                positions(kernel, before_shape, number(y), number(x)).any(|position| before[position])
            })
        }
    }
}

/// Positions that a window reads, in raster order.
fn positions(kernel: &Kernel, map: Shape, y: u32, x: u32) -> impl Iterator<Item = (usize, usize)> {
    let rows = kernel.rows(y, map.height).step_by(size(kernel.dilation.y));
    let columns = kernel.columns(x, map.width).step_by(size(kernel.dilation.x));
    rows.flat_map(move |y| columns.clone().map(move |x| (size(y), size(x))))
}

/// Divisor of the mean over a window: its positions in the map enlarged by the padding that is counted.
fn divisor(kernel: &Kernel, counted: Sides, map: Shape, y: u32, x: u32) -> f32 {
    let (top, left) = (counted.top.min(kernel.padding.top), counted.left.min(kernel.padding.left));
    let padding = Sides { top: kernel.padding.top - top, left: kernel.padding.left - left, ..kernel.padding };
    let (height, width) = (top + map.height + counted.bottom, left + map.width + counted.right);
    positions(&Kernel { padding, ..*kernel }, Shape { height, width, ..map }, y, x).count() as f32
}

/// Operations on values, and what they need besides these.
pub(crate) struct Stages<'a> {
    pub(crate) weights: &'a StageWeights,
    pub(crate) threads: usize,
}

impl Stages<'_> {
    /// Does all stages but merges.
    pub(crate) fn apply(&self, stage: &Stage, before: Values) -> Array3<f32> {
        let Values { mut values, stored } = before;
        match &stage.operation {
            Operation::Add(_) => unreachable!("the operand of a merge is gathered by the forward pass"),
            Operation::Affine(channels) => {
                let factors = of_stage(&self.weights.factors, &stage.name, channels);
                let offsets = of_stage(&self.weights.offsets, &stage.name, channels);
                self.each(&mut values, &stored, |channel, x| x * factors[channel] + offsets[channel]);
                values
            }
            Operation::Activation(activation) => {
                let slopes = match activation {
                    Activation::PRelu(channels) => of_stage(&self.weights.slopes, &stage.name, channels).to_owned(),
                    _ => Array1::zeros(values.dim().0),
                };
                self.each(&mut values, &stored, |channel, x| activation.apply(x, slopes[channel]));
                values
            }
            Operation::MaxPool(kernel) => self.pool(kernel, values.view(), |channel, shape, y, x| {
                let values = positions(kernel, shape, y, x).map(|(y, x)| values[(channel, y, x)]);
                values.fold(f32::NEG_INFINITY, f32::max)
            }),
            Operation::AveragePool { kernel, counted } => self.pool(kernel, values.view(), |channel, shape, y, x| {
                let values = positions(kernel, shape, y, x).map(|(y, x)| values[(channel, y, x)]);
                values.sum::<f32>() / divisor(kernel, *counted, shape, y, x)
            }),
        }
    }

    /// Changes each value that is stored.
    fn each(&self, values: &mut Array3<f32>, stored: &Array2<bool>, change: impl Fn(usize, f32) -> f32 + Sync) {
        let (channels, height, width) = values.dim();
        let stored = stored.as_slice().expect("masks are contiguous");
        let matrix = values.view_mut().into_shape_with_order((channels, height * width));
        tiles::for_each(self.threads, matrix.expect("maps are contiguous"), TILE, |mut tile| {
            let (top, left) = (tile.top, tile.left);
            for (channel, mut row) in (top..).zip(tile.values.rows_mut()) {
                for (value, _) in row.iter_mut().zip(&stored[left..]).filter(|(_, stored)| **stored) {
                    *value = change(channel, *value);
                }
            }
        });
    }

    /// A map whose values are given by channel, size of the map before, row and column.
    fn pool(
        &self,
        kernel: &Kernel,
        before: ArrayView3<f32>,
        value: impl Fn(usize, Shape, u32, u32) -> f32 + Sync,
    ) -> Array3<f32> {
        let (channels, height, width) = before.dim();
        let before = Shape { height: number(height), width: number(width), channels: number(channels) };
        let (height, width) = kernel.windows(before).expect("sizes of stages have been checked");
        fill(self.threads, Shape { height, width, ..before }, |channel, position| {
            let position = number(position);
            value(channel, before, position / width, position % width)
        })
    }
}

/// A map of this shape whose values are given by channel and position.
pub(crate) fn fill(threads: usize, shape: Shape, value: impl Fn(usize, usize) -> f32 + Sync) -> Array3<f32> {
    let Shape { height, width, channels } = shape;
    let [height, width, channels] = [height, width, channels].map(size);
    let mut map = Array2::zeros((channels, height * width));
    tiles::for_each(threads, map.view_mut(), TILE, |mut tile| {
        let (top, left) = (tile.top, tile.left);
        for ((row, column), to) in tile.values.indexed_iter_mut() {
            *to = value(top + row, left + column);
        }
    });
    let map = map.into_shape_with_order((channels, height, width));
    map.expect("the shapes have as many elements")
}

/// Copies parts of maps into one (channels x height x width), which has this shape.
pub(crate) fn assemble<'a>(parts: &[Part], map: impl Fn(MapId) -> ArrayView3<'a, f32>) -> Array3<f32> {
    let part = |part: &Part| map(part.map).slice_axis_move(Axis(0), slice(&part.channels));
    let parts: Vec<ArrayView3<f32>> = parts.iter().map(part).collect();
    concatenate(Axis(0), &parts).expect("the parts of an input have one height and width")
}

fn extent(shape: Shape) -> (usize, usize) {
    (size(shape.height), size(shape.width))
}

fn number(position: usize) -> u32 {
    u32::try_from(position).expect("a map has fewer than 2^32 positions")
}

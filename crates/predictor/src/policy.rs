//! Policies: from the importance of a picture's parts to a plan.
//!
//! Edges: of the 16 crops that lose no more importance than the threshold, the one with the fewest
//! multiply-accumulates. Rectangles: starting from the whole map, the outer row or column with the least importance per
//! cell is removed while the loss stays within the threshold; the margin is then added back. Each further rectangle
//! shrinks the one before, with twice the threshold. The rectangles become regions of every convolution, scaled to its
//! output map.

use document::Faults;
use index::{count, size};
use ndarray::{Array2, ArrayView3, Axis};
use network::{Edges, Layer, LayerKind, Network, Plan, Region};

use crate::{Importance, Measure, Operations, importance};

/// Form of the plans that a policy makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One of the 16 crops of the paper.
    Edges,
    /// Nested rectangles of any size, with the bits of each from the inmost outwards and of the rest of the map last,
    /// as in 16, 8, 4, 0. The bits fall.
    Rectangles(Vec<u32>),
}

/// Settings that decide a plan from a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Measure of importance.
    pub measure: Measure,
    /// Part of a picture's importance, 0 to 1, that may be lost: a higher threshold saves energy and costs accuracy.
    ///
    /// With more than two precisions, the region of the last may hold this part, that of the last two twice this part,
    /// and so on, doubling.
    pub threshold: f32,
    /// Form of the plans that a policy makes.
    pub shape: Shape,
    /// Part of a picture's shorter side that is added on each side of a rectangle, so that the network also sees the
    /// borders of objects.
    pub margin: f32,
}

/// Rows and columns of cells: first and end of each.
#[derive(Clone, Copy)]
struct Rectangle {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Policy {
    /// Settings that `aquasim predict --tune` chose for this shape on the tuning pictures of examples/digits: the least
    /// energy among those with as many right answers as without a crop.
    pub fn tuned(shape: Shape) -> Policy {
        let (measure, threshold, margin) = match &shape {
            Shape::Edges => (Measure::Combined, 0.01, 0.0),
            Shape::Rectangles(bits) if bits.len() <= 2 => (Measure::Entropy, 0.2, 0.125),
            Shape::Rectangles(_) => (Measure::Entropy, 0.2, 0.167),
        };
        Policy { measure, threshold, shape, margin }
    }

    /// Returns the plan for a picture (channels x height x width, values from 0 to 1), made from `base` by adding
    /// regions to the convolutions, and the operations that found it.
    ///
    /// # Errors
    /// If crops of edges are requested and the network does not state their sizes.
    pub fn predict(
        &self,
        network: &Network,
        base: &Plan,
        pixels: ArrayView3<f32>,
    ) -> Result<(Plan, Operations), Faults> {
        let importance = importance(pixels, self.measure);
        let (plan, mut operations) = self.plan(network, base, &importance)?;
        operations += importance.operations;
        Ok((plan, operations))
    }

    /// Returns the plan for a picture of this importance, made from `base` by adding regions to the convolutions, and
    /// the operations that decided it.
    ///
    /// # Errors
    /// If crops of edges are requested and the network does not state their sizes.
    pub fn plan(&self, network: &Network, base: &Plan, importance: &Importance) -> Result<(Plan, Operations), Faults> {
        match &self.shape {
            Shape::Edges => self.crop(network, base, &importance.map),
            Shape::Rectangles(bits) => Ok(self.rectangles(network, base, &importance.map, bits)),
        }
    }

    /// Crop with the fewest multiply-accumulates among those that lose no more importance than the threshold.
    fn crop(&self, network: &Network, base: &Plan, map: &Array2<f32>) -> Result<(Plan, Operations), Faults> {
        let taken = |edges| importance_taken(network, map, edges);
        let mut best = (base.clone(), base.macs(network), 0.0);
        for edges in Edges::all() {
            let (plan, taken) = (base.clone().crop(network, edges)?, taken(edges));
            let macs = plan.macs(network);
            if taken <= self.threshold && (macs, taken) < (best.1, best.2) {
                best = (plan, macs, taken);
            }
        }
        // Sums over rows and columns, and over the corners common to two edges. The multiply-accumulates of the crops
        // are known in advance.
        let additions = 2 * count(map.len()) + 3 * 16;
        Ok((best.0, Operations { additions, ..Operations::default() }))
    }

    fn rectangles(&self, network: &Network, base: &Plan, map: &Array2<f32>, bits: &[u32]) -> (Plan, Operations) {
        let [inner @ .., outside] = bits else { return (base.clone(), Operations::default()) };
        let mut rectangle = Rectangle { top: 0, bottom: map.nrows(), left: 0, right: map.ncols() };
        let (mut lost, mut operations) = (0.0, Operations::default());
        // From the outmost rectangle inwards: each is cut out of the one around it.
        let mut rectangles = Vec::new();
        for (step, &bits) in (0..).zip(inner.iter().rev()) {
            let allowed = (self.threshold * 2f32.powi(step)).min(1.0);
            rectangle.shrink(map, allowed, &mut lost, &mut operations);
            rectangles.push((rectangle.grown(self.margin, map), bits));
        }
        let mut plan = base.clone();
        for (plan, layer) in plan.layers.iter_mut().zip(&network.layers) {
            if layer.kind == LayerKind::Convolution {
                let full = plan.activation_bits;
                plan.activation_bits = (*outside).min(full);
                let regions =
                    rectangles.iter().map(|(rectangle, bits)| rectangle.region(map, layer, (*bits).min(full)));
                plan.regions.extend(regions);
            }
        }
        (plan, operations)
    }
}

/// Part of the importance that lies where `edges` are cut, by the widest cut of any layer.
fn importance_taken(network: &Network, map: &Array2<f32>, edges: Edges) -> f32 {
    let crops = || network.layers.iter().filter_map(|layer| Some((layer.crop?, layer.output)));
    let widest = |parts: &mut dyn Iterator<Item = f32>| parts.fold(0.0, f32::max);
    let rows = widest(&mut crops().map(|(crop, output)| crop.y as f32 / output.height as f32));
    let columns = widest(&mut crops().map(|(crop, output)| crop.x as f32 / output.width as f32));
    let (height, width) = map.dim();
    let cut = |(y, x): (usize, usize)| {
        // The middle of the cell, as a part of the picture.
        let (y, x) = ((y as f32 + 0.5) / height as f32, (x as f32 + 0.5) / width as f32);
        (edges.top && y < rows)
            || (edges.bottom && y > 1.0 - rows)
            || (edges.left && x < columns)
            || (edges.right && x > 1.0 - columns)
    };
    map.indexed_iter().filter(|(place, _)| cut(*place)).map(|(_, value)| value).sum()
}

impl Rectangle {
    /// Removes the outer row or column with the least importance per cell, repeatedly, as long as `lost` does not
    /// exceed `allowed` and a cell remains.
    fn shrink(&mut self, map: &Array2<f32>, allowed: f32, lost: &mut f32, operations: &mut Operations) {
        loop {
            let (rows, columns) = (self.bottom - self.top, self.right - self.left);
            let row = |y: usize| map.index_axis(Axis(0), y).iter().take(self.right).skip(self.left).sum::<f32>();
            let column = |x: usize| map.index_axis(Axis(1), x).iter().take(self.bottom).skip(self.top).sum::<f32>();
            let mut candidates = Vec::new();
            if rows > 1 {
                let (top, bottom) = (row(self.top), row(self.bottom - 1));
                candidates.push((top, columns, Rectangle { top: self.top + 1, ..*self }));
                candidates.push((bottom, columns, Rectangle { bottom: self.bottom - 1, ..*self }));
            }
            if columns > 1 {
                let (left, right) = (column(self.left), column(self.right - 1));
                candidates.push((left, rows, Rectangle { left: self.left + 1, ..*self }));
                candidates.push((right, rows, Rectangle { right: self.right - 1, ..*self }));
            }
            operations.additions += 2 * count(rows + columns) + 4;
            operations.functions += 4;
            let density = |sum: f32, cells: usize| sum / cells as f32;
            let least = candidates.into_iter().min_by(|a, b| density(a.0, a.1).total_cmp(&density(b.0, b.1)));
            match least {
                Some((sum, _, smaller)) if *lost + sum <= allowed => {
                    *lost += sum;
                    *self = smaller;
                }
                _ => return,
            }
        }
    }

    /// The rectangle extended by `margin` times the map's shorter side on each side, within the map.
    fn grown(self, margin: f32, map: &Array2<f32>) -> Rectangle {
        let (rows, columns) = map.dim();
        let cells = crate::whole((margin * rows.min(columns) as f32).round());
        Rectangle {
            top: self.top.saturating_sub(cells),
            bottom: (self.bottom + cells).min(rows),
            left: self.left.saturating_sub(cells),
            right: (self.right + cells).min(columns),
        }
    }

    /// Part of a layer's output map in proportion to this part of the picture, rounded outwards.
    fn region(self, map: &Array2<f32>, layer: &Layer, bits: u32) -> Region {
        let (cell_rows, cell_columns) = map.dim();
        let span = |first: usize, end: usize, cells: usize, length: u32| {
            let (first, end) = (first * size(length) / cells, (end * size(length)).div_ceil(cells));
            [first, end - first].map(|n| u32::try_from(n).expect("within the layer's output"))
        };
        let [top, height] = span(self.top, self.bottom, cell_rows, layer.output.height);
        let [left, width] = span(self.left, self.right, cell_columns, layer.output.width);
        Region { top, left, height, width, bits }
    }
}

#[cfg(test)]
mod tests {
    use network::LayerId;

    use super::*;

    /// Importance 0.8 near the top left corner, 0.15 in the middle and 0.05 at the right.
    fn importance() -> Importance {
        let mut map = Array2::zeros((16, 16));
        map[(2, 3)] = 0.8;
        map[(8, 8)] = 0.15;
        map[(8, 15)] = 0.05;
        Importance { map, operations: Operations::default() }
    }

    fn plan(threshold: f32, shape: Shape) -> Plan {
        plan_with_margin(threshold, shape, 0.0)
    }

    fn plan_with_margin(threshold: f32, shape: Shape, margin: f32) -> Plan {
        let network = network::load("tiny").unwrap();
        let base = Plan::uniform(&network, 16, 16);
        Policy { measure: Measure::Entropy, threshold, shape, margin }.plan(&network, &base, &importance()).unwrap().0
    }

    #[test]
    fn edges_are_cut_where_no_more_is_lost_than_the_threshold() {
        let network = network::load("tiny").unwrap();
        let cut = |edges: &str| Plan::uniform(&network, 16, 16).crop(&network, edges.parse().unwrap()).unwrap();
        assert_eq!(plan(0.0, Shape::Edges), cut("bottom"));
        assert_eq!(plan(0.06, Shape::Edges), cut("bottom,right"));
        assert_eq!(plan(1.0, Shape::Edges), cut("top,bottom,left,right"));
    }

    #[test]
    fn rectangles_hold_what_is_important() {
        let plan = plan(0.06, Shape::Rectangles(vec![16, 0]));
        let conv1 = &plan.layers[LayerId(0)];
        assert_eq!(conv1.activation_bits, 0);
        assert_eq!(conv1.regions, [Region { top: 2, left: 3, height: 7, width: 6, bits: 16 }]);
        assert_eq!(plan.layers[LayerId(3)].activation_bits, 16);
    }

    #[test]
    fn precisions_fall_from_the_inmost_rectangle_outwards() {
        let plan = plan(0.06, Shape::Rectangles(vec![16, 8, 4, 0]));
        let bits = |y, x| plan.layers[LayerId(0)].bits_at(y, x);
        assert_eq!([bits(2, 3), bits(8, 8), bits(8, 15), bits(15, 0)], [16, 8, 0, 0]);
    }

    #[test]
    fn a_margin_of_the_shorter_side_is_kept_as_far_as_the_map_goes() {
        let plan = plan_with_margin(0.06, Shape::Rectangles(vec![16, 0]), 3.0 / 16.0);
        assert_eq!(plan.layers[LayerId(0)].regions, [Region { top: 0, left: 0, height: 12, width: 12, bits: 16 }]);
    }
}

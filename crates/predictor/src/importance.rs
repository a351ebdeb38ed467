//! Importance of the parts of a picture.
//!
//! A map has at most 24 cells along its shorter side. Every measure counts its own [`Operations`], as an implementation
//! in digital logic would perform them.

use index::count;
use ndarray::{Array2, ArrayView3, Axis, Zip};

use crate::Operations;

/// Most cells along the shorter side of a map.
const CELLS: usize = 24;
/// Grey levels that entropy distinguishes.
const LEVELS: usize = 16;

/// Measure of importance (AQuA, abstract).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Entropy of the grey levels around it.
    Entropy,
    /// Change of each colour from left to right and from top to bottom.
    Gradient,
    /// Points of interest: corners, where the picture changes in all directions (Shi and Tomasi, 1994).
    Interest,
    /// The mean of the three.
    Combined,
}

impl Measure {
    /// All.
    pub const ALL: [Measure; 4] = [Measure::Entropy, Measure::Gradient, Measure::Interest, Measure::Combined];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Entropy => "entropy",
            Measure::Gradient => "gradient",
            Measure::Interest => "interest",
            Measure::Combined => "combined",
        }
    }
}

/// Importance of each part of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// Rows x columns of equal cells; the sum over all is 1.
    pub map: Array2<f32>,
    /// Operations that computed the map.
    pub operations: Operations,
}

/// Maps the importance of the parts of a picture (channels x height x width, values from 0 to 1).
///
/// Cells that do not exceed the mean of the map by a standard deviation are background, of importance 0. A uniform
/// picture is equally important everywhere.
pub fn importance(pixels: ArrayView3<f32>, measure: Measure) -> Importance {
    let mut operations = Operations::default();
    let map = match measure {
        Measure::Combined => {
            let parts = [Measure::Entropy, Measure::Gradient, Measure::Interest];
            let [mut sum, second, third] = parts.map(|part| {
                let part = importance(pixels, part);
                operations += part.operations;
                part.map
            });
            Zip::from(&mut sum)
                .and(&second)
                .and(&third)
                .for_each(|sum, second, third| *sum = (*sum + second + third) / 3.0);
            operations +=
                Operations { additions: 2 * count(sum.len()), functions: count(sum.len()), ..Operations::default() };
            sum
        }
        Measure::Entropy => foreground(entropy(&grey(pixels, &mut operations), &mut operations), &mut operations),
        Measure::Gradient => foreground(gradient(pixels, &mut operations), &mut operations),
        Measure::Interest => foreground(corners(&grey(pixels, &mut operations), &mut operations), &mut operations),
    };
    Importance { map, operations }
}

/// The mean of the channels, after one read of all.
fn grey(pixels: ArrayView3<f32>, operations: &mut Operations) -> Array2<f32> {
    let grey = pixels.mean_axis(Axis(0)).expect("a picture has channels");
    *operations += Operations {
        values_read: count(pixels.len()),
        additions: count(pixels.len() - grey.len()),
        multiplications: count(grey.len()),
        ..Operations::default()
    };
    grey
}

/// Side of a cell in pixels.
fn cell_side(height: usize, width: usize) -> usize {
    height.min(width).div_ceil(CELLS)
}

/// Sums over the pixels of each cell.
fn by_cells(values: &Array2<f32>, operations: &mut Operations) -> Array2<f32> {
    let (height, width) = values.dim();
    let side = cell_side(height, width);
    let mut cells = Array2::zeros((height.div_ceil(side), width.div_ceil(side)));
    for ((y, x), value) in values.indexed_iter() {
        cells[(y / side, x / side)] += value;
    }
    operations.additions += count(values.len());
    cells
}

/// Entropy, in bits, of the grey levels in each cell and the eight around it.
fn entropy(grey: &Array2<f32>, operations: &mut Operations) -> Array2<f32> {
    let (height, width) = grey.dim();
    let side = cell_side(height, width);
    let mut histograms = Array2::from_elem((height.div_ceil(side), width.div_ceil(side)), [0u32; LEVELS]);
    for ((y, x), value) in grey.indexed_iter() {
        let level = crate::whole(value * LEVELS as f32);
        histograms[(y / side, x / side)][level.min(LEVELS - 1)] += 1;
    }
    operations.additions += count(grey.len());
    let (rows, columns) = histograms.dim();
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let mut around = [0u32; LEVELS];
        for y in row.saturating_sub(1)..(row + 2).min(rows) {
            for x in column.saturating_sub(1)..(column + 2).min(columns) {
                around.iter_mut().zip(histograms[(y, x)]).for_each(|(sum, count)| *sum += count);
                operations.additions += count(LEVELS);
            }
        }
        let total = around.iter().sum::<u32>() as f32;
        let shares = around.iter().filter(|count| **count > 0).map(|count| *count as f32 / total);
        let bits = shares.map(|share| {
            *operations += Operations { additions: 1, multiplications: 1, functions: 2, ..Operations::default() };
            -share * share.log2()
        });
        bits.sum()
    })
}

/// Twice the derivative at each pixel, from left to right and from top to bottom; one-sided at the border.
fn derivatives(values: impl Fn(usize, usize) -> f32, (height, width): (usize, usize)) -> Array2<(f32, f32)> {
    Array2::from_shape_fn((height, width), |(y, x)| {
        let across = values(y, (x + 1).min(width - 1)) - values(y, x.saturating_sub(1));
        let down = values((y + 1).min(height - 1), x) - values(y.saturating_sub(1), x);
        (across, down)
    })
}

/// Absolute changes, summed over channels and the pixels of a cell.
fn gradient(pixels: ArrayView3<f32>, operations: &mut Operations) -> Array2<f32> {
    let (_, height, width) = pixels.dim();
    let mut changes = Array2::zeros((height, width));
    for channel in pixels.axis_iter(Axis(0)) {
        let derivatives = derivatives(|y, x| channel[(y, x)], (height, width));
        Zip::from(&mut changes).and(&derivatives).for_each(|sum, (across, down)| *sum += across.abs() + down.abs());
    }
    *operations +=
        Operations { values_read: count(pixels.len()), additions: 6 * count(pixels.len()), ..Operations::default() };
    by_cells(&changes, operations)
}

/// The smaller eigenvalue of the matrix of squared derivatives around each pixel, summed over the pixels of a cell.
fn corners(grey: &Array2<f32>, operations: &mut Operations) -> Array2<f32> {
    let (height, width) = grey.dim();
    let derivatives = derivatives(|y, x| grey[(y, x)], (height, width));
    let eigenvalues = Array2::from_shape_fn((height, width), |(y, x)| {
        let (mut xx, mut xy, mut yy) = (0.0f32, 0.0, 0.0);
        for y in y.saturating_sub(1)..(y + 2).min(height) {
            for x in x.saturating_sub(1)..(x + 2).min(width) {
                let (across, down) = derivatives[(y, x)];
                xx += across * across;
                xy += across * down;
                yy += down * down;
            }
        }
        let (mean, half) = (f32::midpoint(xx, yy), (xx - yy) / 2.0);
        mean - (half * half + xy * xy).sqrt()
    });
    // Two differences and three products per pixel. The sum of each product over 3 x 3 pixels is two additions along
    // rows and two along columns. Then the eigenvalue.
    let pixels = count(grey.len());
    *operations += Operations {
        additions: (2 + 3 * 4 + 4) * pixels,
        multiplications: (3 + 2) * pixels,
        functions: pixels,
        ..Operations::default()
    };
    by_cells(&eigenvalues, operations)
}

/// Subtracts the background and scales the sum to 1.
fn foreground(mut map: Array2<f32>, operations: &mut Operations) -> Array2<f32> {
    let cells = count(map.len());
    let background = map.mean().unwrap_or(0.0) + map.std(0.0);
    map.mapv_inplace(|value| (value - background).max(0.0));
    let sum = map.sum();
    if sum > 0.0 {
        map.mapv_inplace(|value| value / sum);
    } else {
        map.fill(1.0 / cells as f32);
    }
    *operations +=
        Operations { additions: 6 * cells, multiplications: 2 * cells, functions: 2, ..Operations::default() };
    map
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    /// A checkered square in an even picture.
    fn picture(top: usize, left: usize) -> Array3<f32> {
        Array3::from_shape_fn((3, 48, 60), |(_, y, x)| {
            let inside = (top..top + 12).contains(&y) && (left..left + 12).contains(&x);
            if inside && (y / 3 + x / 3) % 2 == 0 { 0.9 } else { 0.2 }
        })
    }

    #[test]
    fn importance_lies_where_something_is_to_be_seen() {
        for measure in Measure::ALL {
            let Importance { map, operations } = importance(picture(4, 40).view(), measure);
            assert_eq!(map.dim(), (24, 30));
            assert!((map.sum() - 1.0).abs() < 1e-4);
            let around = map.indexed_iter().filter(|((y, x), _)| (1..10).contains(y) && (19..28).contains(x));
            let around: f32 = around.map(|(_, value)| value).sum();
            assert!(around > 0.99, "{measure:?} finds {around}");
            assert!(operations.values_read >= 3 * 48 * 60 && operations.additions > 0);
        }
    }

    #[test]
    fn an_even_picture_is_equally_important_everywhere() {
        for measure in Measure::ALL {
            let map = importance(Array3::from_elem((1, 30, 30), 0.5).view(), measure).map;
            assert!(map.iter().all(|value| (value * map.len() as f32 - 1.0).abs() < 1e-4), "{measure:?}");
        }
    }
}

//! Resizing and cropping of pictures, equal to torchvision's to the last bit.

use std::ops::Range;

use ndarray::{Array3, ArrayView3, Axis, Slice};

/// Fractional bits of a weight on bytes: 32 less 8 for the byte, and 2 for sums that overshoot.
const WEIGHT_BITS: u32 = 32 - 8 - 2;

/// A kind of pixel values.
pub(crate) trait Sample: Copy + Default {
    /// A weight of a sum of values.
    type Weight: Copy;

    /// A weight of the filter.
    fn weight(weight: f64) -> Self::Weight;

    /// The weighted sum of values.
    fn sum(weighted: impl Iterator<Item = (Self, Self::Weight)>) -> Self;
}

/// As Pillow: weights in fixed point, and a sum rounded to a byte.
impl Sample for u8 {
    type Weight = i32;

    #[expect(clippy::cast_possible_truncation, reason = "weights are at most 1")]
    fn weight(weight: f64) -> i32 {
        (0.5 + weight * f64::from(1 << WEIGHT_BITS)) as i32
    }

    fn sum(weighted: impl Iterator<Item = (u8, i32)>) -> u8 {
        let half = 1 << (WEIGHT_BITS - 1);
        let sum = weighted.fold(half, |sum, (value, weight)| sum + i32::from(value) * weight);
        u8::try_from((sum >> WEIGHT_BITS).clamp(0, 255)).expect("clamped to a byte")
    }
}

impl Sample for f32 {
    type Weight = f64;

    fn weight(weight: f64) -> f64 {
        weight
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixels are in single precision")]
    fn sum(weighted: impl Iterator<Item = (f32, f64)>) -> f32 {
        weighted.map(|(value, weight)| f64::from(value) * weight).sum::<f64>() as f32
    }
}

/// Scales a picture (channels x height x width) so that its shorter side has `side` pixels and the longer is in
/// proportion, truncated: `Resize(side)`. A triangle filter, as wide as the pixels of the smaller picture, runs along
/// the rows and then along the columns (Pillow's bilinear filter, torchvision's with antialiasing).
pub(crate) fn resize<T: Sample>(pixels: ArrayView3<T>, side: usize) -> Array3<T> {
    let (_, height, width) = pixels.dim();
    let scaled = |length: usize| side * length / height.min(width);
    let rows = resize_rows(pixels, scaled(width));
    let columns = resize_rows(rows.view().permuted_axes([0, 2, 1]), scaled(height));
    columns.permuted_axes([0, 2, 1])
}

/// Scales the last axis.
fn resize_rows<T: Sample>(pixels: ArrayView3<T>, to: usize) -> Array3<T> {
    let (channels, rows, from) = pixels.dim();
    let filter = filter::<T>(from, to);
    let mut scaled = Array3::default((channels, rows, to));
    for (row, mut scaled) in pixels.lanes(Axis(2)).into_iter().zip(scaled.lanes_mut(Axis(2))) {
        let row = row.to_vec();
        for ((range, weights), value) in filter.iter().zip(&mut scaled) {
            *value = T::sum(row[range.clone()].iter().copied().zip(weights.iter().copied()));
        }
    }
    scaled
}

/// Source pixels of each pixel of a scaled row, and their weights.
fn filter<T: Sample>(from: usize, to: usize) -> Vec<(Range<usize>, Vec<T::Weight>)> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let pixel = |index: usize| {
        let centre = (index as f64 + 0.5) * scale;
        let first = pixel_at(centre - support + 0.5);
        let end = pixel_at(centre + support + 0.5).min(from);
        let weight = |at: usize| (1.0 - ((at as f64 - centre + 0.5) / support).abs()).max(0.0);
        let sum: f64 = (first..end).map(weight).sum();
        (first..end, (first..end).map(|at| T::weight(weight(at) / sum)).collect())
    };
    (0..to).map(pixel).collect()
}

/// The pixel that holds a position of a row; the first one for positions before it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounds down and saturates, as is meant")]
fn pixel_at(position: f64) -> usize {
    position as usize
}

/// The middle of a picture: `CenterCrop`. Where the picture is smaller, zeros are added around it. An odd difference is
/// halved and rounded to an even number.
pub(crate) fn centre_crop<T: Sample>(pixels: ArrayView3<T>, height: usize, width: usize) -> Array3<T> {
    let (channels, from_height, from_width) = pixels.dim();
    let mut cut = Array3::default((channels, height, width));
    let (from_y, to_y) = overlap(from_height, height);
    let (from_x, to_x) = overlap(from_width, width);
    let (mut seen, mut to) = (pixels, cut.view_mut());
    for (axis, from_part, to_part) in [(Axis(1), from_y, to_y), (Axis(2), from_x, to_x)] {
        seen.slice_axis_inplace(axis, Slice::from(from_part));
        to.slice_axis_inplace(axis, Slice::from(to_part));
    }
    to.assign(&seen);
    cut
}

/// Visible part of a side of length `from`, and its place in the middle of a side of length `to`.
fn overlap(from: usize, to: usize) -> (Range<usize>, Range<usize>) {
    if from < to {
        let first = (to - from) / 2;
        return (0..from, first..first + from);
    }
    let half = (from - to) / 2;
    let first = if (from - to) % 2 == 1 && half % 2 == 1 { half + 1 } else { half };
    (first..first + to, 0..to)
}

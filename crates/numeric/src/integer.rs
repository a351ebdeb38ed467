//! Plain integer product, for crossbars on which no conversion can clip.

use multiversion::multiversion;
use ndarray::{Array2, ArrayView2, Axis};

use crate::groups::Groups;
use crate::tiles::Tile;
use crate::windows::Windows;

/// Windows and outputs of a tile: enough of both to hide the cost of gathering windows and converting weights.
pub(crate) const TILE: (usize, usize) = (128, 256);

/// Below this many windows or outputs, converting the operands would cost more than the product.
const FEW: usize = 8;

/// Fills a tile of sums (windows x outputs) with the products of windows and weights (outputs x rows of a group).
pub(crate) fn multiply(weights: ArrayView2<i16>, groups: Groups, windows: &Windows, mut tile: Tile<i64>) {
    let outputs = tile.left..tile.left + tile.values.ncols();
    let first = groups.rows_of(outputs.start / groups.outputs).start;
    let end = groups.rows_of((outputs.end - 1) / groups.outputs).end;
    let (computed, inputs) = windows.gather(tile.top..tile.top + tile.values.nrows(), first..end);
    for (group, of_group) in groups.among(outputs.clone()) {
        let rows = groups.rows_of(group);
        let inputs = inputs.slice_axis(Axis(1), (rows.start - first..rows.end - first).into());
        let of_layer = group * groups.outputs + of_group.start..group * groups.outputs + of_group.end;
        let weights = weights.slice_axis(Axis(0), of_layer.clone().into());
        let sums = if computed.len() < FEW || weights.nrows() < FEW {
            by_dot_products(inputs, weights)
        } else {
            by_matrix_product(inputs, weights)
        };
        let of_tile = of_layer.start - outputs.start..of_layer.end - outputs.start;
        for (sums, &window) in sums.rows().into_iter().zip(&computed) {
            let dropped = windows.dropped_bits(window);
            let row = tile.values.row_mut(window - tile.top);
            let mut row = row.slice_axis_move(Axis(0), of_tile.clone().into());
            row.zip_mut_with(&sums, |to, sum| *to = sum << dropped);
        }
    }
}

/// Multiplies in floating point, exactly: a product of two 16-bit numbers is below 2^31, so every partial sum of fewer
/// than 2^22 of them, in any order, is an integer below 2^53.
#[expect(clippy::cast_possible_truncation, reason = "integers below 2^53")]
fn by_matrix_product(inputs: ArrayView2<i16>, weights: ArrayView2<i16>) -> Array2<i64> {
    inputs.mapv(f64::from).dot(&weights.mapv(f64::from).t()).mapv(|sum| sum as i64)
}

/// Multiplies in integers, reading each weight once.
fn by_dot_products(inputs: ArrayView2<i16>, weights: ArrayView2<i16>) -> Array2<i64> {
    Array2::from_shape_fn((inputs.nrows(), weights.nrows()), |(i, o)| {
        let contiguous = "rows are contiguous";
        let input = inputs.row(i).to_slice().expect(contiguous);
        dot(input, weights.row(o).to_slice().expect(contiguous))
    })
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn dot(a: &[i16], b: &[i16]) -> i64 {
    let products = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b));
    products.map(i64::from).sum()
}

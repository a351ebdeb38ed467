//! Windows of a feature map as vectors (im2col), for any kind of value. The map is stored once; a window is gathered
//! when it is needed.

use index::size;
use ndarray::{ArrayView2, ArrayView3};
use network::{Axes, Layer};

/// The windows of one layer over its input map.
#[derive(Clone, Debug)]
pub(crate) struct Patches<T> {
    /// Channels x height x width.
    map: Vec<T>,
    height: usize,
    width: usize,
    /// Rows and columns, as in what follows.
    kernel: (usize, usize),
    stride: (usize, usize),
    /// Above and to the left of the map.
    padding: (usize, usize),
    output_width: usize,
    count: usize,
    rows: usize,
}

impl<T: Copy + Default> Patches<T> {
    /// The windows of `layer` over `map` (channels x height x width), which has the shape of the layer's input.
    pub(crate) fn of_layer(map: ArrayView3<T>, layer: &Layer) -> Self {
        let pair = |axes: Axes| (size(axes.y), size(axes.x));
        Self {
            map: map.iter().copied().collect(),
            height: size(layer.input.height),
            width: size(layer.input.width),
            kernel: pair(layer.kernel.size),
            stride: pair(layer.kernel.stride),
            padding: (size(layer.kernel.padding.top), size(layer.kernel.padding.left)),
            output_width: size(layer.output.width),
            count: size(layer.windows()),
            rows: size(layer.rows()),
        }
    }

    /// Ready-made windows: the rows of `matrix`, read as a map of one channel under a kernel as wide as itself.
    pub(crate) fn of_matrix(matrix: ArrayView2<T>) -> Self {
        let (count, rows) = matrix.dim();
        Self {
            map: matrix.iter().copied().collect(),
            height: count,
            width: rows,
            kernel: (1, rows),
            stride: (1, 1),
            padding: (0, 0),
            output_width: 1,
            count,
            rows,
        }
    }

    /// Number of windows.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Positions of the kernel.
    pub(crate) fn kernel(&self) -> usize {
        self.kernel.0 * self.kernel.1
    }

    /// Inputs of a window.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Copies the inputs of a window, channel by channel; outside the map they are zero.
    pub(crate) fn gather(&self, window: usize, values: &mut [T]) {
        // A position above or left of the map wraps to one far beyond its end, which is outside as well.
        let top = (window / self.output_width * self.stride.0).wrapping_sub(self.padding.0);
        let left = (window % self.output_width * self.stride.1).wrapping_sub(self.padding.1);
        let kernel = self.kernel();
        let channels = self.map.chunks_exact(self.height * self.width);
        for (channel, values) in channels.zip(values.chunks_exact_mut(kernel)) {
            for (ky, values) in values.chunks_exact_mut(self.kernel.1).enumerate() {
                let y = top.wrapping_add(ky);
                let inside = y < self.height;
                let row = if inside { &channel[y * self.width..][..self.width] } else { &[] };
                for (kx, value) in values.iter_mut().enumerate() {
                    *value = row.get(left.wrapping_add(kx)).copied().unwrap_or_default();
                }
            }
        }
    }
}

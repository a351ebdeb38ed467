//! Windows of a feature map as vectors (im2col), for any kind of value. The map is stored once; a window is gathered
//! when it is needed.

use std::ops::Range;

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
    dilation: (usize, usize),
    /// Above and to the left of the map.
    padding: (usize, usize),
    output_width: usize,
    count: usize,
}

impl<T: Copy + Default> Patches<T> {
    /// The windows of `layer` over `map` (channels x height x width), which has the height and width of the layer's
    /// input.
    pub(crate) fn of_layer(map: ArrayView3<T>, layer: &Layer) -> Self {
        let pair = |axes: Axes| (size(axes.y), size(axes.x));
        Self {
            map: map.iter().copied().collect(),
            height: size(layer.input.height),
            width: size(layer.input.width),
            kernel: pair(layer.kernel.size),
            stride: pair(layer.kernel.stride),
            dilation: pair(layer.kernel.dilation),
            padding: (size(layer.kernel.padding.top), size(layer.kernel.padding.left)),
            output_width: size(layer.output.width),
            count: size(layer.windows()),
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
            dilation: (1, 1),
            padding: (0, 0),
            output_width: 1,
            count,
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

    /// Inputs of a window: the kernel's positions in all channels.
    pub(crate) fn rows(&self) -> usize {
        self.map.len() / (self.height * self.width) * self.kernel()
    }

    /// Copies these inputs of a window, which are all of some channels; outside the map they are zero.
    pub(crate) fn gather(&self, window: usize, rows: Range<usize>, values: &mut [T]) {
        // A position above or left of the map wraps to one far beyond its end, which is outside as well.
        let top = (window / self.output_width * self.stride.0).wrapping_sub(self.padding.0);
        let left = (window % self.output_width * self.stride.1).wrapping_sub(self.padding.1);
        let kernel = self.kernel();
        let first = rows.start / kernel;
        let channels = self.map.chunks_exact(self.height * self.width).skip(first);
        for (channel, values) in channels.zip(values.chunks_exact_mut(kernel)) {
            for (ky, values) in values.chunks_exact_mut(self.kernel.1).enumerate() {
                let y = top.wrapping_add(ky * self.dilation.0);
                let inside = y < self.height;
                let row = if inside { &channel[y * self.width..][..self.width] } else { &[] };
                for (kx, value) in values.iter_mut().enumerate() {
                    *value = row.get(left.wrapping_add(kx * self.dilation.1)).copied().unwrap_or_default();
                }
            }
        }
    }
}

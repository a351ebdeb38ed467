use network::Layer;

/// How the windows of a layer are dealt to its copies.
///
/// The map is cut in vertical strips; the copies of a strip take its rows in turn. So a layer goes down its map as a
/// whole, the next layer follows a few rows behind, and a tile that holds several copies of a strip receives little
/// more than the strip. Under a max-pool the unit is not a window but a cell of stride x stride windows, computed one
/// after another, so that the maximum is taken where the windows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows and columns of windows in a cell.
    pub cell: u32,
    /// Rows of windows.
    height: u32,
    /// Columns of windows.
    width: u32,
    /// Vertical strips.
    pub strips: u32,
    /// Copies of one strip.
    pub interleave: u32,
}

impl Grid {
    /// Deals the windows of `layer` to `strips` x `interleave` copies.
    pub fn new(layer: &Layer, strips: u32, interleave: u32) -> Self {
        let cell = layer.pool.map_or(1, |pool| pool.stride);
        Self { cell, height: layer.output.height, width: layer.output.width, strips, interleave }
    }

    /// The grid with the fewest copies none of which has more than `windows` windows; of those with equally many
    /// copies, the one whose tiles of `copies_per_tile` copies receive the least of the input map.
    pub fn fitting(layer: &Layer, windows: u64, copies_per_tile: u32) -> Self {
        let one = Self::new(layer, 1, 1);
        let (rows, columns) = (one.cell_rows(), one.cell_columns());
        let cells = (windows / u64::from(one.cell * one.cell)).max(1);
        let candidates = (1..=rows).filter_map(|interleave| {
            let columns_per_strip = cells / u64::from(rows.div_ceil(interleave));
            (columns_per_strip > 0).then(|| {
                let strips = u64::from(columns).div_ceil(columns_per_strip) as u32;
                Self { strips, interleave, ..one.clone() }
            })
        });
        let best = candidates.min_by(|a, b| {
            let key = |grid: &Self| (grid.strips * grid.interleave, grid.received(layer, copies_per_tile));
            let ((a_copies, a_received), (b_copies, b_received)) = (key(a), key(b));
            a_copies.cmp(&b_copies).then(a_received.total_cmp(&b_received))
        });
        best.expect("with one copy for each row of cells, a copy has at least one cell")
    }

    /// Input positions that a tile receives for each that its windows would need without overlap.
    fn received(&self, layer: &Layer, copies_per_tile: u32) -> f64 {
        let copies = f64::from(copies_per_tile.clamp(1, self.strips * self.interleave));
        let in_strip = copies.min(f64::from(self.interleave));
        let step = f64::from(self.cell * layer.stride);
        let halo_rows = f64::from(layer.kernel_height) - f64::from(layer.stride);
        let halo_columns = f64::from(layer.kernel_width) - f64::from(layer.stride);
        // All copies of a strip together need every row once.
        let rows = if in_strip >= f64::from(self.interleave) { 1.0 } else { 1.0 + halo_rows / (in_strip * step) };
        let strip_columns = step * f64::from(self.cell_columns()) / f64::from(self.strips);
        rows * (1.0 + halo_columns / (strip_columns * copies / in_strip))
    }

    fn cell_rows(&self) -> u32 {
        self.height.div_ceil(self.cell)
    }

    fn cell_columns(&self) -> u32 {
        self.width.div_ceil(self.cell)
    }

    /// Windows (row, column) of copy `copy`, in the order in which they are computed.
    pub fn windows(&self, copy: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let (strip, turn) = (copy / self.interleave, copy % self.interleave);
        let boundary =
            move |strip: u32| (u64::from(strip) * u64::from(self.cell_columns()) / u64::from(self.strips)) as u32;
        let columns = boundary(strip)..boundary(strip + 1);
        let cells = (turn..self.cell_rows())
            .step_by(self.interleave as usize)
            .flat_map(move |row| columns.clone().map(move |column| (row * self.cell, column * self.cell)));
        cells.flat_map(move |(top, left)| {
            let rows = top..(top + self.cell).min(self.height);
            rows.flat_map(move |y| (left..(left + self.cell).min(self.width)).map(move |x| (y, x)))
        })
    }
}

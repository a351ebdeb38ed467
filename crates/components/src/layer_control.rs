use des::Cycle;
use mapper::{LayerLayout, Window};

use crate::{Counts, Inputs};

/// The control of one copy of a layer in one tile: which of its windows have their inputs, which have been read.
#[derive(Clone, Debug)]
pub struct LayerControl<'a> {
    /// The layer.
    pub layer: &'a LayerLayout,
    /// Number of the layer in the network.
    pub layer_index: u16,
    /// The copy.
    pub copy: u32,
    /// The windows of the copy, in order.
    windows: &'a [Window],
    /// IMAs of the tile that work for it, one bit each.
    pub imas: u64,
    /// Number of its inputs in the tile's buffer.
    pub inputs: u8,
    /// Windows of all images.
    pub total: u32,
    /// Windows whose inputs are in the buffer, counted from the first: those that may be fetched.
    pub ready: u32,
    /// Slot of the input that window `ready` misses.
    pub awaited: Option<u32>,
    /// Input of window `ready` to look at next, as row and column of its receptive field.
    cursor: (u32, u32),
    /// When the last window became ready, and how long the last of its inputs had been held up.
    readied: (Cycle, Cycle),
    /// IMAs with room for inputs of a window that is not ready, one bit each.
    pub starving: u64,
    /// Windows that all IMAs have read the inputs of.
    read_by_all: u32,
    /// IMAs that have not read more than those.
    slowest: u32,
    /// For each IMA of the tile, the windows that it has read the inputs of.
    read_by: Vec<u32>,
    /// First cycle in which inputs were fetched.
    pub first_cycle: Option<Cycle>,
    /// What happened in the tile for this copy, beside its IMAs.
    pub counts: Counts,
}

impl<'a> LayerControl<'a> {
    /// A control for `images` images of copy `copy`, whose IMAs are given by number in a tile of `tile_imas`.
    pub fn new(
        (layer, layer_index): (&'a LayerLayout, u16),
        copy: u32,
        images: u32,
        inputs: u8,
        imas: u64,
        tile_imas: u32,
    ) -> Self {
        let windows = layer.windows(copy);
        Self {
            layer,
            layer_index,
            copy,
            windows,
            imas,
            inputs,
            total: windows.len() as u32 * images,
            ready: 0,
            awaited: None,
            cursor: (0, 0),
            readied: (0, 0),
            starving: 0,
            read_by_all: 0,
            slowest: imas.count_ones(),
            read_by: vec![0; tile_imas as usize],
            first_cycle: None,
            counts: Counts::default(),
        }
    }

    /// Window `index`, counted over all images.
    #[inline]
    pub fn window(&self, index: u32) -> &'a Window {
        &self.windows[self.split(index).1 as usize]
    }

    /// The image of window `index`, and its number in the image.
    #[inline]
    pub fn split(&self, index: u32) -> (u32, u32) {
        let per_image = self.windows.len() as u32;
        // One image is the common case, and a division is slow.
        if index < per_image { (0, index) } else { (index / per_image, index % per_image) }
    }

    /// Looks how far the windows have their inputs, in the order of computation. Returns the IMAs that starved and may
    /// fetch now.
    pub fn look_ahead(&mut self, now: Cycle, inputs: &Inputs) -> u64 {
        let before = self.ready;
        self.awaited = None;
        'windows: while self.ready < self.total {
            let (image, number) = self.split(self.ready);
            if !inputs.holds_image(image) {
                break;
            }
            let (rows, columns) = self.windows[number as usize].receptive_field(&self.layer.layer);
            for y in rows.start + self.cursor.0..rows.end {
                for x in columns.start + self.cursor.1..columns.end {
                    if let Some(slot) = inputs.missing_at(image, y, x) {
                        self.cursor = (y - rows.start, x - columns.start);
                        self.awaited = Some(slot);
                        break 'windows;
                    }
                }
                self.cursor.1 = 0;
            }
            self.cursor = (0, 0);
            self.ready += 1;
        }
        if self.ready == before {
            return 0;
        }
        self.readied = (now, Cycle::from(inputs.held_up));
        std::mem::take(&mut self.starving)
    }

    /// How long the last input of a window that became ready in cycle `now` had been held up.
    #[inline]
    pub fn held_up(&self, now: Cycle) -> Cycle {
        if self.readied.0 == now { self.readied.1 } else { 0 }
    }

    /// IMA `ima` has read the inputs of all windows before `next`. Returns whether all IMAs have come further by it.
    #[inline]
    pub fn inputs_read(&mut self, ima: usize, next: u32) -> bool {
        let before = std::mem::replace(&mut self.read_by[ima], next);
        self.slowest -= u32::from(before == self.read_by_all);
        if self.slowest > 0 {
            return false;
        }
        let read_by = || crate::bits::ones(self.imas).map(|ima| self.read_by[ima]);
        self.read_by_all = read_by().min().expect("a layer control has at least one IMA");
        self.slowest = read_by().filter(|&read| read == self.read_by_all).count() as u32;
        true
    }

    /// Image and window that not all IMAs have read yet; `None` if the copy has no windows at all.
    pub fn progress(&self) -> Option<(u32, u32)> {
        (!self.windows.is_empty()).then(|| self.split(self.read_by_all))
    }

    /// Inputs that the rows `rows` of the copy read for `window`: zeros (padding, cropped) are not.
    #[inline]
    pub fn inputs_of(&self, window: &Window, rows: &std::ops::Range<u32>, inputs: &Inputs) -> u32 {
        if window.whole {
            return rows.end - rows.start;
        }
        let layer = &self.layer.layer;
        let (field_rows, field_columns) = window.receptive_field(layer);
        // Kernel position of the input at (y, x).
        let at = |y: u32, x: u32| {
            let row = y + layer.padding - u32::from(window.y) * layer.stride;
            let column = x + layer.padding - u32::from(window.x) * layer.stride;
            row * layer.kernel_width + column
        };
        let positions = field_rows.flat_map(|y| field_columns.clone().map(move |x| (y, x)));
        let read = positions.filter(|&(y, x)| inputs.share.rank(y, x) != mapper::NEVER);
        read.map(|(y, x)| self.layer.geometry.rows_at(rows, at(y, x))).sum()
    }
}

use des::Cycle;
use mapper::{LayerLayout, Window};

use crate::{Counts, HeldUp, Inputs, Stalls, Unit};

/// What happened in a tile for one replica of a layer, beside its IMAs: what its counts follow from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Windows finished.
    pub windows: u64,
    /// Bits of results sent to the tiles that need them.
    pub result_bits_sent: u64,
}

impl Counters {
    /// The counts.
    pub fn counts(&self) -> Counts {
        Counts { windows: self.windows, result_bits_sent: self.result_bits_sent, ..Counts::default() }
    }
}

/// The control of one replica of a layer in one tile: which of its windows have their inputs, which have been read.
#[derive(Clone, Debug)]
pub struct LayerControl<'a> {
    /// The layer.
    pub layer: &'a LayerLayout,
    /// Number of the layer in the network.
    pub layer_index: u16,
    /// The replica.
    pub replica: u32,
    /// The windows of the replica, in order.
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
    /// When the last window became ready.
    readied_at: Cycle,
    /// What had held up the awaited input when it came.
    held_up: HeldUp,
    /// Windows that all IMAs have read the inputs of.
    pub read_by_all: u32,
    /// When the first inputs of each image were fetched: of all images in the layer that begins them, of the first in
    /// others.
    pub begun: Vec<Cycle>,
    /// The window with which the next of these begins.
    begins_next: u32,
    /// The layer is the one that begins images.
    pub begins_images: bool,
    /// IMA-cycles by cause.
    pub stalls: Stalls,
    /// What happened in the tile for this replica, beside its IMAs.
    pub counters: Counters,
}

impl<'a> LayerControl<'a> {
    /// A control for `images` images of replica `replica`, whose IMAs in the tile are given as bits.
    pub fn new(
        (layer, layer_index): (&'a LayerLayout, u16),
        replica: u32,
        images: u32,
        begins_images: bool,
        inputs: u8,
        imas: u64,
    ) -> Self {
        let windows = layer.windows(replica);
        Self {
            layer,
            layer_index,
            replica,
            windows,
            imas,
            inputs,
            total: windows.len() as u32 * images,
            ready: 0,
            awaited: None,
            cursor: (0, 0),
            readied_at: 0,
            held_up: HeldUp::default(),
            read_by_all: 0,
            begun: Vec::new(),
            begins_next: 0,
            begins_images,
            stalls: Stalls::default(),
            counters: Counters::default(),
        }
    }

    /// How probes know IMA `ima` of tile `tile`.
    #[inline]
    pub fn unit(&self, tile: u32, ima: usize) -> Unit {
        Unit { tile, ima: ima as u8, layer: self.layer_index, replica: self.replica }
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

    /// Inputs of window `index` are fetched.
    #[inline]
    pub fn fetches(&mut self, index: u32, now: Cycle) {
        if index >= self.begins_next {
            self.begun.push(now);
            self.begins_next = if self.begins_images { self.begins_next + self.windows.len() as u32 } else { u32::MAX };
        }
    }

    /// The awaited input has been written, after being held up on its way.
    pub fn supply(&mut self, held_up: HeldUp) {
        self.held_up = held_up;
    }

    /// Looks how far the windows have their inputs, in the order of computation. Returns whether another one has.
    pub fn look_ahead(&mut self, now: Cycle, inputs: &Inputs) -> bool {
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
        if self.ready > before {
            self.readied_at = now;
        }
        self.ready > before
    }

    /// Row and column of the input that window `ready` misses, if one is known.
    pub fn awaited_input(&self) -> Option<(u32, u32)> {
        self.awaited?;
        let (rows, columns) = self.window(self.ready).receptive_field(&self.layer.layer);
        Some((rows.start + self.cursor.0, columns.start + self.cursor.1))
    }

    /// What had held up the last input of a window that became ready in cycle `now`.
    #[inline]
    pub fn held_up(&self, now: Cycle) -> HeldUp {
        if self.readied_at == now { self.held_up } else { HeldUp::default() }
    }

    /// Image and window that not all IMAs have read yet; `None` if the replica has no windows at all.
    pub fn progress(&self) -> Option<(u32, u32)> {
        (!self.windows.is_empty()).then(|| self.split(self.read_by_all))
    }
}

//! Layer control: the windows of one replica of a layer, as one tile sees them.
//!
//! Windows have a fixed order. The control keeps the first window that is not ready and the first input that this
//! window misses; the write of that input makes it look further. A window becomes ready in the cycle after the last of
//! its inputs has been written. All IMAs of the tile that work for the replica follow the same control, whatever their
//! output group.

use std::ops::Range;

use arch::Counts;
use des::{Cycle, Fingerprint, Recurrent};
use index::{IndexVec, Set, count, size};
use mapper::{LayerLayout, ReplicaId, TileId, Window};
use network::LayerId;

use crate::{ControlId, HeldUp, ImaId, InputId, SliceBuffer, Stalls, Unit};

/// Actions in a tile for one replica of a layer that no block counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Windows finished.
    pub(crate) windows: u64,
    /// Bits of results sent to the buffers of consumers.
    pub(crate) result_bits_sent: u64,
}

impl Counters {
    /// Returns them as counts.
    pub(crate) fn counts(&self) -> Counts {
        Counts { windows: self.windows, result_bits_sent: self.result_bits_sent, ..Counts::default() }
    }
}

/// Progress of one replica of a layer in one tile: the windows that are ready, and those that have been read.
#[derive(Clone, Debug)]
pub struct LayerControl<'a> {
    /// The layer.
    pub(crate) layer: &'a LayerLayout,
    /// Number of the layer in the network.
    pub id: LayerId,
    /// The replica.
    pub(crate) replica: ReplicaId,
    /// The windows of the replica, in order.
    windows: &'a [Window],
    /// Number of these windows.
    per_image: u32,
    /// IMAs of the tile that hold parts of the replica.
    pub(crate) imas: Set<ImaId>,
    /// Input slices in the tile's buffer that its crossbars read.
    pub(crate) inputs: Vec<InputId>,
    /// Controls of the layer in the tile, which share these slices.
    pub(crate) sharing: Set<ControlId>,
    /// Windows of all images of the run.
    pub(crate) total: u32,
    /// Ready windows, counted over all images: windows below this one have their inputs in the buffer.
    pub(crate) ready: u32,
    /// Input that window `ready` misses; `None` if no such input is known.
    pub(crate) awaited: Option<Awaited>,
    /// Cycle in which the latest window became ready.
    readied_at: Cycle,
    /// Delay of the awaited input on its way.
    held_up: HeldUp,
    /// Windows whose inputs all IMAs of the control have read, counted over all images.
    pub(crate) read_by_all: u32,
    /// Cycle in which the first inputs of all were fetched.
    pub first_fetch: Option<Cycle>,
    /// First window of the next image whose begin is recorded; `None` if no further one is.
    begins_next: Option<u32>,
    /// True if the layer begins images: the first layer that computes a window.
    begins_images: bool,
    /// IMA-cycles of the IMAs of the control, by cause.
    pub stalls: Stalls,
    /// Counters of the replica in the tile.
    pub(crate) counters: Counters,
}

/// An input that a window misses.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    inputs: InputId,
    slot: usize,
    search: Search,
}

/// Search for missing inputs of a window, slice by slice and row by row of its receptive field.
#[derive(Clone, Debug)]
struct Search {
    rows: Range<u32>,
    columns: Range<u32>,
    /// Next input to look at: number of the slice, row and column.
    slice: usize,
    y: u32,
    x: u32,
}

impl Search {
    /// A search of a receptive field.
    #[inline]
    fn new((rows, columns): (Range<u32>, Range<u32>)) -> Self {
        Self { slice: 0, y: rows.start, x: columns.start, rows, columns }
    }
}

impl<'a> LayerControl<'a> {
    /// A control of `replica` for a run of `images` images. `inputs` are the slices that it reads, `imas` its IMAs.
    pub fn new(
        (id, layer): (LayerId, &'a LayerLayout),
        replica: ReplicaId,
        images: u32,
        begins_images: bool,
        inputs: Vec<InputId>,
        imas: Set<ImaId>,
    ) -> Self {
        let windows = layer.windows(replica);
        let per_image = u32::try_from(windows.len()).expect("the mapper counts windows in 32 bits");
        Self {
            layer,
            id,
            replica,
            windows,
            per_image,
            imas,
            inputs,
            sharing: Set::EMPTY,
            total: per_image * images,
            ready: 0,
            awaited: None,
            readied_at: 0,
            held_up: HeldUp::default(),
            read_by_all: 0,
            first_fetch: None,
            begins_next: Some(0),
            begins_images,
            stalls: Stalls::default(),
            counters: Counters::default(),
        }
    }

    /// Windows of an image.
    pub(crate) fn per_image(&self) -> u32 {
        self.per_image
    }

    /// Images of a run whose end the control has not seen.
    pub fn images_ahead(&self) -> u32 {
        self.ready.checked_div(self.per_image).map_or(0, |complete| complete + 1)
    }

    /// Changes the number of images of the run, of which no IMA has asked for more windows. Windows that were ready
    /// beyond its end are forgotten.
    pub(crate) fn set_images(&mut self, images: u32) {
        self.total = self.per_image * images;
        if self.ready >= self.total {
            (self.ready, self.awaited) = (self.total, None);
        }
    }

    /// Identifies IMA `ima` of tile `tile` to probes.
    #[inline]
    pub(crate) fn unit(&self, tile: TileId, ima: ImaId) -> Unit {
        Unit { tile, ima, layer: self.id, replica: self.replica }
    }

    /// Window `index`, counted over all images.
    #[inline]
    pub(crate) fn window(&self, index: u32) -> &'a Window {
        &self.windows[size(self.split(index).1)]
    }

    /// Splits window `index`, counted over all images, into its image and its step.
    #[inline]
    pub(crate) fn split(&self, index: u32) -> (u32, u32) {
        let per_image = self.per_image;
        // One image is the common case, and divisions are slow.
        if index < per_image { (0, index) } else { (index / per_image, index % per_image) }
    }

    /// Records that inputs of window `index` are fetched. Returns the image that begins with them, if one does.
    #[inline]
    pub(crate) fn fetches(&mut self, index: u32, now: Cycle) -> Option<u32> {
        let first = self.begins_next.filter(|&first| index >= first)?;
        self.first_fetch.get_or_insert(now);
        self.begins_next = self.begins_images.then(|| first + self.per_image);
        self.begins_images.then(|| self.split(first).0)
    }

    /// True if window `ready` misses this input.
    #[inline]
    pub(crate) fn awaits(&self, inputs: InputId, slot: usize) -> bool {
        self.awaited.as_ref().is_some_and(|awaited| (awaited.inputs, awaited.slot) == (inputs, slot))
    }

    /// Records the delay of the awaited input, which has been written.
    pub(crate) fn supply(&mut self, held_up: HeldUp) {
        self.held_up = held_up;
    }

    /// Advances `ready` over the windows that have all their inputs. Returns true if it rises.
    pub(crate) fn look_ahead(&mut self, now: Cycle, slices: &IndexVec<InputId, SliceBuffer>) -> bool {
        let before = self.ready;
        let stride = self.layer.layer.kernel.dilation;
        let images = self.inputs.iter().map(|&inputs| slices[inputs].images_held()).min();
        let end = self.total.min(images.map_or(u32::MAX, |images| images.saturating_mul(self.per_image)));
        let mut resumed = self.awaited.take().map(|awaited| awaited.search);
        let mut ready = self.ready;
        'windows: while ready < end {
            let (image, number) = self.split(ready);
            let field = || self.windows[size(number)].receptive_field(&self.layer.layer);
            let mut search = resumed.take().unwrap_or_else(|| Search::new(field()));
            while let Some(&inputs) = self.inputs.get(search.slice) {
                let slice = &slices[inputs];
                while search.y < search.rows.end {
                    let left = search.x..search.columns.end;
                    if let Some((slot, x)) = slice.missing_in_row(image, search.y, left, stride.x) {
                        search.x = x;
                        self.awaited = Some(Awaited { inputs, slot, search });
                        break 'windows;
                    }
                    search.x = search.columns.start;
                    search.y += stride.y;
                }
                search.y = search.rows.start;
                search.slice += 1;
            }
            ready += 1;
        }
        self.ready = ready;
        if self.ready > before {
            self.readied_at = now;
        }
        self.ready > before
    }

    /// Input slice, row and column of the input that window `ready` misses; `None` if no such input is known.
    pub(crate) fn awaited_input(&self) -> Option<(InputId, u32, u32)> {
        self.awaited.as_ref().map(|awaited| (awaited.inputs, awaited.search.y, awaited.search.x))
    }

    /// Delay of the last input of a window that became ready in cycle `now`; zero if it became ready earlier.
    #[inline]
    pub(crate) fn held_up(&self, now: Cycle) -> HeldUp {
        if self.readied_at == now { self.held_up } else { HeldUp::default() }
    }

    /// Image and step of the first window that not all IMAs have read; `None` if the replica has no windows.
    pub(crate) fn progress(&self) -> Option<(u32, u32)> {
        (!self.windows.is_empty()).then(|| self.split(self.read_by_all))
    }
}

impl Recurrent for LayerControl<'_> {
    fn state(&self, print: &mut Fingerprint) {
        let &Self {
            layer: _,
            id: _,
            replica: _,
            windows: _,
            per_image,
            imas: _,
            inputs: _,
            sharing: _,
            total: _,
            ready,
            ref awaited,
            // No window becomes ready in a cycle that has ended.
            readied_at: _,
            held_up,
            read_by_all,
            first_fetch: _,
            begins_next,
            begins_images: _,
            stalls: _,
            counters: _,
        } = self;
        // A replica without windows stays as it is.
        if per_image == 0 {
            return;
        }
        print.counted(ready, per_image);
        print.number(awaited.is_some());
        if let Some(Awaited { inputs: _, slot: _, search: Search { rows: _, columns: _, slice, y, x } }) = awaited {
            // All else follows from these and from `ready`.
            print.number(count(*slice));
            print.numbers([*y, *x]);
        }
        held_up.state(print);
        print.counted(read_by_all, per_image);
        print.number(begins_next.is_some());
        if let Some(first) = begins_next {
            print.counted(first, per_image);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Waits;
    use crate::testing::{OneLayer, assert_told_apart};

    impl LayerControl<'_> {
        fn search(&mut self) -> &mut Search {
            &mut self.awaited.as_mut().expect("the control awaits an input").search
        }
    }

    #[test]
    fn progress_of_a_control_is_state() {
        let machine = OneLayer::new(|_| ());
        let inputs = machine.inputs();
        let mut control = inputs.controls.iter().next().unwrap().clone();
        control.awaited = Some(Awaited { inputs: InputId(0), slot: 1, search: Search::new((0..3, 0..3)) });
        assert_told_apart(
            &control,
            Recurrent::state,
            &[
                |control| control.ready += 1,
                |control| control.awaited = None,
                |control| control.search().slice += 1,
                |control| control.search().y += 1,
                |control| control.search().x += 1,
                |control| control.held_up = Waits { routers: 3, links: 0 }.into(),
                |control| control.read_by_all += 1,
                |control| control.begins_next = Some(4),
                |control| control.begins_next = None,
            ],
        );
    }

    #[test]
    fn a_control_looks_ahead_to_the_image_of_the_window_that_it_awaits() {
        let machine = OneLayer::new(|_| ());
        let mut control = machine.inputs().controls.iter().next().unwrap().clone();
        // Four windows in an image: with the third image ready, a run of three images would look for no window more.
        for (ready, images) in [(0, 1), (3, 1), (4, 2), (11, 3), (12, 4)] {
            control.ready = ready;
            assert_eq!(control.images_ahead(), images, "{ready} windows are ready");
        }
    }
}

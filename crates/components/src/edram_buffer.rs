use des::{Cycle, Server};
use mapper::{InputOrder, InputSlice, NEVER, Window};
use network::Layer;

/// The eDRAM buffer of a tile: one port, and the inputs of the layers that the tile computes.
#[derive(Clone, Debug)]
pub struct EdramBuffer<'a> {
    /// What moves its bits, in the order of the grants.
    pub port: Server,
    /// Inputs of each layer.
    pub inputs: Vec<Inputs<'a>>,
}

impl<'a> EdramBuffer<'a> {
    /// A buffer whose port moves `bits_per_cycle`, or anything at once.
    pub fn new(bits_per_cycle: Option<u64>, inputs: Vec<Inputs<'a>>) -> Self {
        Self { port: Server::new(bits_per_cycle), inputs }
    }
}

/// The inputs of one layer in a tile's buffer, for the image in work and the one after it.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// Which they are.
    pub slice: &'a InputSlice,
    order: &'a InputOrder,
    /// Layer that reads them.
    pub layer: u16,
    /// Number of the slice on the board, by which producers ask for room.
    pub room: u32,
    /// Packets that make up a position: one for each output group that it needs channels of. 0 for the host's.
    pieces: u16,
    /// Packets still missing, by rank; even images first.
    missing: Vec<u16>,
    /// Positions that may be sent, by step of the slowest replica, counted from the image in work.
    limits: Vec<u32>,
    /// Positions that may be sent, as the producers know it, counted over all images.
    limit: u32,
    /// Positions of all images.
    total: u32,
    /// The image in work.
    image: u32,
    /// The last cycle in which anything was written.
    pub last_written_at: Cycle,
    /// Bits written.
    pub bits_written: u64,
}

impl<'a> Inputs<'a> {
    /// An empty buffer for `images` images, with room for `capacity` positions, or without a limit.
    pub fn new(
        slice: &'a InputSlice,
        (layer, room): (u16, u32),
        pieces: u16,
        images: u32,
        capacity: Option<u64>,
    ) -> Self {
        let order = &*slice.order;
        let limits = order.limits(capacity);
        Self {
            slice,
            order,
            layer,
            room,
            pieces,
            missing: vec![pieces; 2 * order.positions as usize],
            limit: limits.first().copied().unwrap_or(0),
            limits,
            total: order.positions * images,
            image: 0,
            last_written_at: 0,
            bits_written: 0,
        }
    }

    /// Positions that may be sent, counted over all images.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether the inputs of image `image` have a place here, so that [`Self::missing_at`] speaks of that image.
    #[inline]
    pub fn holds_image(&self, image: u32) -> bool {
        image <= self.image + 1
    }

    /// The slot of the position at row `y`, column `x` in image `image` if it is needed and not there yet.
    #[inline]
    pub fn missing_at(&self, image: u32, y: u32, x: u32) -> Option<u32> {
        let rank = self.order.rank(y, x);
        if rank == NEVER {
            return None;
        }
        let slot = image % 2 * self.order.positions + rank;
        (self.missing[slot as usize] > 0).then_some(slot)
    }

    /// One packet of the position of `rank`, counted over all images, has been written. Returns the position's slot if
    /// it was the last.
    #[inline]
    pub fn written(&mut self, rank: u32) -> Option<u32> {
        let slots = 2 * self.order.positions;
        // Most runs have few images, and a division is slow.
        let slot = if rank < slots { rank } else { rank % slots };
        let missing = &mut self.missing[slot as usize];
        assert!(*missing > 0, "layer {} in tile {} got position {rank} twice", self.layer, self.slice.tile);
        *missing -= 1;
        (*missing == 0).then_some(slot)
    }

    /// All replicas have read the windows before `step` of image `image`. Returns the new limit if it rises.
    pub fn advance(&mut self, image: u32, step: u32) -> Option<u32> {
        while self.image < image {
            let positions = self.order.positions as usize;
            let bank = (self.image % 2) as usize * positions;
            self.missing[bank..bank + positions].fill(self.pieces);
            self.image += 1;
        }
        // After the last window of the last image there is no next step.
        let ahead = self.limits.get(step as usize).copied().unwrap_or(0);
        let limit = (self.image * self.order.positions + ahead).min(self.total);
        (limit > self.limit).then(|| {
            self.limit = limit;
            limit
        })
    }

    /// Which rows of a replica of `layer` read something for `window`.
    pub fn read_by(&self, layer: &Layer, window: &Window) -> RowsRead {
        RowsRead::new(layer, window, |y, x| self.order.rank(y, x) != NEVER)
    }
}

/// The rows of a replica that read something for a window.
#[derive(Clone, Debug)]
pub struct RowsRead {
    /// For each kernel position, those before it that are read; at the end, all that are. Rows repeat the kernel
    /// positions, channel by channel.
    before: Vec<u32>,
}

impl RowsRead {
    /// The rows of a replica of `layer` that read something for `window`. Zeros are not read: padding, and what is not
    /// `produced` (row, column) because it is cropped.
    pub fn new(layer: &Layer, window: &Window, produced: impl Fn(u32, u32) -> bool) -> RowsRead {
        let (field_rows, field_columns) = window.receptive_field(layer);
        let mut before = vec![0; (layer.kernel_height * layer.kernel_width) as usize + 1];
        for y in field_rows {
            for x in field_columns.clone().filter(|&x| produced(y, x)) {
                let row = y + layer.padding - u32::from(window.y) * layer.stride;
                let column = x + layer.padding - u32::from(window.x) * layer.stride;
                before[(row * layer.kernel_width + column) as usize + 1] = 1;
            }
        }
        for position in 1..before.len() {
            before[position] += before[position - 1];
        }
        RowsRead { before }
    }

    /// How many of `rows` read something.
    pub fn among(&self, rows: &std::ops::Range<u32>) -> u32 {
        let positions = self.before.len() as u32 - 1;
        let up_to =
            |end: u32| end / positions * self.before[positions as usize] + self.before[(end % positions) as usize];
        up_to(rows.end) - up_to(rows.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_read_something_are_those_of_kernel_positions_that_are_read() {
        // Of a 3 x 3 kernel in the top left corner of a map, positions 4, 5, 7 and 8 are read.
        let read = |row: u32| [4, 5, 7, 8].contains(&(row % 9));
        let before = (0..10).map(|end| (0..end).filter(|&row| read(row)).count() as u32).collect();
        let rows_read = RowsRead { before };
        for (start, end) in [(0, 576), (0, 128), (128, 256), (100, 101), (112, 113), (7, 7)] {
            let expected = (start..end).filter(|&row| read(row)).count() as u32;
            assert_eq!(rows_read.among(&(start..end)), expected, "{start}..{end}");
        }
    }
}

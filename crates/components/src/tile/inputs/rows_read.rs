use std::ops::Range;

use index::size;
use mapper::{LayerLayout, Window};
use network::{Layer, MapId};
use smallvec::SmallVec;

/// Numbers of kernel positions, with room for a 5 x 5 kernel before it needs an allocation.
type Before = SmallVec<[u32; 26]>;

/// Rows of a replica that read an input for a window: neither padding nor cropped.
#[derive(Clone, Debug)]
pub struct RowsRead {
    parts: SmallVec<[PartRead; 1]>,
}

/// Rows that read a part of the input. They repeat the kernel positions, channel by channel.
#[derive(Clone, Debug)]
struct PartRead {
    rows: Range<u32>,
    /// Positions of the kernel.
    positions: u32,
    /// For each position, the number of earlier ones that are read, at the end the number of all that are.
    before: Before,
}

impl RowsRead {
    /// Rows of a replica of `layer` that read an input for `window`. Zeros are not read: padding, and positions (row,
    /// column) that are cropped, for which what `produced` returns for their map returns false.
    pub fn new<Produced>(layer: &LayerLayout, window: &Window, produced: impl Fn(MapId) -> Produced) -> RowsRead
    where
        Produced: Fn(u32, u32) -> bool,
    {
        let Layer { kernel, input, .. } = &layer.layer;
        let positions = kernel.positions();
        let (mut parts, mut row) = (SmallVec::<[PartRead; 1]>::new(), 0);
        for parts_of_map in layer.reads.chunk_by(|a, b| a.map == b.map) {
            let is_produced = produced(parts_of_map[0].map);
            let (mut before, mut read) = (Before::from_elem(0, 1), 0);
            for y in (0..kernel.size.y).map(|row| kernel.row_read(window.y.into(), row, input.height)) {
                for x in (0..kernel.size.x).map(|column| kernel.column_read(window.x.into(), column, input.width)) {
                    let is_read = y.zip(x).is_some_and(|(y, x)| window.bits > 0 && is_produced(y, x));
                    read += u32::from(is_read);
                    before.push(read);
                }
            }
            let channels = parts_of_map.iter().map(|part| part.channels.end - part.channels.start).sum::<u32>();
            let end = row + channels * positions;
            parts.push(PartRead { rows: row..end, positions, before });
            row = end;
        }
        RowsRead { parts }
    }

    /// Number of rows among `rows` that read an input.
    pub fn among(&self, rows: &Range<u32>) -> u32 {
        self.parts.iter().map(|part| part.among(rows)).sum()
    }
}

impl PartRead {
    fn among(&self, rows: &Range<u32>) -> u32 {
        let (start, end) = (rows.start.max(self.rows.start), rows.end.min(self.rows.end));
        if start < end { self.up_to(end) - self.up_to(start) } else { 0 }
    }

    /// Number of rows before `end` that read an input, if all of them were of the part.
    fn up_to(&self, end: u32) -> u32 {
        let (channels, positions) = (end / self.positions, end % self.positions);
        channels * self.before[size(self.positions)] + self.before[size(positions)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_read_something_are_those_of_kernel_positions_that_are_read() {
        // Of a 3 x 3 kernel in the top left corner of a map, positions 4, 5, 7 and 8 are read. From row 126 on, the input
        // has another map, of which position 5 is cropped.
        let read = |row: u32| [4, 5, 7, 8].contains(&(row % 9)) && (row < 126 || row % 9 != 5);
        let reading = |rows: Range<u32>| rows.map(|row| u32::from(read(row))).sum::<u32>();
        let before = |first: u32| -> Before { (0..10).map(|end| reading(first..first + end)).collect() };
        let part = |rows: Range<u32>| PartRead { before: before(rows.start), rows, positions: 9 };
        let rows_read = RowsRead { parts: [part(0..126), part(126..576)].into_iter().collect() };
        for (start, end) in [(0, 576), (0, 128), (128, 256), (100, 101), (112, 113), (7, 7)] {
            assert_eq!(rows_read.among(&(start..end)), reading(start..end), "{start}..{end}");
        }
    }
}

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
    /// First row of each part of the input, and for each kernel position the number of earlier ones that are read in that
    /// part, at the end the number of all that are. Rows repeat the kernel positions, channel by channel.
    parts: SmallVec<[(u32, Before); 1]>,
}

impl RowsRead {
    /// Rows of a replica of `layer` that read an input for `window`. Zeros are not read: padding, and positions (row,
    /// column) that are cropped, for which what `produced` returns for their map returns false.
    pub fn new<Produced>(layer: &LayerLayout, window: &Window, produced: impl Fn(MapId) -> Produced) -> RowsRead
    where
        Produced: Fn(u32, u32) -> bool,
    {
        let Layer { kernel, input, .. } = &layer.layer;
        let (mut parts, mut row, mut last) = (SmallVec::new(), 0, None);
        for part in &layer.reads {
            let map = part.map;
            if last != Some(map) {
                let is_produced = produced(map);
                let (mut before, mut read) = (Before::from_elem(0, 1), 0);
                for y in (0..kernel.size.y).map(|row| kernel.row_read(window.y.into(), row, input.height)) {
                    for x in (0..kernel.size.x).map(|column| kernel.column_read(window.x.into(), column, input.width)) {
                        let is_read = y.zip(x).is_some_and(|(y, x)| window.bits > 0 && is_produced(y, x));
                        read += u32::from(is_read);
                        before.push(read);
                    }
                }
                parts.push((row, before));
            }
            last = Some(map);
            row += (part.channels.end - part.channels.start) * kernel.positions();
        }
        RowsRead { parts }
    }

    /// Number of rows among `rows` that read an input.
    pub fn among(&self, rows: &Range<u32>) -> u32 {
        let ends = self.parts.iter().skip(1).map(|(first, _)| *first).chain([u32::MAX]);
        let of_part = |((first, before), end): (&(u32, Before), u32)| {
            let (start, end) = (rows.start.max(*first), rows.end.min(end));
            let positions = u32::try_from(before.len() - 1).expect("a kernel has fewer than 2^32 positions");
            let up_to = |end: u32| end / positions * before[size(positions)] + before[size(end % positions)];
            if start < end { up_to(end) - up_to(start) } else { 0 }
        };
        self.parts.iter().zip(ends).map(of_part).sum()
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
        let rows_read = RowsRead { parts: [(0, before(0)), (126, before(126))].into_iter().collect() };
        for (start, end) in [(0, 576), (0, 128), (128, 256), (100, 101), (112, 113), (7, 7)] {
            assert_eq!(rows_read.among(&(start..end)), reading(start..end), "{start}..{end}");
        }
    }
}

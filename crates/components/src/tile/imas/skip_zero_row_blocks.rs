use mapper::Window;

use super::policy::{Policy, RowBlock, Work};
use crate::RowsRead;

/// Row blocks whose inputs are all zero, padding or cropped, take no part (`ima.skip_zero_row_blocks`). The operation
/// takes as many cycles as without the option.
#[derive(Clone, Copy, Debug, Default)]
pub struct SkipZeroRowBlocks;

impl Policy for SkipZeroRowBlocks {
    #[inline]
    fn is_full(&self, window: &Window) -> bool {
        window.whole
    }

    fn work(&self, rows_read: &RowsRead, block: &RowBlock) -> Work {
        if rows_read.among(&block.rows) > 0 { block.whole() } else { Work::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_part_as_soon_as_one_of_its_rows_reads_an_input() {
        let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        let layout = mapper::balance(&arch, &network, &network::Plan::uniform(&network, 16, 16)).unwrap();
        let layer = &layout.layers[network::LayerId(0)];
        // The window in the top left corner of a padded map: kernel positions of the first row and column are padding.
        let mut windows = layer.replicas.indices().flat_map(|replica| layer.windows(replica));
        let corner = windows.find(|window| (window.y, window.x) == (0, 0)).unwrap();
        assert!(!SkipZeroRowBlocks.is_full(corner));
        let rows_read = RowsRead::new(layer, corner, |_| |_, _| true);
        let block = |rows| RowBlock { rows, columns: 8, crossbars: 1 };
        let first = (0..9).find(|&row| rows_read.among(&(row..row + 1)) > 0).unwrap();
        assert_eq!(SkipZeroRowBlocks.work(&rows_read, &block(0..first)), Work::NONE);
        assert_eq!(SkipZeroRowBlocks.work(&rows_read, &block(0..first + 1)), Work { rows: first + 1, columns: 8 });
    }
}

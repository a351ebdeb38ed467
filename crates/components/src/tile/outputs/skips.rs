//! Skips of a part of the output register: operands of joins, which the tile's shift-and-add merges from the eDRAM
//! buffer as it merges partial sums.
//!
//! The operands of a window are one more contribution to it: those that are added to its values, and, behind a pool, to
//! the positions that it finishes. They may be asked for as soon as they are in the buffer and the register has room for
//! the window; eDRAM port and bus are granted in the order of windows. Cropped operands read as zero: nothing is
//! transferred for them.

use des::Fingerprint;
use index::{IndexVec, count};
use mapper::LevelId;

use crate::{InputId, LayerControl, SliceBuffer};

/// Part of the operands of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Level of the layer into whose positions it is merged.
    pub level: LevelId,
    /// Input slice of the tile that holds it.
    pub inputs: InputId,
    /// Bits of a position that the part of the register merges.
    pub bits: u32,
    /// Values of a position that it merges.
    pub values: u32,
}

impl Operand {
    /// Row and column of the positions that are merged with `window`, counted over all images.
    fn positions<'a>(&self, control: &LayerControl<'a>, window: u32) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let (_, step) = control.split(window);
        control.layer.levels[self.level].merging(control.replica, step, control.window(window))
    }
}

/// Operands of the windows of one part of the output register.
#[derive(Clone, Debug)]
pub(crate) struct Skips {
    /// Operands of a window.
    pub(crate) operands: Vec<Operand>,
    /// First window whose operands are not all in the buffer, or for which the register has no room, counted over all
    /// images, as are the following.
    ready: u32,
    /// First window whose operands have not been asked for.
    pub(crate) asked: u32,
    /// First window whose operands have not been merged.
    pub(crate) merged: u32,
    /// Input slice that lacks an operand of window `ready`, and row and column of the operand.
    awaited: Option<(InputId, u32, u32)>,
    /// Bits read since the start.
    pub(crate) bits: u64,
    /// Values merged since the start.
    pub(crate) values: u64,
}

impl Skips {
    /// Operands before the first window.
    pub(crate) fn new(operands: Vec<Operand>) -> Self {
        Self { operands, ready: 0, asked: 0, merged: 0, awaited: None, bits: 0, values: 0 }
    }

    /// Advances `ready` over the windows below `room` whose operands are in the buffer.
    pub(crate) fn look_ahead(&mut self, room: u32, control: &LayerControl, slices: &IndexVec<InputId, SliceBuffer>) {
        self.awaited = None;
        while self.ready < room.min(control.total) {
            let (image, _) = control.split(self.ready);
            let missing = self.operands.iter().find_map(|operand| {
                let slice = &slices[operand.inputs];
                let is_missing = |&(y, x): &(u32, u32)| !slice.holds_image(image) || slice.misses(image, y, x);
                let (y, x) = operand.positions(control, self.ready).find(is_missing)?;
                Some((operand.inputs, y, x))
            });
            if missing.is_some() {
                self.awaited = missing;
                return;
            }
            self.ready += 1;
        }
    }

    /// Takes the next window whose operands may be asked for. Returns the bits to be read.
    pub(crate) fn ask(
        &mut self,
        control: &LayerControl,
        slices: &IndexVec<InputId, SliceBuffer>,
    ) -> Option<(u32, u64)> {
        if self.asked == self.ready {
            return None;
        }
        let window = self.asked;
        let (mut bits, mut values) = (0, 0);
        for operand in &self.operands {
            let slice = &slices[operand.inputs];
            let read = count(operand.positions(control, window).filter(|&(y, x)| slice.receives(y, x)).count());
            bits += read * u64::from(operand.bits);
            values += read * u64::from(operand.values);
        }
        self.bits += bits;
        self.values += values;
        self.asked += 1;
        Some((window, bits))
    }

    /// Records that the operands of the next window have been merged. Returns the window.
    pub(crate) fn merge(&mut self) -> u32 {
        assert!(self.merged < self.asked, "operands were merged that nobody asked for");
        self.merged += 1;
        self.merged - 1
    }

    /// Images of a run whose end was not seen, for a replica of `windows` windows.
    pub(crate) fn images_ahead(&self, windows: u32) -> u32 {
        self.ready.checked_div(windows).map_or(0, |images| images + 1)
    }

    /// Follows a change of the number of images of the run, of which no more operands have been asked for.
    pub(crate) fn set_images(&mut self, control: &LayerControl) {
        if self.ready >= control.total {
            (self.ready, self.awaited) = (control.total, None);
        }
    }

    /// Adds the state to a fingerprint, for a replica of `windows` windows.
    pub(crate) fn state(&self, windows: u32, print: &mut Fingerprint) {
        let Self { operands: _, ready, asked, merged, awaited, bits: _, values: _ } = self;
        print.counted(*ready, windows);
        print.counted(*asked, windows);
        print.counted(*merged, windows);
        print.number(awaited.map_or(u64::MAX, |(inputs, ..)| inputs.0.into()));
    }

    /// Input slice that lacks an operand of the next window that has room, and row and column of the operand; `None` if
    /// the window has all its operands.
    pub(crate) fn awaited(&self) -> Option<(InputId, u32, u32)> {
        self.awaited.filter(|_| self.merged == self.ready)
    }

    /// True if operands are in slice `inputs`.
    pub(crate) fn reads(&self, inputs: InputId) -> bool {
        self.operands.iter().any(|operand| operand.inputs == inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    #[test]
    fn operands_on_their_way_are_state() {
        assert_told_apart(
            &Skips::new(Vec::new()),
            |skips, print| skips.state(4, print),
            &[
                |skips| skips.ready += 1,
                |skips| skips.asked += 1,
                |skips| skips.merged += 1,
                |skips| skips.awaited = Some((InputId(0), 0, 0)),
            ],
        );
    }
}

/// The max-pool unit of a tile, for one output group of one copy: running maxima of the positions not yet complete.
///
/// Images overlap by at most one, so there are two sets of maxima.
#[derive(Clone, Debug)]
pub struct MaxPool {
    /// Windows still missing: the positions of even images, then those of odd ones.
    missing: Vec<u16>,
    /// Windows of each position.
    windows: Vec<u16>,
    /// Values that went in.
    pub values: u64,
}

impl MaxPool {
    /// Positions with `windows` windows each.
    pub fn new(windows: Vec<u16>) -> Self {
        Self { missing: [windows.as_slice(), &windows].concat(), windows, values: 0 }
    }

    /// Takes the `values` channels of one window into `position` and returns whether it was its last window.
    #[inline]
    pub fn take(&mut self, image: u32, position: u32, values: u32) -> bool {
        self.values += u64::from(values);
        let missing = &mut self.missing[(image % 2) as usize * self.windows.len() + position as usize];
        assert!(*missing > 0, "position {position} of a max-pool got a window too many");
        *missing -= 1;
        if *missing > 0 {
            return false;
        }
        *missing = self.windows[position as usize];
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_complete_with_its_last_window_and_then_starts_again() {
        let mut pool = MaxPool::new(vec![2, 1]);
        assert!(!pool.take(0, 0, 8));
        assert!(pool.take(0, 1, 8));
        assert!(pool.take(0, 0, 8));
        assert!(!pool.take(2, 0, 8), "the next even image begins anew");
        assert_eq!(pool.values, 32);
    }

    #[test]
    fn the_next_image_does_not_complete_a_position_of_this_one() {
        let mut pool = MaxPool::new(vec![2]);
        assert!(!pool.take(0, 0, 1));
        assert!(!pool.take(1, 0, 1));
        assert!(pool.take(0, 0, 1));
    }
}

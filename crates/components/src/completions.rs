use std::ops::Range;

use des::{Cycle, Fingerprint, Recurrent};
use index::{count, size};

/// Completions of the board, image by image: windows finished and packets written.
///
/// Shared by all tiles. Completions only add up, so the order of the tiles in a cycle does not matter.
#[derive(Clone, Debug, Default)]
pub struct Completions {
    /// Completions of a complete image.
    per_image: u64,
    /// One entry for each image with a completion.
    images: Vec<ImageRecord>,
    /// Images that are complete, counted from the first.
    complete: usize,
}

/// Completions of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageRecord {
    /// Cycle in which its first inputs were fetched; `None` if no layer computes anything.
    pub begun: Option<Cycle>,
    /// Results of the last layer written.
    pub results: u64,
    /// Cycle of the last result; 0 if there was none.
    pub last_result_at: Cycle,
    /// Cycle of the last completion; 0 if there was none.
    pub last_at: Cycle,
    /// Windows finished and packets written.
    completions: u64,
    /// Sum, modulo 2^64, of the hashes of all completions, without their cycles.
    hashes: u64,
    /// Sum, modulo 2^64, of each hash times the cycle of its completion.
    moments: u64,
}

/// Multiplies and folds: one step of a hash.
#[inline]
fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 32)
}

/// Hash of the particulars that identify a completion within its image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Particulars(u64);

impl Particulars {
    /// These particulars.
    #[inline]
    pub(crate) fn new<const N: usize>(particulars: [u64; N]) -> Self {
        Self(0x9e37_79b9_7f4a_7c15).and(particulars)
    }

    /// These and further ones.
    #[inline]
    pub(crate) fn and<const N: usize>(self, further: [u64; N]) -> Self {
        Self(further.into_iter().fold(self.0, mix))
    }
}

impl ImageRecord {
    /// Sum, modulo 2^64, of the hash of each completion times its cycle, counted from cycle `start` on.
    fn digest(&self, start: Cycle) -> u64 {
        self.moments.wrapping_sub(start.wrapping_mul(self.hashes))
    }

    /// The same image, `cycles` later.
    fn later(&self, cycles: Cycle) -> Self {
        Self {
            begun: self.begun.map(|begun| begun + cycles),
            last_result_at: if self.results > 0 { self.last_result_at + cycles } else { 0 },
            last_at: self.last_at + cycles,
            moments: self.moments.wrapping_add(cycles.wrapping_mul(self.hashes)),
            ..*self
        }
    }
}

impl Recurrent for ImageRecord {
    fn state(&self, print: &mut Fingerprint) {
        let Self { begun, results, last_result_at, last_at, completions, hashes, moments: _ } = *self;
        print.numbers([u64::from(begun.is_some()), results, completions, hashes, self.digest(print.now())]);
        if let Some(begun) = begun {
            print.cycle(begun);
        }
        if results > 0 {
            print.cycle(last_result_at);
        }
        if completions > 0 {
            print.cycle(last_at);
        }
    }
}

impl Recurrent for Completions {
    fn state(&self, print: &mut Fingerprint) {
        let Self { per_image: _, images, complete } = self;
        print.number(count(images.len() - complete));
        for image in &images[*complete..] {
            image.state(print);
        }
    }
}

impl Completions {
    /// No completions yet, of `per_image` in each image.
    pub fn new(per_image: u64) -> Self {
        Self { per_image, ..Self::default() }
    }

    #[inline]
    fn image(&mut self, image: u32) -> &mut ImageRecord {
        let image = size(image);
        if self.images.len() <= image {
            self.grow_to(image + 1);
        }
        &mut self.images[image]
    }

    #[cold]
    fn grow_to(&mut self, images: usize) {
        self.images.resize(images, ImageRecord::default());
    }

    /// Records that inputs of `image` are fetched in cycle `now`.
    pub(crate) fn begin(&mut self, image: u32, now: Cycle) {
        self.image(image).begun.get_or_insert(now);
    }

    /// Adds a completion of `image` in cycle `at`.
    #[inline]
    pub(crate) fn add(&mut self, image: u32, Particulars(hash): Particulars, at: Cycle) {
        let per_image = self.per_image;
        let record = self.image(image);
        record.hashes = record.hashes.wrapping_add(hash);
        record.moments = record.moments.wrapping_add(hash.wrapping_mul(at));
        record.last_at = record.last_at.max(at);
        record.completions += 1;
        if record.completions == per_image {
            self.complete_images();
        }
    }

    /// Finds the images that are complete.
    #[cold]
    fn complete_images(&mut self) {
        while self.images.get(self.complete).is_some_and(|record| record.completions == self.per_image) {
            self.complete += 1;
        }
    }

    /// Adds a result of the last layer, written in cycle `at`. It is a completion as well.
    pub(crate) fn add_result(&mut self, image: u32, at: Cycle) {
        let record = self.image(image);
        record.results += 1;
        record.last_result_at = record.last_result_at.max(at);
    }

    /// Images that are complete, counted from the first.
    pub fn complete(&self) -> usize {
        self.complete
    }

    /// One entry for each image with a completion.
    pub fn images(&self) -> &[ImageRecord] {
        &self.images
    }

    /// Adds images to a run of whose images those in `period`, all complete, repeat themselves: `times` more periods
    /// follow the first, and each takes `cycles`.
    pub fn repeat(&mut self, period: Range<usize>, times: u32, cycles: Cycle) {
        let (periods, end) = (size(times), period.end);
        let later = self.images.split_off(end);
        self.images.reserve_exact(periods * period.len() + later.len());
        for number in 1..=Cycle::from(times) {
            self.images.extend_from_within(period.clone());
            let repeated = self.images.len() - period.len();
            self.images[repeated..].iter_mut().for_each(|image| *image = image.later(number * cycles));
        }
        self.images.extend(later.iter().map(|image| image.later(Cycle::from(times) * cycles)));
        self.complete += periods * period.len();
    }

    /// Digest of the completions: a chain of the sums of all images, in each of which cycles count from the last
    /// completion of the image before.
    pub fn digest(&self) -> u64 {
        let starts = std::iter::once(0).chain(self.images.iter().map(|image| image.last_at));
        let sums = self.images.iter().zip(starts).map(|(image, start)| image.digest(start));
        sums.fold(0, mix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_told_apart;

    /// Digest of images whose completions are in these cycles; equal numbers stand for equal completions.
    fn digest(images: &[&[(u64, Cycle)]]) -> u64 {
        let mut completions = Completions::default();
        for (image, of_image) in (0..).zip(images) {
            for &(number, at) in *of_image {
                completions.add(image, Particulars::new([number]), at);
            }
        }
        completions.digest()
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_within_an_image_but_on_every_cycle() {
        let before: &[_] = &[(1, 10), (2, 30)];
        let of = |image: &[_]| digest(&[before, image]);
        assert_eq!(of(&[(1, 40), (2, 50)]), of(&[(2, 50), (1, 40)]));
        assert_ne!(of(&[(1, 40), (2, 50)]), of(&[(1, 50), (2, 40)]));
        assert_ne!(of(&[(1, 40), (2, 50)]), of(&[(1, 41), (2, 50)]));
    }

    #[test]
    fn an_image_that_takes_the_same_cycles_after_the_one_before_adds_the_same_whenever_it_comes() {
        let image = |start: Cycle| vec![(1, start + 10), (2, start + 7), (3, start + 20)];
        let mut completions = Completions::new(3);
        for (number, start) in (0..).zip([0, 20, 40]) {
            for (number_in_image, at) in image(start) {
                completions.add(number, Particulars::new([number_in_image]), at);
            }
        }
        let [first, second, third] = completions.images() else { panic!("three images") };
        assert_eq!(first.digest(0), second.digest(20));
        assert_eq!(second.digest(20), third.digest(40));
        assert_eq!(completions.complete(), 3);
    }

    #[test]
    fn repeated_images_are_those_of_a_longer_run() {
        // From the third image on, every second image is like the one two before, 50 cycles later.
        let run = |images: u32| {
            let mut completions = Completions::new(2);
            for image in 0..images {
                let start = u64::from(image) * 25 + if image % 2 == 0 { 0 } else { 3 } + u64::from(image > 1);
                completions.begin(image, start + 1);
                completions.add(image, Particulars::new([1]), start + 5);
                completions.add(image, Particulars::new([2]), start + 20);
                completions.add_result(image, start + 20);
            }
            completions
        };
        let mut short = run(7);
        short.repeat(2..4, 3, 50);
        let long = run(13);
        assert_eq!(short.images(), long.images());
        assert_eq!((short.digest(), short.complete()), (long.digest(), long.complete()));
    }

    #[test]
    fn an_image_is_complete_when_nothing_of_it_and_of_those_before_is_missing() {
        let mut completions = Completions::new(2);
        completions.add(1, Particulars::new([1]), 5);
        completions.add(1, Particulars::new([2]), 6);
        completions.add(0, Particulars::new([1]), 7);
        assert_eq!(completions.complete(), 0);
        completions.add(0, Particulars::new([2]), 8);
        assert_eq!(completions.complete(), 2);
    }

    #[test]
    fn every_field_of_an_incomplete_image_is_state() {
        let mut completions = Completions::new(9);
        completions.begin(0, 40);
        completions.add(0, Particulars::new([1]), 50);
        completions.add_result(0, 50);
        assert_told_apart(
            &completions,
            Recurrent::state,
            &[
                |of| of.images[0].begun = None,
                |of| of.images[0].begun = Some(41),
                |of| of.images[0].results += 1,
                |of| of.images[0].last_result_at += 1,
                |of| of.images[0].last_at += 1,
                |of| of.images[0].completions += 1,
                |of| of.images[0].hashes += 1,
                |of| of.images[0].moments += 1,
                |of| of.begin(1, 60),
            ],
        );
    }
}

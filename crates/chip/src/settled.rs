//! Definition of a settled run: the one place that decides whether a run has a pace.
//!
//! The machine is *loaded* until the first inputs of the last image are fetched; images that finish later meet less and
//! less traffic. Of the images that finish while it is loaded, the later half counts: queues grow during the earlier
//! half. An image ends with its last result or with a later output that nobody reads, so that no replica falls behind
//! forever. An interval is the time in cycles between the ends of successive images. The run is settled if images begin
//! as often as they finish, within 1 %, so that no queue grows, or leave at the bound, so that queues grow only before
//! the resource that is always busy; if the mean interval is not below the bound by more than 1 %; and if
//!
//! - the intervals of these images are all equal: the run repeats itself. Equal intervals of the later half of all
//!   images, and at least two, settle the run as well, if an image begins after the first of them has finished: then
//!   the end of the run has changed nothing. Or
//! - each half of these images is long enough for an image to begin after the first of the half has finished, and to
//!   finish within the half, so that the effect of an image on the next has had the time to show; the mean intervals of
//!   both halves agree within 1 %; and twice the standard error of the mean is within 1 % of it. The error is that of
//!   batches of √n intervals, since one interval depends on the one before.
//!
//! Otherwise [`Outcome::pace`] returns the reason, from which [`Unsettled::images_needed`] estimates a sufficient
//! number of images. `docs/model.md` ("Digest, settled, bound") states the same rule.
//!
//! The rule is no guarantee: a buffer may take hundreds of images to fill, and slow them down when it is full.

use std::ops::RangeInclusive;

use des::Cycle;
use index::count;

use crate::Outcome;

/// Relative difference up to which two means agree.
const TOLERANCE: f64 = 0.01;

/// The pace of a settled run.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Mean interval in cycles, from the end of an image to that of the next.
    pub cycles_per_image: f64,
    /// Twice the standard error of that mean, in cycles.
    pub error: f64,
    /// Latency under load; `None` while it still grows because buffers fill.
    pub latency: Option<Latency>,
}

/// Latency in cycles of the images whose intervals count: from the fetch of an image's first inputs to its last result,
/// both cycles included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Mean over these images.
    pub mean: f64,
    /// Latency of the slowest of these images.
    pub longest: Cycle,
}

/// Reason why a run is not settled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unsettled {
    /// One image has no interval.
    #[error("one image has no interval")]
    OneImage,
    /// The last layer computes nothing, so no image has a result.
    #[error("the last layer computes nothing")]
    NoResults,
    /// The run is too short to show the effect of an image on the next.
    #[error("{loaded} of {images} images finish before the last begins")]
    TooShort {
        /// Images of the run.
        images: usize,
        /// Images that finish while the machine is loaded.
        loaded: usize,
    },
    /// Images follow each other faster than the busiest resource can serve them, so the queue before it grows.
    #[error("intervals of {mean:.0} cycles, and the busiest resource needs {bound:.0} for an image")]
    BelowBound {
        /// Images of the run.
        images: usize,
        /// Mean interval.
        mean: f64,
        /// Bound on the interval.
        bound: f64,
    },
    /// Images begin more often than they finish, so that queues grow, or less often.
    #[error("images begin every {begun:.0} cycles and finish every {finished:.0}")]
    Unbalanced {
        /// Images of the run.
        images: usize,
        /// Mean interval between the beginnings of images.
        begun: f64,
        /// Mean interval between their results.
        finished: f64,
    },
    /// Queues still grow or shrink.
    #[error("intervals drift, from {earlier:.0} to {later:.0} cycles")]
    Drifting {
        /// Images of the run.
        images: usize,
        /// Mean interval of the earlier half.
        earlier: f64,
        /// Mean interval of the later half.
        later: f64,
    },
    /// The standard error of the mean is too large.
    #[error("intervals scatter, {mean:.0} cycles in the mean with an error of {error:.0}")]
    Scattered {
        /// Images that finish after the last image begins.
        after: usize,
        /// Number of intervals that count.
        intervals: usize,
        /// Their mean, in cycles.
        mean: f64,
        /// Twice the standard error of the mean, in cycles.
        error: f64,
    },
}

impl Unsettled {
    /// Estimates the images with which the run would settle; `None` if this run allows no estimate.
    pub fn images_needed(&self) -> Option<u64> {
        match *self {
            Unsettled::OneImage | Unsettled::NoResults => None,
            // One image more than are in flight, in each half that counts; twice that before; and those at the end.
            Unsettled::TooShort { images, loaded } => Some(count((5 * (images - loaded) + 5).max(images + 1))),
            Unsettled::BelowBound { images, .. }
            | Unsettled::Unbalanced { images, .. }
            | Unsettled::Drifting { images, .. } => Some(2 * count(images)),
            // The error falls with the square root of the number of intervals.
            Unsettled::Scattered { after, intervals, mean, error } => {
                let wanted = intervals as f64 * (error / (TOLERANCE * mean)).powi(2);
                Some(count(after) + 2 * whole(wanted) + 2)
            }
        }
    }
}

impl Outcome {
    /// Returns the pace of a settled run, or else the reason why it is not settled. `bound` is the number of cycles that
    /// an image needs of the busiest resource; in the long run, no image follows the one before in fewer.
    pub fn pace(&self, bound: f64) -> Result<Pace, Unsettled> {
        let pace = self.steady_pace(bound)?;
        let (images, mean) = (self.complete.len(), pace.cycles_per_image);
        if mean + pace.error < (1.0 - TOLERANCE) * bound {
            return Err(Unsettled::BelowBound { images, mean, bound });
        }
        Ok(pace)
    }

    /// Returns the pace of intervals that have stopped drifting.
    fn steady_pace(&self, bound: f64) -> Result<Pace, Unsettled> {
        let (begun, done) = (&self.begun[..], &self.complete[..]);
        let images = done.len();
        if images < 2 {
            return Err(if images == 0 { Unsettled::NoResults } else { Unsettled::OneImage });
        }
        let last_begins = begun.last().copied().unwrap_or(0);
        let loaded = done.partition_point(|&done| done < last_begins);
        if let Some(later) = images.checked_sub(3).map(|latest| (images / 2).min(latest)..=images - 1)
            && self.repeats(&later, bound)
        {
            return Ok(self.pace_of(&later, 0.0));
        }
        let Some(last) = loaded.checked_sub(1) else { return Err(Unsettled::TooShort { images, loaded }) };
        let window = loaded / 2..=last;
        if last >= loaded / 2 + 2 && self.repeats(&window, bound) {
            return Ok(self.pace_of(&window, 0.0));
        }
        let (first, middle) = (loaded / 2, (loaded / 2).midpoint(last));
        let results = &self.images;
        if first == middle || begun[middle] <= results[first] || begun[last] <= results[middle] {
            return Err(Unsettled::TooShort { images, loaded });
        }
        let (earlier, later) = (self.mean_interval(&(first..=middle)), self.mean_interval(&(middle..=last)));
        if !agree(earlier, later) {
            return Err(Unsettled::Drifting { images, earlier, later });
        }
        self.check_balance(&window, bound)?;
        let (mean, error) = (self.mean_interval(&window), 2.0 * self.standard_error(&window));
        if error > TOLERANCE * mean {
            return Err(Unsettled::Scattered { after: images - loaded, intervals: last - first, mean, error });
        }
        Ok(self.pace_of(&window, error))
    }

    fn pace_of(&self, window: &RangeInclusive<usize>, error: f64) -> Pace {
        Pace { cycles_per_image: self.mean_interval(window), error, latency: self.latency(window) }
    }

    /// True if all intervals of the images `window` are equal, an image begins after the first of them has finished, and
    /// the images are balanced.
    fn repeats(&self, window: &RangeInclusive<usize>, bound: f64) -> bool {
        let intervals = || self.complete[window.clone()].windows(2).map(|pair| pair[1] - pair[0]);
        intervals().all(|interval| Some(interval) == intervals().next())
            && self.begun.last() > Some(&self.images[*window.start()])
            && self.check_balance(window, bound).is_ok()
    }

    /// Checks that the images `window` begin as often as their results are written, or finish at the bound.
    fn check_balance(&self, window: &RangeInclusive<usize>, bound: f64) -> Result<(), Unsettled> {
        let (begun, finished) = (mean_interval(&self.begun, window), mean_interval(&self.images, window));
        if agree(begun, finished) || self.mean_interval(window) <= (1.0 + TOLERANCE) * bound {
            return Ok(());
        }
        Err(Unsettled::Unbalanced { images: self.complete.len(), begun, finished })
    }

    fn mean_interval(&self, window: &RangeInclusive<usize>) -> f64 {
        mean_interval(&self.complete, window)
    }

    /// Standard error of the mean interval in cycles, from the means of successive batches.
    fn standard_error(&self, window: &RangeInclusive<usize>) -> f64 {
        let (first, last) = (*window.start(), *window.end());
        let size = (last - first).isqrt();
        // Intervals at the beginning that do not fill a batch are left out.
        let ends: Vec<usize> = (first..=last).rev().step_by(size).collect();
        let means: Vec<f64> = ends.windows(2).map(|ends| self.mean_interval(&(ends[1]..=ends[0]))).collect();
        let batches = means.len() as f64;
        let mean = means.iter().sum::<f64>() / batches;
        let squares: f64 = means.iter().map(|of_batch| (of_batch - mean).powi(2)).sum();
        (squares / (batches - 1.0) / batches).sqrt()
    }

    /// Latency of the images `window`; `None` if it grows.
    fn latency(&self, window: &RangeInclusive<usize>) -> Option<Latency> {
        let of_each: Option<Vec<Cycle>> = window.clone().map(|image| self.latency_of(image)).collect();
        let of_each = of_each?;
        let mean = |latencies: &[Cycle]| latencies.iter().sum::<Cycle>() as f64 / latencies.len() as f64;
        let (earlier, later) = of_each.split_at(of_each.len() / 2);
        let latency = Latency { mean: mean(&of_each), longest: of_each.iter().copied().max()? };
        agree(mean(earlier), mean(later)).then_some(latency)
    }

    /// Latency of an image in cycles, from the fetch of its first inputs to its last result, both cycles included;
    /// `None` if the last layer does not depend on the first.
    pub fn latency_of(&self, image: usize) -> Option<Cycle> {
        let (begun, done) = (*self.begun.get(image)?, *self.images.get(image)?);
        (done + 1).checked_sub(begun)
    }
}

/// Returns the mean interval between the cycles `at` of the images `window`.
fn mean_interval(at: &[Cycle], window: &RangeInclusive<usize>) -> f64 {
    let (first, last) = (*window.start(), *window.end());
    (at[last] - at[first]) as f64 / (last - first) as f64
}

/// Returns an estimate rounded up to a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no estimate is negative")]
fn whole(number: f64) -> u64 {
    number.ceil() as u64
}

/// True if two means differ by at most [`TOLERANCE`] of the smaller.
fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_BOUND: f64 = 0.0;

    /// A run of images that begin and finish at these intervals; the first finishes in cycle `latency`.
    fn run(latency: Cycle, begin: &[Cycle], done: &[Cycle]) -> Outcome {
        assert_eq!(begin.len(), done.len());
        let from = |first: Cycle, intervals: &[Cycle]| -> Vec<Cycle> {
            let mut cycles = vec![first];
            cycles.extend(intervals.iter().scan(first, |at, interval| {
                *at += interval;
                Some(*at)
            }));
            cycles
        };
        Outcome {
            cycles: 0,
            begun: from(1, begin),
            images: from(latency, done),
            complete: from(latency, done),
            digest: 0,
            layers: Vec::new(),
            chips: 1,
            recurrence: None,
        }
    }

    /// Pseudo-random numbers below `below`.
    fn noise(count: usize, below: u64) -> Vec<Cycle> {
        let mut state = 9u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        (0..count).map(next).collect()
    }

    fn needed(outcome: &Outcome) -> Option<u64> {
        outcome.pace(NO_BOUND).expect_err("it is not settled").images_needed()
    }

    #[test]
    fn one_image_has_no_pace_and_two_are_too_few() {
        assert_eq!(run(90, &[], &[]).pace(NO_BOUND), Err(Unsettled::OneImage));
        assert_eq!(needed(&run(90, &[], &[])), None);
        assert!(needed(&run(90, &[40], &[40])) > Some(2));
    }

    #[test]
    fn equal_intervals_settle_without_error_once_an_image_has_met_all_others() {
        // The second image after another begins before its end, 90 cycles later, and the third one after it.
        let pace = |images: usize| run(90, &vec![40; images - 1], &vec![40; images - 1]).pace(NO_BOUND);
        for images in 3..=6 {
            assert!(matches!(pace(images), Err(Unsettled::TooShort { .. })), "{images} images");
        }
        for images in 7..20 {
            let latency = Some(Latency { mean: 90.0, longest: 90 });
            assert_eq!(pace(images), Ok(Pace { cycles_per_image: 40.0, error: 0.0, latency }));
        }
    }

    #[test]
    fn an_image_ends_with_the_outputs_that_nobody_reads() {
        // Results come every 120 cycles; the replica of another output needs 140 and falls behind.
        let results = run(90, &[120; 9], &[120; 9]);
        let outcome = Outcome { complete: run(90, &[140; 9], &[140; 9]).complete, ..results };
        assert_eq!(outcome.pace(NO_BOUND).map(|pace| pace.cycles_per_image), Ok(140.0));
    }

    #[test]
    fn equal_intervals_of_images_that_begin_faster_have_to_last() {
        // Queues grow by a quarter of an image each time; once they are full, the pace may change.
        assert!(run(90, &[30; 9], &[40; 9]).pace(NO_BOUND).is_err());
    }

    #[test]
    fn a_pace_below_the_bound_settles_nothing() {
        let level = run(90, &[256; 20], &[256; 20]);
        assert_eq!(level.pace(256.0).map(|pace| pace.cycles_per_image), Ok(256.0));
        let unsettled = level.pace(293.0).expect_err("a port needs 293 cycles for an image");
        assert_eq!(unsettled, Unsettled::BelowBound { images: 21, mean: 256.0, bound: 293.0 });
        assert_eq!(unsettled.images_needed(), Some(42));
    }

    #[test]
    fn intervals_of_images_that_begin_faster_settle_nothing_above_the_bound() {
        let jitter = noise(80, 4);
        let intervals: Vec<Cycle> = jitter.into_iter().map(|noise| 1000 + noise).collect();
        let outcome = run(4000, &[950; 80], &intervals);
        let unsettled = outcome.pace(NO_BOUND).expect_err("a queue grows");
        assert!(matches!(unsettled, Unsettled::Unbalanced { images: 81, begun: 950.0, .. }), "{unsettled}");
        assert_eq!(unsettled.images_needed(), Some(162));
        // The queue stands before the resource that allows no image more.
        assert!(outcome.pace(1000.0).is_ok());
    }

    #[test]
    fn growing_intervals_are_a_drift() {
        let intervals: Vec<Cycle> = (0..60).map(|image| 1000 + 10 * image).collect();
        let unsettled = run(2500, &intervals, &intervals).pace(NO_BOUND).expect_err("it drifts");
        assert!(matches!(unsettled, Unsettled::Drifting { earlier, later, .. } if earlier < later), "{unsettled}");
        assert_eq!(unsettled.images_needed(), Some(122));
    }

    #[test]
    fn a_plateau_shorter_than_the_passage_of_an_image_settles_nothing() {
        // Intervals of VGG16 when each receiver is sent its own copy: about 3,560 cycles for some eight images while its
        // queues grow, and 3,988 in the end.
        let begin = [3136; 24];
        let done = [
            4907, 4905, 4546, 4851, 4833, 4430, 4000, 3966, 3528, 3589, 3487, 3660, 3605, 3440, 3268, 3892, 4042, 4037,
            3926, 3981, 3978, 4033, 3937, 4016,
        ];
        let unsettled = run(8586, &begin, &done).pace(NO_BOUND).expect_err("it is not settled");
        assert!(matches!(unsettled, Unsettled::TooShort { images: 25, .. }), "{unsettled}");
        assert!(unsettled.images_needed() > Some(25));
    }

    #[test]
    fn start_up_and_drain_do_not_count() {
        let jitter = noise(60, 5);
        let done: Vec<Cycle> = (0..60)
            .map(|image| match image {
                0..10 => 700,
                56.. => 300,
                _ => 998 + jitter[image],
            })
            .collect();
        let pace = run(8000, &[1000; 60], &done).pace(NO_BOUND).expect("it is settled");
        assert!((pace.cycles_per_image - 1000.0).abs() < 2.0, "{pace:?}");
        assert!(pace.error < 2.0, "{pace:?}");
    }

    #[test]
    fn intervals_that_scatter_need_as_many_images_as_their_error_says() {
        let of = |images: usize| {
            let intervals: Vec<Cycle> = noise(images - 1, 800).into_iter().map(|noise| 600 + noise).collect();
            run(2500, &intervals, &intervals)
        };
        let mut images = 24;
        let mut asked = 0;
        let pace = loop {
            match of(images).pace(NO_BOUND) {
                Ok(pace) => break pace,
                Err(unsettled) => images = unsettled.images_needed().map(index::size).expect("it has intervals"),
            }
            asked += 1;
            assert!(asked < 12, "the estimates lead nowhere");
        };
        // Uniform from 600 to 1,399: the mean of n has a standard error of 231 / √n, so 1 % needs some 2,100.
        assert!((500..20_000).contains(&images), "{images} images");
        assert!((pace.cycles_per_image - 999.5).abs() < 20.0, "{pace:?}");
    }

    #[test]
    fn the_error_of_intervals_that_depend_on_each_other_is_that_of_batches() {
        // Waves of 16 equal intervals: neighbours carry the same information.
        let waves = |images: usize| -> Vec<Cycle> {
            noise(images / 16 + 1, 800).into_iter().flat_map(|noise| [600 + noise; 16]).take(images - 1).collect()
        };
        let intervals = waves(1024);
        let outcome = run(2500, &intervals, &intervals);
        let of_batches = outcome.standard_error(&(0..=1023));
        let mean = outcome.mean_interval(&(0..=1023));
        let squares: f64 = intervals.iter().map(|&interval| (interval as f64 - mean).powi(2)).sum();
        let of_each = (squares / 1022.0 / 1023.0).sqrt();
        // Four times that of independent intervals, within the scatter of a sample of 64 waves.
        assert!((2.5..6.0).contains(&(of_batches / of_each)), "{of_batches} and {of_each}");
    }

    #[test]
    fn latency_is_stated_when_it_does_not_grow() {
        // Images begin a little faster than they finish for as long as the run lasts.
        let intervals: Vec<Cycle> = noise(80, 4).into_iter().map(|noise| 1000 + noise).collect();
        let growing = run(4000, &vec![995; 80], &intervals).pace(NO_BOUND).expect("intervals are settled");
        assert_eq!(growing.latency, None);
        let level = run(4000, &intervals, &intervals).pace(NO_BOUND).expect("it is settled");
        assert_eq!(level.latency, Some(Latency { mean: 4000.0, longest: 4000 }));
    }

    #[test]
    fn without_results_there_is_nothing_to_wait_for() {
        let outcome = Outcome { begun: Vec::new(), images: Vec::new(), complete: Vec::new(), ..run(90, &[], &[]) };
        assert_eq!(outcome.pace(NO_BOUND), Err(Unsettled::NoResults));
    }
}

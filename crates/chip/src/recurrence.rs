//! Exact fast-forward: a run whose state recurs does not simulate the images in between.
//!
//! Whenever an image is complete, the state of the board is compared with the states at the ends of earlier images:
//! relative to the cycle, and to the images that are complete. If it equals that of `p` images and `P` cycles before,
//! the run repeats these images until its last image begins. The number of images only limits how far layer controls,
//! input slices and skips look ahead, so a run of the images that have begun would have done the same up to now. The run
//! is made shorter by as many periods as possible, down to these images, and simulated to its end; then the periods left
//! out are added to what was counted and to the completions.
//!
//! The outcome is that of the full run, to the bit. Two different states have the same fingerprint with a probability
//! of 2^-64.

use std::collections::VecDeque;
use std::ops::Range;

use arch::Arch;
use components::{Policy, Probe, Tile, TileMessage};
use des::{Clock, Cycle, Fingerprint, Recurrent};
use index::size;
use mapper::{Layout, TileId};

use crate::counted::Counted;
use crate::{Board, Options, Schedule};

/// Ends of images that are kept. Longer periods are not found.
const KEPT_ENDS: usize = 64;

/// Use of recurring states in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forward {
    /// Images in which the state only recurs are not simulated, unless a probe observes the run.
    #[default]
    Recurring,
    /// Every image is simulated.
    Never,
    /// Every image is simulated, and a state that has recurred must go on to recur until a component looks ahead to the
    /// end of the run. For tests.
    Check,
}

/// Recurrence of the state in a run that was not simulated in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// Images that were complete when the state was one that recurs, for the first time.
    pub from: u32,
    /// Images of a period.
    pub images: u32,
    /// Cycles of a period.
    pub cycles: Cycle,
    /// Images that were simulated.
    pub simulated: u32,
}

/// Part of a run that was not simulated: periods that follow the first.
pub(crate) struct Skipped {
    first: End,
    second: End,
    /// Periods.
    times: u32,
}

/// State at the end of an image.
struct End {
    /// Images that are complete.
    images: u32,
    at: Cycle,
    print: u64,
    counted: Counted,
}

impl Skipped {
    /// Images that were complete at the begin of the first period, and those that were at its end.
    pub(crate) fn period(&self) -> Range<usize> {
        size(self.first.images)..size(self.second.images)
    }

    /// Periods.
    pub(crate) fn times(&self) -> u32 {
        self.times
    }

    /// Cycles of a period.
    pub(crate) fn cycles_of_period(&self) -> Cycle {
        self.second.at - self.first.at
    }

    /// Cycles of all periods.
    pub(crate) fn cycles(&self) -> Cycle {
        self.cycles_of_period() * Cycle::from(self.times)
    }

    /// Adds what the periods count.
    pub(crate) fn add_to(&self, counted: &mut Counted) {
        counted.add_increase(&self.first.counted, &self.second.counted, self.times.into());
    }

    /// Describes the recurrence in a run of `images` images.
    pub(crate) fn recurrence(&self, images: u32) -> Recurrence {
        let of_period = self.second.images - self.first.images;
        Recurrence {
            from: self.first.images,
            images: of_period,
            cycles: self.cycles_of_period(),
            simulated: images - self.times * of_period,
        }
    }
}

/// Simulates a run to its end, or until it is to stop. Returns the part that was left out, if the state recurs.
pub(crate) fn simulate<O: Probe>(
    arch: &Arch,
    layout: &Layout,
    board: &mut Board<impl Policy>,
    schedule: &mut Schedule<O>,
    &Options { images, forward, ref stop, .. }: &Options,
) -> Option<Skipped> {
    let step = |schedule: &mut Schedule<O>, board: &mut _| !stop.is_requested() && schedule.step(board);
    let mut watching = forward != Forward::Never && !O::OBSERVES;
    let (mut ends, mut complete, mut recurred) = (VecDeque::<End>::new(), 0, None);
    while step(schedule, board) {
        if !watching || schedule.completions.complete() == complete {
            continue;
        }
        complete = schedule.completions.complete();
        let begun = board.tiles.iter().map(Tile::begun_images).max().unwrap_or(0);
        let sees_end = |tile: &Tile<_>| tile.images_ahead() >= images;
        // Nothing can be left out once the last image has begun. The state is another as soon as the end is in sight.
        if begun >= images || (forward == Forward::Check && board.tiles.iter().any(sees_end)) {
            watching = false;
            continue;
        }
        let end = End::new(arch, layout, board, schedule);
        let earlier = ends.iter().rposition(|earlier| earlier.print == end.print);
        let period = earlier.map(|earlier| end.images - ends[earlier].images);
        if forward == Forward::Check {
            assert!(recurred.is_none() || recurred == period, "the state of image {} has not recurred", end.images);
            recurred = period;
        } else if let Some((first, period)) = earlier.and_then(|earlier| ends.remove(earlier)).zip(period) {
            let times = (images - begun) / period;
            board.tiles.iter_mut().for_each(|tile| tile.set_images(images - times * period));
            while step(schedule, board) {}
            return (times > 0).then_some(Skipped { first, second: end, times });
        }
        ends.push_back(end);
        if ends.len() > KEPT_ENDS {
            ends.pop_front();
        }
    }
    None
}

impl End {
    fn new(arch: &Arch, layout: &Layout, board: &Board<impl Policy>, schedule: &Schedule<impl Probe>) -> Self {
        let images = u32::try_from(schedule.completions.complete()).expect("images are numbered in 32 bits");
        let (print, counted) = (print(board, schedule, images), Counted::new(arch, layout, board));
        Self { images, at: schedule.now(), print, counted }
    }
}

/// Fingerprint of the state at the end of a cycle in which `images` images are complete.
fn print(board: &Board<impl Policy>, schedule: &Schedule<impl Probe>, images: u32) -> u64 {
    let mut print = Fingerprint::new(schedule.now(), images);
    let Board { tiles, meshes, links } = board;
    for tile in tiles {
        tile.state(&mut print);
    }
    for mesh in meshes {
        mesh.state(&mut print);
    }
    for link in links {
        link.state(&mut print);
    }
    schedule.rooms.state(&mut print);
    schedule.completions.state(&mut print);
    let to_tile = |tile: TileId, message: &TileMessage, print: &mut Fingerprint| {
        tiles[size(tile.0)].state_of_message(message, print);
    };
    schedule.in_flight(
        &mut print,
        |tile, message, print| to_tile(TileId(tile), message, print),
        |_, packet, print| packet.state(print, to_tile),
        |_, crossing, print| crossing.0.state(print, to_tile),
    );
    print.hash()
}

//! A layout on its machine with the routes of its values, and its runs.

use std::borrow::Cow;

use arch::Arch;
use components::{Completions, Context, Routing, Trees};
use mapper::{LayerLayout, Layout};

use crate::{
    Full, MOST_IMAGES, NoProbe, Options, Outcome, Policy, Probe, Schedule, SimulationError, SkipZeroRowBlocks,
    TileMessage, Unsettled, outcome, recurrence, wiring,
};

/// A layout on its machine with the routes of its values, which all its runs and analyses share.
#[derive(Clone, Debug)]
pub struct Routed<'a> {
    /// Machine.
    pub arch: &'a Arch,
    /// Layout of a network on the machine.
    pub layout: &'a Layout,
    /// Routes of values between tiles.
    pub trees: Cow<'a, Trees>,
}

impl<'a> Routed<'a> {
    /// Finds the routes of `layout` on `arch`.
    pub fn new(arch: &'a Arch, layout: &'a Layout) -> Self {
        Self { arch, layout, trees: Cow::Owned(Trees::new(&Routing::new(arch), layout)) }
    }

    /// Takes known routes: those of `layout` on a machine with the [`Routing`] of `arch`.
    pub fn along(arch: &'a Arch, layout: &'a Layout, trees: &'a Trees) -> Self {
        Self { arch, layout, trees: Cow::Borrowed(trees) }
    }

    /// Runs the layout without a probe.
    pub fn run(&self, options: &Options) -> Result<Outcome, SimulationError> {
        self.run_probed(options, NoProbe).0
    }

    /// Runs the layout until its pace is settled, given the `bound` of [`Outcome::pace`]. Starts with the images of
    /// `options` and doubles them for each further run, up to [`MOST_IMAGES`] or the limit of
    /// [`SimulationError::TooManyImages`]. Stops at once if the last layer computes nothing. Returns the options and the
    /// outcome of the last run.
    pub fn run_until_settled(&self, options: &Options, bound: f64) -> Result<(Options, Outcome), SimulationError> {
        let mut options = options.clone();
        let mut outcome = self.run(&options)?;
        while options.images < MOST_IMAGES && !matches!(outcome.pace(bound), Ok(_) | Err(Unsettled::NoResults)) {
            let more = Options { images: (2 * options.images).min(MOST_IMAGES), ..options.clone() };
            match self.run(&more) {
                Ok(longer) => (options, outcome) = (more, longer),
                Err(SimulationError::TooManyImages { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok((options, outcome))
    }

    /// Runs the layout observed by `probe`, and returns the outcome and the probe. Operations follow the policy of the
    /// machine: [`SkipZeroRowBlocks`] if `ima.skip_zero_row_blocks` is set, otherwise [`Full`].
    pub fn run_probed<O: Probe>(&self, options: &Options, probe: O) -> (Result<Outcome, SimulationError>, O) {
        if self.arch.ima.skip_zero_row_blocks {
            self.run_with_policy(options, &SkipZeroRowBlocks, probe)
        } else {
            self.run_with_policy(options, &Full, probe)
        }
    }

    /// Runs the layout with operations that follow `policy`, observed by `probe`. Returns the outcome and the probe.
    pub fn run_with_policy<O: Probe>(
        &self,
        options: &Options,
        policy: &(impl Policy + Clone),
        probe: O,
    ) -> (Result<Outcome, SimulationError>, O) {
        let Self { arch, layout, .. } = *self;
        let counted = |layer: &LayerLayout| {
            // Inputs of two images may be in flight beyond the finished ones.
            let received = layer.slices.iter().map(|slice| slice.order.positions).max().unwrap_or(0);
            let most = u64::from(received).max(layer.layer.windows()).max(layout.result_positions().into());
            most * (u64::from(options.images) + 2)
        };
        if let Some(layer) = layout.layers.iter().find(|layer| counted(layer) > u64::from(u32::MAX)) {
            let (layer, images) = (layer.layer.name.clone(), options.images);
            return (Err(SimulationError::TooManyImages { layer, images }), probe);
        }
        let wiring = wiring::Wiring::new(self);
        let mut board = wiring.board(options, policy);
        let rooms = wiring.rooms(&board);
        let mut schedule =
            Schedule::new(&board, options.order, probe, rooms, Completions::new(wiring.completions_per_image()));
        for tile in &board.tiles {
            if tile.is_used() {
                schedule.send_to_tile(1, tile.id, TileMessage::Start);
            }
        }
        let skipped = tracing::info_span!("events")
            .in_scope(|| recurrence::simulate(arch, layout, &mut board, &mut schedule, options));
        let Schedule { completions, mut probe, .. } = schedule;
        if options.stop.is_requested() {
            return (Err(SimulationError::Stopped), probe);
        }
        let ended = outcome::Ended { board: &board, completions, skipped };
        let outcome = outcome::collect(arch, layout, &wiring, ended, options, &mut probe);
        (outcome, probe)
    }
}

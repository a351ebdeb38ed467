//! Builds the machine that a mapping describes, and runs it: the only place that knows who talks to whom.

mod deadlock;
mod outcome;
mod settled;
mod wiring;

pub use components::{Cause, Counts, Fidelity, NoProbe, Probe, Stage, Stalls, Unit, Waiting};
pub use deadlock::Deadlock;
pub use des::Order;
pub use outcome::{LayerOutcome, Outcome};
pub use settled::{Latency, Pace, Unsettled};

use arch::Arch;
use components::{Context, Crossing, Link, Mesh, Packet, Rooms, Tile, TileMessage};
use des::Send;
use mapper::{LayerLayout, Layout};

des::system! {
    /// The clock of a board and its messages under way.
    schedule Schedule probed by Probe, sharing rooms: Rooms;
    /// The components of a board.
    parts Board<'a>;
    /// Tiles, counted over the board.
    tiles: Tile<'a> [TileMessage],
    /// The mesh of each chip.
    meshes: Mesh [Packet],
    /// Links, four for each chip.
    links: Link [Crossing],
}

/// The most images of a run.
pub const MOST_IMAGES: u32 = 10_000;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images, one after another, from 1 to [`MOST_IMAGES`].
    pub images: u32,
    /// How finely IMAs are simulated.
    pub fidelity: Fidelity,
    /// Every shared resource has unlimited capacity.
    pub uncontended: bool,
    /// Order of messages within a cycle; results do not depend on it.
    pub order: Order,
}

impl Default for Options {
    fn default() -> Self {
        Self { images: 1, fidelity: Fidelity::Operation, uncontended: false, order: Order::Sent }
    }
}

/// Why there is no outcome.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SimulationError {
    /// Windows and positions of all images are counted in 32 bits.
    #[error("{layer} has more than {} windows or input positions in {images} images: run fewer images", u32::MAX)]
    TooManyImages {
        /// A layer with too many.
        layer: String,
        /// Images asked for.
        images: u32,
    },
    /// Nothing can move any more, and images are not done.
    #[error(transparent)]
    Deadlock(Box<Deadlock>),
}

/// Runs a layout.
pub fn run(arch: &Arch, layout: &Layout, options: &Options) -> Result<Outcome, SimulationError> {
    run_probed(arch, layout, options, NoProbe).0
}

/// Images with which [`run_until_settled`] begins where nothing is known of a run.
pub const FIRST_IMAGES: u32 = 8;

/// Runs a layout with more and more images, from those of `options` on twice as many each time, until the run is
/// settled or has as many as there may be. Returns the options and the outcome of the last run.
pub fn run_until_settled(
    arch: &Arch,
    layout: &Layout,
    options: &Options,
) -> Result<(Options, Outcome), SimulationError> {
    let mut options = options.clone();
    let mut outcome = run(arch, layout, &options)?;
    while options.images < MOST_IMAGES && !matches!(outcome.pace(), Ok(_) | Err(Unsettled::NoResults)) {
        let more = Options { images: (2 * options.images).min(MOST_IMAGES), ..options.clone() };
        match run(arch, layout, &more) {
            Ok(longer) => (options, outcome) = (more, longer),
            Err(SimulationError::TooManyImages { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok((options, outcome))
}

/// Runs a layout while `probe` looks on, and gives it back.
pub fn run_probed<P: Probe>(
    arch: &Arch,
    layout: &Layout,
    options: &Options,
    probe: P,
) -> (Result<Outcome, SimulationError>, P) {
    let counted = |layer: &LayerLayout| {
        // Two images of inputs may be under way beyond those that are done.
        let received = layer.slices.iter().map(|slice| slice.order.positions).max().unwrap_or(0);
        let most = u64::from(received).max(layer.layer.windows()).max(layer.produced.len() as u64);
        most * (u64::from(options.images) + 2)
    };
    if let Some(layer) = layout.layers.iter().find(|layer| counted(layer) > u64::from(u32::MAX)) {
        let (layer, images) = (layer.layer.name.clone(), options.images);
        return (Err(SimulationError::TooManyImages { layer, images }), probe);
    }
    let wiring = wiring::Wiring::new(arch, layout);
    let mut board = wiring.board(options);
    let rooms = wiring.rooms(&board);
    let mut schedule = Schedule::new(&board, options.order, probe, rooms);
    for tile in &board.tiles {
        if !tile.imas.is_empty() {
            schedule.send(1, tile.id, TileMessage::Start);
        }
    }
    tracing::info_span!("events").in_scope(|| while schedule.step(&mut board) {});
    let outcome = outcome::collect(arch, layout, &wiring, &board, options, &mut schedule.probe);
    (outcome, schedule.probe)
}

/// The schedule is all that components need around them.
const _: fn(&mut Schedule<NoProbe>) = |schedule| {
    fn is_context(_: &mut impl Context) {}
    is_context(schedule);
};

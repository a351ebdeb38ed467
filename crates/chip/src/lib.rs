//! Builds the board that a layout describes, and runs it.
//!
//! [`run`] takes a machine (`arch::Arch`), a `mapper::Layout` and [`Options`], and returns an [`Outcome`] or a
//! [`SimulationError`]. [`run_probed`] also passes the events of the run to a [`Probe`];
//! [`Routed::run_until_settled`] repeats the run with more images until its pace is known. The board may have several
//! chips. A [`Routed`] layout keeps the routes of values for further runs and for analyses.
//!
//! A run has four parts:
//!
//! 1. the wiring numbers the blocks of each tile and addresses producers, consumers and accumulator tiles. It is the
//!    only place that knows which components exchange messages;
//! 2. [`Schedule`] delivers messages until none is left, or until the state recurs: then images that would repeat earlier
//!    ones are left out ([`Forward`]). Components are in the arenas of [`Board`]: tiles numbered over
//!    the board, a mesh for each chip, four links for each chip;
//! 3. if results are missing, the run has stopped early, and a [`Deadlock`] names the ring of waits;
//! 4. otherwise counts and stalls of the components are added up by layer. Conservation laws are checked in every run:
//!    stalls add up to IMAs times cycles, all windows are finished, all bits sent are written.
//!
//! Times are in cycles; the first cycle is 1. Counts are exact integers; energy is derived from them elsewhere. The
//! outcome depends neither on [`Options::order`] nor on [`Options::fidelity`]. `docs/model.md` describes the machine:
//! its blocks, credits, stall causes, digest and the definition of a settled run.
//!
//! # Example
//!
//! One window in one IMA of ISAAC takes the 22 cycles of the paper (Shafiee et al., ISCA 2016, section VI).
//!
//! ```
//! use network::Plan;
//!
//! let text = r#"
//!     name = "one-window"
//!     input = { height = 1, width = 1, channels = 128 }
//!
//!     [[layers]]
//!     name = "f"
//!     kind = "fully_connected"
//!     channels = 128
//! "#;
//! let arch = arch::load("isaac-ce").expect("the preset is built in");
//! let network = network::parse(text, "one-window.toml").expect("the network is valid");
//! let plan = Plan::uniform(&network, 16, 16);
//! let layout = mapper::balance(&arch, &network, &plan).expect("one IMA holds the layer");
//! let outcome = chip::run(&arch, &layout, &chip::Options::default()).expect("the run finishes");
//! assert_eq!(outcome.cycles, 22);
//! assert_eq!(outcome.counts().windows, 1);
//! ```

mod counted;
mod deadlock;
mod outcome;
mod recurrence;
mod routed;
mod settled;
mod stop;
mod wiring;

pub use components::{
    Cause, Event, Fidelity, Full, NoProbe, Policy, Probe, Routing, RowBlock, RowsRead, SkipZeroRowBlocks, Stage,
    Stalls, Trees, Unit, Waiting, Work,
};
pub use deadlock::Deadlock;
pub use des::Order;
pub use outcome::{LayerOutcome, Outcome};
pub use recurrence::{Forward, Recurrence};
pub use routed::Routed;
pub use settled::{Latency, Pace, Unsettled};
pub use stop::Stop;

use arch::Arch;
use components::{Completions, Context, Crossing, Link, Mesh, Packet, Rooms, Tile, TileMessage};
use mapper::Layout;

des::system! {
    /// The clock of a board and its messages in flight.
    schedule Schedule probed by Probe, sharing rooms: Rooms, sharing completions: Completions;
    /// The components of a board, in one arena for each kind.
    parts Board<'a, P: Policy>;
    /// Tiles, numbered over the board.
    tiles: Tile<'a, P> [TileMessage],
    /// Meshes, one for each chip.
    meshes: Mesh<'a> [Packet],
    /// Links out of each chip, four for each: chip times 4 plus direction.
    links: Link [Crossing],
}

/// Largest number of images of a run.
pub const MOST_IMAGES: u32 = 10_000;

/// Options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images that follow each other through the machine: 1 to [`MOST_IMAGES`].
    pub images: u32,
    /// Detail in which IMAs are simulated; results do not depend on it.
    pub fidelity: Fidelity,
    /// Unlimited capacity of bus, eDRAM port, router ports, links and the tiles' output registers.
    pub uncontended: bool,
    /// Order in which the messages of a cycle are delivered; results do not depend on it.
    pub order: Order,
    /// Use of recurring states; results do not depend on it.
    pub forward: Forward,
    /// Request to end the run early, from another thread.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            images: 1,
            fidelity: Fidelity::Operation,
            uncontended: false,
            order: Order::Sent,
            forward: Forward::Recurring,
            stop: Stop::default(),
        }
    }
}

/// Reason why a run has no outcome.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SimulationError {
    /// Windows or positions of all images do not fit the 32 bits in which they are counted.
    #[error("{layer} has more than {} windows or input positions in {images} images: run fewer images", u32::MAX)]
    TooManyImages {
        /// First layer with too many.
        layer: String,
        /// Images of the run.
        images: u32,
    },
    /// No message is left, and images are not finished.
    #[error(transparent)]
    Deadlock(Box<Deadlock>),
    /// [`Options::stop`] was requested.
    #[error("the run was stopped")]
    Stopped,
}

/// Images of the first run of [`Routed::run_until_settled`] where the caller has no better number.
pub const FIRST_IMAGES: u32 = 8;

/// Runs a layout without a probe.
pub fn run(arch: &Arch, layout: &Layout, options: &Options) -> Result<Outcome, SimulationError> {
    Routed::new(arch, layout).run(options)
}

/// Runs a layout observed by `probe`, and returns the outcome and the probe.
pub fn run_probed<O: Probe>(
    arch: &Arch,
    layout: &Layout,
    options: &Options,
    probe: O,
) -> (Result<Outcome, SimulationError>, O) {
    Routed::new(arch, layout).run_probed(options, probe)
}

/// Runs a layout whose operations follow `policy`, observed by `probe`. Returns the outcome and the probe.
pub fn run_with_policy<O: Probe>(
    arch: &Arch,
    layout: &Layout,
    options: &Options,
    policy: &(impl Policy + Clone),
    probe: O,
) -> (Result<Outcome, SimulationError>, O) {
    Routed::new(arch, layout).run_with_policy(options, policy, probe)
}

/// Holds at compile time that the schedule is a context for every component.
const _: fn(&mut Schedule<NoProbe>) = |schedule| {
    fn is_context(_: &mut impl Context) {}
    is_context(schedule);
};

//! What ISAAC's crossbars compute, bit for bit. No time and no energy: only values, and counts of actions.
//!
//! A layer is a matrix of weights (outputs x rows) that is [programmed](Datapath::program) onto crossbars; a window
//! of the layer's input map is a vector of `rows` activations, row = channel * K * K + ky * K + kx; the layer
//! [multiplies](Crossbars::multiply) every window by the matrix. The arithmetic is that of ISAAC (ISCA 2016,
//! sections III and V):
//!
//! * **Weights** of N_W bits are stored biased, w + 2^(N_W-1), so that no cell is negative, and cut into slices of
//!   `cell_bits` in ceil(N_W / cell_bits) adjacent columns.
//! * **Activations** of N_A bits are applied in ceil(N_A / dac_bits) iterations, one slice of `dac_bits` each. The
//!   sign bit must count negatively. Where it is alone in the top slice, as always with ISAAC's 1-bit DACs, the top
//!   iteration is subtracted (two's complement). Where it shares its slice with other bits, a subtraction would
//!   negate those too; there the sign bit is inverted, which adds 2^(N_A-1) to every activation of the window, and
//!   2^(N_A-1) times the sum of a column's weights, known when they are programmed, is subtracted from the result.
//! * **Flipped columns**: a column whose cells sum to more than half of what they could is stored as
//!   2^cell_bits - 1 - cell. Its reading is subtracted from (2^cell_bits - 1) times the sum of the inputs.
//! * **The unit column** provides that sum of the inputs, for the flipped columns and to take the bias off the
//!   weights. Its value is taken as exact, whether or not the machine counts its conversions.
//! * **The ADC** saturates at 2^bits - 1, and the conversions that it clips are counted.
//! * **Shift-and-add** merges iterations, columns and row blocks in integers that do not overflow.
//!
//! Where no conversion can clip and no [non-ideality](NonIdealities) is on, all of this is equal to the plain integer
//! product, which is then computed directly; [`Crossbars::method`] tells which was done.
//!
//! [`Model`] runs a whole network this way, and [`mod@reference`] the same network in floating point.

mod bit_serial;
mod conductance;
mod crossbars;
mod datapath;
mod error;
mod forward;
mod integer;
mod model;
mod patches;
mod quantise;
pub mod reference;
mod serial;
mod tiles;
mod windows;

pub use conductance::NonIdealities;
pub use crossbars::{Crossbars, Method, Product};
pub use datapath::{Counts, Datapath, Options};
pub use error::Error;
pub use forward::LayerWeights;
pub use model::{Inference, LayerOutcome, Model};
pub use quantise::FixedPoint;
pub use windows::{Windows, stored};

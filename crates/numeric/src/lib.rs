//! Bit-exact arithmetic of ISAAC's crossbars: values and counts of actions, without time or energy.
//!
//! A [`Datapath`] holds the parameters of crossbars, DACs and ADCs. A layer is a matrix of weights (outputs x rows)
//! that is [programmed](Datapath::program) onto [`Crossbars`]. A window of the layer's input map is a vector of `rows`
//! activations, row = channel * K * K + ky * K + kx. [`Crossbars::multiply`] multiplies all [`Windows`] of a layer by
//! the matrix and returns a [`Product`]: the sums, the actions of the machine and the clipped conversions. [`Counts`]
//! are those of the simulator for the same plan; crate `inference` checks that they are equal.
//!
//! ```
//! use ndarray::arr2;
//! use numeric::{Datapath, Method, Options, Windows};
//!
//! let arch = arch::load("isaac-ce").unwrap();
//! let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, Options::default()).unwrap();
//! // Two outputs of three rows with 16-bit weights, and one window of 16-bit activations.
//! let crossbars = datapath.program(arr2(&[[1i16, -2, 3], [4, 5, -6]]).view(), 16, 0).unwrap();
//! let windows = Windows::of_matrix(arr2(&[[7i16, 8, -9]]).view(), 16).unwrap();
//! let product = crossbars.multiply(&windows).unwrap();
//! assert_eq!(product.sums, arr2(&[[-36i64, 122]]));
//! // Three rows cannot clip an 8-bit ADC.
//! assert_eq!(crossbars.method(), Method::Integer);
//! // One crossbar, read once for each bit of the activations.
//! assert_eq!(product.counts.crossbar_reads, 16);
//! ```
//!
//! # Arithmetic
//!
//! It follows ISAAC (ISCA 2016, sections III and V):
//!
//! * **Weights** of `N_W` bits are stored biased, w + 2^(N_W-1), so that no cell is negative, and cut into slices of
//!   `cell_bits` in ceil(`N_W` / `cell_bits`) adjacent columns.
//! * **Activations** of `N_A` bits are applied in ceil(`N_A` / `dac_bits`) iterations, one slice of `dac_bits` each. The
//!   sign bit must count negatively. Where it is alone in the top slice, as always with ISAAC's 1-bit DACs, the top
//!   iteration is subtracted (two's complement). Where it shares its slice with other bits, a subtraction would
//!   negate those too; there the sign bit is inverted, which adds 2^(N_A-1) to every activation of the window, and
//!   2^(N_A-1) times the sum of a column's weights, known when they are programmed, is subtracted from the result.
//! * **Flipped columns**: a column whose cells sum to more than half of what they could is stored as
//!   2^`cell_bits` - 1 - cell. Its reading is subtracted from (2^`cell_bits` - 1) times the sum of the inputs.
//! * **The unit column** provides that sum of the inputs, for the flipped columns and to take the bias off the
//!   weights. Its value is taken as exact, whether or not the machine counts its conversions.
//! * **The ADC** saturates at 2^bits - 1, and the conversions that it clips are counted.
//! * **Shift-and-add** merges iterations, columns and row blocks in integers that do not overflow.
//!
//! Where no conversion can clip and no [non-ideality](NonIdealities) is on, all of this is equal to the plain integer
//! product, which is then computed directly; [`Crossbars::method`] states the [`Method`] used.
//!
//! # Groups
//!
//! The outputs of a layer may be in groups that read channels of their own. A group has columns of its own; where
//! several fit one crossbar they stand in it diagonally, and their rows are driven together. The other cells of a column
//! hold the lowest level: perfect ones contribute nothing, those of a [finite ratio](NonIdealities::on_off_ratio) do.
//! The unit column's value is taken as exact for each group.
//!
//! # Whole networks
//!
//! [`Model`] runs a whole network on crossbars: each layer's input is quantised to fixed point, multiplied, scaled back
//! and biased. The tiles that finish a layer's values do the stages of its maps in single precision, in order: merges,
//! factors and offsets, activations, pools. A mean is the sum of the window's values in raster order, over their number.
//! [`mod@reference`] computes the same network in floating point; its largest inputs are the ranges from which a model
//! derives its formats. The results of both are independent of the number of threads.

mod bit_serial;
mod conductance;
mod crossbars;
mod datapath;
mod error;
mod forward;
mod groups;
mod integer;
mod model;
mod patches;
mod quantise;
mod ranges;
pub mod reference;
mod serial;
mod stages;
mod tiles;
mod weights;
mod windows;

pub use conductance::NonIdealities;
pub use crossbars::{Crossbars, Method, Product};
pub use datapath::{Counts, Datapath, Options};
pub use error::Error;
pub use model::{Inference, LayerOutcome, Model};
pub use ranges::InputRanges;
pub use stages::stored;
pub use weights::{LayerWeights, StageWeights, Weights};
pub use windows::Windows;

//! Prediction of a plan from a picture, before the network computes it: the step that AQuA proposes (abstract) and
//! leaves open.
//!
//! [`importance()`] maps a picture to the [`Importance`] of its parts: entropy, gradients, points of interest or the
//! mean of the three ([`Measure`]). A [`Policy`] turns the map into a plan of the [`Shape`] requested: one of the 16
//! crops of the paper, or nested rectangles of falling precision. Its threshold is the part of the importance that may
//! be lost; it trades accuracy for energy. Neither the weights nor the network's answer are used.
//!
//! [`Operations`] count the work of the digital logic that finds the map and the plan. Energy (pJ) and latency (ns)
//! follow from them and from the eDRAM of the machine.
//!
//! ```
//! use ndarray::Array3;
//! use network::Plan;
//! use predictor::{Policy, Shape};
//!
//! let network = network::load("tiny").unwrap();
//! let base = Plan::uniform(&network, 16, 16);
//! // An even picture is equally important everywhere, so that each crop loses more than the threshold.
//! let pixels = Array3::from_elem((3, 16, 16), 0.5f32);
//! let (plan, operations) = Policy::tuned(Shape::Edges).predict(&network, &base, pixels.view()).unwrap();
//! assert_eq!(plan, base);
//! assert!(operations.energy_pj(0.25) > 0.0);
//! ```

mod importance;
mod operations;
mod policy;

pub use importance::{Importance, Measure, importance};
pub use operations::Operations;
pub use policy::{Policy, Shape};

/// The whole part of a number; 0 if it is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounds down and saturates, as is meant")]
fn whole(number: f32) -> usize {
    number as usize
}

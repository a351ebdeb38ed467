//! The blocks of the machine, one file each: specification, state and counts, driven by plain methods.
//!
//! Three kinds exchange messages through the kernel: [`Tile`], [`Mesh`] (the routers of a chip) and [`Link`]. A tile is
//! made of the blocks that ISAAC gives it; its IMAs of theirs.

mod adc;
mod bits;
mod bus;
mod counts;

mod crossbar;
mod dac;
mod edram_buffer;
mod ima;
mod input_register;
mod layer_control;
mod link;
mod lockstep;
mod max_pool;
mod mesh;
mod message;
mod output_register;
mod pipeline;
mod probe;
mod rooms;
mod router;
mod sample_hold;
mod shift_add;
mod sigmoid;
mod stalls;
mod tile;
mod tile_output_register;

pub use adc::Adc;
pub use bits::ImaSet;
pub use bus::Bus;
pub use counts::Counts;
pub use crossbar::Crossbars;
pub use dac::Dac;
pub use edram_buffer::{EdramBuffer, Inputs, RowsRead};
pub use ima::{Fidelity, Ima, ImaTiming, Operation};
pub use input_register::InputRegister;
pub use layer_control::{Counters, LayerControl};
pub use link::{Crossing, Direction, Link};
pub use lockstep::{BarrierPhase, LockstepGroup};
pub use max_pool::{MaxPool, PoolCredits};
pub use mesh::{Hop, Mesh, MeshGeometry};
pub use message::{Context, HeldUp, Packet, TileMessage, Waits};
pub use output_register::OutputRegister;
pub use pipeline::Pipeline;
pub use probe::{NoProbe, Probe, Stage, Unit};
pub use rooms::Rooms;
pub use router::{Port, Router};
pub use sample_hold::SampleHold;
pub use shift_add::ShiftAdd;
pub use sigmoid::Sigmoid;
pub use stalls::{Cause, Stalls};
pub use tile::{Awaited, Outputs, Part, Tile, TileSpec, Waiting};
pub use tile_output_register::{Contributor, Obstacle, PartialSums, SumsSpec, Target};

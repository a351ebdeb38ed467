//! The machines that are built in, against the paper they come from, and what is said about machines that are wrong.

mod faults;
mod paper;
mod presets;
mod round_trip;

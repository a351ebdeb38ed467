//! The machines that are built in, and what is said about machines that are wrong.

mod drafts;
mod faults;
mod presets;
mod rates;
mod round_trip;

//! What the analysis says beforehand is what the simulator does.

mod bound;
mod demand;
mod pace;
mod passing;
mod placement;
mod unread;

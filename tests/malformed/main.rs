//! Malformed files: users' files after random edits are read, or refused with the place of a fault and a remedy.
//!
//! No edit makes a reader panic, run for long, or refuse a file without saying why. `scripts/soak.sh` takes many more
//! cases than `cargo test` does.

mod data;
mod documents;
mod edits;

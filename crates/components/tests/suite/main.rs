//! Components alone, with no chip around them.

mod network;

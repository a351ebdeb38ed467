//! Mappings: replicas, their IMAs and their balance.

mod cropped;
mod geometry;

//! Mappings: replicas, their IMAs and their balance.

mod cropped;
mod files;
mod fill;
mod geometry;
mod groups;
mod sharing;

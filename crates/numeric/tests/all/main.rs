//! What the crate promises, a module for each promise.

mod adc;
mod counts;
mod exactness;
mod forward;
mod machine;
mod non_idealities;

//! Promises of the crate, a module for each.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers of test cases are small"
)]

mod adc;
mod counts;
mod exactness;
mod forward;
mod graphs;
mod interpreter;
mod machine;
mod non_idealities;

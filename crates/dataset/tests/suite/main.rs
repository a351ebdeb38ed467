//! Users' files: contents that are read, and contents that are refused by name.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers of test cases are small"
)]

mod files;
mod preprocessing;

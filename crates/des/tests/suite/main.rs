//! The kernel, driving a small system.

mod system;

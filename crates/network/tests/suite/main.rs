//! Networks and plans, and what is said about those that are wrong.

mod faults;
mod plans;
mod shapes;

//! Networks and plans, and what is said about those that are wrong.

mod faults;
mod graphs;
mod plans;
mod shapes;

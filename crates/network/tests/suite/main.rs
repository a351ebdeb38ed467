//! Networks and plans, against the papers, and what is said about those that are wrong.

mod faults;
mod paper;
mod plans;
mod shapes;

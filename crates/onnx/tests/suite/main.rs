//! Import of models: graphs exported from torch, small models for each rule, and files that are wrong.

mod build;
mod malformed;
mod models;
mod operators;

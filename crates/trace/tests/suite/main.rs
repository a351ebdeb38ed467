//! Traces: files that other programs read, and their agreement with reports.

mod agreement;
mod files;

//! The README shows the output of the program.

use crate::{folder, succeeds};

const README: &str = include_str!("../../../../README.md");

/// The first block of text after the first line that holds `heading`.
fn block_after(heading: &str) -> &'static str {
    let (_, rest) = README.split_once(heading).unwrap_or_else(|| panic!("the README has no {heading:?}"));
    let (_, rest) = rest.split_once("```text\n").expect("a block of text");
    rest.split_once("```").expect("the block ends").0
}

#[test]
fn the_report_in_the_readme_is_that_of_the_default_run() {
    assert_eq!(succeeds(folder().path(), &[]), block_after("cargo run --release"));
}

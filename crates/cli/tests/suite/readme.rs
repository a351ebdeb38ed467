//! README and docs show the output of the program.

use crate::{folder, succeeds};

const README: &str = include_str!("../../../../README.md");
const REPORT: &str = include_str!("../../../../docs/report.md");

/// Blocks of text of a page, in order.
fn blocks(page: &str) -> impl Iterator<Item = &str> {
    page.split("```text\n").skip(1).map(|rest| rest.split_once("```").expect("the block ends").0)
}

#[test]
fn the_report_in_the_docs_is_that_of_the_default_run_and_the_readme_shows_parts_of_it() {
    let report = succeeds(folder().path(), &[]);
    assert_eq!(blocks(REPORT).collect::<Vec<_>>(), [report.as_str()]);
    assert_eq!(blocks(README).count(), 2);
    for block in blocks(README) {
        assert!(report.contains(block), "the default run does not print\n{block}");
    }
}

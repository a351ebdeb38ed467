//! Sets of edges that a crop cuts from feature maps, written as in `top,left` or `none`.

use std::fmt;
use std::str::FromStr;

use document::{Fault, Faults};
use serde::Serialize;

/// Set of edges of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a map has four edges")]
pub struct Edges {
    /// First rows.
    pub top: bool,
    /// Last rows.
    pub bottom: bool,
    /// First columns.
    pub left: bool,
    /// Last columns.
    pub right: bool,
}

const NAMES: [&str; 4] = ["top", "bottom", "left", "right"];

impl Edges {
    /// No edge.
    pub const NONE: Edges = Edges { top: false, bottom: false, left: false, right: false };

    /// Returns the 16 sets of edges, in the order of AQuA Table I.
    pub fn all() -> [Edges; 16] {
        [
            "none",
            "right",
            "left",
            "bottom",
            "top",
            "top,left",
            "top,right",
            "bottom,left",
            "bottom,right",
            "top,bottom",
            "left,right",
            "top,bottom,left",
            "top,bottom,right",
            "top,left,right",
            "bottom,left,right",
            "top,bottom,left,right",
        ]
        .map(|edges| edges.parse().expect("names of edges"))
    }

    /// Returns the number of edges.
    pub fn count(self) -> usize {
        self.names().count()
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        let cut = [self.top, self.bottom, self.left, self.right];
        NAMES.into_iter().zip(cut).filter_map(|(name, cut)| cut.then_some(name))
    }
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names().collect::<Vec<_>>().join(",") {
            names if names.is_empty() => f.write_str("none"),
            names => f.write_str(&names),
        }
    }
}

impl FromStr for Edges {
    type Err = Faults;

    fn from_str(text: &str) -> Result<Edges, Faults> {
        let mut edges = Edges::NONE;
        if text == "none" {
            return Ok(edges);
        }
        for name in text.split(',').map(str::trim) {
            match name {
                "top" => edges.top = true,
                "bottom" => edges.bottom = true,
                "left" => edges.left = true,
                "right" => edges.right = true,
                _ => {
                    let remedy = match document::nearest(name, NAMES) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("give none, or any of {} separated by commas", NAMES.join(", ")),
                    };
                    return Err(Fault::new(format!("a map has no edge {name:?}"), remedy).into());
                }
            }
        }
        Ok(edges)
    }
}

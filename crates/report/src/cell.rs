//! Cells: typed values of the tables.
//!
//! A cell is stored in the journal as plain JSON, without a tag for its type. Columns of axes take the narrowest
//! [`Kind`] that holds all values of their axis; other columns have a fixed kind.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Value in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Empty,
    /// True or false.
    Boolean(bool),
    /// Integer.
    Integer(i64),
    /// Finite real number.
    Real(f64),
    /// Text.
    Text(String),
}

/// Type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// Integers.
    Integer,
    /// Real numbers.
    Real,
    /// Texts.
    Text,
}

impl Cell {
    /// Returns the kind of column that holds all of `cells`: mixed numbers are real, any other mixture is text.
    pub fn kind_of<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Kind {
        let kind = |cell: &Cell| match cell {
            Cell::Empty => None,
            Cell::Boolean(_) => Some(Kind::Boolean),
            Cell::Integer(_) => Some(Kind::Integer),
            Cell::Real(_) => Some(Kind::Real),
            Cell::Text(_) => Some(Kind::Text),
        };
        let joined = cells.into_iter().filter_map(kind).reduce(|a, b| match (a, b) {
            _ if a == b => a,
            (Kind::Integer | Kind::Real, Kind::Integer | Kind::Real) => Kind::Real,
            _ => Kind::Text,
        });
        joined.unwrap_or(Kind::Text)
    }

    /// True if there is no value.
    pub fn is_empty(&self) -> bool {
        *self == Cell::Empty
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Empty => Ok(()),
            Cell::Boolean(truth) => truth.fmt(f),
            Cell::Integer(number) => number.fmt(f),
            // With a decimal point, as in Python, so that a reader sees the type.
            Cell::Real(number) => write!(f, "{number:?}"),
            Cell::Text(text) => text.fmt(f),
        }
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        i64::try_from(number).map_or(Cell::Real(number as f64), Cell::Integer)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Cell {
        Cell::Integer(number.into())
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Cell {
        Cell::Boolean(truth)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        // JSON has no NaN and no infinities.
        if number.is_finite() { Cell::Real(number) } else { Cell::Empty }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Empty, Into::into)
    }
}

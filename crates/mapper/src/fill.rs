//! Aims of a balanced mapping, written as in `board`, `784-cycles` or `8-chips`.

use std::fmt;
use std::str::FromStr;

use document::Fault;

/// Number of replicas at which a balanced mapping aims.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// As many as keep pace with the convolution of the fewest windows above one, the last of equals, which has one
    /// replica: ISAAC's balance.
    #[default]
    LastLayer,
    /// As many as the board holds.
    Board,
    /// As many as the first chips of the board hold.
    Chips(u32),
    /// The fewest with which crossbars take no more cycles for an image. Where layers differ in activation bits, all have
    /// as many windows per replica as the one with the most bits.
    Cycles(u64),
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastLayer => f.write_str("last-layer"),
            Self::Board => f.write_str("board"),
            Self::Chips(chips) => write!(f, "{chips}-chips"),
            Self::Cycles(cycles) => write!(f, "{cycles}-cycles"),
        }
    }
}

impl FromStr for Fill {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let parsed = match text.rsplit_once('-') {
            _ if text == "last-layer" => Some(Self::LastLayer),
            _ if text == "board" => Some(Self::Board),
            Some((chips, "chips")) => chips.parse().ok().filter(|chips| *chips > 0).map(Self::Chips),
            Some((cycles, "cycles")) => cycles.parse().ok().filter(|cycles| *cycles > 0).map(Self::Cycles),
            _ => None,
        };
        let fault = || {
            let remedy =
                "give board, a number of chips (8-chips), a number of cycles per image (784-cycles), or last-layer";
            Fault::new(format!("{text:?} is no aim for replicas"), remedy)
        };
        parsed.ok_or_else(fault)
    }
}

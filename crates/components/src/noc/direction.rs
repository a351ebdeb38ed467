/// A direction on the grid of routers or on the grid of chips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Towards lower rows.
    North,
    /// Towards higher columns.
    East,
    /// Towards higher rows.
    South,
    /// Towards lower columns.
    West,
}

impl Direction {
    /// All directions, in the order of their numbers: those of links of a chip and of ports to neighbours.
    pub const ALL: [Self; 4] = [Self::North, Self::East, Self::South, Self::West];

    /// Number of the direction: its place in [`Self::ALL`].
    #[inline]
    pub fn number(self) -> u32 {
        match self {
            Self::North => 0,
            Self::East => 1,
            Self::South => 2,
            Self::West => 3,
        }
    }

    /// Name in reports and traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::North => "north",
            Self::East => "east",
            Self::South => "south",
            Self::West => "west",
        }
    }

    /// The opposite direction.
    pub fn opposite(self) -> Self {
        match self {
            Self::North => Self::South,
            Self::East => Self::West,
            Self::South => Self::North,
            Self::West => Self::East,
        }
    }

    /// First step from `from` to `to`, both (column, row), columns first; `None` if they are equal.
    pub(crate) fn towards(from: (u32, u32), to: (u32, u32)) -> Option<Self> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match (to.0.cmp(&from.0), to.1.cmp(&from.1)) {
            (Greater, _) => Some(Self::East),
            (Less, _) => Some(Self::West),
            (Equal, Greater) => Some(Self::South),
            (Equal, Less) => Some(Self::North),
            (Equal, Equal) => None,
        }
    }
}

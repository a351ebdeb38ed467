//! Figures that name their source: energies, powers and areas.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Source of a figure that the arch file may leave out.
const UNSTATED: &str = "not in the arch file";

/// Energy of one action and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coefficient {
    /// Energy of one action, pJ.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub pj: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// No energy: that of a block which the arch file does not mention.
impl Default for Coefficient {
    fn default() -> Self {
        Self { pj: 0.0, source: UNSTATED.to_owned() }
    }
}

/// A power and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milliwatts {
    /// mW.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub mw: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// An area and where the figure comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SquareMillimetres {
    /// mm2.
    #[schemars(range(min = 0.0, max = 1e12))]
    pub mm2: f64,
    /// Table, section or file that the figure comes from.
    #[schemars(length(min = 1))]
    pub source: String,
}

/// No area: that of a block which the arch file does not mention.
impl Default for SquareMillimetres {
    fn default() -> Self {
        Self { mm2: 0.0, source: UNSTATED.to_owned() }
    }
}

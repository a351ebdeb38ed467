//! `aquasim schema`: JSON Schemas of files that have no subcommands of their own, for editors.

use clap::{Args, ValueEnum};
use mapper::Mapping;
use network::Plan;
use sweep::Sweep;

use crate::failure::Failure;
use crate::output;

/// Print the JSON Schema of plan, mapping or sweep files, for editors
///
/// `aquasim arch schema` and `aquasim network schema` print those of machine and network files.
#[derive(Args)]
pub(crate) struct Schema {
    /// Kind of file
    kind: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Bits of layers and regions
    Plan,
    /// Place of a network on a machine
    Mapping,
    /// Grid of points
    Sweep,
}

impl Schema {
    /// Prints the schema.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let schema = match self.kind {
            Kind::Plan => Plan::schema(),
            Kind::Mapping => Mapping::schema(),
            Kind::Sweep => Sweep::schema(),
        };
        output::print(&format!("{schema:#}\n"))
    }
}

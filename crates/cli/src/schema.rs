//! `aquasim schema`: JSON Schemas of the files that users write, for editors.

use clap::{Args, ValueEnum};
use mapper::Mapping;
use network::Plan;
use sweep::Sweep;

use crate::failure::Failure;
use crate::output;

/// Print the JSON Schema of a kind of file, for editors
#[derive(Args)]
pub(crate) struct Schema {
    /// Kind of file
    kind: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Machine
    Arch,
    /// Network
    Network,
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
            Kind::Arch => arch::schema(),
            Kind::Network => network::schema(),
            Kind::Plan => Plan::schema(),
            Kind::Mapping => Mapping::schema(),
            Kind::Sweep => Sweep::schema(),
        };
        output::print(&format!("{schema:#}\n"))
    }
}

//! `aquasim map`: the place of a network on a machine, as a table, a mapping file or a drawing.

use std::path::{Path, PathBuf};

use analysis::Bound;
use clap::Args;
use document::Fault;
use report::{floorplan, terminal};

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::policy::PictureChoice;
use crate::selection::{Filling, Selection};

/// Map a network to a machine and show where it lies
#[derive(Args)]
pub(crate) struct Map {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    filling: Filling,
    #[command(flatten)]
    choice: PictureChoice,
    /// Write the mapping, to be edited and run with `aquasim run --mapping`; - is standard output alone
    #[arg(long, value_name = "FILE|-")]
    out: Option<PathBuf>,
    /// Draw the chips in use, on the terminal or as a picture
    #[arg(long, value_name = "text|FILE.svg")]
    floorplan: Option<PathBuf>,
}

impl Map {
    /// Maps the network, writes the files requested and prints the table.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let floorplan_is_text = self.floorplan.as_deref() == Some(Path::new("text"));
        let svg = self.floorplan.filter(|_| !floorplan_is_text);
        if let Some(path) = &svg
            && path.extension().is_none_or(|extension| extension != "svg")
        {
            let message = format!("a floorplan cannot be drawn as {}", path.display());
            return Err(Fault::new(message, "give text, or a file whose name ends in .svg").into());
        }
        let (selected, _) = self.choice.load(&self.selection, &self.filling)?;
        let (arch, layout) = (&selected.arch, &selected.layout);
        if let Some(path) = svg {
            Output::create(&path)?.write(&floorplan::svg(arch, layout))?;
        }
        if let Some(path) = &self.out {
            Output::create(path)?.write(&layout.mapping.to_toml())?;
        }
        if self.out.as_deref() != Some(Path::new("-")) {
            output::print(&terminal::mapping(arch, layout))?;
            output::print(&format!("\n{}\n", terminal::bound(&Bound::new(arch, layout, false))))?;
        }
        if floorplan_is_text {
            output::print(&format!("\n{}", floorplan::text(arch, layout)))?;
        }
        Ok(())
    }
}

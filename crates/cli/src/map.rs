//! `aquasim map`: the place of a network on a machine, as a table, a mapping file or a drawing.

use std::path::{Path, PathBuf};

use analysis::Bound;
use clap::Args;
use document::Fault;
use mapper::Balance;
use report::{floorplan, terminal};

use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::optimise::Optimise;
use crate::output::{self, Output};
use crate::policy::PictureChoice;
use crate::selection::{Filling, Selection};

/// Map a network to a machine and show where it lies
#[derive(Args)]
pub(crate) struct Map {
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    filling: Filling,
    #[command(flatten)]
    choice: PictureChoice,
    /// Balance the replicas for the windows that the plan does not crop
    #[arg(long, conflicts_with = "mapping", help_heading = "Results")]
    rebalance: bool,
    #[command(flatten)]
    optimise: Optimise,
    /// Write the mapping, to be edited and run with `aquasim run --mapping`; - is standard output alone
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Draw the chips in use, on the terminal or as a picture
    #[arg(long, value_name = "text|FILE.svg", help_heading = "Results")]
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
        let (mut selected, _) = self.choice.load(self.machine.load()?, &self.selection, &self.filling)?;
        if self.rebalance {
            let balance = Balance { fill: self.filling.aim()?, for_crop: true };
            selected.layout = balance.layout(&selected.arch, &selected.network, &selected.plan)?;
        }
        let out = self.out.as_deref().map(Output::create).transpose()?;
        let compared = self.optimise.execute(&mut selected)?;
        let (arch, layout) = (&selected.arch, &selected.layout);
        if let Some(path) = svg {
            Output::create(&path)?.write(&floorplan::svg(arch, layout))?;
        }
        if let Some(out) = out {
            out.write(&layout.mapping.to_toml())?;
        }
        if self.out.as_deref() != Some(Path::new("-")) {
            output::print(&terminal::mapping(arch, layout))?;
            output::print(&format!("\n{}\n{compared}", terminal::bound(&Bound::new(arch, layout, false))))?;
        }
        if floorplan_is_text {
            output::print(&format!("\n{}", floorplan::text(arch, layout)))?;
        }
        Ok(())
    }
}

//! `aquasim map`: the place of a network on a machine, as a table, a mapping file or a drawing.

use std::path::{Path, PathBuf};

use analysis::Bound;
use clap::Args;
use document::Fault;
use mapper::Balance;
use report::{MappingReport, floorplan, terminal};

use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::optimise::Optimise;
use crate::output::{self, Output};
use crate::policy::PictureChoice;
use crate::selection::{Filling, Selected, Selection};

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
    /// Write the place of each layer and the bound as JSON; - is standard output alone
    #[arg(long, value_name = "FILE|-", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Draw the chips in use, on the terminal or as a picture
    #[arg(long, value_name = "text|FILE.svg", help_heading = "Results")]
    floorplan: Option<PathBuf>,
}

impl Map {
    /// Maps the network, writes the files requested and prints the table.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let floorplan_is_text = self.floorplan.as_deref() == Some(Path::new("text"));
        let svg = self.floorplan.as_deref().filter(|_| !floorplan_is_text);
        if let Some(path) = svg
            && path.extension().is_none_or(|extension| extension != "svg")
        {
            let message = format!("a floorplan cannot be drawn as {}", path.display());
            return Err(Fault::new(message, "give text, or a file whose name ends in .svg").into());
        }
        let json = self.json.as_deref().map(Output::create).transpose()?;
        let out = self.out.as_deref().map(Output::create).transpose()?;
        let mapped = self.map()?;
        let Selected { arch, layout, .. } = &mapped.selected;
        if let Some(path) = svg {
            Output::create(path)?.write(&floorplan::svg(arch, layout))?;
        }
        if let Some(json) = json {
            json.write(&mapped.report().to_json())?;
        }
        if let Some(out) = out {
            out.write(&layout.mapping.to_toml())?;
        }
        if ![&self.out, &self.json].into_iter().any(|path| path.as_deref() == Some(Path::new("-"))) {
            output::print(&mapped.text())?;
        }
        if floorplan_is_text {
            output::print(&format!("\n{}", floorplan::text(arch, layout)))?;
        }
        Ok(())
    }

    /// Maps the network.
    pub(crate) fn map(&self) -> Result<Mapped, Failure> {
        let (mut selected, _) = self.choice.load(self.machine.load()?, &self.selection, &self.filling)?;
        if self.rebalance {
            let balance = Balance { fill: self.filling.aim()?, for_crop: true };
            selected.layout = balance.layout(&selected.arch, &selected.network, &selected.plan)?;
        }
        let compared = self.optimise.execute(&mut selected)?;
        Ok(Mapped { selected, compared })
    }
}

/// A network on a machine.
pub(crate) struct Mapped {
    pub(crate) selected: Selected,
    /// Placements that were compared, as text.
    compared: String,
}

impl Mapped {
    /// The place of each layer and the bound, for the terminal.
    pub(crate) fn text(&self) -> String {
        let Selected { arch, layout, .. } = &self.selected;
        let bound = terminal::bound(&Bound::new(arch, layout, false));
        format!("{}\n{bound}\n{}", terminal::mapping(arch, layout), self.compared)
    }

    /// The same as a value.
    pub(crate) fn report(&self) -> MappingReport {
        let Selected { arch, network, plan_name, layout, .. } = &self.selected;
        MappingReport::new(arch, network, plan_name, layout)
    }
}

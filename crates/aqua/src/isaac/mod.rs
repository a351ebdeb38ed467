//! Evaluation of ISAAC (Shafiee et al., ISCA 2016, sections VI to VIII), simulated.
//!
//! [`Study::runs`] lists the runs: ISAAC's networks on boards of several sizes, one network on machines that differ from
//! ISAAC-CE in one choice, and on the designs of ISAAC's Figure 5 that matter. [`Evaluation::new`] makes tables of them
//! and compares every published [`Statement`] with what is obtained. [`Evaluation::files`] returns all as CSV, JSON and
//! markdown.
//!
//! *Peak* figures follow from the parts of a machine, all crossbars busy. *Simulated* figures are those of a network at
//! its settled pace, over the tiles that it uses of chips of equal die.

mod design;
mod statements;
mod study;
mod text;

use arch::Arch;
use document::Faults;
use network::Network;
use serde::Serialize;

pub use self::design::{Design, Peak};
pub use self::statements::{Statement, Verdict};
pub use self::study::{NetworkRow, NetworkRun, Replicas};
use crate::paper::{File, to_csv};

/// Networks of ISAAC's evaluation that ship as presets, the smallest first.
pub const NETWORKS: [&str; 8] = ["vgg-a", "vgg-b", "vgg-c", "vgg-d", "vgg-e", "msra-a", "msra-b", "msra-c"];
/// Chips of the boards of ISAAC's evaluation.
pub const CHIPS: [u32; 4] = [8, 16, 32, 64];
/// Chips of the board on which designs are compared, and networks balanced.
pub(crate) const BOARD: u32 = 16;

/// Extent of the evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Study<'a> {
    /// Networks; the first one runs on all designs.
    pub networks: &'a [Network],
    /// Chips of the boards that the networks fill.
    pub chips: &'a [u32],
    /// Images of the longest run that is tested for being settled.
    pub most_images: u32,
}

/// Tables and statements.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Statements of the paper.
    pub statements: Vec<Statement>,
    /// Networks on ISAAC-CE.
    pub networks: Vec<NetworkRow>,
    /// Machines that differ from ISAAC-CE in one choice.
    pub choices: Vec<DesignRow>,
    /// The design space, by descending peak CE.
    pub designs: Vec<DesignRow>,
}

/// A design, at its peak and in simulation.
#[derive(Clone, Debug, Serialize)]
pub struct DesignRow {
    /// Choice in which it differs from ISAAC-CE; empty in the table of designs.
    pub choice: &'static str,
    /// Name of the design.
    pub design: String,
    /// Resolution of its ADCs, bits.
    pub adc_bits: u32,
    /// Tiles of one chip of the simulated board.
    pub tiles: u32,
    /// Peak CE, GOPS/mm2.
    pub peak_gops_per_mm2: f64,
    /// Peak PE, GOPS/W.
    pub peak_gops_per_watt: f64,
    /// Network that was simulated; empty if none was.
    pub network: String,
    /// Simulated GOPS/mm2.
    pub gops_per_mm2: Option<f64>,
    /// Simulated GOPS/W.
    pub gops_per_watt: Option<f64>,
    /// Settled cycles per image.
    pub cycles_per_image: Option<f64>,
    /// Bound on these cycles.
    pub bound_cycles: Option<f64>,
    /// Resource that sets the bound.
    pub bound_by: String,
    /// Reason for missing figures.
    pub note: String,
}

impl<'a> Study<'a> {
    /// Lists the runs.
    pub fn runs(&self) -> Vec<NetworkRun<'a>> {
        let run = |network, replicas| NetworkRun {
            design: Design::ISAAC_CE,
            chips: BOARD,
            network,
            bits: 16,
            replicas,
            most_images: self.most_images,
        };
        let mut runs = Vec::new();
        for network in self.networks {
            runs.push(run(network, Replicas::Balanced));
            runs.extend(self.chips.iter().map(|&chips| NetworkRun { chips, ..run(network, Replicas::Filled) }));
        }
        if let Some(first) = self.networks.first() {
            let balanced = run(first, Replicas::Balanced);
            runs.push(NetworkRun { bits: 32, ..balanced });
            let choices = Design::choices().into_iter().map(|(_, design)| design);
            let designs = choices.chain(Design::near_isaac_ce()).filter(|&design| design != Design::ISAAC_CE);
            runs.extend(designs.map(|design| NetworkRun { design, ..balanced }));
        }
        runs
    }
}

impl Evaluation {
    /// Makes the tables from the `runs` of [`Study::runs`] on machines with the prices of `base`.
    pub fn new(base: &Arch, runs: &[NetworkRow]) -> Result<Evaluation, Faults> {
        let row = |choice, design: Design| DesignRow::new(base, choice, design, runs);
        let choices = Design::choices().into_iter().map(|(choice, design)| row(choice, design));
        let designs = Design::space().into_iter().map(|design| row("", design));
        let mut designs = designs.collect::<Result<Vec<_>, Faults>>()?;
        designs.sort_by(|a, b| b.peak_gops_per_mm2.total_cmp(&a.peak_gops_per_mm2));
        let isaac = Design::ISAAC_CE.to_string();
        Ok(Evaluation {
            statements: statements::statements(base, runs)?,
            networks: runs.iter().filter(|run| run.design == isaac).cloned().collect(),
            choices: choices.collect::<Result<_, Faults>>()?,
            designs,
        })
    }

    /// Every table as CSV, all of them as JSON, and as text.
    pub fn files(&self) -> Vec<File> {
        let file = |name: &str, text: String| File { name: name.to_owned(), text };
        vec![
            file("statements.csv", to_csv(&self.statements)),
            file("networks.csv", to_csv(&self.networks)),
            file("choices.csv", to_csv(&self.choices)),
            file("designs.csv", to_csv(&self.designs)),
            file("isaac.json", serde_json::to_string_pretty(self).expect("tables have names for keys") + "\n"),
            file("isaac.md", self.to_markdown()),
        ]
    }
}

impl DesignRow {
    fn new(base: &Arch, choice: &'static str, design: Design, runs: &[NetworkRow]) -> Result<DesignRow, Faults> {
        let arch = design.arch(base, BOARD)?;
        let peak = Peak::new(&arch, base);
        let name = design.to_string();
        let run = runs.iter().find(|run| run.design == name && !run.filled && run.bits == 16);
        let figures = run.cloned().unwrap_or_default();
        Ok(DesignRow {
            choice,
            design: name,
            adc_bits: arch.adc.bits,
            tiles: arch.tiles_per_chip(),
            peak_gops_per_mm2: peak.gops_per_mm2,
            peak_gops_per_watt: peak.gops_per_watt,
            network: figures.network,
            gops_per_mm2: figures.gops_per_mm2,
            gops_per_watt: figures.gops_per_watt,
            cycles_per_image: figures.cycles_per_image,
            bound_cycles: figures.bound_cycles,
            bound_by: figures.bound_by,
            note: figures.note,
        })
    }
}

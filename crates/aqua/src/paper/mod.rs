//! The paper's tables and figures, and their comparison with the published numbers.
//!
//! [`Paper::new`] takes the runs of the study and a trace. Each weight set and criterion has a tolerance: from the
//! trace if it has rows for the set, else reconstructed if the paper has the set, else none. Rows and comparisons that
//! depend on it state which, so that a reconstructed figure cannot be mistaken for a measured one.

mod comparisons;
mod markdown;
mod plots;
mod tables;

use std::fmt::Write;

use serde::Serialize;

pub use self::comparisons::Comparison;
use self::comparisons::comparisons;
pub use self::markdown::Allowed;
use self::tables::{FROM_TRACE, Known, RECONSTRUCTED, Runs};
pub use self::tables::{Figure3Row, Figure4Row, Figure5Row, OracleRow, Table1Row, ThroughputRow};
pub use self::tables::{NO_PREDICTIONS, NOT_REPRESENTABLE};
use crate::published;
use crate::study::Measured;
use crate::tolerance::{Infeasible, Population, Tolerance};
use crate::trace::{Top, Trace};
use crate::weights::{FIXED_16, WeightSet};

/// A file of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// File name, without a folder.
    pub name: String,
    /// Content.
    pub text: String,
}

/// All tables and figures.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Table I.
    pub table1: Vec<Table1Row>,
    /// Captured throughput, which the paper does not print.
    pub throughput: Vec<ThroughputRow>,
    /// Figure 3.
    pub figure3: Vec<Figure3Row>,
    /// Figure 4.
    pub figure4: Vec<Figure4Row>,
    /// Crops of the oracle, on which Figures 3 to 5 are based.
    pub oracle: Vec<OracleRow>,
    /// Figure 5.
    pub figure5: Vec<Figure5Row>,
    /// Comparisons with every published number.
    pub comparisons: Vec<Comparison>,
}

impl Paper {
    /// Makes the tables from the runs of [`Job::all`](crate::Job::all) with `sets`, on a machine with cycles of
    /// `cycle_ns`, and from `trace`. The tolerance of the paper's sets is reconstructed where the trace has no rows for
    /// them; that of other sets is then not known.
    pub fn new(
        runs: &[Measured],
        sets: &[WeightSet],
        cycle_ns: f64,
        trace: Option<&Trace>,
    ) -> Result<Paper, Infeasible> {
        let runs = Runs(runs);
        let energies = runs.energies(FIXED_16);
        let mut known = Vec::new();
        for set in sets {
            for top in Top::ALL {
                let traced = trace.and_then(|trace| trace.tolerance(set.name(), top));
                let (tolerance, from) = match traced {
                    Some(tolerance) => (tolerance, FROM_TRACE),
                    // The statements of the text refer to the 16-bit weights, and hold for the others of the paper.
                    None if set.is_of_paper() => {
                        (Tolerance::reconstruct(&published::stated(top), &energies)?, RECONSTRUCTED)
                    }
                    None => continue,
                };
                known.push(Known { weights: set.name(), top, tolerance, from });
            }
        }
        let table1 = tables::table1(&runs, cycle_ns);
        let figure5 = tables::figure5(&runs, sets, &known);
        Ok(Paper {
            throughput: tables::throughput(&runs),
            figure3: tables::figure3(&energies, &known),
            figure4: tables::figure4(&known),
            oracle: tables::oracle(&known),
            comparisons: comparisons(&runs, &figure5, &known),
            table1,
            figure5,
        })
    }

    /// The rows of Figure 5 without AQuA, one for each weight set.
    fn weight_sets(&self) -> impl Iterator<Item = &Figure5Row> {
        self.figure5.iter().filter(|row| (row.policy, row.population) == ("none", Population::All.name()))
    }

    /// A row of Figure 5 under the oracle; `None` if the study has no such weights.
    fn oracle(&self, weights: &str, top: Top, population: Population) -> Option<&Figure5Row> {
        let wanted = ("oracle", weights, top.name(), population.name());
        self.figure5.iter().find(|row| (row.policy, row.weights.as_str(), row.top, row.population) == wanted)
    }

    /// Every table and figure as CSV and SVG, and the comparison with the paper.
    pub fn files(&self) -> Vec<File> {
        let file = |name: &str, text: String| File { name: name.to_owned(), text };
        vec![
            file("table1.csv", to_csv(&self.table1)),
            file("table1.svg", self.plot_table1()),
            file("throughput.csv", to_csv(&self.throughput)),
            file("throughput.svg", self.plot_throughput()),
            file("figure3.csv", to_csv(&self.figure3)),
            file("figure3.svg", self.plot_figure3()),
            file("figure4.csv", to_csv(&self.figure4)),
            file("figure4.svg", self.plot_figure4()),
            file("oracle.csv", to_csv(&self.oracle)),
            file("figure5.csv", to_csv(&self.figure5)),
            file("figure5.svg", self.plot_figure5()),
            file("paper.csv", to_csv(&self.comparisons)),
            file("paper.md", self.to_markdown()),
        ]
    }

    fn to_markdown(&self) -> String {
        let mut text = self.summary() + &self.evidence();
        text += "\n## How much of the saved work becomes throughput\n\n\
                 Captured share = speed-up / work reduction. Cycles per image are of runs that are long enough to have \
                 settled: twice the standard error of the mean is at most 1 %. The \
                 bottleneck is what an image needs longer than anything else, with the layer that needs most of it: in \
                 the long run no image is faster. *Crossbars alone* are the cycles in which the busiest \
                 replica reads them: the pace if the mesh and all else that is shared were wide enough. A captured share above \
                 100 % means that a crop also relieves what holds up the uncropped pipeline; one that falls with \
                 rebalancing, that replicas in other places send more over one port of the mesh.\n\n\
                 | crop (TBLR) | replicas balanced for | cycles per image | speed-up | work reduction | captured share \
                 | bottleneck | crossbars alone |\n| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |\n";
        for row in &self.throughput {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:.3} | {} | {:.0} cycles: {}, {} ({:.0} %) | {} |",
                row.cut,
                if row.rebalanced { "the crop" } else { "the whole map" },
                known(row.cycles_per_image, |cycles| format!("{cycles:.0}")),
                known(row.speed_up, |speed_up| format!("{speed_up:.3}")),
                row.work_reduction,
                known(row.captured_share, |share| format!("{:.1} %", 100.0 * share)),
                row.bottleneck_cycles,
                row.bottleneck,
                row.bottleneck_layer,
                100.0 * row.bottleneck_layer_share,
                row.crossbar_cycles,
            );
        }
        let of_placement = self.throughput.iter().filter(|row| row.is_of_placement).count();
        if of_placement > 0 {
            let _ = writeln!(
                text,
                "\nIn {of_placement} of these {} rows the placement binds, not the crossbars: try `aquasim map \
                 --optimise`, or router.multicast where it is off.",
                self.throughput.len()
            );
        }
        text
    }
}

/// Text of a number that only a settled run has.
fn known(figure: Option<f64>, show: impl Fn(f64) -> String) -> String {
    figure.map_or("not settled".to_owned(), show)
}

pub(crate) fn to_csv<Row: Serialize>(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a flat row has a place in a table");
    }
    let bytes = writer.into_inner().expect("memory takes all that is written");
    String::from_utf8(bytes).expect("rows are made from texts")
}

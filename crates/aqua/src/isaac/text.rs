//! `isaac.md`: the evaluation as tables to read.

use std::fmt::Write;

use super::{BOARD, Design, DesignRow, Evaluation, NetworkRow, Statement, Verdict};

/// Designs without a simulation that the table lists, the best first.
const LISTED: usize = 10;

impl Evaluation {
    pub(super) fn to_markdown(&self) -> String {
        let mut text = String::from(
            "# ISAAC's evaluation, simulated\n\n\
             Shafiee et al., ISCA 2016, corrected version of October 2016. *Peak*: all crossbars busy, from the parts of the \
             machine. *Simulated*: a network at its settled pace, over the tiles that it uses of chips of equal die. \
             Structures grow with what they feed, by a rule of our own.\n\n## Statements\n\n\
             Expected figures are those of Tables I and IV and of isaac-results.csv among the tests' data. *Transcribed* ones \
             were copied from the paper's text, which does not come with the project.\n",
        );
        let with = |verdict| self.statements.iter().filter(|of| of.verdict == verdict).count();
        let _ = write!(
            text,
            "\n{} hold, {} are contradicted, {} are not obtained.\n\n\
             | statement | from | got | expected | tolerance | evidence | verdict | why |\n\
             | --- | --- | ---: | ---: | ---: | --- | --- | --- |\n",
            with(Verdict::Holds),
            with(Verdict::Contradicted),
            with(Verdict::NotObtained),
        );
        self.statements.iter().for_each(|of| text += &of.row());
        text += &self.networks();
        let _ =
            write!(text, "\n## Choices: encoding, DACs, cells, cycle\n\nEach differs from ISAAC-CE in one choice.\n\n");
        text += &DesignRow::header("choice");
        self.choices.iter().for_each(|row| text += &row.row(row.choice));
        let _ = write!(
            text,
            "\n## Designs\n\nH rows of a crossbar, A ADCs and C crossbars of an IMA, I IMAs of a tile, as in Figure 5. \
             The {LISTED} with the highest peak CE of {}, and those that were simulated; all are in designs.csv.\n\n",
            self.designs.len(),
        );
        text += &DesignRow::header("rank by peak CE");
        for (index, row) in self.designs.iter().enumerate() {
            if index < LISTED || !row.network.is_empty() || row.design == Design::ISAAC_CE.to_string() {
                text += &row.row(&format!("{}", index + 1));
            }
        }
        text
    }

    fn networks(&self) -> String {
        let mut text = format!(
            "\n## Networks on ISAAC-CE\n\n\
             *Balanced*: as many replicas as keep pace with the last convolution, on {BOARD} chips (section IV). *Filled*: as \
             many as the board holds. Cycles to the last result of one image, and from image to image once settled (a \
             dash where no run within the limit of images is); in brackets without contention. *Bound*: the cycles that an image needs of the busiest resource.\n\n\
             | network | bits | chips | replicas | crossbars, tiles | one image | settled | bound, by | GOPS/mm2 | GOPS/W | note |\n\
             | --- | ---: | ---: | --- | ---: | ---: | ---: | --- | ---: | ---: | --- |\n"
        );
        self.networks.iter().for_each(|run| text += &run.row());
        text
    }
}

impl Statement {
    fn row(&self) -> String {
        let Statement { from, what, evidence, got, relation, expected, tolerance, verdict, why } = self;
        let relation = if *relation == "=" { String::new() } else { format!("{relation} ") };
        let got = number(*got, 4);
        format!(
            "| {what} | {from} | {got} | {relation}{} | {} | {evidence} | {} | {why} |\n",
            number(Some(*expected), 4),
            number(Some(*tolerance), 4),
            verdict.name()
        )
    }
}

impl NetworkRow {
    fn row(&self) -> String {
        let of = self;
        let count = |cycles: Option<u64>| cycles.map_or_else(|| "-".to_owned(), |cycles| cycles.to_string());
        format!(
            "| {} | {} | {} | {} | {} | {} ({}) | {} ({}) | {} {} | {} | {} | {} |\n",
            self.network,
            self.bits,
            self.chips,
            if self.filled { "filled" } else { "balanced" },
            of.crossbars.zip(of.tiles).map_or_else(|| "-".to_owned(), |(all, tiles)| format!("{all}, {tiles}")),
            count(of.latency_cycles),
            count(of.uncontended_latency_cycles),
            number(of.cycles_per_image, 1),
            number(of.uncontended_cycles_per_image, 1),
            number(of.bound_cycles, 0),
            of.bound_by,
            number(of.gops_per_mm2, 1),
            number(of.gops_per_watt, 1),
            of.note,
        )
    }
}

impl DesignRow {
    fn header(first: &str) -> String {
        format!(
            "| {first} | design | ADC bits | tiles | peak GOPS/mm2 | peak GOPS/W | simulated GOPS/mm2 | simulated GOPS/W \
             | settled | bound, by | note |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n"
        )
    }

    fn row(&self, first: &str) -> String {
        format!(
            "| {first} | {} | {} | {} | {:.1} | {:.1} | {} | {} | {} | {} {} | {} |\n",
            self.design,
            self.adc_bits,
            self.tiles,
            self.peak_gops_per_mm2,
            self.peak_gops_per_watt,
            number(self.gops_per_mm2, 1),
            number(self.gops_per_watt, 1),
            number(self.cycles_per_image, 1),
            number(self.bound_cycles, 0),
            self.bound_by,
            self.note,
        )
    }
}

/// Text of a number that may be missing, with at most `digits` digits after the point.
fn number(value: Option<f64>, digits: usize) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

//! Statements of ISAAC sections VI to VIII, and the figures obtained.
//!
//! A [`Statement`] is a printed figure or ranking, the figure obtained, and a reason for the difference. Sections and
//! tables are those of the corrected version of October 2016. Rankings are stated as quotients: "best" is at most 1.
//! Figures of `isaac-table1.csv` and `isaac-results.csv`, the data of the tests, can be checked there; the others are
//! marked "transcribed": they were copied from the text of the paper, which does not come with the project.

use arch::derived::{Derived, derived};
use arch::{Arch, Scope};
use chip::Options;
use document::Faults;
use network::{LayerId, Network, Plan};
use serde::Serialize;

use super::design::{Design, Peak};
use super::study::NetworkRow;

/// A statement of the paper.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// Section or table of the paper; "transcribed" if its text alone has the figure.
    pub from: &'static str,
    /// Quantity.
    pub what: &'static str,
    /// Source of the figure obtained: `Table I` (prices and arithmetic), `layers` of a network, `simulated`, or empty.
    pub evidence: &'static str,
    /// The figure obtained; `None` if there is none.
    pub got: Option<f64>,
    /// Relation to the expected figure: `=` or `<=`.
    pub relation: &'static str,
    /// The printed figure, or what a ranking means.
    pub expected: f64,
    /// Largest accepted deviation.
    pub tolerance: f64,
    /// Verdict.
    pub verdict: Verdict,
    /// Explanation.
    pub why: &'static str,
}

/// Outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The relation holds within the tolerance.
    Holds,
    /// It does not.
    Contradicted,
    /// There is no figure to compare with.
    NotObtained,
}

impl Verdict {
    pub(super) fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Contradicted => "**contradicted**",
            Verdict::NotObtained => "not obtained",
        }
    }
}

/// Evidence of figures that follow from the prices of Table I.
const TABLE_I: &str = "Table I";
const SIMULATED: &str = "simulated";

/// A printed figure.
struct Printed {
    from: &'static str,
    relation: &'static str,
    value: f64,
    tolerance: f64,
}

fn about(from: &'static str, value: f64, tolerance: f64) -> Printed {
    Printed { from, relation: "=", value, tolerance }
}

fn at_most(from: &'static str, value: f64) -> Printed {
    Printed { from, relation: "<=", value, tolerance: 1e-9 }
}

#[derive(Default)]
struct Statements(Vec<Statement>);

impl Statements {
    fn add(
        &mut self,
        what: &'static str,
        Printed { from, relation, value, tolerance }: Printed,
        (evidence, got): (&'static str, Option<f64>),
        why: &'static str,
    ) {
        let too_low = |got: f64| relation == "=" && got < value - tolerance;
        let too_high = |got: f64| got > value + tolerance;
        let verdict = match got {
            None => Verdict::NotObtained,
            Some(got) if too_low(got) || too_high(got) => Verdict::Contradicted,
            Some(_) => Verdict::Holds,
        };
        self.0.push(Statement { from, what, evidence, got, relation, expected: value, tolerance, verdict, why });
    }
}

/// Compares every statement with what follows from `base`, ISAAC-CE, and from `runs` of the evaluation.
pub(super) fn statements(base: &Arch, runs: &[NetworkRow]) -> Result<Vec<Statement>, Faults> {
    let mut all = Statements::default();
    all.of_one_operation(base);
    all.of_table_1(&derived(base), base);
    all.of_the_design_space(base)?;
    all.of_choices(base)?;
    all.of_networks(runs);
    all.of_dadiannao(&derived(base));
    Ok(all.0)
}

impl Statements {
    /// Section VI: the pipeline of an IMA.
    fn of_one_operation(&mut self, base: &Arch) {
        let [one, two] = [1, 2].map(|windows| operations(base, windows));
        self.add(
            "cycles of one operation, from the eDRAM read to the eDRAM write",
            about("VI, Figure 4", 22.0, 0.0),
            (SIMULATED, one),
            "",
        );
        self.add(
            "cycles from one operation of an IMA to the next",
            about("V", 16.0, 0.0),
            (SIMULATED, one.zip(two).map(|(one, two)| two - one)),
            "one bit of 16 in each",
        );
    }

    /// Tables I and IV, and what section VIII says of them.
    fn of_table_1(&mut self, isaac: &Derived, base: &Arch) {
        let power = |name: &str| share(isaac, base, name, |group| group.power_mw, isaac.tile.power_mw);
        let area = |name: &str| share(isaac, base, name, |group| group.area_mm2, isaac.tile.area_mm2);
        let mut add = |what, printed, got, why| self.add(what, printed, (TABLE_I, Some(got)), why);
        add("power of a tile, mW", about("Table I", 330.0, 1.65), isaac.tile.power_mw, "");
        add("area of a tile, mm2", about("Table I", 0.372, 0.0019), isaac.tile.area_mm2, "");
        let tiles = f64::from(base.tiles_per_chip());
        add("power of all tiles of a chip, W", about("Table I", 55.4, 0.28), tiles * isaac.tile.power_mw / 1000.0, "");
        add("area of all tiles of a chip, mm2", about("Table I", 62.5, 0.31), tiles * isaac.tile.area_mm2, "");
        add("power of a chip, W", about("Table I", 65.8, 0.33), isaac.chip.power_mw / 1000.0, "");
        add("area of a chip, mm2", about("Table I", 85.4, 0.43), isaac.chip.area_mm2, "");
        add("part of a tile's power that its ADCs draw", about("VIII-A", 0.58, 0.01), isaac.adc_power_share, "");
        add("part of a tile's area that its ADCs take", about("VIII-A", 0.31, 0.01), isaac.adc_area_share, "");
        let others = isaac.groups.iter().filter(|group| group.name != "adc" && group.scope != Scope::Chip);
        let largest = others.map(|group| power(group.name)).fold(0.0, f64::max);
        add(
            "largest part of a tile's power that anything else draws",
            at_most("VIII-A; transcribed", 0.15),
            largest,
            "DACs",
        );
        add(
            "part of a tile's area that eDRAM and bus take",
            about("VIII-A; transcribed", 0.47, 0.01),
            area("edram_buffer") + area("bus"),
            "",
        );
        let links = 1.0 - tiles * isaac.tile.power_mw / isaac.chip.power_mw;
        add("part of a chip's power that its links draw", about("VIII-B; transcribed", 0.16, 0.005), links, "");
        add(
            "CE, GOPS/mm2",
            about("Table IV", 478.95, 4.79),
            isaac.gops_per_mm2,
            "0.9 % above the printed figure, which no arithmetic on Table I gives",
        );
        add("PE, GOPS/W", about("Table IV", 627.5, 3.1), isaac.gops_per_watt, "");
        add("SE, MB/mm2", about("Table IV", 0.74, 0.005), isaac.mb_per_mm2, "");
        let array = isaac.groups.iter().find(|group| group.name == "crossbar").expect("a machine has crossbars");
        let imas = tiles * f64::from(base.tile.imas);
        add(
            "CE of a crossbar alone, GOPS/mm2",
            about("VIII-B; transcribed", 1707.0, 17.0),
            isaac.peak_gops / (imas * array.area_mm2),
            "the area that Table I prints for crossbars is 60 times smaller than the figure needs",
        );
    }

    /// Section VIII-A: ADCs of 9 bits, and the best design.
    fn of_the_design_space(&mut self, base: &Arch) -> Result<(), Faults> {
        let isaac = Design::ISAAC_CE.peak(base)?;
        let designs = Design::space().into_iter();
        let designs = designs.map(|design| {
            let arch = design.arch(base, 1)?;
            let peak = Peak::new(&arch, base);
            Ok((arch, peak))
        });
        let designs: Vec<(Arch, Peak)> = designs.collect::<Result<_, Faults>>()?;
        let best = |wanted: fn(&Arch) -> bool, of: fn(&Peak) -> f64| {
            let wanted = designs.iter().filter(|(arch, _)| wanted(arch));
            wanted.map(|(_, peak)| of(peak)).fold(0.0, f64::max)
        };
        let at_9_bits = |of| best(|arch| arch.adc.bits == 9, of) / best(|arch| arch.adc.bits <= 8, of);
        let mut add = |what, got, why| self.add(what, at_most("VIII-A; transcribed", 1.0), (TABLE_I, Some(got)), why);
        let why = "a conversion of 9 bits takes 1.18 times the energy and 1.52 times the area of one of 8, by ISAAC's own \
                   rules, and serves twice the rows";
        add("best CE with 9-bit ADCs over the best with fewer bits", at_9_bits(|peak| peak.gops_per_mm2), why);
        add("best PE with 9-bit ADCs over the best with fewer bits", at_9_bits(|peak| peak.gops_per_watt), why);
        add(
            "best CE of all designs over that of H128-A8-C8-I12",
            best(|_| true, |peak| peak.gops_per_mm2) / isaac.gops_per_mm2,
            "more rows share each conversion; their buses, ports and registers, which grow here with the inputs, cost \
             less than that saves",
        );
        add(
            "best CE of designs of 128 rows over that of H128-A8-C8-I12",
            best(|arch| arch.crossbar.rows == 128, |peak| peak.gops_per_mm2) / isaac.gops_per_mm2,
            "more IMAs share a router",
        );
        Ok(())
    }

    /// Sections V and VIII-A: encoding, DACs, cells and cycle.
    fn of_choices(&mut self, base: &Arch) -> Result<(), Faults> {
        let isaac = Design::ISAAC_CE;
        let ce = |design: Design| design.peak(base).map(|peak| peak.gops_per_mm2);
        let best = |designs: &[Design]| {
            let all = designs.iter().map(|&design| ce(design));
            all.collect::<Result<Vec<f64>, Faults>>().map(|all| all.into_iter().fold(0.0, f64::max))
        };
        let with_8_bits = |design: Design| {
            let designs = [256, 128, 64, 32, 16, 8].map(|rows| Design { rows, ..design });
            let narrow = |design: &Design| design.arch(base, 1).is_ok_and(|arch| arch.adc.bits <= 8);
            designs.into_iter().find(narrow).expect("few enough rows fit")
        };
        let dacs = [2, 3, 4].map(|dac_bits| Design { dac_bits, ..isaac });
        let cells = [1, 4].map(|cell_bits| Design { cell_bits, ..isaac });
        let isaacs = ce(isaac)?;
        let mut add = |what, printed, got, why| self.add(what, printed, (TABLE_I, Some(got)), why);
        add(
            "best CE of 2- to 4-bit DACs over that of 1 bit, rows fitted to 8-bit ADCs",
            at_most("VIII-A; transcribed", 1.0),
            best(&dacs.map(with_8_bits))? / isaacs,
            "",
        );
        add(
            "best CE of 2- to 4-bit DACs over that of 1 bit, ADCs fitted to 128 rows",
            at_most("VIII-A; transcribed", 1.0),
            best(&dacs)? / isaacs,
            "half the reads pay for two more bits of the ADCs, at our price of the DACs",
        );
        add(
            "best CE of 1- and 4-bit cells over that of 2 bits, rows fitted to 8-bit ADCs",
            at_most("VIII-A; transcribed", 1.0),
            best(&cells.map(with_8_bits))? / isaacs,
            "",
        );
        add(
            "best CE of 1- and 4-bit cells over that of 2 bits, ADCs fitted to 128 rows",
            at_most("VIII-A; transcribed", 1.0),
            best(&cells)? / isaacs,
            "half the columns pay for two more bits of the ADCs",
        );
        let plain = Design { flipped_encoding: false, ..isaac };
        add(
            "CE with the encoding over the better of 9-bit ADCs and half the rows",
            about("V; transcribed", 1.5, 0.05),
            isaacs / best(&[plain, Design { rows: 64, ..plain }])?,
            "9-bit ADCs cost less than that; against half the rows it is more",
        );
        add(
            "CE at cycles of 200 ns over that at 100 ns",
            about("VIII-A; transcribed", 0.7, 0.02),
            ce(Design { cycle_ns: 200.0, adcs: 4, ..isaac })? / isaacs,
            "half the ADCs, shift-and-adds and wires keep up",
        );
        Ok(())
    }

    /// Sections VI to VIII: networks on the machine.
    fn of_networks(&mut self, runs: &[NetworkRow]) {
        let first = network::load("vgg-a").expect("the preset is built in").layers[LayerId(0)].windows();
        self.add(
            "replicas of a first layer that keep a classifier busy",
            about("VIII-B; transcribed", 50_000.0, 500.0),
            ("layers", Some(first as f64)),
            "a window of 224 x 224 each; balancing works back from the last convolution instead",
        );
        let largest = |of: &dyn Fn(&NetworkRow) -> Option<f64>| {
            let all: Option<Vec<f64>> = runs.iter().filter(|run| run.is_isaacs()).map(of).collect();
            all?.into_iter().reduce(f64::max)
        };
        let slower = |run: &NetworkRow| Some(run.cycles_per_image? / run.uncontended_cycles_per_image?);
        self.add(
            "longest settled interval of a balanced network over that without contention",
            about("VI; transcribed", 1.0, 0.005),
            (SIMULATED, largest(&slower)),
            "the static schedule has no conflicts, and analysis suffices, if this is 1",
        );
        self.add(
            "largest load of a router port in a balanced network, GB/s",
            at_most("VIII-A; transcribed", 3.2),
            (SIMULATED, largest(&|run| run.busiest_port_gb_per_s)),
            "at the mapper's placement",
        );
        self.add(
            "throughput of a crossbar at 32 bits over that at 16",
            about("VIII-A; transcribed", 0.25, 0.02),
            (SIMULATED, precision(runs)),
            "twice the reads of twice the crossbars",
        );
        self.add(
            "best simulated GOPS/mm2 of the designs that were run over that of H128-A8-C8-I12",
            at_most("VIII-A; transcribed", 1.0),
            (SIMULATED, best_design(runs)),
            "a network gains from more rows what the peak gains, less the rows that its layers leave unused",
        );
    }

    /// Section VIII-B: comparison with `DaDianNao`, which is not simulated.
    fn of_dadiannao(&mut self, isaac: &Derived) {
        let mut add =
            |what, printed, got| self.add(what, printed, (TABLE_I, Some(got)), "DaDianNao as printed in Table IV");
        add("CE over that of DaDianNao", about("Abstract; transcribed", 7.5, 0.15), isaac.gops_per_mm2 / 63.46);
        add("PE over that of DaDianNao", about("VIII-B; transcribed", 2.19, 0.02), isaac.gops_per_watt / 286.4);
        for (what, value) in [
            ("throughput over that of DaDianNao, mean of the benchmarks", 14.8),
            ("energy of DaDianNao over that of ISAAC, mean of the benchmarks", 5.5),
        ] {
            self.add(
                what,
                about("Abstract; transcribed", value, 0.0),
                ("", None),
                "there is no model of DaDianNao here",
            );
        }
        for (what, value) in [("PE of ISAAC-PE, GOPS/W", 644.2), ("SE of ISAAC-SE, MB/mm2", 20.25)] {
            self.add(what, about("Table IV", value, 0.0), ("", None), "the paper does not print its parts");
        }
    }
}

/// Returns the part of a tile's `whole` that a group takes.
fn share(isaac: &Derived, base: &Arch, name: &str, figure: fn(&arch::derived::Group) -> f64, whole: f64) -> f64 {
    let groups = isaac.groups.iter().filter(|group| group.name == name);
    groups.map(|group| figure(group) * group.scope.per_tile(base)).sum::<f64>() / whole
}

/// Returns the cycles of `windows` operations of one IMA, one after the other; `None` if the machine cannot hold it.
fn operations(base: &Arch, windows: u64) -> Option<f64> {
    let text = format!(
        "name = \"operations\"\ninput = {{ height = 1, width = {windows}, channels = 128 }}\n\
         [[layers]]\nname = \"c\"\nkind = \"convolution\"\nkernel = 1\nchannels = 128\n"
    );
    let network: Network = network::parse(&text, "operations.toml").expect("the network is sound");
    let plan = Plan::uniform(&network, 16, 16);
    let layout = mapper::balance_to(base, &network, &plan, windows, windows).ok()?;
    let outcome = chip::run(base, &layout, &Options { uncontended: true, ..Options::default() }).ok()?;
    Some(outcome.cycles as f64)
}

/// Returns the settled throughput per crossbar of the network that is run with 32 bits, over the same with 16.
fn precision(runs: &[NetworkRow]) -> Option<f64> {
    let wide = runs.iter().find(|run| run.bits == 32)?;
    let narrow = runs.iter().find(|run| run.is_isaacs() && run.network == wide.network)?;
    let crossbar_cycles = |run: &NetworkRow| Some(run.cycles_per_image? * run.crossbars? as f64);
    Some(crossbar_cycles(narrow)? / crossbar_cycles(wide)?)
}

/// Returns the most GOPS per mm2 that a network reaches on a design near ISAAC-CE, over what it reaches on ISAAC-CE.
fn best_design(runs: &[NetworkRow]) -> Option<f64> {
    let near: Vec<String> = Design::near_isaac_ce().iter().map(ToString::to_string).collect();
    let others = runs.iter().filter(|run| near.contains(&run.design));
    let (best, network) =
        others.filter_map(|run| Some((run.gops_per_mm2?, &run.network))).max_by(|a, b| a.0.total_cmp(&b.0))?;
    let isaac = runs.iter().find(|run| run.is_isaacs() && run.network == *network)?;
    Some(best / isaac.gops_per_mm2?)
}

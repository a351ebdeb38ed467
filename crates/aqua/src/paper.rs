//! The paper's tables and figures, and how they compare with what it prints.

use std::fmt::Write;

use network::Edges;
use serde::Serialize;

use crate::crops::{CROPS, bits, crops, means_by_size};
use crate::plot::{self, Panel, Points, Series};
use crate::published::{self, TABLE_I};
use crate::study::{Job, Measured, WeightSet};
use crate::tolerance::{Infeasible, Tolerance};
use crate::trace::{Top, Trace};

/// A file of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// All that is in it.
    pub text: String,
}

/// Table I: every image gets the same crop; 16-bit weights.
#[derive(Clone, Debug, Serialize)]
pub struct Table1Row {
    /// Number of cuts.
    pub cuts: usize,
    /// The crop: top, bottom, left, right.
    pub cut: String,
    /// Dynamic energy relative to no crop.
    pub relative_energy: f64,
    /// The same, as printed.
    pub printed_relative_energy: f64,
    /// ADC conversions relative to no crop.
    pub relative_conversions: f64,
    /// Multiply-accumulates relative to no crop.
    pub relative_macs: f64,
    /// Dynamic energy of an image, mJ.
    pub energy_mj: f64,
    /// Cycles from the start to the first image's last result.
    pub latency_cycles: u64,
    /// Cycles from one image to the next in steady state.
    pub cycles_per_image: f64,
    /// Images per second in steady state.
    pub images_per_second: f64,
    /// Accuracy that the paper prints, percent.
    pub printed_top1_percent: f64,
    /// Accuracy that the paper prints, percent.
    pub printed_top5_percent: f64,
}

/// How much of the work that a crop saves becomes throughput.
#[derive(Clone, Debug, Serialize)]
pub struct ThroughputRow {
    /// Number of cuts.
    pub cuts: usize,
    /// The crop: top, bottom, left, right.
    pub cut: String,
    /// Whether the copies are balanced for the crop, not for the whole map.
    pub rebalanced: bool,
    /// Cycles from one image to the next in steady state.
    pub cycles_per_image: f64,
    /// Cycles of no crop over cycles of this one.
    pub speed_up: f64,
    /// Multiply-accumulates of no crop over those of this one.
    pub work_reduction: f64,
    /// Speed-up over work reduction: 1 if all of the saved work becomes throughput.
    pub captured_share: f64,
    /// What an image needs longer than anything else, and so sets the pace.
    pub bottleneck: String,
    /// The layers whose crossbars it is, or the one that needs most of what is shared.
    pub bottleneck_layer: String,
    /// The part that they need, 0 to 1.
    pub bottleneck_layer_share: f64,
    /// Cycles for which an image needs it.
    pub bottleneck_cycles: f64,
    /// Cycles in which the copy with the most windows reads its crossbars for one image: the pace if all that is shared
    /// were wide enough.
    pub crossbar_cycles: u64,
}

/// Figure 3: energy against accuracy.
#[derive(Clone, Debug, Serialize)]
pub struct Figure3Row {
    /// `fixed` crop for all images, or `oracle`.
    pub policy: &'static str,
    /// The crop: top, bottom, left, right; empty for the oracle.
    pub cut: String,
    /// What counts as right.
    pub top: &'static str,
    /// Dynamic energy relative to no crop.
    pub relative_energy: f64,
    /// Images classified right, percent.
    pub accuracy_percent: f64,
    /// Where the accuracy is from: `printed` or `trace`.
    pub accuracy_from: &'static str,
    /// What decides the oracle's crops: `trace` or `reconstructed`; empty for fixed crops.
    pub tolerance_from: &'static str,
}

/// Figure 4: images by the largest crop that they tolerate.
#[derive(Clone, Debug, Serialize)]
pub struct Figure4Row {
    /// Weight set.
    pub weights: &'static str,
    /// What counts as right.
    pub top: &'static str,
    /// Number of cuts.
    pub cuts: usize,
    /// Share of images, 0 to 1.
    pub share: f64,
    /// `trace` or `reconstructed`.
    pub tolerance_from: &'static str,
}

/// Figure 5: energy of each weight set, with and without AQuA.
#[derive(Clone, Debug, Serialize)]
pub struct Figure5Row {
    /// Weight set.
    pub weights: &'static str,
    /// `none`, or the `oracle`.
    pub policy: &'static str,
    /// What counts as right; empty without AQuA.
    pub top: &'static str,
    /// Dynamic energy relative to 16-bit weights without a crop.
    pub relative_energy: f64,
    /// Part of the weight set's own energy without a crop that AQuA saves.
    pub saving: f64,
    /// `trace` or `reconstructed`; empty without AQuA.
    pub tolerance_from: &'static str,
}

/// A published number and the simulated one.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What it is.
    pub what: String,
    /// Simulated.
    pub got: f64,
    /// Published.
    pub expected: f64,
    /// Simulated less published.
    pub difference: f64,
    /// Where a difference comes from, and what the number rests on.
    pub why: &'static str,
}

/// All tables and figures.
#[derive(Clone, Debug)]
pub struct Paper {
    /// Table I.
    pub table1: Vec<Table1Row>,
    /// The table that the paper lacks.
    pub throughput: Vec<ThroughputRow>,
    /// Figure 3.
    pub figure3: Vec<Figure3Row>,
    /// Figure 4.
    pub figure4: Vec<Figure4Row>,
    /// Figure 5.
    pub figure5: Vec<Figure5Row>,
    /// Every published number.
    pub comparisons: Vec<Comparison>,
}

/// What [`Figure4Row::tolerance_from`] says of figures without a trace.
const RECONSTRUCTED: &str = "reconstructed";
const FROM_TRACE: &str = "trace";

/// What the axis of crops says.
const CROP_AXIS: &str = "crop (top, bottom, left, right)";

/// What is added to the name of a series with values of these origins.
fn mark(mut origins: impl Iterator<Item = &'static str>) -> &'static str {
    if origins.any(|origin| origin == RECONSTRUCTED) { " (reconstructed)" } else { "" }
}

/// An end for an axis of these values: a round number with some room above the largest.
fn most(series: &[Series]) -> f64 {
    let largest = series.iter().flat_map(|series| &series.values).copied().fold(f64::MIN_POSITIVE, f64::max);
    let step = 10f64.powf(largest.log10().floor()) / 5.0;
    (1.05 * largest / step).ceil() * step
}

/// The runs of a study, found by what was run.
struct Runs<'a>(&'a [Measured]);

impl Runs<'_> {
    fn find(&self, wanted: impl Fn(&Job) -> bool) -> &Measured {
        self.0.iter().find(|run| wanted(&run.job)).expect("a study has a run for everything that is asked of it")
    }

    /// The runs of all crops, in the order of Table I.
    fn of(&self, weights: WeightSet, rebalanced: bool) -> [&Measured; CROPS] {
        crops().map(|edges| {
            self.find(|job| {
                job.weights == weights
                    && job.edges == edges
                    && job.rebalanced == (rebalanced && edges != Edges::NONE)
                    && job.activation_bits == network::FULL_PRECISION_BITS
            })
        })
    }

    /// Energy of each crop relative to 16-bit weights without one.
    fn energies(&self, weights: WeightSet) -> [f64; CROPS] {
        let baseline = self.of(WeightSet::Fixed16, false)[0].energy_pj;
        self.of(weights, false).map(|run| run.energy_pj / baseline)
    }
}

/// What images tolerate with a weight set, and where that is known from.
struct Known {
    weights: WeightSet,
    top: Top,
    tolerance: Tolerance,
    from: &'static str,
}

impl Paper {
    /// The paper from the runs of [`Job::all`], on a machine with cycles of `cycle_ns`, and from `trace`. What a trace
    /// does not say is reconstructed.
    pub fn new(runs: &[Measured], cycle_ns: f64, trace: Option<&Trace>) -> Result<Paper, Infeasible> {
        let runs = Runs(runs);
        let energies = runs.energies(WeightSet::Fixed16);
        let mut known = Vec::new();
        for weights in WeightSet::ALL {
            for (top, stated) in Top::ALL.into_iter().zip([published::TOP_1, published::TOP_5]) {
                let traced = trace.and_then(|trace| trace.tolerance(weights, top));
                let (tolerance, from) = match traced {
                    Some(tolerance) => (tolerance, FROM_TRACE),
                    // What the text states, it states of the 16-bit weights.
                    None => (Tolerance::reconstruct(&stated, &energies)?, RECONSTRUCTED),
                };
                known.push(Known { weights, top, tolerance, from });
            }
        }
        let table1 = table1(&runs, cycle_ns);
        let figure5 = figure5(&runs, &known);
        Ok(Paper {
            throughput: throughput(&runs),
            figure3: figure3(&energies, &known),
            figure4: figure4(&known),
            comparisons: comparisons(&runs, &figure5, &known),
            table1,
            figure5,
        })
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
            file("figure5.csv", to_csv(&self.figure5)),
            file("figure5.svg", self.plot_figure5()),
            file("paper.csv", to_csv(&self.comparisons)),
            file("paper.md", self.to_markdown()),
        ]
    }

    fn plot_table1(&self) -> String {
        let labels: Vec<String> = self.table1.iter().map(|row| row.cut.clone()).collect();
        let series = |name: &str, value: fn(&Table1Row) -> f64| Series {
            name: name.to_owned(),
            values: self.table1.iter().map(value).collect(),
        };
        let energies = vec![
            series("simulated", |row| row.relative_energy),
            series("printed in Table I", |row| row.printed_relative_energy),
        ];
        let rates = vec![series("simulated", |row| row.images_per_second)];
        let accuracies = vec![
            series("top-1, printed in Table I", |row| row.printed_top1_percent),
            series("top-5, printed in Table I", |row| row.printed_top5_percent),
        ];
        let panels = [
            Panel { y: "relative energy", most: 1.1, digits: 2, series: energies },
            Panel { y: "images per second", most: most(&rates), digits: 0, series: rates },
            Panel { y: "accuracy, %", most: 100.0, digits: 0, series: accuracies },
        ];
        plot::bars(&labels, CROP_AXIS, &panels)
    }

    fn plot_throughput(&self) -> String {
        let before = |row: &&ThroughputRow| !row.rebalanced;
        let labels: Vec<String> = self.throughput.iter().filter(before).map(|row| row.cut.clone()).collect();
        let series = |value: fn(&ThroughputRow) -> f64| {
            let named = [("copies balanced for the whole map", false), ("copies balanced for the crop", true)];
            let series = named.map(|(name, rebalanced)| {
                let rows = self.throughput.iter().filter(|row| row.rebalanced == rebalanced);
                Series { name: name.to_owned(), values: rows.map(value).collect() }
            });
            series.to_vec()
        };
        let (shares, cycles) = (series(|row| row.captured_share), series(|row| row.cycles_per_image));
        let panels = [
            Panel { y: "captured share", most: most(&shares), digits: 2, series: shares },
            Panel { y: "cycles per image", most: most(&cycles), digits: 0, series: cycles },
        ];
        plot::bars(&labels, CROP_AXIS, &panels)
    }

    fn plot_figure3(&self) -> String {
        let mut all = Vec::new();
        for (colour, top) in Top::ALL.into_iter().enumerate() {
            for (policy, name) in [("fixed", "one crop for all"), ("oracle", "AQuA")] {
                let rows = || self.figure3.iter().filter(|row| row.policy == policy && row.top == top.name());
                all.push(Points {
                    name: format!("{}, {name}{}", top.name(), mark(rows().map(|row| row.tolerance_from))),
                    points: rows().map(|row| (row.relative_energy, row.accuracy_percent)).collect(),
                    colour,
                    large: policy == "oracle",
                });
            }
        }
        // Rounded outwards to whole ticks.
        let accuracies = || self.figure3.iter().map(|row| row.accuracy_percent);
        let least = (accuracies().fold(100.0, f64::min) / 5.0).floor() * 5.0;
        let most = ((accuracies().fold(0.0, f64::max) / 5.0).floor() * 5.0 + 5.0).min(100.0);
        plot::scatter(&all, ("relative energy", "accuracy, %"), (0.45, 1.05), (least, most))
    }

    fn plot_figure4(&self) -> String {
        let labels: Vec<String> = (0..=4).map(|cuts: usize| cuts.to_string()).collect();
        let rows = |weights: WeightSet, top: Top| {
            self.figure4.iter().filter(move |row| row.top == top.name() && row.weights == weights.name())
        };
        // What is reconstructed is the same for all weights, and needs no panel for each.
        let traced = |weights: &WeightSet| {
            *weights == WeightSet::Fixed16
                || Top::ALL.iter().any(|&top| rows(*weights, top).any(|row| row.tolerance_from == FROM_TRACE))
        };
        let panel = |weights: WeightSet| {
            let series = Top::ALL.map(|top| Series {
                name: format!(
                    "{}, weights {}{}",
                    top.name(),
                    weights.name(),
                    mark(rows(weights, top).map(|row| row.tolerance_from))
                ),
                values: rows(weights, top).map(|row| row.share).collect(),
            });
            Panel { y: "share of images", most: 1.0, digits: 3, series: series.to_vec() }
        };
        let panels: Vec<Panel> = WeightSet::ALL.into_iter().filter(traced).map(panel).collect();
        plot::bars(&labels, "cuts tolerated", &panels)
    }

    fn plot_figure5(&self) -> String {
        // A trace may have some weight sets and not others.
        let labels = WeightSet::ALL.map(|weights| {
            let rows = self.figure5.iter().filter(|row| row.weights == weights.name());
            format!("weights {}{}", weights.name(), mark(rows.map(|row| row.tolerance_from)))
        });
        let policies = [("none", ""), ("oracle", Top::One.name()), ("oracle", Top::Five.name())];
        let series = policies.map(|(policy, top)| {
            let rows = self.figure5.iter().filter(|row| row.policy == policy && row.top == top);
            Series {
                name: if policy == "none" { "no crop".to_owned() } else { format!("AQuA, {top}") },
                values: rows.map(|row| row.relative_energy).collect(),
            }
        });
        let y = "energy relative to 16 bits without a crop";
        plot::bars(&labels, "", &[Panel { y, most: 1.1, digits: 3, series: series.to_vec() }])
    }

    fn to_markdown(&self) -> String {
        let mut text = String::from(
            "# AQuA's published numbers, and the simulated ones\n\n\
             Every `got` is from cycle-level runs of VGG16; energy is dynamic. `why` says where a difference comes from.\n",
        );
        if self.figure4.iter().any(|row| row.tolerance_from == RECONSTRUCTED) {
            text += "\nThe paper prints no raw data on images. Where no trace is given, *reconstructed* numbers use the \
                     distribution over 0 to 4 cuts of maximum entropy that meets what the text states: they agree with \
                     these statements by construction.\n";
        }
        text += "\n| what | got | expected | difference | why |\n| --- | ---: | ---: | ---: | --- |\n";
        for Comparison { what, got, expected, difference, why } in &self.comparisons {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "| {what} | {got:.4} | {expected:.4} | {difference:+.4} | {why} |");
        }
        text += "\nNot simulated: accuracies, which need ImageNet (Tables and Figure 3 show the printed ones), and the \
                 paper's 32-bit floating-point weights, which ISAAC's crossbars cannot hold.\n\
                 \n## How much of the saved work becomes throughput\n\n\
                 Captured share = speed-up / work reduction. Cycles per image are the mean over the later half of the \
                 images of a run without the last sixth: before that queues grow, after it the pipeline runs empty. The \
                 bottleneck is what an image needs longer than anything else, with the layer that needs most of it: in \
                 the long run no image is faster. (Where a run's queues have not stopped growing, its images still are: \
                 then the bottleneck's cycles are nearer the truth.) *Crossbars alone* are the cycles in which the busiest \
                 copy reads them: the pace if the mesh and all else that is shared were wide enough. A captured share above \
                 100 % means that a crop also relieves what holds up the uncropped pipeline; one that falls with \
                 rebalancing, that copies in other places send more over one port of the mesh.\n\n\
                 | crop (TBLR) | copies balanced for | cycles per image | speed-up | work reduction | captured share \
                 | bottleneck | crossbars alone |\n| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |\n";
        for row in &self.throughput {
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {:.3} | {:.3} | {:.1} % | {:.0} cycles: {}, {} ({:.0} %) | {} |",
                row.cut,
                if row.rebalanced { "the crop" } else { "the whole map" },
                row.cycles_per_image,
                row.speed_up,
                row.work_reduction,
                100.0 * row.captured_share,
                row.bottleneck_cycles,
                row.bottleneck,
                row.bottleneck_layer,
                100.0 * row.bottleneck_layer_share,
                row.crossbar_cycles,
            );
        }
        text
    }
}

fn table1(runs: &Runs<'_>, cycle_ns: f64) -> Vec<Table1Row> {
    let all = runs.of(WeightSet::Fixed16, false);
    let none = all[0];
    let rows = all.into_iter().zip(TABLE_I).map(|(run, printed)| {
        let cycles_per_image = steady(run);
        Table1Row {
            cuts: run.job.edges.count(),
            cut: bits(run.job.edges),
            relative_energy: run.energy_pj / none.energy_pj,
            printed_relative_energy: printed.relative_energy,
            relative_conversions: run.adc_conversions as f64 / none.adc_conversions as f64,
            relative_macs: run.macs as f64 / none.macs as f64,
            energy_mj: run.energy_pj * 1e-9,
            latency_cycles: run.latency_cycles,
            cycles_per_image,
            images_per_second: 1e9 / (cycles_per_image * cycle_ns),
            printed_top1_percent: printed.top1_percent,
            printed_top5_percent: printed.top5_percent,
        }
    });
    rows.collect()
}

fn steady(run: &Measured) -> f64 {
    run.cycles_per_image.expect("runs whose throughput is wanted have several images")
}

fn throughput(runs: &Runs<'_>) -> Vec<ThroughputRow> {
    let (before, after) = (runs.of(WeightSet::Fixed16, false), runs.of(WeightSet::Fixed16, true));
    let none = before[0];
    let both = before.into_iter().zip(after).flat_map(|(before, after)| [(before, false), (after, true)]);
    let rows = both.map(|(run, rebalanced)| {
        let speed_up = steady(none) / steady(run);
        let work_reduction = none.macs as f64 / run.macs as f64;
        ThroughputRow {
            cuts: run.job.edges.count(),
            cut: bits(run.job.edges),
            rebalanced,
            cycles_per_image: steady(run),
            speed_up,
            work_reduction,
            captured_share: speed_up / work_reduction,
            bottleneck: run.bottleneck.resource.clone(),
            bottleneck_layer: match &run.bottleneck.layers[..] {
                [first, .., last] => format!("{} layers, {first} to {last}", run.bottleneck.layers.len()),
                one => one.concat(),
            },
            bottleneck_layer_share: run.bottleneck.share,
            bottleneck_cycles: run.bottleneck.cycles,
            crossbar_cycles: run.bottleneck.crossbar_cycles,
        }
    });
    rows.collect()
}

fn figure3(energies: &[f64; CROPS], known: &[Known]) -> Vec<Figure3Row> {
    let mut rows = Vec::new();
    for Known { top, tolerance, from, .. } in known.iter().filter(|known| known.weights == WeightSet::Fixed16) {
        let printed = TABLE_I.map(|row| match top {
            Top::One => row.top1_percent,
            Top::Five => row.top5_percent,
        });
        let traced = tolerance.fixed.map(|fixed| fixed.map(|share| 100.0 * share));
        let accuracy_from = if traced.is_some() { FROM_TRACE } else { "printed" };
        let accuracies = traced.unwrap_or(printed);
        let row = |policy, cut, relative_energy, accuracy_percent, tolerance_from| Figure3Row {
            policy,
            cut,
            top: top.name(),
            relative_energy,
            accuracy_percent,
            accuracy_from,
            tolerance_from,
        };
        for ((edges, energy), accuracy) in crops().into_iter().zip(energies).zip(accuracies) {
            rows.push(row("fixed", bits(edges), *energy, accuracy, ""));
        }
        // The oracle keeps the accuracy of no crop.
        rows.push(row("oracle", String::new(), tolerance.oracle_energy(energies), accuracies[0], from));
    }
    rows
}

fn figure4(known: &[Known]) -> Vec<Figure4Row> {
    let rows = known.iter().flat_map(|Known { weights, top, tolerance, from }| {
        tolerance.shares.into_iter().enumerate().map(move |(cuts, share)| Figure4Row {
            weights: weights.name(),
            top: top.name(),
            cuts,
            share,
            tolerance_from: from,
        })
    });
    rows.collect()
}

fn figure5(runs: &Runs<'_>, known: &[Known]) -> Vec<Figure5Row> {
    let mut rows = Vec::new();
    for weights in WeightSet::ALL {
        let energies = runs.energies(weights);
        let row = |policy, top, energy: f64, tolerance_from| Figure5Row {
            weights: weights.name(),
            policy,
            top,
            relative_energy: energy,
            saving: 1.0 - energy / energies[0],
            tolerance_from,
        };
        rows.push(row("none", "", energies[0], ""));
        for known in known.iter().filter(|known| known.weights == weights) {
            rows.push(row("oracle", known.top.name(), known.tolerance.oracle_energy(&energies), known.from));
        }
    }
    rows
}

fn comparisons(runs: &Runs<'_>, figure5: &[Figure5Row], known: &[Known]) -> Vec<Comparison> {
    let mut all = Vec::new();
    let mut compare = |what: String, got: f64, expected: f64, why| {
        all.push(Comparison { what, got, expected, difference: got - expected, why });
    };
    let crops_of_16 = runs.of(WeightSet::Fixed16, false);
    let none = crops_of_16[0];
    let energies = runs.energies(WeightSet::Fixed16);
    for (run, printed) in crops_of_16.into_iter().zip(TABLE_I) {
        let opposite = matches!(printed.cut, "1100" | "0011");
        compare(
            format!("Table I, relative energy, crop {}", printed.cut),
            run.energy_pj / none.energy_pj,
            printed.relative_energy,
            if opposite {
                "opposite edges share no corner and cut more; the paper prints one value for all crops of two cuts \
                 and footnotes this one"
            } else {
                "all dynamic energy is counted, the transfers between tiles too; the printed value is that of the \
                 computed MACs"
            },
        );
    }
    // What follows from Table II by arithmetic, crops of each size in Table I's first place.
    let macs = [1.0, 0.8611, 0.7427, 0.6243, 0.5263];
    let conversions = [1.0, 0.8623, 0.7448, 0.6272, 0.5298];
    let first_of_size = |cuts: usize| {
        crops_of_16.into_iter().find(|run| run.job.edges.count() == cuts).expect("there are crops of every size")
    };
    for (cuts, expected) in macs.into_iter().enumerate() {
        let got = first_of_size(cuts).macs as f64 / none.macs as f64;
        compare(
            format!("computed MACs by number of cuts, {cuts}"),
            got,
            expected,
            "the same arithmetic, counted in simulation",
        );
    }
    for (cuts, expected) in conversions.into_iter().enumerate() {
        let got = first_of_size(cuts).adc_conversions as f64 / none.adc_conversions as f64;
        compare(
            format!("ADC conversions by number of cuts, {cuts}"),
            got,
            expected,
            "row blocks are not always full: above the MACs",
        );
    }
    let eight = runs.find(|job| job.activation_bits == 8);
    compare(
        "ADC energy of the convolutions with 8-bit activations".to_owned(),
        eight.convolution_conversions as f64 / none.convolution_conversions as f64,
        0.5,
        "half the iterations (section III)",
    );
    for (weights, expected) in [(WeightSet::Fixed12, 0.75), (WeightSet::Varied, 0.7974)] {
        let got = runs.of(weights, false)[0].adc_conversions as f64 / none.adc_conversions as f64;
        let why = "columns of a weight: 6 for 11 or 12 bits, 7 for 13, 8 for 16; classifiers of the varied set have 16";
        compare(format!("ADC conversions, weights {}", weights.name()), got, expected, why);
    }
    let why_known = |from: &str| {
        if from == FROM_TRACE {
            "of the images of the trace"
        } else {
            "reconstructed: \"approximately\" and \"over\" in the text are taken at their word"
        }
    };
    for (known, stated) in
        known.iter().filter(|known| known.weights == WeightSet::Fixed16).zip([published::TOP_1, published::TOP_5])
    {
        let (top, shares) = (known.top.name(), known.tolerance.shares);
        compare(
            format!("Figure 4, {top}, share that needs the original"),
            shares[0],
            stated.original,
            why_known(known.from),
        );
        compare(
            format!("Figure 4, {top}, share that tolerates 4 cuts (a lower bound)"),
            shares[4],
            stated.four_cuts,
            why_known(known.from),
        );
        let saving = 1.0 - known.tolerance.oracle_energy(&energies);
        compare(format!("Figures 3 and 5, {top}, saving"), saving, 1.0 - stated.mean_energy, why_known(known.from));
    }
    let saving = |weights: &str, top: Top| {
        let row = figure5.iter().find(|row| row.weights == weights && row.top == top.name() && row.policy == "oracle");
        row.expect("Figure 5 has all weight sets")
    };
    for weights in ["varied", "12"] {
        for (top, expected) in Top::ALL.into_iter().zip([0.335, 0.42]) {
            compare(
                format!("Figure 5, {}, saving with weights {weights}", top.name()),
                saving(weights, top).saving,
                expected,
                "\"nearly identical, even with differently quantized weight sets\"; classifiers are never cropped, and \
                 weigh more where they keep 16 bits (varied)",
            );
        }
    }
    let four_cuts = 1.0 - means_by_size(&energies)[4];
    compare(
        "section II, \"up to 46 % energy savings depending on input\"".to_owned(),
        four_cuts,
        0.46,
        "the saving of an image that tolerates four cuts; Table I has 47.4 %",
    );
    compare(
        "section V, \"up to 41.8 %\"".to_owned(),
        saving("16", Top::Five).saving,
        0.418,
        "the abstract and section IV print 42.0 % for the same thing",
    );
    all
}

fn to_csv<Row: Serialize>(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("a flat row has a place in a table");
    }
    let bytes = writer.into_inner().expect("memory takes all that is written");
    String::from_utf8(bytes).expect("rows are made from texts")
}

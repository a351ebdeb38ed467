//! Files of `aquasim paper`, from the runs that it makes.

use std::sync::OnceLock;

use aqua::{Comparison, Figure5Row, Job, Measured, NO_PREDICTIONS, Paper, Trace, WeightSet};
use network::Network;

use super::close;

fn vgg16() -> Network {
    network::load("vgg16").expect("a preset")
}

fn sets(texts: &[&str]) -> Vec<WeightSet> {
    WeightSet::list(&texts.iter().map(ToString::to_string).collect::<Vec<_>>(), &vgg16()).expect("good sets")
}

/// The paper's weight sets.
pub(crate) fn of_paper() -> Vec<WeightSet> {
    sets(&WeightSet::OF_PAPER)
}

/// The runs of the study, made once.
pub(crate) fn runs() -> &'static [Measured] {
    static RUNS: OnceLock<Vec<Measured>> = OnceLock::new();
    RUNS.get_or_init(|| runs_of(&of_paper()))
}

fn runs_of(sets: &[WeightSet]) -> Vec<Measured> {
    let (arch, network) = (arch::load("isaac-ce").expect("a preset"), vgg16());
    // What is checked here does not depend on how long the pipeline has been running.
    let mut jobs: Vec<Job> = Job::all(sets).into_iter().map(|job| Job { settled: false, ..job }).collect();
    let half = jobs.split_off(jobs.len() / 2);
    let run = |jobs: Vec<Job>| -> Vec<Measured> {
        jobs.into_iter().map(|job| job.run(&arch, &network).expect("the paper's machine runs it")).collect()
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| run(jobs));
        let second = run(half);
        first.join().expect("runs do not panic").into_iter().chain(second).collect()
    })
}

fn paper() -> Paper {
    Paper::new(runs(), &of_paper(), 100.0, None).expect("what the text states can be met")
}

#[test]
fn table_1_has_the_printed_energies() {
    let paper = paper();
    for row in &paper.table1 {
        let opposite = ["1100", "0011"].contains(&row.cut.as_str());
        // The paper prints the mean of a group of equally many cuts, and footnotes its opposite edges.
        let expected = if opposite { 0.7223 } else { row.printed_relative_energy };
        close(row.relative_energy, expected, 0.006, &row.cut);
    }
}

#[test]
fn computed_macs_and_conversions_are_those_of_each_crop_size() {
    let macs = [1.0, 0.8611, 0.7427, 0.6243, 0.5263];
    let conversions = [1.0, 0.8623, 0.7448, 0.6272, 0.5298];
    for row in paper().table1 {
        let opposite = ["1100", "0011"].contains(&row.cut.as_str());
        close(row.relative_macs, if opposite { 0.7223 } else { macs[row.cuts] }, 0.0005, &row.cut);
        if !opposite {
            close(row.relative_conversions, conversions[row.cuts], 0.0001, &row.cut);
        }
    }
}

#[test]
fn eight_bit_activations_halve_the_conversions_of_convolutions() {
    let none = &runs()[0];
    let eight = runs().iter().find(|run| run.job.activation_bits == Some(8)).expect("the study has it");
    assert_eq!(2 * eight.convolution_conversions, none.convolution_conversions);
}

#[test]
fn weight_sets_take_fewer_conversions() {
    let none = |weights| runs().iter().find(|run| run.job.weights.name() == weights && run.job.edges.count() == 0);
    let conversions = |weights| none(weights).expect("the study has it").adc_conversions as f64;
    let baseline = conversions("16");
    close(conversions("12") / baseline, 0.75, 0.0001, "12 bits");
    close(conversions("varied") / baseline, 0.7974, 0.0001, "varied");
}

/// A row of Figure 5 under the oracle.
fn oracle<'a>(paper: &'a Paper, weights: &str, top: &str, population: &str) -> &'a Figure5Row {
    let wanted = ("oracle", weights, top, population);
    let row = paper.figure5.iter().find(|row| (row.policy, row.weights.as_str(), row.top, row.population) == wanted);
    row.expect("Figure 5 has all weight sets")
}

#[test]
fn figure_5_has_the_printed_savings_of_right_images_and_what_they_are_over_all() {
    let paper = paper();
    let saving = |weights, top, population| {
        oracle(&paper, weights, top, population).saving.expect("crossbars hold fixed-point weights")
    };
    close(saving("16", "top-1", "right"), 0.335, 1e-6, "top-1");
    close(saving("16", "top-5", "right"), 0.420, 1e-6, "top-5");
    close(saving("16", "top-1", "all"), 0.218, 0.0005, "top-1 over all images");
    close(saving("16", "top-5", "all"), 0.361, 0.0005, "top-5 over all images");
    // "Activation cropping energy savings are nearly identical, even with differently quantized weight sets."
    for weights in ["varied", "12"] {
        close(saving(weights, "top-1", "right"), 0.335, 0.02, weights);
        close(saving(weights, "top-5", "right"), 0.420, 0.02, weights);
    }
    // "Up to 46 %": weights and crops together.
    let both = oracle(&paper, "varied", "top-1", "right").relative_energy.expect("crossbars hold them");
    close(1.0 - both, 0.455, 0.001, "varied weights and crops");
}

#[test]
fn figure_3_draws_the_oracle_where_the_paper_s_rule_allows() {
    for (top, bound) in [("top-1", 0.302), ("top-5", 0.403)] {
        let paper = paper();
        let oracles = paper.figure3.iter().filter(|row| row.policy == "oracle" && row.top == top);
        let energies: Vec<(&str, f64)> = oracles.map(|row| (row.energy_population, row.relative_energy)).collect();
        let [("right", right), ("all", all)] = energies[..] else { panic!("both populations: {energies:?}") };
        assert!(1.0 - all < bound && bound < 1.0 - right, "{top}: {energies:?}");
    }
}

#[test]
fn the_crops_of_the_oracle_are_what_the_figures_follow_from() {
    let paper = paper();
    let energies: Vec<f64> = paper.table1.iter().map(|row| row.relative_energy).collect();
    for top in ["top-1", "top-5"] {
        let rows: Vec<_> = paper.oracle.iter().filter(|row| (row.weights.as_str(), row.top) == ("16", top)).collect();
        close(rows.iter().map(|row| row.share).sum(), 1.0, 1e-12, top);
        let right: f64 = rows.iter().zip(&energies).map(|(row, energy)| row.share * energy).sum();
        let accuracy = rows[0].accuracy;
        for (population, energy) in [("right", right), ("all", accuracy * right + 1.0 - accuracy)] {
            let expected = oracle(&paper, "16", top, population).relative_energy.expect("crossbars hold them");
            close(energy, expected, 1e-12, population);
        }
    }
}

#[test]
fn figures_without_a_trace_are_marked_as_reconstructed() {
    let paper = paper();
    assert!(paper.figure4.iter().all(|row| row.tolerance_from == "reconstructed"));
    let files = paper.files();
    let text = |name: &str| &files.iter().find(|file| file.name == name).expect("the paper has it").text;
    for name in ["figure3.svg", "figure4.svg", "figure5.svg", "paper.md"] {
        assert!(text(name).contains("reconstructed"), "{name}");
    }
}

#[test]
fn every_expected_number_is_met_and_says_what_it_rests_on() {
    let paper = paper();
    for comparison in &paper.comparisons {
        assert!(comparison.met, "{comparison:?}");
        assert!(!comparison.why.is_empty() && !comparison.expected_from.is_empty());
    }
    // Without images only what is known of any image is simulated.
    let of_images = |comparison: &&Comparison| !comparison.population.is_empty();
    assert!(paper.comparisons.iter().filter(of_images).all(|comparison| comparison.evidence == "reconstructed"));
    assert!(paper.comparisons.iter().filter(|c| !of_images(c)).all(|comparison| comparison.evidence == "simulated"));
}

#[test]
fn paper_md_leads_with_what_was_found_and_tells_evidence_from_arithmetic() {
    let files = paper().files();
    let text = &files.iter().find(|file| file.name == "paper.md").expect("the paper has it").text;
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            "# AQuA's tables and figures, simulated",
            "## Evidence: simulated",
            "## Evidence: simulated energies, and what images tolerate",
            "## Arithmetic on published numbers",
            "## How much of the saved work becomes throughput",
        ]
    );
    let (summary, _) = text.split_once("\n## ").expect("sections follow");
    for number in ["33.5 % (top-1)", "42.0 % (top-5)", "21.8 %", "36.1 %", "30.2 %", "40.3 %", "45.6 %"] {
        assert!(summary.contains(number), "{number} in {summary}");
    }
    assert!(summary.contains("(reconstructed)") && summary.lines().count() < 15, "{summary}");
}

#[test]
fn replicas_balanced_for_a_crop_read_no_longer_and_captured_shares_are_shares() {
    // As if every run kept the pace of what an image needs longest.
    let settled: Vec<Measured> =
        (runs().iter()).map(|run| Measured { cycles_per_image: Some(run.bottleneck.cycles), ..run.clone() }).collect();
    let paper = Paper::new(&settled, &of_paper(), 100.0, None).expect("what the text states can be met");
    let known = |figure: Option<f64>| figure.expect("it is settled");
    for pair in paper.throughput.chunks(2) {
        let [before, after] = pair else { panic!("a row before and one after") };
        assert!(!before.rebalanced && after.rebalanced);
        assert!(after.crossbar_cycles <= before.crossbar_cycles, "crop {}", before.cut);
        assert!(before.bottleneck_cycles >= before.crossbar_cycles as f64);
        let captured = known(before.speed_up) / before.work_reduction;
        close(known(before.captured_share), captured, 1e-12, &before.cut);
    }
    close(known(paper.throughput[0].captured_share), 1.0, 0.0, "no crop");
}

#[test]
fn throughput_that_has_not_settled_is_not_stated() {
    let paper = paper();
    assert!(paper.throughput.iter().all(|row| (row.cycles_per_image, row.captured_share) == (None, None)));
    assert!(paper.table1.iter().all(|row| row.images_per_second.is_none()));
    let files = paper.files();
    let text = |name: &str| &files.iter().find(|file| file.name == name).expect("the paper has it").text;
    assert_eq!(text("paper.md").matches("not settled").count(), 3 * paper.throughput.len());
    assert!(!text("throughput.svg").contains("NaN"));
}

#[test]
fn a_trace_takes_the_place_of_the_reconstruction() {
    let trace = Trace::parse(super::trace::TEN_IMAGES, "ten.csv", &[]).expect("a good trace");
    let paper = Paper::new(runs(), &of_paper(), 100.0, Some(&trace)).expect("the rest can be reconstructed");
    let energies: Vec<f64> = paper.table1.iter().map(|row| row.relative_energy).collect();
    let all = oracle(&paper, "16", "top-1", "all");
    assert_eq!(all.tolerance_from, "trace");
    let files = paper.files();
    let figure5 = &files.iter().find(|file| file.name == "figure5.svg").expect("the paper has it").text;
    let labels = ["weights 16 (reconstructed)", "weights varied (reconstructed)", "weights 12 (reconstructed)"];
    assert_eq!(labels.map(|label| figure5.contains(label)), [false, true, true]);
    // By hand, see trace.rs: of eight right images two uncropped, one with right, one with any of left and top, one
    // with top and bottom, one with any of two of three cuts, two with all. Two images are wrong, and uncropped.
    let right = 2.0
        + energies[1]
        + f64::midpoint(energies[2], energies[4])
        + energies[9]
        + f64::midpoint(energies[11], energies[13])
        + 2.0 * energies[15];
    close(all.relative_energy.expect("crossbars hold them"), (2.0 + right) / 10.0, 1e-12, "all images");
    let of_right = oracle(&paper, "16", "top-1", "right").relative_energy;
    close(of_right.expect("crossbars hold them"), right / 8.0, 1e-12, "right images");
}

/// A study of sets that are not the paper's: 8 bits, and a plan file that states them everywhere.
fn own_sets() -> Vec<WeightSet> {
    let file = format!("{}/eights.toml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, "weights = 8\n").expect("a writable folder");
    sets(&["8", &file, "16"])
}

#[test]
fn a_set_has_the_same_figures_in_every_study_and_from_every_source() {
    let whole = own_sets();
    let runs = runs_of(&whole);
    // The ten images once more with the other sets.
    let (header, rows) = super::trace::TEN_IMAGES.split_once('\n').expect("a header");
    let of = |set: &str| rows.replace(",16,", &format!(",{set},"));
    let text = format!("{header}\n{rows}{}{}", of("8"), of("eights"));
    let trace = Trace::parse(&text, "ten.csv", &whole).expect("a good trace");
    let figure5 = |sets: &[WeightSet], trace: Option<&Trace>| {
        Paper::new(&runs, sets, 100.0, trace).expect("the rest can be reconstructed").figure5
    };
    let rows = |figure5: &[Figure5Row], set: &str| -> Vec<String> {
        let rows = figure5.iter().filter(|row| row.weights == set);
        rows.map(|row| format!("{row:?}").replace("eights", "8")).collect()
    };
    let all = figure5(&whole, Some(&trace));
    let names: Vec<&str> = all.chunks(6).map(|rows| rows[0].weights.as_str()).collect();
    assert_eq!(names, ["8", "eights", "16"], "in the order of the list");
    assert_eq!(rows(&all, "8"), rows(&all, "eights"));
    // Alone, a set comes after the baseline, and nothing else changes.
    let alone = sets(&["8"]);
    let wanted = Job::all(&alone);
    assert!(wanted.iter().all(|job| Job::all(&whole).contains(job)) && wanted.len() == 16 + 1 + 15 + 16);
    let of_alone = figure5(&alone, Some(&trace));
    assert_eq!((of_alone[0].weights.as_str(), of_alone.len()), ("16", 12));
    assert_eq!(rows(&of_alone, "8"), rows(&all, "8"));
    // Half of the columns of crossbars, and of the conversions; the rest is shared.
    let energy = of_alone[6].relative_energy.expect("crossbars hold them");
    assert!(0.5 < energy && energy < 0.6, "{energy}");

    // Without predictions there is nothing to crop by: no number, and a mark in its place.
    for (sets, trace) in [(&whole, None), (&alone, Some(Trace::parse(super::trace::TEN_IMAGES, "ten.csv", &[])))] {
        let trace = trace.map(|trace| trace.expect("a good trace"));
        let paper = Paper::new(&runs, sets, 100.0, trace.as_ref()).expect("the rest can be reconstructed");
        let (bare, by_aqua): (Vec<_>, Vec<_>) =
            paper.figure5.iter().filter(|row| row.weights == "8").partition(|row| row.policy == "none");
        assert!(bare.iter().all(|row| row.relative_energy == Some(energy) && row.note.is_empty()));
        assert_eq!(by_aqua.len(), 4);
        for row in by_aqua {
            assert_eq!((row.relative_energy, row.saving, row.tolerance_from), (None, None, ""));
            assert_eq!(row.note, NO_PREDICTIONS);
        }
        assert!(
            paper.figure4.iter().all(|row| row.weights == "16") && paper.oracle.iter().all(|row| row.weights == "16")
        );
        assert!(oracle(&paper, "16", "top-1", "right").relative_energy.is_some());
        let files = paper.files();
        let text = |name: &str| &files.iter().find(|file| file.name == name).expect("the paper has it").text;
        assert!(text("figure5.csv").contains("8,oracle,top-1,right,,,,no predictions\n"));
        assert!(text("figure5.svg").contains("8 (no\u{a0}predictions)"));
        assert!(text("figure4.svg").contains("weights 8: no predictions"));
        assert!(
            text("paper.md").contains("- **Weights 8** take")
                && text("paper.md").contains("without a crop; no predictions.")
        );
    }
}

#[test]
fn a_plan_file_keeps_its_activations_and_regions_under_every_crop() {
    let file = format!("{}/regions.toml", env!("CARGO_TARGET_TMPDIR"));
    let text = "activations = 8\n[[layers]]\nname = \"conv1_1\"\nregions = [{ top = 0, left = 0, height = 112, width = 224, bits = 0 }]\n";
    std::fs::write(&file, text).expect("a writable folder");
    let plan = network::Plan::parse(text, "regions.toml", &vgg16()).expect("a good plan");
    let (arch, network) = (arch::load("isaac-ce").expect("a preset"), vgg16());
    let jobs = Job::all(&sets(&[&file]));
    for edges in [network::Edges::NONE, network::Edges::all()[15]] {
        let mut jobs = jobs.iter().filter(|job| job.weights.name() == "regions" && job.edges == edges);
        let run = jobs.next().expect("every crop has a job").clone().run(&arch, &network).expect("the machine runs it");
        let cropped = plan.clone().crop(&network, edges).expect("VGG16 states its crops");
        assert_eq!(run.macs, cropped.macs(&network), "{edges}");
        assert!(run.macs < 15_470_264_320);
    }
}

#[test]
fn a_set_that_is_none_or_given_twice_is_refused_with_what_is_known() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    std::fs::write(format!("{folder}/12.toml"), "weights = 8\n").expect("a writable folder");
    for (texts, message, remedy) in [
        (vec!["16", "vared"], "there is no weight set or file called vared", "did you mean varied?"),
        (vec!["sixteen"], "there is no weight set or file called sixteen", "number of bits, varied, float"),
        (vec!["33"], "weights of all layers cannot have \"33\" bits", "from 1 to 32"),
        (vec!["8", "08"], "the weight set 8 is given twice", "remove one"),
        (vec!["no.toml"], "no.toml cannot be read", "give the path"),
        (vec![&format!("{folder}/12.toml")], "would have the name 12", "rename the file"),
    ] {
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        let faults = WeightSet::list(&texts, &vgg16()).expect_err(message);
        let fault = faults.iter().next().expect("a refusal has a fault");
        assert!(fault.message().contains(message) && fault.remedy().contains(remedy), "{faults}");
    }
}

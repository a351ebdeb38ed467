//! ISAAC's evaluation: what follows from Table I, and what is simulated.

use aqua::isaac::{Design, Evaluation, NetworkRow, NetworkRun, Replicas, Study, Verdict};
use arch::Arch;
use insta::assert_snapshot;
use network::Network;

use super::close;

fn isaac() -> Arch {
    arch::load("isaac-ce").expect("a preset")
}

fn preset(name: &str) -> Network {
    network::load(name).expect("a preset")
}

/// ISAAC's mapping of `network` on 16 chips of ISAAC-CE.
fn balanced(network: &Network) -> NetworkRun<'_> {
    let (chips, replicas) = (16, Replicas::Balanced);
    NetworkRun { design: Design::ISAAC_CE, chips, network, bits: 16, replicas, most_images: 8 }
}

fn text(evaluation: &Evaluation, name: &str) -> String {
    let files = evaluation.files();
    files.into_iter().find(|file| file.name == name).expect("the evaluation has it").text
}

#[test]
fn statements_choices_and_designs_that_need_no_network() {
    let evaluation = Evaluation::new(&isaac(), &[]).expect("all designs are sound");
    assert_snapshot!(text(&evaluation, "isaac.md"));
}

#[test]
fn rankings_of_section_8_are_contradicted_and_the_figures_of_table_1_hold() {
    let statements = Evaluation::new(&isaac(), &[]).expect("all designs are sound").statements;
    let of = |wanted: Verdict| statements.iter().filter(move |statement| statement.verdict == wanted);
    // 1,707 GOPS/mm2 of a crossbar; 9-bit ADCs (CE, PE); the optimum (all designs, those of 128 rows); DACs and cells with
    // the ADCs that they need; the gain of the encoding.
    assert_eq!(of(Verdict::Contradicted).count(), 8, "{statements:?}");
    assert!(of(Verdict::Contradicted).all(|statement| statement.from.starts_with('V')));
    let tables = statements.iter().filter(|statement| statement.from.starts_with("Table") && statement.got.is_some());
    assert_eq!(tables.clone().count(), 9);
    assert!(tables.clone().all(|statement| statement.verdict == Verdict::Holds));
    for statement in tables {
        let got = statement.got.expect("it has been filtered");
        close(got, statement.expected, 0.011 * statement.expected, statement.what);
    }
}

#[test]
fn a_balanced_network_runs_at_the_pace_of_its_crossbars_without_contention() {
    let (base, network) = (isaac(), preset("vgg-a"));
    let narrow = balanced(&network).run(&base).expect("it runs");
    let wide = NetworkRun { bits: 32, ..balanced(&network) }.run(&base).expect("it runs");
    // 196 windows of 16 reads; 32 bits take 32 reads of twice the crossbars.
    assert_eq!(narrow.uncontended_cycles_per_image, Some(3136.0));
    assert_eq!(wide.uncontended_cycles_per_image, Some(6272.0));
    close(wide.crossbars.expect("it fits") as f64 / narrow.crossbars.expect("it fits") as f64, 2.0, 0.01, "crossbars");
    for run in [&narrow, &wide] {
        assert_eq!(run.crossbar_cycles, run.uncontended_cycles_per_image);
        let bound = run.bound_cycles.expect("it fits");
        assert!(run.cycles_per_image.is_none_or(|cycles| cycles >= 0.995 * bound), "{run:?}");
        assert_eq!(run.note.is_empty(), run.cycles_per_image.is_some());
    }
    // A network leaves crossbars idle that are all busy at the peak.
    let peak = Design::ISAAC_CE.peak(&base).expect("it is sound");
    assert!(narrow.gops_per_mm2.is_some_and(|of| of < peak.gops_per_mm2), "{narrow:?}");
    assert!(narrow.gops_per_watt.is_some_and(|of| of < peak.gops_per_watt), "{narrow:?}");
}

#[test]
fn a_network_that_does_not_fit_has_the_reason_for_a_note() {
    let (base, network) = (isaac(), preset("vgg-a"));
    let run =
        NetworkRun { chips: 1, replicas: Replicas::Filled, ..balanced(&network) }.run(&base).expect("a row of its own");
    assert!(run.note.contains("crossbars"), "{}", run.note);
    assert_eq!((run.crossbars, run.latency_cycles, run.gops), (None, None, None));
}

#[test]
fn tables_have_a_row_for_each_network_board_choice_and_design() {
    let base = isaac();
    let networks = [preset("vgg-a"), preset("vgg-b")];
    let study = Study { networks: &networks, chips: &[8, 16], most_images: 8 };
    let runs = study.runs();
    // Runs with no figures stand in for those of the jobs.
    let rows: Vec<NetworkRow> = runs
        .iter()
        .map(|run| NetworkRow {
            design: run.design.to_string(),
            network: run.network.name.clone(),
            bits: run.bits,
            chips: run.chips,
            filled: run.replicas == Replicas::Filled,
            ..NetworkRow::default()
        })
        .collect();
    let evaluation = Evaluation::new(&base, &rows).expect("all designs are sound");
    // Each network balanced, and filling two boards; the first one at 32 bits.
    assert_eq!(evaluation.networks.len(), 2 * 3 + 1);
    assert!(evaluation.choices.iter().all(|row| row.network == "VGG-A"));
    let simulated = evaluation.designs.iter().filter(|row| !row.network.is_empty()).count();
    assert!(simulated > Design::near_isaac_ce().len() && simulated < evaluation.designs.len());
    for (name, rows) in [
        ("statements.csv", evaluation.statements.len()),
        ("networks.csv", evaluation.networks.len()),
        ("choices.csv", evaluation.choices.len()),
        ("designs.csv", evaluation.designs.len()),
    ] {
        assert_eq!(text(&evaluation, name).lines().count(), 1 + rows, "{name}");
    }
    let json: serde_json::Value = serde_json::from_str(&text(&evaluation, "isaac.json")).expect("it is JSON");
    assert_eq!(json["designs"].as_array().map(Vec::len), Some(evaluation.designs.len()));
}

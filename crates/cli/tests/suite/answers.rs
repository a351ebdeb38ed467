//! Answers to pictures: `infer`, `tolerance` and `predict` from files to numbers, on examples/digits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Ran, aquasim, folder, names, succeeds};

fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/digits")
}

/// A folder with the network, its weights, and the first `count` test pictures with their labels.
pub(crate) fn case(count: usize) -> TempDir {
    let place = folder();
    let to = |name: &str| place.path().join(name);
    for name in ["network.toml", "weights.safetensors"] {
        fs::copy(digits().join(name), to(name)).unwrap();
    }
    fs::create_dir(to("test")).unwrap();
    for index in 0..count {
        let name = format!("test/{index:03}.png");
        fs::copy(digits().join(&name), to(&name)).unwrap();
    }
    let labels = fs::read_to_string(digits().join("test/labels.csv")).unwrap();
    let labels: Vec<&str> = labels.lines().take(1 + count).collect();
    fs::write(to("labels.csv"), labels.join("\n") + "\n").unwrap();
    place
}

/// Pictures, without weights.
const PICTURES: [&str; 6] = ["--network", "network.toml", "--images", "test", "--labels", "labels.csv"];
const WEIGHTS: [&str; 2] = ["--weights-file", "weights.safetensors"];

pub(crate) fn arguments<'a>(command: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&[command][..], &PICTURES, &WEIGHTS, options].concat()
}

/// The table that `infer --csv -` prints: a row of named values for each picture.
fn answers(place: &Path, options: &[&str]) -> Vec<Vec<(String, String)>> {
    let text = succeeds(place, &arguments("infer", &[options, &["--csv", "-"]].concat()));
    let mut lines = text.lines();
    let header: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    lines
        .map(|line| {
            // Names of crops are quoted, since they hold commas.
            let mut values = vec![String::new()];
            let mut quoted = false;
            for letter in line.chars() {
                match letter {
                    '"' => quoted = !quoted,
                    ',' if !quoted => values.push(String::new()),
                    _ => values.last_mut().unwrap().push(letter),
                }
            }
            header.iter().cloned().zip(values).collect()
        })
        .collect()
}

fn value<'a>(row: &'a [(String, String)], name: &str) -> &'a str {
    &row.iter().find(|(column, _)| column == name).unwrap_or_else(|| panic!("no column {name}")).1
}

fn number(row: &[(String, String)], name: &str) -> f64 {
    value(row, name).parse().unwrap()
}

fn json(place: &Path, options: &[&str]) -> Value {
    let options = [&["run", "--network", "network.toml"], options, &["--json", "-"]].concat();
    serde_json::from_str(&succeeds(place, &options)).unwrap()
}

#[test]
fn help_says_what_each_command_on_pictures_takes() {
    let place = folder();
    for command in ["infer", "tolerance", "predict"] {
        assert_snapshot!(format!("help_{command}"), succeeds(place.path(), &[command, "-h"]));
    }
}

#[test]
fn answers_cost_what_a_run_of_the_same_plan_costs() {
    let place = case(4);
    for options in [&[][..], &["--crop", "top,left"], &["--activations", "8"], &["--weights", "12"]] {
        let run = json(place.path(), options);
        for row in answers(place.path(), options) {
            assert_eq!(number(&row, "energy_pj"), run["energy_pj"]["dynamic_total"].as_f64().unwrap(), "{options:?}");
            assert_eq!(number(&row, "latency_ns"), run["time_ns"].as_f64().unwrap(), "{options:?}");
            assert_eq!((number(&row, "predictor_pj"), number(&row, "predictor_ns")), (0.0, 0.0));
        }
    }
}

#[test]
fn answers_are_listed_and_summed_up() {
    let place = case(6);
    let printed = succeeds(place.path(), &arguments("infer", &["--top", "2", "--bit-serial"]));
    for text in [
        "pictures     6, 1 plan\n",
        "\nright        100.0 % at top-1, 100.0 % at top-5\n",
        "computed by  every conversion of every column\n",
        "clipped      0 conversions\n",
    ] {
        assert!(printed.contains(text), "{text:?} is not in\n{printed}");
    }
    let labels = fs::read_to_string(place.path().join("labels.csv")).unwrap();
    let rows = answers(place.path(), &["--top", "10"]);
    for (row, label) in rows.iter().zip(labels.lines().skip(1)) {
        assert_eq!(format!("{},{}", value(row, "image"), value(row, "label")), label);
        let mut classes: Vec<&str> = value(row, "classes").split(' ').collect();
        assert_eq!(classes[0], value(row, "label"));
        classes.sort_unstable();
        assert_eq!(classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }
    // The integer product gives the same table, to the last digit of each probability.
    let table = |text: &str| text.split("\n\n").nth(1).unwrap().to_owned();
    assert_eq!(table(&printed), table(&succeeds(place.path(), &arguments("infer", &["--top", "2"]))));
}

#[test]
fn imperfect_cells_are_drawn_from_the_seed_and_cost_nothing() {
    let place = case(3);
    // Sums on worn cells are larger than calibration in floating point can know, and a warning says so.
    let run = |options: &[&str]| {
        let Ran { code, stdout, stderr } =
            aquasim(place.path(), &arguments("infer", &[&["--top", "3"], options].concat()));
        let warns = stderr.starts_with("warning: activations saturate in ") && stderr.lines().count() == 1;
        assert!(code == 0 && (stderr.is_empty() || warns), "{stderr}");
        stdout
    };
    let worn = ["--programming-error", "0.1", "--read-noise", "0.5", "--stuck-off", "0.01", "--on-off-ratio", "1000"];
    let (perfect, first) = (run(&[]), run(&worn));
    assert!(first.contains("computed by  every conversion of every column, on imperfect cells\n"), "{first}");
    assert_eq!(first, run(&worn));
    let other = run(&[&worn[..], &["--seed", "1"]].concat());
    let table = |text: &str| text.split("\n\n").nth(1).unwrap().to_owned();
    let classes = |text: &str| table(text).lines().map(|line| line[..60].to_owned()).collect::<Vec<_>>();
    assert!(classes(&first) != classes(&perfect) && classes(&first) != classes(&other));
    let energy = |text: &str| text.lines().find(|line| line.starts_with("energy")).unwrap().to_owned();
    assert_eq!(energy(&first), energy(&perfect));
    let Ran { code, stderr, .. } =
        aquasim(place.path(), &arguments("infer", &["--stuck-off", "0.6", "--stuck-on", "0.6"]));
    assert_eq!(code, 2);
    assert!(stderr.contains("0.6 and 0.6 of all cells cannot be stuck"), "{stderr}");
}

#[test]
fn bit_exact_answers_have_no_more_than_16_bits() {
    let place = case(1);
    for option in ["--weights", "--activations"] {
        let refused = aquasim(place.path(), &arguments("infer", &[option, "17"]));
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("17 bits for a fixed-point format: must be 2 to 16"), "{}", refused.stderr);
    }
}

#[test]
fn every_policy_gives_each_picture_the_plan_that_a_run_can_take() {
    let place = case(3);
    let whole = answers(place.path(), &["--policy", "none"]);
    for options in [
        &["--policy", "predicted"][..],
        &["--policy", "predicted", "--precisions", "16,0"],
        &["--policy", "predicted", "--precisions", "16,8,4,0", "--measure", "gradient", "--threshold", "0.1"],
        &["--policy", "oracle"],
    ] {
        let rows = answers(place.path(), &[options, &["--plans", "plans"]].concat());
        for (row, whole) in rows.iter().zip(&whole) {
            let name = value(row, "image");
            assert!(number(row, "energy_pj") < number(whole, "energy_pj"), "{options:?} {name}");
            // The plan that was written costs the same.
            let run = json(place.path(), &["--plan", &format!("plans/{name}.toml")]);
            assert_eq!(number(row, "energy_pj"), run["energy_pj"]["dynamic_total"].as_f64().unwrap());
            // A run that chooses by itself chooses alike, and says what choosing costs.
            let image = format!("test/{name}");
            let mut chosen = [options, &["--image", &image]].concat();
            if options.contains(&"oracle") {
                chosen.extend(["--label", value(row, "label"), "--weights-file", "weights.safetensors"]);
            }
            let run = json(place.path(), &chosen);
            assert_eq!(number(row, "energy_pj"), run["energy_pj"]["dynamic_total"].as_f64().unwrap());
            if options.contains(&"oracle") {
                assert!(run.get("predictor").is_none());
            } else {
                assert_eq!(number(row, "predictor_pj"), run["predictor"]["energy_pj"].as_f64().unwrap());
                assert_eq!(number(row, "predictor_ns"), run["predictor"]["latency_ns"].as_f64().unwrap());
                // At the least, 48 x 48 values of 16 bits are read from eDRAM.
                assert!(number(row, "predictor_pj") > 48.0 * 48.0 * 16.0 * 0.2527);
                assert!(number(row, "predictor_ns") > 48.0 * 48.0 * 16.0 / 81.92);
            }
        }
    }
    // `predict` needs no weights, and writes the same plans as `infer`.
    let options = ["--policy", "predicted", "--precisions", "16,0", "--plans", "plans"];
    succeeds(place.path(), &arguments("infer", &options));
    let images = ["predict", "--network", "network.toml", "--images", "test"];
    let printed = succeeds(place.path(), &[&images[..], &["--precisions", "16,0", "--plans", "predicted"]].concat());
    assert!(printed.starts_with("picture,computed,predictor_pj,predictor_ns\n000.png,0."), "{printed}");
    for name in names(&place.path().join("predicted")) {
        let read = |folder: &str| fs::read_to_string(place.path().join(folder).join(&name)).unwrap();
        assert_eq!(read("plans"), read("predicted"), "{name}");
    }
}

#[test]
fn policies_without_a_picture_or_beside_a_crop_are_refused() {
    let place = case(1);
    let mut said = String::new();
    for options in [
        &["run", "--policy", "predicted"][..],
        &["run", "--policy", "oracle", "--image", "test/000.png"],
        &["stalls", "--policy", "predicted", "--image", "test/000.png", "--crop", "top"],
        &["map", "--policy", "none", "--image", "test/000.png"],
        &[
            "run",
            "--policy",
            "oracle",
            "--image",
            "test/000.png",
            "--label",
            "10",
            "--weights-file",
            "weights.safetensors",
        ],
        &["predict", "--images", "test", "--crop", "left"],
        &["predict", "--images", "test", "--precisions", "8,16"],
    ] {
        let Ran { code, stdout, stderr } = aquasim(place.path(), &[options, &["--network", "network.toml"]].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        said += &format!("$ aquasim {}\n{stderr}\n", options.join(" "));
    }
    for command in ["infer", "tolerance"] {
        let options: &[&str] = if command == "infer" { &["--policy", "oracle"] } else { &["--out", "trace.csv"] };
        let Ran { code, stderr, .. } =
            aquasim(place.path(), &arguments(command, &[options, &["--crop", "top"]].concat()));
        assert_eq!(code, 2, "{stderr}");
        said += &format!("$ aquasim {command} {} --crop top\n{stderr}\n", options.join(" "));
    }
    fs::write(place.path().join("sweep.toml"), "policy = [\"none\", \"predicted\"]\n").unwrap();
    let Ran { code, stderr, .. } = aquasim(place.path(), &["sweep", "sweep.toml"]);
    fs::remove_file(place.path().join("sweep.toml")).unwrap();
    assert_eq!(code, 2, "{stderr}");
    said += &format!("$ aquasim sweep sweep.toml\n{stderr}\n");
    assert_snapshot!(said);
    assert_eq!(names(place.path()), ["labels.csv", "network.toml", "test", "weights.safetensors"]);
}

/// Replaces bytes of a file by as many others.
fn patch(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("the bytes are there");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    fs::write(path, bytes).unwrap();
}

/// Writes a NaN into the first weight of a tensor of a safetensors file.
fn spoil(path: &Path, tensor: &str) {
    let mut bytes = fs::read(path).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    let first = 8 + size + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[first..first + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn wrong_weights_pictures_and_labels_are_named_before_any_work() {
    let mut said = String::new();
    let mut refused = |what: &str, spoiling: &dyn Fn(&Path)| {
        let place = case(3);
        spoiling(place.path());
        for (command, options) in [("infer", &["--csv", "out.csv"][..]), ("tolerance", &["--out", "trace.csv"])] {
            let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments(command, options));
            assert_eq!((code, stdout.as_str()), (2, ""), "{what}: {stderr}");
            if command == "infer" {
                said += &format!("# {what}\n{stderr}\n");
            }
            assert_eq!(names(place.path()), ["labels.csv", "network.toml", "test", "weights.safetensors"]);
        }
    };
    let weights = |place: &Path| place.join("weights.safetensors");
    refused("a missing tensor", &|place| patch(&weights(place), "classifier.1.bias", "classifier.1.bass"));
    refused("a misnamed layer", &|place| patch(&weights(place), "features.0.weight", "feature0.0.weight"));
    refused("a misshapen tensor", &|place| patch(&weights(place), "[8,1,3,3]", "[8,3,3,1]"));
    refused("a NaN", &|place| spoil(&weights(place), "features.5.weight"));
    refused("half a file", &|place| {
        let bytes = fs::read(weights(place)).unwrap();
        fs::write(weights(place), &bytes[..bytes.len() / 2]).unwrap();
    });
    refused("two unusable pictures", &|place| {
        fs::write(place.join("test/000.png"), "no picture").unwrap();
        let bytes = fs::read(place.join("test/001.png")).unwrap();
        fs::write(place.join("test/001.png"), &bytes[..bytes.len() / 2]).unwrap();
    });
    refused("pictures of another size", &|place| {
        let network = fs::read_to_string(place.join("network.toml")).unwrap();
        let larger = network.replace("height = 48, width = 48", "height = 56, width = 56");
        fs::write(place.join("network.toml"), larger).unwrap();
    });
    refused("a picture without a label", &|place| {
        fs::write(place.join("labels.csv"), "image,label\n000.png,1\n").unwrap();
    });
    refused("a class that is none", &|place| fs::write(place.join("labels.csv"), "image,label\n000.png,10\n").unwrap());
    assert_snapshot!(said);
}

#[test]
fn one_bad_picture_in_a_thousand_is_reported_and_left_out_on_request_only() {
    let place = case(1);
    let picture = place.path().join("test/000.png");
    let mut labels = String::from("image,label\n");
    for index in 0..1000 {
        let name = format!("{index:03}.png");
        if index > 0 {
            fs::copy(&picture, place.path().join("test").join(&name)).unwrap();
        }
        labels += &format!("{name},0\n");
    }
    fs::write(place.path().join("labels.csv"), labels).unwrap();
    fs::write(place.path().join("test/500.png"), "no picture").unwrap();
    let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", &[]));
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("test/500.png cannot be read") && stderr.matches("error:").count() == 1, "{stderr}");
    let Ran { code, stdout, stderr } = aquasim(place.path(), &arguments("infer", &["--skip-bad-images"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.starts_with("skipped: test/500.png cannot be read") && stderr.lines().count() == 1, "{stderr}");
    assert!(stdout.starts_with("pictures     999, 1 skipped, 1 plan\n"), "{stdout}");
}

const TRACE: [&str; 8] = ["--weight-sets", "16", "12", "float", "--out", "trace.csv", "--figures", "figures"];

#[test]
fn a_trace_that_is_killed_again_and_again_ends_as_if_it_had_not_been() {
    let (whole, killed) = (case(30), case(30));
    let summary = succeeds(whole.path(), &arguments("tolerance", &TRACE));
    let trace = fs::read_to_string(whole.path().join("trace.csv")).unwrap();
    assert_eq!(trace.lines().count(), 1 + 3 * 30);
    let part = killed.path().join("trace.csv.part");
    let done = || fs::read_to_string(&part).map_or(0, |text| text.lines().count());
    let mut kills = 0;
    let said = loop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_aquasim"))
            .args(arguments("tolerance", &TRACE))
            .current_dir(killed.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (before, begun) = (done(), Instant::now());
        while done() < before + 5 && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_mins(1), "no progress");
            sleep(Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_some() {
            break String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // No trace is there before it is complete. A row that a kill cut in two is done again.
        assert!(!killed.path().join("trace.csv").exists() || !part.exists());
        if let Ok(text) = fs::read_to_string(&part)
            && kills % 2 == 1
        {
            fs::write(&part, &text[..text.len() - 3]).unwrap();
        }
    };
    assert!(kills >= 3, "{kills} kills");
    // What was done before the last kill was not done again.
    assert!(said.contains(" pictures with weights 16 were done before\n"), "{said}");
    assert_eq!(fs::read_to_string(killed.path().join("trace.csv")).unwrap(), trace);
    assert!(!part.exists());
    for name in names(&whole.path().join("figures")) {
        let read = |place: &TempDir| fs::read_to_string(place.path().join("figures").join(&name)).unwrap();
        assert_eq!(read(&whole), read(&killed), "{name}");
    }
    assert_eq!(names(&whole.path().join("figures")), ["figure4.csv", "figure4.svg", "figure5.csv", "figure5.svg"]);
    assert!(summary.starts_with("weights,right_at,accuracy,cuts_0") && summary.lines().count() == 7, "{summary}");
}

#[test]
fn a_trace_is_begun_anew_when_weights_or_labels_have_changed() {
    let place = case(4);
    let options = ["--out", "trace.csv"];
    succeeds(place.path(), &arguments("tolerance", &options));
    let trace = fs::read_to_string(place.path().join("trace.csv")).unwrap();
    let rows = trace.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    // As if it had been interrupted with other weights.
    fs::write(place.path().join("trace.csv.part"), format!("{}\n{rows}", "0".repeat(64))).unwrap();
    let Ran { code, stderr, .. } = aquasim(place.path(), &arguments("tolerance", &options));
    assert_eq!((code, stderr.as_str()), (0, "trace.csv.part was made from other files or options: begun anew\n"));
    assert_eq!(fs::read_to_string(place.path().join("trace.csv")).unwrap(), trace);
}

#[test]
fn a_trace_says_of_each_crop_what_infer_says_and_the_paper_takes_it() {
    let place = case(8);
    succeeds(place.path(), &arguments("tolerance", &["--out", "trace.csv"]));
    let trace = fs::read_to_string(place.path().join("trace.csv")).unwrap();
    let columns: Vec<&str> = trace.lines().next().unwrap().split(',').collect();
    for (crop, column) in [("none", "top1_0000"), ("top,bottom,left,right", "top1_1111"), ("bottom", "top1_0100")] {
        let index = columns.iter().position(|name| *name == column).unwrap();
        for (row, line) in answers(place.path(), &["--crop", crop]).iter().zip(trace.lines().skip(1)) {
            let right = value(row, "classes") == value(row, "label");
            assert_eq!(line.split(',').nth(index), Some(if right { "1" } else { "0" }), "{crop}, {line}");
        }
    }
    aqua::Trace::parse(&trace, "trace.csv", &[]).expect("the paper's figures take it");
}

#[test]
fn floating_point_says_what_the_reference_says_and_has_no_energy() {
    let place = case(6);
    let options = ["--weight-sets", "float", "--out", "trace.csv", "--figures", "figures"];
    let summary = succeeds(place.path(), &arguments("tolerance", &options));
    for line in summary.lines().skip(1) {
        assert!(line.starts_with("float,top-") && line.ends_with(",,,,not representable on this machine"), "{line}");
    }
    let path = |name: &str| place.path().join(name);
    let network = network::load(path("network.toml").to_str().unwrap()).unwrap();
    let weights = dataset::load_weights(&path("weights.safetensors"), &network).unwrap().weights;
    let labels = dataset::Labels::load(&path("labels.csv"), 10).unwrap();
    let trace = fs::read_to_string(path("trace.csv")).unwrap();
    for (picture, line) in dataset::pictures(&path("test"), &network).unwrap().iter().zip(trace.lines().skip(1)) {
        let input = dataset::normalise(picture.load(&network).unwrap(), &network.preprocessing);
        let cells: Vec<&str> = line.split(',').collect();
        for (crop, edges) in network::Edges::all().into_iter().enumerate() {
            let plan = network::Plan::uniform(&network, 16, 16).crop(&network, edges).unwrap();
            let one = std::num::NonZeroUsize::MIN;
            let scores = numeric::reference::run(&network, &weights, &plan, input.view(), one).unwrap().output;
            let label = scores[labels.of(&picture.name).unwrap()];
            // Of equal scores the first counts: none are equal here.
            let better = scores.iter().filter(|score| **score > label).count();
            let right = [better < 1, better < 5].map(|right| if right { "1" } else { "0" });
            assert_eq!([cells[2 + crop], cells[18 + crop]], right, "{edges}, {line}");
        }
    }
    let figure5 = fs::read_to_string(path("figures/figure5.csv")).unwrap();
    assert!(figure5.lines().skip(1).all(|line| line.ends_with(",,,not representable on this machine")), "{figure5}");
}

#[test]
fn shipped_traces_and_figures_are_of_the_shipped_pictures() {
    let read = |name: &str| fs::read_to_string(digits().join(name)).unwrap();
    let trace = read("trace.csv");
    aqua::Trace::parse(&trace, "trace.csv", &[]).expect("the paper's figures take it");
    assert_eq!(trace.lines().count(), 1 + 3 * 400);
    // Share of right answers without a crop, in the trace and in both figures.
    let right = trace.lines().filter(|line| line.contains(".png,16,1,")).count() as f64 / 400.0;
    assert!(read("figure3.csv").contains(&format!("\"fixed crops\",\"none\",1.00000,{right:.5}\n")));
    assert!(read("figure4.csv").contains(&format!("\n16,top-1,{right:.4},0,")));
    for figure in ["figure3.svg", "figure4.svg", "figure5.svg"] {
        assert!(read(figure).starts_with("<svg"), "{figure}");
    }
}

#[test]
fn the_docs_state_the_numbers_of_the_shipped_figures() {
    let page = fs::read_to_string(digits().join("../../docs/digits.md")).unwrap();
    let read = |name: &str| fs::read_to_string(digits().join(name)).unwrap();
    for (row, curve, setting) in [
        ("| oracle of the 16 crops |", "oracle of 16 crops", "least that stays right"),
        ("| four edges |", "fixed crops", "top,bottom,left,right"),
        ("| predicted, 16 crops (combined, threshold 0.01) |", "predicted, 16 crops", "0.01"),
        (
            "| predicted, rectangles 16/0 (entropy, threshold 0.2, margin 1/8) |",
            "predicted, rectangles of 16/0 bits",
            "0.2",
        ),
        (
            "| predicted, rectangles 16/8/4/0 (entropy, threshold 0.2, margin 1/6) |",
            "predicted, rectangles of 16/8/4/0 bits",
            "0.2",
        ),
    ] {
        let figure = read("figure3.csv");
        let start = format!("\"{curve}\",\"{setting}\",");
        let line = figure.lines().find_map(|line| line.strip_prefix(&start)).expect("the setting was judged");
        let (energy, accuracy) = line.split_once(',').unwrap();
        let number = |text: &str| text.parse::<f64>().unwrap();
        let stated = format!("{row} {:.3} | {:.1} % |", number(energy), 100.0 * number(accuracy));
        assert!(page.contains(&stated), "the page lacks {stated:?}");
    }
    let (figure4, figure5) = (read("figure4.csv"), read("figure5.csv"));
    for weights in ["16", "12", "float"] {
        for top in ["top-1", "top-5"] {
            let start = format!("{weights},{top},");
            let shares = figure4.lines().filter(|line| line.starts_with(&start));
            let shares: Vec<&str> = shares.map(|line| line.rsplit_once(',').unwrap().1).collect();
            let energy = |start: String| {
                let line = figure5.lines().find_map(|line| line.strip_prefix(&start)).expect("the set is there");
                line.split_once(',').unwrap().0.to_owned()
            };
            let energies = [
                energy(format!("{weights},none,,all,")),
                energy(format!("{weights},oracle,{top},right,")),
                energy(format!("{weights},oracle,{top},all,")),
            ];
            let note = if weights == "float" { aqua::NOT_REPRESENTABLE } else { "" };
            let stated = format!(",{},{},{note}\n", shares.join(","), energies.join(","));
            let stated = |line: &str| line.starts_with(&start) && format!("{line}\n").ends_with(&stated);
            assert!(page.lines().any(stated), "the page lacks {start} of Figures 4 and 5");
        }
    }
}

#[test]
fn an_evaluation_holds_policies_against_fixed_crops_and_names_the_best_setting() {
    let place = case(10);
    let evaluated = succeeds(place.path(), &arguments("predict", &["--evaluate", "out", "--precisions", "16,0"]));
    assert_eq!(evaluated, fs::read_to_string(place.path().join("out/figure3.csv")).unwrap());
    assert_eq!(names(&place.path().join("out")), ["figure3.csv", "figure3.svg"]);
    assert_eq!(evaluated.matches("\n\"fixed crops\",").count(), 16);
    assert_eq!(evaluated.matches("\n\"oracle of 16 crops\",").count(), 1);
    assert_eq!(evaluated.matches("\n\"predicted, rectangles of 16/0 bits\",").count(), 13);
    let best = succeeds(place.path(), &arguments("predict", &["--tune", "out", "--precisions", "16,0"]));
    assert!(best.contains("rectangles of 16/0 bits: --measure "), "{best}");
    // Measures x (thresholds of the crops, and margins x thresholds of the rectangles).
    let tried = fs::read_to_string(place.path().join("out/tuning.csv")).unwrap();
    assert_eq!(tried.lines().count(), 1 + 4 * (8 + 7 * 8));
}

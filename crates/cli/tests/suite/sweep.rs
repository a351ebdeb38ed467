//! Sweeps as processes: killed, interrupted, sharded, refused.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A few hundred points of a network that is simulated in no time.
const SWEEP: &str = r#"
network = "tiny"
arch.file = "tiny"
arch.bus.bytes_per_cycle = { from = 16, to = 64, step = 16 }
arch.board.chips = [1, 2]
weights = ["16", "12", "9"]
crop = ["none", "left", "top,bottom"]
images = [1, 3]
rebalance = [false, true]
"#;

const TABLES: [&str; 6] =
    ["points.csv", "points.parquet", "components.csv", "components.parquet", "layers.csv", "layers.parquet"];

fn aquasim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_aquasim"))
}

/// A folder with a sweep file.
struct Place(TempDir);

impl Place {
    fn new(sweep: &str) -> Place {
        let place = Place(TempDir::new().expect("a folder"));
        fs::write(place.0.path().join("sweep.toml"), sweep).expect("a writable folder");
        place
    }

    fn sweep(&self, out: &str) -> Command {
        let mut command = aquasim();
        command.current_dir(self.0.path()).args(["sweep", "sweep.toml", "--out", out]);
        command
    }

    fn merge(&self, shards: &[&str], out: &str) -> Output {
        let mut command = aquasim();
        command.current_dir(self.0.path()).arg("merge").args(shards).args(["--out", out]);
        command.output().expect("it runs")
    }

    fn tables(&self, out: &str) -> Vec<Vec<u8>> {
        TABLES.iter().map(|name| fs::read(self.path(out).join(name)).expect("a table")).collect()
    }

    fn path(&self, out: &str) -> std::path::PathBuf {
        self.0.path().join(out)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).expect("a text")
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

/// Lines of the journal: the header and a record for each finished point.
fn lines(journal: &Path) -> usize {
    fs::read_to_string(journal).map_or(0, |text| text.matches('\n').count())
}

/// A number for each call, not the same in the next run, spread evenly over 0 to `below`.
fn random(seed: &mut u64, below: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed % below
}

#[test]
fn two_hundred_kills_lose_nothing_and_double_nothing() {
    // Two dozen points, so that a run takes some tens of milliseconds.
    let place = Place::new(
        "network = \"tiny\"\narch.file = \"tiny\"\ncrop = [\"none\", \"left\"]\nimages = { from = 1, to = 12 }",
    );
    let begun = Instant::now();
    run(&mut place.sweep("undisturbed"));
    let whole = begun.elapsed();
    let mut seed = std::process::id().into();
    let (mut kills, mut rounds) = (0, 0);
    while kills < 200 {
        // Killed at any time that an undisturbed run takes, until one gets through.
        let out = format!("killed-{rounds}");
        rounds += 1;
        loop {
            let mut child = place.sweep(&out).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
            thread::sleep(Duration::from_micros(random(&mut seed, 1 + whole.as_micros() as u64)));
            if let Some(status) = child.try_wait().expect("a child of ours") {
                assert!(status.success());
                break;
            }
            child.kill().expect("a child of ours");
            child.wait().expect("a child of ours");
            kills += 1;
        }
        assert!(place.tables(&out) == place.tables("undisturbed"), "round {rounds} differs");
        assert_eq!(
            lines(&place.path(&out).join("journal")),
            lines(&place.path("undisturbed/journal")),
            "a point was repeated"
        );
    }
}

#[test]
fn a_journal_cut_off_anywhere_goes_on_from_its_last_whole_record() {
    let place = Place::new("network = \"tiny\"\narch.file = \"tiny\"\nimages = { from = 1, to = 6 }");
    run(&mut place.sweep("undisturbed"));
    let journal = fs::read(place.path("undisturbed/journal")).expect("a journal");
    let mut seed = std::process::id().into();
    for round in 0..20 {
        let out = format!("cut-{round}");
        fs::create_dir(place.path(&out)).expect("a writable folder");
        let mut left = journal[..random(&mut seed, journal.len() as u64) as usize].to_vec();
        // A power cut may leave pages of zeros behind what was written.
        if round % 2 == 1 {
            left.resize(left.len() + 100, 0);
        }
        fs::write(place.path(&out).join("journal"), &left).expect("a writable folder");
        run(&mut place.sweep(&out));
        assert!(place.tables(&out) == place.tables("undisturbed"), "cut off after {} bytes", left.len());
        assert_eq!(lines(&place.path(&out).join("journal")), 7);
    }
}

#[test]
fn rows_are_in_the_order_of_the_grid_whatever_the_threads() {
    let place = Place::new(SWEEP);
    run(place.sweep("one").args(["--threads", "1"]));
    run(place.sweep("three").args(["--threads", "3"]));
    assert!(place.tables("one") == place.tables("three"));
    let points = place.text("one/points.csv");
    let numbers: Vec<&str> = points.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let expected: Vec<String> = (0..288).map(|point| point.to_string()).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn equal_points_are_simulated_once_and_have_a_row_each() {
    let place = Place::new(
        "network = \"tiny\"\narch.file = \"tiny\"\nrebalance = [false, true]\nimages = [2, 2]\n\
         crop = [\"none\", \"left,top\", \"top, left\"]\nweights = [16, \"16\"]",
    );
    run(&mut place.sweep("out"));
    // No crop, and one crop balanced in two ways.
    assert_eq!(lines(&place.path("out/journal")), 1 + 3);
    assert_eq!(place.text("out/points.csv").lines().count(), 1 + 24);
}

#[test]
fn shards_merge_to_what_one_run_gives() {
    let place = Place::new(SWEEP);
    run(&mut place.sweep("whole"));
    for shard in 1..=3 {
        run(place.sweep(&format!("part-{shard}")).args(["--shard", &format!("{shard}/3")]));
    }
    let merged = place.merge(&["part-3", "part-1", "part-2"], "merged");
    assert!(merged.status.success(), "{}", stderr(&merged));
    assert!(place.tables("merged") == place.tables("whole"));
    // The merged folder is that of the sweep: nothing is left to do in it.
    let again = run(&mut place.sweep("merged"));
    assert!(stderr(&again).starts_with("0 points"), "{}", stderr(&again));
}

#[test]
fn bad_shards_are_reported_all_at_once() {
    let place = Place::new(SWEEP);
    run(place.sweep("part-1").args(["--shard", "1/3"]));
    run(place.sweep("again").args(["--shard", "1/3"]));
    let mut child = place.sweep("part-3").args(["--shard", "3/3"]).stderr(Stdio::null()).spawn().expect("it starts");
    while lines(&place.path("part-3/journal")) < 2 {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    let journal = place.path("part-3/journal");
    let text = fs::read_to_string(&journal).expect("a text");
    let two: Vec<&str> = text.lines().take(2).collect();
    fs::write(&journal, two.join("\n") + "\n").expect("a writable folder");

    let output = place.merge(&["part-1", "again", "part-3", "nowhere"], "merged");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for part in [
        "nowhere holds no shard",
        "part-1 and again are both shard 1/3",
        "shard 2/3 is missing",
        "part-3 is not finished: 1 of",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(!place.path("merged").exists());
    let output = place.sweep("part-1").args(["--shard", "4/3"]).output().expect("it runs");
    assert!(stderr(&output).contains("there is no shard 4/3"), "{}", stderr(&output));
}

#[test]
fn failing_points_are_recorded_and_the_others_go_on() {
    let place = Place::new("network = [\"tiny\", \"vgg16\"]\narch.file = \"tiny\"\nimages = [1, 2]");
    let output = place.sweep("out").output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("2 points failed; the rows say why. The first: "), "{}", stderr(&output));
    let points = place.text("out/points.csv");
    let status: Vec<bool> = points.lines().skip(1).map(|line| line.contains(",done,")).collect();
    assert_eq!(status, [true, true, false, false]);
    assert_eq!(points.matches("tiny has").count(), 2, "{points}");
    // Once more: nothing is repeated, and the exit code stays.
    assert_eq!(place.sweep("out").output().expect("it runs").status.code(), Some(1));
}

/// A sweep that takes a while, at work.
fn at_work(place: &Place) -> Child {
    let child = place.sweep("out").stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let begun = Instant::now();
    while lines(&place.path("out/journal")) < 3 {
        assert!(begun.elapsed() < Duration::from_mins(1), "it has not begun");
        thread::sleep(Duration::from_millis(1));
    }
    child
}

const LONG: &str = "network = \"tiny\"\narch.file = \"tiny\"\nimages = { from = 1, to = 400 }";

#[test]
fn a_second_sweep_on_the_same_folder_is_refused() {
    let place = Place::new(LONG);
    let mut first = at_work(&place);
    let second = place.sweep("out").output().expect("it runs");
    first.kill().expect("a child of ours");
    first.wait().expect("a child of ours");
    assert_eq!(second.status.code(), Some(2));
    assert!(stderr(&second).contains("another aquasim is at work in out"), "{}", stderr(&second));
}

#[test]
fn another_sweep_in_the_same_folder_is_refused() {
    let place = Place::new(SWEEP);
    run(place.sweep("out").args(["--shard", "1/40"]));
    let output = place.sweep("out").args(["--shard", "2/40"]).output().expect("it runs");
    assert!(stderr(&output).contains("out holds shard 1/40 of this sweep, not 2/40"), "{}", stderr(&output));
    fs::write(place.path("sweep.toml"), SWEEP.replace("[1, 3]", "[1, 4]")).expect("a writable folder");
    let output = place.sweep("out").args(["--shard", "1/40"]).output().expect("it runs");
    assert!(stderr(&output).contains("out holds another sweep"), "{}", stderr(&output));
}

#[test]
fn an_interrupted_sweep_finishes_the_points_in_hand_and_goes_on() {
    let place = Place::new(LONG);
    let mut child = at_work(&place);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    let status = child.wait().expect("a child of ours");
    let said: Vec<String> =
        BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok).collect();
    assert_eq!(status.code(), Some(130), "{said:?}");
    assert!(said.iter().any(|line| line.contains("the same command goes on from there")), "{said:?}");
    let before = lines(&place.path("out/journal"));
    assert!(before < 401, "it was not stopped");
    let output = run(&mut place.sweep("out"));
    assert!(stderr(&output).starts_with(&format!("{} points in", 401 - before)), "{}", stderr(&output));
}

#[test]
fn rows_say_the_tool_the_hashes_and_the_whole_point() {
    let place = Place::new("network = \"tiny\"\narch.file = \"tiny\"\narch.adc.rate_gsps = 0.64\ncrop = [\"left\"]");
    run(&mut place.sweep("out"));
    for name in ["points", "components", "layers"] {
        let table = place.text(&format!("out/{name}.csv"));
        let mut lines = table.lines();
        let header = lines.next().expect("a header");
        let start = "point,tool_version,arch.file,arch.file_hash,arch.adc.rate_gsps,network,network_hash,\
                     crop,weights,activations,rebalance,images,";
        for key in start.split(',').filter(|key| !key.is_empty()) {
            assert!(header.split(',').any(|column| column == key), "{key} in {header}");
        }
        assert!(lines.all(|line| line.contains(env!("CARGO_PKG_VERSION")) && line.contains(",left,")));
    }
}

#[test]
fn images_and_ranges_that_no_run_can_have_are_refused_at_once_with_their_place() {
    let cases = [
        ("20000", "images must be a whole number from 1 to 10000, or \"auto\", not 20000"),
        ("[1, 0]", "images[1] must be a whole number from 1 to 10000, or \"auto\", not 0"),
        ("{ from = 1, to = 10001 }", "images must be a whole number from 1 to 10000, or \"auto\", not 10001"),
        ("4294967296", "images must be a whole number from 1 to 10000, or \"auto\", not 4294967296"),
        ("{ from = 1, to = 5, step = 0 }", "the range images has a step of 0"),
        ("{ from = 1, to = 5, step = -1 }", "the range images leads away from 5"),
        ("{ from = 5, to = 1 }", "the range images leads away from 1"),
        ("{ from = 1, to = 5_000_000_000 }", "the range images has more than 100000 values"),
        ("{ from = 1, to = inf }", "the range images is not finite"),
    ];
    for (images, message) in cases {
        let place = Place::new(&format!("network = \"tiny\"\narch.file = \"tiny\"\nimages = {images}\n"));
        let output = place.sweep("out").output().expect("it runs");
        let said = stderr(&output);
        assert!(output.status.code() == Some(2) && said.contains(message), "{images}: {said}");
        assert!(said.contains("sweep.toml:3:"), "{images}: {said}");
        assert!(!place.path("out").exists(), "{images}");
    }
    let wide = "network = \"tiny\"\narch.file = \"tiny\"\narch.cycle_ns = { from = 1, to = 90000 }\n\
                arch.bus.bytes_per_cycle = { from = 1, to = 90000 }\n";
    let output = Place::new(wide).sweep("out").output().expect("it runs");
    let said = stderr(&output);
    assert!(said.contains("more than a billion points") && said.contains("sweep.toml:3:"), "{said}");
}

#[test]
fn bad_sweep_files_are_reported_all_at_once_before_anything_runs() {
    let place = Place::new(
        "arch.adc.bitz = [6, 7]\narch.adc.bits = [6, \"seven\"]\ncorp = \"left\"\nimages = [0, 1]\n\
         crop = [\"lefft\"]\nnetwork = \"vgg61\"\nrebalance = 1\nweights = \"16,16\"\nzip = [\"images\", \"arch.adc.bits\", \"plan\"]\n\
         arch.tile.imas = { from = 12, to = 4 }\n",
    );
    let output = place.sweep("out").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for part in [
        "unknown key adc.bitz",
        "did you mean bits?",
        "sweep.toml:1:18",
        "adc.bits must be a whole number",
        "sweep.toml:2:21",
        "unknown key corp",
        "did you mean crop?",
        "images[0] must be a whole number from 1 to 10000",
        "a map has no edge \"lefft\"",
        "there is no preset or file called vgg61",
        "rebalance must be true or false",
        "the sweep has no key \"plan\"",
        "the range arch.tile.imas leads away from 4",
    ] {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(!place.path("out").exists());
}

#[test]
fn rows_warn_as_a_run_does_and_say_whether_they_are_settled() {
    let place = Place::new("network = \"tiny\"\narch.file = \"tiny\"\narch.adc.bits = [5, 6]\nimages = [2, \"auto\"]");
    let output = run(&mut place.sweep("out"));
    let warning = "adc.bits = 5 cannot hold a 32-row sum of 2-bit cells (needs 7, or 6 with flipped encoding)";
    let said = format!("warning: 2 points with warnings; their column says which. The first: {warning}");
    assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    let mut points = csv::Reader::from_path(place.path("out/points.csv")).expect("a table");
    let header = points.headers().expect("a header").clone();
    let columns = ["warnings", "images_run", "settled", "cycles_per_image"]
        .map(|name| header.iter().position(|column| column == name).expect("a column"));
    let rows =
        points.records().map(|row| columns.map(|column| row.as_ref().expect("a row")[column].to_owned()).join("|"));
    let expected = [warning, ""].map(|warning| [format!("{warning}|2|false|"), format!("{warning}|8|true|256.0")]);
    assert_eq!(rows.collect::<Vec<_>>(), expected.concat());
}

#[test]
fn a_sweep_fills_the_board_as_a_run_does() {
    let place = Place::new(
        "network = \"tiny\"\narch.file = \"tiny\"\narch.board.chips = 4\n\
         balance = [\"last-layer\", \"board\", \"2-chips\", \"128-cycles\", \"1-cycles\"]",
    );
    let output = place.sweep("out").output().expect("it runs");
    let mut points = csv::Reader::from_path(place.path("out/points.csv")).expect("a table");
    let header = points.headers().expect("a header").clone();
    let columns = ["balance", "digest", "cycles", "crossbars_mapped", "bound_cycles"]
        .map(|name| header.iter().position(|column| column == name).expect("a column"));
    let records: Vec<_> = points.records().map(|row| row.expect("a row")).collect();
    let mut digests = Vec::new();
    for row in records.iter().map(|row| columns.map(|column| &row[column])).take(4) {
        let [balance, digest, cycles, mapped, bound] = row;
        let options = ["run", "--network", "tiny", "--arch", "tiny", "--set", "board.chips=4", "--fill", balance];
        let ran = aquasim().args(options).args(["--json", "-"]).output().expect("it runs");
        let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("a report");
        assert_eq!(report["digest"], digest, "{balance}");
        assert_eq!(report["cycles"].to_string(), cycles, "{balance}");
        assert_eq!(report["crossbars"]["mapped"].to_string(), mapped, "{balance}");
        assert_eq!(report["bound"]["cycles"].to_string(), bound, "{balance}");
        digests.push(digest.to_owned());
    }
    // What fills two chips runs at 128 cycles, and both other aims lead to other mappings.
    assert_eq!(digests[2], digests[3]);
    digests.dedup();
    assert_eq!(digests.len(), 3);
    // An aim that the board does not reach is a point without figures, with a remedy.
    assert_eq!(&records[4][columns[1]], "");
    let said = "tiny needs at least 64 cycles per image on tiny, and 1 are wanted; give more cycles, or add chips";
    assert!(stderr(&output).contains(said), "{}", stderr(&output));
}

#[test]
fn an_aim_for_replicas_that_is_none_is_refused_at_its_place() {
    let place = Place::new("network = \"tiny\"\narch.file = \"tiny\"\nbalance = [\"board\", \"many\", \"0-chips\"]");
    let output = place.sweep("out").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let remedy = "give board, a number of chips (8-chips), a number of cycles per image (784-cycles), or last-layer";
    for part in
        ["\"many\" is no aim for replicas", "sweep.toml:3:21", "\"0-chips\" is no aim", "sweep.toml:3:29", remedy]
    {
        assert!(said.contains(part), "{part} in:\n{said}");
    }
    assert!(!place.path("out").exists());
}

#[test]
fn isaac_ce_stands_in_the_shipped_design_space() {
    let place = Place::new("");
    let sweep = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sweeps/isaac-design-space.toml");
    let output = aquasim().args(["sweep", sweep, "--out"]).arg(place.path("out")).output().expect("it runs");
    let points = place.text("out/points.csv");
    let mut lines = points.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let wanted =
        [("arch.crossbar.rows", "128"), ("arch.adc.count", "8"), ("arch.ima.crossbars", "8"), ("arch.tile.imas", "12")];
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let ce: Vec<&Vec<&str>> =
        rows.iter().filter(|row| wanted.iter().all(|(name, value)| row[column(name)] == *value)).collect();
    assert_eq!(ce.len(), 1, "{}", stderr(&output));
    let figure = |name: &str| ce[0][column(name)].parse::<f64>().expect("a number");
    assert!((figure("peak_gops_per_watt") - 627.5).abs() < 0.5, "{}", figure("peak_gops_per_watt"));
    assert!((figure("peak_gops_per_mm2") - 483.5).abs() < 0.5, "{}", figure("peak_gops_per_mm2"));
}

#[test]
fn the_other_shipped_sweeps_are_good_files() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sweeps")).expect("shipped sweeps") {
        let path = entry.expect("an entry").path();
        // The smallest part of a large number: the file is read whole, and next to nothing is simulated.
        let place = Place::new("");
        let mut command = aquasim();
        command.arg("sweep").arg(&path).arg("--out").arg(place.path("out")).args(["--shard", "1/100000"]);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}: {}", path.display(), stderr(&output));
    }
}

#[test]
fn files_ranges_and_zipped_keys_are_combined_in_the_order_of_the_file() {
    let place = Place::new(
        "network = \"tiny\"\nplan = [\"plans/a.toml\", \"plans/b.toml\"]\nimages = { from = 1, to = 3, step = 2 }\n\
         arch.file = [\"tiny\", \"my.toml\"]\narch.bus.bytes_per_cycle = [64, 96]\n\
         zip = [\"plan\", \"arch.bus.bytes_per_cycle\"]",
    );
    let shown = run(aquasim().args(["arch", "show", "tiny"]));
    let machine = String::from_utf8(shown.stdout).expect("TOML").replace("name = \"tiny\"", "name = \"mine\"");
    fs::write(place.path("my.toml"), machine).expect("a writable folder");
    fs::create_dir(place.path("plans")).expect("a writable folder");
    for (name, bits) in [("a", 16), ("b", 8)] {
        let plan = format!("[[layers]]\nname = \"conv1\"\nactivations = {bits}\n");
        fs::write(place.path(&format!("plans/{name}.toml")), plan).expect("a writable folder");
    }
    run(&mut place.sweep("out"));
    let points = place.text("out/points.csv");
    let mut rows = points.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let place_of = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let wanted = ["plan", "arch.bus.bytes_per_cycle", "images", "arch.file", "arch_name"].map(place_of);
    let rows: Vec<String> = rows.map(|row| wanted.map(|column| row[column]).join(" ")).collect();
    let mut expected = Vec::new();
    for zipped in ["plans/a.toml 64", "plans/b.toml 96"] {
        for images in [1, 3] {
            for arch in ["tiny tiny", "my.toml mine"] {
                expected.push(format!("{zipped} {images} {arch}"));
            }
        }
    }
    assert_eq!(rows, expected);
}

#[test]
fn a_bad_trace_is_refused_before_the_first_simulation() {
    let place = Place::new("");
    let good = include_str!("../../../../traces/ten-images.csv");
    fs::write(place.path("trace.csv"), good.replacen("\na,16,0", "\na,17,0", 1)).expect("a writable folder");
    let mut command = aquasim();
    command.current_dir(place.0.path()).args(["paper", "--trace", "trace.csv", "--out", "paper"]);
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("there is no weight set \"17\""), "{}", stderr(&output));
    assert!(stderr(&output).contains("trace.csv:2:3"), "{}", stderr(&output));
    assert!(!place.path("paper").exists());
}

#[test]
fn a_weight_set_that_is_none_is_refused_before_the_first_simulation() {
    let place = Place::new("");
    fs::write(place.path("mine.toml"), "[[layers]]\nname = \"conv1_3\"\n").expect("a writable folder");
    for (weights, told) in [("16,vared", "did you mean varied?"), ("8,mine.toml", "mine.toml:2:8")] {
        let mut command = aquasim();
        command.current_dir(place.0.path()).args(["paper", "--weights", weights, "--out", "paper"]);
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        assert!(!place.path("paper").exists());
    }
}

//! Signals: nothing that is not complete is left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{folder, names};

/// Runs `aquasim`, sends it `signal` once `begun` says so, and returns its exit code.
fn interrupted(folder: &Path, arguments: &[&str], signal: &str, begun: impl Fn() -> bool) -> i32 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aquasim"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("aquasim can be run");
    let start = Instant::now();
    while !begun() {
        assert!(start.elapsed() < Duration::from_mins(1), "{arguments:?} does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill is there");
    assert!(sent.success());
    child.wait().expect("a child of ours").code().expect("it ends by itself")
}

#[test]
fn a_run_leaves_no_file_that_is_not_complete() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        for ending in ["pftrace", "fst", "vcd", "csv"] {
            let folder = folder();
            let trace = format!("run.{ending}");
            let arguments = ["run", "--images", "100", "--trace", &trace, "--json", "run.json", "--csv", "tables"];
            // Trace and report lie beside their places.
            let begun = || names(folder.path()).len() >= 3;
            assert_eq!(interrupted(folder.path(), &arguments, signal, begun), code, "{ending}");
            assert_eq!(names(folder.path()), ["tables"], "{signal}, {ending}");
            assert!(names(&folder.path().join("tables")).is_empty());
        }
    }
}

#[test]
fn what_a_tolerance_has_done_stays_and_nothing_else() {
    let folder = folder();
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/digits");
    let [network, weights, images, labels] = ["network.toml", "weights.safetensors", "test", "test/labels.csv"]
        .map(|name| digits.join(name).to_str().expect("UTF-8").to_owned());
    let files = ["--network", &network, "--weights-file", &weights, "--images", &images, "--labels", &labels];
    let arguments = [&["tolerance"][..], &files, &["--out", "trace.csv"]].concat();
    let begun = || fs::metadata(folder.path().join("trace.csv.part")).is_ok();
    assert_eq!(interrupted(folder.path(), &arguments, "-TERM", begun), 143);
    assert_eq!(names(folder.path()), ["trace.csv.part"]);
}

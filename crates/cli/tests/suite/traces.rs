//! `aquasim run --trace`, and what else looks on.

use std::fs;

use serde_json::Value;

use crate::{Ran, TINY, aquasim, folder, names, succeeds};

/// Arguments of a run of the small network that records to `trace`.
fn recording<'a>(trace: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run"][..], &TINY, &["--trace", trace], more].concat()
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_the_numbers_are_printed_all_the_same() {
    let folder = folder();
    let printed = succeeds(folder.path(), &[&["run"][..], &TINY].concat());
    for ending in ["pftrace", "fst", "vcd", "csv"] {
        // A device that is always full.
        let name = format!("full.{ending}");
        std::os::unix::fs::symlink("/dev/full", folder.path().join(&name)).unwrap();
        let Ran { code, stdout, stderr } = aquasim(folder.path(), &recording(&name, &[]));
        assert_eq!((code, stdout.as_str()), (1, printed.as_str()), "{name}");
        assert!(stderr.starts_with(&format!("error: {name} could not be written: No space left")), "{stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_error_names_the_file_that_is_full() {
    let folder = folder();
    for (option, name) in [("--csv", "layers.csv"), ("--plots", "stalls.svg")] {
        let path = folder.path().join(&option[2..]);
        fs::create_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/full", path.join(name)).unwrap();
        let Ran { code, stderr, .. } = aquasim(folder.path(), &[&["run"][..], &TINY, &[option, &option[2..]]].concat());
        let start = format!("error: {}/{name} could not be written: No space left", &option[2..]);
        assert!(code == 1 && stderr.starts_with(&start), "{stderr}");
    }
    for arguments in [["run", "--json"], ["run", "--html"], ["map", "--out"], ["map", "--floorplan"]] {
        let file = if arguments[1] == "--floorplan" { "full.svg" } else { "/dev/full" };
        let _ = std::os::unix::fs::symlink("/dev/full", folder.path().join("full.svg"));
        let arguments = [&arguments[..1], &TINY, &arguments[1..], &[file]].concat();
        let Ran { code, stderr, .. } = aquasim(folder.path(), &arguments);
        let start = format!("error: {file} could not be written: No space left");
        assert!(code == 1 && stderr.starts_with(&start), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_limit_that_the_header_alone_exceeds_is_refused_before_the_run() {
    let folder = folder();
    let arguments = ["run", "--trace", "run.vcd", "--trace-detail", "crossbar", "--trace-limit", "5"];
    let Ran { code, stderr, .. } = aquasim(folder.path(), &arguments);
    assert!(code == 2 && stderr.contains("the header of run.vcd alone takes 14 MB"), "{stderr}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_page_and_a_trace_of_the_same_run_are_those_of_two_runs() {
    let folder = folder();
    let page = ["--html", "run.html", "--plots", "plots"];
    succeeds(folder.path(), &recording("both.csv", &page));
    let both = ["run.html", "plots/stalls.svg"].map(|name| fs::read_to_string(folder.path().join(name)).unwrap());
    succeeds(folder.path(), &recording("alone.csv", &[]));
    succeeds(folder.path(), &[&["run"][..], &TINY, &page].concat());
    let alone = ["run.html", "plots/stalls.svg"].map(|name| fs::read_to_string(folder.path().join(name)).unwrap());
    // The page says by which command it was made.
    let command = |page: &str| page.replace(" --trace both.csv", "");
    assert!(command(&both[0]) == alone[0] && both[1] == alone[1]);
    let trace = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert!(trace("both.csv") == trace("alone.csv"));
}

#[test]
fn every_chart_of_the_page_is_a_picture_of_its_own() {
    let folder = folder();
    succeeds(folder.path(), &[&["run"][..], &TINY, &["--html", "run.html", "--plots", "plots"]].concat());
    let page = fs::read_to_string(folder.path().join("run.html")).unwrap();
    let plots = names(&folder.path().join("plots"));
    let marks = |text: &str| text.matches("class=\"mark").count();
    let drawn = plots.iter().map(|name| marks(&fs::read_to_string(folder.path().join("plots").join(name)).unwrap()));
    assert_eq!(plots.len(), page.matches("<svg").count(), "{plots:?}");
    assert_eq!(drawn.sum::<usize>(), marks(&page));
    assert!(!page.contains("http:") || !page.replace("http://www.w3.org/2000/svg", "").contains("http:"));
}

#[test]
fn a_trace_shows_only_the_cycles_units_and_layers_that_were_asked_for() {
    let folder = folder();
    let rows = |more: &[&str]| {
        let detail = if more.contains(&"--trace-detail") { &[][..] } else { &["--trace-detail", "ima"] };
        succeeds(folder.path(), &recording("run.csv", &[more, detail].concat()));
        let text = fs::read_to_string(folder.path().join("run.csv")).unwrap();
        let rows = text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        rows.collect::<Vec<_>>()
    };
    let all = rows(&[]);
    let conv2 = rows(&["--trace-layers", "conv2,fc*"]);
    assert!(conv2.len() < all.len());
    let layers = |row: &Vec<String>| ["", "conv2", "fc4", "fc5"].contains(&row[2].as_str());
    assert!(conv2.iter().all(layers) && conv2.iter().any(|row| row[2] == "fc4"));
    let tile = rows(&["--trace-units", "chip0/tile0"]);
    let of_tile =
        |row: &Vec<String>| row[1].is_empty() || !row[1].contains("/tile") || row[1].starts_with("chip0/tile0");
    assert!(tile.iter().all(of_tile) && tile.iter().any(|row| row[1] == "chip0/tile0/ima0"));
    let spans = |rows: &[Vec<String>]| {
        let number = |text: &String| text.parse::<u64>().unwrap();
        let spans = rows.iter().filter(|row| row[0] != "load");
        spans.map(|row| (number(&row[6]), number(&row[6]) + number(&row[7]))).collect::<Vec<_>>()
    };
    let some = spans(&rows(&["--trace-cycles", "100..200"]));
    assert!(some.iter().all(|&(start, end)| start >= 100 && end <= 200));
    // As many as there are of them in the whole trace.
    let shown = spans(&all).iter().filter(|&&(start, end)| start < 200 && end > 100).count();
    let instants = |spans: &[(u64, u64)]| spans.iter().filter(|(start, end)| start == end).count();
    assert_eq!(
        some.len() - instants(&some),
        shown
            - instants(&spans(&all).into_iter().filter(|&(start, _)| (101..200).contains(&start)).collect::<Vec<_>>())
    );
    let details = ["layer", "tile", "ima", "crossbar"].map(|detail| rows(&["--trace-detail", detail]).len());
    assert!(details.is_sorted() && details[0] > 0, "{details:?}");
    let iterations = rows(&["--trace-detail", "crossbar", "--fidelity", "iteration"]);
    for stage in ["read", "convert", "shift-and-add"] {
        assert!(iterations.iter().any(|row| row[0] == stage), "{stage}");
    }
}

#[test]
fn a_trace_that_grows_too_long_ends_and_says_so() {
    let folder = folder();
    let more = ["--trace-limit", "1", "--images", "60", "--trace-detail", "crossbar", "--json", "run.json"];
    let Ran { code, stderr, .. } = aquasim(folder.path(), &recording("long.pftrace", &more));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("long.pftrace ends with cycle") && stderr.contains("limit of 1 MB"), "{stderr}");
    let bytes = fs::metadata(folder.path().join("long.pftrace")).unwrap().len();
    assert!((900_000..=1_000_000).contains(&bytes), "{bytes} bytes");
    let report: Value = serde_json::from_slice(&fs::read(folder.path().join("run.json")).unwrap()).unwrap();
    assert_eq!(report["images"], 60);
}

#[test]
fn a_run_that_fails_leaves_no_trace_where_none_was() {
    let folder = folder();
    let arguments = [&["run", "--arch", "tiny", "--network", "vgg16"][..], &["--trace", "run.fst"]].concat();
    assert_eq!(aquasim(folder.path(), &arguments).code, 2, "VGG16 does not fit");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn the_log_has_spans_of_phases_and_layers_on_standard_error() {
    let folder = folder();
    let logged = |more: &[&str]| {
        let Ran { code, stdout, stderr } = aquasim(folder.path(), &[&["run"][..], &TINY, more].concat());
        assert_eq!((code, stdout), (0, succeeds(folder.path(), &[&["run"][..], &TINY].concat())));
        stderr
    };
    let phases = logged(&["-v"]);
    for phase in ["map", "simulate", "events"] {
        assert!(phases.contains(phase), "{phase} is not in {phases}");
    }
    assert!(!phases.contains("layer=conv2"), "{phases}");
    let details = logged(&["-vv"]);
    assert!(details.contains("lay out{layer=conv2}") && details.contains("wire{layer=conv2}"), "{details}");
    // None in the event loop: as many lines for three images.
    assert_eq!(logged(&["-vv"]).lines().count(), details.lines().count());
    let three = aquasim(folder.path(), &[&["run"][..], &TINY, &["-vv", "--images", "3"]].concat()).stderr;
    assert_eq!(three.lines().count(), details.lines().count());
}

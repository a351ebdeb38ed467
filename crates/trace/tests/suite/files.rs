//! Files of traces: their size, the time in them, and the names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use analysis::Scene;
use arch::Arch;
use chip::Options;
use mapper::Layout;
use network::{Network, Plan};
use tempfile::TempDir;
use trace::{Clock, Detail, FORMATS, Filter, Format, Summary};
use wellen::simple::Waveform;

fn tiny(network: &Network) -> (Arch, Layout) {
    let arch = arch::load("tiny").unwrap();
    let layout = mapper::balance(&arch, network, &Plan::uniform(network, 16, 16)).unwrap();
    (arch, layout)
}

/// Records some images on the small machine, with cycles of `cycle_ns`.
fn record(path: &Path, network: &Network, images: u32, cycle_ns: f64, limit: u64) -> Summary {
    let (arch, layout) = tiny(network);
    let shown = Arch { cycle_ns, ..arch.clone() };
    let scene = Scene::new(&shown, &layout);
    let filter = Filter::new(&scene, 0..u64::MAX, Detail::Crossbar, &[], "*");
    std::thread::scope(|scope| {
        let format = Format::of(path).unwrap();
        let (recorder, writing) = trace::start(scope, &scene, filter, (File::create(path), format), limit);
        let options = Options { images, ..Options::default() };
        let (outcome, recorder) = chip::run_probed(&arch, &layout, &options, recorder);
        outcome.unwrap();
        writing.finish(recorder).unwrap()
    })
}

fn at(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

/// Path of each signal with its changes.
fn signals(waveform: &mut Waveform) -> Vec<(String, Vec<(u64, String)>)> {
    let hierarchy = waveform.hierarchy();
    let variables: Vec<_> = hierarchy.iter_vars().map(|var| (var.full_name(hierarchy), var.signal_ref())).collect();
    waveform.load_signals(&variables.iter().map(|(_, signal)| *signal).collect::<Vec<_>>());
    let times = waveform.time_table();
    let changes = |signal: &wellen::SignalRef| {
        let signal = waveform.get_signal(*signal).unwrap();
        signal.iter_changes().map(|(at, value)| (times[at as usize], value.to_bit_string().unwrap())).collect()
    };
    variables.iter().map(|(name, signal)| (name.clone(), changes(signal))).collect()
}

#[test]
fn no_file_is_larger_than_its_limit_and_most_of_it_is_used() {
    let (folder, network) = (tempfile::tempdir().unwrap(), network::load("tiny").unwrap());
    let (arch, layout) = tiny(&network);
    let scene = Scene::new(&arch, &layout);
    for name in FORMATS.map(|format| format!("run.{}", format.ending)) {
        let path = at(&folder, &name);
        let filter = Filter::new(&scene, 0..u64::MAX, Detail::Crossbar, &[], "*");
        let smallest = trace::smallest(&scene, &filter, Format::of(&path).unwrap()).unwrap();
        let whole = record(&path, &network, 10, 100.0, u64::MAX);
        assert_eq!(whole.ended_at, None);
        let bytes = fs::metadata(&path).unwrap().len();
        for limit in [smallest, smallest + 1000, bytes / 2, bytes - 1] {
            let summary = record(&path, &network, 10, 100.0, limit);
            let size = fs::metadata(&path).unwrap().len();
            assert!(size <= limit, "{name}: {size} of {limit} bytes");
            assert!(summary.ended_at.is_some() && summary.events < whole.events, "{name}, {limit}");
            // The size of a section that is compressed is known when it is written: a file of few sections leaves more.
            let used = if path.extension() == Some("fst".as_ref()) { limit / 2 } else { limit * 4 / 5 };
            assert!(limit < bytes / 2 || size > used, "{name}: only {size} of {limit} bytes");
        }
        // How much the sections of a compressed file take is known when they are written, and each has a beginning.
        assert_eq!(record(&path, &network, 10, 100.0, 20 * bytes).ended_at, None, "{name}");
    }
}

#[test]
fn what_a_limit_leaves_of_a_trace_is_what_the_whole_one_begins_with() {
    let (folder, network) = (tempfile::tempdir().unwrap(), network::load("tiny").unwrap());
    for name in ["run.fst", "run.vcd"] {
        let path = at(&folder, name);
        record(&path, &network, 10, 100.0, u64::MAX);
        let whole = signals(&mut wellen::simple::read(&path).unwrap());
        let limit = fs::metadata(&path).unwrap().len() / 2;
        let end = (record(&path, &network, 10, 100.0, limit).ended_at.unwrap() - 1) * 100;
        let part = signals(&mut wellen::simple::read(&path).unwrap());
        assert_eq!(whole.len(), part.len());
        for ((name, whole), (same, part)) in whole.iter().zip(&part) {
            assert_eq!(name, same);
            let before: Vec<_> = whole.iter().filter(|(at, _)| *at < end).collect();
            assert_eq!(part.iter().collect::<Vec<_>>(), before, "{name}");
        }
    }
    let path = at(&folder, "run.csv");
    record(&path, &network, 10, 100.0, u64::MAX);
    let whole = fs::read_to_string(&path).unwrap();
    record(&path, &network, 10, 100.0, 100_000);
    let part = fs::read_to_string(&path).unwrap();
    assert!(whole.starts_with(&part) && part.ends_with('\n'));
}

#[test]
fn no_two_cycles_share_a_time_and_exact_times_are_exact() {
    let (folder, network) = (tempfile::tempdir().unwrap(), network::load("tiny").unwrap());
    for name in ["run.fst", "run.vcd"] {
        let path = at(&folder, name);
        let times = |cycle_ns: f64| {
            record(&path, &network, 1, cycle_ns, u64::MAX);
            let waveform = wellen::simple::read(&path).unwrap();
            let timescale = waveform.hierarchy().timescale().unwrap();
            let exponent = timescale.unit.to_exponent().unwrap();
            assert_eq!((timescale.factor, exponent), (1, Clock::new(cycle_ns).unit.exponent()), "{name}, {cycle_ns}");
            waveform.time_table().to_vec()
        };
        let cycles: Vec<u64> = times(1.0);
        assert!(cycles.len() > 200 && cycles.is_sorted_by(|a, b| a < b));
        for (cycle_ns, units) in
            [(100.0, 100), (0.4, 400), (33.3, 33_300), (0.001, 1), (0.0015, 1500), (1e6, 1_000_000)]
        {
            let exact: Vec<u64> = cycles.iter().map(|cycle| cycle * units).collect();
            assert_eq!(times(cycle_ns), exact, "{name}, {cycle_ns} ns");
        }
        let rounded = times(1.0 / 3.0);
        assert!(rounded.len() == cycles.len() && rounded.is_sorted_by(|a, b| a < b), "{name}");
    }
}

#[test]
fn a_perfetto_trace_says_in_which_unit_it_counts() {
    let (folder, network) = (tempfile::tempdir().unwrap(), network::load("tiny").unwrap());
    let path = at(&folder, "run.pftrace");
    let says = |cycle_ns: f64, text: &str| {
        record(&path, &network, 1, cycle_ns, u64::MAX);
        fs::read(&path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes())
    };
    assert!(says(0.4, "chip 0 (1 ns shown is 1 ps)") && says(0.4, "layers (1 ns shown is 1 ps)"));
    assert!(says(0.0015, "chip 0 (1 ns shown is 1 fs)"));
    assert!(says(100.0, "chip 0") && !says(100.0, "shown is"));
}

#[test]
fn names_of_layers_survive_every_format() {
    let names = ["conv 1, \"a\"/b", "卷积\u{3000}二", "x*[?] $end", "100%"];
    let layer = |name: &str| {
        format!("[[layers]]\nname = '{name}'\nkind = \"convolution\"\nkernel = 3\npadding = 1\nchannels = 8\n")
    };
    let head = "name = \"odd\"\ninput = { height = 8, width = 8, channels = 3 }\n".to_owned();
    let network = network::parse(&names.iter().fold(head, |text, name| text + &layer(name)), "odd.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["run.fst", "run.vcd"] {
        let path = at(&folder, name);
        record(&path, &network, 1, 100.0, u64::MAX);
        let waveform = wellen::simple::read(&path).unwrap();
        let hierarchy = waveform.hierarchy();
        let scopes: Vec<String> = hierarchy.iter_scopes().map(|scope| scope.name(hierarchy).to_owned()).collect();
        let all = waveform.hierarchy().iter_vars().map(|var| var.full_name(hierarchy)).collect::<Vec<_>>().join("\n");
        for wanted in ["ima0_conv%201,%20\"a\"/b", "ima0_卷积%E3%80%80二", "ima0_x*[?]%20%24end", "ima0_100%25"] {
            assert!(all.contains(&format!(".{wanted}.busy")), "{name}: {wanted} is not in {scopes:?}");
        }
    }
    let path = at(&folder, "run.csv");
    record(&path, &network, 1, 100.0, u64::MAX);
    let text = fs::read_to_string(&path).unwrap();
    for wanted in [",\"conv 1, \"\"a\"\"/b\",", ",卷积\u{3000}二,", ",x*[?] $end,", ",100%,"] {
        assert!(text.lines().any(|line| line.starts_with("operation,") && line.contains(wanted)), "{wanted}");
    }
    let path = at(&folder, "run.pftrace");
    record(&path, &network, 1, 100.0, u64::MAX);
    let bytes = fs::read(&path).unwrap();
    for name in names {
        let wanted = format!("({name})");
        assert!(bytes.windows(wanted.len()).any(|bytes| bytes == wanted.as_bytes()), "{name}");
    }
}

#[test]
fn every_format_has_an_ending_of_its_own_and_is_explained() {
    let page = include_str!("../../../../traces/README.md");
    for format in FORMATS {
        let found = Format::of(Path::new(&format!("a.b.{}", format.ending))).expect("the ending is known");
        assert_eq!(found.viewers, format.viewers);
        assert_eq!(FORMATS.iter().filter(|other| other.ending == format.ending).count(), 1);
        assert!(page.contains(&format!("`.{}`", format.ending)), ".{} is not in traces/README.md", format.ending);
    }
    assert!(Format::of(Path::new("run.trace")).is_none() && Format::of(Path::new("csv")).is_none());
}

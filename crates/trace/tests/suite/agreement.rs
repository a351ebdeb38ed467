//! Traces and reports cannot disagree: what a trace shows adds up to the run's own counts and stalls.

use std::collections::HashMap;
use std::path::Path;

use analysis::Scene;
use arch::Arch;
use chip::{Cause, Options, Outcome};
use mapper::Layout;
use network::Plan;
use trace::{Detail, Filter, Format, Summary};

fn tiny() -> (Arch, Layout) {
    let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
    let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).unwrap();
    (arch, layout)
}

fn record(path: &Path, limit: u64) -> (Outcome, Summary, Layout) {
    let (arch, layout) = tiny();
    let options = Options { images: 2, ..Options::default() };
    let scene = Scene::new(&arch, &layout);
    let filter = Filter::new(&scene, 0..u64::MAX, Detail::Ima, &[], "*");
    let file = (std::fs::File::create(path), Format::of(path).unwrap());
    let (outcome, summary) = std::thread::scope(|scope| {
        let (recorder, writing) = trace::start(scope, &scene, filter, file, limit);
        let (outcome, recorder) = chip::run_probed(&arch, &layout, &options, recorder);
        (outcome.unwrap(), writing.finish(recorder).unwrap())
    });
    assert_eq!(outcome, chip::run(&arch, &layout, &options).unwrap(), "looking on changed the run");
    (outcome, summary, layout)
}

#[test]
fn the_waits_of_a_table_add_up_to_the_stalls_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.csv");
    let (outcome, summary, layout) = record(&path, u64::MAX);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count() as u64, summary.events + 1);
    let (mut cycles, mut operations) = (HashMap::<_, u64>::new(), HashMap::<_, u64>::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let cause = match fields[0] {
            "operation" => {
                *operations.entry(fields[2]).or_default() += 1;
                "computing"
            }
            "wait" => fields[9],
            _ => continue,
        };
        *cycles.entry((fields[2], cause)).or_default() += fields[7].parse::<u64>().unwrap();
    }
    for (layer, laid) in outcome.layers.iter().zip(&layout.layers) {
        let name = laid.layer.name.as_str();
        assert_eq!(operations[name], layer.counts.ima_operations, "operations of {name}");
        for cause in Cause::ALL {
            let traced = cycles.get(&(name, cause.name())).copied().unwrap_or(0);
            assert_eq!(traced, layer.stalls[cause], "{name}, {}", cause.name());
        }
    }
}

#[test]
fn the_busy_signals_of_both_waveforms_add_up_to_the_computing_cycles_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["run.fst", "run.vcd"] {
        let path = folder.path().join(name);
        let (outcome, ..) = record(&path, u64::MAX);
        let mut waveform = wellen::simple::read(&path).unwrap();
        let sum = |waveform: &mut wellen::simple::Waveform, wanted: &str| {
            let variables = waveform.hierarchy().iter_vars();
            let variables = variables.filter(|variable| variable.name(waveform.hierarchy()) == wanted);
            let signals: Vec<_> = variables.map(wellen::Var::signal_ref).collect();
            waveform.load_signals(&signals);
            let times = waveform.time_table().to_vec();
            let high = |signal: &wellen::SignalRef| {
                let changes: Vec<_> = (waveform.get_signal(*signal).unwrap().iter_changes())
                    .map(|(at, value)| (times[at as usize], value.to_bit_string().unwrap() == "1"))
                    .collect();
                let spans = changes.windows(2).filter(|pair| pair[0].1).map(|pair| pair[1].0 - pair[0].0);
                spans.sum::<u64>()
            };
            // A cycle of this machine is 100 ns.
            signals.iter().map(high).sum::<u64>() / 100
        };
        assert_eq!(sum(&mut waveform, "busy"), outcome.stalls()[Cause::Computing], "{name}");
        let waits = Cause::ALL.into_iter().filter(|cause| cause.is_wait()).map(|cause| outcome.stalls()[cause]);
        assert_eq!(sum(&mut waveform, "waiting"), waits.sum::<u64>(), "{name}");
    }
}

#[test]
fn a_trace_ends_at_its_limit_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.pftrace");
    let (outcome, summary, _) = record(&path, 20_000);
    let ended_at = summary.ended_at.expect("it is longer than that");
    assert!(ended_at < outcome.cycles);
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!((12_000..=20_000).contains(&bytes), "{bytes} bytes, and 20,000 are allowed");
}

#[test]
fn no_buffer_holds_more_than_it_can_and_all_are_empty_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.csv");
    record(&path, u64::MAX);
    let bytes = u64::from(tiny().0.edram.bytes);
    let mut tiles: HashMap<String, HashMap<String, u64>> = HashMap::new();
    let (mut last, mut most) = (0, 0);
    for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| line.starts_with("fill,")) {
        let fields: Vec<&str> = line.split(',').collect();
        let at: u64 = fields[6].parse().unwrap();
        assert!(at >= last, "fills come in the order of time");
        last = at;
        let tile = tiles.entry(fields[1].to_owned()).or_default();
        tile.insert(fields[2].to_owned(), fields[8].parse().unwrap());
        let held = tile.values().sum::<u64>() / 8;
        assert!(held <= bytes, "{} holds {held} bytes", fields[1]);
        most = most.max(held);
    }
    assert!(most > 0 && tiles.values().flat_map(HashMap::values).all(|&bits| bits == 0), "{tiles:?}");
}

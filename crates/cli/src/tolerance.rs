//! `aquasim tolerance`: the crops that each picture tolerates.
//!
//! Each picture is answered under all 16 crops with each weight set, and the results are written as a trace that
//! `aquasim paper --trace` reads. Until all rows are known they are kept in a journal, one line per picture and weight
//! set. The journal begins with a fingerprint of all inputs, so that it is continued only by the same command on the
//! same files.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use aqua::{NOT_REPRESENTABLE, SetEnergy, SetTolerance, Top, tolerance_figures};
use clap::Args;
use document::{Fault, Faults};
use index::count;
use inference::{Classifier, Crop, Ranges};
use ndarray::ArrayView3;
use network::{Edges, Network, Plan, parse_weights};

use crate::calibration::warn_of_saturation;
use crate::changes::ChosenMachine;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::pictures::{Calibrated, Labelled, Loaded, Pictures, Weights, accelerator, processors};
use crate::progress;
use crate::selection::{Selected, Selection};

/// The weight set of 32-bit floating-point numbers.
const FLOAT: &str = "float";

/// Try all 16 crops on each picture and write which of them it tolerates
#[derive(Args)]
pub(crate) struct Tolerance {
    #[command(flatten)]
    machine: ChosenMachine,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    pictures: Pictures,
    /// Weight sets: each a number of bits for all layers, varied, or float, which is 32-bit floating point for weights
    /// and activations. Crossbars cannot hold that: it has no energy
    #[arg(long, value_name = "SET", num_args = 1.., default_values_t = ["16".to_owned()], help_heading = "Results")]
    weight_sets: Vec<String>,
    /// Trace to write. Until it is complete it is FILE.part, and the same command goes on from that
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    out: PathBuf,
    /// Write Figures 4 and 5 of these pictures, as CSV and SVG
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    figures: Option<PathBuf>,
}

impl Tolerance {
    /// Tries all crops on every picture that is not in the trace yet.
    pub(crate) fn execute(self) -> Result<(), Failure> {
        self.selection.refuse_crop("`aquasim tolerance`")?;
        let mut selected = self.selection.load(&self.machine)?;
        let sets = self.weight_sets(&selected)?;
        let loaded = self.pictures.load_labelled(&selected.network, "a trace")?;
        check_names(&loaded)?;
        if let Some(folder) = &self.figures {
            output::create_folder(folder)?;
        }
        let out = Output::create(&self.out)?;
        let calibrated = progress::during("reading weights", || self.weights.load(&selected, &loaded))?;
        let mut journal = Journal::open(&self.out, &self.fingerprint(&selected, &loaded, &calibrated.ranges)?)?;
        let (mut trace, mut tolerances) = (header(), Vec::new());
        for (set, bits) in &sets {
            let is_due = |picture: &&Labelled| !journal.has(&picture.picture.name, set);
            let due: Vec<&Labelled> = loaded.pictures.iter().filter(is_due).collect();
            let known = loaded.pictures.len() - due.len();
            if known > 0 {
                output::say(&format!("{known} pictures with weights {set} were done before"));
            }
            if let Some(bits) = bits {
                selected.plan = selected.plan.with_weights(bits);
                selected.layout = mapper::balance(&selected.arch, &selected.network, &selected.plan)?;
            }
            let crops = Crops::new(&selected, bits.is_some())?;
            if !due.is_empty() {
                let classifier = bits.is_some().then(|| calibrated.program(&selected)).transpose()?;
                let scores = crops.scores(&selected.network, &calibrated, classifier.as_ref());
                let bar = progress::bar("pictures", count(loaded.pictures.len()), count(known));
                let end = inference::in_order(
                    &due,
                    processors(),
                    |picture| {
                        let (_, input) = picture.input(&selected.network)?;
                        let label = picture.label.expect("labels were asked for");
                        let right = (0..crops.plans.len()).map(|crop| {
                            let scores = scores(crop, input.view())?;
                            Ok([1, 5].map(|top| inference::is_right(&scores, label, top)))
                        });
                        Ok::<_, Failure>(right.collect::<Result<Right, inference::Error>>()?)
                    },
                    |picture, right| {
                        bar.inc(1);
                        let written = right.and_then(|right| journal.add(&picture.picture.name, set, right));
                        written.map_or_else(ControlFlow::Break, ControlFlow::Continue)
                    },
                );
                bar.finish_and_clear();
                if let ControlFlow::Break(failure) = end {
                    return Err(failure);
                }
                if let Some(classifier) = &classifier {
                    warn_of_saturation(&selected.network, classifier, &calibrated.ranges);
                }
            }
            let rows: Vec<(&str, &Right)> =
                loaded.pictures.iter().map(|picture| journal.row(&picture.picture.name, set)).collect();
            for (name, right) in &rows {
                trace += &row(name, set, right);
            }
            tolerances.extend(tolerances_of(set, &rows, &crops, &selected.network));
        }
        out.write(&trace)?;
        journal.remove()?;
        if let Some(folder) = &self.figures {
            for file in tolerance_figures(&tolerances) {
                Output::create(&folder.join(&file.name))?.write(&file.text)?;
            }
        }
        output::print(&summary(&tolerances))
    }

    /// The weight sets. A trace has one column for the name of a set, so that a list of bits is none.
    fn weight_sets(&self, selected: &Selected) -> Result<Vec<WeightSet>, Failure> {
        let set = |set: &String| {
            if set.contains(',') {
                let remedy = "give a number of bits for all layers, varied or float";
                return Err(Fault::new(format!("{set} is no name of a weight set"), remedy).into());
            }
            let bits = (set != FLOAT).then(|| parse_weights(set, &selected.network)).transpose()?;
            Ok((set.clone(), bits))
        };
        self.weight_sets.iter().map(set).collect()
    }

    /// Fingerprint of all inputs that decide a row of the trace, except its picture's name and weight set.
    fn fingerprint(&self, selected: &Selected, loaded: &Loaded, ranges: &Ranges) -> Result<String, Failure> {
        let mut hasher = blake3::Hasher::new();
        let Selected { arch, network, plan, .. } = selected;
        let (crossbar, dac, adc) = (&arch.crossbar, &arch.dac, &arch.adc);
        hasher.update(
            format!("{} {crossbar:?} {dac:?} {adc:?} {network:?} {plan:?} {ranges:?}", env!("CARGO_PKG_VERSION"))
                .as_bytes(),
        );
        self.weights.fingerprint(&mut hasher)?;
        for Labelled { picture, label, .. } in &loaded.pictures {
            let pixels = picture.load(network)?;
            hasher.update(format!("{} {label:?}", picture.name).as_bytes());
            let bytes: Vec<u8> = pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }
}

/// Name of a weight set and its bits, `None` for floating point.
type WeightSet = (String, Option<Vec<u32>>);

/// The 16 crops with one weight set.
struct Crops {
    plans: Vec<Plan>,
    /// Crops with their costs on the machine; `None` if its crossbars cannot hold the weights.
    on_machine: Option<Vec<Crop>>,
}

/// The scores of an input's classes under one of the crops.
type Scores<'a> = Box<dyn Fn(usize, ArrayView3<f32>) -> Result<Vec<f32>, inference::Error> + Sync + 'a>;

impl Crops {
    fn new(selected: &Selected, is_held: bool) -> Result<Crops, Failure> {
        let Selected { network, plan, .. } = selected;
        let plans = Edges::all().into_iter().map(|edges| plan.clone().crop(network, edges));
        let plans = plans.collect::<Result<Vec<Plan>, Faults>>()?;
        let on_machine = is_held.then(|| inference::crops(&accelerator(selected), plan)).transpose()?;
        Ok(Crops { plans, on_machine })
    }

    /// Computes the scores with programmed crossbars, or in floating point where there are none.
    fn scores<'a>(
        &'a self,
        network: &'a Network,
        calibrated: &'a Calibrated,
        classifier: Option<&'a Classifier>,
    ) -> Scores<'a> {
        match (&self.on_machine, classifier) {
            (Some(crops), Some(classifier)) => Box::new(|crop, input| {
                let Crop { plan, cost, .. } = &crops[crop];
                Ok(classifier.classify(plan, input, cost)?.scores)
            }),
            _ => Box::new(|crop, input| calibrated.float_scores(network, &self.plans[crop], input)),
        }
    }

    /// Costs by which the oracle orders the crops: energies, or multiply-accumulates where there are none.
    fn costs(&self, network: &Network) -> Vec<f64> {
        match &self.on_machine {
            Some(crops) => inference::energies(crops),
            None => self.plans.iter().map(|plan| plan.macs(network) as f64).collect(),
        }
    }
}

/// Refuses names of pictures that a trace cannot hold.
fn check_names(loaded: &Loaded) -> Result<(), Failure> {
    let wrong = |name: &&str| name.contains([',', '"', '\n', '\r']);
    let names = loaded.pictures.iter().map(|picture| picture.picture.name.as_str()).filter(wrong);
    let fault = |name| Fault::new(format!("a trace cannot hold the name of picture {name:?}"), "rename the file");
    let faults: Vec<Fault> = names.map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(Failure::User(faults.into())) }
}

/// For each crop, true if a picture is right at top-1 and at top-5.
type Right = Vec<[bool; 2]>;

/// Rows that are done, written one by one: the state of a trace until it is complete.
struct Journal {
    path: PathBuf,
    file: File,
    /// Rows by picture and weight set.
    rows: BTreeMap<(String, String), Right>,
}

impl Journal {
    /// Opens the journal of the trace at `path` to continue it, or begins it. An unfinished row is removed, and a
    /// journal with another fingerprint is begun anew.
    fn open(path: &Path, fingerprint: &str) -> Result<Journal, Failure> {
        let mut path = path.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let cannot = |error: io::Error| {
            let remedy = "give a path in a folder that can be written to";
            Fault::new(format!("{} cannot be written: {error}", path.display()), remedy)
        };
        let head = format!("{fingerprint}\n");
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
        let text = fs::read_to_string(&path).map_err(cannot)?;
        let mut whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        if !whole.starts_with(&head) {
            if !whole.is_empty() {
                output::say(&format!("{} was made from other files or options: begun anew", path.display()));
            }
            whole = "";
        }
        file.set_len(count(whole.len())).map_err(cannot)?;
        file.seek(SeekFrom::End(0)).map_err(cannot)?;
        if whole.is_empty() {
            file.write_all(head.as_bytes()).map_err(cannot)?;
        }
        let row = |line: &str| {
            let mut values = line.split(',');
            let key = (values.next()?.to_owned(), values.next()?.to_owned());
            let right: Vec<bool> = values.map(|value| value == "1").collect();
            let (top1, top5) = right.split_at_checked(Edges::all().len())?;
            Some((key, top1.iter().zip(top5).map(|(&top1, &top5)| [top1, top5]).collect()))
        };
        let rows = whole.lines().skip(1).filter_map(row).collect();
        Ok(Journal { path, file, rows })
    }

    fn has(&self, picture: &str, set: &str) -> bool {
        self.rows.contains_key(&(picture.to_owned(), set.to_owned()))
    }

    /// Row of a picture, which must be done.
    fn row(&self, picture: &str, set: &str) -> (&str, &Right) {
        let row = self.rows.get_key_value(&(picture.to_owned(), set.to_owned()));
        let ((picture, _), right) = row.expect("all pictures are done");
        (picture, right)
    }

    /// Adds a row.
    fn add(&mut self, picture: &str, set: &str, right: Right) -> Result<(), Failure> {
        let written = self.file.write_all(row(picture, set, &right).as_bytes());
        written.map_err(|error| Failure::not_written(self.path.display(), &error))?;
        self.rows.insert((picture.to_owned(), set.to_owned()), right);
        Ok(())
    }

    /// Removes the journal, once the trace is written.
    fn remove(self) -> Result<(), Failure> {
        drop(self.file);
        let cannot = |error| format!("{} could not be removed: {error}", self.path.display());
        fs::remove_file(&self.path).map_err(|error| Failure::Other(cannot(error).into()))
    }
}

/// A row of a trace.
fn row(picture: &str, set: &str, right: &Right) -> String {
    let mut row = format!("{picture},{set}");
    for top in 0..2 {
        for right in right {
            row += if right[top] { ",1" } else { ",0" };
        }
    }
    row + "\n"
}

/// Tolerance of pictures with a weight set, at top-1 and at top-5, and the oracle's energy.
fn tolerances_of(set: &str, rows: &[(&str, &Right)], crops: &Crops, network: &Network) -> [SetTolerance; 2] {
    let (costs, edges, pictures) = (crops.costs(network), Edges::all(), rows.len() as f64);
    Top::ALL.map(|top| {
        let index = usize::from(top == Top::Five);
        let (mut right, mut right_by_cuts, mut right_pj) = (0.0, [0.0; 5], 0.0);
        for (_, row) in rows.iter().filter(|(_, row)| row[0][index]) {
            let Ok(crop) = inference::oracle(&costs, |crop| Ok::<_, Infallible>(row[crop][index]));
            right += 1.0;
            right_by_cuts[edges[crop].count()] += 1.0;
            right_pj += costs[crop];
        }
        SetTolerance {
            weights: set.to_owned(),
            top,
            accuracy: right / pictures,
            shares: (right > 0.0).then(|| right_by_cuts.map(|count| count / right)),
            energy: crops.on_machine.as_ref().map(|_| SetEnergy {
                uncropped_pj: costs[0],
                oracle_right_pj: (right > 0.0).then(|| right_pj / right),
                oracle_all_pj: (right_pj + (pictures - right) * costs[0]) / pictures,
            }),
        }
    })
}

/// Summary of the tolerance as CSV, a line for each weight set and criterion. Unknown values are left empty.
fn summary(tolerances: &[SetTolerance]) -> String {
    let mut text = "weights,right_at,accuracy,cuts_0,cuts_1,cuts_2,cuts_3,cuts_4,uncropped_pj,oracle_right_pj,\
                    oracle_all_pj,note\n"
        .to_owned();
    for SetTolerance { weights, top, accuracy, shares, energy } in tolerances {
        let shares = shares.map_or(",,,,".to_owned(), |shares| shares.map(|share| format!("{share:.4}")).join(","));
        let pj = |of: fn(&SetEnergy) -> Option<f64>| {
            energy.as_ref().and_then(of).map_or(String::new(), |pj| format!("{pj:.0}"))
        };
        let energies = [
            pj(|energy| Some(energy.uncropped_pj)),
            pj(|energy| energy.oracle_right_pj),
            pj(|energy| Some(energy.oracle_all_pj)),
        ];
        let note = if energy.is_none() { NOT_REPRESENTABLE } else { "" };
        text += &format!("{weights},{},{accuracy:.4},{shares},{},{note}\n", top.name(), energies.join(","));
    }
    text
}

/// Names of the columns, as crate `aqua` reads them: a crop is top, bottom, left, right, 1 where it is cut.
fn header() -> String {
    let mut header = "image,weights".to_owned();
    for top in ["top1", "top5"] {
        for edges in Edges::all() {
            let cuts = [edges.top, edges.bottom, edges.left, edges.right].map(|cut| if cut { '1' } else { '0' });
            header += &format!(",{top}_{}", cuts.iter().collect::<String>());
        }
    }
    header + "\n"
}

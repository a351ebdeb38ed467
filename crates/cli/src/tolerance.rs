//! `aquasim tolerance`: which crops each picture tolerates.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use document::Fault;
use inference::Crop;
use network::{Edges, parse_weights};

use crate::failure::Failure;
use crate::output;
use crate::pictures::{Labelled, Pictures, Weights, accelerator, processors};
use crate::progress;
use crate::selection::Selection;

/// Try all 16 crops on each picture and write which of them it tolerates
#[derive(Args)]
pub struct Tolerance {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    pictures: Pictures,
    /// Weight sets, each as --weights takes them
    #[arg(long, value_name = "SET", num_args = 1.., default_values_t = ["16".to_owned()])]
    weight_sets: Vec<String>,
    /// Trace to write; what it holds already is not done again
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
}

impl Tolerance {
    /// Tries all crops on every picture that is not in the trace yet.
    pub fn execute(self) -> Result<(), Failure> {
        let mut selected = self.selection.load()?;
        let loaded = self.pictures.load_labelled(&selected.network, "a trace")?;
        let sets: Vec<Vec<u32>> =
            self.weight_sets.iter().map(|set| parse_weights(set, &selected.network)).collect::<Result<_, _>>()?;
        let mut trace = Trace::open(&self.out)?;
        let mut summary = SUMMARY.to_owned();
        let calibrated = progress::during("reading weights", || self.weights.load(&selected, &loaded))?;
        for (set, bits) in self.weight_sets.iter().zip(&sets) {
            let is_due = |picture: &&Labelled| !trace.has(&picture.picture.name, set);
            let due: Vec<&Labelled> = loaded.pictures.iter().filter(is_due).collect();
            let known = loaded.pictures.len() - due.len();
            if known > 0 {
                output::complain(&format!("{known} pictures with weights {set} are in the trace already"));
            }
            selected.plan = selected.plan.with_weights(bits);
            selected.layout = mapper::balance(&selected.arch, &selected.network, &selected.plan)?;
            let accelerator = accelerator(&selected);
            let crops = inference::crops(&accelerator, &selected.plan)?;
            if due.is_empty() {
                summary += &trace.summary(set, &crops);
                continue;
            }
            let classifier = calibrated.program(&selected)?;
            let bar = progress::bar("pictures", due.len() as u64, 0);
            let end = inference::in_order(
                &due,
                processors(),
                |picture| {
                    let (_, input) = picture.input(&selected.network)?;
                    let label = picture.label.expect("labels were asked for");
                    let right = crops.iter().map(|crop| {
                        let answer = classifier.classify(&crop.plan, input.view(), &crop.cost)?;
                        Ok([1, 5].map(|top| answer.is_right(label, top)))
                    });
                    Ok::<_, Failure>(right.collect::<Result<Vec<_>, inference::Error>>()?)
                },
                |picture, right| {
                    bar.inc(1);
                    let written = right.and_then(|right| Ok(trace.add(&picture.picture.name, set, right)?));
                    written.map_or_else(ControlFlow::Break, ControlFlow::Continue)
                },
            );
            bar.finish_and_clear();
            if let ControlFlow::Break(failure) = end {
                return Err(failure);
            }
            summary += &trace.summary(set, &crops);
        }
        output::print(&summary)
    }
}

/// Whether a picture is right at top-1 and at top-5, under each crop.
type Right = Vec<[bool; 2]>;

/// A trace that is being written, a row at a time.
struct Trace {
    file: File,
    /// What each picture tolerates with each weight set.
    rows: BTreeMap<(String, String), Right>,
}

impl Trace {
    /// Opens the trace at `path` to go on with it, or begins it. A row that was not finished is taken off.
    fn open(path: &Path) -> Result<Trace, Failure> {
        let cannot = |error: io::Error| {
            Fault::new(
                format!("{} cannot be written: {error}", path.display()),
                "give a path in a folder that is there",
            )
        };
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(cannot)?;
        let text = fs::read_to_string(path).map_err(cannot)?;
        let header = header();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        if !whole.is_empty() && !whole.starts_with(&header) {
            let remedy = "give the path of a trace of `aquasim tolerance`, or of a new file";
            return Err(Fault::new(format!("{} is no such trace", path.display()), remedy).into());
        }
        file.set_len(whole.len() as u64).map_err(cannot)?;
        file.seek(SeekFrom::End(0)).map_err(cannot)?;
        if whole.is_empty() {
            file.write_all(header.as_bytes()).map_err(cannot)?;
        }
        let row = |line: &str| {
            let mut values = line.split(',');
            let key = (values.next()?.to_owned(), values.next()?.to_owned());
            let right: Vec<bool> = values.map(|value| value == "1").collect();
            let (top1, top5) = right.split_at_checked(Edges::all().len())?;
            Some((key, top1.iter().zip(top5).map(|(&top1, &top5)| [top1, top5]).collect()))
        };
        Ok(Trace { file, rows: whole.lines().skip(1).filter_map(row).collect() })
    }

    fn has(&self, picture: &str, set: &str) -> bool {
        self.rows.contains_key(&(picture.to_owned(), set.to_owned()))
    }

    /// Adds a row.
    fn add(&mut self, picture: &str, set: &str, right: Right) -> io::Result<()> {
        let mut row = format!("{picture},{set}");
        for top in 0..2 {
            right.iter().for_each(|right| row += if right[top] { ",1" } else { ",0" });
        }
        self.rows.insert((picture.to_owned(), set.to_owned()), right);
        writeln!(self.file, "{row}")
    }

    /// Lines of Figures 4 and 5: the cuts that pictures tolerate with a weight set, and what the oracle makes of them.
    fn summary(&self, set: &str, crops: &[Crop]) -> String {
        let rows: Vec<&Right> = self.rows.iter().filter(|((_, of), _)| of == set).map(|(_, right)| right).collect();
        let line = |(top, name): (usize, &str)| {
            let (mut pictures_by_cuts, mut right, mut pj) = ([0usize; 5], 0, 0.0);
            for row in &rows {
                let Ok(crop) = inference::oracle(crops, |crop| Ok::<_, Infallible>(row[crop][top]));
                pictures_by_cuts[crops[crop].edges.count()] += 1;
                right += usize::from(row[0][top]);
                pj += crops[crop].cost.dynamic_pj;
            }
            let share = |count: usize| format!("{:.4}", count as f64 / rows.len() as f64);
            let shares = pictures_by_cuts.map(share).join(",");
            let (whole_pj, oracle_pj) = (crops[0].cost.dynamic_pj, pj / rows.len() as f64);
            format!("{set},{name},{},{shares},{whole_pj:.0},{oracle_pj:.0}\n", share(right))
        };
        [(0, "top-1"), (1, "top-5")].map(line).concat()
    }
}

/// Head of the summary: shares of pictures by the number of edges cut from them, and energies of a picture.
const SUMMARY: &str = "weights,right_at,share,cuts_0,cuts_1,cuts_2,cuts_3,cuts_4,uncropped_pj,oracle_pj\n";

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

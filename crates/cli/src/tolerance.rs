//! `aquasim tolerance`: which crops each picture tolerates.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use document::Fault;
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
        let calibrated = progress::during("reading weights", || self.weights.load(&selected, &loaded))?;
        for (set, bits) in self.weight_sets.iter().zip(&sets) {
            let is_due = |picture: &&Labelled| !trace.has(&picture.picture.name, set);
            let due: Vec<&Labelled> = loaded.pictures.iter().filter(is_due).collect();
            let known = loaded.pictures.len() - due.len();
            if known > 0 {
                output::complain(&format!("{known} pictures with weights {set} are in the trace already"));
            }
            if due.is_empty() {
                continue;
            }
            selected.plan = selected.plan.with_weights(bits);
            selected.layout = mapper::balance(&selected.arch, &selected.network, &selected.plan)?;
            let (classifier, accelerator) = (calibrated.program(&selected)?, accelerator(&selected));
            let crops = inference::crops(&accelerator, &selected.plan)?;
            let bar = progress::bar(due.len());
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
                    let written = right.and_then(|right| Ok(trace.add(&picture.picture.name, set, &right)?));
                    written.map_or_else(ControlFlow::Break, ControlFlow::Continue)
                },
            );
            bar.finish_and_clear();
            if let ControlFlow::Break(failure) = end {
                return Err(failure);
            }
        }
        output::print(&format!("{} rows in {}\n", trace.rows.len(), self.out.display()))
    }
}

/// A trace that is being written, a row at a time.
struct Trace {
    file: File,
    /// Pictures and weight sets that it has.
    rows: HashSet<(String, String)>,
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
            Some((values.next()?.to_owned(), values.next()?.to_owned()))
        };
        Ok(Trace { file, rows: whole.lines().skip(1).filter_map(row).collect() })
    }

    fn has(&self, picture: &str, set: &str) -> bool {
        self.rows.contains(&(picture.to_owned(), set.to_owned()))
    }

    /// Adds a row: whether the picture is right at top-1 and top-5 under each crop.
    fn add(&mut self, picture: &str, set: &str, right: &[[bool; 2]]) -> io::Result<()> {
        let mut row = format!("{picture},{set}");
        for top in 0..2 {
            right.iter().for_each(|right| row += if right[top] { ",1" } else { ",0" });
        }
        self.rows.insert((picture.to_owned(), set.to_owned()));
        writeln!(self.file, "{row}")
    }
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

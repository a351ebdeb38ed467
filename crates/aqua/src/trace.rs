//! Traces: the classification of each image under each crop.
//!
//! A trace is a CSV file with a row for each image and weight set and these columns, in any order:
//!
//! | column | content |
//! | --- | --- |
//! | `image` | name of the image |
//! | `weights` | weight set: `float`, `16`, `varied` or `12`, or another one of the study |
//! | `top1_0000` to `top1_1111` | 1 if the likeliest class is right under that crop, else 0 |
//! | `top5_0000` to `top5_1111` | 1 if the right class is among the five likeliest, else 0 |
//!
//! A crop is four digits for top, bottom, left and right as in Table I: 1 is cut, `0000` is no crop.
//!
//! A trace with a fault is refused; up to 20 faults are reported at once, each with its place in the file.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use document::{Fault, Faults, Text};

use crate::crops::{CROPS, bits, crops};
use crate::tolerance::Tolerance;
use crate::weights::WeightSet;

/// Most faults reported of one trace.
const MOST_FAULTS: usize = 20;

/// Criterion of a right classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Top {
    /// The likeliest class is the right one.
    One,
    /// The right class is among the five likeliest.
    Five,
}

impl Top {
    /// Both.
    pub const ALL: [Top; 2] = [Top::One, Top::Five];

    /// Name in columns and figures.
    pub fn name(self) -> &'static str {
        match self {
            Top::One => "top-1",
            Top::Five => "top-5",
        }
    }

    fn column(self, crop: &str) -> String {
        format!("{}_{crop}", self.name().replace('-', ""))
    }
}

/// True for each crop under which an image is classified right, in the order of Table I.
type Correct = [bool; CROPS];

/// Classifications of the images of a trace, by weight set and criterion.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    images: BTreeMap<(String, Top), Vec<Correct>>,
}

impl Trace {
    /// Reads the trace in the file at `path`, for a study of these sets.
    pub fn load(path: &str, sets: &[WeightSet]) -> Result<Trace, Faults> {
        Trace::parse(&document::read_text(path)?, path, sets)
    }

    /// Reads the trace in `text`, for a study of these sets; faults name it `file`.
    pub fn parse(text: &str, file: &str, sets: &[WeightSet]) -> Result<Trace, Faults> {
        // Sets of the paper may have rows that the study does not use.
        let mut names = WeightSet::OF_PAPER.to_vec();
        names.extend(sets.iter().filter(|set| !set.is_of_paper()).map(WeightSet::name));
        let mut reader = Reader { source: Text::new(file, text), faults: Vec::new(), names };
        let trace = reader.read(text);
        if reader.faults.is_empty() { Ok(trace) } else { Err(reader.faults.into()) }
    }

    /// Tolerance of the images with `weights`; `None` if the trace has no row for them.
    pub fn tolerance(&self, weights: &str, top: Top) -> Option<Tolerance> {
        self.images.get(&(weights.to_owned(), top)).and_then(|images| Tolerance::count(images.iter().copied()))
    }
}

struct Reader<'a> {
    source: Text,
    faults: Vec<Fault>,
    /// Weight sets that may have rows.
    names: Vec<&'a str>,
}

impl Reader<'_> {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(self.source.fault(span, message, remedy));
        }
    }

    fn read(&mut self, text: &str) -> Trace {
        let mut lines = lines(text);
        let Some(header) = lines.next() else {
            self.fault(0..0, "the trace is empty", "begin it with a line of column names");
            return Trace::default();
        };
        let columns: Vec<(&str, Range<usize>)> = fields(text, header.clone()).collect();
        let mut wanted = vec!["image".to_owned(), "weights".to_owned()];
        for top in Top::ALL {
            wanted.extend(crops().map(|edges| top.column(&bits(edges))));
        }
        for (index, (name, span)) in columns.iter().enumerate() {
            if !wanted.iter().any(|column| column == name) {
                let remedy = match document::nearest(name, wanted.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "remove the column".to_owned(),
                };
                self.fault(span.clone(), format!("unknown column {name}"), remedy);
            } else if columns[..index].iter().any(|(other, _)| other == name) {
                self.fault(span.clone(), format!("column {name} is given twice"), "remove one of the two");
            }
        }
        let places: Vec<Option<usize>> =
            wanted.iter().map(|name| columns.iter().position(|(column, _)| column == name)).collect();
        for (name, _) in wanted.iter().zip(&places).filter(|(_, place)| place.is_none()) {
            self.fault(header.clone(), format!("column {name} is missing"), "add it");
        }
        let Some(places) = places.into_iter().collect::<Option<Vec<usize>>>() else {
            return Trace::default();
        };
        let mut trace = Trace::default();
        let (mut seen, mut unknown) = (HashSet::new(), HashSet::new());
        for line in lines {
            let row: Vec<(&str, Range<usize>)> = fields(text, line.clone()).collect();
            if row.len() != columns.len() {
                let message = format!("the row has {} values for {} columns", row.len(), columns.len());
                self.fault(line, message, "give one value for each column");
                continue;
            }
            let (image, image_span) = row[places[0]].clone();
            let (weights, weights_span) = row[places[1]].clone();
            if !self.names.contains(&weights) {
                // Reported once for each name, not for each image.
                if unknown.insert(weights) {
                    let message = format!("there is no weight set {weights:?}");
                    let remedy = format!("give one of {}, or add the set to --weights", self.names.join(", "));
                    self.fault(weights_span, message, remedy);
                }
                continue;
            }
            if !seen.insert((image, weights)) {
                let message = format!("image {image} has two rows for weights {weights}");
                self.fault(image_span, message, "remove one of them");
            }
            for (top, places) in Top::ALL.into_iter().zip(places[2..].chunks(CROPS)) {
                let mut correct = [false; CROPS];
                for (correct, &place) in correct.iter_mut().zip(places) {
                    let (value, span) = row[place].clone();
                    match value {
                        "0" | "1" => *correct = value == "1",
                        _ => {
                            let message = format!("{} must be 0 or 1, not {value:?}", columns[place].0);
                            self.fault(span, message, "1 stands for right, 0 for wrong");
                        }
                    }
                }
                trace.images.entry((weights.to_owned(), top)).or_default().push(correct);
            }
        }
        if !self.faults.is_empty() {
            return trace;
        }
        if trace.images.is_empty() {
            self.fault(header.clone(), "the trace has no images", "add a row for each image and weight set");
        }
        for ((weights, top), images) in &trace.images {
            if !images.iter().any(|correct| correct[0]) {
                let top = top.name();
                let message = format!("with weights {weights}, no image is right at {top} without a crop");
                self.fault(header.clone(), message, "give a trace of a network that recognises some of its images");
            }
        }
        trace
    }
}

/// The lines of `text` that are not empty, as ranges.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let range = start..start + line.trim_end().len();
        start += line.len();
        range
    });
    lines.filter(|line| !line.is_empty())
}

/// The values of a line with their places. No value holds a comma or a quote.
fn fields(text: &str, line: Range<usize>) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut start = line.start;
    text[line].split(',').map(move |field| {
        let (at, value) = (start + field.len() - field.trim_start().len(), field.trim());
        start += field.len() + 1;
        (value, at..at + value.len())
    })
}

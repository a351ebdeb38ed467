//! Answers to pictures, for the terminal, as CSV and as JSON.
//!
//! CSV and JSON have the plan, the answer and the cost of every picture; the terminal shows the first. Totals are over
//! all pictures.

use arch::Arch;
use inference::{Answer, Ranges};
use numeric::Method;
use report::terminal::{AnswerTotals, PictureAnswer};
use serde_json::{Value, json};

use crate::policy::{self, Chosen};
use crate::selection::Selected;

/// Version of the JSON form: raised when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Classes of each picture in JSON.
const TOP: usize = 5;

/// Answers so far, and their totals.
pub(crate) struct Answers {
    rows: Vec<PictureAnswer>,
    /// The same in JSON.
    pictures: Vec<Value>,
    /// Over all pictures.
    pub(crate) totals: AnswerTotals,
}

impl Answers {
    /// Starts without answers.
    pub(crate) fn new(totals: AnswerTotals) -> Self {
        Self { rows: Vec::new(), pictures: Vec::new(), totals }
    }

    /// Adds a picture's answer, with its `top` likeliest classes. `computed` is the part of the multiply-accumulates
    /// that are computed, 0 to 1.
    pub(crate) fn add(
        &mut self,
        picture: &str,
        label: Option<usize>,
        chosen: &Chosen,
        computed: f64,
        arch: &Arch,
        top: usize,
    ) {
        let Chosen { name, cost, answer, operations, .. } = chosen;
        let totals = &mut self.totals;
        if let (Some([top1, top5]), Some(label)) = (&mut totals.right, label) {
            *top1 += usize::from(answer.is_right(label, 1));
            *top5 += usize::from(answer.is_right(label, 5));
        }
        totals.method = method_name(answer.method);
        totals.clipped += answer.clipped;
        totals.saturated += answer.saturated;
        let probabilities = answer.probabilities();
        let (predictor_pj, predictor_ns) = policy::cost(arch, operations);
        self.pictures.push(json!({
            "picture": picture,
            "label": label,
            "top": likeliest(answer, &probabilities),
            "plan": name,
            "computed": computed,
            "cycles": cost.cycles,
            "latency_ns": cost.latency_ns,
            "energy_pj": cost.dynamic_pj,
            "predictor_ns": predictor_ns,
            "predictor_pj": predictor_pj,
            "clipped": answer.clipped,
            "saturated": answer.saturated,
        }));
        self.rows.push(PictureAnswer {
            picture: picture.to_owned(),
            classes: answer.ranking().into_iter().take(top).map(|class| (class, probabilities[class])).collect(),
            label,
            plan: name.clone(),
            computed,
            energy_pj: cost.dynamic_pj,
            predictor_pj,
            predictor_ns,
            latency_ns: cost.latency_ns,
        });
    }

    /// The first answers and the totals, for the terminal.
    pub(crate) fn text(&self) -> String {
        report::terminal::answers(&self.rows, &self.totals)
    }

    /// All answers as JSON, with the ranges that they were computed with.
    pub(crate) fn json(&self, selected: &Selected, ranges: &Ranges) -> String {
        let Selected { arch, network, plan_name, .. } = selected;
        let AnswerTotals { skipped, right, simulations, whole_pj, method, clipped, saturated, .. } = self.totals;
        let range = |name: &str, range: &f32| json!({ "name": name, "range": range });
        let layers = network.layers.iter().zip(&ranges.inputs.layers);
        let layers: Vec<Value> = layers.map(|(layer, most)| range(&layer.name, most)).collect();
        let merges: Vec<Value> = ranges.inputs.merges.iter().map(|(node, most)| range(node, most)).collect();
        let document = json!({
            "schema": SCHEMA,
            "tool": { "name": "aquasim", "version": env!("CARGO_PKG_VERSION") },
            "arch": arch.name,
            "network": network.name,
            "plan": plan_name,
            "ranges": { "calibration": ranges.calibration, "model": ranges.model, "layers": layers, "merges": merges },
            "pictures": self.pictures,
            "totals": {
                "pictures": self.pictures.len(),
                "skipped": skipped,
                "right_top1": right.map(|[top1, _]| top1),
                "right_top5": right.map(|[_, top5]| top5),
                "plans": simulations,
                "uncropped_pj": whole_pj,
                "computed_by": method,
                "clipped": clipped,
                "saturated": saturated,
            },
        });
        serde_json::to_string_pretty(&document).expect("names and numbers can be written") + "\n"
    }

    /// A line for each picture.
    pub(crate) fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = [
            "image",
            "label",
            "classes",
            "plan",
            "computed",
            "energy_pj",
            "predictor_pj",
            "latency_ns",
            "predictor_ns",
        ];
        let rows = self.rows.iter().map(|row| {
            let classes: Vec<String> = row.classes.iter().map(|(class, _)| class.to_string()).collect();
            [
                row.picture.clone(),
                row.label.map(|label| label.to_string()).unwrap_or_default(),
                classes.join(" "),
                row.plan.clone(),
                row.computed.to_string(),
                row.energy_pj.to_string(),
                row.predictor_pj.to_string(),
                row.latency_ns.to_string(),
                row.predictor_ns.to_string(),
            ]
        });
        let in_memory = "a buffer can be written to";
        writer.write_record(header).expect(in_memory);
        rows.for_each(|row| writer.write_record(row).expect(in_memory));
        String::from_utf8(writer.into_inner().expect(in_memory)).expect("text was written")
    }
}

/// Name of a method in results.
pub(crate) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Integer => "integer products, which these crossbars provably compute",
        Method::BitSerial => "every conversion of every column",
        Method::Conductances => "every conversion of every column, on imperfect cells",
    }
}

/// The likeliest classes, with their scores and probabilities.
fn likeliest(answer: &Answer, probabilities: &[f32]) -> Vec<Value> {
    let class =
        |class: usize| json!({ "class": class, "score": answer.scores[class], "probability": probabilities[class] });
    answer.ranking().into_iter().take(TOP).map(class).collect()
}

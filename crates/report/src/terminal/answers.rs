//! Answers of a network for images, and their costs.

use comfy_table::Cell;

use super::{joules, paragraph, table};
use crate::format::{counted, percent, scaled};

/// Largest number of answers that are listed one by one.
const LISTED: usize = 20;

/// Answer of a network for an image.
#[derive(Clone, Debug)]
pub struct PictureAnswer {
    /// Name of the image.
    pub picture: String,
    /// Likeliest classes with their probabilities, the likeliest first.
    pub classes: Vec<(usize, f32)>,
    /// Right class, if known.
    pub label: Option<usize>,
    /// Name of the plan.
    pub plan: String,
    /// Multiply-accumulates under the plan, as a fraction of those without regions.
    pub computed: f64,
    /// Dynamic energy of the image, pJ.
    pub energy_pj: f64,
    /// Energy of choosing the plan, pJ.
    pub predictor_pj: f64,
    /// Time of choosing the plan, ns.
    pub predictor_ns: f64,
    /// Time from the chosen plan to the answer, ns.
    pub latency_ns: f64,
}

/// Totals of all answers.
#[derive(Clone, Debug)]
pub struct AnswerTotals {
    /// Number of images that could not be used.
    pub skipped: usize,
    /// Number of images that are right at top-1 and at top-5; `None` without labels.
    pub right: Option<[usize; 2]>,
    /// Number of plans simulated.
    pub simulations: usize,
    /// Dynamic energy of an image without regions, pJ.
    pub whole_pj: f64,
    /// Method by which the answers were computed.
    pub method: &'static str,
    /// Number of conversions that the ADC clipped.
    pub clipped: u64,
    /// Number of activations beyond the range of their layer.
    pub saturated: u64,
    /// Images that decided these ranges.
    pub calibration: String,
}

/// Returns the totals of all answers, and a table of the first.
pub fn answers(answers: &[PictureAnswer], totals: &AnswerTotals) -> String {
    let headings = ["picture", "label", "classes", "plan", "computed", "energy", "latency"];
    let mut table = table(&headings, &[0, 2, 3]).sparing(&[3]);
    for answer in answers.iter().take(LISTED) {
        let classes = answer.classes.iter().map(|(class, share)| format!("{class} ({})", percent(f64::from(*share))));
        table.add_row([
            Cell::new(&answer.picture),
            Cell::new(answer.label.map_or("?".to_owned(), |label| label.to_string())),
            Cell::new(classes.collect::<Vec<_>>().join(", ")),
            Cell::new(&answer.plan),
            Cell::new(percent(answer.computed)),
            Cell::new(joules(answer.energy_pj + answer.predictor_pj)),
            Cell::new(scaled(1e-9 * (answer.latency_ns + answer.predictor_ns), "s")),
        ]);
    }
    let mut text = format!("{}\n{}\n", summary(answers, totals), table.trim_fmt());
    if answers.len() > LISTED {
        text += &format!("and {} more\n", answers.len() - LISTED);
    }
    text
}

fn summary(answers: &[PictureAnswer], totals: &AnswerTotals) -> String {
    let count = answers.len();
    let mean = |figure: fn(&PictureAnswer) -> f64| answers.iter().map(figure).sum::<f64>() / count.max(1) as f64;
    let (energy, predictor) = (mean(|answer| answer.energy_pj), mean(|answer| answer.predictor_pj));
    let skipped = if totals.skipped > 0 { format!(", {} skipped", totals.skipped) } else { String::new() };
    let mut lines =
        vec![("pictures", format!("{count}{skipped}, {}", counted(index::count(totals.simulations), "plan")))];
    if let Some([top1, top5]) = totals.right {
        let share = |right: usize| percent(right as f64 / count.max(1) as f64);
        lines.push(("right", format!("{} at top-1, {} at top-5", share(top1), share(top5))));
    }
    let relative = percent((energy + predictor) / totals.whole_pj);
    lines.push(("energy", format!("{} a picture, {relative} of that without regions", joules(energy + predictor))));
    let (latency, choosing) = (mean(|answer| answer.latency_ns), mean(|answer| answer.predictor_ns));
    lines.push(("latency", format!("{} a picture", scaled(1e-9 * (latency + choosing), "s"))));
    if predictor > 0.0 {
        let share = |part: f64, rest: f64| format!("{:.2} %", 100.0 * part / (part + rest));
        let (of_energy, of_latency) = (share(predictor, energy), share(choosing, latency));
        let (energy, time) = (joules(predictor), scaled(1e-9 * choosing, "s"));
        lines.push(("predictor", format!("{energy} ({of_energy}) and {time} ({of_latency}) of that")));
    }
    lines.push(("computed by", totals.method.to_owned()));
    lines.push(("clipped", counted(totals.clipped, "conversion")));
    lines.push(("saturated", counted(totals.saturated, "activation")));
    lines.push(("ranges", totals.calibration.clone()));
    let lines = lines.into_iter().map(|(name, text)| format!("{name:<12} {text}\n"));
    paragraph(&lines.collect::<String>())
}

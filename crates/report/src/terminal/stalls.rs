//! Stall analysis of a run, and gains of what-if runs.

use std::cmp::Ordering;

use analysis::{Against, Analysis, Change, Gave, MATTERS, Measure, Wait, WhatIf};
use chip::Cause;
use comfy_table::{Cell, Color};

use super::{bound, paragraph, table};
use crate::format::{grouped, percent, rounded};

/// Largest number of waits shown.
const RANKED: usize = 10;

/// Returns the bound, the stall causes of each layer, the longest waits, and the chain of waits.
pub fn stalls(analysis: &Analysis) -> String {
    let mut parts = vec![bound(&analysis.bound), shares(analysis)];
    if !analysis.chain.is_empty() {
        parts.push(ranking(analysis));
    }
    parts.push(paragraph(&chain(analysis)));
    parts.join("\n\n") + "\n"
}

/// Returns the stall causes of each layer, as fractions of its IMA-cycles. A cause that no layer has takes no column.
fn shares(analysis: &Analysis) -> String {
    let has_any = |cause: &Cause| analysis.layers.iter().any(|layer| layer.share(*cause) > 0.0);
    let causes: Vec<Cause> = Cause::ALL.into_iter().filter(has_any).collect();
    let names: Vec<String> = causes.iter().map(|cause| cause.name().replace('_', " ")).collect();
    let headings: Vec<&str> = ["layer", "IMAs"].into_iter().chain(names.iter().map(String::as_str)).collect();
    // Where room is short, causes with few cycles make way first.
    let cycles = |cause: Cause| analysis.layers.iter().map(|layer| layer.stalls[cause]).sum::<u64>();
    let mut small: Vec<usize> = (0..causes.len()).filter(|&index| causes[index] != Cause::Computing).collect();
    small.sort_by_key(|&index| cycles(causes[index]));
    let columns: Vec<usize> = small.into_iter().map(|index| index + 2).collect();
    let mut table = table(&headings, &[0]).sparing(&columns);
    for layer in &analysis.layers {
        let causes = causes.iter().map(|&cause| {
            let share = layer.share(cause);
            let cell = Cell::new(if share > 0.0 { percent(share) } else { String::new() });
            match cause {
                Cause::Computing => cell.fg(Color::Green),
                // Long waits stand out.
                cause if cause.is_wait() && share >= 0.1 => cell.fg(Color::Yellow),
                _ => cell,
            }
        });
        table.add_row([Cell::new(&layer.name), Cell::new(grouped(layer.imas))].into_iter().chain(causes));
    }
    table.trim_fmt()
}

fn ranking(analysis: &Analysis) -> String {
    let total = analysis.total() as f64;
    let mut table = table(&["rank", "layer", "waits for", "IMA-cycles", "of all"], &[1, 2]);
    for (rank, wait) in analysis.waits_that_matter().take(RANKED).enumerate() {
        table.add_row([
            (rank + 1).to_string(),
            analysis.layers[wait.layer].name.clone(),
            awaited(analysis, wait),
            grouped(wait.ima_cycles),
            percent(wait.ima_cycles as f64 / total),
        ]);
    }
    table.trim_fmt()
}

/// Returns in words the resource or unit for which a layer waits.
pub(crate) fn awaited(analysis: &Analysis, wait: Wait) -> String {
    let edges = &analysis.layers[wait.layer].edges;
    let names = |layers: &[usize]| match layers {
        [] => "the host".to_owned(),
        layers => layers.iter().map(|&layer| analysis.layers[layer].name.as_str()).collect::<Vec<_>>().join(", "),
    };
    match wait.cause {
        Cause::Computing => "nothing: it computes".to_owned(),
        Cause::Input => format!("inputs from {}", names(&edges.producers)),
        Cause::Bus => "the bus and the eDRAM port of its tiles".to_owned(),
        Cause::ImaOutputRegister => "a free output register of its IMAs".to_owned(),
        Cause::Lockstep => "slower IMAs with the same outputs".to_owned(),
        Cause::OutputRegister => "the output register of its tiles".to_owned(),
        Cause::DownstreamBuffer => format!("room in the buffers of {}", names(&edges.readers)),
        Cause::MaxPool => "other replicas under the same positions of the max-pool".to_owned(),
        Cause::Skip => format!("the skip of {} from {}", edges.joins.join(", "), names(&edges.skips)),
        Cause::Router => "ports of routers".to_owned(),
        Cause::Link => "links between chips".to_owned(),
        Cause::Filling => "the first of its inputs".to_owned(),
        Cause::Finished => "the end".to_owned(),
    }
}

/// Returns the chain of waits, from the longest wait on.
pub(crate) fn chain(analysis: &Analysis) -> String {
    let step = |wait: &Wait| {
        let layer = &analysis.layers[wait.layer];
        let share = percent(layer.share(wait.cause));
        match wait.cause {
            Cause::Computing => format!("{} computes {share} of its cycles and waits for nothing longer", layer.name),
            _ => format!("{} waits {share} of its cycles for {}", layer.name, awaited(analysis, *wait)),
        }
    };
    let steps: Vec<String> = analysis.chain.iter().map(step).collect();
    if steps.is_empty() {
        return format!("Nothing waits for more than {} of its cycles.", percent(MATTERS));
    }
    format!("Who waits for whom:\n  {}.", steps.join(",\n  "))
}

/// Returns a table of what-if runs: change, target, cycles, gain and bound.
pub fn what_ifs(analysis: &Analysis, measure: Measure, tried: &[WhatIf]) -> String {
    let heading = what_if_heading(analysis, measure, tried);
    if tried.is_empty() {
        return heading + "\n";
    }
    let mut table = table(&what_if_columns(measure), &[0, 1]);
    for row in what_if_rows(analysis, measure, tried) {
        table.add_row(row);
    }
    let mut text = format!("{}\n{}\n", paragraph(&heading), table.trim_fmt());
    for why in what_ifs_not_run(analysis, tried) {
        text += &paragraph(&why);
        text += "\n";
    }
    text
}

/// Returns a sentence about what-if runs, to stand before their table.
pub(crate) fn what_if_heading(analysis: &Analysis, measure: Measure, tried: &[WhatIf]) -> String {
    if tried.is_empty() {
        return "There is no single change to try against this.".to_owned();
    }
    let compared = match measure {
        Measure::Interval(_) => "cycles per image, settled",
        Measure::FirstLatency(_) => "cycles of latency of the first image",
    };
    let before = measure.before();
    let helps = tried.iter().any(|tried| tried.gave.as_ref().is_ok_and(|gave| gave.cycles < before));
    format!(
        "Each change was tried, everything else as it was ({} {compared}, bound {}){}:",
        rounded(before),
        rounded(analysis.bound.cycles),
        if helps { "" } else { "; none makes it shorter" },
    )
}

/// Returns the headings of the table of what-if runs.
pub(crate) fn what_if_columns(measure: Measure) -> [&'static str; 5] {
    let cycles = match measure {
        Measure::Interval(_) => "cycles per image",
        Measure::FirstLatency(_) => "latency",
    };
    ["what if", "against", cycles, "gain", "bound"]
}

/// Returns the rows of the table of what-if runs.
pub(crate) fn what_if_rows(analysis: &Analysis, measure: Measure, tried: &[WhatIf]) -> Vec<[String; 5]> {
    let before = measure.before();
    let row = |WhatIf { against, change, gave }: &WhatIf| {
        let against = match against {
            Against::Bottleneck(resource) => resource.name.clone(),
            Against::Wait(wait) => {
                let layer = &analysis.layers[wait.layer].name;
                match wait.cause {
                    Cause::Computing => format!("{layer} computes"),
                    cause => format!("{layer} waits: {}", cause.name().replace('_', " ")),
                }
            }
        };
        let [cycles, gain, bound] = match gave {
            Ok(Gave { cycles, bound }) => [rounded(*cycles), gained(before, *cycles), rounded(*bound)],
            Err(_) => ["not run".to_owned(), String::new(), String::new()],
        };
        [changed(analysis, change), against, cycles, gain, bound]
    };
    tried.iter().map(row).collect()
}

/// Returns a sentence for each what-if run that there was none of: the change, and the reason.
pub(crate) fn what_ifs_not_run(analysis: &Analysis, tried: &[WhatIf]) -> Vec<String> {
    let reason = |of: &WhatIf| {
        let why = of.gave.as_ref().err()?;
        Some(format!("{} was not run: {why}", changed(analysis, &of.change)))
    };
    tried.iter().filter_map(reason).collect()
}

/// Returns the gain of a change from `before` to `after` cycles.
fn gained(before: f64, after: f64) -> String {
    let gain = 1.0 - after / before;
    match after.total_cmp(&before) {
        Ordering::Less => percent(gain),
        Ordering::Equal => "none".to_owned(),
        Ordering::Greater => format!("none: {} slower", percent(-gain)),
    }
}

/// Returns a change in the keys of an arch or mapping file.
pub(crate) fn changed(analysis: &Analysis, change: &Change) -> String {
    match change {
        Change::Machine(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, from, to)| format!("{key} = {from} → {to}")).collect();
            fields.join(", ")
        }
        Change::Replicas { layer, from, to, strips, interleave } => {
            let name = &analysis.layers[*layer].name;
            format!("{from} → {to} replicas of {name}: strips = {strips}, interleave = {interleave}")
        }
    }
}

#[cfg(test)]
mod tests {
    use analysis::{Subject, what_ifs as try_out};
    use chip::{Options, Routed};
    use network::Plan;

    use super::*;

    #[test]
    fn a_change_that_cannot_be_run_says_why_below_the_table() {
        let (arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        let plan = Plan::uniform(&network, 16, 16);
        let layout = mapper::balance(&arch, &network, &plan).unwrap();
        let (routed, options) = (Routed::new(&arch, &layout), Options::default());
        let outcome = routed.run(&options).unwrap();
        let analysis = Analysis::of(&outcome, &layout, analysis::Bound::of(&routed, false));
        let subject = Subject { arch: &arch, network: &network, plan: &plan, layout: &layout, options: &options };
        let measure = Measure::of(&outcome, analysis.bound.cycles).unwrap();
        let mut tried = try_out(&subject, measure, &analysis, 1);
        tried[0].gave = Err("its buffers do not hold it".to_owned());
        let text = what_ifs(&analysis, measure, &tried);
        let (table, below) = text.split_at(text.rfind("was not run").expect("the reason stands below"));
        assert!(table.contains("not run") && below.starts_with("was not run: its buffers do not hold it"), "{text}");
    }
}

//! Where the cycles of a run went, and what would help.

use chip::Cause;
use comfy_table::{Cell, Color};
use trace::{Analysis, Change, MATTERS, Wait, WhatIf};

use super::table;
use crate::format::{grouped, percent};

/// Waits shown, of all that there are.
const RANKED: usize = 10;

/// The causes of each layer, the longest waits of the machine, and who waits for whom.
pub fn stalls(analysis: &Analysis) -> String {
    [shares(analysis), ranking(analysis), chain(analysis)].join("\n\n") + "\n"
}

fn shares(analysis: &Analysis) -> String {
    let names: Vec<String> = Cause::ALL.iter().map(|cause| cause.name().replace('_', " ")).collect();
    let headings: Vec<&str> = ["layer", "IMAs"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut table = table(&headings, &[0]);
    for layer in &analysis.layers {
        let causes = Cause::ALL.map(|cause| {
            let share = layer.share(cause);
            let cell = Cell::new(if share > 0.0 { percent(share) } else { String::new() });
            match cause {
                Cause::Computing => cell.fg(Color::Green),
                // What is worth a look.
                cause if cause.is_wait() && share >= 0.1 => cell.fg(Color::Yellow),
                _ => cell,
            }
        });
        table.add_row([Cell::new(&layer.name), Cell::new(grouped(layer.imas))].into_iter().chain(causes));
    }
    table.trim_fmt()
}

fn ranking(analysis: &Analysis) -> String {
    if analysis.waits_that_matter().next().is_none() {
        return format!("Nothing waits for more than {} of its cycles.", percent(MATTERS));
    }
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

/// What a layer waits for, in words.
pub(crate) fn awaited(analysis: &Analysis, wait: Wait) -> String {
    let name = |layer: usize| analysis.layers.get(layer).map_or("the host", |layer| layer.name.as_str());
    match wait.cause {
        Cause::Computing => "nothing: it computes".to_owned(),
        Cause::Input => format!("inputs from {}", name(wait.layer.wrapping_sub(1))),
        Cause::Bus => "the bus and the eDRAM port of its tiles".to_owned(),
        Cause::ImaOutputRegister => "a free output register of its IMAs".to_owned(),
        Cause::Lockstep => "slower IMAs with the same outputs".to_owned(),
        Cause::OutputRegister => "the output register of its tiles".to_owned(),
        Cause::DownstreamBuffer => format!("room in the buffers of {}", name(wait.layer + 1)),
        Cause::Mesh => "the mesh or a link between chips".to_owned(),
        Cause::Filling => "the first of its inputs".to_owned(),
        Cause::Finished => "the end".to_owned(),
    }
}

/// Who waits for whom, back to the bottleneck.
pub(crate) fn chain(analysis: &Analysis) -> String {
    let step = |wait: &Wait| {
        let layer = &analysis.layers[wait.layer];
        let share = percent(layer.share(wait.cause));
        match wait.cause {
            Cause::Computing => format!("{} computes {share} of its cycles", layer.name),
            _ => format!("{} waits {share} of its cycles for {}", layer.name, awaited(analysis, *wait)),
        }
    };
    let steps: Vec<String> = analysis.chain.iter().map(step).collect();
    let (bottleneck, waits) = steps.split_last().expect("a chain has a beginning");
    let waits: String = waits.iter().map(|step| format!("  {step},\n")).collect();
    format!("Who waits for whom:\n{waits}  {bottleneck}: this is the bottleneck.")
}

/// What each change gained.
pub fn what_ifs(analysis: &Analysis, tried: &[WhatIf]) -> String {
    if tried.is_empty() {
        return "There is no single change to try against this.\n".to_owned();
    }
    let mut table = table(&["what if", "against", "cycles", "gain"], &[0, 1]);
    for WhatIf { wait, change, cycles } in tried {
        let against = match wait.cause {
            Cause::Computing => "is busy".to_owned(),
            cause => format!("waits for {}", cause.name().replace('_', " ")),
        };
        let against = format!("{} {against}", analysis.layers[wait.layer].name);
        let (cycles, gain) = match cycles {
            Ok(cycles) => (grouped(*cycles), gained(analysis.cycles, *cycles)),
            Err(_) => ("does not fit".to_owned(), String::new()),
        };
        table.add_row([changed(analysis, change), against, cycles, gain]);
    }
    format!(
        "Each change was run, everything else as it was ({} cycles):\n{}\n",
        grouped(analysis.cycles),
        table.trim_fmt()
    )
}

/// What a change from `before` to `after` cycles is worth.
fn gained(before: u64, after: u64) -> String {
    let gain = 1.0 - after as f64 / before as f64;
    if after > before { format!("none: {} slower", percent(-gain)) } else { percent(gain) }
}

/// A change, in words that can be put into a machine or mapping file.
pub(crate) fn changed(analysis: &Analysis, change: &Change) -> String {
    match change {
        Change::Machine(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, from, to)| format!("{key} = {from} → {to}")).collect();
            fields.join(", ")
        }
        Change::Copies { layer, from, to, strips, interleave } => {
            let name = &analysis.layers[*layer].name;
            format!("{from} → {to} copies of {name}: strips = {strips}, interleave = {interleave}")
        }
    }
}

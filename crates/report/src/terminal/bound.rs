//! Bound on the pace of a run.

use analysis::{Bound, Resource};
use comfy_table::{Cell, Color};

use super::{paragraph, table};
use crate::format::{percent, rounded};

/// Largest number of layers named for each resource.
const NAMED: usize = 3;

/// Advice where a router port or a link sets the bound.
pub(crate) const PLACEMENT_BINDS: &str = "The placement binds, not the crossbars: try `aquasim map --optimise`, or \
                                          router.multicast where it is off.";

/// Returns a table of the busiest resource of each kind and of the bottlenecks, by descending cycles, and advice if the
/// placement binds.
pub fn bound(bound: &Bound) -> String {
    let mut table = table(&["an image needs", "cycles", "of bound", "by layer"], &[0, 3]);
    for resource in bound.ranked() {
        // Bottlenecks stand out.
        let color = if bound.is_near(resource) { Color::Yellow } else { Color::Reset };
        table.add_row([
            Cell::new(name(resource)),
            Cell::new(rounded(resource.cycles)),
            Cell::new(percent(resource.cycles / bound.cycles)).fg(color),
            Cell::new(layers(resource)),
        ]);
    }
    let cycles = rounded(bound.cycles);
    let mut text = format!("In the long run no image follows the one before in fewer than {cycles} cycles.");
    if bound.is_of_placement() {
        text += "\n";
        text += PLACEMENT_BINDS;
    }
    format!("{}\n{}", table.trim_fmt(), paragraph(&text))
}

/// Returns the name of a resource, and the number of others with the same amount.
pub(crate) fn name(resource: &Resource) -> String {
    match resource.alike {
        0 => resource.name.clone(),
        alike => format!("{} (and {alike} alike)", resource.name),
    }
}

/// Returns the layers that need most of a resource, with their shares if there are several.
pub(crate) fn layers(resource: &Resource) -> String {
    if let [only] = &resource.layers[..] {
        return only.layer.clone();
    }
    let layers = resource.layers.iter().take(NAMED);
    let mut named: Vec<String> = layers.map(|part| format!("{} {:.0} %", part.layer, 100.0 * part.share)).collect();
    if resource.layers.len() > NAMED {
        named.push(format!("{} more", resource.layers.len() - NAMED));
    }
    named.join(", ")
}

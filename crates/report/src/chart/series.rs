//! Series of charts: components and stall causes, of which the small ones are folded into one.

use arch::BLOCKS;
use chip::Cause;

use super::Part;
use super::palette::{self, OTHER_CLASS};

/// Part of all energy from which on a component is shown for itself.
const LEAST_ENERGY: f64 = 0.01;
/// Part of the cycles of any layer from which on a cause is shown for itself.
const LEAST_WAIT: f64 = 0.005;

/// Component or cause, or small ones together.
pub(crate) struct Series {
    /// Class of its colour.
    pub(crate) class: String,
    /// Name.
    pub(crate) name: String,
    /// Keys in reports.
    pub(crate) members: Vec<String>,
}

impl Series {
    /// Returns the sum over the members.
    pub(crate) fn sum(&self, value_of: impl Fn(&str) -> f64) -> f64 {
        self.members.iter().map(|member| value_of(member)).sum()
    }

    /// Returns the name, and those of the members that are folded.
    pub(crate) fn described(&self) -> String {
        match &self.members[..] {
            [_] => self.name.clone(),
            members => {
                format!("{} ({})", self.name, members.iter().map(|name| worded(name)).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Returns the part of a bar or row, without a label.
    pub(crate) fn part(&self, value: f64, tip: String) -> Part {
        Part { class: self.class.clone(), value, label: String::new(), tip }
    }

    /// Returns the entry of the legend.
    pub(crate) fn entry(&self) -> (String, String) {
        (self.class.clone(), self.name.clone())
    }
}

/// Returns the components by descending `pj`, with the small ones last and folded.
pub(crate) fn components(pj: impl Fn(&str) -> f64) -> Vec<Series> {
    let total: f64 = BLOCKS.iter().map(|block| pj(block.name)).sum();
    let mut groups: Vec<(&str, f64)> = BLOCKS.iter().map(|block| (block.name, pj(block.name))).collect();
    groups.retain(|(_, pj)| *pj > 0.0);
    groups.sort_by(|a, b| b.1.total_cmp(&a.1));
    let groups = groups.into_iter().map(|(name, pj)| (name, palette::component(name), pj >= LEAST_ENERGY * total));
    fold(groups)
}

/// Returns the causes in the order of reports, with the small ones last and folded. `share` is the largest part of the
/// cycles of a layer.
pub(crate) fn causes(share: impl Fn(Cause) -> f64) -> Vec<Series> {
    let causes = Cause::ALL.into_iter().map(|cause| (cause, share(cause))).filter(|(_, share)| *share > 0.0);
    fold(causes.map(|(cause, share)| (cause.name(), palette::cause(cause), !cause.is_wait() || share >= LEAST_WAIT)))
}

/// Makes a series of each of the large ones, and one of the small ones if there are several. Each has a key, the class
/// of its colour, and whether it is large.
fn fold<'a>(all: impl Iterator<Item = (&'a str, String, bool)>) -> Vec<Series> {
    let (large, small): (Vec<_>, Vec<_>) = all.partition(|(_, _, is_large)| *is_large);
    let own =
        |(key, class, _): (&str, String, bool)| Series { class, name: worded(key), members: vec![key.to_owned()] };
    let mut series: Vec<Series> = large.into_iter().map(own).collect();
    if small.len() < 2 {
        series.extend(small.into_iter().map(own));
    } else {
        let members = small.into_iter().map(|(key, ..)| key.to_owned()).collect();
        series.push(Series { class: OTHER_CLASS.to_owned(), name: "other".to_owned(), members });
    }
    series
}

/// Returns a sentence about the series that others are folded into; nothing if there is none.
pub(crate) fn folded(series: &[Series]) -> String {
    let folded = series.iter().find(|series| series.members.len() > 1);
    folded.map_or(String::new(), |series| {
        let members: Vec<String> = series.members.iter().map(|member| worded(member)).collect();
        format!(" The small ones are folded into other: {}.", members.join(", "))
    })
}

/// Returns a key in words.
fn worded(key: &str) -> String {
    key.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_components_are_folded_and_nothing_is_lost() {
        let pj = |name: &str| match name {
            "adc" => 50.0,
            "crossbar" => 120.0,
            "bus" | "router" => 0.5,
            _ => 0.0,
        };
        let series = components(pj);
        let names: Vec<String> = series.iter().map(Series::described).collect();
        assert_eq!(names, ["crossbar", "adc", "other (bus, router)"]);
        assert_eq!(series.iter().map(|series| series.sum(pj)).sum::<f64>(), 171.0);
    }

    #[test]
    fn the_ends_of_a_run_are_no_small_waits() {
        let series = causes(|cause| match cause {
            Cause::Finished => 0.001,
            Cause::Bus | Cause::Link => 0.002,
            Cause::Router => 0.2,
            _ => 0.0,
        });
        let names: Vec<String> = series.iter().map(Series::described).collect();
        assert_eq!(names, ["router", "finished", "other (bus, link)"]);
    }
}

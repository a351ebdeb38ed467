//! Selection of the part of a run that a trace shows.

use std::ops::Range;

use analysis::{Carrier, Scene};
use des::Cycle;

use crate::Detail;

/// Selection of cycles, detail, layers and units.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Selected cycles. Spans are clipped to them.
    pub cycles: Range<Cycle>,
    /// Detail of the events.
    pub detail: Detail,
    layers: Vec<bool>,
    /// Selected IMAs, by tile and IMA.
    units: Vec<Vec<bool>>,
    /// Chips with a selected IMA. A chip without IMAs in use is selected only if all IMAs are.
    chips: Vec<bool>,
}

impl Filter {
    /// Selects `cycles` of the layers whose names match one of `layers`, all if it is empty, and of the IMAs whose
    /// paths, such as `chip0/tile3/ima5`, match `units`. In a pattern, `*` matches any text and `?` any character; the
    /// path of a chip or tile matches all its IMAs.
    pub fn new(scene: &Scene<'_>, cycles: Range<Cycle>, detail: Detail, layers: &[String], units: &str) -> Filter {
        let layer = |name: &str| layers.is_empty() || layers.iter().any(|pattern| matches(pattern, name));
        let inside = format!("{units}/*");
        let unit = |path: &str| matches(units, path) || matches(&inside, path);
        let units: Vec<Vec<bool>> = (0..scene.tiles())
            .map(|tile| (0..scene.imas(tile)).map(|ima| unit(&scene.ima_path(tile, ima as u8))).collect())
            .collect();
        // Chips that packets only cross have no IMAs in use.
        let mut chips = vec![units.iter().flatten().all(|&shown| shown); scene.chips() as usize];
        for (tile, _) in (0..).zip(&units).filter(|(_, units)| units.contains(&true)) {
            chips[scene.place(tile).0 as usize] = true;
        }
        Filter { cycles, detail, layers: scene.layers().map(layer).collect(), units, chips }
    }

    /// True if at least one layer and one IMA are selected.
    pub fn shows_something(&self) -> bool {
        self.layers.contains(&true) && self.units.iter().flatten().any(|&shown| shown)
    }

    /// True if the load of a carrier is selected. The load of a unit is, whatever the layers that cause it.
    pub(crate) fn carrier(&self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::Layer(layer) => self.layer(layer),
            Carrier::Mesh(chip) | Carrier::Channel(chip, ..) | Carrier::Link(chip, _) => self.chip(chip),
            Carrier::Bus(tile) | Carrier::Writes(tile) => self.tile(tile),
        }
    }

    /// True if the mesh and links of a chip are selected.
    pub(crate) fn chip(&self, chip: u32) -> bool {
        self.chips[chip as usize]
    }

    pub(crate) fn layer(&self, layer: u16) -> bool {
        self.layers[usize::from(layer)]
    }

    pub(crate) fn unit(&self, tile: u32, ima: u8) -> bool {
        self.units[tile as usize][usize::from(ima)]
    }

    pub(crate) fn tile(&self, tile: u32) -> bool {
        self.units[tile as usize].contains(&true)
    }
}

/// True if `text` matches `pattern`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut characters = text.chars();
            let found = characters.next();
            found.is_some_and(|found| wanted == '?' || wanted == found) && matches(rest.as_str(), characters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        assert!(matches("conv3_*", "conv3_1") && matches("*", "") && matches("ch?p*/tile1", "chip0/tile1"));
        assert!(!matches("conv3_*", "conv4_1") && !matches("fc?", "fc") && !matches("fc6", "fc61"));
    }
}

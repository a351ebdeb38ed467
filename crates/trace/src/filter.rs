//! Which part of a run a trace shows.

use std::ops::Range;

use des::Cycle;

use crate::load::Carrier;
use crate::{Detail, Scene};

/// What a trace shows.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Cycles shown; spans are cut at both ends.
    pub cycles: Range<Cycle>,
    /// How much is shown.
    pub detail: Detail,
    layers: Vec<bool>,
    /// IMAs of each tile.
    units: Vec<Vec<bool>>,
    /// Chips with any of these.
    chips: Vec<bool>,
}

impl Filter {
    /// Shows `cycles` of the layers whose names match one of `layers` and of the units whose paths, as
    /// `chip0/tile3/ima5`, match `units`. In patterns, `*` is any text and `?` any character; a pattern of a chip or
    /// tile stands for all that is in it.
    pub fn new(scene: &Scene<'_>, cycles: Range<Cycle>, detail: Detail, layers: &[String], units: &str) -> Filter {
        let layer = |name: &str| layers.is_empty() || layers.iter().any(|pattern| matches(pattern, name));
        let inside = format!("{units}/*");
        let unit = |path: &str| matches(units, path) || matches(&inside, path);
        let units: Vec<Vec<bool>> = (0..scene.tiles())
            .map(|tile| (0..scene.imas(tile)).map(|ima| unit(&scene.ima_path(tile, ima as u8))).collect())
            .collect();
        // Chips that packets only cross have no units.
        let mut chips = vec![units.iter().flatten().all(|&shown| shown); scene.chips() as usize];
        for (tile, _) in (0..).zip(&units).filter(|(_, units)| units.contains(&true)) {
            chips[scene.place(tile).0 as usize] = true;
        }
        Filter { cycles, detail, layers: scene.layers().map(layer).collect(), units, chips }
    }

    /// Whether the trace shows anything at all of the machine.
    pub fn shows_something(&self) -> bool {
        self.layers.contains(&true) && self.units.iter().flatten().any(|&shown| shown)
    }

    /// Whether the load of something is shown: whatever layer it is of, if the unit is.
    pub(crate) fn carrier(&self, carrier: Carrier) -> bool {
        match carrier {
            Carrier::Layer(layer) => self.layer(layer),
            Carrier::Mesh(chip) | Carrier::Channel(chip, ..) | Carrier::Link(chip, _) => self.chip(chip),
            Carrier::Bus(tile) | Carrier::Writes(tile) => self.tile(tile),
        }
    }

    /// Whether what belongs to a chip and to no tile of it is shown.
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

/// Whether `text` is what `pattern` describes.
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

//! Selection of the part of a run that a trace shows.

use std::ops::Range;

use analysis::{Carrier, Scene};
use components::{ChipId, ImaId};
use des::Cycle;
use index::IndexVec;
use mapper::TileId;
use network::LayerId;

use crate::record::{Description, Place};

/// Detail of a trace. Each level includes those above it in this list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Loads per 64 cycles: operations of each layer, flits of each mesh, bits of each link.
    Layer,
    /// Also loads of each tile (bus, writes, buffer fill) and of each mesh link, per 64 cycles.
    #[default]
    Tile,
    /// Also events of each IMA and window: operations, waits, fetches, results, activations, writes; and every change
    /// of a buffer's fill.
    Ima,
    /// Also stages of an operation: crossbars, ADCs and shift-and-adds; in iteration fidelity each iteration.
    Crossbar,
}

/// Selection of cycles, detail, layers and units.
#[derive(Clone, Debug)]
pub struct Filter {
    cycles: Range<Cycle>,
    detail: Detail,
    layers: IndexVec<LayerId, bool>,
    /// Selected IMAs, by tile and IMA.
    units: IndexVec<TileId, IndexVec<ImaId, bool>>,
    /// Chips with a selected IMA. A chip without IMAs in use is selected only if all IMAs are.
    chips: IndexVec<ChipId, bool>,
}

impl Filter {
    /// Selects `cycles` of the layers whose names match one of `layers`, all if it is empty, and of the IMAs whose
    /// paths, such as `chip0/tile3/ima5`, match `units`. In a pattern, `*` matches any text and `?` any character; the
    /// path of a chip or tile matches all its IMAs.
    pub fn new(scene: &Scene<'_>, cycles: Range<Cycle>, detail: Detail, layers: &[String], units: &str) -> Filter {
        let layer = |name: &str| layers.is_empty() || layers.iter().any(|pattern| matches(pattern, name));
        let inside = format!("{units}/*");
        let unit = |path: &str| matches(units, path) || matches(&inside, path);
        let units: IndexVec<TileId, IndexVec<ImaId, bool>> = (scene.tiles())
            .map(|tile| scene.imas(tile).map(|ima| unit(&scene.ima_path(tile, ima))).collect())
            .collect();
        // Chips that packets only cross have no IMAs in use.
        let all = units.iter().flatten().all(|&shown| shown);
        let mut chips: IndexVec<ChipId, bool> = scene.chips().map(|_| all).collect();
        for (tile, _) in units.enumerate().filter(|(_, units)| any(units)) {
            chips[scene.place(tile).0] = true;
        }
        let layers = scene.layers().map(|id| layer(scene.layer(id))).collect();
        Filter { cycles, detail, layers, units, chips }
    }

    /// True if at least one layer and one IMA are selected.
    pub fn shows_something(&self) -> bool {
        any(&self.layers) && self.units.iter().any(any)
    }

    /// Returns the detail of the records.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Returns the selected cycles. Spans are clipped to them.
    pub fn cycles(&self) -> Range<Cycle> {
        self.cycles.clone()
    }

    /// Returns the part of an event's span that is selected; `None` if the event is not.
    #[inline]
    pub(crate) fn shown(&self, event: &Description) -> Option<Range<Cycle>> {
        let Range { start, end } = event.cycles;
        let selected = start < self.cycles.end
            && self.cycles.start < end.max(start + 1)
            && event.layer.is_none_or(|layer| self.layer(layer))
            && self.place(event.place);
        selected.then(|| start.max(self.cycles.start)..end.min(self.cycles.end))
    }

    fn place(&self, place: Place) -> bool {
        match place {
            Place::Ima(tile, ima) => self.unit(tile, ima),
            Place::Tile(tile) => self.tile(tile),
            Place::Carrier(carrier) => self.carrier(carrier),
        }
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
    pub(crate) fn chip(&self, chip: ChipId) -> bool {
        self.chips[chip]
    }

    pub(crate) fn layer(&self, layer: LayerId) -> bool {
        self.layers[layer]
    }

    pub(crate) fn unit(&self, tile: TileId, ima: ImaId) -> bool {
        self.units[tile][ima]
    }

    pub(crate) fn tile(&self, tile: TileId) -> bool {
        any(&self.units[tile])
    }
}

/// True if something is selected.
fn any<I>(selected: &IndexVec<I, bool>) -> bool {
    selected.into_iter().any(|&selected| selected)
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

//! Signals of a waveform: names, widths, numbers, and their places in the hierarchy.

use std::io;

use analysis::Scene;
use components::{ChipId, ImaId};
use index::{Index, IndexVec};
use mapper::TileId;

use crate::{Detail, Filter};

index::index! {
    /// Signal of the waveform.
    pub(crate) struct SignalId(u32);
}

/// Signals of a chip: name, bits, lowest detail. Loads are sums over 64 cycles.
const OF_CHIP: [(&str, u32, Detail); 1] = [("mesh_load", 32, Detail::Layer)];
/// Signals of a tile.
const OF_TILE: [(&str, u32, Detail); 4] = [
    ("bus_load", 32, Detail::Tile),
    ("write_load", 32, Detail::Tile),
    ("buffer_bytes", 32, Detail::Tile),
    ("bus_requests", 16, Detail::Ima),
];
/// Signals of an IMA. `valid` is 1 while the input register holds inputs. The toggles change with every iteration of a
/// stage, in iteration fidelity only.
const OF_IMA: [(&str, u32, Detail); 11] = [
    ("busy", 1, Detail::Ima),
    ("waiting", 1, Detail::Ima),
    ("cause", 4, Detail::Ima),
    ("valid", 1, Detail::Ima),
    ("input_occupancy", 2, Detail::Ima),
    ("output_occupancy", 3, Detail::Ima),
    ("converting", 1, Detail::Crossbar),
    ("accumulating", 1, Detail::Crossbar),
    ("read_toggle", 1, Detail::Crossbar),
    ("convert_toggle", 1, Detail::Crossbar),
    ("accumulate_toggle", 1, Detail::Crossbar),
];
/// Signal of a crossbar.
const OF_CROSSBAR: (&str, u32, Detail) = ("busy", 1, Detail::Crossbar);

pub(crate) const BUS_LOAD: u32 = 0;
pub(crate) const WRITE_LOAD: u32 = 1;
pub(crate) const BUFFER_BYTES: u32 = 2;
pub(crate) const BUS_REQUESTS: u32 = 3;
pub(crate) const BUSY: u32 = 0;
pub(crate) const WAITING: u32 = 1;
pub(crate) const CAUSE: u32 = 2;
const VALID: u32 = 3;
pub(crate) const INPUT_OCCUPANCY: u32 = 4;
pub(crate) const OUTPUT_OCCUPANCY: u32 = 5;
pub(crate) const CONVERTING: u32 = 6;
pub(crate) const ACCUMULATING: u32 = 7;
pub(crate) const READ_TOGGLE: u32 = 8;
pub(crate) const CONVERT_TOGGLE: u32 = 9;
pub(crate) const ACCUMULATE_TOGGLE: u32 = 10;
pub(crate) const CROSSBARS: u32 = ACCUMULATE_TOGGLE + 1;

/// Numbers of the signals: those of the chips, then those of each tile and of its IMAs.
pub(crate) struct Signals {
    /// First signals: of a tile, and of its first IMA.
    tiles: IndexVec<TileId, [SignalId; 2]>,
    per_ima: u32,
    pub(crate) bits: IndexVec<SignalId, u32>,
    /// For an input occupancy, the signal `valid` that follows from it.
    pub(crate) valid: IndexVec<SignalId, Option<SignalId>>,
}

impl Signals {
    pub(crate) fn new(scene: &Scene<'_>) -> Signals {
        let crossbars = scene.arch().ima.crossbars;
        let mut signals = Signals {
            tiles: IndexVec::default(),
            per_ima: CROSSBARS + crossbars,
            bits: IndexVec::default(),
            valid: IndexVec::default(),
        };
        scene.chips().for_each(|_| signals.add(&OF_CHIP));
        for tile in scene.tiles() {
            let first = SignalId::new(signals.bits.len());
            signals.add(&OF_TILE);
            signals.tiles.push([first, SignalId::new(signals.bits.len())]);
            for _ in scene.imas(tile) {
                let first = SignalId::new(signals.bits.len());
                signals.add(&OF_IMA);
                signals.valid[first.after(INPUT_OCCUPANCY)] = Some(first.after(VALID));
                (0..crossbars).for_each(|_| signals.add(&[OF_CROSSBAR]));
            }
        }
        signals
    }

    fn add(&mut self, signals: &[(&str, u32, Detail)]) {
        for &(_, bits, _) in signals {
            self.bits.push(bits);
            self.valid.push(None);
        }
    }

    pub(crate) fn of_chip(chip: ChipId) -> SignalId {
        SignalId(chip.0)
    }

    pub(crate) fn of_tile(&self, tile: TileId, signal: u32) -> SignalId {
        self.tiles[tile][0].after(signal)
    }

    pub(crate) fn of_ima(&self, tile: TileId, ima: ImaId, signal: u32) -> SignalId {
        self.tiles[tile][1].after(u32::from(ima.0) * self.per_ima + signal)
    }
}

impl SignalId {
    /// Returns the signal that follows `number` further on.
    pub(crate) fn after(self, number: u32) -> SignalId {
        SignalId(self.0 + number)
    }
}

/// Returns a layer's name as a valid name of a scope: white space, `$` and `%` are percent-encoded.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if character.is_whitespace() || matches!(character, '$' | '%') {
            let mut bytes = [0; 4];
            character.encode_utf8(&mut bytes).bytes().for_each(|byte| escaped += &format!("%{byte:02X}"));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Declares scopes and variables in the hierarchy chip, tile, IMA, crossbar, for all units that the trace shows.
/// `scope` receives a name, or `None` to close the last scope; `variable` receives number, name and bits of a signal.
pub(crate) fn declare<T>(
    scene: &Scene<'_>,
    filter: &Filter,
    to: &mut T,
    scope: impl Fn(&mut T, Option<&str>) -> io::Result<()>,
    variable: impl Fn(&mut T, SignalId, &str, u32) -> io::Result<()>,
) -> io::Result<()> {
    let signals = Signals::new(scene);
    let all = |to: &mut T, first: SignalId, of: &[(&str, u32, Detail)]| {
        let mut shown = (0..).zip(of).filter(|(_, (.., detail))| *detail <= filter.detail());
        shown.try_for_each(|(signal, (name, bits, _))| variable(to, first.after(signal), name, *bits))
    };
    let mut tiles = scene.tiles().peekable();
    for chip in scene.chips() {
        let of_chip = std::iter::from_fn(|| tiles.next_if(|&tile| scene.place(tile).0 == chip));
        let of_chip: Vec<TileId> = of_chip.collect();
        if !filter.chip(chip) {
            continue;
        }
        scope(to, Some(&format!("chip{chip}")))?;
        all(to, Signals::of_chip(chip), &OF_CHIP)?;
        let shown = |&tile: &TileId| filter.detail() >= Detail::Tile && filter.tile(tile);
        for tile in of_chip.into_iter().filter(shown) {
            scope(to, Some(&format!("tile{}", scene.place(tile).1)))?;
            all(to, signals.of_tile(tile, 0), &OF_TILE)?;
            let shown = |&ima: &ImaId| {
                let layer = filter.layer(scene.layer_of(tile, ima));
                filter.detail() >= Detail::Ima && filter.unit(tile, ima) && layer
            };
            for ima in scene.imas(tile).filter(shown) {
                scope(to, Some(&format!("ima{ima}_{}", escaped(scene.layer(scene.layer_of(tile, ima))))))?;
                let first = signals.of_ima(tile, ima, 0);
                all(to, first, &OF_IMA)?;
                let has_crossbars = filter.detail() >= Detail::Crossbar;
                for crossbar in scene.crossbars(tile, ima).filter(|_| has_crossbars) {
                    scope(to, Some(&format!("crossbar{crossbar}")))?;
                    all(to, first.after(CROSSBARS + crossbar), &[OF_CROSSBAR])?;
                    scope(to, None)?;
                }
                scope(to, None)?;
            }
            scope(to, None)?;
        }
        scope(to, None)?;
    }
    Ok(())
}

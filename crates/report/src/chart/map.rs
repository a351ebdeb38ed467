//! Chips at their places on the board, with their tiles: layers of tiles, and load of tiles and links.

use std::collections::{BTreeMap, BTreeSet};

use analysis::Timeline;
use chip::Cause;
use maud::{Markup, html};

use super::{LINE, Panel, SMALL, WIDTH, fitted, index_of, number, palette, round_step, text_width};
use crate::floorplan::{Floorplan, Tenant};
use crate::format::{counted, grouped};

/// Space around a chip.
const GAP: f64 = 6.0;
/// Height of the number of a chip.
const HEADING: f64 = 18.0;
/// Largest distance of tiles.
const PITCH: f64 = 34.0;
/// Gap between the tiles of two routers, as a part of the distance of tiles.
const ROUTER_GAP: f64 = 0.2;
/// Number of lines for the layers of a chip.
const NAMES: usize = 2;

/// Places of chips and tiles in a drawing.
struct Board<'a> {
    plan: &'a Floorplan<'a>,
    /// Chips drawn.
    chips: Vec<u32>,
    /// Distance of the tiles of a router.
    pitch: f64,
    /// Column and row of the board at which the drawing begins.
    first: (u32, u32),
    /// Size of a chip with its heading and what stands below it.
    size: (f64, f64),
    /// Number of rows of chips.
    rows: u32,
}

impl<'a> Board<'a> {
    /// Places `chips`. `below` is the space below each.
    fn new(plan: &'a Floorplan<'a>, chips: Vec<u32>, below: f64) -> Self {
        let (chip, router) = (&plan.arch.chip, &plan.arch.router);
        let places: Vec<(u32, u32)> = chips.iter().map(|chip| plan.geometry.chip_at(*chip)).collect();
        let span = |of: fn(&(u32, u32)) -> u32| {
            let (first, last) = (places.iter().map(of).min(), places.iter().map(of).max());
            first.zip(last).map_or((0, 1), |(first, last)| (first, last - first + 1))
        };
        let ((first_column, columns), (first_row, rows)) = (span(|place| place.0), span(|place| place.1));
        let pitches = |tiles: u32, of_router: u32| f64::from(tiles) + ROUTER_GAP * f64::from((tiles - 1) / of_router);
        let (across, down) =
            (pitches(chip.tile_columns, router.tile_columns), pitches(chip.tile_rows, router.tile_rows));
        let pitch = (((WIDTH - GAP) / f64::from(columns) - 2.0 * GAP) / across).min(PITCH);
        let size = (across * pitch + 2.0 * GAP, HEADING + down * pitch + below + GAP);
        Board { plan, chips, pitch, first: (first_column, first_row), size, rows }
    }

    fn height(&self) -> f64 {
        f64::from(self.rows) * self.size.1
    }

    /// Returns the upper left corner of the tiles of a chip.
    fn origin(&self, chip: u32) -> (f64, f64) {
        let (column, row) = self.plan.geometry.chip_at(chip);
        let (column, row) = (f64::from(column) - f64::from(self.first.0), f64::from(row) - f64::from(self.first.1));
        (column * self.size.0 + GAP, row * self.size.1 + HEADING)
    }

    /// Returns the upper left corner of a tile.
    fn tile(&self, chip: u32, (column, row): (u32, u32)) -> (f64, f64) {
        let router = &self.plan.arch.router;
        let offset =
            |tile: u32, of_router: u32| self.pitch * (f64::from(tile) + ROUTER_GAP * f64::from(tile / of_router));
        let (x, y) = self.origin(chip);
        (x + offset(column, router.tile_columns), y + offset(row, router.tile_rows))
    }

    /// Returns the side of a tile.
    fn side(&self) -> f64 {
        0.92 * self.pitch
    }

    fn heading(&self, chip: u32) -> Markup {
        let (x, y) = self.origin(chip);
        html! { text x=(number(x)) y=(number(y - 5.0)) font-size="11" { "chip " (chip) } }
    }

    /// Returns the path around the tiles whose layers meet a condition.
    fn tiles(&self, chip: u32, is_shown: impl Fn(&[Tenant]) -> bool) -> String {
        let tiles = self.plan.tiles_of(chip).filter(|(_, tenants)| is_shown(tenants));
        tiles.map(|(place, _)| self.part(chip, place, (0.0, 1.0))).collect()
    }

    /// True if all IMAs of a tile belong to layers.
    fn is_full(&self, tenants: &[Tenant]) -> bool {
        tenants.iter().map(|(_, imas)| imas).sum::<u32>() == self.plan.arch.tile.imas
    }

    /// Returns the path around a part of a tile: its begin and end, 0 to 1.
    fn part(&self, chip: u32, place: (u32, u32), (begin, end): (f64, f64)) -> String {
        let ((x, y), side) = (self.tile(chip, place), self.side());
        let (x, width, height) = (number(x + begin * side), number((end - begin) * side), number(side));
        format!("M{x} {}h{width}v{height}h-{width}z", number(y))
    }
}

/// Draws the layers of each tile, with a legend.
pub(crate) fn floorplan(plan: &Floorplan<'_>) -> Panel {
    let board = Board::new(plan, plan.chips(), 0.0);
    let (legend_height, legend) = layers(plan, board.height() + 8.0);
    let inside = html! {
        @for &chip in &board.chips {
            (board.heading(chip))
            path.empty d=(board.tiles(chip, |tenants| !board.is_full(tenants))) {}
            @for (layer, (path, imas, tiles)) in parts(&board, chip) {
                path.mark d=(path) fill=(palette::layer(layer)) {
                    title { (plan.layers[layer]) " on chip " (chip) ": " (counted(imas, "IMA")) " in " (counted(tiles, "tile")) }
                }
            }
            (names(&board, chip))
        }
        (legend)
    };
    Panel { height: board.height() + 8.0 + legend_height, inside, over: None }
}

/// Returns for each layer of a chip the path around its parts of tiles, its IMAs, and its tiles.
fn parts(board: &Board<'_>, chip: u32) -> BTreeMap<usize, (String, u64, u64)> {
    let imas_of_tile = f64::from(board.plan.arch.tile.imas);
    let mut parts: BTreeMap<usize, (String, u64, u64)> = BTreeMap::new();
    for (place, tenants) in board.plan.tiles_of(chip) {
        let mut begin = 0.0;
        for &(layer, imas) in tenants {
            let end = begin + f64::from(imas) / imas_of_tile;
            let (path, all_imas, tiles) = parts.entry(layer).or_default();
            path.push_str(&board.part(chip, place, (begin, end)));
            (*all_imas, *tiles) = (*all_imas + u64::from(imas), *tiles + 1);
            begin = end;
        }
    }
    parts
}

/// Writes on each stretch of tiles of one layer, along a row, its name where it fits, or else its number.
fn names(board: &Board<'_>, chip: u32) -> Markup {
    let font = SMALL.min(0.72 * board.pitch);
    let mut tiles: Vec<((u32, u32), usize)> =
        board.plan.tiles_of(chip).filter_map(|(place, tenants)| Some((place, tenants.first()?.0))).collect();
    tiles.sort_by_key(|((column, row), _)| (*row, *column));
    let stretches = tiles.chunk_by(|(a, of_a), (b, of_b)| a.1 == b.1 && a.0 + 1 == b.0 && of_a == of_b);
    html! {
        @for stretch in stretches {
            @let (place, layer) = stretch[0];
            @let ((x, y), (end, _)) = (board.tile(chip, place), board.tile(chip, stretch[stretch.len() - 1].0));
            @let width = end - x + board.side();
            @let candidates = [board.plan.layers[layer].to_owned(), (layer + 1).to_string()];
            @if let Some(name) = candidates.into_iter().find(|name| text_width(name, font) <= width) {
                @let of_name = text_width(&name, font);
                // Gaps between the tiles would show through the name.
                rect x=(number(x + 0.5 * (width - of_name))) y=(number(y)) width=(number(of_name)) height=(number(board.side())) fill=(palette::layer(layer)) {}
                text.on x=(number(x + 0.5 * width)) y=(number(y + 0.5 * board.side() + 0.36 * font)) font-size=(number(font)) text-anchor="middle" { (name) }
            }
        }
    }
}

/// Draws the legend of a floorplan from `top` on: number, name, IMAs and tiles of each layer.
fn layers(plan: &Floorplan<'_>, top: f64) -> (f64, Markup) {
    const LINE: f64 = 14.0;
    // Legends of many layers have to leave room for the chips.
    let font = if plan.layers.len() > 60 { 9.0 } else { SMALL };
    let entries: Vec<String> =
        plan.layers.iter().enumerate().map(|(layer, name)| format!("{name}: {}", plan.extent(layer))).collect();
    let widest = entries.iter().map(|entry| text_width(entry, font)).fold(0.0, f64::max) + 38.0;
    let columns = index_of((WIDTH - GAP) / widest).max(1);
    let lines = entries.len().div_ceil(columns);
    let drawn = html! {
        @for (layer, entry) in entries.iter().enumerate() {
            @let (x, y) = (GAP + (layer / lines) as f64 * widest, top + (layer % lines) as f64 * LINE);
            rect x=(number(x)) y=(number(y)) width="24" height="12" fill=(palette::layer(layer)) {}
            text.on x=(number(x + 12.0)) y=(number(y + 9.5)) font-size=(font) text-anchor="middle" { (layer + 1) }
            text x=(number(x + 30.0)) y=(number(y + 9.5)) font-size=(font) { (fitted(entry, font, WIDTH - x - 30.0)) }
        }
    };
    (lines as f64 * LINE + 4.0, drawn)
}

/// Draws the load of tiles and links of a run of `cycles`, with a legend.
pub(crate) fn load(plan: &Floorplan<'_>, timeline: &Timeline, cycles: u64) -> Panel {
    // Chips without layers may pass results on.
    let chips: BTreeSet<u32> = plan.chips().into_iter().chain(timeline.links.keys().map(|link| link.0)).collect();
    let board = Board::new(plan, chips.into_iter().collect(), NAMES as f64 * 12.0 + 6.0);
    let most_flits = timeline.links.values().copied().max().unwrap_or(0);
    let top = LINE + 8.0;
    let inside = html! {
        (scale(most_flits))
        g transform=(format!("translate(0 {top})")) {
            @for &chip in &board.chips {
                (board.heading(chip))
                path.empty d=(board.tiles(chip, <[_]>::is_empty)) {}
                (loaded_tiles(&board, chip, timeline, cycles))
                @for (line, names) in layers_of(plan, chip, board.size.0 - 2.0 * GAP).iter().enumerate() {
                    @let (x, y) = (board.origin(chip).0, board.origin(chip).1 - HEADING + board.size.1 - GAP);
                    text.mute x=(number(x)) y=(number(y - 12.0 * (NAMES - line) as f64 + 8.0)) font-size=(SMALL) { (names) }
                }
            }
            g.wire { (links(&board, timeline, most_flits)) }
        }
    };
    Panel { height: top + board.height(), inside, over: None }
}

/// Returns the opacity of a tile whose IMAs compute in a part of the cycles.
fn shade(busy: f64) -> String {
    format!("{:.2}", 0.08 + 0.92 * busy.clamp(0.0, 1.0))
}

/// Returns the width of a link.
fn thickness(flits: u64, most: u64) -> f64 {
    0.6 + 4.4 * flits as f64 / most.max(1) as f64
}

/// Draws the legend of loads.
fn scale(most_flits: u64) -> Markup {
    let computing = palette::cause(Cause::Computing);
    let step = round_step(most_flits.max(1) as f64).max(1.0);
    let flits = [1.0, 3.0, 6.0].map(|steps| steps * step).into_iter().filter(|flits| *flits <= most_flits as f64);
    html! {
        text x=(GAP) y="12" { "tiles, IMA-cycles computing (%):" }
        @for part in 0..=4u32 {
            @let x = 226.0 + f64::from(part) * 48.0;
            rect.(computing) x=(number(x)) y="2" width="12" height="12" fill-opacity=(shade(0.25 * f64::from(part))) {}
            text x=(number(x + 16.0)) y="12" { (25 * part) }
        }
        @if most_flits > 0 {
            text x="486" y="12" { "links (flits):" }
            @for (index, flits) in flits.enumerate() {
                @let (x, count) = (566.0 + 66.0 * index as f64, index::count(index_of(flits)));
                line.wire x1=(number(x)) x2=(number(x + 14.0)) y1="8" y2="8" stroke-width=(number(thickness(count, most_flits))) {}
                text x=(number(x + 18.0)) y="12" { (grouped(count)) }
            }
        }
    }
}

/// Draws the tiles in use of a chip. Those of the same layers and the same load, in percent, are one mark.
fn loaded_tiles(board: &Board<'_>, chip: u32, timeline: &Timeline, cycles: u64) -> Markup {
    let Floorplan { arch, layers, .. } = board.plan;
    let all = (u64::from(arch.tile.imas) * cycles).max(1);
    let mut marks: BTreeMap<(Vec<usize>, u64), (String, Vec<u32>)> = BTreeMap::new();
    for (tile, (place, tenants)) in (0..).zip(board.plan.tiles_of(chip)).filter(|(_, (_, tenants))| !tenants.is_empty())
    {
        let busy = timeline.tiles.get(&(chip * arch.tiles_per_chip() + tile)).copied().unwrap_or(0);
        let mut tenants: Vec<usize> = tenants.iter().map(|(layer, _)| *layer).collect();
        tenants.sort_unstable();
        // Rounded to a percent.
        let (path, tiles) = marks.entry((tenants, (200 * busy + all) / (2 * all))).or_default();
        path.push_str(&board.part(chip, place, (0.0, 1.0)));
        tiles.push(tile);
    }
    html! {
        g.(palette::cause(Cause::Computing)) {
            @for ((tenants, percent), (path, tiles)) in &marks {
                @let names: Vec<&str> = tenants.iter().map(|layer| layers[*layer]).collect();
                path.mark d=(path) fill-opacity=(shade(0.01 * *percent as f64)) {
                    title { "chip " (chip) ", " (stretches(tiles)) ", " (names.join(", ")) ": " (percent) " % computing" }
                }
            }
        }
    }
}

/// Returns the numbers of tiles in words, as in "tiles 0, 4 to 7".
fn stretches(tiles: &[u32]) -> String {
    let stretches = tiles.chunk_by(|a, b| a + 1 == *b).map(|stretch| match stretch {
        [first, _, .., last] => format!("{first} to {last}"),
        few => few.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
    });
    format!("tile{} {}", if tiles.len() == 1 { "" } else { "s" }, stretches.collect::<Vec<_>>().join(", "))
}

fn links(board: &Board<'_>, timeline: &Timeline, most: u64) -> Markup {
    let router = &board.plan.arch.router;
    // Centre of a router's tiles. The two directions of a link are drawn side by side.
    let middle = |chip: u32, column: u32, row: u32| {
        let (x, y) = board.tile(chip, (column * router.tile_columns, row * router.tile_rows));
        let half = |tiles: u32| 0.5 * (f64::from(tiles) * board.pitch - (board.pitch - board.side()));
        (x + half(router.tile_columns), y + half(router.tile_rows))
    };
    let reach = |tiles: u32| (f64::from(tiles) + ROUTER_GAP) * board.pitch * 0.92;
    html! {
        @for (&(chip, column, row, direction), &flits) in &timeline.links {
            @let (step_x, step_y) = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)][direction as usize];
            @let (x, y) = middle(chip, column, row);
            @let (x, y) = (x - 0.13 * board.pitch * step_y, y + 0.13 * board.pitch * step_x);
            @let to = (x + step_x * reach(router.tile_columns), y + step_y * reach(router.tile_rows));
            path.mark d=(line((x, y), to)) stroke-width=(number(thickness(flits, most))) {
                title { "chip " (chip) ", router (" (column) ", " (row) ") to the " (direction.name()) ": " (counted(flits, "flit")) }
            }
        }
    }
}

fn line(from: (f64, f64), to: (f64, f64)) -> String {
    format!("M{} {}L{} {}", number(from.0), number(from.1), number(to.0), number(to.1))
}

/// Returns the names of the layers of a chip, as stretches of the network, in lines that fit into `width`.
fn layers_of(plan: &Floorplan<'_>, chip: u32, width: f64) -> Vec<String> {
    let layers: BTreeSet<usize> =
        plan.tiles_of(chip).flat_map(|(_, tenants)| tenants.iter().map(|(layer, _)| *layer)).collect();
    let layers: Vec<usize> = layers.into_iter().collect();
    let stretches = layers.chunk_by(|a, b| a + 1 == *b).map(|stretch| match stretch {
        [only] => plan.layers[*only].to_owned(),
        [first, .., last] => format!("{} to {}", plan.layers[*first], plan.layers[*last]),
        [] => unreachable!("a chunk is not empty"),
    });
    let mut lines: Vec<String> = Vec::new();
    for stretch in stretches {
        let full = lines.len() == NAMES;
        match lines.last_mut() {
            Some(last) if full || text_width(&format!("{last}, {stretch},"), SMALL) <= width => {
                *last += &format!(", {stretch}");
            }
            Some(last) => {
                last.push(',');
                lines.push(stretch);
            }
            None => lines.push(stretch),
        }
    }
    lines.iter().map(|line| fitted(line, SMALL, width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_named_by_stretches() {
        assert_eq!(stretches(&[3]), "tile 3");
        assert_eq!(stretches(&[0, 4, 5, 7, 8, 9]), "tiles 0, 4, 5, 7 to 9");
    }
}

//! Floorplans: pictures of the chips in use that show the layers of each tile at its place.
//!
//! Tiles are numbered router by router, as in the mesh, and drawn at their column and row. [`text`] draws letters for a
//! terminal; [`svg`] divides each tile among its layers in proportion to their IMAs.

use std::collections::BTreeMap;

use arch::Arch;
use components::MeshGeometry;
use index::size;
use mapper::Layout;

use crate::chart::{self, Chart};
use crate::format::counted;
use crate::terminal::{paragraph, width as terminal_width};

/// Layer with IMAs in a tile, and their number.
pub(crate) type Tenant = (usize, u32);

/// Contents of the pictures.
pub(crate) struct Floorplan<'a> {
    pub(crate) arch: &'a Arch,
    pub(crate) geometry: MeshGeometry,
    /// Names of the layers.
    pub(crate) layers: Vec<&'a str>,
    /// Tiles of the board in use, with their layers by descending number of IMAs.
    tiles: BTreeMap<u32, Vec<Tenant>>,
}

impl<'a> Floorplan<'a> {
    pub(crate) fn new(arch: &'a Arch, layout: &'a Layout) -> Self {
        let mut tiles: BTreeMap<u32, Vec<Tenant>> = BTreeMap::new();
        for (index, layer) in layout.layers.iter().enumerate() {
            for (tile, _, _) in layer.replicas.indices().flat_map(|replica| layer.places(&arch.tile, replica)) {
                let tenants = tiles.entry(tile.0).or_default();
                match tenants.last_mut() {
                    Some((last, imas)) if *last == index => *imas += 1,
                    _ => tenants.push((index, 1)),
                }
            }
        }
        for tenants in tiles.values_mut() {
            tenants.sort_by_key(|&(layer, imas)| (std::cmp::Reverse(imas), layer));
        }
        let layers = layout.layers.iter().map(|layer| layer.layer.name.as_str()).collect();
        Self { arch, geometry: MeshGeometry::new(arch), layers, tiles }
    }

    /// Returns the chips in use.
    pub(crate) fn chips(&self) -> Vec<u32> {
        let mut chips: Vec<u32> = self.tiles.keys().map(|tile| tile / self.arch.tiles_per_chip()).collect();
        chips.dedup();
        chips
    }

    /// Returns the tiles of `chip`: (column, row) on it, and the layers with IMAs in the tile.
    pub(crate) fn tiles_of(&self, chip: u32) -> impl Iterator<Item = ((u32, u32), &[Tenant])> {
        let per_chip = self.arch.tiles_per_chip();
        (0..per_chip).map(move |tile| {
            let tenants = self.tiles.get(&(chip * per_chip + tile));
            (self.place(tile), tenants.map_or(&[][..], Vec::as_slice))
        })
    }

    /// Returns (column, row) of a tile on its chip. The tiles of a router form a block, numbered row by row.
    fn place(&self, tile: u32) -> (u32, u32) {
        let (columns, rows) = (self.arch.router.tile_columns, self.arch.router.tile_rows);
        let (router_column, router_row) = self.geometry.router_of(tile);
        let in_block = tile % (columns * rows);
        (router_column * columns + in_block % columns, router_row * rows + in_block / columns)
    }

    /// Returns the size of a layer in IMAs and tiles.
    pub(crate) fn extent(&self, layer: usize) -> String {
        let tenants = self.tiles.values().flatten().filter(|(tenant, _)| *tenant == layer);
        let (tiles, imas) = tenants.fold((0, 0), |(tiles, all), (_, imas)| (tiles + 1, all + u64::from(*imas)));
        format!("{} in {}", counted(imas, "IMA"), counted(tiles, "tile"))
    }
}

/// Returns the letters of a layer: one, or two in networks of more than 52 layers.
fn letters(layer: usize, layers: usize) -> String {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let letter = |index: usize| char::from(LETTERS[index % LETTERS.len()]);
    if layers <= LETTERS.len() {
        return letter(layer).to_string();
    }
    [letter(layer / LETTERS.len()), letter(layer)].into_iter().collect()
}

/// Draws the chips in use as letters. Chips of a row of the board stand side by side as far as they fit into
/// the terminal.
pub fn text(arch: &Arch, layout: &Layout) -> String {
    const GAP: usize = 2;
    let plan = Floorplan::new(arch, layout);
    let letters = |layer: usize| letters(layer, plan.layers.len());
    // Columns of a tile: letters and a mark.
    let of_tile = letters(0).len() + 1;
    let (columns, rows) = (size(arch.chip.tile_columns), size(arch.chip.tile_rows));
    let width = of_tile * columns + GAP;
    let beside = ((terminal_width() + GAP) / width).max(1);
    let mut text = String::new();
    for row in plan.chips().chunk_by(|a, b| plan.geometry.chip_at(*a).1 == plan.geometry.chip_at(*b).1) {
        for chips in row.chunks(beside) {
            let mut lines = vec![String::new(); rows + 1];
            for &chip in chips {
                let mut tiles = vec![vec![String::new(); columns]; rows];
                for ((column, row), tenants) in plan.tiles_of(chip) {
                    tiles[size(row)][size(column)] = match tenants {
                        [] => format!("{:<of_tile$}", "."),
                        [(layer, _)] => format!("{} ", letters(*layer)),
                        [(layer, _), ..] => format!("{}+", letters(*layer)),
                    };
                }
                let drawn = std::iter::once(format!("chip {chip}")).chain(tiles.iter().map(|row| row.concat()));
                for (line, drawn) in lines.iter_mut().zip(drawn) {
                    *line += &format!("{drawn:<width$}");
                }
            }
            for line in &lines {
                text.extend([line.trim_end(), "\n"]);
            }
            text.push('\n');
        }
    }
    let names = plan.layers.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (layer, name) in plan.layers.iter().enumerate() {
        text += &format!("{} {name:<names$}  {}\n", letters(layer), plan.extent(layer));
    }
    let legend = ". not in use   + shared by several layers, of which the letter is the one with most IMAs";
    text + &paragraph(legend) + "\n"
}

/// Returns the chips in use as SVG, at their places on the board. Each tile is divided among layers in proportion to
/// their IMAs.
pub fn svg(arch: &Arch, layout: &Layout) -> String {
    drawn(arch, layout).picture(0)
}

/// Draws the chips in use.
pub(crate) fn drawn(arch: &Arch, layout: &Layout) -> Chart {
    Chart {
        name: "floorplan",
        title: "Floorplan",
        text: "Tiles by layer, each divided in proportion to IMAs; grey ones are not in use.".to_owned(),
        panels: vec![chart::floorplan(&Floorplan::new(arch, layout))],
    }
}

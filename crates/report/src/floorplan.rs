//! Floorplans: pictures of the chips in use that show the layers of each tile at its place.
//!
//! Tiles are numbered router by router, as in the mesh, and drawn at their column and row. [`text`] draws letters for a
//! terminal; [`svg`] divides each tile among its layers in proportion to their IMAs.

use std::collections::BTreeMap;

use arch::Arch;
use components::MeshGeometry;
use index::size;
use mapper::Layout;

use crate::format::counted;
use crate::terminal::WIDTH;

/// Layer with IMAs in a tile, and their number.
type Tenant = (usize, u32);

/// Contents of the pictures.
struct Floorplan<'a> {
    arch: &'a Arch,
    geometry: MeshGeometry,
    /// Names of the layers.
    layers: Vec<&'a str>,
    /// Tiles of the board in use, with their layers by descending number of IMAs.
    tiles: BTreeMap<u32, Vec<Tenant>>,
}

impl<'a> Floorplan<'a> {
    fn new(arch: &'a Arch, layout: &'a Layout) -> Self {
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
    fn chips(&self) -> Vec<u32> {
        let mut chips: Vec<u32> = self.tiles.keys().map(|tile| tile / self.arch.tiles_per_chip()).collect();
        chips.dedup();
        chips
    }

    /// Returns the tiles of `chip`: (column, row) on it, and the layers with IMAs in the tile.
    fn tiles_of(&self, chip: u32) -> impl Iterator<Item = ((u32, u32), &[Tenant])> {
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
    fn extent(&self, layer: usize) -> String {
        let tenants = self.tiles.values().flatten().filter(|(tenant, _)| *tenant == layer);
        let (tiles, imas) = tenants.fold((0, 0), |(tiles, all), (_, imas)| (tiles + 1, all + u64::from(*imas)));
        format!("{} in {}", counted(imas, "IMA"), counted(tiles, "tile"))
    }
}

/// Returns the letter of a layer; the 53rd layer starts again with the first.
fn letter(layer: usize) -> char {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char::from(LETTERS[layer % LETTERS.len()])
}

/// Draws the chips in use as letters. Chips of a row of the board stand side by side as far as they fit into 120
/// columns.
pub fn text(arch: &Arch, layout: &Layout) -> String {
    const GAP: usize = 2;
    let plan = Floorplan::new(arch, layout);
    // Two columns for each tile: a letter and a mark.
    let (columns, rows) = (size(arch.chip.tile_columns), size(arch.chip.tile_rows));
    let width = 2 * columns + GAP;
    let beside = ((usize::from(WIDTH) + GAP) / width).max(1);
    let mut text = String::new();
    for row in plan.chips().chunk_by(|a, b| plan.geometry.chip_at(*a).1 == plan.geometry.chip_at(*b).1) {
        for chips in row.chunks(beside) {
            let mut lines = vec![String::new(); rows + 1];
            for &chip in chips {
                let mut tiles = vec![vec![String::new(); columns]; rows];
                for ((column, row), tenants) in plan.tiles_of(chip) {
                    tiles[size(row)][size(column)] = match tenants {
                        [] => ". ".to_owned(),
                        [(layer, _)] => format!("{} ", letter(*layer)),
                        [(layer, _), ..] => format!("{}+", letter(*layer)),
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
        text += &format!("{} {name:<names$}  {}\n", letter(layer), plan.extent(layer));
    }
    text + ". not in use   + shared by several layers, of which the letter is the one with most IMAs\n"
}

/// Side of a tile in the drawing, in pixels.
const TILE: u32 = 22;
/// Gap between the tiles of one router, in pixels; twice that between routers.
const GAP: u32 = 2;
/// Margin around the tiles of a chip, in pixels.
const FRAME: u32 = 8;
/// Height of a line of text, in pixels.
const LINE: u32 = 20;
/// Margin around chips and the legend, in pixels.
const MARGIN: u32 = 16;
/// Width of the legend, in pixels.
const LEGEND: u32 = 280;

/// Draws the chips in use as SVG, at their places on the board. Each tile is divided among layers in proportion to
/// their IMAs.
pub fn svg(arch: &Arch, layout: &Layout) -> String {
    let plan = Floorplan::new(arch, layout);
    let (chips, geometry) = (plan.chips(), &plan.geometry);
    let chip_size = Size {
        width: start(arch.chip.tile_columns, arch.router.tile_columns) + FRAME,
        height: start(arch.chip.tile_rows, arch.router.tile_rows) + FRAME,
    };
    let places = chips.iter().map(|chip| geometry.chip_at(*chip));
    let (last_column, last_row) = places.fold((0, 0), |last, (column, row)| (column.max(last.0), row.max(last.1)));
    // Origin of the chip at a column and row of the board.
    let left = |column: u32| MARGIN + column * (chip_size.width + MARGIN);
    let top = |row: u32| MARGIN + row * (chip_size.height + LINE + MARGIN);
    let legend_height =
        (u32::try_from(plan.layers.len()).expect("a mapping has at most 65,536 layers") + 2) * LINE + MARGIN;

    let (width, height) = (left(last_column + 1) + LEGEND, top(last_row + 1).max(MARGIN + legend_height));
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>text {{ font: 13px sans-serif; fill: #222 }} .letter {{ font-size: 11px; text-anchor: middle }}</style>
<rect width="100%" height="100%" fill="#fff"/>
"##
    );
    for chip in chips {
        let (column, row) = geometry.chip_at(chip);
        draw_chip(&mut svg, &plan, chip, (left(column), top(row)), &chip_size);
    }
    draw_legend(&mut svg, &plan, left(last_column + 1));
    svg + "</svg>\n"
}

/// Width and height, in pixels.
struct Size {
    width: u32,
    height: u32,
}

/// Returns the offset of tile `tile` of a row or column from the edge of its chip, if a router has `block` tiles per
/// row or column.
fn start(tile: u32, block: u32) -> u32 {
    FRAME + tile * (TILE + GAP) + tile / block * GAP
}

fn draw_chip(svg: &mut String, plan: &Floorplan<'_>, chip: u32, (left, top): (u32, u32), size: &Size) {
    let Size { width, height } = size;
    let router = &plan.arch.router;
    *svg += &format!("<text x=\"{left}\" y=\"{}\">chip {chip}</text>\n", top + LINE - 6);
    let top = top + LINE;
    *svg += &format!(
        "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"#fafafa\" stroke=\"#999\"/>\n"
    );
    for ((column, row), tenants) in plan.tiles_of(chip) {
        let (x, y) = (left + start(column, router.tile_columns), top + start(row, router.tile_rows));
        let imas: Vec<String> = tenants
            .iter()
            .map(|(layer, imas)| format!("{} of {}", counted(u64::from(*imas), "IMA"), escaped(plan.layers[*layer])))
            .collect();
        let title = if imas.is_empty() { "not in use".to_owned() } else { imas.join(", ") };
        *svg += &format!(
            "<g><title>{title}</title><rect x=\"{x}\" y=\"{y}\" width=\"{TILE}\" height=\"{TILE}\" fill=\"#e4e4e4\"/>"
        );
        let mut x_of = f64::from(x);
        for (layer, imas) in tenants {
            let width = f64::from(TILE * imas) / f64::from(plan.arch.tile.imas);
            *svg += &format!(
                "<rect x=\"{x_of:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{TILE}\" fill=\"{}\"/>",
                colour(*layer)
            );
            x_of += width;
        }
        if let Some((layer, _)) = tenants.first() {
            let (x, y) = (x + TILE / 2, y + TILE / 2 + 4);
            *svg += &format!("<text class=\"letter\" x=\"{x}\" y=\"{y}\">{}</text>", letter(*layer));
        }
        *svg += "</g>\n";
    }
}

fn draw_legend(svg: &mut String, plan: &Floorplan<'_>, x: u32) {
    let mut y = MARGIN + LINE;
    let mut entry = |colour: &str, letter: &str, text: &str| {
        *svg += &format!(
            "<rect x=\"{x}\" y=\"{}\" width=\"16\" height=\"16\" fill=\"{colour}\"/>\
             <text class=\"letter\" x=\"{}\" y=\"{y}\">{letter}</text><text x=\"{}\" y=\"{y}\">{text}</text>\n",
            y - 12,
            x + 8,
            x + 24
        );
        y += LINE;
    };
    for (layer, name) in plan.layers.iter().enumerate() {
        let text = format!("{}: {}", escaped(name), plan.extent(layer));
        entry(&colour(layer), &letter(layer).to_string(), &text);
    }
    entry("#e4e4e4", "", "not in use");
}

/// Returns a light colour that differs clearly from those of neighbouring layers.
fn colour(layer: usize) -> String {
    // Steps of the golden angle spread any number of hues evenly.
    let hue = (layer as f64 * 137.508) % 360.0;
    let lightness = if layer.is_multiple_of(2) { 80 } else { 72 };
    format!("hsl({hue:.0}, 65%, {lightness}%)")
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

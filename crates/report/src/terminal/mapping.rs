//! Mapping of a network to a machine.

use arch::Arch;
use mapper::Layout;

use super::{paragraph, table};
use crate::format::{grouped, percent};
use crate::mapping::{LayerPlace, places};

/// Returns a table with a line for each layer of `layout`, and the totals of the board.
pub fn mapping(arch: &Arch, layout: &Layout) -> String {
    let headings = [
        "layer",
        "row blocks",
        "col blocks",
        "crossbars",
        "IMA shape",
        "replicas",
        "IMAs",
        "tiles",
        "chips",
        "buffer (B)",
        "cells used",
    ];
    let mut table = table(&headings, &[0]).sparing(&[8, 1, 2]);
    let layers = places(arch, layout);
    for layer in &layers {
        table.add_row([
            layer.name.clone(),
            grouped(layer.row_blocks.into()),
            grouped(layer.col_blocks.into()),
            grouped(layer.crossbars),
            format!("{} x {}", layer.ima_rows, layer.ima_cols),
            grouped(layer.replicas),
            grouped(layer.imas),
            grouped(layer.tiles),
            grouped(layer.chips),
            grouped(layer.buffer_bytes),
            percent(layer.utilisation),
        ]);
    }
    let sum = |figure: fn(&LayerPlace) -> u64| layers.iter().map(figure).sum::<u64>();
    let (mapped, available) = (sum(|layer| layer.crossbars * layer.replicas), arch.crossbars());
    let totals = format!(
        "{} on {}: {} of {} crossbars hold weights ({}), in {} of {} IMAs\n\
         one replica of each layer needs {} crossbars\n",
        layout.mapping.network,
        arch.name,
        grouped(mapped),
        grouped(available),
        percent(mapped as f64 / available as f64),
        grouped(sum(|layer| layer.imas)),
        grouped(arch.imas().into()),
        grouped(sum(|layer| layer.crossbars)),
    );
    format!("{}\n\n{}", table.trim_fmt(), paragraph(&totals))
}

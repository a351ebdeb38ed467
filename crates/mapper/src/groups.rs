//! Crossbars of grouped convolutions.
//!
//! Groups never share a column: a column adds up all its rows. Several groups stand diagonally in one crossbar, each in
//! rows and columns of its own, and the cells beside the diagonal are unused. A group that does not fit a crossbar is
//! cut like a layer of its own.

use arch::Arch;
use network::Layer;

/// Returns the crossbars of one replica of `layer` with weights of `weight_bits` bits, groups packed diagonally.
pub fn packed_crossbars(arch: &Arch, layer: &Layer, weight_bits: u32) -> u64 {
    let (rows, groups) = (layer.rows(), layer.groups);
    let columns = layer.output.channels / groups * arch.columns_per_weight(weight_bits);
    let per_crossbar = (arch.crossbar.rows / rows).min(arch.crossbar.columns / columns);
    if groups > 1 && per_crossbar > 0 {
        return groups.div_ceil(per_crossbar).into();
    }
    let of_group = u64::from(rows.div_ceil(arch.crossbar.rows)) * u64::from(columns.div_ceil(arch.crossbar.columns));
    u64::from(groups) * of_group
}

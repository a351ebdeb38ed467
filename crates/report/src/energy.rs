//! Energy as exact counts times energy per action: the product is taken once, at the end.

use arch::{Arch, adc_scale};
use chip::Counts;

/// What a group of equal units did in a run, or in a part of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupEnergy {
    /// Name of the group, as in [`arch::derived`].
    pub name: &'static str,
    /// What the group counts.
    pub action: &'static str,
    /// How many of these there were.
    pub actions: u64,
    /// Energy of one, pJ.
    pub pj_per_action: f64,
}

impl GroupEnergy {
    /// Dynamic energy of the group, pJ.
    pub fn pj(&self) -> f64 {
        self.actions as f64 * self.pj_per_action
    }
}

/// Dynamic energy of each group for the actions in `counts`, from the crossbars outwards.
pub fn energy(arch: &Arch, counts: &Counts) -> Vec<GroupEnergy> {
    let energy = &arch.energy;
    let adc_conversion = energy.adc_conversion_8_bits.pj * adc_scale(arch.adc.bits);
    let input_register_bits = counts.input_register_bits_written + counts.input_register_bits_read;
    let edram_bits = counts.edram_bits_read + counts.edram_bits_written;
    let group = |name, action, actions, pj_per_action| GroupEnergy { name, action, actions, pj_per_action };
    vec![
        group("adc", "conversions", counts.adc_conversions, adc_conversion),
        group("dac", "rows driven", counts.dac_activations, energy.dac_row.pj),
        group("crossbar", "cells read", counts.crossbar_cells, energy.crossbar_cell.pj),
        group("sample_hold", "columns held", counts.sample_holds, energy.sample_hold_column.pj),
        group("shift_add", "values merged", counts.shift_adds, energy.shift_add_value.pj),
        group("input_register", "bits in and out", input_register_bits, energy.input_register_bit.pj),
        group("output_register", "values", counts.output_register_values, energy.output_register_value.pj),
        group("edram_buffer", "bits in and out", edram_bits, energy.edram_bit.pj),
        group("bus", "bits", counts.bus_bits, energy.bus_bit.pj),
        group("tile_output_register", "bits in", counts.tile_output_register_bits, energy.tile_output_register_bit.pj),
        group("tile_shift_add", "values merged", counts.tile_shift_adds, energy.tile_shift_add_value.pj),
        group("sigmoid", "values", counts.sigmoids, energy.sigmoid_value.pj),
        group("max_pool", "values in", counts.max_pools, energy.max_pool_value.pj),
        group("router", "flit hops", counts.router_flit_hops, energy.router_flit.pj),
        group("hyper_transport", "bits", counts.link_bits, energy.hyper_transport_bit.pj),
    ]
}

/// Dynamic energy of all groups, pJ.
pub fn total_pj(groups: &[GroupEnergy]) -> f64 {
    groups.iter().map(GroupEnergy::pj).sum()
}

/// Energy that a group draws whether or not anything happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaticEnergy {
    /// Name of the group, as in [`arch::derived`].
    pub name: &'static str,
    /// Energy, pJ.
    pub pj: f64,
}

/// Static energy of each group of `chips` chips over `time_ns`.
pub fn static_energy(arch: &Arch, chips: u32, time_ns: f64) -> Vec<StaticEnergy> {
    // mW x ns = pJ.
    let hyper_transport = arch.static_power.hyper_transport.mw * f64::from(chips) * time_ns;
    vec![StaticEnergy { name: "hyper_transport", pj: hyper_transport }]
}

//! Energy of component groups: counted actions times energy per action, and power times time.
//!
//! Counts are exact integers, and the product is taken once, so energies do not depend on the order of events. The
//! group names are those of [`arch::derived`], whose power at rated load follows from the same coefficients.

use arch::{Arch, adc_energy_scale};
use chip::Counts;

/// Actions of a component group in a run or in one layer of it, with their energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupEnergy {
    /// Name of the group, as in [`arch::derived`].
    pub name: &'static str,
    /// Counted action.
    pub action: &'static str,
    /// Number of actions.
    pub actions: u64,
    /// Energy per action, pJ.
    pub pj_per_action: f64,
}

impl GroupEnergy {
    /// Returns the dynamic energy of the group, pJ.
    pub fn pj(&self) -> f64 {
        self.actions as f64 * self.pj_per_action
    }
}

/// Returns the dynamic energy of each group for the actions in `counts`. Groups are in the order from the IMA outwards.
pub fn energy(arch: &Arch, counts: &Counts) -> Vec<GroupEnergy> {
    let energy = &arch.energy;
    let adc_conversion = energy.adc_conversion_8_bits.pj * adc_energy_scale(arch.adc.bits);
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

/// Returns the dynamic energy of all groups, pJ.
pub fn total_pj(groups: &[GroupEnergy]) -> f64 {
    groups.iter().map(GroupEnergy::pj).sum()
}

/// Static energy of a component group: drawn whether or not it acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaticEnergy {
    /// Name of the group, as in [`arch::derived`].
    pub name: &'static str,
    /// Energy, pJ.
    pub pj: f64,
}

/// Returns the static energy of each group of `chips` chips over `time_ns` ns.
pub fn static_energy(arch: &Arch, chips: u32, time_ns: f64) -> Vec<StaticEnergy> {
    // mW x ns = pJ.
    let hyper_transport = arch.static_power.hyper_transport.mw * f64::from(chips) * time_ns;
    vec![StaticEnergy { name: "hyper_transport", pj: hyper_transport }]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_groups_are_those_whose_power_and_area_follow_from_a_machine() {
        let arch = arch::load("isaac-ce").unwrap();
        let derived = arch::derived::derived(&arch);
        let with_power: BTreeSet<_> = derived.groups.iter().map(|group| group.name).collect();
        let with_energy: BTreeSet<_> = energy(&arch, &Counts::default()).iter().map(|group| group.name).collect();
        assert_eq!(with_energy, with_power);
    }

    #[test]
    fn energy_is_counts_times_energy_per_action() {
        let arch = arch::load("isaac-ce").unwrap();
        let counts = Counts {
            adc_conversions: 3,
            input_register_bits_written: 5,
            input_register_bits_read: 7,
            edram_bits_read: 11,
            edram_bits_written: 13,
            ..Counts::default()
        };
        let per_action = &arch.energy;
        let expected = 3.0 * per_action.adc_conversion_8_bits.pj
            + 12.0 * per_action.input_register_bit.pj
            + 24.0 * per_action.edram_bit.pj;
        assert!((total_pj(&energy(&arch, &counts)) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_conversion_costs_what_its_resolution_asks_for() {
        let (text, file) = arch::text("isaac-ce").unwrap();
        let arch = arch::with_overrides(&text, &file, &[("adc.bits", 6.into())]).unwrap();
        let adc = energy(&arch, &Counts::default())[0];
        assert_eq!((adc.name, adc.pj_per_action), ("adc", 1.5625 * adc_energy_scale(6)));
    }

    #[test]
    fn links_draw_power_for_as_long_as_the_run_lasts() {
        let arch = arch::load("isaac-ce").unwrap();
        // 2 chips x 10.4 W x 100 ns.
        let [links] = static_energy(&arch, 2, 100.0)[..] else { panic!("one group") };
        assert_eq!(links, StaticEnergy { name: "hyper_transport", pj: 2_080_000.0 });
    }
}

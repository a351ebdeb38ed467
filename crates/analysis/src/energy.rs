//! Energy of component groups: counted actions times energy per action, and power times time.
//!
//! Counts are exact integers, and the product is taken once, so energies do not depend on the order of events. A group
//! is a block of the catalogue ([`arch::BLOCKS`]), whose power at rated load follows from the same coefficients.

use arch::{Arch, BLOCKS, Block, Counts};

/// Actions of a component group in a run or in one layer of it, with their energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupEnergy {
    /// Name of the group, as in [`arch::BLOCKS`].
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
    energy_of(BLOCKS, arch, counts)
}

/// Returns the dynamic energy of each of `blocks` for the actions in `counts`.
pub fn energy_of(blocks: &[Block], arch: &Arch, counts: &Counts) -> Vec<GroupEnergy> {
    let energies = blocks.iter().map(|block| GroupEnergy {
        name: block.name,
        action: block.action,
        actions: (block.actions)(arch, counts),
        pj_per_action: (block.pj_per_action)(arch),
    });
    energies.collect()
}

/// Returns the dynamic energy of all groups, pJ.
pub fn total_pj(groups: &[GroupEnergy]) -> f64 {
    groups.iter().map(GroupEnergy::pj).sum()
}

/// Static energy of a component group: drawn whether or not it acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaticEnergy {
    /// Name of the group, as in [`arch::BLOCKS`].
    pub name: &'static str,
    /// Energy, pJ.
    pub pj: f64,
}

/// Returns the static energy of each group of `chips` chips over `time_ns` ns.
pub fn static_energy(arch: &Arch, chips: u32, time_ns: f64) -> Vec<StaticEnergy> {
    let energies = BLOCKS.iter().filter_map(|block| {
        let scopes = block.scope.per_chip(arch) * f64::from(chips);
        // mW x ns = pJ.
        block.static_mw.map(|power| StaticEnergy { name: block.name, pj: power(arch) * scopes * time_ns })
    });
    energies.collect()
}

#[cfg(test)]
mod tests {
    use arch::adc_energy_scale;

    use super::*;

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
        let expected = 3.0 * per_action.adc.adc_conversion_8_bits.pj
            + 12.0 * per_action.input_register.input_register_bit.pj
            + 24.0 * per_action.edram.edram_bit.pj;
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

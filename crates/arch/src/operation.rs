//! Length of an operation of an IMA, to which several of its blocks contribute.

use network::FULL_PRECISION_BITS;

use crate::Arch;

/// Returns the columns per read of the busiest of `units` ADCs or shift-and-adds, to which `crossbars` crossbars of
/// `columns` columns each are dealt.
pub fn columns_of_busiest(units: u32, crossbars: u32, columns: u32) -> u32 {
    crossbars.div_ceil(units) * columns
}

impl Arch {
    /// Returns the cycles per iteration of a fully used IMA: those of its slowest unit, at least 1.
    pub fn cycles_per_iteration(&self) -> u32 {
        self.conversion_cycles(self.columns_per_adc()).max(self.merge_cycles(self.columns_per_shift_add()))
    }

    /// Returns the cycles from one operation of an IMA to the next at 16-bit activations: those of its reads or, if
    /// longer, the time that an operation keeps an output register over the number of these.
    pub(crate) fn cycles_per_operation(&self) -> f64 {
        let (iterations, cycles) = (self.iterations(FULL_PRECISION_BITS), self.cycles_per_iteration());
        let conversion = self.conversion_cycles(self.columns_per_adc());
        let merge = self.merge_cycles(self.columns_per_shift_add());
        // From the first read to the last, and its conversion, shift-and-add and transfer to the tile.
        let kept = (iterations - 1) * cycles + 1 + conversion + merge + 1;
        f64::from(iterations * cycles).max(f64::from(kept) / f64::from(self.ima.output_registers))
    }

    /// Returns the results per cycle of an IMA whose operations follow each other as fast as they can.
    pub(crate) fn results_per_cycle_of_ima(&self) -> f64 {
        let results = f64::from(self.results_per_crossbar(FULL_PRECISION_BITS));
        f64::from(self.ima.crossbars) * results / self.cycles_per_operation()
    }

    /// Returns the results per cycle of a tile of such IMAs.
    pub(crate) fn results_per_cycle_of_tile(&self) -> f64 {
        f64::from(self.tile.imas) * self.results_per_cycle_of_ima()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_operation_of_isaac_lasts_its_16_reads_unless_it_has_too_few_output_registers() {
        let mut arch = crate::load("isaac-ce").expect("the preset is built in");
        assert_eq!(arch.cycles_per_operation(), 16.0);
        // Reads in 15 cycles after the first, which takes one, then conversion, merge and transfer: 19 cycles.
        arch.ima.output_registers = 1;
        assert_eq!(arch.cycles_per_operation(), 19.0);
    }
}

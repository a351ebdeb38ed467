//! Cost of a prediction: operations, and the energy and latency that follow from them.

use std::ops::AddAssign;

/// Energy of adding or comparing two numbers of 32 bits, pJ (Horowitz, ISSCC 2014, 45 nm).
const ADDITION_PJ: f64 = 0.1;
/// Energy of multiplying two numbers of 32 bits, pJ (as above).
const MULTIPLICATION_PJ: f64 = 3.1;
/// Multiplications per division, square root or logarithm: two steps of Newton's method.
const MULTIPLICATIONS_PER_FUNCTION: f64 = 4.0;
/// Bits of a stored value of the picture, equal to those of the network's inputs.
const BITS_PER_VALUE: u64 = 16;

/// Operations in parallel, and operations per lane and ns: 16 lanes at the 1 GHz of ISAAC's digital parts [ours].
const LANES: f64 = 16.0;
const OPERATIONS_PER_NS: f64 = 1.0;

/// Operations of digital logic outside the crossbars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Values read from eDRAM.
    pub(crate) values_read: u64,
    /// Additions, subtractions and comparisons.
    pub(crate) additions: u64,
    /// Multiplications.
    pub(crate) multiplications: u64,
    /// Divisions, square roots and logarithms.
    pub(crate) functions: u64,
}

impl Operations {
    /// Energy in pJ, at `edram_bit_pj` for each bit read from eDRAM. All numbers count as 32 bits wide, more than a
    /// dedicated circuit would need.
    pub fn energy_pj(&self, edram_bit_pj: f64) -> f64 {
        self.bits_read() * edram_bit_pj
            + self.additions as f64 * ADDITION_PJ
            + self.all_multiplications() * MULTIPLICATION_PJ
    }

    /// Time in ns until the plan is known, at `edram_bits_per_ns` of one eDRAM port: all values are read through the
    /// port, then 16 lanes at 1 GHz do an addition or a multiplication each. An upper estimate, since reading and
    /// computing could overlap. The network starts after it.
    pub fn latency_ns(&self, edram_bits_per_ns: f64) -> f64 {
        let operations = self.additions as f64 + self.all_multiplications();
        self.bits_read() / edram_bits_per_ns + operations / (LANES * OPERATIONS_PER_NS)
    }

    fn bits_read(&self) -> f64 {
        (self.values_read * BITS_PER_VALUE) as f64
    }

    /// Multiplications, those of functions included.
    fn all_multiplications(&self) -> f64 {
        self.multiplications as f64 + MULTIPLICATIONS_PER_FUNCTION * self.functions as f64
    }
}

impl AddAssign for Operations {
    fn add_assign(&mut self, other: Operations) {
        self.values_read += other.values_read;
        self.additions += other.additions;
        self.multiplications += other.multiplications;
        self.functions += other.functions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_operations_one_by_one() {
        let operations = Operations { values_read: 10, additions: 32, multiplications: 4, functions: 3 };
        // 160 bits; 16 multiplications.
        assert!((operations.energy_pj(0.5) - (80.0 + 3.2 + 49.6)).abs() < 1e-9);
        assert!((operations.latency_ns(80.0) - (2.0 + 3.0)).abs() < 1e-9);
    }
}

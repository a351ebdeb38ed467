//! What looking at a picture costs.

use std::ops::AddAssign;

/// Energy of adding or comparing two numbers of 32 bits, pJ (Horowitz, ISSCC 2014, 45 nm).
const ADDITION_PJ: f64 = 0.1;
/// Energy of multiplying two numbers of 32 bits, pJ (as above).
const MULTIPLICATION_PJ: f64 = 3.1;
/// Multiplications that a division, square root or logarithm is taken for: two steps of Newton's method.
const MULTIPLICATIONS_PER_FUNCTION: f64 = 4.0;
/// Bits in which a value of the picture is stored, as the network's inputs are.
const BITS_PER_VALUE: u64 = 16;

/// Operations of the digital logic beside the crossbars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Values read from eDRAM.
    pub values_read: u64,
    /// Additions, subtractions and comparisons.
    pub additions: u64,
    /// Multiplications.
    pub multiplications: u64,
    /// Divisions, square roots and logarithms.
    pub functions: u64,
}

impl Operations {
    /// Energy in pJ, when reading a bit of eDRAM takes `edram_bit_pj`. Numbers are taken for 32 bits wide throughout,
    /// which is more than a circuit of its own would need.
    pub fn energy_pj(&self, edram_bit_pj: f64) -> f64 {
        let multiplications = self.multiplications as f64 + MULTIPLICATIONS_PER_FUNCTION * self.functions as f64;
        (self.values_read * BITS_PER_VALUE) as f64 * edram_bit_pj
            + self.additions as f64 * ADDITION_PJ
            + multiplications * MULTIPLICATION_PJ
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

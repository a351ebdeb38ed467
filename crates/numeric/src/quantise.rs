//! Fixed-point numbers: quantisation by rounding.

use multiversion::multiversion;
use ndarray::{Array, ArrayView, Dimension};

use crate::error::{Error, check_finite, check_precision};

/// A fixed-point format: two's complement integers of 2 to 16 bits in units of a power of two.
///
/// The step is a power of two, the meaning of "fixed point" in the papers, so that the machine changes formats by
/// shifts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FixedPoint {
    bits: u32,
    step: f32,
}

impl FixedPoint {
    /// The finest format of `bits` bits that holds every value from -`max_abs` to `max_abs`. A range of zero gets steps
    /// of one.
    ///
    /// # Errors
    /// If `bits` is not 2 to 16 or `max_abs` is not finite.
    #[expect(clippy::cast_possible_truncation, reason = "exponents of f32 are within i32")]
    pub(crate) fn covering(bits: u32, max_abs: f32) -> Result<Self, Error> {
        check_precision("a fixed-point format", bits)?;
        check_finite("the range of a fixed-point format", [&max_abs])?;
        let max_abs = max_abs.abs();
        if max_abs == 0.0 {
            return Ok(Self { bits, step: 1.0 });
        }
        let levels = f32::from(largest(bits));
        // The division may round, also across a power of two, which the comparison corrects.
        let mut exponent = (max_abs / levels).log2().ceil() as i32;
        while levels * step(exponent) < max_abs {
            exponent += 1;
        }
        while levels * step(exponent - 1) >= max_abs {
            exponent -= 1;
        }
        Ok(Self { bits, step: step(exponent) })
    }

    /// Real value of one unit of the integers.
    pub(crate) fn step(self) -> f32 {
        self.step
    }

    /// The nearest integer, halves away from zero. Values that are too large saturate, symmetrically.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the format")]
    fn quantise(self, value: f32) -> i16 {
        let limit = f32::from(largest(self.bits));
        self.nearest(value).clamp(-limit, limit) as i16
    }

    /// True if `value` is too large for the format.
    #[inline]
    fn saturates(self, value: f32) -> bool {
        self.nearest(value).abs() > f32::from(largest(self.bits))
    }

    /// Quantises an array, and counts the values that are too large.
    pub(crate) fn quantise_array<D: Dimension>(self, values: ArrayView<f32, D>) -> (Array<i16, D>, u64) {
        let values = values.as_standard_layout();
        let mut quantised = Array::zeros(values.raw_dim());
        let contiguous = "an array in standard layout is contiguous";
        let saturated =
            quantise_all(self, values.as_slice().expect(contiguous), quantised.as_slice_mut().expect(contiguous));
        (quantised, saturated)
    }

    #[inline]
    fn nearest(self, value: f32) -> f32 {
        // The product with the inverse of a power of two is exact.
        (value * self.step.recip()).round()
    }
}

/// Quantises `values` and returns the number of those that saturate. Without SSE 4.1 each rounding is a function call.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.1"))]
fn quantise_all(format: FixedPoint, values: &[f32], quantised: &mut [i16]) -> u64 {
    let mut saturated = 0;
    for (to, &value) in quantised.iter_mut().zip(values) {
        *to = format.quantise(value);
        saturated += u64::from(format.saturates(value));
    }
    saturated
}

/// Two to the power of `exponent`, never below the smallest normal number, whose inverse is finite.
fn step(exponent: i32) -> f32 {
    2f32.powi(exponent.max(-126))
}

/// Largest integer of `bits` bits.
fn largest(bits: u32) -> i16 {
    i16::MAX >> (16 - bits)
}

/// Converts `value` of `from` bits to units 2^(from - to) times as large: half rounds up, and large values saturate.
#[expect(clippy::cast_possible_truncation, reason = "shifted, it is narrower than before")]
pub(crate) fn drop_low_bits(value: i16, from: u32, to: u32) -> i16 {
    let dropped = from - to;
    if dropped == 0 {
        return value;
    }
    let rounded = (i32::from(value) + (1 << (dropped - 1))) >> dropped;
    rounded.min(i32::from(largest(to))) as i16
}

#[cfg(test)]
mod tests {
    use ndarray::arr1;

    use super::*;

    #[test]
    fn a_format_is_the_finest_power_of_two_that_holds_the_range() {
        for bits in 2..=16 {
            for max_abs in [1e-30f32, 0.3, 0.999, 1.0, 1.001, 7.0, 32767.0, 1e30] {
                let format = FixedPoint::covering(bits, max_abs).unwrap();
                let top = f32::from(largest(bits)) * format.step();
                assert!(top >= max_abs && top / 2.0 < max_abs, "{bits} {max_abs}");
                assert_eq!(format.step().log2().fract(), 0.0);
            }
        }
    }

    #[test]
    fn quantisation_is_off_by_half_a_step_at_most_and_saturates() {
        let format = FixedPoint::covering(8, 1.0).unwrap();
        for i in -1000..=1000 {
            let value = i as f32 / 1000.0;
            let error = format.step() * f32::from(format.quantise(value)) - value;
            assert!(error.abs() <= format.step() / 2.0);
        }
        assert_eq!(format.quantise(1e9), 127);
        assert_eq!(format.quantise(-1e9), -127);
        assert!(format.saturates(-1e9) && !format.saturates(1.0));
        let values = arr1(&[0.5, -3.0, 1.0, 2.0]);
        let expected = (arr1(&[32, -127, 64, 127]), 2);
        assert_eq!(format.quantise_array(values.view()), expected);
    }

    #[test]
    fn dropped_bits_round_and_saturate() {
        assert_eq!(drop_low_bits(0b0110, 16, 14), 2);
        assert_eq!(drop_low_bits(0b0101, 16, 14), 1);
        assert_eq!(drop_low_bits(-6, 16, 14), -1);
        assert_eq!(drop_low_bits(-7, 16, 14), -2);
        assert_eq!(drop_low_bits(i16::MAX, 16, 4), 7);
        assert_eq!(drop_low_bits(i16::MIN, 16, 4), -8);
        assert_eq!(drop_low_bits(5, 8, 8), 5);
    }
}

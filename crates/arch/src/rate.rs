//! Rates per cycle as exact fractions.
//!
//! A rate per ns times the length of a cycle is seldom a whole number, and doubles would round it: 1.28 conversions a
//! ns in 100 ns would be a little less or more than 128. A [`Rate`] is built from the decimals of the file instead.

/// Significant digits of a decimal: more than any data sheet gives, fewer than the 15 that a double keeps.
const DIGITS: u8 = 12;

/// Actions of a unit per cycle, as an exact fraction: the rate times the length of a cycle, both as decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Numerator of the fraction in lowest terms.
    numerator: u128,
    denominator: u128,
}

/// Division of a cycle into equal times, of which each action takes a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Times per cycle.
    pub per_cycle: u64,
    /// Times per action.
    pub per_action: u64,
}

impl Rate {
    /// Returns the rate of `units` times `per_ns` actions per ns, for a cycle of `cycle_ns` ns.
    pub(crate) fn new(units: u32, per_ns: f64, cycle_ns: f64) -> Self {
        let ((rate, rate_exponent), (cycle, cycle_exponent)) = (decimal(per_ns), decimal(cycle_ns));
        let power = |exponent: i32| u32::try_from(exponent).map_or(1, |exponent| 10u128.pow(exponent));
        let exponent = rate_exponent + cycle_exponent;
        let (numerator, denominator) = (u128::from(units) * rate * cycle * power(exponent), power(-exponent));
        let common = greatest_common_divisor(numerator, denominator);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// Returns the division of a cycle that states when actions end: exact if both terms of the fraction are below
    /// 2^32, otherwise to about one part in 2^32.
    pub fn times(self) -> Times {
        // The times of 2^32 cycles can be counted in 64 bits.
        const MOST: u128 = 1 << 32;
        let Self { numerator, denominator } = self;
        if numerator.max(denominator) < MOST {
            return Times { per_cycle: narrow(numerator), per_action: narrow(denominator) };
        }
        let per_action = (MOST * denominator / numerator).max(1);
        let per_cycle = (2 * numerator * per_action / denominator).div_ceil(2).min(MOST);
        Times { per_cycle: narrow(per_cycle), per_action: narrow(per_action) }
    }

    /// Returns the cycles that `actions` take if the first begins with a cycle, rounded up.
    pub fn cycles(self, actions: u64) -> u64 {
        let times = u128::from(actions) * self.denominator;
        narrow(times.div_ceil(self.numerator))
    }

    /// Returns the actions per cycle, rounded to a double.
    pub fn per_cycle(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

/// Returns `value` as (whole number, power of ten): the decimal that it was written as, if that has at most [`DIGITS`]
/// digits.
fn decimal(value: f64) -> (u128, i32) {
    let text = format!("{value:.*e}", usize::from(DIGITS - 1));
    let (digits, exponent) = text.split_once('e').expect("scientific notation has an exponent");
    let digits = digits.replace('.', "").parse().expect("rates and cycles are positive numbers");
    (digits, exponent.parse::<i32>().expect("an exponent is a number") - i32::from(DIGITS - 1))
}

/// A cycle has at least one action, so cycles and times are no more than actions, or 2^32.
fn narrow(number: u128) -> u64 {
    u64::try_from(number).expect("a machine's rates are at least one action per cycle")
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Significant digits of a decimal that count: more than any data sheet gives, fewer than the 15 that a double keeps.
const DIGITS: usize = 12;

/// What a unit does in a cycle, as an exact fraction: a rate times the length of a cycle is seldom a whole number.
///
/// Both are decimals in their file. Their nearest doubles would make 1.28 a ns in 100 ns a hair less or more than 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Over the denominator, in lowest terms.
    numerator: u128,
    denominator: u128,
}

/// Equal times into which a cycle is cut, so that each action takes a whole number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Times of a cycle.
    pub per_cycle: u64,
    /// Times of an action.
    pub per_action: u64,
}

impl Rate {
    /// `units` times `per_ns` in each ns of a cycle of `cycle_ns`.
    pub(crate) fn new(units: u32, per_ns: f64, cycle_ns: f64) -> Self {
        let ((rate, rate_exponent), (cycle, cycle_exponent)) = (decimal(per_ns), decimal(cycle_ns));
        let power = |exponent: i32| 10u128.pow(exponent.max(0) as u32);
        let exponent = rate_exponent + cycle_exponent;
        let (numerator, denominator) = (u128::from(units) * rate * cycle * power(exponent), power(-exponent));
        let common = greatest_common_divisor(numerator, denominator);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// The finest times needed to tell when actions end: exact where both terms are below 2^32, else to one part in
    /// 2^32.
    pub fn times(self) -> Times {
        // So many that those of 2^32 cycles can be counted in 64 bits.
        const MOST: u128 = 1 << 32;
        let Self { numerator, denominator } = self;
        if numerator.max(denominator) < MOST {
            return Times { per_cycle: numerator as u64, per_action: denominator as u64 };
        }
        let per_action = (MOST * denominator / numerator).max(1);
        let per_cycle = (2 * numerator * per_action / denominator).div_ceil(2).min(MOST);
        Times { per_cycle: per_cycle as u64, per_action: per_action as u64 }
    }

    /// Cycles for `actions` that begin with a cycle, the last of them begun counted as a whole.
    pub fn cycles(self, actions: u64) -> u64 {
        let times = u128::from(actions) * self.denominator;
        times.div_ceil(self.numerator) as u64
    }

    /// Actions in a cycle, rounded as doubles are.
    pub fn per_cycle(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

/// `value` as a whole number times a power of ten: the decimal it was written as, if that has at most [`DIGITS`]
/// digits.
fn decimal(value: f64) -> (u128, i32) {
    let text = format!("{value:.*e}", DIGITS - 1);
    let (digits, exponent) = text.split_once('e').expect("scientific notation has an exponent");
    let digits = digits.replace('.', "").parse().expect("rates and cycles are positive numbers");
    (digits, exponent.parse::<i32>().expect("an exponent is a number") - (DIGITS as i32 - 1))
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

//! Conversion of cycles to time stamps.

use analysis::Scene;

/// Largest number of time units per cycle. The stamps of 10^10 cycles then fit in 64 bits.
const MOST_UNITS: f64 = 1e9;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// 10^-9 s.
    Nanosecond,
    /// 10^-12 s.
    Picosecond,
    /// 10^-15 s.
    Femtosecond,
}

impl TimeUnit {
    const ALL: [TimeUnit; 3] = [TimeUnit::Nanosecond, TimeUnit::Picosecond, TimeUnit::Femtosecond];

    /// Returns the exponent of the unit as a power of ten of a second.
    pub fn exponent(self) -> i8 {
        match self {
            TimeUnit::Nanosecond => -9,
            TimeUnit::Picosecond => -12,
            TimeUnit::Femtosecond => -15,
        }
    }

    /// Returns the SI symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            TimeUnit::Nanosecond => "ns",
            TimeUnit::Picosecond => "ps",
            TimeUnit::Femtosecond => "fs",
        }
    }

    fn per_ns(self) -> f64 {
        10_f64.powi(i32::from(-9 - self.exponent()))
    }
}

/// Converts cycles to time stamps. The unit is the coarsest one of which a cycle is a whole number; if there is none,
/// stamps are rounded to a fine one. A cycle is at least 0.001 ns, so no two cycles share a stamp.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Unit of the stamps.
    pub unit: TimeUnit,
    /// Time units per cycle: integer part and fraction.
    whole: u64,
    rest: f64,
}

impl Clock {
    /// Creates the clock of the machine of a scene.
    pub(crate) fn of(scene: &Scene<'_>) -> Clock {
        Clock::new(scene.arch().cycle_ns)
    }

    /// Creates the clock of a machine with cycles of `cycle_ns` ns.
    pub fn new(cycle_ns: f64) -> Clock {
        let units = |unit: TimeUnit| cycle_ns * unit.per_ns();
        let is_whole = |unit: &TimeUnit| {
            let units = units(*unit);
            // Decimal fractions are not exact in binary.
            units >= 1.0 && (units - units.round()).abs() <= 1e-12 * units
        };
        let mut fine = TimeUnit::ALL.into_iter().filter(|&unit| units(unit) <= MOST_UNITS);
        if let Some(unit) = fine.clone().find(is_whole) {
            return Clock { unit, whole: whole(units(unit).round()), rest: 0.0 };
        }
        let unit = fine.next_back().expect("a cycle is at most 1 ms");
        Clock { unit, whole: whole(units(unit)), rest: units(unit).fract() }
    }

    /// Returns the simulated time at the start of a cycle, in `unit`. Cycle 1 starts at 0.
    #[inline]
    pub fn stamp(&self, cycle: u64) -> u64 {
        let cycles = cycle.saturating_sub(1);
        cycles * self.whole + whole((cycles as f64 * self.rest).round())
    }
}

/// Returns the integer part of a number of time units.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive and fit 64 bits")]
fn whole(units: f64) -> u64 {
    units as u64
}

#[cfg(test)]
mod tests {
    use super::{Clock, TimeUnit};

    #[test]
    fn a_cycle_is_a_whole_number_of_the_coarsest_unit_that_there_is() {
        let cases = [
            (100.0, TimeUnit::Nanosecond, 100),
            (1e6, TimeUnit::Nanosecond, 1_000_000),
            (33.3, TimeUnit::Picosecond, 33_300),
            (0.4, TimeUnit::Picosecond, 400),
            (0.001, TimeUnit::Picosecond, 1),
            (0.0015, TimeUnit::Femtosecond, 1500),
            (123.456_789, TimeUnit::Femtosecond, 123_456_789),
        ];
        for (cycle_ns, unit, length) in cases {
            let clock = Clock::new(cycle_ns);
            assert_eq!(clock.unit, unit, "{cycle_ns}");
            for cycle in [1, 2, 3, 1_000_000, 10_000_000_000] {
                assert_eq!(clock.stamp(cycle), (cycle - 1) * length, "{cycle_ns}, cycle {cycle}");
            }
        }
    }

    #[test]
    fn a_cycle_that_no_unit_measures_is_rounded_and_still_no_two_share_a_stamp() {
        for cycle_ns in [0.001_000_000_7, 1.0 / 3.0, 99.999_999_99, 1e6 / 3.0, 999_999.999_999_9] {
            let clock = Clock::new(cycle_ns);
            for cycle in [1, 2, 5, 999, 1_000_000, 1_000_000_000] {
                let stamp = clock.stamp(cycle);
                assert!(stamp < clock.stamp(cycle + 1), "{cycle_ns}, cycle {cycle}");
                let exact = (cycle - 1) as f64 * cycle_ns * clock.unit.per_ns();
                assert!((stamp as f64 - exact).abs() <= 0.5 + 1e-9 * exact, "{cycle_ns}, cycle {cycle}: {stamp}");
            }
        }
    }
}

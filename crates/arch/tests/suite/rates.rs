//! Rates times the length of a cycle, against whole numbers worked out from the digits that a file has.

use arch::Arch;
use proptest::prelude::*;
use toml::Value;

/// A decimal as its file has it: digits, and how many of them are decimals.
#[derive(Clone, Copy, Debug)]
struct Decimal(u128, u32);

impl Decimal {
    fn text(self) -> String {
        let Self(digits, decimals) = self;
        let one = 10u128.pow(decimals);
        format!("{}.{:0width$}", digits / one, digits % one, width = decimals as usize)
    }
}

const RATES: [&str; 3] = ["adc.rate_gsps", "router.clock_ghz", "hyper_transport.gigabytes_per_second"];

/// ISAAC-CE with `rate` for some of its rates.
fn machine(keys: &[&'static str], rate: Decimal, cycle_ns: Decimal) -> Result<Arch, String> {
    let (text, file) = arch::text("isaac-ce").unwrap();
    let float = |decimal: Decimal| Value::Float(decimal.text().parse().unwrap());
    let mut changes = vec![("cycle_ns", float(cycle_ns))];
    changes.extend(keys.iter().map(|&key| (key, float(rate))));
    arch::with_overrides(&text, &file, &changes).map_err(|faults| faults.to_string())
}

/// Between 0.01 and 1000, with up to `digits` digits.
fn any_decimal(digits: u32) -> impl Strategy<Value = Decimal> {
    (1u128..10u128.pow(digits), 0u32..=6).prop_map(|(digits, decimals)| Decimal(digits, decimals)).prop_filter(
        "out of the range of the keys",
        |&Decimal(digits, decimals)| {
            let one = 10u128.pow(decimals);
            100 * digits >= one && digits <= 1000 * one
        },
    )
}

/// Whether `cycles` is the first number of cycles with room for `actions`, `numerator / denominator` in each.
fn is_first(cycles: u64, actions: u64, numerator: u128, denominator: u128) -> bool {
    let room = |cycles: u64| numerator * u128::from(cycles) >= u128::from(actions) * denominator;
    room(cycles) && !room(cycles - 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn cycles_are_those_of_exact_arithmetic(rate in any_decimal(4), cycle in any_decimal(4), actions in 1u64..300_000) {
        let (numerator, denominator) = (rate.0 * cycle.0, 10u128.pow(rate.1 + cycle.1));
        let Ok(machine) = machine(&RATES, rate, cycle) else {
            prop_assert!(numerator < denominator, "a rate of one action a cycle and more is accepted");
            return Ok(());
        };
        prop_assert!(numerator >= denominator, "a rate below one action a cycle is refused");
        prop_assert!(is_first(machine.conversions_per_cycle().cycles(actions), actions, numerator, denominator));
        prop_assert!(is_first(machine.flits_per_cycle().cycles(actions), actions, numerator, denominator));
        prop_assert!(is_first(machine.link_bits_per_cycle().cycles(actions), actions, 8 * numerator, denominator));
    }

    #[test]
    fn conversions_are_exact_with_many_digits(rate in any_decimal(9), cycle in 1u128..1_000_000, actions in 1u32..300_000) {
        let cycle = Decimal(cycle, 0);
        let (numerator, denominator) = (rate.0 * cycle.0, 10u128.pow(rate.1));
        prop_assume!(numerator >= denominator);
        let mut isaac = arch::load("isaac-ce").unwrap();
        (isaac.adc.rate_gsps, isaac.cycle_ns) = (rate.text().parse().unwrap(), cycle.text().parse().unwrap());
        prop_assert!(is_first(isaac.conversion_cycles(actions).into(), actions.into(), numerator, denominator));
    }

    #[test]
    fn a_decimal_rate_that_fills_whole_cycles_fills_them(columns in 1u64..5000, cycles in 1u64..20, decimals in 0u32..=4) {
        // columns / 10^decimals a ns in 10^decimals ns: a product of doubles may miss the whole number by a hair.
        let rate = Decimal(columns.into(), decimals);
        let cycle = Decimal(10u128.pow(decimals), 0);
        prop_assume!(columns <= 1000 * 10u64.pow(decimals));
        let machine = machine(&RATES, rate, cycle).unwrap();
        let per_cycle = machine.conversions_per_cycle();
        prop_assert_eq!((per_cycle.cycles(cycles * columns), per_cycle.cycles(cycles * columns + 1)), (cycles, cycles + 1));
    }
}

#[test]
fn times_are_exact_or_finer_than_anyone_can_tell() {
    let mut isaac = arch::load("isaac-ce").unwrap();
    let mut times = |clock: f64, cycle: f64| {
        (isaac.router.clock_ghz, isaac.cycle_ns) = (clock, cycle);
        let times = isaac.flits_per_cycle().times();
        (times.per_cycle, times.per_action)
    };
    assert_eq!(times(2.5, 1.0), (5, 2));
    assert_eq!(times(1.2345, 33.3), (822_177, 20_000));
    for (clock, cycle) in [(3.872_163, 33.3333), (999.999_999, 999_999.999), (1.000_000_000_01, 1.000_000_000_01)] {
        let (per_cycle, per_action) = times(clock, cycle);
        assert!(per_cycle <= 1 << 32);
        assert!((per_cycle as f64 / per_action as f64 / (clock * cycle) - 1.0).abs() < 1e-9, "{clock} x {cycle}");
    }
}

#[test]
fn isaacs_rates_are_whole_numbers_in_its_cycle() {
    let isaac = arch::load("isaac-ce").unwrap();
    let rates = [isaac.conversions_per_cycle(), isaac.flits_per_cycle(), isaac.link_bits_per_cycle()];
    let times = rates.map(|rate| (rate.times().per_cycle, rate.times().per_action));
    assert_eq!(times, [(128, 1), (100, 1), (5120, 1)]);
    assert_eq!([128, 129].map(|columns| isaac.conversion_cycles(columns)), [1, 2]);
}

#[test]
fn a_sum_of_decimals_counts_as_the_decimal_it_means() {
    let mut isaac = arch::load("isaac-ce").unwrap();
    // 0.30000000000000004 and 0.7999999999999999 in doubles.
    for (rate, conversions) in [(0.1 + 0.2, 30.0), (0.1 + 0.7, 80.0)] {
        isaac.adc.rate_gsps = rate;
        assert_eq!(isaac.conversions_per_cycle().per_cycle(), conversions);
    }
}

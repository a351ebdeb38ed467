//! Formatting of numbers for people.

/// Formats an integer with its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    group(&number.to_string())
}

/// Formats a number of at least 0 as an integer, rounded, with its digits in groups of three.
pub(crate) fn rounded(number: f64) -> String {
    group(&format!("{:.0}", number.round()))
}

fn group(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number of things: `1 image`, `2,000 images`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// Formats a number with four significant digits and the unit prefix that keeps it below 1000.
pub(crate) fn scaled(number: f64, unit: &str) -> String {
    const PREFIXES: [(f64, &str); 10] = [
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e3, "k"),
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
        (1e-12, "p"),
        (1e-15, "f"),
    ];
    if number == 0.0 {
        return format!("0 {unit}");
    }
    let fitting = PREFIXES.into_iter().find(|(scale, _)| number >= *scale);
    let (scale, prefix) = fitting.unwrap_or(PREFIXES[PREFIXES.len() - 1]);
    format!("{} {prefix}{unit}", significant(number / scale))
}

/// Formats a number with four significant digits, three if it is below 1, and all digits before the point.
pub(crate) fn significant(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if number >= 1e3 {
        return rounded(number);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a double has at most 309 digits before the point")]
    let magnitude = number.log10().floor() as i32;
    let decimals =
        usize::try_from(3 - magnitude - i32::from(number < 1.0)).expect("three digits before the point at most");
    format!("{number:.decimals$}")
}

/// Formats a fraction, 0 to 1, in percent; NaN, a fraction of nothing, as `none`.
pub(crate) fn percent(share: f64) -> String {
    if share.is_nan() { "none".to_owned() } else { format!("{:.1} %", 100.0 * share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn numbers_get_the_prefix_that_keeps_them_short() {
        let scaled = |joules| scaled(joules, "J");
        assert_eq!(
            [0.0, 1.0, 0.012_345, 999.0, 1000.0, 2.5e-16].map(scaled),
            ["0 J", "1.000 J", "12.35 mJ", "999.0 J", "1.000 kJ", "0.250 fJ"]
        );
    }

    #[test]
    fn as_many_digits_are_shown_as_matter() {
        assert_eq!(
            [0.0, 0.000_166, 0.1234, 12.345, 8064.0, 41_288.4].map(significant),
            ["0", "0.000166", "0.123", "12.35", "8,064", "41,288"]
        );
    }
}

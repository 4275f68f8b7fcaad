//! Kubernetes quantities, `100m` or `16Gi`, as whole numbers.

/// Reads a quantity in thousandths of its unit, rounded up as Kubernetes does; `None` when it is none or too large.
pub fn parse_millis(text: &str) -> Option<i64> {
    scaled(text, 3)
}

/// Reads a quantity in whole units, rounded up as Kubernetes does; `None` when it is none or too large.
pub fn parse_units(text: &str) -> Option<i64> {
    scaled(text, 0)
}

/// The value times 10^`extra`.
fn scaled(text: &str, extra: i32) -> Option<i64> {
    if text.len() > 64 {
        return None;
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let (binary, decimal) = multiplier(suffix)?;
    let value = digits.checked_mul(1_i128.checked_shl(binary)?)?;
    let exponent = decimal + extra - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs());
    let value = match (exponent >= 0, power) {
        _ if value == 0 => 0,
        (true, power) => value.checked_mul(power?)?,
        // Away from zero, so that a request is never counted as nothing.
        (false, Some(power)) => value.div_euclid(power) + i128::from(value.rem_euclid(power) != 0),
        (false, None) => 1,
    };
    i64::try_from(if negative { -value } else { value }).ok()
}

/// Power of two and power of ten that a suffix stands for.
fn multiplier(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            if exponent.trim_start_matches(['+', '-']).len() > 2 {
                return None;
            }
            (0, exponent.parse().ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_suffix_counts() {
        for (text, millis) in [
            ("0", Some(0)),
            ("1", Some(1000)),
            ("100m", Some(100)),
            ("1.5", Some(1500)),
            (".5", Some(500)),
            ("5.", Some(5000)),
            ("1u", Some(1)),
            ("1500001n", Some(2)),
            ("-2", Some(-2000)),
            ("+2", Some(2000)),
            ("2k", Some(2_000_000)),
            ("1e3", Some(1_000_000)),
            ("1E-3", Some(1)),
            ("12E", None),
            ("", None),
            (".", None),
            ("1.2.3", None),
            ("1KB", None),
            ("1 Gi", None),
            ("e3", None),
            ("--1", None),
            ("9999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(parse_millis(text), millis, "{text}");
        }
        for (text, units) in [
            ("16Gi", Some(17_179_869_184)),
            ("16380532Ki", Some(16_773_664_768)),
            ("1.5Gi", Some(1_610_612_736)),
            ("128974848", Some(128_974_848)),
            ("129e6", Some(129_000_000)),
            ("129M", Some(129_000_000)),
            ("128974848000m", Some(128_974_848)),
            ("1n", Some(1)),
            ("7E", Some(7_000_000_000_000_000_000)),
            ("1Ei", Some(1 << 60)),
        ] {
            assert_eq!(parse_units(text), units, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "[-+0-9.eEinumkMGTPK]{0,40}") {
            let _ = parse_millis(&text);
            let _ = parse_units(&text);
        }

        #[test]
        fn millis_are_thousandths(number in 0_i64..1_000_000_000) {
            prop_assert_eq!(parse_millis(&format!("{number}m")), Some(number));
            prop_assert_eq!(parse_millis(&number.to_string()), Some(number * 1000));
            prop_assert_eq!(parse_units(&format!("{number}Ki")), Some(number * 1024));
        }
    }
}

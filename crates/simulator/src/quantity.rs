//! Quantities of resources, such as `250m`, `1.5` or `512Mi`, in thousandths.

/// A quantity in thousandths, rounded up; `None` for what is none.
pub(crate) fn parse_milli(text: &str) -> Option<i64> {
    let end = text
        .find(|character: char| !matches!(character, '0'..='9' | '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor: f64 = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_f64.powi(power)
        }
    };
    let number: f64 = number.parse().ok()?;
    let milli = (number * factor * 1000.0).ceil();
    // Beyond this floats skip whole numbers; nothing that is simulated is so large.
    (milli.abs() < 9e18).then_some(milli as i64)
}

/// The quantity in a JSON value, which may be a number.
pub(crate) fn milli_of(value: &serde_json::Value) -> i64 {
    match value {
        serde_json::Value::String(text) => parse_milli(text).unwrap_or_default(),
        serde_json::Value::Number(number) => parse_milli(&number.to_string()).unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suffix_is_read() {
        for (text, milli) in [
            ("250m", 250),
            ("2", 2000),
            ("1.5", 1500),
            ("1Ki", 1_024_000),
            ("16Gi", 17_179_869_184_000),
            ("1e3", 1_000_000),
            ("100k", 100_000_000),
        ] {
            assert_eq!(parse_milli(text), Some(milli), "{text}");
        }
        for text in ["", "Gi", "two", "1Xi", "--1"] {
            assert_eq!(parse_milli(text), None, "{text}");
        }
    }
}

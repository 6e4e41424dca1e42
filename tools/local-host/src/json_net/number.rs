//! Floats as .NET prints them: shortest digits, an exponent from 1E+15 up and below 1E-04.

/// The text of a double without a forced decimal place.
pub(super) fn to_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let Ok(exponent) = exponent.parse::<i32>() else { return shortest };
    if (-4..15).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}E{sign}{:02}", exponent.unsigned_abs())
}

/// The text of a double in JSON, which always shows that it is no whole number.
pub(super) fn to_json(value: f64) -> String {
    let text = to_text(value);
    if !value.is_finite() {
        return format!("\"{text}\"");
    }
    if text.contains(['.', 'E']) { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_dotnet_does() {
        for (value, text) in [
            (1e3, "1000.0"),
            (1.0e-7, "1E-07"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (1.10, "1.1"),
            (1e15, "1E+15"),
            (123_456_789_012_345_680.0, "1.2345678901234568E+17"),
        ] {
            assert_eq!(to_json(value), text);
        }
    }
}

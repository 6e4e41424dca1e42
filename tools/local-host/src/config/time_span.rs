//! .NET time spans: text such as `1.02:03:04.5` enters, a duration leaves.

use std::time::Duration;

use thiserror::Error;

/// A text is no time span.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a time span such as `00:05:00`, got `{0}`")]
pub struct TimeSpanError(String);

/// Parses `[d.]hh:mm[:ss[.fff]]`.
///
/// # Errors
///
/// [`TimeSpanError`] when the text has another form or a part is out of range.
pub fn parse_time_span(text: &str) -> Result<Duration, TimeSpanError> {
    parse(text.trim()).ok_or_else(|| TimeSpanError(text.to_owned()))
}

fn parse(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (days, hours) = match parts.next()?.split_once('.') {
        Some((days, hours)) => (number(days, u32::MAX)?, number(hours, 23)?),
        None => (0, number(text.split(':').next()?, 23)?),
    };
    let minutes = number(parts.next()?, 59)?;
    let (seconds, fraction) = match parts.next() {
        None => (0, 0.0),
        Some(seconds) => match seconds.split_once('.') {
            Some((whole, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                (number(whole, 59)?, format!("0.{digits}").parse::<f64>().ok()?)
            }
            Some(_) => return None,
            None => (number(seconds, 59)?, 0.0),
        },
    };
    if parts.next().is_some() {
        return None;
    }
    let whole =
        u64::from(days) * 86_400 + u64::from(hours) * 3600 + u64::from(minutes) * 60 + u64::from(seconds);
    Some(Duration::from_secs(whole) + Duration::from_secs_f64(fraction))
}

fn number(text: &str, max: u32) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| *value <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_dotnet_parses() {
        for (text, millis) in [
            ("00:03:00", Some(180_000)),
            ("00:00:00.5", Some(500)),
            ("1.02:03:04", Some(93_784_000)),
            ("00:10", Some(600_000)),
            ("00:60:00", None),
            ("5", None),
            ("-1", None),
            ("00:00:01.x", None),
            ("00:00:00:00", None),
        ] {
            let parsed = parse_time_span(text).ok().map(|span| span.as_millis());
            assert_eq!(parsed, millis, "{text}");
        }
    }
}

//! Times as people and files write them.
//!
//! Text enters, milliseconds leave, and back; nothing here guesses between day and month.

use jiff::Timestamp;
use jiff::civil::DateTime;
use std::time::Duration;

/// Now, in epoch milliseconds.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Now, in epoch seconds.
pub(crate) fn now_s() -> i64 {
    Timestamp::now().as_second()
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(timestamp_ms: i64) -> String {
    match Timestamp::from_millisecond(timestamp_ms) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        // Beyond the year 9999 there is no such text.
        Err(_) => timestamp_ms.to_string(),
    }
}

/// Milliseconds of a duration.
pub(crate) fn duration_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Duration of milliseconds; below 0 it is 0.
pub(crate) fn from_ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// Reads `90s`, `5m`, `2h`, `2d` or `500ms`; a bare 0 is allowed.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let complaint = || format!("expected a number and ms, s, m, h or d, as in `90s`, got `{text}`");
    let number: u64 = text[..digits].parse().map_err(|_| complaint())?;
    let unit_ms: u64 = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" if number == 0 => 0,
        _ => return Err(complaint()),
    };
    let ms = number.checked_mul(unit_ms).filter(|ms| *ms <= 3650 * 86_400_000);
    ms.map(Duration::from_millis).ok_or_else(|| format!("`{text}` is longer than ten years"))
}

/// Reads a time of a recording: RFC 3339, the same without zone (taken as UTC), with a space or slashes, a bare
/// date, or epoch seconds or milliseconds.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return epoch(number);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let plain = text.replace('/', "-");
    let civil = match plain.parse::<DateTime>() {
        Ok(civil) => civil,
        Err(_) => DateTime::strptime("%Y-%m-%d %H:%M", &plain).ok()?,
    };
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// Below this a number is taken for seconds: as milliseconds it would lie in the spring of 1973.
const LEAST_EPOCH_MS: f64 = 1e11;
/// The year 9999, in milliseconds.
const LAST_EPOCH_MS: f64 = 253_402_300_000_000.0;

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked, and fractions of a millisecond may go"
)]
fn epoch(number: f64) -> Option<i64> {
    let ms = if number.abs() < LEAST_EPOCH_MS { number * 1000.0 } else { number };
    (ms.abs() <= LAST_EPOCH_MS).then(|| ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_come_in_many_forms() {
        let forms = [
            ("2014-02-07T14:55:00Z", 1_391_784_900_000),
            ("2014-02-07T15:55:00+01:00", 1_391_784_900_000),
            ("2014-02-07 14:55:00", 1_391_784_900_000),
            ("2014-02-07T14:55:00.250", 1_391_784_900_250),
            ("2014-02-07 14:55", 1_391_784_900_000),
            ("2014/02/07 14:55", 1_391_784_900_000),
            (" 1391784900 ", 1_391_784_900_000),
            ("1391784900.25", 1_391_784_900_250),
            ("1391784900250", 1_391_784_900_250),
            ("2014-02-07", 1_391_731_200_000),
        ];
        for (text, ms) in forms {
            assert_eq!(parse_timestamp(text), Some(ms), "{text}");
        }
        for text in ["", "yesterday", "07.02.2014 14:55", "2014-02-30", "NaN", "inf", "1e300"] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for text in ["", "5", "s", "-5s", "1.5h", "5 s", "99999999999d", "99999999999999999999s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(rfc3339(1_767_323_045_000), "2026-01-02T03:04:05.000Z");
        assert_eq!(rfc3339(1_767_323_045_250), "2026-01-02T03:04:05.250Z");
    }
}

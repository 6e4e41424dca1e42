//! .NET's time spans, `[days.]hh:mm:ss[.fraction]`, as durations.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A span of time as the host writes it; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeSpan(pub Duration);

/// A text that is no time span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no time span: write `hh:mm:ss`")]
pub struct TimeSpanError {
    text: String,
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self).ok_or_else(|| TimeSpanError { text: text.to_owned() })
    }
}

impl TryFrom<String> for TimeSpan {
    type Error = TimeSpanError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        if days > 0 {
            write!(formatter, "{days}.")?;
        }
        write!(formatter, "{hours:02}:{minutes:02}:{:02}", seconds % 60)?;
        match self.0.subsec_nanos() / 100 {
            0 => Ok(()),
            ticks => write!(formatter, ".{ticks:07}"),
        }
    }
}

impl From<TimeSpan> for String {
    fn from(span: TimeSpan) -> Self {
        span.to_string()
    }
}

fn parse(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (first, minutes, last) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = last.split_once('.').unwrap_or((last, "0"));
    let (days, hours) = (number(days, 10_000_000)?, number(hours, 23)?);
    let (minutes, seconds) = (number(minutes, 59)?, number(seconds, 59)?);
    if fraction.is_empty() || fraction.len() > 7 {
        return None;
    }
    let ticks = number(&format!("{fraction:0<7}"), 9_999_999)?;
    let whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(Duration::from_secs(whole) + Duration::from_nanos(ticks * 100))
}

fn number(digits: &str, max: u64) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number| *number <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, ms) in [
            ("00:00:02", 2_000),
            ("00:03:00", 180_000),
            ("1.02:00:00", 93_600_000),
            ("00:00:00.8", 800),
            ("00:00:00.0150000", 15),
        ] {
            assert_eq!(text.parse(), Ok(TimeSpan(Duration::from_millis(ms))), "{text}");
        }
        for text in [
            "",
            "5",
            "00:60:00",
            "-00:00:01",
            "24:00:00",
            "00:00:00.",
            "00:00:00.12345678",
            "0:0:0:0",
            "é:0:0",
        ] {
            assert!(text.parse::<TimeSpan>().is_err(), "{text}");
        }
    }

    #[test]
    fn written_as_read() {
        for text in ["00:00:02", "1.02:00:00", "00:00:00.8000000"] {
            assert_eq!(text.parse::<TimeSpan>().unwrap().to_string(), text);
        }
    }
}

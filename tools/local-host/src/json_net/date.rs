//! Strings that the host's JSON reader takes for dates, and the text it makes of them.
//!
//! The real host converts times with an offset to its own zone; this one's zone is UTC, as in Azure.

use jiff::civil::DateTime;

/// What the text said about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateKind {
    /// Nothing.
    Unspecified,
    /// `Z`.
    Utc,
    /// An offset; the time is converted to the host's zone.
    Local,
}

/// A date and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date {
    time: DateTime,
    kind: DateKind,
    original: String,
}

impl Date {
    /// Takes a text for a date by the reader's rules: `yyyy-MM-ddTHH:mm:ss[.f{1,7}][Z|+hh[:mm]]` or `/Date(ms)/`.
    #[must_use]
    pub fn recognize(text: &str) -> Option<Self> {
        let (time, kind) = if text.starts_with("/Date(") { microsoft(text)? } else { iso(text)? };
        Some(Self { time, kind, original: text.to_owned() })
    }

    /// The text as it was read.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The text as it is written again: no trailing zeros in the fraction, offsets converted.
    #[must_use]
    pub fn to_text(&self) -> String {
        let zone = match self.kind {
            DateKind::Unspecified => "",
            DateKind::Utc => "Z",
            DateKind::Local => "+00:00",
        };
        format!("{}{}{zone}", self.time.strftime("%Y-%m-%dT%H:%M:%S"), self.fraction())
    }

    /// The culture-less text, as in the metadata of single events.
    #[must_use]
    pub fn us_text(&self) -> String {
        self.time.strftime("%m/%d/%Y %H:%M:%S").to_string()
    }

    fn fraction(&self) -> String {
        let ticks = self.time.subsec_nanosecond() / 100;
        if ticks == 0 {
            return String::new();
        }
        format!(".{}", format!("{ticks:07}").trim_end_matches('0'))
    }
}

fn microsoft(text: &str) -> Option<(DateTime, DateKind)> {
    let millis = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign_at = millis.char_indices().skip(1).find(|(_, letter)| matches!(letter, '+' | '-'));
    let (millis, kind) = match sign_at {
        Some((at, _)) => (&millis[..at], DateKind::Local),
        None => (millis, DateKind::Utc),
    };
    let timestamp = jiff::Timestamp::from_millisecond(millis.parse().ok()?).ok()?;
    Some((jiff::tz::Offset::UTC.to_datetime(timestamp), kind))
}

fn iso(text: &str) -> Option<(DateTime, DateKind)> {
    if !text.is_ascii() || !(19..=40).contains(&text.len()) {
        return None;
    }
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, byte)| bytes[*at] != *byte) {
        return None;
    }
    let [year, month, day] = [&text[0..4], &text[5..7], &text[8..10]].map(digits);
    let [hour, minute, second] = [&text[11..13], &text[14..16], &text[17..19]].map(digits);
    let (nanosecond, rest) = fraction(&text[19..])?;
    let time = DateTime::new(
        i16::try_from(year?).ok()?,
        i8::try_from(month?).ok()?,
        i8::try_from(day?).ok()?,
        i8::try_from(hour?).ok()?,
        i8::try_from(minute?).ok()?,
        i8::try_from(second?).ok()?,
        nanosecond,
    )
    .ok()
    .filter(|time| time.year() > 0)?;
    match rest {
        "" => Some((time, DateKind::Unspecified)),
        "Z" => Some((time, DateKind::Utc)),
        _ => {
            let minutes = offset_minutes(rest)?;
            let shifted = time.checked_sub(jiff::Span::new().minutes(minutes)).ok()?;
            Some((shifted, DateKind::Local))
        }
    }
}

fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=7).contains(&length) {
        return None;
    }
    let padded = format!("{:0<9}", &rest[..length]);
    Some((padded.parse().ok()?, &rest[length..]))
}

fn offset_minutes(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match &text[1..] {
        both if both.len() == 5 && both.as_bytes()[2] == b':' => (&both[..2], &both[3..]),
        both if both.len() == 4 => (&both[..2], &both[2..]),
        hours if hours.len() == 2 => (hours, "0"),
        _ => return None,
    };
    Some(sign * (i64::from(digits(hours)?) * 60 + i64::from(digits(minutes)?)))
}

fn digits(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_what_the_reader_takes_for_a_date() {
        for (text, written) in [
            ("2024-01-01T02:00:00.000Z", Some("2024-01-01T02:00:00Z")),
            ("2024-01-01T02:00:00.120Z", Some("2024-01-01T02:00:00.12Z")),
            ("2024-01-01T02:00:00+02:00", Some("2024-01-01T00:00:00+00:00")),
            ("2024-01-01T02:00:00", Some("2024-01-01T02:00:00")),
            ("2024-01-01", None),
            ("2024-13-01T02:00:00Z", None),
            ("2024-01-01T02:00:00.12345678Z", None),
            ("2024-01-01 02:00:00Z", None),
            ("/Date(1700000000000)/", Some("2023-11-14T22:13:20Z")),
            ("0000-01-01T00:00:00Z", None),
        ] {
            let date = Date::recognize(text).map(|date| date.to_text());
            assert_eq!(date.as_deref(), written, "{text}");
        }
    }
}

//! A series in a file: `timestamp,value[,...]`, one row a reading.
//!
//! Files enter, rows leave, and readings of them in the unit that the user names.
//! It refuses to know what rows are for: training and backtest read their files here.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use detector::Reading;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Name of the column that marks rows as anomalous, wherever it stands.
const LABEL: &str = "label";

/// In what the values of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Degrees Celsius.
    Celsius,
    /// Degrees Fahrenheit: converted before they are judged.
    Fahrenheit,
    /// Anything: there is no physical range, and there are no codes of sensors.
    None,
}

impl Unit {
    fn to_celsius(self, value: f64) -> f64 {
        match self {
            Self::Celsius | Self::None => value,
            Self::Fahrenheit => (value - 32.0) / 1.8,
        }
    }

    pub(crate) fn of_celsius(self, celsius: f64) -> f64 {
        match self {
            Self::Celsius | Self::None => celsius,
            Self::Fahrenheit => celsius * 1.8 + 32.0,
        }
    }

    /// The reading in a row; `None` when its value is none, as the handler would reject it.
    #[must_use]
    pub fn reading(self, row: &Row) -> Option<Reading> {
        let value = self.to_celsius(row.value);
        let reading = match self {
            Self::None => Reading::unitless(row.timestamp_ms, value),
            Self::Celsius | Self::Fahrenheit => Reading::new(row.timestamp_ms, value),
        };
        reading.ok()
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The time as the file says it.
    pub timestamp: String,
    /// The same in epoch milliseconds; a time without zone is UTC.
    pub timestamp_ms: i64,
    /// The value; what is no number is `NaN`.
    pub value: f64,
    /// Whether a column `label` says something else than nothing, `0` or `false`.
    pub is_labelled: bool,
}

/// All rows of a file, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Series {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, has other columns, or a time is none: names the row.
    pub fn read(file: &Path) -> Result<Self> {
        let mut reader =
            csv::Reader::from_path(file).with_context(|| format!("cannot read {}", file.display()))?;
        let header = reader.headers().with_context(|| format!("{} has no header", file.display()))?;
        ensure!(
            header.get(0) == Some("timestamp") && header.get(1) == Some("value"),
            "{} begins with other columns than timestamp,value",
            file.display()
        );
        let label = header.iter().position(|name| name.trim().eq_ignore_ascii_case(LABEL));
        let mut rows = Vec::new();
        for (n, record) in (2..).zip(reader.records()) {
            let record = record.with_context(|| format!("{}, line {n}, is no row", file.display()))?;
            let timestamp = record.get(0).unwrap_or_default().to_owned();
            let timestamp_ms = time_ms(&timestamp)
                .with_context(|| format!("{}, line {n}: {timestamp:?} is no time", file.display()))?;
            let value = record.get(1).unwrap_or_default().trim().parse().unwrap_or(f64::NAN);
            let is_labelled = label.and_then(|at| record.get(at)).is_some_and(is_mark);
            rows.push(Row { timestamp, timestamp_ms, value, is_labelled });
        }
        Ok(Self { rows })
    }
}

fn is_mark(label: &str) -> bool {
    let label = label.trim();
    !label.is_empty() && label.parse() != Ok(0.0) && !label.eq_ignore_ascii_case("false")
}

/// Epoch milliseconds of `2026-01-02 03:04:05[.678]`, with `T` or a zone if it likes.
fn time_ms(text: &str) -> Result<i64> {
    match text.parse::<Timestamp>() {
        Ok(time) => Ok(time.as_millisecond()),
        Err(_) => Ok(text.parse::<DateTime>()?.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond()),
    }
}

/// A time in UTC as the files say it.
pub(crate) fn time_text(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.strftime(if ms % 1000 == 0 { "%F %T" } else { "%F %T%.3f" }).to_string(),
        Err(_) => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_is_not_nothing() {
        for (label, expected) in [("1", true), ("drift", true), ("0", false), ("0.0", false), ("", false)] {
            assert_eq!(is_mark(label), expected, "{label:?}");
        }
    }

    #[test]
    fn times_have_many_forms_and_one_meaning() {
        for text in ["2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "2026-01-02T04:04:05.000+01:00"] {
            assert_eq!(time_ms(text).unwrap(), 1_767_323_045_000, "{text}");
        }
        assert_eq!(time_ms("2026-01-02").unwrap() % 86_400_000, 0);
        assert!(time_ms("yesterday").is_err());
        assert_eq!(time_text(1_767_323_045_000), "2026-01-02 03:04:05");
        assert_eq!(time_text(1_767_323_045_678), "2026-01-02 03:04:05.678");
    }
}

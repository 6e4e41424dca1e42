//! Schedules: six-field cron with seconds first, five-field cron, or a time span; a time enters, the next one leaves. UTC only.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use thiserror::Error;
use wire::bindings::TimeSpan;

/// A schedule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("schedule `{text}`: {reason}")]
pub struct ScheduleError {
    text: String,
    reason: String,
}

/// When a timer fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At the times of a cron text.
    Cron(Cron),
    /// So long after each run.
    Every(Duration),
}

/// Allowed values of each field, one bit a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Every date that a cron text can name comes within this many days, leap days included.
const HORIZON_DAYS: usize = 366 * 9;

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] says which field is wrong.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let fail = |reason: String| ScheduleError { text: text.to_owned(), reason };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [seconds, rest @ ..] = match fields.len() {
            1 => {
                return match text.parse().map(|TimeSpan(span)| span) {
                    Ok(span) if !span.is_zero() => Ok(Self::Every(span)),
                    Ok(_) => Err(fail("the time span is zero".to_owned())),
                    Err(error) => Err(fail(error.to_string())),
                };
            }
            5 => [&["0"], fields.as_slice()].concat(),
            6 => fields,
            other => return Err(fail(format!("expected five or six fields, got {other}"))),
        }
        .try_into()
        .map(|fields: [&str; 6]| fields)
        .map_err(|_| fail("expected six fields".to_owned()))?;
        let field = |name: &str, text: &str, from: u32, to: u32, names: &[&str]| {
            bits(text, from, to, names).ok_or_else(|| fail(format!("{name} `{text}` is wrong")))
        };
        let mut weekdays = field("weekday", rest[4], 0, 7, &WEEKDAYS)?;
        // Sunday is 0 and 7.
        weekdays |= weekdays >> 7;
        let cron = Cron {
            seconds: field("second", seconds, 0, 59, &[])?,
            minutes: field("minute", rest[0], 0, 59, &[])?,
            hours: field("hour", rest[1], 0, 23, &[])?,
            days: field("day", rest[2], 1, 31, &[])?,
            months: field("month", rest[3], 1, 12, &MONTHS)?,
            weekdays,
        };
        Ok(Self::Cron(cron))
    }

    /// The first time after `now`, or `None` if there is none for years.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(span) => now.checked_add(*span).ok(),
            Self::Cron(cron) => cron.next_after(Offset::UTC.to_datetime(now)),
        }
    }

    /// Whether the status is worth keeping: not for schedules that fire more than once a minute.
    #[must_use]
    pub fn is_monitored(&self, now: Timestamp) -> bool {
        let first = self.next_after(now);
        let second = first.and_then(|first| self.next_after(first));
        match (first, second) {
            (Some(first), Some(second)) => second.duration_since(first).as_secs() >= 60,
            _ => true,
        }
    }

    /// Whether the schedule follows the clock on the wall.
    #[must_use]
    pub fn adjusts_for_dst(&self) -> bool {
        matches!(self, Self::Cron(_))
    }
}

impl Cron {
    fn next_after(&self, now: DateTime) -> Option<Timestamp> {
        let mut date = now.date();
        let mut after = Some(now.time());
        for _ in 0..HORIZON_DAYS {
            let time = if self.allows(date) { self.first_time(after) } else { None };
            if let Some(time) = time {
                return Offset::UTC.to_timestamp(date.to_datetime(time)).ok();
            }
            date = date.tomorrow().ok()?;
            after = None;
        }
        None
    }

    fn allows(&self, date: Date) -> bool {
        has(self.months, date.month())
            && has(self.days, date.day())
            && has(self.weekdays, date.weekday().to_sunday_zero_offset())
    }

    /// The first allowed time of a day, after the given one.
    fn first_time(&self, after: Option<Time>) -> Option<Time> {
        let from_hour = after.map_or(0, Time::hour);
        for hour in (from_hour..24).filter(|hour| has(self.hours, *hour)) {
            let same_hour = after.filter(|time| time.hour() == hour);
            for minute in (same_hour.map_or(0, Time::minute)..60).filter(|minute| has(self.minutes, *minute))
            {
                let same_minute = same_hour.filter(|time| time.minute() == minute);
                let from_second = same_minute.map_or(0, |time| time.second() + 1);
                if let Some(second) = (from_second..60).find(|second| has(self.seconds, *second)) {
                    return Time::new(hour, minute, second, 0).ok();
                }
            }
        }
        None
    }
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits >> value & 1 == 1)
}

/// Reads `*`, numbers, names, ranges, steps and lists.
fn bits(text: &str, from: u32, to: u32, names: &[&str]) -> Option<u64> {
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (low, high) = match range {
            "*" | "?" => (from, to),
            _ => match range.split_once('-') {
                Some((low, high)) => (value(low, from, names)?, value(high, from, names)?),
                None => {
                    let low = value(range, from, names)?;
                    (low, if part.contains('/') { to } else { low })
                }
            },
        };
        if low < from || high > to || low > high {
            return None;
        }
        let mut number = low;
        while number <= high {
            bits |= 1 << number;
            number += step;
        }
    }
    Some(bits)
}

fn value(text: &str, from: u32, names: &[&str]) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    match names.iter().position(|name| lower.starts_with(name)) {
        Some(index) => Some(from + u32::try_from(index).ok()?),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, now: &str) -> Option<String> {
        let now: Timestamp = now.parse().unwrap();
        Schedule::parse(schedule).unwrap().next_after(now).map(|next| next.to_string())
    }

    #[test]
    fn finds_the_next_time() {
        for (schedule, now, expected) in [
            ("0 */5 * * * *", "2026-01-02T03:04:05Z", Some("2026-01-02T03:05:00Z")),
            ("0 */5 * * * *", "2026-01-02T03:05:00.5Z", Some("2026-01-02T03:10:00Z")),
            ("*/20 * * * * *", "2026-01-02T03:59:45Z", Some("2026-01-02T04:00:00Z")),
            ("0 0 0 1 1 *", "2026-11-22T22:09:43Z", Some("2027-01-01T00:00:00Z")),
            ("0 30 9 * * Mon-Fri", "2026-01-02T09:30:00Z", Some("2026-01-05T09:30:00Z")),
            ("30 9 * * 7", "2026-01-02T00:00:00Z", Some("2026-01-04T09:30:00Z")),
            ("0 0 0 29 2 *", "2026-01-02T00:00:00Z", Some("2028-02-29T00:00:00Z")),
            ("0 0 0 31 2 *", "2026-01-02T00:00:00Z", None),
            ("00:05:00", "2026-01-02T00:00:00Z", Some("2026-01-02T00:05:00Z")),
        ] {
            assert_eq!(next(schedule, now).as_deref(), expected, "{schedule} {now}");
        }
    }

    #[test]
    fn refuses_what_is_no_schedule() {
        for text in [
            "",
            "* * *",
            "60 * * * * *",
            "0 0 0 0 * *",
            "0 */0 * * * *",
            "0 5-2 * * * *",
            "x * * * * *",
            "00:00:00",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_slow_schedules_are_monitored() {
        let now = Timestamp::from_second(1_767_323_045).unwrap();
        for (text, monitored) in [("*/20 * * * * *", false), ("0 * * * * *", true), ("00:00:30", false)] {
            assert_eq!(Schedule::parse(text).unwrap().is_monitored(now), monitored, "{text}");
        }
    }
}

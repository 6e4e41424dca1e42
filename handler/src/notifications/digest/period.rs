//! Which digest is due: one a day, at a time of day of a time zone.

use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How late a digest may be and still be news.
const LATEST_MS: i64 = 12 * 3_600_000;

/// What a digest reports on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The day on which it ends, counted from 1970.
    pub day: i64,
    /// Begin, in epoch milliseconds, inclusive.
    pub from: i64,
    /// End, in epoch milliseconds, exclusive.
    pub to: i64,
}

/// The newest period that has ended, unless that was too long ago.
///
/// A time of day that clocks skip counts as the same distance after midnight; of one that comes twice, the first counts.
/// So there is one a day, and every moment belongs to one.
#[must_use]
pub fn due(at: Time, zone: &TimeZone, now: i64) -> Option<Period> {
    let today = Timestamp::from_millisecond(now).ok()?.to_zoned(zone.clone()).date();
    let days = [today, today.checked_sub(1.day()).ok()?];
    let period = days.into_iter().find_map(|day| period(day, at, zone).filter(|period| period.to <= now))?;
    (now - period.to <= LATEST_MS).then_some(period)
}

fn period(day: Date, at: Time, zone: &TimeZone) -> Option<Period> {
    let end = |day: Date| Some(zone.to_timestamp(day.to_datetime(at)).ok()?.as_millisecond());
    Some(Period {
        day: i64::from(date(1970, 1, 1).until(day).ok()?.get_days()),
        from: end(day.checked_sub(1.day()).ok()?)?,
        to: end(day)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_MS: i64 = 3_600_000;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn at(text: &str) -> Time {
        Time::strptime("%H:%M", text).unwrap()
    }

    #[test]
    fn a_day_has_23_to_25_hours() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (time, now, to, hours) in [
            ("07:00", "2026-01-10T06:00:00Z", "2026-01-10T06:00:00Z", 24),
            ("07:00", "2026-01-10T05:59:59Z", "2026-01-09T06:00:00Z", 0),
            // Clocks go forward on March 29 and back on October 25.
            ("07:00", "2026-03-29T05:00:00Z", "2026-03-29T05:00:00Z", 23),
            ("07:00", "2026-10-25T06:00:00Z", "2026-10-25T06:00:00Z", 25),
            // 02:30 does not exist on the one, and exists twice on the other.
            ("02:30", "2026-03-29T02:00:00Z", "2026-03-29T01:30:00Z", 24),
            ("02:30", "2026-10-25T01:00:00Z", "2026-10-25T00:30:00Z", 24),
            ("02:30", "2026-10-25T02:00:00Z", "2026-10-25T00:30:00Z", 24),
        ] {
            let due = due(at(time), &berlin, ms(now));
            if hours == 0 {
                assert_eq!(due, None, "{now}");
                continue;
            }
            let due = due.unwrap();
            assert_eq!((due.to, (due.to - due.from) / HOUR_MS), (ms(to), hours), "{time} {now}");
        }
    }

    proptest! {
        #[test]
        fn an_hourly_look_finds_each_day_once_and_no_moment_is_left_out(
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]),
            hour in 0_i8..24,
            minute in prop::sample::select(vec![0_i8, 15, 30, 59]),
        ) {
            let (zone, at) = (TimeZone::get(zone).unwrap(), jiff::civil::time(hour, minute, 0, 0));
            let start = ms("2026-01-01T00:00:00Z");
            let mut periods: Vec<Period> = Vec::new();
            for look in 0..366 * 24 {
                if let Some(period) = due(at, &zone, start + look * HOUR_MS)
                    && periods.last() != Some(&period)
                {
                    periods.push(period);
                }
            }
            prop_assert!(periods.len() >= 365);
            for pair in periods.windows(2) {
                prop_assert_eq!((pair[1].day, pair[1].from), (pair[0].day + 1, pair[0].to));
            }
        }
    }
}

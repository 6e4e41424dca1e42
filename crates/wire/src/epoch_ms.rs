//! The host's times, as milliseconds since 1970 in UTC.
//!
//! Enters: `2026-01-02T03:04:05[.fraction][Z|+00:00]`, as .NET writes it, or epoch milliseconds. Leaves: milliseconds,
//! finer digits cut off. A time without zone is UTC. The year 1 is .NET's word for "no time" and leaves as `None`.

const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 24 * 60 * MS_PER_MINUTE;

/// Epoch milliseconds of an ISO 8601 time; `None` when the text is no such time, or is in the year 1.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let separators = (date[4], date[7], date[10], date[13], date[16]);
    if separators != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let two = |at: usize| number(&[date[at], date[at + 1]]);
    let year = number(&[date[0], date[1], date[2], date[3]])?;
    let days = days_since_epoch(year, two(5)?, two(8)?)?;
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    if hour > 23 || minute > 59 || second > 59 || year <= 1 {
        return None;
    }
    let (fraction_ms, zone) = fraction(rest)?;
    let local_ms = days * MS_PER_DAY + (hour * 60 + minute) * MS_PER_MINUTE + second * 1000 + fraction_ms;
    Some(local_ms - offset_ms(zone)?)
}

/// Milliseconds of `.fraction`, if there is one, and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits_on) = bytes.strip_prefix(b".") else {
        return Some((0, bytes));
    };
    let n_digits = digits_on.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits_on.split_at(n_digits);
    let ms = match digits {
        [] => return None,
        [a] => number(&[*a, b'0', b'0'])?,
        [a, b] => number(&[*a, *b, b'0'])?,
        [a, b, c, ..] => number(&[*a, *b, *c])?,
    };
    Some((ms, rest))
}

/// How far the zone is ahead of UTC.
fn offset_ms(zone: &[u8]) -> Option<i64> {
    match zone {
        [] | [b'Z'] => Some(0),
        [sign, h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let ahead_ms = (hours * 60 + minutes) * MS_PER_MINUTE;
            match sign {
                b'+' if hours < 24 && minutes < 60 => Some(ahead_ms),
                b'-' if hours < 24 && minutes < 60 => Some(-ahead_ms),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A number of a fixed length, so that no loop is left of this.
#[inline]
fn number<const N_DIGITS: usize>(digits: &[u8; N_DIGITS]) -> Option<i64> {
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(value)
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that leap days come last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let march_year = if month <= 2 { year - 1 } else { year };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    Some(march_year * 365 + leap_days + day_of_year - 719_468)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_the_host_writes() {
        let expected = Some(1_767_323_045_678);
        for text in ["2026-01-02T03:04:05.678", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678+00:00"] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2026-01-02T05:34:05.6789999+02:30"), expected);
        assert_eq!(parse("2026-01-02T03:04:05"), Some(1_767_323_045_000));
        assert_eq!(parse("2026-01-02T03:04:05.68"), Some(1_767_323_045_680));
        assert_eq!(parse("2026-01-02T03:04:05.6Z"), Some(1_767_323_045_600));
    }

    #[test]
    fn no_time() {
        for text in [
            "",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00+00:00",
            "2026-01-02",
            "2026-01-02 03:04:05",
            "2026-13-02T03:04:05",
            "2025-02-29T03:04:05",
            "2026-01-02T24:04:05",
            "2026-01-02T03:04:05.",
            "2026-01-02T03:04:05.1x",
            "2026-01-02T03:04:05+0000",
            "2026-01-02T03:04:05ZZ",
            "2026-01-0éT03:04:05",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(ms in -60_000_000_000_000_i64..250_000_000_000_000) {
            let timestamp = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assume!(timestamp.to_string().len() < 26);
            prop_assert_eq!(parse(&timestamp.to_string()), Some(ms));
        }

        #[test]
        fn never_panics(text in any::<String>(), ascii in "[0-9T:.Z+-]{17,30}") {
            let _ = (parse(&text), parse(&ascii));
        }
    }
}

//! When news are told: not while more of the same outage come in.

/// How long it must have been quiet.
const QUIET_MS: i64 = 30_000;
/// How long news wait at most.
const LONGEST_MS: i64 = 120_000;
/// Time between looks.
const LOOK_MS: i64 = 60_000;
/// How far the account's clock may be ahead of ours before we stop believing ours.
const SKEW_MS: i64 = 60_000;

/// When news are to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ripe {
    /// Now.
    Now,
    /// In so many milliseconds, unless more comes: at the next look it would be too late.
    In(i64),
    /// At the next look or after it.
    Later,
}

/// When news are to be told, at a time in epoch milliseconds; the others are when the first and the last of their steps
/// were stored, in seconds since 1970.
///
/// A clock that says nothing sensible delays nothing.
#[must_use]
pub fn of(first_stored_at: i64, last_stored_at: i64, now: i64) -> Ripe {
    let age = |stored_at: i64| now.saturating_sub(stored_at.saturating_mul(1000));
    let (waiting, quiet) = (age(first_stored_at), age(last_stored_at));
    if !(-SKEW_MS..QUIET_MS).contains(&quiet) || waiting >= LONGEST_MS {
        return Ripe::Now;
    }
    if waiting <= LONGEST_MS - LOOK_MS {
        return Ripe::Later;
    }
    Ripe::In((QUIET_MS - quiet).min(LONGEST_MS - waiting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_wait_for_quiet_and_never_beyond_two_minutes() {
        for (first, last, now, ripe) in [
            (100, 100, 100_500, Ripe::Later),
            (100, 100, 129_999, Ripe::Later),
            (100, 100, 130_000, Ripe::Now),
            (100, 150, 160_000, Ripe::Later),
            // At the next look the first would have waited 121 s.
            (99, 159, 160_001, Ripe::In(28_999)),
            (99, 205, 206_000, Ripe::In(13_000)),
            (99, 218, 219_000, Ripe::Now),
            // A clock that is a bit behind, and one that was set back.
            (100, 100, 99_000, Ripe::Later),
            (100, 100, 30_000, Ripe::Now),
            (100, 100, 9_000_000, Ripe::Now),
        ] {
            assert_eq!(of(first, last, now), ripe, "{first} {last} {now}");
        }
    }

    /// When steps that are stored each second from `first` to `last` are told, by looks a minute that wait.
    fn told_at(first: i64, last: i64) -> i64 {
        let mut now = 60;
        loop {
            let newest = last.min(now - 1);
            match of(first, newest, now * 1000) {
                _ if newest < first => now += 60,
                Ripe::Now => return now,
                Ripe::In(pause_ms) => now += (pause_ms + 999) / 1000,
                Ripe::Later => now = (now / 60 + 1) * 60,
            }
        }
    }

    #[test]
    fn what_fails_within_a_minute_is_told_at_once_and_all_of_it() {
        for first in 0..60 {
            let (last, told) = (first + 60, told_at(first, first + 60));
            assert!(told > last && told - last <= 60, "stored from {first} to {last}, told at {told}");
        }
    }

    #[test]
    fn what_never_becomes_quiet_is_told_within_two_minutes() {
        for first in 0..60 {
            let told = told_at(first, i64::MAX);
            assert!(told - first <= 121, "stored at {first}, told at {told}");
        }
    }
}

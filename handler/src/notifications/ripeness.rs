//! When news are told: not while more of the same outage come in.

/// How long it must have been quiet.
const QUIET_MS: i64 = 30_000;
/// How long news wait at most.
const LONGEST_MS: i64 = 120_000;
/// Time between looks.
const LOOK_MS: i64 = 60_000;
/// How far the account's clock may be ahead of ours before we stop believing ours.
const SKEW_MS: i64 = 60_000;

/// Whether news are to be told now, in epoch milliseconds; the others are when the first and the last of their steps
/// were stored, in seconds since 1970.
///
/// A clock that says nothing sensible delays nothing.
#[must_use]
pub fn is_ripe(first_stored_at: i64, last_stored_at: i64, now: i64) -> bool {
    let age = |stored_at: i64| now.saturating_sub(stored_at.saturating_mul(1000));
    let (waiting, quiet) = (age(first_stored_at), age(last_stored_at));
    // At the next look it would be too late.
    !(-SKEW_MS..QUIET_MS).contains(&quiet) || waiting > LONGEST_MS - LOOK_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_wait_for_quiet_and_never_beyond_two_minutes() {
        for (first, last, now, ripe) in [
            (100, 100, 100_500, false),
            (100, 100, 129_999, false),
            (100, 100, 130_000, true),
            (100, 150, 160_000, false),
            // At the next look the first would have waited 121 s.
            (99, 159, 160_001, true),
            // A clock that is a bit behind, and one that was set back.
            (100, 100, 99_000, false),
            (100, 100, 30_000, true),
            (100, 100, 9_000_000, true),
        ] {
            assert_eq!(is_ripe(first, last, now), ripe, "{first} {last} {now}");
        }
    }

    #[test]
    fn whatever_comes_in_a_look_a_minute_tells_within_two() {
        for first in 0..60 {
            // A step each second: it is never quiet.
            let told =
                (1..10).map(|look| look * 60).find(|now| *now > first && is_ripe(first, now - 1, now * 1000));
            assert!(told.is_some_and(|told| told - first <= 120), "stored at {first}, told at {told:?}");
        }
    }
}

//! Whether data are complete: about, and without reading all of it.
//!
//! Hubs number their events without gaps, so how many came in stands in the headers of two documents a partition. How
//! many should have come nobody says: of the fleet the period before tells it, of a device its own usual pace.

use futures::{StreamExt, TryStreamExt, stream};
use wire::notifications::DigestCompleteness;

use super::period::Period;
use crate::fleet::HeardPartition;
use crate::store::{Store, StoreError};

/// Partitions asked about at the same time.
const AT_ONCE: usize = 16;
/// Readings from which a pace can be told.
const FEWEST_READINGS: usize = 10;

/// How many events came in, over a period and the one before.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub(super) async fn read(
    store: &Store,
    heard: &[HeardPartition],
    period: Period,
) -> Result<DigestCompleteness, StoreError> {
    let Period { from, to, .. } = period;
    let before = from - (to - from);
    let counts: Vec<(u64, u64)> = stream::iter(heard.to_vec())
        .map(|HeardPartition { bucket, .. }| async move {
            let at = |time| store.sequence_at(&bucket, time);
            let (begin, middle, end) = futures::try_join!(at(before), at(from), at(to))?;
            Ok((events(middle, end), events(begin, middle)))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let lost = store.lost_since(from / 1000).await?;
    let lost = lost.iter().filter(|lost| lost.stored_at < to / 1000);
    Ok(DigestCompleteness {
        n_events: counts.iter().map(|(now, _)| now).sum(),
        n_before: counts.iter().map(|(_, before)| before).sum(),
        n_lost: lost.map(|lost| events(Some(lost.first_sequence - 1), Some(lost.last_sequence))).sum(),
    })
}

/// Events after one sequence number up to another; none where the hub was rebuilt in between.
fn events(after: Option<i64>, up_to: Option<i64>) -> u64 {
    let n_events = up_to.zip(after).map(|(up_to, after)| up_to.saturating_sub(after));
    n_events.and_then(|n_events| u64::try_from(n_events).ok()).unwrap_or_default()
}

/// How many readings a device should have of a period of so many seconds, by the times of those that it has: by the
/// middle one of its pauses, which those of an outage do not change. `None` with too few.
#[must_use]
pub(super) fn expected(seconds: &[i64], length_s: i64) -> Option<u64> {
    if seconds.len() < FEWEST_READINGS {
        return None;
    }
    let mut pauses: Vec<i64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    pauses.sort_unstable();
    let usual = pauses[pauses.len() / 2];
    (usual > 0).then(|| u64::try_from(length_s / usual).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_does_not_change_what_is_expected() {
        let whole: Vec<i64> = (0..1440).map(|minute| minute * 60).collect();
        let broken: Vec<i64> = whole.iter().copied().filter(|at| !(20_000..60_000).contains(at)).collect();
        assert_eq!(expected(&whole, 86_400), Some(1440));
        assert_eq!(expected(&broken, 86_400), Some(1440));
        assert_eq!(expected(&whole[..5], 86_400), None);
        assert_eq!(expected(&[7; 20], 86_400), None, "all at one moment");
    }

    #[test]
    fn events_are_counted_by_their_numbers() {
        assert_eq!(events(Some(-1), Some(9)), 10);
        assert_eq!(events(Some(9), Some(9)), 0);
        assert_eq!(events(Some(900), Some(9)), 0, "a rebuilt hub");
        assert_eq!((events(None, Some(9)), events(Some(9), None)), (0, 0));
    }
}

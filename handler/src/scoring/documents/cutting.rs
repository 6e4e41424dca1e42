//! Cuts what one answer holds into documents below the limit.

use std::ops::Range;

use wire::documents::DOCUMENT_BYTES;

/// Cuts items in order of their sequence numbers into documents below the limit; all of one event stay together.
///
/// The stretches of the pieces fill the whole one, so that every sequence number is spoken for once.
pub(super) fn cut(
    sizes: impl Iterator<Item = (i64, usize)>,
    stretch: Range<i64>,
) -> Vec<(Range<usize>, Range<i64>)> {
    let mut cuts: Vec<(Range<usize>, Range<i64>)> = Vec::new();
    let (mut from, mut first, mut n_bytes, mut event_from) = (0, stretch.start, 0, 0);
    let (mut previous, mut event_bytes) = (None, 0);
    let mut n_items = 0;
    for (item, (sequence, size)) in sizes.enumerate() {
        if previous != Some(sequence) {
            (previous, event_from, event_bytes) = (Some(sequence), item, 0);
        }
        event_bytes += size;
        n_bytes += size;
        if n_bytes > DOCUMENT_BYTES && event_from > from {
            cuts.push((from..event_from, first..sequence));
            (from, first, n_bytes) = (event_from, sequence, event_bytes);
        }
        n_items = item + 1;
    }
    cuts.push((from..n_items, first..stretch.end));
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_one_document_for_the_whole_stretch() {
        assert_eq!(cut([(5, 10), (7, 10)].into_iter(), 4..10), [(0..2, 4..10)]);
    }

    #[test]
    fn pieces_fill_the_stretch_and_events_stay_together() {
        let half = DOCUMENT_BYTES / 2;
        let sizes = [(1, half), (2, half), (2, half), (3, half), (4, 1)];
        let cuts = cut(sizes.into_iter(), 0..9);
        assert_eq!(cuts, [(0..1, 0..2), (1..3, 2..3), (3..5, 3..9)]);
    }
}

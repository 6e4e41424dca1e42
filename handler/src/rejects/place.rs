//! The order of rejects: newest first, and always the same.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

/// Stands between the parts of a cursor; no bucket's name holds it, and no address must escape it.
const SEPARATOR: char = '~';

/// Where a reject stands in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// When the hub took the event in, in epoch milliseconds; 0 where it did not say.
    pub(super) time: i64,
    /// Bucket of the document.
    pub(super) bucket: String,
    /// Sequence number of the event.
    pub(super) sequence: i64,
    /// Place in the event.
    pub(super) index: u32,
}

impl Place {
    fn key(&self) -> (Reverse<i64>, &str, Reverse<i64>, u32) {
        (Reverse(self.time), &self.bucket, Reverse(self.sequence), self.index)
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a page ended, as text that a caller hands back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Enqueued time of what was listed last, in epoch milliseconds.
    pub(super) time: i64,
    /// The last reject listed of that time; `None` when all of that time were.
    place: Option<Place>,
}

impl Cursor {
    /// Goes on after a reject.
    pub(super) fn after(place: &Place) -> Self {
        Self { time: place.time, place: Some(place.clone()) }
    }

    /// Goes on with what is older than a time.
    pub(super) fn before(time: i64) -> Self {
        Self { time, place: None }
    }

    /// Whether a reject belongs to the next page.
    pub(super) fn admits(&self, place: &Place) -> bool {
        match &self.place {
            Some(last) => place > last,
            None => place.time < self.time,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.time)?;
        let Some(Place { sequence, index, bucket, .. }) = &self.place else { return Ok(()) };
        write!(formatter, "{SEPARATOR}{sequence}{SEPARATOR}{index}{SEPARATOR}{bucket}")
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.splitn(4, SEPARATOR).collect();
        let number = |text: &str| text.parse::<i64>().map_err(|_| ());
        match parts.as_slice() {
            [time] => Ok(Self::before(number(time)?)),
            [time, sequence, index, bucket] => Ok(Self::after(&Place {
                time: number(time)?,
                sequence: number(sequence)?,
                index: index.parse().map_err(|_| ())?,
                bucket: (*bucket).to_owned(),
            })),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(time: i64, bucket: &str, sequence: i64, index: u32) -> Place {
        Place { time, bucket: bucket.to_owned(), sequence, index }
    }

    #[test]
    fn newest_first_and_an_event_s_parts_in_their_order() {
        let sorted = [
            place(9, "b.1.x", 3, 0),
            place(9, "b.2.x", 8, 0),
            place(9, "b.2.x", 7, 0),
            place(9, "b.2.x", 7, 1),
            place(8, "a.0.x", 9, 0),
        ];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn cursors_come_back_as_they_went() {
        for cursor in [Cursor::before(-5), Cursor::after(&place(1_767_323_045_678, "1a2b3c4d.0.x", 4711, 3))]
        {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "x", "1~2", "1~2~3", "1~2~-3~b", "1~x~3~b", "99999999999999999999"] {
            assert_eq!(text.parse::<Cursor>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_cursor_admits_what_comes_after_it() {
        let last = place(9, "b", 7, 1);
        assert!(!Cursor::after(&last).admits(&last));
        assert!(Cursor::after(&last).admits(&place(9, "b", 6, 0)));
        assert!(!Cursor::before(9).admits(&place(9, "z", 0, 9)));
        assert!(Cursor::before(9).admits(&place(8, "a", 9, 0)));
    }
}

//! A batch of events of one partition, each with its place in the stream.

use wire::invocation::Event;

use super::ScoreError;

/// Events in order of their sequence numbers; never empty.
#[derive(Debug)]
pub struct Batch<'a> {
    events: &'a [Event<'a>],
    sequences: Vec<i64>,
    enqueued_to: i64,
}

impl<'a> Batch<'a> {
    /// Gives each event its place.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when a sequence number lacks or is not above the one before it.
    pub fn new(events: &'a [Event<'a>]) -> Result<Self, ScoreError> {
        let mut sequences: Vec<i64> = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let next = event.sequence_number.ok_or(ScoreError::NoSequence { index })?;
            match sequences.last() {
                Some(&previous) if next <= previous => return Err(ScoreError::Disorder { previous, next }),
                _ => sequences.push(next),
            }
        }
        Ok(Self { events, sequences, enqueued_to: newest_enqueued(events) })
    }

    /// Numbers the events of an admin call from zero.
    #[must_use]
    pub fn without_positions(events: &'a [Event<'a>]) -> Self {
        Self { events, sequences: (0..).take(events.len()).collect(), enqueued_to: newest_enqueued(events) }
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &'a [Event<'a>] {
        self.events
    }

    /// Sequence number of the n-th event.
    #[must_use]
    pub fn sequence(&self, event: usize) -> i64 {
        self.sequences[event]
    }

    /// The sequence numbers at and after `first`, in order.
    #[must_use]
    pub fn sequences_from(&self, first: i64) -> &[i64] {
        &self.sequences[self.place_after(first.saturating_sub(1))..]
    }

    /// First sequence number.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.sequences.first().copied().unwrap_or_default()
    }

    /// Last sequence number.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.sequences.last().copied().unwrap_or_default()
    }

    /// Newest enqueued time, in epoch milliseconds; 0 when the host did not say.
    #[must_use]
    pub fn enqueued_to(&self) -> i64 {
        self.enqueued_to
    }
}

impl Batch<'_> {
    /// When the hub took in the first event, in epoch milliseconds.
    #[must_use]
    pub fn first_enqueued(&self) -> Option<i64> {
        self.events.first().and_then(|event| event.enqueued_ms)
    }

    /// When the hub took in the first of the events up to a position that says so, in epoch milliseconds.
    #[must_use]
    pub fn enqueued_until(&self, position: i64) -> Option<i64> {
        self.events[..self.place_after(position)].iter().find_map(|event| event.enqueued_ms)
    }

    /// Place of the first event that comes after a position.
    #[must_use]
    pub fn place_after(&self, position: i64) -> usize {
        self.sequences.partition_point(|sequence| *sequence <= position)
    }

    /// Stretches between two of its events, and between `expected` and its first, that are no events of it.
    #[must_use]
    pub fn jumps(&self, from_place: usize) -> Vec<(i64, i64)> {
        let sequences = &self.sequences[from_place..];
        let pairs = sequences.windows(2).filter(|pair| pair[1] > pair[0] + 1);
        pairs.map(|pair| (pair[0] + 1, pair[1] - 1)).collect()
    }
}

fn newest_enqueued(events: &[Event<'_>]) -> i64 {
    events.iter().filter_map(|event| event.enqueued_ms).max().unwrap_or_default()
}

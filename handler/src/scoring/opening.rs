//! Opens a hub partition: finds its epoch, a snapshot, and what is stored after it.

use std::time::Instant;

use wire::position::Stream;

use super::batch::Batch;
use super::decide::Reconstruct;
use super::partition::{Partition, is_rebuilt};
use super::snapshots::{Kept, newest_snapshot};
use super::state::State;
use super::stored::Extent;
use super::tail::check_bucket;
use super::{ScoreError, Scorer};

/// Epochs in a row without documents after which no later one is looked for.
const EMPTY_EPOCHS: u32 = 2;

impl<M: Reconstruct> Scorer<M> {
    /// Makes `known` the partition that a batch belongs to, read back from storage unless it is that already.
    ///
    /// # Errors
    ///
    /// [`ScoreError`] when storage is away or lacks something; `known` is then as it was.
    pub(super) async fn open(
        &self,
        known: &mut Option<Partition>,
        mut stream: Stream,
        batch: &Batch<'_>,
    ) -> Result<(), ScoreError> {
        let began = Instant::now();
        let from_epoch = known.as_ref().map_or(0, |partition| partition.stream.epoch);
        if known.as_ref().is_some_and(|partition| !partition.is_rebuilt(batch) && partition.expects(batch)) {
            return Ok(());
        }
        // Another process may have seen what this one has not.
        let newest = self.newest_epoch(&stream, from_epoch).await?;
        let mut extent = newest.map(|(_, found)| found);
        stream.epoch = newest.map_or(from_epoch, |(epoch, _)| epoch);
        if let Some(partition) = known
            && stream.epoch == from_epoch
        {
            if self.still_holds(partition, extent, batch) {
                partition.see(extent.map(|stored| stored.last));
                return Ok(());
            }
            if partition.is_rebuilt(batch) {
                self.tell_of_epoch(&stream, batch, partition.state.enqueued_to);
                (stream.epoch, extent) = (from_epoch + 1, None);
            }
        }
        if let Some(stored) = extent
            && is_rebuilt(batch, stored.last, stored.enqueued_to)
        {
            stream.epoch += 1;
            self.tell_of_epoch(&stream, batch, stored.enqueued_to);
            extent = None;
        }
        *known = Some(self.recover(stream, extent, batch, began).await?);
        Ok(())
    }

    /// Whether a partition that did not expect a batch can go on with it, when facts of its epoch are stored so far.
    fn still_holds(&self, partition: &Partition, stored: Option<Extent>, batch: &Batch<'_>) -> bool {
        let is_rebuilt = stored.is_some_and(|stored| is_rebuilt(batch, stored.last, stored.enqueued_to));
        if partition.is_rebuilt(batch) || is_rebuilt {
            return false;
        }
        // What came after an outdated state may be deleted already.
        let is_outdated = partition.is_outdated(self.oldest_ms(batch));
        !is_outdated || !partition.is_superseded(stored.map(|stored| stored.last))
    }

    async fn recover(
        &self,
        stream: Stream,
        extent: Option<Extent>,
        batch: &Batch<'_>,
        began: Instant,
    ) -> Result<Partition, ScoreError> {
        let oldest_ms = self.oldest_ms(batch);
        let kept = self.snapshot(&stream, oldest_ms).await?;
        let first = batch.first();
        let known = self.storage.facts.pages(&stream).await?;
        let mut term = extent.map_or(0, |extent| extent.term);
        let mut state = self.empty_state();
        if let Some(kept) = kept {
            (state, term) = (kept.state, term.max(kept.term));
        }
        let from = match state.position {
            Some(position) => position.saturating_add(1),
            None => self
                .storage
                .facts
                .first(&stream, self.n_buckets)
                .await?
                .map_or(first, |stored| stored.min(first)),
        };
        state.position.get_or_insert(from - 1);
        for (device_id, listed) in &known {
            check_bucket(&state, device_id, listed.bucket)?;
        }
        state.remember(known);
        tracing::info!(
            hub = stream.hub,
            partition = stream.partition,
            epoch = stream.epoch,
            from,
            first,
            n_devices = state.entries().len(),
            took_ms = millis(began),
            "partition opened"
        );
        let mut partition = Partition::new(stream, state, term);
        partition.see(extent.map(|stored| stored.last));
        Ok(partition)
    }

    /// Documents whose newest event is older than half the time that they are kept may be deleted already.
    pub(super) fn oldest_ms(&self, batch: &Batch<'_>) -> i64 {
        batch.enqueued_to().saturating_sub(self.identity.ttl_s.saturating_mul(500))
    }

    async fn snapshot(&self, stream: &Stream, oldest_ms: i64) -> Result<Option<Kept>, ScoreError> {
        let Some(store) = &self.storage.snapshots else { return Ok(None) };
        let empty = || -> State { self.empty_state() };
        newest_snapshot(&**store, stream, oldest_ms, empty, self.n_buckets).await
    }

    async fn extent(&self, stream: &Stream) -> Result<Option<Extent>, ScoreError> {
        Ok(self.storage.facts.extent(stream, self.n_buckets).await?)
    }

    /// The newest epoch of a stream, from one on, that has documents.
    async fn newest_epoch(&self, stream: &Stream, from: u32) -> Result<Option<(u32, Extent)>, ScoreError> {
        let mut newest = None;
        let mut n_empty = 0;
        for epoch in from.. {
            match self.extent(&Stream { epoch, ..stream.clone() }).await? {
                Some(extent) => (newest, n_empty) = (Some((epoch, extent)), 0),
                None => n_empty += 1,
            }
            if n_empty == EMPTY_EPOCHS {
                break;
            }
        }
        Ok(newest)
    }

    fn tell_of_epoch(&self, stream: &Stream, batch: &Batch<'_>, stored_to_ms: i64) {
        tracing::error!(
            hub = stream.hub,
            partition = stream.partition,
            epoch = stream.epoch,
            first = batch.first(),
            enqueued_ms = batch.first_enqueued(),
            stored_to_ms,
            "the hub numbers its events anew: it was rebuilt or failed over; a new epoch begins, and devices learn again"
        );
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

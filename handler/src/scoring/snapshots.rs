//! Snapshots: states that are known to be stored, kept so that recovery need not read the whole past.
//!
//! A snapshot is immutable and named by its position; a torn or old one is passed over, and without any the fold
//! starts from the key frames.

use std::sync::Arc;

use wire::position::Stream;
use wire::snapshot::{Snapshot, SnapshotHeader, SnapshotWriter};

use super::ScoreError;
use super::device::Memory;
use super::partition::Partition;
use super::state::State;
use super::stored::SnapshotStore;

/// Snapshots of a stream that are kept.
const KEPT: usize = 3;

/// A snapshot that is to be kept.
#[derive(Debug)]
pub struct NewSnapshot {
    prefix: String,
    name: String,
    bytes: Vec<u8>,
}

/// A state that was kept.
#[derive(Debug)]
pub struct Kept {
    /// The state.
    pub state: State,
    /// Term of its writer.
    pub term: u32,
}

/// Writes down a partition's state, all of which must be known to be stored; `None` before the first event.
///
/// # Errors
///
/// [`ScoreError::Serialize`], which cannot happen: the header is numbers.
pub fn snapshot_of(partition: &Partition, n_buckets: u32) -> Result<Option<NewSnapshot>, ScoreError> {
    let state = &partition.state;
    let Some(position) = state.position.filter(|position| *position >= 0) else { return Ok(None) };
    let header = SnapshotHeader {
        position,
        enqueued_to: state.enqueued_to,
        epoch: partition.stream.epoch,
        term: partition.term,
        n_buckets,
    };
    let mut writer = SnapshotWriter::new(&header)?;
    for entry in state.entries() {
        if !entry.memory.device.is_blank() && !state.is_gone(&entry.memory) {
            writer.add(&entry.id, |out| entry.memory.encode(out));
        }
    }
    let prefix = prefix_of(&partition.stream);
    // Positions are never negative, and sort as text this way.
    let name = format!("{prefix}{position:020}.snapshot");
    Ok(Some(NewSnapshot { prefix, name, bytes: writer.finish() }))
}

impl NewSnapshot {
    /// Half of it, as a write that was cut short would leave it.
    #[cfg(test)]
    pub(super) fn torn(mut self) -> Self {
        self.bytes.truncate(self.bytes.len() / 2);
        self
    }

    /// Its size.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps it, and forgets all but the newest three.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn keep(self, store: &Arc<dyn SnapshotStore>) -> anyhow::Result<()> {
        store.put(&self.name, self.bytes).await?;
        let mut names = store.list(&self.prefix).await?;
        names.sort_unstable();
        let n_old = names.len().saturating_sub(KEPT);
        for name in &names[..n_old] {
            store.delete(name).await?;
        }
        Ok(())
    }
}

/// The newest usable snapshot of a stream.
///
/// One whose newest event was taken in before `oldest_ms` is not used: what came after it may be deleted already.
/// A store that is away costs time and nothing else.
///
/// # Errors
///
/// [`ScoreError::SnapshotBuckets`] when it was written with another number of groups.
pub async fn newest_snapshot(
    store: &dyn SnapshotStore,
    stream: &Stream,
    oldest_ms: i64,
    empty: impl Fn() -> State,
    n_buckets: u32,
) -> Result<Option<Kept>, ScoreError> {
    let mut names = match store.list(&prefix_of(stream)).await {
        Ok(names) => names,
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "snapshots cannot be listed; recovery reads documents"
            );
            return Ok(None);
        }
    };
    names.sort_unstable();
    for name in names.iter().rev().take(KEPT) {
        match read(store, name, stream, oldest_ms, &empty).await {
            Ok((header, kept)) if header.n_buckets == n_buckets => return Ok(Some(kept)),
            Ok((header, _)) => return Err(ScoreError::SnapshotBuckets { stored: header.n_buckets }),
            Err(error) => tracing::warn!(name, error = format!("{error:#}"), "snapshot passed over"),
        }
    }
    Ok(None)
}

async fn read(
    store: &dyn SnapshotStore,
    name: &str,
    stream: &Stream,
    oldest_ms: i64,
    empty: impl Fn() -> State,
) -> anyhow::Result<(SnapshotHeader, Kept)> {
    let bytes = store.get(name).await?;
    let snapshot = Snapshot::read(&bytes)?;
    let header = snapshot.header.clone();
    anyhow::ensure!(header.epoch == stream.epoch, "it is of epoch {}", header.epoch);
    anyhow::ensure!(
        header.enqueued_to >= oldest_ms,
        "it is older than half the time that documents are kept"
    );
    let mut state = empty();
    for (device_id, bytes) in snapshot.devices()? {
        let (memory, _) = Memory::decode(bytes)?;
        state.insert(device_id, memory);
    }
    (state.position, state.enqueued_to) = (Some(header.position), header.enqueued_to);
    let term = header.term;
    Ok((header, Kept { state, term }))
}

fn prefix_of(stream: &Stream) -> String {
    format!("{}/", stream.bucket_prefix().trim_end_matches('.'))
}

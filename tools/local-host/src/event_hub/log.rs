//! The log on disk: one append-only file of JSON lines a partition; a line torn by a crash is cut off at the start.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use super::event::{Event, NewEvent};

/// Bytes of log lines that one read returns at most, unless a single line is longer.
const READ_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// The log cannot be used.
#[derive(Debug, Error)]
pub enum HubError {
    /// A file cannot be opened, read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line in the middle of a file is no event.
    #[error("{path} is damaged at byte {offset}; remove it to start anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// The partition does not exist.
    #[error("partition `{0}` does not exist")]
    UnknownPartition(String),
    /// A task ended before its work did.
    #[error("a task ended early: {0}")]
    Ended(String),
}

/// A place between two events of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Byte in the partition's file where the next event begins.
    pub next_offset: u64,
    /// Sequence number of the next event.
    pub next_sequence_number: i64,
}

/// One event hub.
#[derive(Debug)]
pub struct Hub {
    name: String,
    partitions: Vec<Partition>,
}

#[derive(Debug)]
struct Partition {
    path: PathBuf,
    writer: Mutex<File>,
    end: watch::Sender<Position>,
}

impl Hub {
    /// Opens the hub in `folder` with this many partitions, creating what is missing.
    ///
    /// # Errors
    ///
    /// [`HubError`] when a file cannot be used or is damaged before its end.
    pub fn open(folder: &Path, name: &str, partitions: usize) -> Result<Self, HubError> {
        std::fs::create_dir_all(folder).map_err(|source| HubError::File {
            action: "create",
            path: folder.to_owned(),
            source,
        })?;
        let partitions = (0..partitions)
            .map(|number| Partition::open(folder.join(format!("{name}.{number}.jsonl"))))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), partitions })
    }

    /// Name of the hub.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of partitions; their ids are `0` up to it.
    #[must_use]
    pub fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// The partition of a key: the same one for the same key, always.
    #[must_use]
    pub fn partition_of(&self, key: &str) -> usize {
        let count = u64::try_from(self.partitions.len()).unwrap_or(1).max(1);
        usize::try_from(stable_hash(key) % count).unwrap_or(0)
    }

    /// Appends events to one partition; they are in the file when this returns.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the partition does not exist or its file cannot be written.
    pub fn append(&self, partition: usize, events: Vec<NewEvent>, now: Timestamp) -> Result<(), HubError> {
        self.partition(partition)?.append(events, now)
    }

    /// Reads up to `max` events from `from` on, with the position after them; none if there are none yet.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the file cannot be read or the position is none of its.
    pub fn read(
        &self,
        partition: usize,
        from: Position,
        max: usize,
    ) -> Result<(Vec<Event>, Position), HubError> {
        self.partition(partition)?.read(from, max)
    }

    /// The position of an event, looked for from `from` on; the end of the partition if it is not there.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the file cannot be read or `from` is none of its positions.
    pub fn position_of(
        &self,
        partition: usize,
        sequence_number: i64,
        from: Position,
    ) -> Result<Position, HubError> {
        let mut position = from;
        while position.next_sequence_number < sequence_number {
            let missing = sequence_number - position.next_sequence_number;
            let (events, next) =
                self.read(partition, position, usize::try_from(missing).unwrap_or(usize::MAX))?;
            if events.is_empty() {
                break;
            }
            position = next;
        }
        Ok(position)
    }

    /// The position after the newest event, and its changes.
    ///
    /// # Errors
    ///
    /// [`HubError`] when the partition does not exist.
    pub fn end(&self, partition: usize) -> Result<watch::Receiver<Position>, HubError> {
        Ok(self.partition(partition)?.end.subscribe())
    }

    fn partition(&self, partition: usize) -> Result<&Partition, HubError> {
        self.partitions.get(partition).ok_or_else(|| HubError::UnknownPartition(partition.to_string()))
    }
}

impl Partition {
    fn open(path: PathBuf) -> Result<Self, HubError> {
        let fail = |action| {
            let path = path.clone();
            move |source| HubError::File { action, path, source }
        };
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(fail("open"))?;
        let end = find_end(&path, &mut file)?;
        let length = file.metadata().map_err(fail("read"))?.len();
        if end.next_offset < length {
            tracing::warn!(file = %path.display(), bytes = length - end.next_offset, "cut off a torn last event");
            file.set_len(end.next_offset).map_err(fail("truncate"))?;
        }
        Ok(Self { path, writer: Mutex::new(file), end: watch::Sender::new(end) })
    }

    fn append(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<(), HubError> {
        // A poisoned lock means that a writer panicked between two whole lines; the end below is still true.
        let mut file = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut end = *self.end.borrow();
        let mut lines = Vec::new();
        for event in events {
            let event = Event {
                sequence_number: end.next_sequence_number,
                offset: end.next_offset,
                enqueued: now,
                partition_key: event.partition_key,
                properties: event.properties,
                system: event.system,
                body: event.body,
            };
            let mut line = serde_json::to_vec(&event).unwrap_or_default();
            line.push(b'\n');
            end.next_offset += line.len() as u64;
            end.next_sequence_number += 1;
            lines.extend(line);
        }
        let written = file.write_all(&lines);
        if let Err(source) = written {
            // Half a write would be read as a torn event: take it back as far as possible.
            let _ = file.set_len(self.end.borrow().next_offset);
            return Err(HubError::File { action: "append to", path: self.path.clone(), source });
        }
        self.end.send_replace(end);
        Ok(())
    }

    fn read(&self, from: Position, max: usize) -> Result<(Vec<Event>, Position), HubError> {
        let end = *self.end.borrow();
        if from.next_offset >= end.next_offset {
            return Ok((Vec::new(), from));
        }
        let fail = |source| HubError::File { action: "read", path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(fail)?;
        file.seek(SeekFrom::Start(from.next_offset)).map_err(fail)?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let mut position = from;
        let mut events = Vec::new();
        let mut line = Vec::new();
        while events.len() < max
            && position.next_offset < end.next_offset
            && (events.is_empty() || position.next_offset - from.next_offset < READ_LIMIT_BYTES)
        {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(fail)?;
            let event: Event = serde_json::from_slice(&line)
                .map_err(|_| HubError::Damaged { path: self.path.clone(), offset: position.next_offset })?;
            position.next_offset += line.len() as u64;
            position.next_sequence_number = event.sequence_number + 1;
            events.push(event);
        }
        Ok((events, position))
    }
}

/// Walks the file to the end of its last whole line.
fn find_end(path: &Path, file: &mut File) -> Result<Position, HubError> {
    #[derive(Deserialize)]
    struct Numbered {
        n: i64,
    }
    let fail = |source| HubError::File { action: "read", path: path.to_owned(), source };
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut reader = BufReader::with_capacity(1024 * 1024, file);
    let mut end = Position::default();
    let mut last = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(fail)?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        end.next_offset += length as u64;
        std::mem::swap(&mut last, &mut line);
    }
    if !last.is_empty() {
        let newest: Numbered = serde_json::from_slice(&last).map_err(|_| HubError::Damaged {
            path: path.to_owned(),
            offset: end.next_offset - last.len() as u64,
        })?;
        end.next_sequence_number = newest.n + 1;
    }
    Ok(end)
}

/// FNV-1a, 64 bits, folded once so that the low bits depend on all of it.
fn stable_hash(key: &str) -> u64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> NewEvent {
        NewEvent {
            body: body.as_bytes().to_vec(),
            partition_key: None,
            properties: Vec::new(),
            system: Vec::new(),
        }
    }

    #[test]
    fn numbers_events_and_survives_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millisecond(1_767_323_045_678).unwrap();
        let hub = Hub::open(folder.path(), "telemetry", 2).unwrap();
        hub.append(1, vec![event("a"), event("b")], now).unwrap();
        drop(hub);
        let path = folder.path().join("telemetry.1.jsonl");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"n\":2,\"o\":9").unwrap();
        let hub = Hub::open(folder.path(), "telemetry", 2).unwrap();
        hub.append(1, vec![event("c")], now).unwrap();
        let (events, end) = hub.read(1, Position::default(), 2).unwrap();
        assert_eq!(events.iter().map(|event| event.sequence_number).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(hub.position_of(1, 2, Position::default()).unwrap(), end);
        assert_eq!(hub.position_of(1, 99, end).unwrap(), *hub.end(1).unwrap().borrow());
        let (events, end) = hub.read(1, end, 10).unwrap();
        assert_eq!(events[0].body, b"c");
        assert_eq!(events[0].sequence_number, 2);
        assert_eq!(end, *hub.end(1).unwrap().borrow());
        assert!(hub.read(0, Position::default(), 10).unwrap().0.is_empty());
    }

    #[test]
    fn spreads_devices_over_partitions_and_never_moves_one() {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::open(folder.path(), "telemetry", 4).unwrap();
        let mut counts = [0; 4];
        for number in 0..400 {
            counts[hub.partition_of(&format!("device-{number:04}"))] += 1;
        }
        assert!(counts.iter().all(|count| *count > 60), "{counts:?}");
        assert_eq!(hub.partition_of("device-0001"), 0);
    }
}

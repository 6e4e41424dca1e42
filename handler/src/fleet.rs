//! The newest state of every device, put together from what is stored.
//!
//! Tables of devices are caches that state their position; later results are applied to them here, so that an old
//! table costs reads and is never wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use detector::{Severity, Step};
use futures::{StreamExt, TryStreamExt, stream};
use wire::api::{DeviceCounts, DeviceStatus, DeviceView, OpenAlertView, is_anomaly};
use wire::documents::{
    CHANNEL_MASK, CHANNEL_SHIFT, DeviceRow, DevicesDocument, FLAG_ANEW, FLAG_LATE, FLAG_LEARNING, OpenAlert,
    ReadingRow, ResultsDocument, STEP_MASK, STEP_SHIFT,
};
use wire::stored::rows_by_device;

use crate::alerts::device_view;
use crate::shared_read::SharedRead;
use crate::store::{Store, StoreError};

/// Buckets read at the same time.
const PARALLEL_READS: usize = 16;
/// How long an answer may be given again: many who watch cost as much as one.
const FRESH: Duration = Duration::from_secs(2);

/// A device and its open alert.
pub type Open<'a> = (&'a DeviceView, &'a OpenAlertView);

/// All devices in order of their ids.
#[derive(Debug, Default)]
pub struct Fleet {
    /// A view a device.
    pub devices: Vec<DeviceView>,
    /// When each partition was heard, by hub and partition.
    pub heard: Vec<HeardPartition>,
}

/// A partition of a hub, as far as its readings tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardPartition {
    /// The event hub.
    pub hub: String,
    /// Its partition.
    pub partition: String,
    /// When the newest of its readings was taken in, in epoch milliseconds by the hub's clock.
    pub heard_to: i64,
    /// How long it may be silent: as long as the most talkative device that it was heard with, in milliseconds; `None`
    /// while that is not known.
    pub allowance: Option<i64>,
    /// The bucket that most of its devices are in.
    pub bucket: String,
}

impl Fleet {
    /// The device of that id.
    #[must_use]
    pub fn device(&self, device_id: &str) -> Option<&DeviceView> {
        let place = self.devices.binary_search_by(|device| device.device_id.as_str().cmp(device_id)).ok()?;
        self.devices.get(place)
    }

    /// All open alerts.
    pub fn open_alerts(&self) -> impl Iterator<Item = Open<'_>> + Clone {
        self.devices.iter().filter_map(|device| Some((device, device.alert.as_ref()?)))
    }

    /// Counts devices by status.
    #[must_use]
    pub fn counts(&self) -> DeviceCounts {
        let mut counts = DeviceCounts { total: self.devices.len(), ..DeviceCounts::default() };
        for device in &self.devices {
            match device.status {
                DeviceStatus::Normal => counts.normal += 1,
                DeviceStatus::Anomaly => counts.anomaly += 1,
                DeviceStatus::Learning => counts.learning += 1,
                DeviceStatus::Silent => counts.silent += 1,
            }
        }
        counts
    }
}

/// Reads the fleet, at most once every two seconds however many ask.
#[derive(Debug)]
pub struct FleetReader {
    store: Arc<Store>,
    shared: SharedRead<Fleet, StoreError>,
}

impl FleetReader {
    /// Reads from a store.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, shared: SharedRead::new(FRESH) }
    }

    /// All devices.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read, for all who waited for the same read; it is logged already.
    pub async fn read(&self) -> Result<Arc<Fleet>, Arc<StoreError>> {
        let store = Arc::clone(&self.store);
        let read = || async move {
            let fleet = read_fleet(&store).await;
            if let Err(error) = &fleet {
                tracing::warn!(error = error.with_causes(), "the fleet cannot be read");
            }
            fleet
        };
        self.shared.read(read).await
    }

    /// One device's newest row, and the buckets that hold its readings.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub async fn device(&self, device_id: &str) -> Result<Option<(DeviceRow, Vec<String>)>, StoreError> {
        let buckets = self.store.buckets_of(device_id).await?;
        let mut newest: Option<DeviceRow> = None;
        for bucket in &buckets {
            let tables = self.store.device_tables_of(bucket).await?;
            let later = self.store.results_after(bucket, oldest_position(&tables)).await?;
            let row = newest_rows(&tables, &later).remove(device_id);
            newest = newest.into_iter().chain(row).max_by_key(|row| row.timestamp);
        }
        Ok(newest.map(|row| (row, buckets)))
    }
}

async fn read_fleet(store: &Store) -> Result<Fleet, StoreError> {
    let buckets = newest_of(store, store.device_tables().await?).await?;
    Ok(Fleet { devices: views(&buckets), heard: heard(&buckets) })
}

/// When each partition was heard; what belongs to no partition, or has no times, is left out.
fn heard(buckets: &[Bucket]) -> Vec<HeardPartition> {
    let mut by_source: BTreeMap<&Source, Vec<&Bucket>> = BTreeMap::new();
    for bucket in buckets.iter().filter(|bucket| !bucket.source.1.is_empty()) {
        by_source.entry(&bucket.source).or_default().push(bucket);
    }
    let partition = |((hub, partition), buckets): (&Source, Vec<&Bucket>)| {
        let heard_to = buckets.iter().map(|bucket| bucket.heard_to).max().filter(|heard_to| *heard_to > 0)?;
        // Those that were silent already say nothing about how long the others pause.
        let lively = |row: &&DeviceRow| {
            row.arrived.zip(row.allowance).is_some_and(|(arrived, allowance)| arrived + allowance >= heard_to)
        };
        let rows = buckets.iter().flat_map(|bucket| bucket.rows.values());
        Some(HeardPartition {
            hub: hub.clone(),
            partition: partition.clone(),
            heard_to,
            allowance: rows.filter(lively).filter_map(|row| row.allowance).min(),
            bucket: buckets.iter().max_by_key(|bucket| bucket.rows.len())?.name.clone(),
        })
    };
    by_source.into_iter().filter_map(partition).collect()
}

/// Shows the devices of all buckets.
fn views(buckets: &[Bucket]) -> Vec<DeviceView> {
    let mut heard_to: HashMap<&Source, i64> = HashMap::new();
    for bucket in buckets {
        let partition = heard_to.entry(&bucket.source).or_default();
        *partition = bucket.heard_to.max(*partition);
    }
    // A device that changed partitions is in two buckets: the newer reading counts, and that it was heard at all.
    let mut newest: BTreeMap<&str, (&Bucket, DeviceRow)> = BTreeMap::new();
    for bucket in buckets {
        for (device_id, row) in &bucket.rows {
            let known = newest.get(device_id.as_str()).copied();
            let arrived = row.arrived.max(known.and_then(|(_, known)| known.arrived));
            let (bucket, row) =
                known.filter(|(_, known)| known.timestamp >= row.timestamp).unwrap_or((bucket, *row));
            newest.insert(device_id, (bucket, DeviceRow { arrived, ..row }));
        }
    }
    let view = |(device_id, (bucket, row)): (&str, (&Bucket, DeviceRow))| {
        let heard_to = heard_to.get(&bucket.source).copied().unwrap_or_default();
        device_view(&bucket.name, device_id, &row).as_heard(&row, heard_to)
    };
    newest.into_iter().map(view).collect()
}

/// Hub and partition: devices are silent while their partition is not. A rebuilt hub goes on as the same.
type Source = (String, String);

/// The newest rows of a bucket.
struct Bucket {
    name: String,
    source: Source,
    rows: HashMap<String, DeviceRow>,
    /// When the newest of its events was taken in, in epoch milliseconds.
    heard_to: i64,
}

/// The newest rows of each bucket that the tables belong to.
async fn newest_of(store: &Store, tables: Vec<DevicesDocument>) -> Result<Vec<Bucket>, StoreError> {
    let mut by_bucket: BTreeMap<String, Vec<DevicesDocument>> = BTreeMap::new();
    for table in tables {
        by_bucket.entry(table.header.bucket.clone()).or_default().push(table);
    }
    stream::iter(by_bucket)
        .map(|(name, tables)| async move {
            let later = store.results_after(&name, oldest_position(&tables)).await?;
            let rows = newest_rows(&tables, &later);
            let headers = tables.iter().map(|table| &table.header);
            let headers = headers.chain(later.iter().map(|document| &document.header));
            let heard_to = headers.map(|header| header.enqueued_to).max().unwrap_or_default();
            let source =
                tables.first().map(|table| (table.header.hub.clone(), table.header.partition.clone()));
            Ok(Bucket { name, source: source.unwrap_or_default(), rows, heard_to })
        })
        .buffer_unordered(PARALLEL_READS)
        .try_collect()
        .await
}

fn oldest_position(tables: &[DevicesDocument]) -> i64 {
    tables.iter().map(|table| table.header.last_sequence).min().unwrap_or(i64::MAX)
}

/// Applies later results of a bucket to its tables.
fn newest_rows(tables: &[DevicesDocument], later: &[ResultsDocument]) -> HashMap<String, DeviceRow> {
    let mut newest: HashMap<String, (i64, DeviceRow)> = HashMap::new();
    for table in tables {
        for (device_id, row) in &table.devices {
            let position = table.header.last_sequence;
            match newest.get(device_id) {
                Some((known, _)) if *known >= position => {}
                _ => {
                    newest.insert(device_id.clone(), (position, *row));
                }
            }
        }
    }
    for (device_id, rows) in rows_by_device(later) {
        let known = newest.get(device_id).copied();
        let position = known.map_or(i64::MIN, |(position, _)| position);
        let fresh = rows.iter().filter(|row| row.sequence > position && row.flags & FLAG_LATE == 0);
        let row = fresh.fold(known.map(|(_, row)| row), |before, row| Some(advance(before, row)));
        if let Some(row) = row {
            newest.insert(device_id.to_owned(), (position, row));
        }
    }
    let mut rows: HashMap<String, DeviceRow> =
        newest.into_iter().map(|(device_id, (_, row))| (device_id, row)).collect();
    for document in later {
        // A late reading is no newer one, but it was heard.
        let arrived = Some(document.header.enqueued_to).filter(|enqueued_to| *enqueued_to > 0);
        for device_id in document.readings.keys() {
            if let Some(row) = rows.get_mut(device_id) {
                row.arrived = row.arrived.max(arrived);
            }
        }
    }
    rows
}

/// A device's row after one more reading.
fn advance(before: Option<DeviceRow>, row: &ReadingRow) -> DeviceRow {
    // Of a device that was forgotten nothing goes on.
    let before = before.filter(|_| row.flags & FLAG_ANEW == 0);
    let last_anomaly = before.and_then(|before| before.last_anomaly);
    DeviceRow {
        timestamp: row.timestamp,
        temperature: row.temperature,
        expected: row.expected,
        error: row.error,
        score: row.score,
        flags: row.flags & FLAG_LEARNING,
        last_anomaly: if is_anomaly(row.score) { Some(row.timestamp) } else { last_anomaly },
        alert: alert_after(before.and_then(|before| before.alert), row),
        arrived: before.and_then(|before| before.arrived),
        allowance: before.and_then(|before| before.allowance),
    }
}

/// The open alert after one more reading.
fn alert_after(before: Option<OpenAlert>, row: &ReadingRow) -> Option<OpenAlert> {
    let step = u8::try_from((row.flags >> STEP_SHIFT) & STEP_MASK).ok().and_then(Step::of_code);
    match step {
        None => before,
        Some(Step::Closed) => None,
        Some(Step::Escalated) => before.map(|alert| OpenAlert { is_critical: true, ..alert }),
        Some(Step::Opened) => Some(OpenAlert {
            sequence: row.sequence,
            index: row.index,
            opened_at: row.timestamp,
            channel: (row.flags >> CHANNEL_SHIFT) & CHANNEL_MASK,
            is_critical: row.score.is_some_and(|score| Severity::of(score) == Severity::Critical),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::documents::Header;

    fn header(kind: &str, first_sequence: i64, last_sequence: i64) -> Header {
        serde_json::from_value(serde_json::json!({
            "id": format!("{kind}-{first_sequence}-{last_sequence}"), "type": kind, "bucket": "b", "hub": "h",
            "partition": "0", "epoch": 0, "term": 0, "writer": "w", "version": 1, "firstSequence": first_sequence,
            "lastSequence": last_sequence, "enqueuedTo": 0, "ttl": 1
        }))
        .unwrap()
    }

    fn table(position: i64, temperature: f64) -> DevicesDocument {
        let row = DeviceRow {
            timestamp: position * 1000,
            temperature,
            expected: None,
            error: None,
            score: None,
            flags: 0,
            last_anomaly: None,
            alert: None,
            arrived: Some(position * 1000),
            allowance: Some(5000),
        };
        DevicesDocument {
            header: header("devices", position, position),
            columns: vec![],
            devices: [("d".to_owned(), row)].into(),
        }
    }

    fn results(first: i64, rows: &[(i64, f64, f64, u32)]) -> ResultsDocument {
        let row = |&(sequence, temperature, score, flags): &(i64, f64, f64, u32)| ReadingRow {
            sequence,
            index: 0,
            count: 1,
            timestamp: (first + sequence) * 1000,
            temperature,
            expected: None,
            error: None,
            score: Some(score),
            flags,
        };
        ResultsDocument {
            header: header("results", first, first + 9),
            from: 0,
            to: 0,
            columns: vec![],
            readings: [("d".to_owned(), rows.iter().map(row).collect())].into(),
            states: BTreeMap::new(),
        }
    }

    #[test]
    fn later_results_are_applied_and_earlier_ones_are_not() {
        let rows = newest_rows(
            &[table(12, 20.0)],
            &[results(10, &[(1, 19.0, 9.0, 0), (4, 21.0, 3.0, 0), (5, 22.0, 0.5, 0)])],
        );
        let row = rows["d"];
        assert_eq!((row.temperature, row.timestamp, row.last_anomaly), (22.0, 15_000, Some(14_000)));
    }

    #[test]
    fn an_up_to_date_table_stands() {
        assert_eq!(
            newest_rows(&[table(30, 20.0)], &[results(10, &[(1, 19.0, 9.0, 0)])])["d"].temperature,
            20.0
        );
    }

    #[test]
    fn a_late_reading_is_not_the_newest() {
        let rows = newest_rows(&[table(12, 20.0)], &[results(10, &[(5, 99.0, 0.5, FLAG_LATE)])]);
        assert_eq!(rows["d"].temperature, 20.0);
    }

    fn bucket(partition: &str, rows: &[(&str, i64)], heard_to: i64) -> Bucket {
        let row = |(device_id, at): &(&str, i64)| {
            let row = table(at / 1000, 20.0).devices["d"];
            ((*device_id).to_owned(), DeviceRow { arrived: Some(*at), ..row })
        };
        let source = ("h".to_owned(), partition.to_owned());
        Bucket { name: format!("l.{partition}.0"), source, rows: rows.iter().map(row).collect(), heard_to }
    }

    fn silent(buckets: &[Bucket]) -> Vec<(String, i64)> {
        views(buckets).into_iter().filter_map(|view| Some((view.device_id, view.silent_since?))).collect()
    }

    #[test]
    fn a_device_is_silent_when_others_of_its_partition_were_heard_for_longer_than_it_pauses() {
        let at = |heard_to| silent(&[bucket("0", &[("d", 12_000)], heard_to)]);
        assert_eq!((at(17_000), at(17_001)), (vec![], vec![("d".to_owned(), 17_000)]));
        // Another bucket of the partition tells that it goes on, another partition does not.
        let d = bucket("0", &[("d", 12_000)], 12_000);
        assert_eq!(silent(&[d, bucket("0", &[("e", 20_000)], 20_000)]), [("d".to_owned(), 17_000)]);
        let d = bucket("0", &[("d", 12_000)], 12_000);
        assert_eq!(silent(&[d, bucket("1", &[("e", 20_000)], 20_000)]), []);
    }

    #[test]
    fn a_partition_may_pause_as_long_as_its_most_talkative_device() {
        let mut talkative = bucket("0", &[("a", 9_000), ("gone", 1_000)], 10_000);
        talkative.rows.get_mut("gone").unwrap().allowance = Some(2_000);
        let mut patient = bucket("0", &[("b", 12_000), ("c", 11_000), ("d", 11_000)], 12_000);
        patient.name = "l.0.1".to_owned();
        patient.rows.values_mut().for_each(|row| row.allowance = Some(60_000));
        let mut unknown = bucket("1", &[("e", 3_000)], 3_000);
        unknown.rows.values_mut().for_each(|row| row.allowance = None);
        let nowhere = bucket("", &[("f", 3_000)], 3_000);
        let found = heard(&[talkative, patient, unknown, nowhere, bucket("2", &[("g", 1)], 0)]);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.partition.as_str(), one.heard_to, one.allowance, one.bucket.as_str()))
            .collect();
        assert_eq!(found, [("0", 12_000, Some(5_000), "l.0.1"), ("1", 3_000, None, "l.1.0")]);
    }

    #[test]
    fn a_device_that_changed_partitions_was_heard_where_it_was_heard_last() {
        let mut old = bucket("0", &[("d", 12_000)], 30_000);
        let moved = bucket("1", &[("d", 29_000)], 30_000);
        assert_eq!(silent(&[old, moved]), []);
        // Also when its clock was put back.
        old = bucket("0", &[("d", 12_000)], 30_000);
        let mut moved = bucket("1", &[("d", 29_000)], 30_000);
        moved.rows.get_mut("d").unwrap().timestamp = 1;
        assert_eq!(silent(&[old, moved]), []);
    }

    #[test]
    fn of_two_tables_the_later_counts() {
        assert_eq!(
            newest_rows(&[table(12, 20.0), table(13, 21.0), table(11, 19.0)], &[])["d"].temperature,
            21.0
        );
    }
}

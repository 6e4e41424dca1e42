//! The documents in database `AnomalyDB`, container `Results`, partition key `/bucket`.
//!
//! Rows are arrays of numbers in the order of their document's columns; sequence numbers and times are relative to
//! the document's own, because a fleet's rows are most of what is stored.
//! Times are epoch milliseconds: the host rewrites date strings on their way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

/// Format of the documents that this code writes.
pub const DOCUMENT_VERSION: u32 = 1;
/// Bytes after which a document is closed and another one begun; documents stay below 256 KB.
pub const DOCUMENT_BYTES: usize = 200 * 1024;
/// Bytes of a rejected event's text that are kept.
pub const REJECT_TEXT_BYTES: usize = 16 * 1024;
/// Devices in one `devices` document.
pub const DEVICES_PER_DOCUMENT: usize = 500;

/// What the id of a `devices` document begins with; the number of the page in its bucket follows.
pub const DEVICES_ID: &str = "devices-";

/// Columns of a reading's row.
pub const READING_COLUMNS: [&str; 9] =
    ["sequence", "index", "count", "timestamp", "temperature", "expected", "error", "score", "flags"];
/// Columns of a device's row.
pub const DEVICE_COLUMNS: [&str; 10] = [
    "timestamp",
    "temperature",
    "expected",
    "error",
    "score",
    "flags",
    "lastAnomaly",
    "alert",
    "arrived",
    "allowance",
];
/// Seconds after which an alert's documents are deleted: a year, because people look back at alerts for longer than at
/// readings.
pub const ALERT_TTL_S: i64 = 365 * 24 * 3600;

/// Flag: the device's own calibration had not taken over yet.
pub const FLAG_LEARNING: u32 = 1;
/// Flag: older than the device's newest reading, and therefore not scored.
pub const FLAG_LATE: u32 = 2;

/// Flag: nothing was remembered of the device before this reading; it is its first, or the first after so long a
/// silence that the device was forgotten.
pub const FLAG_ANEW: u32 = 4;
/// Where in the flags stands what noticed an anomaly: a code from 1 to 15, 0 for none.
pub const CHANNEL_SHIFT: u32 = 3;
/// The bits of that code, once they are shifted.
pub const CHANNEL_MASK: u32 = 0b1111;
/// Where in the flags stands what a reading did to its device's alert: a code from 1 to 3, 0 for nothing.
pub const STEP_SHIFT: u32 = 7;
/// The bits of that code, once they are shifted.
pub const STEP_MASK: u32 = 0b11;
/// Flag: outside the limit that was set for its device.
pub const FLAG_OUTSIDE: u32 = 1 << 9;
/// Bits above the flags: the hour in which the hub took the reading in, counted from 1970, when that is another than
/// for the device's reading before; 0 otherwise.
pub const ARRIVED_SHIFT: u32 = 10;

/// Type of a [`ResultsDocument`].
pub const RESULTS: &str = "results";
/// Type of a [`RejectsDocument`].
pub const REJECTS: &str = "rejects";
/// Type of a document that is a [`Header`] alone: the events of its stretch were lost before they came here, or facts
/// of them were.
pub const GAP: &str = "gap";
/// Type of an [`AlertDocument`].
pub const ALERT: &str = "alert";

/// What every document says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Type, stretch and hash of model, settings and code: a repeat overwrites itself with the same content.
    pub id: String,
    /// `results`, `rejects`, `gap` or `devices`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Partition key.
    pub bucket: String,
    /// Name of the event hub.
    pub hub: String,
    /// Partition of the event hub.
    pub partition: String,
    /// How often the hub was rebuilt.
    pub epoch: u32,
    /// Which succession of owners wrote it: of documents that speak for the same event, the highest term counts.
    pub term: u32,
    /// Which process wrote it: decides between equal terms.
    pub writer: String,
    /// [`DOCUMENT_VERSION`].
    pub version: u32,
    /// First sequence number that the document speaks for.
    pub first_sequence: i64,
    /// Last sequence number that the document speaks for.
    pub last_sequence: i64,
    /// Newest enqueued time in that stretch, in epoch milliseconds; 0 when the host did not say.
    pub enqueued_to: i64,
    /// Seconds after which Cosmos DB deletes the document.
    pub ttl: i64,
}

impl Header {
    /// The number of the group that the bucket holds; `None` for the bucket of rejects and skips, and outside any
    /// stream.
    #[must_use]
    pub fn group(&self) -> Option<usize> {
        self.bucket.rsplit_once('.').and_then(|(_, group)| group.parse().ok())
    }
}

/// Readings of one bucket's devices, with their scores.
///
/// Readers have the rows in a map; writers pass [`SortedRows`], which copies nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultsDocument<Readings = BTreeMap<String, Vec<ReadingRow>>> {
    /// What it says of itself.
    #[serde(flatten)]
    pub header: Header,
    /// Oldest reading, in epoch milliseconds; rows' times are relative to it.
    pub from: i64,
    /// Newest reading, in epoch milliseconds.
    pub to: i64,
    /// [`READING_COLUMNS`].
    pub columns: Vec<String>,
    /// Rows by device.
    pub readings: Readings,
    /// Key frames: states of devices as they are after their last row in this document, in base64. From one of them
    /// and later rows a device's state can be had without its whole history.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, String>,
}

/// Rows sorted by device, and by position within each: the write side of [`ResultsDocument::readings`].
#[derive(Debug, Clone, Copy)]
pub struct SortedRows<'a>(pub &'a [(&'a str, ReadingRow)]);

impl Serialize for SortedRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Rows<'a>(&'a [(&'a str, ReadingRow)]);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(|(_, row)| row))
            }
        }
        let by_device = self.0.chunk_by(|(left, _), (right, _)| left == right);
        serializer.collect_map(by_device.map(|rows| (rows[0].0, Rows(rows))))
    }
}

/// One reading: see [`READING_COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "ReadingColumns", into = "ReadingColumns")]
pub struct ReadingRow {
    /// Sequence number of its event, relative to the document's first.
    pub sequence: i64,
    /// Its place in its event.
    pub index: u32,
    /// How many facts its event left.
    pub count: u32,
    /// When it was measured, in milliseconds after the document's `from`.
    pub timestamp: i64,
    /// Degrees Celsius, exact.
    pub temperature: f64,
    /// Degrees Celsius expected.
    pub expected: Option<f64>,
    /// Raw reconstruction error in normalized units.
    pub error: Option<f64>,
    /// Dimensionless score; above 1 is an anomaly.
    pub score: Option<f64>,
    /// [`FLAG_LEARNING`] and the like, and above [`ARRIVED_SHIFT`] the hour of arrival.
    pub flags: u32,
}

/// Events that were no readings, and readings that were skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RejectsDocument {
    /// What it says of itself.
    #[serde(flatten)]
    pub header: Header,
    /// What could not be decoded or was refused.
    #[serde(default)]
    pub rejects: Vec<RejectEntry>,
    /// What was understood and left out.
    #[serde(default)]
    pub skips: Vec<SkipEntry>,
}

/// A rejected event, or a rejected part of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectEntry {
    /// Sequence number of the event.
    pub sequence: i64,
    /// Place in the event.
    pub index: u32,
    /// How many facts the event left.
    pub count: u32,
    /// The reason in one word.
    pub reason: String,
    /// The reason in a sentence.
    pub detail: String,
    /// The device that the hub authenticated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device_id: Option<String>,
    /// When the hub took it in, in epoch milliseconds.
    pub enqueued_at: Option<i64>,
    /// The event's text as the host delivered it, in pieces to be put together, with the first reject of the event
    /// only: one piece, or two where the host would take the whole for a date and rewrite it.
    pub text: Vec<String>,
    /// Whether the text was cut at [`REJECT_TEXT_BYTES`].
    pub cut: bool,
}

/// A reading or event that was understood and left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkipEntry {
    /// Sequence number of the event.
    pub sequence: i64,
    /// Place in the event.
    pub index: u32,
    /// How many facts the event left.
    pub count: u32,
    /// `duplicate` or `not-telemetry`.
    pub reason: String,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub device_id: Option<String>,
}

/// The newest state of up to 500 devices of a bucket: a cache that states its position in `lastSequence`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DevicesDocument {
    /// What it says of itself.
    #[serde(flatten)]
    pub header: Header,
    /// [`DEVICE_COLUMNS`].
    pub columns: Vec<String>,
    /// Rows by device.
    pub devices: BTreeMap<String, DeviceRow>,
}

/// One step of an alert, for lists and mail.
///
/// That it was taken is a fact of the reading's row; this is a copy with what people want to know, stored in front of
/// that row. It depends on the fold and the rules alone: whoever decides by the same rules writes the same, and whoever
/// decides by others may write another closing in place of one that was overruled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertDocument {
    /// Position and kind of the opening, and the step.
    pub id: String,
    /// [`ALERT`].
    #[serde(rename = "type")]
    pub document_type: String,
    /// Partition key: that of the device's readings.
    pub bucket: String,
    /// [`DOCUMENT_VERSION`].
    pub version: u32,
    /// [`ALERT_TTL_S`].
    pub ttl: i64,
    /// The alert: the same in all its steps.
    pub alert_id: String,
    /// `opened`, `escalated` or `closed`.
    pub step: String,
    /// The device.
    pub device_id: String,
    /// What sort of fault it looked like when it was opened.
    pub kind: String,
    /// What noticed it; `None` under policy `fixed`.
    pub channel: Option<String>,
    /// `warning` or `critical`.
    pub severity: String,
    /// Whether the device's own calibration had not taken over yet.
    pub learning: bool,
    /// When it began, in epoch milliseconds: earlier than its opening when the device was silent.
    pub began_at: i64,
    /// When the reading that opened it was measured, in epoch milliseconds.
    pub opened_at: i64,
    /// When the reading of this step was measured, in epoch milliseconds.
    pub at: i64,
    /// When the hub took that reading in, in epoch milliseconds; `None` when the host did not say.
    pub enqueued_at: Option<i64>,
    /// Its temperature in degrees Celsius.
    pub temperature: f64,
    /// Degrees Celsius expected.
    pub expected: Option<f64>,
    /// Its score.
    pub score: Option<f64>,
    /// The greatest score of the alert so far.
    pub peak_score: f64,
    /// Epoch milliseconds and degrees Celsius, to the thousandth, of the readings before and at this step.
    pub readings: Vec<(i64, f64)>,
}

/// Names an alert by the position and the kind of its opening; no text of a device is in it.
#[must_use]
pub fn alert_id(bucket: &str, sequence: i64, index: u32, kind: &str) -> String {
    format!("{bucket}.{sequence}.{index}.{kind}")
}

/// The open alert in a device's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AlertColumns", into = "AlertColumns")]
pub struct OpenAlert {
    /// Sequence number of the reading that opened it.
    pub sequence: i64,
    /// That reading's place in its event.
    pub index: u32,
    /// When it was measured, in epoch milliseconds.
    pub opened_at: i64,
    /// Code of the channel that noticed it; 0 for none.
    pub channel: u32,
    /// Whether it is critical.
    pub is_critical: bool,
}

/// One device: see [`DEVICE_COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "DeviceColumns", into = "DeviceColumns")]
pub struct DeviceRow {
    /// When its newest reading was measured, in epoch milliseconds.
    pub timestamp: i64,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Degrees Celsius expected.
    pub expected: Option<f64>,
    /// Raw reconstruction error in normalized units.
    pub error: Option<f64>,
    /// Dimensionless score; above 1 is an anomaly.
    pub score: Option<f64>,
    /// [`FLAG_LEARNING`].
    pub flags: u32,
    /// When its newest anomaly was measured, in epoch milliseconds.
    pub last_anomaly: Option<i64>,
    /// Its open alert.
    pub alert: Option<OpenAlert>,
    /// When the hub took in its last reading, in epoch milliseconds, as far as is known.
    pub arrived: Option<i64>,
    /// Milliseconds without a reading after which it is silent; `None` as long as its pauses are not known.
    pub allowance: Option<i64>,
}

/// What an [`OpenAlert`] is in JSON.
type AlertColumns = (i64, u32, i64, u32, u8);

impl From<OpenAlert> for AlertColumns {
    fn from(alert: OpenAlert) -> Self {
        (alert.sequence, alert.index, alert.opened_at, alert.channel, u8::from(alert.is_critical))
    }
}

impl From<AlertColumns> for OpenAlert {
    fn from((sequence, index, opened_at, channel, is_critical): AlertColumns) -> Self {
        Self { sequence, index, opened_at, channel, is_critical: is_critical != 0 }
    }
}

/// What a [`ReadingRow`] is in JSON.
type ReadingColumns = (i64, u32, u32, i64, f64, Option<f64>, Option<f64>, Option<f64>, u32);

impl From<ReadingRow> for ReadingColumns {
    fn from(row: ReadingRow) -> Self {
        let ReadingRow { sequence, index, count, timestamp, temperature, expected, error, score, flags } =
            row;
        (sequence, index, count, timestamp, temperature, expected, error, score, flags)
    }
}

impl From<ReadingColumns> for ReadingRow {
    fn from(columns: ReadingColumns) -> Self {
        let (sequence, index, count, timestamp, temperature, expected, error, score, flags) = columns;
        Self { sequence, index, count, timestamp, temperature, expected, error, score, flags }
    }
}

/// What a [`DeviceRow`] is in JSON.
type DeviceColumns = (
    i64,
    f64,
    Option<f64>,
    Option<f64>,
    Option<f64>,
    u32,
    Option<i64>,
    Option<OpenAlert>,
    Option<i64>,
    Option<i64>,
);

impl From<DeviceRow> for DeviceColumns {
    fn from(row: DeviceRow) -> Self {
        let DeviceRow { timestamp, temperature, expected, error, score, flags, .. } = row;
        let DeviceRow { last_anomaly, alert, arrived, allowance, .. } = row;
        (timestamp, temperature, expected, error, score, flags, last_anomaly, alert, arrived, allowance)
    }
}

impl From<DeviceColumns> for DeviceRow {
    fn from(columns: DeviceColumns) -> Self {
        let (timestamp, temperature, expected, error, score, flags, last_anomaly, alert, arrived, allowance) =
            columns;
        Self {
            timestamp,
            temperature,
            expected,
            error,
            score,
            flags,
            last_anomaly,
            alert,
            arrived,
            allowance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_their_columns() {
        let reading = r#"[1,2,3,4,5.5,6.5,7.5,8.5,9]"#;
        let row: ReadingRow = serde_json::from_str(reading).unwrap();
        assert_eq!(
            (row.sequence, row.timestamp, row.temperature, row.score, row.flags),
            (1, 4, 5.5, Some(8.5), 9)
        );
        assert_eq!(serde_json::to_string(&row).unwrap(), reading);
        assert_eq!(reading.split(',').count(), READING_COLUMNS.len());
        let device = r#"[1,2.5,3.5,null,5.5,6,7,null,9,10]"#;
        let row: DeviceRow = serde_json::from_str(device).unwrap();
        assert_eq!((row.timestamp, row.error, row.score, row.last_anomaly), (1, None, Some(5.5), Some(7)));
        assert_eq!(serde_json::to_string(&row).unwrap(), device);
        assert_eq!(device.split(',').count(), DEVICE_COLUMNS.len());
    }

    #[test]
    fn a_row_of_another_length_is_refused() {
        assert!(serde_json::from_str::<ReadingRow>("[1,2,3]").is_err());
        assert!(serde_json::from_str::<DeviceRow>("[1,2.5,3.5,null,5.5,6,7]").is_err());
    }

    #[test]
    fn an_open_alert_stands_in_its_device_s_row() {
        let device = r#"[1,2.5,3.5,null,5.5,6,7,[41,2,1000,6,1],null,null]"#;
        let row: DeviceRow = serde_json::from_str(device).unwrap();
        let alert = OpenAlert { sequence: 41, index: 2, opened_at: 1000, channel: 6, is_critical: true };
        assert_eq!(row.alert, Some(alert));
        assert_eq!(serde_json::to_string(&row).unwrap(), device);
    }
}

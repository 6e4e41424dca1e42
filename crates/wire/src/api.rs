//! Payloads of the HTTP API and of live messages: see `docs/api.md`.

mod people;

pub use self::people::{
    AcknowledgeOutcome, AcknowledgeRequest, AcknowledgeResult, AcknowledgeView, AcknowledgedView, ActView,
    AnnounceRequest, AnnounceView, LivePeople, MuteRequest, MuteState, MuteView, MutedView, MutesView,
    PEOPLE_TARGET, TimeText, UnmuteRequest,
};
use serde::{Deserialize, Serialize};

use crate::documents::{DeviceRow, FLAG_LEARNING, ReadingRow};

/// What a device is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceStatus {
    /// Its newest reading is an anomaly.
    Anomaly,
    /// Its own calibration has not taken over yet.
    Learning,
    /// No anomaly, but nothing was heard of it for longer than is usual for it, while others were heard.
    Silent,
    /// None of these.
    Normal,
}

impl DeviceStatus {
    /// The status that a device's row says.
    #[must_use]
    pub fn of(row: &DeviceRow) -> Self {
        if is_anomaly(row.score) {
            Self::Anomaly
        } else if row.flags & FLAG_LEARNING != 0 {
            Self::Learning
        } else {
            Self::Normal
        }
    }
}

/// Whether a stored score is an anomaly's: above 1, as everywhere.
#[must_use]
pub fn is_anomaly(score: Option<f64>) -> bool {
    score.is_some_and(|score| score > 1.0)
}

/// A device as the page's table shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// The device.
    pub device_id: String,
    /// What it is doing.
    pub status: DeviceStatus,
    /// Whether its own calibration has not taken over yet.
    pub learning: bool,
    /// When its newest reading was measured, in epoch milliseconds.
    pub timestamp: i64,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Degrees Celsius expected; `None` before the first full window.
    pub expected: Option<f64>,
    /// Raw reconstruction error in normalized units.
    pub error: Option<f64>,
    /// Dimensionless score; above 1 is an anomaly.
    pub score: Option<f64>,
    /// Whether the newest reading is an anomaly.
    pub anomaly: bool,
    /// When its newest anomaly was measured, in epoch milliseconds.
    pub last_anomaly_at: Option<i64>,
    /// The open alert.
    pub alert: Option<OpenAlertView>,
    /// Since when it is silent, in epoch milliseconds of the hub's clock; `None` when it is not.
    pub silent_since: Option<i64>,
}

/// A device's open alert in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenAlertView {
    /// The alert.
    pub alert_id: String,
    /// What sort of fault it looks like.
    pub kind: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// When it was opened, in epoch milliseconds.
    pub opened_at: i64,
}

impl DeviceView {
    /// Shows a stored row with the alert that it names.
    #[must_use]
    pub fn new(device_id: &str, row: &DeviceRow, alert: Option<OpenAlertView>) -> Self {
        Self {
            device_id: device_id.to_owned(),
            status: DeviceStatus::of(row),
            learning: row.flags & FLAG_LEARNING != 0,
            timestamp: row.timestamp,
            temperature: row.temperature,
            expected: row.expected,
            error: row.error,
            score: row.score,
            anomaly: is_anomaly(row.score),
            last_anomaly_at: row.last_anomaly,
            alert,
            silent_since: None,
        }
    }

    /// Shows the device as silent when the hub has taken in others' readings until `heard_to`, in epoch milliseconds,
    /// and too long none of its own.
    #[must_use]
    pub fn as_heard(mut self, row: &DeviceRow, heard_to: i64) -> Self {
        let allowed_to = row.arrived.zip(row.allowance).map(|(at, allowance)| at.saturating_add(allowance));
        self.silent_since = allowed_to.filter(|allowed_to| heard_to > *allowed_to);
        if self.silent_since.is_some() && self.status != DeviceStatus::Anomaly {
            self.status = DeviceStatus::Silent;
        }
        self
    }
}

/// A page of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DevicesView {
    /// Devices in order of their ids.
    pub devices: Vec<DeviceView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A reading as the page's chart shows it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReadingView {
    /// When it was measured, in epoch milliseconds.
    pub timestamp: i64,
    /// Degrees Celsius.
    pub temperature: f64,
    /// Degrees Celsius expected.
    pub expected: Option<f64>,
    /// Raw reconstruction error in normalized units.
    pub error: Option<f64>,
    /// Dimensionless score; above 1 is an anomaly.
    pub score: Option<f64>,
    /// Whether it is an anomaly.
    pub anomaly: bool,
}

impl ReadingView {
    /// Shows a row whose time is absolute.
    #[must_use]
    pub fn new(row: &ReadingRow) -> Self {
        Self {
            timestamp: row.timestamp,
            temperature: row.temperature,
            expected: row.expected,
            error: row.error,
            score: row.score,
            anomaly: is_anomaly(row.score),
        }
    }
}

/// A device's readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadingsView {
    /// The device.
    pub device_id: String,
    /// Oldest time asked for, in epoch milliseconds.
    pub from: i64,
    /// Newest time asked for, in epoch milliseconds.
    pub to: i64,
    /// Whether older readings of that span were left out.
    pub truncated: bool,
    /// Ascending by time.
    pub readings: Vec<ReadingView>,
}

/// Whether an alert goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It goes on.
    Open,
    /// Its device was calm for a while, or nothing is remembered of the device any more.
    Closed,
}

/// An alert as it stands after its newest step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    /// The alert.
    pub alert_id: String,
    /// Whether it goes on.
    pub state: AlertState,
    /// The device.
    pub device_id: String,
    /// What sort of fault it looks like.
    pub kind: String,
    /// What noticed it; `None` under policy `fixed`.
    pub channel: Option<String>,
    /// `warning` or `critical`.
    pub severity: String,
    /// Whether the device was learning when it was opened.
    pub learning: bool,
    /// When it began, in epoch milliseconds: earlier than its opening when the device was silent.
    pub began_at: i64,
    /// When it was opened, in epoch milliseconds.
    pub opened_at: i64,
    /// When it was closed, in epoch milliseconds; `None` also when nothing closed it but the end of its device.
    pub closed_at: Option<i64>,
    /// Degrees Celsius of the reading that opened it.
    pub temperature: f64,
    /// Degrees Celsius that were expected then.
    pub expected: Option<f64>,
    /// The greatest score up to its newest step.
    pub peak_score: f64,
    /// Who took note of it.
    pub acknowledged: Option<AcknowledgedView>,
    /// Whether a mute covers it, so that nobody is notified of it.
    pub muted: bool,
    /// Epoch milliseconds and degrees Celsius of the readings that led to it.
    pub readings: Vec<(i64, f64)>,
}

/// A page of alerts, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertsView {
    /// The alerts.
    pub alerts: Vec<AlertView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A rejected event, or a rejected part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectView {
    /// When the hub took the event in, in epoch milliseconds; `None` when it did not say.
    pub enqueued_at: Option<i64>,
    /// The device that the hub authenticated; `None` when it did not, as with a plain event hub.
    pub device_id: Option<String>,
    /// The reason in one word.
    pub reason: String,
    /// The reason in a sentence.
    pub detail: String,
    /// Name of the event hub.
    pub hub: String,
    /// Partition of the event hub.
    pub partition: String,
    /// Sequence number of the event in its partition.
    pub sequence: i64,
    /// Place in the event.
    pub index: u32,
    /// How many facts the event left.
    pub count: u32,
    /// The event's text as the host delivered it; `None` when it stands with an earlier reject of the event.
    pub text: Option<String>,
    /// Whether the text was cut when it was stored.
    pub cut: bool,
}

/// A page of rejects, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectsView {
    /// The rejects.
    pub rejects: Vec<RejectView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// How many devices are in which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCounts {
    /// All.
    pub total: usize,
    /// [`DeviceStatus::Normal`].
    pub normal: usize,
    /// [`DeviceStatus::Anomaly`].
    pub anomaly: usize,
    /// [`DeviceStatus::Learning`].
    pub learning: usize,
    /// [`DeviceStatus::Silent`].
    pub silent: usize,
}

/// The model that scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelView {
    /// Hash of the ONNX file.
    pub sha256: String,
    /// Readings in a window.
    pub window_length: usize,
}

/// The fleet at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryView {
    /// Devices by status.
    pub devices: DeviceCounts,
    /// When the newest reading was measured, in epoch milliseconds.
    pub newest_reading_at: Option<i64>,
    /// Open alerts.
    pub open_alerts: usize,
    /// Those of them that wait for somebody: neither acknowledged nor muted.
    pub unacknowledged_alerts: usize,
    /// `calibrated` or `fixed`.
    pub policy: String,
    /// Threshold of policy `fixed`.
    pub fixed_threshold: Option<f64>,
    /// The model that scores.
    pub model: ModelView,
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// What failed, for which input, and what to do.
    pub message: String,
    /// The parameter to blame.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parameter: Option<String>,
}

/// Target of live messages.
pub const LIVE_TARGET: &str = "update";
/// Bytes that a live message may have.
pub const LIVE_BYTES: usize = 2048;

/// What the page is told when something was scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveUpdate {
    /// Newest enqueued time of what was scored, in epoch milliseconds.
    pub enqueued_at: i64,
    /// Readings since the previous message.
    pub readings: usize,
    /// Anomalies among them.
    pub anomalies: usize,
    /// Rejects since the previous message.
    pub rejects: usize,
    /// Devices with an anomaly first, then the newest others, as many as fit.
    pub devices: Vec<DeviceView>,
    /// Alerts opened, escalated and closed.
    pub alerts: LiveAlerts,
}

/// Alerts in a live message: as many as fit, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveAlerts {
    /// Opened since the previous message.
    pub opened: Vec<LiveAlert>,
    /// Critical since the previous message.
    #[serde(default)]
    pub escalated: Vec<LiveAlert>,
    /// Closed since the previous message.
    pub closed: Vec<LiveAlert>,
}

/// An alert in a live message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveAlert {
    /// The device.
    pub device_id: String,
    /// The alert.
    #[serde(flatten)]
    pub alert: OpenAlertView,
}

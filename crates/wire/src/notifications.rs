//! Documents of what was sent to people: claimed before it is sent, marked after it.
//!
//! Enters: what is to be said, and to whom. Leaves: a document that says everything which another process needs to send
//! the same again. It refuses to know how a notification looks, and when one is due.

use serde::{Deserialize, Serialize};

/// Partition key of all notifications.
pub const NOTIFICATIONS_BUCKET: &str = "notifications";
/// Type of a [`NotificationDocument`].
pub const NOTIFICATION: &str = "notification";
/// Seconds after which a notification's document is deleted: a hundred days.
pub const NOTIFICATION_TTL_S: i64 = 100 * 24 * 3600;
/// Format of the documents that this code writes.
pub const NOTIFICATION_VERSION: u32 = 1;

/// Something that is sent to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationDocument {
    /// Chain and number: whoever would say the same, or something else at the same place, writes the same id.
    pub id: String,
    /// [`NOTIFICATION`].
    #[serde(rename = "type")]
    pub document_type: String,
    /// [`NOTIFICATIONS_BUCKET`].
    pub bucket: String,
    /// [`NOTIFICATION_VERSION`].
    pub version: u32,
    /// [`NOTIFICATION_TTL_S`].
    pub ttl: i64,
    /// What it is one of: `mail-alerts`, `mail-silence`, `mail-digest`, `webhook-alerts`, `webhook-silence`.
    pub chain: String,
    /// Its place there, without gaps; of digests the day that it reports on, counted from 1970.
    pub number: i64,
    /// When it was claimed first, in epoch milliseconds.
    pub created_at: i64,
    /// How far it is.
    pub state: NotificationState,
    /// When it was claimed last, in epoch milliseconds.
    pub claimed_at: i64,
    /// The process that claimed it last.
    pub claimed_by: String,
    /// How often it was claimed.
    pub attempts: u32,
    /// When it may be tried again, in epoch milliseconds; counts while it is waiting.
    pub next_attempt_at: i64,
    /// The recipients, each with what became of it.
    pub deliveries: Vec<Delivery>,
    /// Seconds since 1970, by the account's clock, up to which steps of alerts were looked at.
    pub seen_to: i64,
    /// What it told, in hashes of eight characters each: nothing is told twice.
    pub told: String,
    /// In chains of silences: who is silent as far as its recipients are told, this notification included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Silent>,
    /// What it says.
    pub content: Content,
}

/// How far a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationState {
    /// A process sends it, or ended while it did.
    Claimed,
    /// It is tried again later.
    Waiting,
    /// Every recipient is served, or never will be.
    Done,
}

/// A hub that is silent as a whole, or a partition of one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silent {
    /// The event hub.
    pub hub: String,
    /// Its partition; `None` for the hub as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// When it was heard last, in epoch milliseconds by the hub's clock.
    pub since: i64,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// An address, or `webhook`.
    pub to: String,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Why it was not taken, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryOutcome {
    /// Not tried, or not taken yet.
    Pending,
    /// Taken.
    Sent,
    /// Refused for good.
    Refused,
    /// Tried for so long that it is news no more.
    GivenUp,
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "kebab-case")]
pub enum Content {
    /// Steps of alerts, and reminders.
    Alerts(AlertNews),
    /// How the fleet did over a period.
    Digest(Box<Digest>),
}

/// How the fleet did over a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// Begin of the period, in epoch milliseconds, inclusive.
    pub from: i64,
    /// End of the period, in epoch milliseconds, exclusive.
    pub to: i64,
    /// How many devices there are, and how they were at the end.
    pub devices: DigestDevices,
    /// Numbers that people compare with those of the period before.
    pub figures: Vec<DigestFigure>,
    /// The devices with the worst alerts of the period, the worst first.
    pub worst: Vec<DigestDevice>,
    /// Open alerts that nobody has taken note of, the oldest first.
    pub unacknowledged: Vec<NewsAlert>,
    /// How many of these there are.
    pub n_unacknowledged: u64,
    /// Devices without a reading for a long time, the longest first, with the time of the newest in epoch milliseconds.
    pub silent: Vec<(String, i64)>,
    /// How many of these there are.
    pub n_silent: u64,
    /// Events that came from the hubs, told by their numbering, and lost ones; `None` where it could not be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completeness: Option<DigestCompleteness>,
    /// Rejects of the period by reason, the most frequent first.
    pub rejects: Vec<(String, u64)>,
    /// What could not be found out.
    pub missing: Vec<String>,
}

/// How many events there were, and how many there should have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestCompleteness {
    /// Events of the period, about.
    pub n_events: u64,
    /// Of the period before, about: as many are expected.
    pub n_before: u64,
    /// Events of the period that were lost before they were scored.
    pub n_lost: u64,
}

/// How many devices there are, and how they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestDevices {
    /// All that are known.
    pub n_known: u64,
    /// With a reading in the period.
    pub n_heard: u64,
    /// In anomaly at the end.
    pub n_anomaly: u64,
    /// Still learning.
    pub n_learning: u64,
}

/// A number of the period, and of the period before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestFigure {
    /// What is counted.
    pub name: String,
    /// In the period.
    pub now: u64,
    /// In the period before, which is as long; `None` when that could not be read whole.
    pub before: Option<u64>,
}

/// A device of a digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestDevice {
    /// The device.
    pub device_id: String,
    /// Its alerts of the period.
    pub n_alerts: u64,
    /// The worst of them.
    pub alert: NewsAlert,
    /// Its kind.
    pub kind: String,
    /// Its stored readings of the period.
    #[serde(default)]
    pub n_readings: u64,
    /// How many there should be at its usual pace, about; `None` with too few to know that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_expected: Option<u64>,
    /// Seconds since the begin of the period and degrees Celsius, at most a few hundred: extremes are kept.
    pub curve: Vec<(i64, f32)>,
}

/// News of alerts, in groups, the gravest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertNews {
    /// The groups.
    pub groups: Vec<NewsGroup>,
}

/// What happened to devices of a kind at about the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewsGroup {
    /// What happened.
    pub event: NewsEvent,
    /// Kind of the alerts: `spike`, `drift` and so on.
    pub kind: String,
    /// `warning` or `critical`: the gravest of them.
    pub severity: String,
    /// A device's id, or what all their ids begin with, and a `*`; of silences the hub or partition in words.
    pub devices: String,
    /// How many devices.
    pub n_devices: u64,
    /// How many alerts.
    pub n_alerts: u64,
    /// Time of the first of these steps, in epoch milliseconds.
    pub first_at: i64,
    /// Time of the last of them.
    pub last_at: i64,
    /// The worst of them, the worst first.
    pub worst: Vec<NewsAlert>,
}

/// What happened to alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewsEvent {
    /// Nothing was heard of a hub, or of one of its partitions, for longer than there usually is.
    Silent,
    /// They became critical.
    Escalated,
    /// They were opened.
    Opened,
    /// They are critical and open, and nobody has taken note of them.
    Reminder,
    /// They were opened and closed again since the last notification.
    Passed,
    /// They were closed.
    Closed,
    /// A hub, or one of its partitions, is heard again.
    Back,
}

/// An alert in a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewsAlert {
    /// The alert.
    pub alert_id: String,
    /// Its device.
    pub device_id: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// When it was opened, in epoch milliseconds.
    pub opened_at: i64,
    /// Time of the step, in epoch milliseconds.
    pub at: i64,
    /// Degrees Celsius at the step; `None` in reminders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Degrees Celsius expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// The greatest score so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_score: Option<f64>,
}

impl Silent {
    /// Whether both are about the same hub or partition.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.hub, &self.partition) == (&other.hub, &other.partition)
    }
}

impl NotificationDocument {
    /// The id of a place in a chain.
    #[must_use]
    pub fn id_of(chain: &str, number: i64) -> String {
        format!("{chain}-{number}")
    }
}

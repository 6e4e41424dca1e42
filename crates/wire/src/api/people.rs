//! What people ask for and are told when they acknowledge alerts and mute devices: see `docs/api.md`.

use serde::{Deserialize, Serialize};

/// Target of live messages about what people did.
pub const PEOPLE_TARGET: &str = "people";

/// Body of `POST /api/alerts/acknowledge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// The alerts.
    pub alert_ids: Vec<String>,
    /// `false` takes back that they were acknowledged; `true` when it is missing.
    pub acknowledged: Option<bool>,
    /// What there is to say; none is an empty one.
    #[serde(default)]
    pub note: String,
    /// Who acts, where nobody is signed in; unproven.
    pub by: Option<String>,
}

/// Body of `POST /api/mutes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MuteRequest {
    /// A device's id, what ids begin with before a `*`, or `*` for all.
    pub devices: String,
    /// Begin; now, when it is missing.
    pub from: Option<TimeText>,
    /// End.
    pub until: Option<TimeText>,
    /// How long instead.
    pub minutes: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who acts, where nobody is signed in; unproven.
    pub by: Option<String>,
}

/// Body of `POST /api/mutes/end`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnmuteRequest {
    /// The mute.
    pub mute_id: String,
    /// Who acts, where nobody is signed in; unproven.
    pub by: Option<String>,
}

/// Body of `POST /api/acts/announce`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnounceRequest {}

/// Answer of `POST /api/acts/announce`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnounceView {
    /// Whether a message is on its way to the page.
    pub announced: bool,
}

/// A time as a caller writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TimeText {
    /// Epoch milliseconds.
    Milliseconds(i64),
    /// RFC 3339, or epoch milliseconds in digits.
    Text(String),
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActView {
    /// A name; proven only where the platform signed somebody in.
    pub by: String,
    /// In epoch milliseconds.
    pub at: i64,
}

/// Who took note of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedView {
    /// A name; proven only where the platform signed somebody in.
    pub by: String,
    /// In epoch milliseconds.
    pub at: i64,
    /// What they had to say; may be empty.
    pub note: String,
}

/// What became of an alert that was to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcknowledgeOutcome {
    /// It is acknowledged from now on.
    Acknowledged,
    /// Nobody has taken note of it any more.
    Withdrawn,
    /// It was as it is asked for already.
    Unchanged,
    /// It is closed, and nothing is to be decided any more.
    Closed,
    /// There is no such alert.
    Unknown,
}

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgeResult {
    /// The alert, as it was named.
    pub alert_id: String,
    /// What became of it.
    pub result: AcknowledgeOutcome,
    /// The acknowledgement that counts.
    pub acknowledged: Option<AcknowledgedView>,
}

/// Answer of `POST /api/alerts/acknowledge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgeView {
    /// In the order in which the alerts were named, each once.
    pub results: Vec<AcknowledgeResult>,
}

/// Whether a mute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MuteState {
    /// It holds.
    Active,
    /// It has not begun.
    Planned,
    /// It is over, or was ended.
    Past,
}

/// A mute as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MuteView {
    /// The mute.
    pub mute_id: String,
    /// Whether it holds.
    pub state: MuteState,
    /// A device's id, what ids begin with before a `*`, or `*` for all.
    pub devices: String,
    /// Begin, in epoch milliseconds, inclusive.
    pub from: i64,
    /// End, in epoch milliseconds, exclusive.
    pub until: i64,
    /// Why.
    pub reason: String,
    /// A name; proven only where the platform signed somebody in.
    pub by: String,
    /// When it was ordered, in epoch milliseconds.
    pub at: i64,
    /// Who ended it before its time.
    pub ended: Option<ActView>,
}

/// Answer of the functions that mute and unmute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutedView {
    /// The mute as it is now.
    pub mute: MuteView,
}

/// Answer of `GET /api/mutes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutesView {
    /// Those that hold, those that are planned, those that are over.
    pub mutes: Vec<MuteView>,
    /// Whether others were left out.
    pub truncated: bool,
}

/// What the page is told when somebody did something: that there is something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePeople {
    /// When it was told, in epoch milliseconds.
    pub at: i64,
}

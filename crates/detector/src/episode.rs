//! Alerts: episodes of a device, opened by persistent or severe anomalies and closed by calm.
//!
//! Scores at event times enter, openings and closings leave; it refuses to know how scores come about.

use crate::score::Verdict;

/// Anomalies among the last [`RECENT`] readings that open an alert.
const PERSISTENT: u32 = 3;
/// Readings that persistence looks at.
const RECENT: u32 = 8;
/// A score that opens an alert at once.
const SEVERE: f64 = 1.5;
/// Milliseconds without an anomaly after which an alert closes.
const CALM_MS: i64 = 3 * HOUR_MS;
/// Milliseconds after the last anomaly of an alert in which no other is opened.
const COOL_DOWN_MS: i64 = 12 * HOUR_MS;
/// Milliseconds in an hour.
const HOUR_MS: i64 = 3_600_000;

/// What sort of fault an alert looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None of the others.
    Other,
}

impl Kind {
    /// Its name in documents and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
        }
    }
}

/// An alert that is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// What sort of fault it looked like when it was opened.
    pub kind: Kind,
    /// When it was opened, in epoch milliseconds.
    pub opened_ms: i64,
    /// The greatest score since.
    pub peak_score: f64,
}

/// What a reading does to the alert of its device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// It opens one.
    Opened(Kind),
    /// It closes one: so it was, and this is when.
    Closed(Alert, i64),
}

/// A device's episode: the alert that is open, or how near it is to one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Episode {
    open: Option<Alert>,
    /// Which of the last readings were anomalies, newest in the lowest bit.
    recent: u32,
    last_anomaly_ms: Option<i64>,
}

impl Episode {
    /// The open alert.
    #[must_use]
    pub fn open(&self) -> Option<Alert> {
        self.open
    }

    /// Takes in the score of a reading that is newer than all before it.
    pub fn step(&mut self, at_ms: i64, score: f64, kind: Kind) -> Option<Step> {
        let is_anomaly = Verdict::of(score) == Verdict::Anomaly;
        self.recent = ((self.recent << 1) | u32::from(is_anomaly)) & ((1 << RECENT) - 1);
        let since_ms = self.last_anomaly_ms.map(|last| at_ms.saturating_sub(last));
        if is_anomaly {
            self.last_anomaly_ms = Some(at_ms);
        }
        let is_calm = since_ms.is_some_and(|since| since >= CALM_MS);
        match &mut self.open {
            Some(alert) if !is_anomaly && is_calm => {
                let closed = *alert;
                self.open = None;
                Some(Step::Closed(closed, at_ms))
            }
            Some(alert) => {
                alert.peak_score = alert.peak_score.max(score);
                None
            }
            None => {
                let persists = self.recent.count_ones() >= PERSISTENT || score > SEVERE;
                let is_cool = since_ms.is_none_or(|since| since >= COOL_DOWN_MS);
                if !is_anomaly || !persists || !is_cool {
                    return None;
                }
                self.open = Some(Alert { kind, opened_ms: at_ms, peak_score: score });
                Some(Step::Opened(kind))
            }
        }
    }
}

//! What the page is told while it watches: at most one message a second, and none that could hold up scoring.
//!
//! A SignalR service that is down fails the whole invocation although its documents were written.
//! So an invocation that is tried again carries no live message, and after one the process stays silent for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use wire::api::{
    DeviceView, LIVE_BYTES, LIVE_TARGET, LiveAlert, LiveAlerts, LivePeople, LiveUpdate, OpenAlertView,
    PEOPLE_TARGET,
};
use wire::documents::AlertDocument;
use wire::invocation::{Audience, LiveItem, RawObject};

use crate::scoring::Summary;

/// Least time between messages.
const INTERVAL: Duration = Duration::from_secs(1);
/// Silence after the first invocation that had to be tried again; it doubles with each.
const SHORTEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest silence.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// How many times as long as the failed attempt the silence lasts at least.
const PAUSE_PER_ATTEMPT: u32 = 10;
/// Devices remembered between messages: more than one holds.
const REMEMBERED_DEVICES: usize = 64;
/// Invocations whose attempts are remembered.
const REMEMBERED_ATTEMPTS: usize = 1024;
/// Bytes of a message's frame around its devices.
const FRAME_BYTES: usize = 256;
/// Alerts opened, escalated, and closed, remembered between messages: more than one holds.
const REMEMBERED_ALERTS: usize = 16;
/// Bytes of a message that alerts may take; devices have the rest.
const ALERT_BYTES: usize = LIVE_BYTES / 2;

/// Gathers what was scored until a message may be sent.
#[derive(Debug, Default)]
pub struct LiveFeed(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last_message: Option<Instant>,
    silent_until: Option<Instant>,
    pause: Duration,
    /// When the last attempt of an invocation began, and which it was.
    started: HashMap<String, (Instant, u32)>,
    enqueued_at: i64,
    n_readings: usize,
    n_anomalies: usize,
    n_rejects: usize,
    devices: Vec<DeviceView>,
    alerts: LiveAlerts,
}

impl LiveFeed {
    /// Notes that an attempt begins; one that is tried again was failed by something, perhaps by a live message.
    pub fn begin(&self, invocation_id: &str, retry_count: u32, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.started.get(invocation_id).copied();
        if known.is_some_and(|(_, attempt)| attempt == retry_count) {
            return; // The same attempt, once its partition was opened.
        }
        let attempt = known.map(|(started, _)| now.saturating_duration_since(started));
        if retry_count > 0 {
            let doubled = (state.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            state.pause = doubled.max(attempt.unwrap_or_default() * PAUSE_PER_ATTEMPT).min(LONGEST_PAUSE);
            state.silent_until = Some(now + state.pause);
        }
        if state.started.len() >= REMEMBERED_ATTEMPTS {
            // Few invocations are tried again after others have come by the hundred: start anew.
            state.started.clear();
        }
        state.started.insert(invocation_id.to_owned(), (now, retry_count));
    }

    /// Adds what was scored, and returns a message when one may be sent.
    pub fn add(&self, summary: &Summary, retry_count: u32, now: Instant) -> Option<LiveItem> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.gather(summary);
        let too_soon = state.last_message.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL);
        let silent = state.silent_until.is_some_and(|until| now < until);
        if retry_count > 0 || too_soon || silent || state.n_readings + state.n_rejects == 0 {
            return None;
        }
        if state.silent_until.take().is_none() {
            // A message since the last pause went through.
            state.pause = Duration::ZERO;
        }
        state.last_message = Some(now);
        item(LIVE_TARGET, &state.take())
    }

    /// A message that somebody did something, at a time in epoch milliseconds; none while scoring has found the service
    /// away.
    pub fn tell(&self, at: i64, now: Instant) -> Option<LiveItem> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.silent_until.is_some_and(|until| now < until) {
            return None;
        }
        item(PEOPLE_TARGET, &LivePeople { at })
    }
}

impl State {
    fn gather(&mut self, summary: &Summary) {
        self.enqueued_at = self.enqueued_at.max(summary.enqueued_to);
        self.n_readings += summary.n_readings;
        self.n_anomalies += summary.n_anomalies;
        self.n_rejects += summary.n_rejects;
        self.devices.retain(|old| summary.devices.iter().all(|new| new.device_id != old.device_id));
        self.devices.extend(summary.devices.iter().cloned());
        // Anomalies first, then the newest.
        self.devices.sort_by_key(|device| (!device.anomaly, std::cmp::Reverse(device.timestamp)));
        self.devices.truncate(REMEMBERED_DEVICES);
        for document in &summary.alerts {
            let alerts = match document.step.as_str() {
                "closed" => &mut self.alerts.closed,
                "escalated" => &mut self.alerts.escalated,
                "opened" => &mut self.alerts.opened,
                _ => continue,
            };
            alerts.insert(0, live_alert(document));
            alerts.truncate(REMEMBERED_ALERTS);
        }
    }

    fn take(&mut self) -> LiveUpdate {
        let mut n_bytes = FRAME_BYTES;
        let LiveAlerts { mut opened, mut escalated, mut closed } = std::mem::take(&mut self.alerts);
        keep_fitting(&mut opened, &mut n_bytes, ALERT_BYTES);
        keep_fitting(&mut escalated, &mut n_bytes, ALERT_BYTES);
        keep_fitting(&mut closed, &mut n_bytes, ALERT_BYTES);
        let mut devices = std::mem::take(&mut self.devices);
        keep_fitting(&mut devices, &mut n_bytes, LIVE_BYTES);
        LiveUpdate {
            enqueued_at: self.enqueued_at,
            readings: std::mem::take(&mut self.n_readings),
            anomalies: std::mem::take(&mut self.n_anomalies),
            rejects: std::mem::take(&mut self.n_rejects),
            devices,
            alerts: LiveAlerts { opened, escalated, closed },
        }
    }
}

/// Cuts a list where its JSON would make a message longer than `limit`.
fn keep_fitting<T: Serialize>(items: &mut Vec<T>, n_bytes: &mut usize, limit: usize) {
    let sizes = items.iter().map(|item| serde_json::to_string(item).map_or(limit, |json| json.len() + 1));
    let ends = sizes.scan(*n_bytes, |end, size| {
        *end += size;
        Some(*end)
    });
    let fitting: Vec<usize> = ends.take_while(|end| *end <= limit).collect();
    *n_bytes = fitting.last().copied().unwrap_or(*n_bytes);
    items.truncate(fitting.len());
}

fn live_alert(document: &AlertDocument) -> LiveAlert {
    LiveAlert {
        device_id: document.device_id.clone(),
        alert: OpenAlertView {
            alert_id: document.alert_id.clone(),
            kind: document.kind.clone(),
            severity: document.severity.clone(),
            opened_at: document.opened_at,
        },
    }
}

fn item(target: &str, argument: &impl Serialize) -> Option<LiveItem> {
    let message = RawObject::of(argument)
        .and_then(|argument| LiveItem::message(Audience::Everyone, target, vec![argument]));
    match message {
        Ok(item) => Some(item),
        Err(error) => {
            tracing::error!(error = %error, "live message left out");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::api::DeviceStatus;

    fn summary(n_devices: usize) -> Summary {
        let device = |n: usize| DeviceView {
            device_id: format!("device-{n}"),
            status: DeviceStatus::Normal,
            learning: false,
            timestamp: 1_767_323_045_000 + i64::try_from(n).unwrap(),
            temperature: 21.5,
            expected: Some(21.4),
            error: Some(0.01),
            score: Some(0.1),
            anomaly: n == 0,
            last_anomaly_at: None,
            alert: None,
            silent_since: None,
        };
        Summary { n_readings: n_devices, devices: (0..n_devices).map(device).collect(), ..Summary::default() }
    }

    #[test]
    fn one_message_a_second_with_all_counts() {
        let feed = LiveFeed::default();
        let start = Instant::now();
        assert!(feed.add(&summary(1), 0, start).is_some());
        assert!(feed.add(&summary(2), 0, start + INTERVAL / 2).is_none());
        let message = format!("{:?}", feed.add(&summary(3), 0, start + INTERVAL));
        assert!(message.contains("\\\"readings\\\":5"), "{message}");
    }

    #[test]
    fn a_message_is_small_and_shows_anomalies_first() {
        let mut state = State::default();
        state.gather(&summary(1000));
        let update = state.take();
        assert!(serde_json::to_string(&update).unwrap().len() <= LIVE_BYTES);
        assert_eq!(update.devices[0].device_id, "device-0");
        assert!(update.devices.len() > 5);
    }

    #[test]
    fn silent_after_a_retry_and_longer_each_time() {
        let feed = LiveFeed::default();
        let start = Instant::now();
        feed.begin("a", 0, start);
        feed.begin("a", 1, start + Duration::from_secs(2));
        assert!(feed.add(&summary(1), 1, start + Duration::from_secs(2)).is_none());
        let soon = start + SHORTEST_PAUSE;
        assert!(feed.add(&summary(1), 0, soon).is_none());
        let later = start + Duration::from_secs(63);
        assert!(feed.add(&summary(1), 0, later).is_some());
        feed.begin("b", 1, later + INTERVAL);
        assert!(feed.add(&summary(1), 0, later + Duration::from_secs(100)).is_none());
    }

    #[test]
    fn the_pause_is_ten_times_the_failed_attempt() {
        let feed = LiveFeed::default();
        let start = Instant::now();
        feed.begin("a", 0, start);
        feed.begin("a", 1, start + Duration::from_secs(100));
        assert!(feed.add(&summary(1), 0, start + Duration::from_secs(1000)).is_none());
        assert!(feed.add(&summary(1), 0, start + Duration::from_secs(1101)).is_some());
    }

    #[test]
    fn people_act_in_silence_while_the_service_may_be_away() {
        let feed = LiveFeed::default();
        let start = Instant::now();
        feed.begin("a", 1, start);
        assert!(feed.tell(1, start).is_none());
        let message = format!("{:?}", feed.tell(1, start + SHORTEST_PAUSE));
        assert!(message.contains("\\\"at\\\":1"), "{message}");
    }
}

//! Gathers what a digest says: bounded reads, each of which may fail without the others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

use detector::Severity;
use wire::api::{DeviceStatus, DeviceView};
use wire::documents::AlertDocument;
use wire::notifications::{Digest, DigestCompleteness, DigestDevice, DigestDevices, DigestFigure, NewsAlert};
use wire::stored::rows_by_device;

use super::chart::thinned;
use super::completeness;
use super::period::Period;
use crate::fleet::{Fleet, FleetReader};
use crate::notifications::grouping::count;
use crate::notifications::reminders::open_alert;
use crate::notifications::wording;
use crate::people::Decisions;
use crate::store::{Store, StoreError};

/// Devices with curves.
const WORST: usize = 5;
/// Lines of a list.
const LISTED: usize = 10;
/// Steps of alerts that are looked at; beyond it figures say less than there was.
const MOST_STEPS: usize = 100_000;
/// Documents with rejects that are looked at.
const MOST_REJECTS: usize = 5000;
/// How long one device's curve may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What alerts of a period come to.
#[derive(Debug, Default)]
struct Alerts {
    /// Alerts and whether they were critical.
    seen: HashMap<String, bool>,
    devices: HashSet<String>,
    /// By device: how many, and the worst step with its kind.
    worst: HashMap<String, (HashSet<String>, AlertDocument)>,
}

impl Alerts {
    fn take(&mut self, document: AlertDocument) {
        let is_critical = document.severity == Severity::Critical.name();
        *self.seen.entry(document.alert_id.clone()).or_default() |= is_critical;
        self.devices.insert(document.device_id.clone());
        match self.worst.get_mut(&document.device_id) {
            Some((ids, worst)) => {
                ids.insert(document.alert_id.clone());
                if rank(&document) > rank(worst) {
                    *worst = document;
                }
            }
            None => {
                let ids = HashSet::from([document.alert_id.clone()]);
                self.worst.insert(document.device_id.clone(), (ids, document));
            }
        }
    }

    fn n_critical(&self) -> usize {
        self.seen.values().filter(|is_critical| **is_critical).count()
    }
}

/// Gravity: critical ones first, then by their peak.
fn rank(document: &AlertDocument) -> (bool, i64) {
    let peak = (document.peak_score * 1000.0).clamp(0.0, 1e12);
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let peak = peak as i64;
    (document.severity == Severity::Critical.name(), peak)
}

/// Gathers the digest of a period.
///
/// # Errors
///
/// [`StoreError`] when the fleet or none of its alerts can be read: without them there is no digest.
pub async fn gather(
    store: &Store,
    reader: &FleetReader,
    period: Period,
) -> Result<Digest, std::sync::Arc<StoreError>> {
    let Period { from, to, .. } = period;
    let fleet = reader.read().await?;
    let mut missing = Vec::new();
    let before_from = from - (to - from);
    let (now, before, is_all) = alerts(store, before_from, period).await?;
    if !is_all {
        missing.push("the older alerts: there were more than could be read".to_owned());
    }
    let rejects = rejects(store, before_from, period).await.unwrap_or_else(|error| {
        tracing::warn!(error = error.with_causes(), "the digest lacks rejects");
        missing.push("rejects".to_owned());
        Rejects::default()
    });
    let completeness = match completeness::read(store, &fleet.heard, period).await {
        // Of a fleet that has only just been taken in the numbers say nothing.
        Ok(completeness) => Some(completeness).filter(|found| *found != DigestCompleteness::default()),
        Err(error) => {
            tracing::warn!(error = error.with_causes(), "the digest lacks how many events came in");
            missing.push("how many events came in".to_owned());
            None
        }
    };
    let figures = vec![
        figure("Alerts opened", now.seen.len(), is_all.then_some(before.seen.len())),
        figure("of these critical", now.n_critical(), is_all.then_some(before.n_critical())),
        figure("Devices with alerts", now.devices.len(), is_all.then_some(before.devices.len())),
        figure("Rejected events", rejects.n_now, Some(rejects.n_before)),
    ];
    let open = unacknowledged(store, &fleet).await.unwrap_or_else(|error| {
        tracing::warn!(error = error.with_causes(), "the digest lacks which alerts wait for somebody");
        missing.push("which alerts nobody took note of".to_owned());
        Vec::new()
    });
    let silent = silent(&fleet, from);
    let mut digest = Digest {
        from,
        to,
        devices: devices(&fleet, from),
        figures,
        worst: worst(now),
        n_unacknowledged: count(open.len()),
        unacknowledged: open.into_iter().take(LISTED).collect(),
        n_silent: count(silent.len()),
        silent: silent.into_iter().take(LISTED).collect(),
        completeness,
        rejects: rejects.by_reason(),
        missing,
    };
    for device in &mut digest.worst {
        let curve = tokio::time::timeout(PATIENCE, readings(store, reader, &device.device_id, period)).await;
        let reason = match curve {
            Ok(Ok(readings)) => {
                let seconds: Vec<i64> = readings.iter().map(|(at, _)| *at).collect();
                device.n_readings = count(readings.len());
                device.n_expected = completeness::expected(&seconds, (to - from) / 1000);
                device.curve = thinned(&readings);
                continue;
            }
            Ok(Err(error)) => error.with_causes(),
            Err(_) => format!("it took longer than {} s", PATIENCE.as_secs()),
        };
        tracing::warn!(reason, device_id = device.device_id, "the digest lacks a device's curve");
        digest.missing.push(format!("the curve of {}", wording::id(&device.device_id)));
    }
    Ok(digest)
}

/// Alerts of the period and of the one before it, and whether these are all: of more than can be read in time, the
/// newest.
async fn alerts(
    store: &Store,
    before_from: i64,
    period: Period,
) -> Result<(Alerts, Alerts, bool), StoreError> {
    let (mut now, mut before, mut n_steps) = (Alerts::default(), Alerts::default(), 0);
    let read = store
        .alerts_newest_first(before_from, period.to - 1, (None, None), |document| {
            let alerts = if document.opened_at >= period.from { &mut now } else { &mut before };
            alerts.take(document);
            n_steps += 1;
            if n_steps < MOST_STEPS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await;
    match read {
        Ok(()) => Ok((now, before, n_steps < MOST_STEPS)),
        Err(StoreError::Deadline { .. }) if n_steps > 0 => Ok((now, before, false)),
        Err(error) => Err(error),
    }
}

/// How many rejects there are.
#[derive(Debug, Default)]
struct Rejects {
    n_now: usize,
    n_before: usize,
    reasons: BTreeMap<String, u64>,
}

impl Rejects {
    fn by_reason(self) -> Vec<(String, u64)> {
        let mut reasons: Vec<(String, u64)> = self.reasons.into_iter().collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        reasons.truncate(LISTED);
        reasons
    }
}

async fn rejects(store: &Store, before_from: i64, period: Period) -> Result<Rejects, StoreError> {
    let (mut rejects, mut n_documents) = (Rejects::default(), 0);
    store
        .rejects_newest_first(before_from, period.to, |document| {
            for reject in &document.rejects {
                let at = reject.enqueued_at.unwrap_or(document.header.enqueued_to);
                if (period.from..period.to).contains(&at) {
                    rejects.n_now += 1;
                    *rejects.reasons.entry(reject.reason.clone()).or_default() += 1;
                } else if (before_from..period.from).contains(&at) {
                    rejects.n_before += 1;
                }
            }
            n_documents += 1;
            if n_documents < MOST_REJECTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
    Ok(rejects)
}

fn worst(alerts: Alerts) -> Vec<DigestDevice> {
    let mut worst: Vec<(HashSet<String>, AlertDocument)> = alerts.worst.into_values().collect();
    worst.sort_by(|(_, left), (_, right)| {
        rank(right).cmp(&rank(left)).then_with(|| left.device_id.cmp(&right.device_id))
    });
    worst.truncate(WORST);
    let device = |(ids, document): (HashSet<String>, AlertDocument)| DigestDevice {
        device_id: document.device_id.clone(),
        n_alerts: count(ids.len()),
        kind: document.kind,
        alert: NewsAlert {
            alert_id: document.alert_id,
            device_id: document.device_id,
            severity: document.severity,
            opened_at: document.opened_at,
            at: document.at,
            temperature: Some(document.temperature),
            expected: document.expected,
            peak_score: Some(document.peak_score),
        },
        n_readings: 0,
        n_expected: None,
        curve: Vec::new(),
    };
    worst.into_iter().map(device).collect()
}

async fn unacknowledged(store: &Store, fleet: &Fleet) -> Result<Vec<NewsAlert>, StoreError> {
    let decisions = Decisions::about(store, fleet.open_alerts()).await?;
    let waiting = fleet.open_alerts().filter(|open| decisions.is_waiting(*open));
    let mut alerts: Vec<NewsAlert> = waiting.map(open_alert).collect();
    alerts.sort_by(|left, right| {
        left.opened_at.cmp(&right.opened_at).then_with(|| left.alert_id.cmp(&right.alert_id))
    });
    Ok(alerts)
}

fn devices(fleet: &Fleet, from: i64) -> DigestDevices {
    let n =
        |is: &dyn Fn(&DeviceView) -> bool| count(fleet.devices.iter().filter(|device| is(device)).count());
    DigestDevices {
        n_known: count(fleet.devices.len()),
        n_heard: n(&|device| device.timestamp >= from),
        n_anomaly: n(&|device| device.status == DeviceStatus::Anomaly),
        n_learning: n(&|device| device.status == DeviceStatus::Learning),
    }
}

fn silent(fleet: &Fleet, from: i64) -> Vec<(String, i64)> {
    let mut silent: Vec<(String, i64)> = fleet
        .devices
        .iter()
        .filter(|device| device.timestamp < from)
        .map(|device| (device.device_id.clone(), device.timestamp))
        .collect();
    silent.sort_by_key(|(_, newest)| *newest);
    silent
}

/// A device's readings of a period, in seconds since its begin and degrees, in order of time.
async fn readings(
    store: &Store,
    reader: &FleetReader,
    device_id: &str,
    period: Period,
) -> Result<Vec<(i64, f32)>, StoreError> {
    let mut readings = Vec::new();
    let Some((_, buckets)) = reader.device(device_id).await? else { return Ok(readings) };
    for bucket in &buckets {
        let documents = store.results_between(bucket, device_id, period.from, period.to).await?;
        let rows = rows_by_device(&documents).remove(device_id).unwrap_or_default();
        readings.extend(rows.iter().map(|row| (row.timestamp, celsius(row.temperature))));
    }
    readings.retain(|(at, _)| (period.from..period.to).contains(at));
    readings.sort_by_key(|(at, _)| *at);
    // Where documents of two owners overlap, one reading may be stored twice.
    readings.dedup_by_key(|(at, _)| *at);
    Ok(readings.into_iter().map(|(at, celsius)| ((at - period.from) / 1000, celsius)).collect())
}

#[expect(clippy::cast_possible_truncation, reason = "a picture needs no more")]
fn celsius(celsius: f64) -> f32 {
    celsius as f32
}

fn figure(name: &str, now: usize, before: Option<usize>) -> DigestFigure {
    DigestFigure { name: name.to_owned(), now: count(now), before: before.map(count) }
}

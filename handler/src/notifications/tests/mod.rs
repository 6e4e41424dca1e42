//! What is told of steps, and how it looks: here what the tests of all rooms have in common.

mod choosing;
mod digests;
mod groups;
mod letters;
mod posts;
mod reminding;

use detector::Severity;
use jiff::tz::TimeZone;
use wire::notifications::{AlertNews, Content, NewsEvent, NotificationDocument};

use super::Look;
use super::choose::{Choice, News, Standing};
use super::claim::{Claimant, Draft};
use super::told::{Name, Told};
use crate::fleet::Fleet;
use crate::people::Mutes;
use crate::store::StoredStep;

/// 2026-01-02T03:04:05Z.
const AT: i64 = 1_767_323_045_000;
fn step(device_id: &str, step: &str, severity: Severity, at: i64) -> StoredStep {
    StoredStep {
        alert_id: format!("b.{}.0.spike", device_id.len()),
        step: step.to_owned(),
        device_id: device_id.to_owned(),
        kind: "spike".to_owned(),
        severity: severity.name().to_owned(),
        opened_at: AT,
        at,
        temperature: 38.2,
        expected: Some(24.9),
        peak_score: 6.2,
        stored_at: at / 1000 + 1,
    }
}

/// A fleet of one device with its newest reading, and with the alert that it knows as open.
fn fleet(device_id: &str, timestamp: i64, alert_id: Option<&str>) -> Fleet {
    let alert = alert_id.map(|alert_id| {
        serde_json::json!({ "alertId": alert_id, "kind": "spike", "severity": "warning", "openedAt": AT })
    });
    let device = serde_json::json!({
        "deviceId": device_id, "status": "normal", "learning": false, "timestamp": timestamp, "temperature": 5.0,
        "expected": null, "error": null, "score": null, "anomaly": false, "lastAnomalyAt": null, "alert": alert
    });
    Fleet { devices: vec![serde_json::from_value(device).unwrap()], ..Fleet::default() }
}

fn choose(steps: Vec<StoredStep>, fleet: &Fleet, told: &Told, mutes: &Mutes) -> News {
    let standing = Standing::of(fleet);
    Choice { told, standing: &standing, mutes, critical_only: false }.among(steps)
}

fn events(news: &News) -> Vec<NewsEvent> {
    news.entries.iter().map(|entry| entry.event).collect()
}

fn look() -> Look {
    Look { zone: TimeZone::UTC, page: Some("https://example.com".to_owned()) }
}

fn outage(n_devices: usize) -> Vec<StoredStep> {
    (1..=n_devices)
        .map(|n| {
            let mut step = step(
                &format!("freezer-{n}"),
                "opened",
                Severity::Critical,
                AT + 10 * i64::try_from(n).unwrap(),
            );
            step.alert_id = format!("b.{n}.0.spike");
            step.peak_score = f64::from(u32::try_from(n).unwrap());
            step
        })
        .collect()
}

/// What people are told of steps of which nothing else is known.
fn all_of(steps: Vec<StoredStep>) -> News {
    choose(steps, &Fleet::default(), &Told::default(), &Mutes::default())
}

/// A notification that was claimed.
fn notification(chain: &str, names: &[Name], content: Content) -> NotificationDocument {
    let recipients = vec!["anna@example.com".to_owned()];
    Draft { chain, number: 7, recipients, seen_to: AT / 1000, names, silent: vec![], content }
        .claimed_by(Claimant { name: "w", now: AT + 60_000 })
}

fn of_alerts(chain: &str, news: &AlertNews) -> NotificationDocument {
    notification(chain, &[], Content::Alerts(news.clone()))
}

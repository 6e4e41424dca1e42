//! Puts what happened to many devices into few groups: by what happened, kind, and what their ids begin with.

use std::collections::{BTreeMap, HashSet};

use detector::Severity;
use wire::notifications::{AlertNews, NewsAlert, NewsEvent, NewsGroup};

use super::choose::Entry;

/// Groups in a notification; the smallest beyond it are put together.
const MOST_GROUPS: usize = 12;
/// Alerts that a group lists.
const LISTED: usize = 10;
/// What stands for all devices, and for kinds that differ.
const ALL: &str = "*";
/// What divides the parts of a device's id.
const SEPARATORS: [char; 6] = ['-', '_', '.', '/', ':', ' '];

/// Groups entries, the gravest group first.
#[must_use]
pub fn group(entries: Vec<Entry>) -> AlertNews {
    let mut groups: BTreeMap<(NewsEvent, String, String), Vec<NewsAlert>> = BTreeMap::new();
    for entry in entries {
        let prefix = prefix_of(&entry.alert.device_id).to_owned();
        groups.entry((entry.event, entry.kind, prefix)).or_default().push(entry.alert);
    }
    let mut groups: Vec<NewsGroup> = merge(groups)
        .into_iter()
        .map(|((event, kind, prefix), alerts)| finish(event, kind, &prefix, alerts))
        .collect();
    groups.sort_by_key(|group| {
        let is_mild = group.severity != Severity::Critical.name();
        (is_over(group.event), is_mild, group.event, std::cmp::Reverse(group.n_devices))
    });
    AlertNews { groups }
}

fn is_over(event: NewsEvent) -> bool {
    matches!(event, NewsEvent::Closed | NewsEvent::Passed | NewsEvent::Back)
}

/// What a device's id has in common with those of its like: all before its number, else all before its last part.
#[must_use]
pub fn prefix_of(device_id: &str) -> &str {
    let without_number = device_id.trim_end_matches(|c: char| c.is_ascii_digit());
    if without_number.len() < device_id.len() {
        return without_number;
    }
    match device_id.rfind(SEPARATORS) {
        Some(place) if device_id[place..].contains(|c: char| c.is_ascii_digit()) => &device_id[..=place],
        _ => device_id,
    }
}

type Key = (NewsEvent, String, String);

/// Puts the smallest groups together until there are few enough: those of one event into one.
fn merge(groups: BTreeMap<Key, Vec<NewsAlert>>) -> BTreeMap<Key, Vec<NewsAlert>> {
    if groups.len() <= MOST_GROUPS {
        return groups;
    }
    let mut by_size: Vec<(Key, Vec<NewsAlert>)> = groups.into_iter().collect();
    by_size.sort_by_key(|(_, alerts)| std::cmp::Reverse(alerts.len()));
    // One place is left for the rest of each event.
    let rest = by_size.split_off(MOST_GROUPS - 5);
    let mut merged: BTreeMap<Key, Vec<NewsAlert>> = by_size.into_iter().collect();
    for ((event, _, _), alerts) in rest {
        merged.entry((event, ALL.to_owned(), String::new())).or_default().extend(alerts);
    }
    merged
}

fn finish(event: NewsEvent, kind: String, prefix: &str, mut alerts: Vec<NewsAlert>) -> NewsGroup {
    let is_mild = |alert: &NewsAlert| alert.severity != Severity::Critical.name();
    alerts.sort_by(|left, right| {
        let peak = |alert: &NewsAlert| alert.peak_score.unwrap_or_default();
        is_mild(left)
            .cmp(&is_mild(right))
            .then(peak(right).total_cmp(&peak(left)))
            .then_with(|| left.alert_id.cmp(&right.alert_id))
    });
    let devices: HashSet<&str> = alerts.iter().map(|alert| alert.device_id.as_str()).collect();
    let n_devices = devices.len();
    let severity = if alerts.iter().all(is_mild) { Severity::Warning } else { Severity::Critical };
    NewsGroup {
        event,
        kind,
        severity: severity.name().to_owned(),
        devices: match alerts.first() {
            Some(alert) if n_devices == 1 => alert.device_id.clone(),
            _ => format!("{prefix}{ALL}"),
        },
        n_devices: count(n_devices),
        n_alerts: count(alerts.len()),
        first_at: alerts.iter().map(|alert| alert.at).min().unwrap_or_default(),
        last_at: alerts.iter().map(|alert| alert.at).max().unwrap_or_default(),
        worst: {
            alerts.truncate(LISTED);
            alerts
        },
    }
}

/// A number of things as documents have it.
#[must_use]
pub fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

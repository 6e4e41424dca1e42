//! Reminders of critical alerts that are open and that nobody has taken note of, in growing intervals.

use detector::Severity;
use wire::notifications::{NewsAlert, NewsEvent};

use super::choose::Entry;
use super::told::{Name, Told};
use crate::fleet::{Fleet, Open};
use crate::people::Decisions;

/// Time from an alert's opening to its first reminder; each further interval is twice as long.
const FIRST_MS: i64 = 3_600_000;
/// Longest interval.
const LONGEST_MS: i64 = 24 * 3_600_000;

/// Open alerts that are critical: those that somebody may be reminded of.
pub fn critical(fleet: &Fleet) -> impl Iterator<Item = Open<'_>> + Clone {
    fleet.open_alerts().filter(|(_, alert)| alert.severity == Severity::Critical.name())
}

/// Alerts in a notification that somebody is reminded of; the rest follow at the next look.
pub(super) const MOST_REMINDED: usize = 10_000;

/// What to remind of now, in epoch milliseconds: of a device that is muted now, not before that is over.
#[must_use]
pub fn due<'a>(
    critical: impl Iterator<Item = Open<'a>>,
    decisions: &Decisions,
    told: &Told,
    now: i64,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let is_due = |open: &Open<'_>| {
        decisions.is_waiting(*open) && decisions.mutes.covering(&open.0.device_id, now).is_none()
    };
    for (device, alert) in critical.filter(is_due) {
        let Some(n_before) = n_due(now.saturating_sub(alert.opened_at)).checked_sub(1) else { continue };
        let name = Name::of_reminder(&alert.alert_id, n_before);
        if told.holds(name) {
            continue;
        }
        if entries.len() == MOST_REMINDED {
            break;
        }
        entries.push(Entry {
            event: NewsEvent::Reminder,
            kind: alert.kind.clone(),
            names: vec![name],
            alert: open_alert((device, alert)),
        });
    }
    entries
}

/// An open alert as its device's row tells it.
#[must_use]
pub fn open_alert((device, alert): Open<'_>) -> NewsAlert {
    NewsAlert {
        alert_id: alert.alert_id.clone(),
        device_id: device.device_id.clone(),
        severity: alert.severity.clone(),
        opened_at: alert.opened_at,
        at: alert.opened_at,
        temperature: None,
        expected: None,
        peak_score: None,
    }
}

/// How many reminders an alert of this age has had, or should have: one after an hour, another after two more, four
/// more, and so on, and from then on one a day.
#[must_use]
pub fn n_due(age_ms: i64) -> u32 {
    let (mut n, mut at, mut interval) = (0_u32, FIRST_MS, FIRST_MS);
    while interval < LONGEST_MS {
        if age_ms < at {
            return n;
        }
        n += 1;
        interval = (interval * 2).min(LONGEST_MS);
        at += interval;
    }
    if age_ms < at {
        return n;
    }
    let days = (age_ms - at) / LONGEST_MS + 1;
    n.saturating_add(u32::try_from(days).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_double_up_to_a_day() {
        let hours = |hours: i64| n_due(hours * 3_600_000);
        let first: Vec<i64> = (0..200).filter(|hour| *hour > 0 && hours(*hour) > hours(*hour - 1)).collect();
        assert_eq!(first, [1, 3, 7, 15, 31, 55, 79, 103, 127, 151, 175, 199]);
        assert_eq!((n_due(-5), n_due(0), n_due(3_599_999)), (0, 0, 0));
        assert!(n_due(i64::MAX) > 1000);
    }
}

//! Which of the stored steps of alerts are news.
//!
//! Enters: steps as they are stored, what was told, how the devices stand, who is muted. Leaves: what is to be told, an
//! entry an alert. It knows no clock: a step's age is the time between its reading and its storing.

use std::collections::{BTreeMap, HashMap};

use detector::{Severity, Step};
use wire::notifications::{NewsAlert, NewsEvent};

use super::reminders::n_due;
use super::told::{Name, Told};
use crate::fleet::Fleet;
use crate::people::Mutes;
use crate::store::StoredStep;

/// How old a step may be when it is stored and still be news: what is older comes from a replay or a long stop, and is
/// told only if its alert is still open.
const NEWS_MS: i64 = 24 * 3600 * 1000;

/// Something to tell of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What happened.
    pub event: NewsEvent,
    /// Kind of the alert.
    pub kind: String,
    /// The alert.
    pub alert: NewsAlert,
    /// What it is remembered by.
    pub names: Vec<Name>,
}

impl Entry {
    /// What it is remembered by when it is told now, in epoch milliseconds: an alert that was opened long ago and is
    /// told only now needs no reminder of the time in between.
    pub fn all_names(&self, now: i64) -> impl Iterator<Item = Name> {
        let begins = matches!(self.event, NewsEvent::Opened | NewsEvent::Escalated);
        let n_due = n_due(now.saturating_sub(self.alert.opened_at));
        let past = n_due.checked_sub(1).filter(|_| begins);
        let past = past.map(|n_before| Name::of_reminder(&self.alert.alert_id, n_before));
        self.names.iter().copied().chain(past)
    }
}

/// What is to be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct News {
    /// An entry an alert.
    pub entries: Vec<Entry>,
    /// When the first of these steps was stored, in seconds since 1970 by the account's clock.
    pub first_stored_at: i64,
    /// When the last of them was.
    pub last_stored_at: i64,
    /// Steps of alerts that are muted, too old, void, or of no interest to anybody.
    pub left_out: Vec<Name>,
}

/// Everything by which steps are chosen.
#[derive(Debug)]
pub struct Choice<'a> {
    /// What was told.
    pub told: &'a Told,
    /// How each device stands.
    pub standing: &'a Standing,
    /// Who is muted.
    pub mutes: &'a Mutes,
    /// Whether nobody wants to hear of warnings.
    pub critical_only: bool,
}

/// The open alert of each device, and the time of its newest reading.
#[derive(Debug, Default)]
pub struct Standing(HashMap<String, (i64, Option<String>)>);

impl Standing {
    /// How the devices of a fleet stand.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let stands = |device: &wire::api::DeviceView| {
            let alert = device.alert.as_ref().map(|alert| alert.alert_id.clone());
            (device.device_id.clone(), (device.timestamp, alert))
        };
        Self(fleet.devices.iter().map(stands).collect())
    }

    /// Whether the device's row knows the alert as open.
    fn knows(&self, device_id: &str, alert_id: &str) -> bool {
        let open = self.0.get(device_id).and_then(|(_, alert)| alert.as_deref());
        open == Some(alert_id)
    }

    /// Whether the device's row is as new as a step: only then does it say something about it.
    fn is_as_new(&self, device_id: &str, at: i64) -> bool {
        self.0.get(device_id).is_some_and(|(timestamp, _)| *timestamp >= at)
    }
}

impl Choice<'_> {
    /// Chooses among steps in any order, with any repeats.
    #[must_use]
    pub fn among(&self, steps: Vec<StoredStep>) -> News {
        let mut alerts: BTreeMap<String, Steps> = BTreeMap::new();
        for step in steps {
            if !self.told.holds(Name::of_step(&step.alert_id, &step.step)) {
                alerts.entry(step.alert_id.clone()).or_default().take(step);
            }
        }
        let mut news = News { first_stored_at: i64::MAX, last_stored_at: i64::MIN, ..News::default() };
        for steps in alerts.into_values() {
            match self.entry(&steps) {
                Some(entry) => {
                    for step in steps.all() {
                        news.first_stored_at = news.first_stored_at.min(step.stored_at);
                        news.last_stored_at = news.last_stored_at.max(step.stored_at);
                    }
                    news.entries.push(entry);
                }
                None => {
                    let names = steps.all().map(|step| Name::of_step(&step.alert_id, &step.step));
                    news.left_out.extend(names);
                }
            }
        }
        news
    }

    fn entry(&self, steps: &Steps) -> Option<Entry> {
        let newest = steps.all().max_by_key(|step| step.at)?;
        let (device_id, alert_id) = (&newest.device_id, &newest.alert_id);
        let is_known = self.standing.knows(device_id, alert_id);
        // Rules that were overruled decided a closing that the device's row knows nothing of.
        let closed = steps
            .closed
            .as_ref()
            .filter(|closed| !(is_known && self.standing.is_as_new(device_id, closed.at)));
        let shown = closed.or(steps.escalated.as_ref()).or(steps.opened.as_ref())?;
        let event = match (closed, &steps.opened, &steps.escalated) {
            (Some(_), Some(_), _) => NewsEvent::Passed,
            (Some(_), None, _) => NewsEvent::Closed,
            (None, Some(_), _) => NewsEvent::Opened,
            (None, None, _) => NewsEvent::Escalated,
        };
        let is_void = closed.is_none() && !is_known && self.standing.is_as_new(device_id, shown.at);
        let is_old = shown.at < shown.stored_at.saturating_mul(1000).saturating_sub(NEWS_MS);
        // Who mutes a device with an open alert wants to hear of its end, but not that it gets worse meanwhile.
        let is_muted_at = |at| self.mutes.covering(device_id, at).is_some();
        let is_muted =
            is_muted_at(shown.opened_at) || (event == NewsEvent::Escalated && is_muted_at(shown.at));
        let is_of_interest = !self.critical_only || shown.severity == Severity::Critical.name();
        if is_void || is_muted || !is_of_interest || (is_old && !is_known) {
            return None;
        }
        Some(Entry {
            event,
            kind: shown.kind.clone(),
            names: steps.all().map(|step| Name::of_step(&step.alert_id, &step.step)).collect(),
            alert: NewsAlert {
                alert_id: alert_id.clone(),
                device_id: device_id.clone(),
                severity: shown.severity.clone(),
                opened_at: shown.opened_at,
                at: shown.at,
                temperature: Some(shown.temperature),
                expected: shown.expected,
                peak_score: Some(shown.peak_score),
            },
        })
    }
}

/// The steps of one alert that were not told.
#[derive(Debug, Default)]
struct Steps {
    opened: Option<StoredStep>,
    escalated: Option<StoredStep>,
    closed: Option<StoredStep>,
}

impl Steps {
    fn take(&mut self, step: StoredStep) {
        match step.step.as_str() {
            name if name == Step::Opened.name() => self.opened = Some(step),
            name if name == Step::Escalated.name() => self.escalated = Some(step),
            name if name == Step::Closed.name() => self.closed = Some(step),
            // A release that knows more steps tells of them itself.
            _ => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = &StoredStep> {
        [&self.opened, &self.escalated, &self.closed].into_iter().flatten()
    }
}

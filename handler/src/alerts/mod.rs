//! Alerts as people see them: open ones beside their devices, and all of them newest first, a page at a time, with what
//! people decided about them.

mod cursor;
mod gathering;
#[cfg(test)]
mod lifecycle;
mod standing;

use std::collections::BTreeMap;

use detector::{Channel, Kind, Severity};
use wire::api::{AlertState, AlertView, DeviceView, OpenAlertView};
use wire::documents::{AlertDocument, DeviceRow, OpenAlert, alert_id};

pub use self::cursor::Cursor;
use self::gathering::Gathering;
use crate::fleet::Fleet;
use crate::people::{Acknowledgements, Mutes, acknowledged_view, by_bucket};
use crate::store::{ALL_TIMES, Store, StoreError};

/// How often a page that people's decisions made shorter is filled up.
const MOST_ROUNDS: usize = 8;

/// A device with its open alert.
#[must_use]
pub fn device_view(bucket: &str, device_id: &str, row: &DeviceRow) -> DeviceView {
    DeviceView::new(device_id, row, row.alert.map(|alert| open_view(bucket, &alert)))
}

fn open_view(bucket: &str, alert: &OpenAlert) -> OpenAlertView {
    let channel = u8::try_from(alert.channel).ok().and_then(Channel::of_code);
    let kind = channel.map_or(Kind::Other, Channel::kind).name();
    let severity = if alert.is_critical { Severity::Critical } else { Severity::Warning };
    OpenAlertView {
        alert_id: alert_id(bucket, alert.sequence, alert.index, kind),
        kind: kind.to_owned(),
        severity: severity.name().to_owned(),
        opened_at: alert.opened_at,
    }
}

/// Which alerts are asked for.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Only in this state.
    pub state: Option<AlertState>,
    /// Only of this device.
    pub device_id: Option<&'a str>,
    /// Only of devices whose ids begin with it.
    pub prefix: Option<&'a str>,
    /// Only those that somebody took note of, or only the others.
    pub acknowledged: Option<bool>,
    /// Only of this kind.
    pub kind: Option<&'a str>,
    /// Only of this severity.
    pub severity: Option<&'a str>,
    /// Only opened at this time or later, in epoch milliseconds.
    pub from: Option<i64>,
    /// Only opened at this time or earlier, in epoch milliseconds.
    pub to: Option<i64>,
    /// Only after where the earlier page ended.
    pub after: Option<Cursor>,
    /// Most alerts in the page.
    pub limit: usize,
}

/// A page of alerts, newest first.
#[derive(Debug, Default)]
pub struct Page {
    /// The alerts; fewer than the limit where many were looked at and few are asked for.
    pub alerts: Vec<AlertView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Reads a page.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub async fn read(store: &Store, fleet: &Fleet, question: &Question<'_>) -> Result<Page, StoreError> {
    let mut page = Page { alerts: Vec::new(), next: question.after.clone() };
    // What people decided is read for the alerts that were found: the price does not grow with what is stored.
    for _ in 0..MOST_ROUNDS {
        let rest = Question {
            after: page.next.take(),
            limit: question.limit - page.alerts.len(),
            ..question.clone()
        };
        let mut found = gather(store, fleet, &rest).await?;
        annotate(store, &mut found.alerts).await?;
        let is_wanted = |view: &AlertView| {
            question.acknowledged.is_none_or(|wanted| view.acknowledged.is_some() == wanted)
        };
        page.alerts.extend(found.alerts.into_iter().filter(is_wanted));
        page.next = found.next;
        if page.next.is_none() || page.alerts.len() == question.limit {
            break;
        }
    }
    Ok(page)
}

async fn gather(store: &Store, fleet: &Fleet, question: &Question<'_>) -> Result<Page, StoreError> {
    let from = question.from.unwrap_or(ALL_TIMES.0);
    let after = question.after.as_ref().map(|after| after.opened_at);
    let to = question.to.into_iter().chain(after).min().unwrap_or(ALL_TIMES.1);
    let mut gathering = Gathering::new(question, fleet);
    let devices = (question.device_id, question.prefix);
    store.alerts_newest_first(from, to, devices, |document| gathering.take(document)).await?;
    gathering.finish()
}

/// Alerts that were asked for by their ids.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that there are, in any order.
    pub alerts: Vec<AlertView>,
    /// What was acknowledged of them.
    pub acknowledgements: Acknowledgements,
}

/// The alerts of these ids that there are.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read.
pub async fn find<'a>(
    store: &Store,
    fleet: &Fleet,
    alert_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Found, StoreError> {
    let mut steps: BTreeMap<String, Vec<AlertDocument>> = BTreeMap::new();
    for document in store.steps(by_bucket(alert_ids)).await? {
        steps.entry(document.alert_id.clone()).or_default().push(document);
    }
    let mut alerts: Vec<AlertView> =
        steps.into_values().filter_map(|steps| standing::of(steps, fleet)).collect();
    let acknowledgements = annotate(store, &mut alerts).await?;
    Ok(Found { alerts, acknowledgements })
}

/// Adds what people decided.
async fn annotate(store: &Store, alerts: &mut [AlertView]) -> Result<Acknowledgements, StoreError> {
    let Some(oldest) = alerts.iter().map(|alert| alert.opened_at).min() else {
        return Ok(Acknowledgements::default());
    };
    let ids = alerts.iter().map(|alert| alert.alert_id.as_str());
    let (acknowledgements, mutes) =
        futures::try_join!(Acknowledgements::read(store, ids), Mutes::read(store, oldest))?;
    for alert in alerts {
        add_decisions(alert, &acknowledgements, &mutes);
    }
    Ok(acknowledgements)
}

fn add_decisions(alert: &mut AlertView, acknowledgements: &Acknowledgements, mutes: &Mutes) {
    alert.acknowledged = acknowledgements.of(&alert.alert_id).map(acknowledged_view);
    alert.muted = mutes.covering(&alert.device_id, alert.opened_at).is_some();
}

//! How an alert stands: its steps, and what its device's row says of it.
//!
//! A document says what a step of an alert was when it was decided. Whether the alert goes on is what its device's row
//! says: an alert that a later row does not know was decided by rules that another owner overruled, or its device is
//! forgotten. The order in which the documents were stored, and how often, says nothing.

use detector::Step;
use wire::api::{AlertState, AlertView, DeviceView};
use wire::documents::AlertDocument;

use crate::fleet::Fleet;

/// An alert after its newest step; `None` without its opening, which may be deleted by age.
pub(super) fn of(steps: Vec<AlertDocument>, fleet: &Fleet) -> Option<AlertView> {
    let find = |step: Step| steps.iter().find(|document| document.step == step.name());
    let newest = find(Step::Closed).or_else(|| find(Step::Escalated)).or_else(|| find(Step::Opened))?;
    let device = fleet.device(&newest.device_id);
    let (newest_at, peak_score) = (newest.at, newest.peak_score);
    let severity = newest.severity.clone();
    let closed_at = find(Step::Closed).filter(|closed| !is_denied(closed, device)).map(|closed| closed.at);
    let opened = steps.into_iter().find(|document| document.step == Step::Opened.name())?;
    let is_open = closed_at.is_none() && goes_on(&opened, newest_at, device);
    Some(AlertView {
        alert_id: opened.alert_id,
        state: if is_open { AlertState::Open } else { AlertState::Closed },
        device_id: opened.device_id,
        kind: opened.kind,
        channel: opened.channel,
        severity,
        learning: opened.learning,
        began_at: opened.began_at,
        opened_at: opened.opened_at,
        closed_at,
        temperature: opened.temperature,
        expected: opened.expected,
        peak_score,
        acknowledged: None,
        muted: false,
        readings: opened.readings,
    })
}

/// Whether a closing was decided by rules that were overruled: a row that is as new knows the alert as open.
fn is_denied(closed: &AlertDocument, device: Option<&DeviceView>) -> bool {
    device.is_some_and(|device| device.timestamp >= closed.at && knows(device, &closed.alert_id))
}

/// Whether the device's row knows the alert, or is older than it.
fn goes_on(opened: &AlertDocument, newest_at: i64, device: Option<&DeviceView>) -> bool {
    device.is_some_and(|device| knows(device, &opened.alert_id) || device.timestamp < newest_at)
}

fn knows(device: &DeviceView, alert_id: &str) -> bool {
    device.alert.as_ref().is_some_and(|alert| alert.alert_id == alert_id)
}

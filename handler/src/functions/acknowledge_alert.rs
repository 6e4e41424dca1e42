//! Takes note of alerts until they close, in somebody's name, or takes that back.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use wire::api::{AcknowledgeOutcome, AcknowledgeRequest, AcknowledgeResult, AcknowledgeView, AlertView};
use wire::invocation::Answer;
use wire::people::Act;

use crate::alerts;
use crate::app::App;
use crate::people::acts::{self, Asked, Done};
use crate::people::{self, Statement};
use crate::reply::ApiError;

/// Alerts in one act.
const MOST_ALERTS: usize = 1000;

/// Answers an act at a time in epoch milliseconds.
pub async fn handle(app: &App, body: &[u8], now_ms: i64) -> Answer {
    acts::answer(app, acknowledge(app, body, now_ms)).await
}

async fn acknowledge(app: &App, body: &[u8], now_ms: i64) -> Result<Done, ApiError> {
    let asked = Asked::<AcknowledgeRequest>::read(app, body)?;
    let AcknowledgeRequest { alert_ids, acknowledged, note, by } = &asked.body;
    let n_alerts = alert_ids.len();
    if !(1..=MOST_ALERTS).contains(&n_alerts) {
        let complaint = format!("expected 1 to {MOST_ALERTS} alerts, got {n_alerts}");
        return Err(ApiError::parameter("alertIds", &complaint));
    }
    let act = Act { by: asked.by(by.as_deref())?, at: now_ms };
    let note = acts::text("note", note)?;
    let statement = Statement { acknowledged: acknowledged.unwrap_or(true), note: &note, act: &act };
    let fleet = app.fleet.read().await?;
    let found = alerts::find(&app.store, &fleet, alert_ids.iter().map(String::as_str)).await?;
    let known: HashMap<&str, &AlertView> =
        found.alerts.iter().map(|view| (view.alert_id.as_str(), view)).collect();

    let mut named = HashSet::new();
    let (mut results, mut documents) = (Vec::new(), Vec::new());
    for alert_id in alert_ids.iter().filter(|alert_id| named.insert(alert_id.as_str())) {
        let view = known.get(alert_id.as_str()).copied();
        let (result, document) = people::decide(alert_id, view, &found.acknowledgements, statement);
        results.push(result);
        documents.extend(document);
    }
    if let [only] = results.as_slice() {
        refuse(only)?;
    }
    app.attention.expect_changes(Instant::now());
    Done::storing(&AcknowledgeView { results }, &documents)
}

/// An act about a single alert succeeds or fails as that does.
fn refuse(only: &AcknowledgeResult) -> Result<(), ApiError> {
    let shown: String = only.alert_id.chars().filter(|c| !c.is_control()).take(100).collect();
    match only.result {
        AcknowledgeOutcome::Unknown => Err(ApiError::not_found(format!("no alert is called `{shown}`"))),
        AcknowledgeOutcome::Closed => Err(ApiError::conflict(format!(
            "alert `{shown}` is closed: nothing is to be decided about it any more"
        ))),
        AcknowledgeOutcome::Acknowledged | AcknowledgeOutcome::Withdrawn | AcknowledgeOutcome::Unchanged => {
            Ok(())
        }
    }
}

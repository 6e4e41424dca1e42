//! Lists alerts, newest first, or shows one by its id.

use axum::response::Response;
use detector::Kind;
use wire::api::{AlertState, AlertsView};

use crate::alerts::{self, Question};
use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

const KNOWN: [&str; 11] = [
    "alertId",
    "state",
    "acknowledged",
    "deviceId",
    "prefix",
    "kind",
    "severity",
    "from",
    "to",
    "after",
    "limit",
];

/// Answers with a page of alerts.
///
/// # Errors
///
/// Names the parameter that is wrong, or the store that is away.
pub async fn handle(app: &App, query: &str) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    let (from, to) = parameters.span()?;
    let question = Question {
        state: match parameters.word("state", &["open", "closed", "all"])? {
            Some("all") => None,
            Some("closed") => Some(AlertState::Closed),
            _ => Some(AlertState::Open),
        },
        acknowledged: parameters.word("acknowledged", &["true", "false"])?.map(|word| word == "true"),
        device_id: parameters.text("deviceId"),
        prefix: parameters.text("prefix"),
        kind: parameters.word("kind", &Kind::ALL.map(Kind::name))?,
        severity: parameters.word("severity", &["warning", "critical"])?,
        from,
        to,
        after: parameters.cursor()?,
        limit: parameters.number("limit", 1, 1000, 100)?,
    };
    let fleet = app.fleet.read().await?;
    if let Some(alert_id) = parameters.text("alertId") {
        let alerts = alerts::find(&app.store, &fleet, [alert_id]).await?.alerts;
        return Ok(reply::json(&AlertsView { alerts, next: None }));
    }
    let page = alerts::read(&app.store, &fleet, &question).await?;
    Ok(reply::json(&AlertsView { alerts: page.alerts, next: page.next.map(|cursor| cursor.to_string()) }))
}

//! The fleet at a glance: how many devices are how, and what judges them.

use std::time::Instant;

use axum::response::Response;
use detector::Policy;
use wire::api::{ModelView, SummaryView};

use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

/// Answers with counts, policy and model.
///
/// # Errors
///
/// Names a parameter, since there is none, or the store that is away.
pub async fn handle(app: &App, query: &str) -> Result<Response, ApiError> {
    Parameters::parse(query, &[])?;
    let fleet = app.fleet.read().await?;
    let card = app.model.card();
    Ok(reply::json(&SummaryView {
        devices: fleet.counts(),
        newest_reading_at: fleet.devices.iter().map(|device| device.timestamp).max(),
        open_alerts: fleet.open_alerts().count(),
        unacknowledged_alerts: app.attention.read(&fleet, Instant::now()).await?,
        policy: app.settings.policy_name().to_owned(),
        fixed_threshold: match app.settings.policy {
            Policy::Fixed { threshold } => Some(threshold),
            Policy::Calibrated => None,
        },
        model: ModelView { sha256: card.onnx_sha256.clone(), window_length: card.window_length },
    }))
}

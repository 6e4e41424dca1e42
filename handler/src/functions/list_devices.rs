//! Lists the fleet: the newest reading of each device.

use axum::response::Response;
use wire::api::{DeviceStatus, DevicesView};

use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

const KNOWN: [&str; 4] = ["status", "prefix", "after", "limit"];

/// Answers with a page of the fleet.
///
/// # Errors
///
/// Names the parameter that is wrong, or the store that is away.
pub async fn handle(app: &App, query: &str) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    let limit = parameters.number("limit", 1, 10_000, 1000)?;
    let status =
        parameters.word("status", &["normal", "anomaly", "learning", "silent"])?.map(|word| match word {
            "anomaly" => DeviceStatus::Anomaly,
            "learning" => DeviceStatus::Learning,
            "silent" => DeviceStatus::Silent,
            _ => DeviceStatus::Normal,
        });
    let prefix = parameters.text("prefix").unwrap_or_default();
    let after = parameters.text("after").unwrap_or_default();
    let fleet = app.fleet.read().await?;
    let mut wanted = fleet.devices.iter().filter(|device| {
        device.device_id.as_str() > after
            && device.device_id.starts_with(prefix)
            && status.is_none_or(|status| status == device.status)
    });
    let devices: Vec<_> = wanted.by_ref().take(limit).cloned().collect();
    let more = wanted.next().is_some();
    let next = devices.last().filter(|_| more).map(|device| device.device_id.clone());
    Ok(reply::json(&DevicesView { devices, next }))
}

//! Lists the readings of a device that a parameter names: any id, also one that no path can carry.
//!
//! Proxies and browsers collapse `..` in a path and some decode `%2F`; the query reaches us as it was sent.

use axum::response::Response;

use super::list_readings;
use crate::app::App;
use crate::parameters::Parameters;
use crate::reply::ApiError;

const KNOWN: [&str; 5] = ["deviceId", "from", "to", "limit", "format"];

/// Answers with a device's readings of a span of time.
///
/// # Errors
///
/// Names the parameter that is wrong or missing, the device that is unknown, or the store that is away.
pub async fn handle(app: &App, query: &str, accept: Option<&str>) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    let Some(device_id) = parameters.text("deviceId") else {
        return Err(ApiError::parameter("deviceId", "is missing; name the device whose readings are wanted"));
    };
    list_readings::answer(app, device_id, &parameters, accept).await
}

//! Lists alerts, newest first; none is opened until the alert lifecycle exists.

use axum::response::Response;
use wire::api::AlertsView;

use crate::parameters::Parameters;
use crate::reply::{self, ApiError};

const KNOWN: [&str; 5] = ["state", "deviceId", "from", "to", "limit"];

/// Answers with the alerts asked for.
///
/// # Errors
///
/// Names the parameter that is wrong.
pub fn handle(query: &str) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query, &KNOWN)?;
    parameters.word("state", &["open", "closed", "all"])?;
    parameters.number("limit", 1, 1000, 100)?;
    parameters.span()?;
    Ok(reply::json(&AlertsView::default()))
}

//! The host's own routes: status, the list of functions, and calls of functions by hand, which run in the background.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};

use super::front::Front;
use crate::config::{Function, Trigger};

/// A function called by hand.
#[derive(Debug)]
pub struct AdminCall {
    /// The function.
    pub function: Arc<Function>,
    /// The input text; `None` when it was absent or null.
    pub input: Option<String>,
}

pub(super) fn router() -> Router<Arc<Front>> {
    Router::new()
        .route("/admin/host/status", get(status))
        .route("/admin/host/ping", get(async || StatusCode::OK).post(async || StatusCode::OK))
        .route("/admin/functions", get(list))
        .route("/admin/functions/{name}", post(call).get(show))
        .route("/admin/{*rest}", any(async || StatusCode::NOT_FOUND))
        .route("/runtime/{*rest}", any(async || StatusCode::NOT_FOUND))
}

async fn status(State(front): State<Arc<Front>>) -> Response {
    Json(json!({
        "id": "local-host",
        "state": "Running",
        "version": "4.1037.0.0",
        "processUptime": 0,
        "functions": front.parts().functions.len(),
    }))
    .into_response()
}

async fn list(State(front): State<Arc<Front>>) -> Response {
    let functions: Vec<Value> = front.parts().functions.iter().map(|function| describe(function)).collect();
    Json(functions).into_response()
}

async fn show(State(front): State<Arc<Front>>, Path(name): Path<String>) -> Response {
    match find(&front, &name) {
        Some(function) => Json(describe(&function)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn call(
    State(front): State<Arc<Front>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(function) = find(&front, &name) else { return StatusCode::NOT_FOUND.into_response() };
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    match read_admin_input(content_type, &body) {
        Ok(input) => match front.parts().admin.try_send(AdminCall { function, input }) {
            Ok(()) => StatusCode::ACCEPTED.into_response(),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "too many admin calls wait").into_response(),
        },
        Err(status) => status.into_response(),
    }
}

/// Reads the body of an admin call: `input` must be a string, or absent. Pure.
///
/// # Errors
///
/// The status for the caller.
pub fn read_admin_input(content_type: Option<&str>, body: &[u8]) -> Result<Option<String>, StatusCode> {
    let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let document: Value = serde_json::from_slice(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let Some(fields) = document.as_object() else { return Err(StatusCode::BAD_REQUEST) };
    let input = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("input"));
    match input.map(|(_, value)| value) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Object(_) | Value::Array(_)) => Err(StatusCode::BAD_REQUEST),
        Some(scalar) => Ok(Some(scalar.to_string())),
    }
}

fn find(front: &Front, name: &str) -> Option<Arc<Function>> {
    front.parts().functions.iter().find(|function| function.name.eq_ignore_ascii_case(name)).cloned()
}

fn describe(function: &Function) -> Value {
    let kind = match &function.trigger {
        Trigger::EventHub(_) => "eventHubTrigger",
        Trigger::Http(_) => "httpTrigger",
        Trigger::Timer(_) => "timerTrigger",
    };
    json!({ "name": function.name, "trigger": kind, "isDisabled": false, "language": "custom" })
}

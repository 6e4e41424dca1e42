//! Which function a request is for.
//!
//! The host sends two kinds: envelopes on `POST /<function>`, exactly as the function's folder is called, and
//! forwarded requests with the caller's own path, raw and in the caller's letter case, although routes match in any.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use tracing::{Instrument, Span};
use wire::invocation::{Answer, INVOCATION_ID_HEADER, TRACE_PARENT_HEADER, is_readiness_probe};

use crate::access;
use crate::app::App;
use crate::clock::now_ms;
use crate::functions::{
    acknowledge_alert, announce_act, find_readings, get_summary, list_alerts, list_devices, list_mutes,
    list_readings, list_rejects, mute_devices, negotiate, score_telemetry, send_alerts, send_digest,
    serve_dashboard, unmute_devices,
};
use crate::reply::ApiError;
use crate::store::StoreError;

/// The largest body taken: 512 events of 256 KB, escaped twice, are larger than any other.
const MAX_BODY_BYTES: usize = 512 * 1024 * 1024;

/// Routes all requests of the host.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/score_telemetry", post(score))
        .route("/send_alerts", post(tell_alerts))
        .route("/send_digest", post(tell_digest))
        .route("/negotiate", post(connect))
        .route("/acknowledge_alert", post(acknowledge))
        .route("/announce_act", post(announce))
        .route("/mute_devices", post(mute))
        .route("/unmute_devices", post(unmute))
        .fallback(forwarded)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

async fn score(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let id = invocation_id(&headers).to_owned();
    let trace_parent = headers.get(TRACE_PARENT_HEADER).and_then(|value| value.to_str().ok());
    let span = tracing::info_span!(
        "invocation",
        faas.name = "score_telemetry",
        faas.trigger = "pubsub",
        faas.invocation_id = id,
        trace_parent
    );
    into_response(score_telemetry::handle(app, id, body).instrument(span).await)
}

async fn tell_alerts(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let span = timer_span("send_alerts", &headers);
    into_response(send_alerts::handle(&app, &body, now_ms()).instrument(span).await)
}

async fn tell_digest(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let span = timer_span("send_digest", &headers);
    into_response(send_digest::handle(&app, &body, now_ms()).instrument(span).await)
}

fn timer_span(name: &str, headers: &HeaderMap) -> Span {
    tracing::info_span!(
        "invocation",
        faas.name = name,
        faas.trigger = "timer",
        faas.invocation_id = invocation_id(headers)
    )
}

async fn connect(State(app): State<Arc<App>>, body: Bytes) -> Response {
    into_response(negotiate::handle(&app, &body))
}

async fn acknowledge(State(app): State<Arc<App>>, body: Bytes) -> Response {
    into_response(acknowledge_alert::handle(&app, &body, now_ms()).await)
}

async fn announce(State(app): State<Arc<App>>, body: Bytes) -> Response {
    into_response(announce_act::handle(&app, &body, now_ms()).await)
}

async fn mute(State(app): State<Arc<App>>, body: Bytes) -> Response {
    into_response(mute_devices::handle(&app, &body, now_ms()).await)
}

async fn unmute(State(app): State<Arc<App>>, body: Bytes) -> Response {
    into_response(unmute_devices::handle(&app, &body, now_ms()).await)
}

async fn forwarded(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = parts.uri.path();
    if is_readiness_probe(parts.method.as_str(), path, parts.headers.contains_key(INVOCATION_ID_HEADER)) {
        return StatusCode::OK.into_response();
    }
    let query = parts.uri.query().unwrap_or_default();
    let span = tracing::debug_span!("request", faas.invocation_id = invocation_id(&parts.headers));
    let answer = answer(&app, &parts.method, path, query, &parts.headers).instrument(span);
    let answer = tokio::time::timeout(app.settings.deadline, answer).await;
    let answer =
        answer.unwrap_or_else(|_| Err(ApiError::unavailable("the stored documents took too long to read")));
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if parts.method == Method::HEAD {
        if let Some(n_bytes) = response.body().size_hint().exact() {
            response.headers_mut().insert(CONTENT_LENGTH, n_bytes.into());
        }
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answer(
    app: &App,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let is = |segment: &str, name: &str| segment.eq_ignore_ascii_case(name);
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Ok(response);
    }
    let [first, rest @ ..] = segments.as_slice() else { return Err(ApiError::not_found("no such page")) };
    if !is(first, "api") {
        return Ok(serve_dashboard::handle(app, path, headers));
    }
    access::check(&app.settings.access, access::header_of(headers))?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    match rest {
        [devices] if is(devices, "devices") => list_devices::handle(app, query).await,
        [devices, device_id, readings] if is(devices, "devices") && is(readings, "readings") => {
            let device_id = percent_decode_str(device_id).decode_utf8();
            let device_id = device_id.map_err(|_| ApiError::parameter("deviceId", "is not UTF-8"))?;
            list_readings::handle(app, &device_id, query, accept).await
        }
        [rejects] if is(rejects, "rejects") => list_rejects::handle(app, query, accept).await,
        [readings] if is(readings, "readings") => find_readings::handle(app, query, accept).await,
        [alerts] if is(alerts, "alerts") => list_alerts::handle(app, query).await,
        [mutes] if is(mutes, "mutes") => list_mutes::handle(app, query, now_ms()).await,
        [summary] if is(summary, "summary") => get_summary::handle(app, query).await,
        _ => Err(ApiError::not_found("no such function; see /api/devices")),
    }
}

fn invocation_id(headers: &HeaderMap) -> &str {
    headers.get(INVOCATION_ID_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Sends an answer as the host must have it: a length, a content type, and never an empty body.
fn into_response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.into_body()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Answer::CONTENT_TYPE));
    response
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(error = error.with_causes(), "stored documents cannot be read");
        Self::unreadable(&error)
    }
}

impl From<Arc<StoreError>> for ApiError {
    /// Who shares a read gets its error, too, which was logged once.
    fn from(error: Arc<StoreError>) -> Self {
        Self::unreadable(&error)
    }
}

impl ApiError {
    fn unreadable(error: &StoreError) -> Self {
        match error {
            StoreError::TooMuch { .. } => Self::parameter("from", &error.to_string()),
            _ => Self::unavailable("the stored documents cannot be read now; the handler's log says why"),
        }
    }
}

//! The client endpoint: negotiate, then one WebSocket a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::hubs::Hubs;
use super::protocol::{self, Record};
use super::token::Keys;

/// The service pings so often, and drops a client that is silent for twice as long and a little.
const PING_EVERY: Duration = Duration::from_secs(15);
const SILENCE_LIMIT: Duration = Duration::from_secs(32);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(15);
const MESSAGE_LIMIT_BYTES: usize = 1024 * 1024;

/// The service: hubs, keys, and the word that it ends.
#[derive(Debug)]
pub struct Service {
    /// Who is connected.
    pub hubs: Arc<Hubs>,
    /// Whose tokens are taken.
    pub keys: Keys,
    /// Turns true when the host stops.
    pub stop: watch::Receiver<bool>,
}

/// The routes of the client endpoint.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/client/negotiate", post(negotiate))
        .route("/client/", get(connect))
        .route("/client", get(connect))
        .route("/api/health", get(async || StatusCode::OK))
        .with_state(service)
        .layer(from_fn(allow_local_origins))
}

/// Why a call is refused.
type Refusal = (StatusCode, String);

type Parameters = Query<HashMap<String, String>>;

async fn negotiate(
    State(service): State<Arc<Service>>,
    Query(parameters): Parameters,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = authorize(&service, &parameters, &headers) {
        return refusal.into_response();
    }
    let id = uuid::Uuid::new_v4().to_string();
    Json(json!({
        "negotiateVersion": 1,
        "connectionId": id,
        "connectionToken": id,
        "availableTransports": [ { "transport": "WebSockets", "transferFormats": ["Text"] } ],
    }))
    .into_response()
}

async fn connect(
    State(service): State<Arc<Service>>,
    Query(parameters): Parameters,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let (hub, user) = match authorize(&service, &parameters, &headers) {
        Ok(authorized) => authorized,
        Err(refusal) => return refusal.into_response(),
    };
    let wanted_id = parameters.get("id").filter(|id| uuid::Uuid::parse_str(id).is_ok()).cloned();
    upgrade.max_message_size(MESSAGE_LIMIT_BYTES).on_upgrade(move |socket| async move {
        let (id, records) = service.hubs.connect(&hub, wanted_id, user);
        converse(socket, records, service.stop.clone()).await;
        service.hubs.disconnect(&hub, &id);
    })
}

/// The hub and the user of a call, if its token is good.
fn authorize(
    service: &Service,
    parameters: &HashMap<String, String>,
    headers: &HeaderMap,
) -> Result<(String, Option<String>), Refusal> {
    let Some(hub) = parameters.get("hub").filter(|hub| !hub.is_empty()) else {
        return Err((StatusCode::BAD_REQUEST, "parameter `hub` is missing".to_owned()));
    };
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.or(parameters.get("access_token").map(String::as_str));
    let Some(token) = token else {
        return Err((StatusCode::UNAUTHORIZED, "an access token is missing".to_owned()));
    };
    match service.keys.check(token, hub) {
        Ok(user) => Ok((hub.clone(), user)),
        Err(reason) => Err((StatusCode::UNAUTHORIZED, format!("the access token is refused: {reason}"))),
    }
}

async fn converse(
    mut socket: WebSocket,
    mut records: mpsc::Receiver<String>,
    mut stop: watch::Receiver<bool>,
) {
    match timeout(HANDSHAKE_LIMIT, handshake(&mut socket)).await {
        Ok(true) => {}
        Ok(false) | Err(_) => return,
    }
    let mut next_ping = Instant::now() + PING_EVERY;
    let mut silent_at = Instant::now() + SILENCE_LIMIT;
    loop {
        let (outgoing, goes_on) = tokio::select! {
            incoming = socket.recv() => {
                silent_at = Instant::now() + SILENCE_LIMIT;
                match incoming {
                    Some(Ok(Message::Text(frame))) => match answer(&frame) {
                        Ok(answer) => (answer, true),
                        Err(()) => return,
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => (String::new(), true),
                    Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return,
                }
            }
            record = records.recv() => match record {
                Some(record) => (record, true),
                None => (protocol::close("the connection takes no messages"), false),
            },
            () = sleep_until(next_ping) => (protocol::ping(), true),
            () = sleep_until(silent_at) => return,
            () = stopped(&mut stop) => (protocol::close("the service stops"), false),
        };
        if !outgoing.is_empty() {
            next_ping = Instant::now() + PING_EVERY;
            // A client that does not read must not hold this task for ever.
            let sent = timeout(SILENCE_LIMIT, socket.send(Message::text(outgoing))).await;
            if !goes_on || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the host is gone, which is a stop, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Reads the handshake and answers it; says whether the connection goes on.
async fn handshake(socket: &mut WebSocket) -> bool {
    let Some(Ok(Message::Text(frame))) = socket.recv().await else { return false };
    let outcome = match protocol::records(&frame).next() {
        Some(record) => protocol::check_handshake(record),
        None => Err("the handshake is empty".to_owned()),
    };
    let error = outcome.err();
    let sent = socket.send(Message::text(protocol::handshake_answer(error.as_deref()))).await;
    sent.is_ok() && error.is_none()
}

/// The records to send back for a frame; an error ends the connection.
fn answer(frame: &str) -> Result<String, ()> {
    let mut answer = String::new();
    for record in protocol::records(frame) {
        match protocol::read(record) {
            Ok(Record::Invocation(Some(id))) => answer.push_str(&protocol::refused_completion(&id)),
            Ok(Record::Ping | Record::Other | Record::Invocation(None)) => {}
            Ok(Record::Close) | Err(_) => return Err(()),
        }
    }
    Ok(answer)
}

/// Lets pages of this machine call the service from their own origin.
async fn allow_local_origins(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).filter(|origin| is_local(origin)).cloned();
    let wanted = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let preflight = request.method() == Method::OPTIONS;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let Some(origin) = origin else { return response };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
        if let Some(wanted) = wanted {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
    }
    response
}

fn is_local(origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let Some((_, host)) = origin.split_once("://") else { return false };
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

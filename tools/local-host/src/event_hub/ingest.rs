//! The ways in: IoT Hub's device call and Event Hubs' send call, single and batched; events leave to the log.
//!
//! It checks ids and sizes as the services do and no signatures: the door is on the loopback interface only.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::{NewEvent, dotnet_time};
use super::log::Hub;

/// Largest device message and largest batch, as in IoT Hub.
const MESSAGE_LIMIT_BYTES: usize = 256 * 1024;
/// Largest send to an event hub of the standard tier.
const SEND_LIMIT_BYTES: usize = 1024 * 1024;
const AUTH_METHOD: &str = r#"{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}"#;
const GENERATION_ID: &str = "637388034455888246";

/// The hub that the ways in lead to.
#[derive(Debug)]
pub struct Ingest {
    hub: Arc<Hub>,
    clock: fn() -> Timestamp,
}

impl Ingest {
    /// Ways into `hub`, with a clock for enqueued times.
    #[must_use]
    pub fn new(hub: Arc<Hub>, clock: fn() -> Timestamp) -> Self {
        Self { hub, clock }
    }
}

/// The routes of both services.
pub fn router(ingest: Arc<Ingest>) -> Router {
    Router::new()
        .route("/devices/{id}/messages/events", post(device_message))
        .route("/devices/{id}/messages/events/", post(device_message))
        .route(&format!("/{}/messages", ingest.hub.name()), post(send))
        .with_state(ingest)
}

/// Why a call is refused.
type Refusal = (StatusCode, String);

async fn device_message(
    State(ingest): State<Arc<Ingest>>,
    Path(device): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    answer(accept_device_message(&ingest, &device, &parts.headers, body).await, StatusCode::NO_CONTENT)
}

async fn send(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(accept_send(&ingest, &parts.headers, body).await, StatusCode::CREATED)
}

fn answer(result: Result<(), Refusal>, success: StatusCode) -> Response {
    match result {
        Ok(()) => success.into_response(),
        Err((status, reason)) => (status, axum::Json(json!({ "Message": reason }))).into_response(),
    }
}

async fn accept_device_message(
    ingest: &Ingest,
    device: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Refusal> {
    if !is_device_id(device) {
        let reason = "a device id is 1 to 128 letters, digits or -:.+%_#*?!(),=@;$'".to_owned();
        return Err((StatusCode::BAD_REQUEST, reason));
    }
    let body = read(body, MESSAGE_LIMIT_BYTES).await?;
    let now = (ingest.clock)();
    let events = if content_type(headers) == "application/vnd.microsoft.iothub.json" {
        let messages: Vec<BatchedMessage> = parse(&body)?;
        messages.into_iter().map(|message| message.event(device, now)).collect::<Result<_, _>>()?
    } else {
        vec![single_message(device, headers, body, now)]
    };
    store(ingest, ingest.hub.partition_of(device), events, now).await
}

/// One message of IoT Hub's batch format.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchedMessage {
    body: String,
    #[serde(default = "yes")]
    base64_encoded: bool,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

fn yes() -> bool {
    true
}

impl BatchedMessage {
    fn event(self, device: &str, now: Timestamp) -> Result<NewEvent, Refusal> {
        let body = if self.base64_encoded {
            STANDARD.decode(&self.body).map_err(|error| bad(&format!("body is not base64: {error}")))?
        } else {
            self.body.into_bytes()
        };
        let mut properties = Vec::new();
        let mut message = Vec::new();
        for (name, value) in self.properties {
            match system_property(&name) {
                Some(system) => message.push((system.to_owned(), value)),
                None => {
                    let name = name.strip_prefix("iothub-app-").unwrap_or(&name).to_owned();
                    properties.push((name, value));
                }
            }
        }
        Ok(NewEvent { body, partition_key: None, properties, system: stamp(message, device, now) })
    }
}

fn single_message(device: &str, headers: &HeaderMap, body: Vec<u8>, now: Timestamp) -> NewEvent {
    let mut properties = Vec::new();
    let mut message = Vec::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        let value = Value::String(value.to_owned());
        if let Some(system) = system_property(name.as_str()) {
            message.push((system.to_owned(), value));
        } else if let Some(name) = name.as_str().strip_prefix("iothub-app-") {
            properties.push((name.to_owned(), value));
        }
    }
    NewEvent { body, partition_key: None, properties, system: stamp(message, device, now) }
}

/// The message property that a header or batch property of the device sets.
fn system_property(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "iothub-messageid" => "message-id",
        "iothub-correlationid" => "correlation-id",
        "iothub-userid" => "user-id",
        "iothub-contenttype" => "content-type",
        "iothub-contentencoding" => "content-encoding",
        "iothub-creationtimeutc" => "iothub-creation-time-utc",
        _ => return None,
    })
}

/// What the hub says about the message: its own word on the device, which the device cannot forge.
fn stamp(mut message: Vec<(String, Value)>, device: &str, now: Timestamp) -> Vec<(String, Value)> {
    let order = ["message-id", "user-id", "correlation-id", "content-type", "content-encoding"];
    message.sort_by_key(|(name, _)| order.iter().position(|known| known == name).unwrap_or(order.len()));
    for (name, value) in [
        ("iothub-connection-device-id", device.to_owned()),
        ("iothub-connection-auth-method", AUTH_METHOD.to_owned()),
        ("iothub-connection-auth-generation-id", GENERATION_ID.to_owned()),
        ("iothub-enqueuedtime", format!("{}Z", dotnet_time(now))),
        ("iothub-message-source", "Telemetry".to_owned()),
    ] {
        message.push((name.to_owned(), Value::String(value)));
    }
    message
}

/// The part of the `BrokerProperties` header that places an event.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BrokerProperties {
    partition_key: Option<String>,
    message_id: Option<String>,
    correlation_id: Option<String>,
}

/// One event of Event Hubs' batch format.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchedEvent {
    body: Value,
    #[serde(default)]
    broker_properties: BrokerProperties,
    #[serde(default)]
    user_properties: BTreeMap<String, Value>,
}

async fn accept_send(ingest: &Ingest, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
    let body = read(body, SEND_LIMIT_BYTES).await?;
    let now = (ingest.clock)();
    let broker: BrokerProperties = match headers.get("brokerproperties") {
        Some(text) => parse(text.as_bytes())?,
        None => BrokerProperties::default(),
    };
    let content_type = content_type(headers);
    let key = broker.partition_key.clone();
    let events = if content_type == "application/vnd.microsoft.servicebus.json" {
        let batch: Vec<BatchedEvent> = parse(&body)?;
        batch.into_iter().map(|event| batched_event(event, key.as_deref())).collect()
    } else {
        vec![sent_event(broker, &content_type, headers, body)]
    };
    // A batch has one key; without one, the service picks a partition, here by time.
    let partition = match events.first().and_then(|event| event.partition_key.as_deref()) {
        Some(key) => ingest.hub.partition_of(key),
        None => ingest.hub.partition_of(&now.as_millisecond().to_string()),
    };
    store(ingest, partition, events, now).await
}

fn sent_event(broker: BrokerProperties, content_type: &str, headers: &HeaderMap, body: Vec<u8>) -> NewEvent {
    let mut system = message_properties(&broker);
    if !content_type.is_empty() {
        system.push(("content-type".to_owned(), Value::String(content_type.to_owned())));
    }
    let skipped = ["host", "authorization", "brokerproperties", "user-agent", "accept", "connection"];
    let properties = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| {
            !skipped.contains(name)
                && !["content-", "accept-", "transfer-"].iter().any(|start| name.starts_with(start))
        })
        .filter_map(|(name, value)| {
            let text = value.to_str().ok()?;
            // The service takes quoted values for strings and bare ones for numbers.
            Some((name.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| json!(text))))
        })
        .collect();
    NewEvent { body, partition_key: broker.partition_key, properties, system }
}

fn batched_event(event: BatchedEvent, key: Option<&str>) -> NewEvent {
    let system = message_properties(&event.broker_properties);
    let body = match event.body {
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    };
    NewEvent {
        body,
        partition_key: event.broker_properties.partition_key.or_else(|| key.map(str::to_owned)),
        properties: event.user_properties.into_iter().collect(),
        system,
    }
}

fn message_properties(broker: &BrokerProperties) -> Vec<(String, Value)> {
    [("message-id", &broker.message_id), ("correlation-id", &broker.correlation_id)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value.clone()?))))
        .collect()
}

async fn store(
    ingest: &Ingest,
    partition: usize,
    events: Vec<NewEvent>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let hub = Arc::clone(&ingest.hub);
    let stored = tokio::task::spawn_blocking(move || hub.append(partition, events, now)).await;
    let failure = match stored {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    tracing::error!(error = %failure, "an event could not be stored");
    Err((StatusCode::SERVICE_UNAVAILABLE, failure))
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    match to_bytes(body, limit).await {
        Ok(body) => Ok(body.to_vec()),
        Err(_) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes or was cut off"),
        )),
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text).map_err(|error| bad(&error.to_string()))
}

fn bad(reason: &str) -> Refusal {
    (StatusCode::BAD_REQUEST, reason.to_owned())
}

fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_device_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.+%_#*?!(),=@;$'".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_cannot_forge_what_the_hub_says() {
        let mut headers = HeaderMap::new();
        headers.insert("iothub-app-tenant", "a".parse().unwrap());
        headers.insert("iothub-messageid", "m-1".parse().unwrap());
        headers.insert("iothub-connection-device-id", "forged".parse().unwrap());
        let now = Timestamp::from_millisecond(1_767_323_045_610).unwrap();
        let event = single_message("d1", &headers, b"{}".to_vec(), now);
        assert_eq!(event.properties, [("tenant".to_owned(), json!("a"))]);
        let names: Vec<&str> = event.system.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["message-id", "iothub-connection-device-id"]);
        assert_eq!(event.system[1].1, json!("d1"));
        assert_eq!(event.system[4].1, json!("2026-01-02T03:04:05.61Z"));
    }

    #[test]
    fn device_ids_follow_the_hubs_rule() {
        for (id, good) in
            [("d1", true), ("a:b.c", true), ("", false), ("a/b", false), ("a b", false), ("é", false)]
        {
            assert_eq!(is_device_id(id), good, "{id}");
        }
        assert!(!is_device_id(&"x".repeat(129)));
    }
}

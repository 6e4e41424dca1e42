//! The JSON hub protocol: records of a client enter, what they ask for leaves; messages enter, records leave. Pure.

use serde_json::{Value, json};

use crate::json_net::Json;

/// Every record ends with this byte.
pub(super) const END: char = '\u{1e}';

/// What a client's record says.
#[derive(Debug, PartialEq)]
pub(super) enum Record {
    Ping,
    Close,
    /// A call of the server; `Some` if the client waits for its completion.
    Invocation(Option<String>),
    /// Something that needs no answer.
    Other,
}

/// Splits a frame into its records.
pub(super) fn records(frame: &str) -> impl Iterator<Item = &str> {
    frame.split(END).filter(|record| !record.is_empty())
}

/// Checks the first record of a connection.
pub(super) fn check_handshake(record: &str) -> Result<(), String> {
    let request: Value = serde_json::from_str(record).map_err(|_| "the handshake is not JSON".to_owned())?;
    match (request["protocol"].as_str(), request["version"].as_i64()) {
        (Some("json"), Some(1)) => Ok(()),
        (Some(protocol), _) => {
            Err(format!("protocol `{protocol}` is not supported here: use json version 1"))
        }
        (None, _) => Err("the handshake names no protocol".to_owned()),
    }
}

pub(super) fn handshake_answer(error: Option<&str>) -> String {
    match error {
        None => format!("{{}}{END}"),
        Some(error) => format!("{}{END}", json!({ "error": error })),
    }
}

pub(super) fn read(record: &str) -> Result<Record, String> {
    let value: Value =
        serde_json::from_str(record).map_err(|error| format!("a record is not JSON: {error}"))?;
    Ok(match value["type"].as_i64() {
        Some(6) => Record::Ping,
        Some(7) => Record::Close,
        Some(1 | 4) => Record::Invocation(value["invocationId"].as_str().map(str::to_owned)),
        _ => Record::Other,
    })
}

pub(super) fn ping() -> String {
    format!("{{\"type\":6}}{END}")
}

pub(super) fn close(error: &str) -> String {
    format!("{}{END}", json!({ "type": 7, "error": error }))
}

/// The completion of a client's call: in serverless mode nobody is there to answer it.
pub(super) fn refused_completion(invocation_id: &str) -> String {
    let error = "the service is in serverless mode: call the app's HTTP API instead";
    format!("{}{END}", json!({ "type": 3, "invocationId": invocation_id, "error": error }))
}

pub(super) fn invocation(target: &str, arguments: Vec<Json>) -> String {
    let message = Json::object([
        ("type", Json::from(1)),
        ("target", Json::text(target)),
        ("arguments", Json::Array(arguments)),
    ]);
    format!("{}{END}", message.to_text())
}

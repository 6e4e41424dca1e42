//! Everything recorded on the real host that is in scope comes out the same here: the same request for the stimulus, the same outcome for the answer.
//!
//! Compared is the text of the body, byte for byte, after putting in the recorded time and random id; not compared are ports, tokens and the stack traces in `RetryContext`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod event_hub;
mod http;
mod timer;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use local_host::config::{Function, Settings, parse_function};
use local_host::invoke::{Attempt, HttpAnswer, RetryState, invocation_request};
use local_host::json_net::{self, Json};
use serde_json::Value;

/// Recordings that are not held, with the reason.
const OUT_OF_SCOPE: [(&str, &str); 2] = [
    ("02-300kB-", "their bodies are cut in the recording"),
    ("forward-post-large", "its body is cut in the recording"),
];

struct Recording {
    id: String,
    whole: Value,
}

/// The recordings of one file that are in scope.
fn recordings(file: &str) -> Vec<Recording> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../crates/wire/fixtures/host-exchanges")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let whole: Value = serde_json::from_str(line).unwrap();
            Recording { id: whole["id"].as_str().unwrap().to_owned(), whole }
        })
        .filter(|recording| !OUT_OF_SCOPE.iter().any(|(start, _)| recording.id.starts_with(start)))
        .collect()
}

impl Recording {
    fn requests(&self) -> &[Value] {
        self.whole["requests"].as_array().unwrap()
    }

    /// The function as the recorded folder and file say; its name is the path of the request.
    fn function(&self, name: &str) -> Arc<Function> {
        let function = parse_function(name, &self.whole["function_json"], &Settings::default(), None);
        Arc::new(function.unwrap_or_else(|error| panic!("{}: {error}", self.id)))
    }

    /// The recorded answer, unless the handler gave none.
    fn answer(&self) -> Option<HttpAnswer> {
        let response = &self.whole["response"];
        let status = u16::try_from(response["status"].as_u64()?).unwrap();
        if status == 0
            || response["drop"] == true
            || response["exit"].is_number()
            || response["sigkill"] == true
        {
            return None;
        }
        let headers = response["headers"].as_object()?;
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        Some(HttpAnswer {
            status,
            reason: String::new(),
            content_type: content_type.map(|(_, value)| value.as_str().unwrap().to_owned()),
            body: response["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
        })
    }

    fn attempt(&self, function: &Function, metadata: &Json) -> Attempt {
        let sys = metadata.get("sys").unwrap();
        // A single event's body may have overwritten `sys`: then any will do.
        let text = |name: &str| sys.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let count = metadata.get("RetryContext").and_then(|retry| retry.get("RetryCount"));
        let count = count.map_or(0, |count| count.to_text().parse().unwrap());
        Attempt {
            function: function.name.clone(),
            now: text("UtcNow").parse().unwrap_or(Timestamp::UNIX_EPOCH),
            rand_guid: text("RandGuid").parse().unwrap_or_default(),
            retry: function.retry.map(|retry| RetryState {
                count,
                max_count: retry.max_count,
                failure: None,
            }),
        }
    }
}

/// A recorded body, dates left as they are.
fn body(request: &Value) -> Json {
    json_net::read_with_plain_dates(request["body"].as_str().unwrap()).unwrap()
}

/// Compares a built envelope with the recorded one.
fn assert_same(id: &str, built: &Json, recorded: &Json) {
    let mut recorded = recorded.clone();
    forget_exception(&mut recorded);
    assert_eq!(built.to_text(), recorded.to_text(), "{id}");
}

fn forget_exception(envelope: &mut Json) {
    let Json::Object(fields) = envelope else { return };
    for (name, value) in fields {
        if name == "Metadata" || name == "RetryContext" {
            forget_exception(value);
        } else if name == "Exception" {
            *value = Json::Null;
        }
    }
}

/// Compares the request line and the headers that do not belong to the connection.
fn assert_same_head(id: &str, function: &str, request: &Value) {
    let recorded = recorded_headers(request);
    let invocation_id =
        &recorded.iter().find(|(name, _)| name == "x-azure-functions-invocationid").unwrap().1;
    let built = invocation_request(function, invocation_id.parse().unwrap(), String::new(), true);
    assert_eq!(request["method"], built.method.as_str(), "{id}");
    assert_eq!(request["path"], built.path_and_query, "{id}");
    let built: Vec<(String, String)> = built
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(built, recorded, "{id}");
}

/// Recorded headers without those of the connection and of tracing.
fn recorded_headers(request: &Value) -> Vec<(String, String)> {
    let skipped = ["host", "transfer-encoding", "content-length", "traceparent"];
    request["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap().to_ascii_lowercase(), pair[1].as_str().unwrap().to_owned()))
        .filter(|(name, _)| !skipped.contains(&name.as_str()))
        .collect()
}

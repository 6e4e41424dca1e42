//! The fixtures, and a second way to read them that shares nothing with the one under test.

use std::path::Path;

use serde_json::Value;

/// One recorded exchange.
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) json: Value,
}

impl Exchange {
    pub(crate) fn requests(&self) -> Vec<&Value> {
        self.json["requests"].as_array().map(|requests| requests.iter().collect()).unwrap_or_default()
    }

    /// Bodies of requests that were recorded whole.
    pub(crate) fn bodies(&self) -> Vec<&str> {
        self.requests().into_iter().filter_map(|request| request["body"].as_str()).collect()
    }

    pub(crate) fn bindings(&self) -> &[Value] {
        self.json["function_json"]["bindings"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn binding(&self, kind: &str) -> Option<&Value> {
        self.bindings().iter().find(|binding| binding["type"] == kind)
    }

    /// Whether a request was forwarded as it came, so that it has no envelope.
    pub(crate) fn is_forwarded(&self) -> bool {
        self.bindings().len() == 2 && self.binding("httpTrigger").is_some() && self.binding("http").is_some()
    }
}

pub(crate) fn read(file: &str) -> Vec<Exchange> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/host-exchanges").join(file);
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let exchanges = lines.lines().map(|line| {
        let json: Value = serde_json::from_str(line).expect("a json object a line");
        Exchange { id: json["id"].as_str().expect("an id").to_owned(), json }
    });
    exchanges.collect()
}

pub(crate) fn all() -> Vec<Exchange> {
    let files =
        ["event_hub.jsonl", "http_enveloped.jsonl", "http_forwarded.jsonl", "outputs.jsonl", "timer.jsonl"];
    files.into_iter().flat_map(read).collect()
}

/// The value in which a JSON string holds JSON text.
pub(crate) fn inner(value: &Value) -> Option<Value> {
    serde_json::from_str(value.as_str()?).ok()
}

/// An event as the slow way reads it.
#[derive(Debug, PartialEq)]
pub(crate) struct PlainEvent {
    pub(crate) text: String,
    pub(crate) sequence_number: Option<i64>,
    pub(crate) enqueued_ms: Option<i64>,
    pub(crate) device_id: Option<String>,
    pub(crate) message_source: Option<String>,
    pub(crate) message_id: Option<String>,
}

/// The events of an envelope by way of `serde_json::Value`; `None` when they are no array of strings, or when an array of
/// metadata is there that is not JSON.
pub(crate) fn plain_events(body: &str) -> Option<Vec<PlainEvent>> {
    let envelope: Value = serde_json::from_str(body).ok()?;
    let texts = inner(&envelope["Data"]["events"])?;
    let metadata = &envelope["Metadata"];
    let array = |key: &str, n_events: usize| match (inner(&metadata[key]), metadata[key].is_string()) {
        (Some(Value::Array(elements)), _) if elements.len() == n_events => Some(elements),
        (None, true) => None,
        _ => Some(vec![Value::Null; n_events]),
    };
    let texts = texts.as_array()?;
    let (numbers, times) =
        (array("SequenceNumberArray", texts.len())?, array("EnqueuedTimeUtcArray", texts.len())?);
    let system = array("SystemPropertiesArray", texts.len())?;
    let mut events = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let property = |key: &str| system[index][key].as_str().map(str::to_owned);
        events.push(PlainEvent {
            text: text.as_str()?.to_owned(),
            sequence_number: numbers[index].as_i64().or(system[index]["SequenceNumber"].as_i64()),
            enqueued_ms: epoch_ms(&times[index]).or(epoch_ms(&system[index]["EnqueuedTimeUtc"])),
            device_id: property("iothub-connection-device-id"),
            message_source: property("iothub-message-source"),
            message_id: property("message-id"),
        });
    }
    Some(events)
}

pub(crate) fn epoch_ms(time: &Value) -> Option<i64> {
    let text = time.as_str()?;
    let zoned = if text.ends_with('Z') || text.contains('+') { text.to_owned() } else { format!("{text}Z") };
    let timestamp: jiff::Timestamp = zoned.parse().ok()?;
    Some(timestamp.as_millisecond())
}

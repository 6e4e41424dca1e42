use serde_json::{Value, json};
use wire::invocation::{EventBatchRequest, InvocationError, PartitionContext, Retry};

use crate::recordings::{self, Exchange, PlainEvent, inner, plain_events};

fn encoding(exchange: &Exchange) -> (Option<&str>, Option<&str>) {
    let trigger = exchange.binding("eventHubTrigger").expect("an event hub trigger");
    (trigger["cardinality"].as_str(), trigger["dataType"].as_str())
}

pub(crate) fn decoded(request: &EventBatchRequest<'_>) -> Vec<PlainEvent> {
    let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_ref().map(ToString::to_string);
    let events = request.events().expect("events");
    let plain = events.iter().map(|event| PlainEvent {
        text: event.text.to_string(),
        sequence_number: event.sequence_number,
        enqueued_ms: event.enqueued_ms,
        device_id: owned(&event.device_id),
        message_source: owned(&event.message_source),
        message_id: owned(&event.message_id),
    });
    plain.collect()
}

#[test]
fn every_request_in_our_encoding_is_read_right() {
    let (mut n_requests, mut n_admin, mut n_retries, mut n_events) = (0, 0, 0, 0);
    for exchange in recordings::read("event_hub.jsonl") {
        if encoding(&exchange) != (Some("many"), Some("string")) {
            continue;
        }
        for body in exchange.bodies() {
            let id = &exchange.id;
            let request = EventBatchRequest::parse(body.as_bytes(), "events")
                .unwrap_or_else(|error| panic!("{id}: {error}"));
            let events = decoded(&request);
            assert_eq!(events, plain_events(body).expect("events"), "{id}");
            assert!(!events.is_empty(), "{id}");

            let metadata = serde_json::from_str::<Value>(body).expect("json")["Metadata"].take();
            assert_eq!(request.partition().cloned(), partition(&metadata), "{id}");
            assert_eq!(request.retry(), retry(&metadata), "{id}");
            let is_admin = metadata.get("PartitionContext").is_none();
            for event in &events {
                assert_eq!(event.sequence_number.is_none(), is_admin, "{id}");
                assert_eq!(event.enqueued_ms.is_none(), is_admin, "{id}");
                assert_eq!(event.device_id.is_none(), is_admin, "{id}");
            }
            n_requests += 1;
            n_events += events.len();
            n_admin += usize::from(is_admin);
            n_retries += usize::from(request.retry().count > 0);
        }
    }
    assert_eq!((n_requests, n_events), (151, 244), "requests, events");
    assert!(n_admin >= 8, "{n_admin}");
    assert!(n_retries >= 30, "{n_retries}");
}

fn partition(metadata: &Value) -> Option<PartitionContext> {
    let context = metadata.get("PartitionContext")?;
    let text = |key: &str| context[key].as_str().expect(key).to_owned();
    Some(PartitionContext {
        namespace: text("FullyQualifiedNamespace"),
        hub: text("EventHubName"),
        consumer_group: text("ConsumerGroup"),
        partition: text("PartitionId"),
    })
}

fn retry(metadata: &Value) -> Retry {
    let number = |key: &str| metadata["RetryContext"][key].as_i64().unwrap_or_default();
    Retry {
        count: u32::try_from(number("RetryCount")).expect("a count"),
        max: i32::try_from(number("MaxRetryCount")).expect("a count"),
    }
}

#[test]
fn other_encodings_are_refused_with_what_to_change() {
    let mut n_refused = 0;
    for exchange in recordings::read("event_hub.jsonl") {
        let (cardinality, data_type) = encoding(&exchange);
        if (cardinality, data_type) == (Some("many"), Some("string")) {
            continue;
        }
        let key = if cardinality == Some("many") { "`dataType`" } else { "`cardinality`" };
        for body in exchange.bodies() {
            let id = &exchange.id;
            if is_array_of_strings(body) {
                // Base64, or JSON that is a string: the wire does not tell, function.json does.
                assert_eq!(cardinality, Some("many"), "{id}");
                assert_ne!(data_type, Some("string"), "{id}");
                continue;
            }
            let error = EventBatchRequest::parse(body.as_bytes(), "events").expect_err(id);
            assert!(matches!(error, InvocationError::Encoding { .. }), "{id}: {error}");
            assert!(error.to_string().contains(key), "{id}: {error}");
            n_refused += 1;
        }
    }
    assert_eq!(n_refused, 90);
}

fn is_array_of_strings(body: &str) -> bool {
    let envelope: Value = serde_json::from_str(body).expect("json");
    let Some(Value::Array(elements)) = inner(&envelope["Data"]["events"]) else {
        return false;
    };
    elements.iter().all(Value::is_string)
}

fn envelope(events: &Value, metadata: &Value) -> Vec<u8> {
    json!({ "Data": { "events": events.to_string() }, "Metadata": metadata }).to_string().into_bytes()
}

fn read(body: &[u8]) -> Vec<PlainEvent> {
    decoded(&EventBatchRequest::parse(body, "events").expect("a batch"))
}

#[test]
fn arrays_of_another_length_say_nothing() {
    let metadata = json!({
        "SequenceNumberArray": "[1,2,3]",
        "EnqueuedTimeUtcArray": "[\"2026-01-02T03:04:05\"]",
        "SystemPropertiesArray": json!([
            {"SequenceNumber": 7, "EnqueuedTimeUtc": "2026-01-02T03:04:05.5", "iothub-connection-device-id": "d1"},
            {"x-opt-sequence-number": 8, "x-opt-enqueued-time": 1_767_323_045_600_i64, "message-id": 3},
        ]).to_string(),
    });
    let events = read(&envelope(&json!(["a", "b"]), &metadata));
    assert_eq!(events[0].sequence_number, Some(7));
    assert_eq!(events[0].enqueued_ms, Some(1_767_323_045_500));
    assert_eq!(events[0].device_id.as_deref(), Some("d1"));
    assert_eq!(events[1].sequence_number, Some(8));
    assert_eq!(events[1].enqueued_ms, Some(1_767_323_045_600));
    assert_eq!((&events[1].device_id, &events[1].message_id), (&None, &None));

    let events = read(&envelope(&json!(["a", "b", "c"]), &metadata));
    assert_eq!(events[2].sequence_number, Some(3));
    assert_eq!((events[0].enqueued_ms, &events[0].device_id), (None, &None));
}

#[test]
fn metadata_may_lack_or_be_null_or_come_first() {
    let bare = br#"{"Data":{"events":"[\"x\"]"}}"#;
    assert_eq!(read(bare)[0].text, "x");
    let nulls = br#"{"Metadata":{"PartitionContext":null,"RetryContext":null,"SequenceNumberArray":null,
        "EnqueuedTimeUtcArray":"[null]","SystemPropertiesArray":"[null]"},"More":[{}],"Data":{"other":1,"events":"[\"x\"]"}}"#;
    let request = EventBatchRequest::parse(nulls, "events").expect("a batch");
    assert_eq!(request.partition(), None);
    assert_eq!(request.retry(), Retry::default());
    assert_eq!(decoded(&request)[0].sequence_number, None);
}

#[test]
fn what_cannot_be_read_says_why() {
    let message = |body: &[u8]| EventBatchRequest::parse(body, "events").expect_err("no batch").to_string();
    assert_eq!(message(b"{\"Data\":\xff}"), "the request body is not utf-8 after 8 bytes");
    assert_eq!(
        message(b"{\"Data\":{}}"),
        "the envelope has no input `events`: check the binding's name in function.json"
    );
    assert_eq!(message(b""), "the request body is not an invocation envelope: broken json at byte 0");
    let number = message(&envelope(&json!(["a", 1]), &json!({})));
    assert!(number.contains("an array whose element 1 is a number: set `dataType` to `string`"), "{number}");
    let context =
        json!({"PartitionContext": {"PartitionId": "0", "EventHubName": "h", "ConsumerGroup": "c"}});
    let partition = message(&envelope(&json!(["a"]), &context));
    assert!(partition.starts_with("the partition context has no `FullyQualifiedNamespace`"), "{partition}");
}

#[test]
fn nesting_and_size_do_no_harm() {
    let deep = "[".repeat(1_000_000);
    let properties = json!({ "SystemPropertiesArray": format!("[{{\"a\":{deep}") });
    let body = envelope(&json!(["x"]), &properties);
    let request = EventBatchRequest::parse(&body, "events").expect("a batch");
    assert!(request.events().is_err());
    assert!(EventBatchRequest::parse(deep.as_bytes(), "events").is_err());

    let large = "\"\\\u{e9}\n".repeat(4_000_000);
    let body = envelope(&json!([large, "next"]), &json!({ "SequenceNumberArray": "[1,2]" }));
    let events = read(&body);
    assert_eq!(events[0].text, large);
    assert_eq!((events[1].text.as_str(), events[1].sequence_number), ("next", Some(2)));
}

#[test]
fn debug_output_holds_no_text_of_a_device() {
    let body = envelope(&json!(["private"]), &json!({}));
    let request = EventBatchRequest::parse(&body, "events").expect("a batch");
    assert!(!format!("{request:?}").contains("private"));
}

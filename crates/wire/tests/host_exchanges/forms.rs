use proptest::prelude::*;
use serde_json::{Value, json};
use wire::invocation::{EventBatchRequest, HttpRequest, TimerRequest};

use crate::event_batches::decoded;
use crate::recordings::{self, plain_events};

/// How an encoder may spell the same JSON.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    /// As the host does.
    Compact,
    /// With white space between tokens.
    Spaced,
    /// With every character of every string as `\uXXXX`.
    Escaped,
}

fn spell(value: &Value, spelling: Spelling) -> String {
    match spelling {
        Spelling::Compact => value.to_string(),
        Spelling::Spaced => serde_json::to_string_pretty(value).expect("json"),
        Spelling::Escaped => match value {
            Value::String(text) => escaped(text),
            Value::Array(elements) => {
                let elements: Vec<String> = elements.iter().map(|element| spell(element, spelling)).collect();
                format!("[{}]", elements.join(","))
            }
            Value::Object(map) => {
                let entries: Vec<String> = map
                    .iter()
                    .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), spell(value, spelling)))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            _ => value.to_string(),
        },
    }
}

fn escaped(text: &str) -> String {
    let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", units.concat())
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![Just(Spelling::Compact), Just(Spelling::Spaced), Just(Spelling::Escaped)]
}

/// Texts with all that is special somewhere: quotes, backslashes, controls, U+0000, U+FFFD, byte order marks, pairs.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\"\\\\/bfnrtu\u{0}-\u{1f}\u{7f}\u{85}\u{2028}\u{fffd}\u{feff}\u{10000}{}\\[\\],: ]{0,40}",
        Just(String::new()),
    ]
}

#[derive(Debug, Clone)]
struct Sent {
    text: String,
    device_id: Option<String>,
    message_id: Option<String>,
    sequence_number: i64,
    enqueued_ms: i64,
}

fn sent() -> impl Strategy<Value = Sent> {
    (text(), prop::option::of(text()), prop::option::of(text()), 0..i64::MAX, 0..4_000_000_000_000_i64)
        .prop_map(|(text, device_id, message_id, sequence_number, enqueued_ms)| Sent {
            text,
            device_id,
            message_id,
            sequence_number,
            enqueued_ms,
        })
}

fn envelope(events: &[Sent], inner: Spelling, outer: Spelling) -> String {
    let array = |element: &dyn Fn(&Sent) -> Value| {
        Value::String(spell(&Value::Array(events.iter().map(element).collect()), inner))
    };
    let time = |event: &Sent| {
        let timestamp = jiff::Timestamp::from_millisecond(event.enqueued_ms).expect("a time");
        timestamp.to_string().trim_end_matches('Z').to_owned()
    };
    let system = |event: &Sent| {
        let mut properties =
            json!({"content-type": "a\"b\\", "iothub-message-source": "Telemetry", "Offset": 1.5, "n": null});
        if let Some(id) = &event.device_id {
            properties["iothub-connection-device-id"] = json!(id);
        }
        if let Some(id) = &event.message_id {
            properties["message-id"] = json!(id);
        }
        properties
    };
    let value = json!({
        "Data": { "events": array(&|event| json!(event.text)) },
        "Metadata": {
            "SequenceNumberArray": array(&|event| json!(event.sequence_number)),
            "EnqueuedTimeUtcArray": array(&|event| json!(time(event))),
            "SystemPropertiesArray": array(&system),
        }
    });
    spell(&value, outer)
}

/// One change to a text: something replaced by something short.
fn mutation() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    (any::<prop::sample::Index>(), 0..4_usize, r#"[\[\]{}",:\\ 0-9nutx]{0,3}"#)
}

fn mutate(body: &str, (place, n_removed, put): &(prop::sample::Index, usize, String)) -> String {
    let characters: Vec<char> = body.chars().collect();
    let at = place.index(characters.len());
    let end = (at + n_removed).min(characters.len());
    characters[..at].iter().chain(put.chars().collect::<Vec<_>>().iter()).chain(&characters[end..]).collect()
}

proptest! {
    #[test]
    fn whatever_was_sent_arrives(events in prop::collection::vec(sent(), 0..6), inner in spelling(), outer in spelling()) {
        let body = envelope(&events, inner, outer);
        let request = EventBatchRequest::parse(body.as_bytes(), "events").expect("a batch");
        let arrived = decoded(&request);
        prop_assert_eq!(arrived.len(), events.len());
        for (arrived, sent) in arrived.iter().zip(&events) {
            prop_assert_eq!(&arrived.text, &sent.text);
            prop_assert_eq!(&arrived.device_id, &sent.device_id);
            prop_assert_eq!(&arrived.message_id, &sent.message_id);
            prop_assert_eq!(arrived.message_source.as_deref(), Some("Telemetry"));
            prop_assert_eq!(arrived.sequence_number, Some(sent.sequence_number));
            prop_assert_eq!(arrived.enqueued_ms, Some(sent.enqueued_ms));
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = EventBatchRequest::parse(&bytes, "events").map(|request| request.events().is_ok());
        let _ = (HttpRequest::parse(&bytes, "req"), TimerRequest::parse(&bytes, "timer"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A damaged request is refused, or read as a strict reader reads it; where that one refuses, ours may still read.
    #[test]
    fn damaged_requests_are_read_right_or_not_at_all(
        place in any::<prop::sample::Index>(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        thread_local! {
            static BODIES: Vec<String> = recordings::read("event_hub.jsonl")
                .iter()
                .filter(|exchange| exchange.binding("eventHubTrigger").is_some_and(|trigger| trigger["dataType"] == "string"))
                .flat_map(|exchange| exchange.bodies().into_iter().map(str::to_owned).collect::<Vec<_>>())
                .filter(|body| body.len() < 6000)
                .collect();
        }
        let mut body = BODIES.with(|bodies| bodies[place.index(bodies.len())].clone());
        for mutation in &mutations {
            body = mutate(&body, mutation);
        }
        let read = EventBatchRequest::parse(body.as_bytes(), "events");
        if let (Ok(request), Some(plain)) = (&read, plain_events(&body))
            && let Ok(events) = request.events()
        {
            let texts: Vec<_> = events.iter().map(|event| event.text.as_ref()).collect();
            let plain_texts: Vec<_> = plain.iter().map(|event| event.text.as_str()).collect();
            prop_assert_eq!(texts, plain_texts);
            let ids: Vec<_> = events.iter().map(|event| event.device_id.as_deref()).collect();
            let plain_ids: Vec<_> = plain.iter().map(|event| event.device_id.as_deref()).collect();
            prop_assert_eq!(ids, plain_ids, "{}", body);
        }
    }
}

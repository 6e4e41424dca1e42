//! Everything a device can get wrong: each event ends as rejects with the right reasons, and its neighbors in the
//! batch are stored as if it were not there.
//!
//! The events are in `tests/fixtures/poison.jsonl`, one a line; long ones are written as what is repeated how often.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Handler;
use crate::envelope::{Envelope, Sent};

/// Events of a batch, between good neighbors.
const CASES_PER_BATCH: usize = 60;
const NEIGHBOR: &str = "neighbor";
const START_MS: i64 = 1_767_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The device that the hub authenticated.
    device: Option<String>,
    /// What the device wrote.
    text: Option<Text>,
    /// The event as the host writes it into its array, where that cannot be made from a text.
    raw: Option<String>,
    /// What becomes of its parts, in order: `reading`, or the reason of a reject.
    expect: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Pieces(Vec<Piece>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Piece {
    Once(String),
    Often { repeat: String, times: usize },
}

impl Case {
    fn text(&self) -> String {
        match &self.text {
            None => format!("the event called {}", self.name),
            Some(Text::Whole(text)) => text.clone(),
            Some(Text::Pieces(pieces)) => pieces.iter().map(Piece::text).collect(),
        }
    }

    /// Puts the event's own literal where its text was written.
    fn put_raw(&self, body: &str) -> String {
        let Some(raw) = &self.raw else { return body.to_owned() };
        // The host's array is itself a JSON text.
        let escaped = |literal: &str| {
            let text = Value::from(literal).to_string();
            text[1..text.len() - 1].to_owned()
        };
        let written = escaped(&Value::from(self.text()).to_string());
        assert_eq!(body.matches(&written).count(), 1, "{}", self.name);
        body.replacen(&written, &escaped(raw), 1)
    }
}

impl Piece {
    fn text(&self) -> String {
        match self {
            Self::Once(text) => text.clone(),
            Self::Often { repeat, times } => repeat.repeat(*times),
        }
    }
}

fn cases() -> Vec<Case> {
    let lines = include_str!("../fixtures/poison.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn neighbor(n: usize) -> Sent {
    let timestamp_ms = START_MS + i64::try_from(n).unwrap() * 1000;
    let text = json!({ "temperature": 20.0, "timestamp": timestamp_ms }).to_string();
    Sent { text, device_id: Some(NEIGHBOR.to_owned()) }
}

/// What became of every event, by its sequence number: its parts in order, and whose readings they are.
#[derive(Default)]
struct Outcomes(BTreeMap<i64, BTreeMap<i64, (String, i64)>>);

impl Outcomes {
    fn add(&mut self, documents: &[Value]) {
        // Copies of what rows state.
        for document in documents.iter().filter(|document| document["type"] != "alert") {
            let first = document["firstSequence"].as_i64().unwrap();
            for (device, rows) in document["readings"].as_object().into_iter().flatten() {
                for row in rows.as_array().unwrap() {
                    let name = if device == NEIGHBOR { NEIGHBOR } else { "reading" };
                    self.put(first + row[0].as_i64().unwrap(), &row[1], &row[2], name);
                }
            }
            for reject in document["rejects"].as_array().into_iter().flatten() {
                let sequence = reject["sequence"].as_i64().unwrap();
                self.put(sequence, &reject["index"], &reject["count"], reject["reason"].as_str().unwrap());
                let detail = reject["detail"].as_str().unwrap();
                assert!(detail.len() < 400, "the detail of {sequence} is long: {detail}");
            }
            for skip in document["skips"].as_array().into_iter().flatten() {
                let sequence = skip["sequence"].as_i64().unwrap();
                self.put(sequence, &skip["index"], &skip["count"], skip["reason"].as_str().unwrap());
            }
        }
    }

    fn put(&mut self, sequence: i64, index: &Value, count: &Value, what: &str) {
        let parts = self.0.entry(sequence).or_default();
        let fact = (what.to_owned(), count.as_i64().unwrap());
        assert_eq!(parts.insert(index.as_i64().unwrap(), fact), None, "a part of {sequence} is there twice");
    }

    /// Parts of an event, which must be as many as each of them says.
    fn of(&self, sequence: i64) -> Vec<&str> {
        let parts = self.0.get(&sequence).into_iter().flatten();
        let parts: Vec<_> =
            parts.map(|(_, (what, count))| (what.as_str(), usize::try_from(*count).unwrap())).collect();
        assert!(parts.iter().all(|(_, count)| *count == parts.len()), "{sequence}: {parts:?}");
        parts.into_iter().map(|(what, _)| what).collect()
    }
}

#[tokio::test]
async fn each_event_is_rejected_for_what_is_wrong_with_it_and_its_neighbors_are_stored() {
    let handler = Handler::new(&[]);
    let cases = cases();
    let mut outcomes = Outcomes::default();
    let mut sequence = 0;
    for batch in cases.chunks(CASES_PER_BATCH) {
        let mut events = vec![neighbor(usize::try_from(sequence).unwrap())];
        for case in batch {
            events.push(Sent { text: case.text(), device_id: case.device.clone() });
            events.push(neighbor(usize::try_from(sequence).unwrap() + events.len()));
        }
        let n_events = i64::try_from(events.len()).unwrap();
        let mut body = String::from_utf8(Envelope::new(sequence, events).body()).unwrap();
        for case in batch {
            body = case.put_raw(&body);
        }
        let reply = handler.invoke("score_telemetry", body.into_bytes()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        outcomes.add(reply.json()["Outputs"]["documents"].as_array().unwrap());
        sequence += n_events;
    }

    let mut faults = Vec::new();
    let mut place = 0;
    for batch in cases.chunks(CASES_PER_BATCH) {
        for case in batch {
            let parts = outcomes.of(place + 1);
            if parts != case.expect {
                faults.push(format!("{}: expected {:?}, became {parts:?}", case.name, case.expect));
            }
            for beside in [place, place + 2] {
                assert_eq!(outcomes.of(beside), [NEIGHBOR], "beside {}", case.name);
            }
            place += 2;
        }
        place += 1;
    }
    assert!(faults.is_empty(), "{} of {} events:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn the_corpus_is_large_and_its_names_tell_its_events_apart() {
    let cases = cases();
    assert!(cases.len() >= 200, "{} events", cases.len());
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    assert!(cases.iter().all(|case| case.text.is_some() != case.raw.is_some()));
    assert!(cases.iter().all(|case| case.expect.iter().any(|what| what != "reading")));
}

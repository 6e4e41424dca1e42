//! Batches in, documents and live messages out.

use serde_json::{Value, json};

use crate::envelope::{Envelope, Sent};
use crate::{Handler, recorded_body};

const START_MS: i64 = 1_767_000_000_000;

fn sent(device_id: &str, timestamp_ms: i64, celsius: f64) -> Sent {
    let text =
        json!({ "deviceId": device_id, "temperature": celsius, "timestamp": timestamp_ms }).to_string();
    Sent { text, device_id: Some(device_id.to_owned()) }
}

fn text(device_id: &str, text: &str) -> Sent {
    Sent { text: text.to_owned(), device_id: Some(device_id.to_owned()) }
}

/// Documents of an answer, with what differs from process to process and training to training taken out.
fn documents(answer: &Value) -> Vec<Value> {
    let mut documents = answer["Outputs"]["documents"].as_array().cloned().unwrap_or_default();
    for document in &mut documents {
        document["writer"] = json!("<writer>");
        let id = document["id"].as_str().unwrap();
        if let Some((stretch, rules)) = id.rsplit_once('-')
            && rules.len() == 8
        {
            document["id"] = json!(format!("{stretch}-<rules>"));
        }
    }
    documents
}

fn of_type<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["type"] == kind).collect()
}

#[tokio::test]
async fn a_batch_becomes_documents_in_their_order() {
    let handler = Handler::new(&[]);
    let events = vec![
        sent("d1", START_MS, 21.5),
        text("d2", "not json"),
        sent("d1", START_MS + 60_000, 21.75),
        sent("d1", START_MS, 21.5),
        sent("d1", START_MS - 60_000, 20.0),
        text("d3", r#"{"deviceId":"d1","temperature":1,"timestamp":1}"#),
        text("d4", r#"[{"temperature":1,"timestamp":1767000000000},{"temperature":"x"}]"#),
        text("d5", "2026-01-02T03:04:05.100Z"),
    ];
    let reply = handler.invoke("score_telemetry", Envelope::new(4711, events).body()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "application/json");
    insta::assert_json_snapshot!(documents(&reply.json()));
    assert_eq!(reply.json()["Outputs"]["live"][0]["target"], "update");
    insta::assert_json_snapshot!("live", reply.json()["Outputs"]["live"]);
}

#[tokio::test]
async fn a_retry_of_the_same_cut_repeats_its_documents_and_says_nothing_live() {
    let handler = Handler::new(&[]);
    for batch in 0..3 {
        let events = (0..64).map(|n| sent("d1", START_MS + (batch * 64 + n) * 1000, 20.0)).collect();
        let mut envelope = Envelope::new(batch * 64, events);
        let first = handler.attempt("score_telemetry", envelope.body()).await;
        envelope.retry_count = 1;
        let second = handler.invoke("score_telemetry", envelope.body()).await;
        assert_eq!(first.json()["Outputs"]["documents"][0], second.json()["Outputs"]["documents"][0]);
        assert_eq!(second.json()["Outputs"].get("live"), None);
    }
}

#[tokio::test]
async fn a_spike_of_a_known_device_is_an_anomaly_in_results_and_table() {
    let handler = Handler::new(&[]);
    let celsius = |n: i64| 20.0 + [0.0, 0.25, 0.5, 0.25][usize::try_from(n % 4).unwrap()];
    for batch in 0..17 {
        let events = (0..64).map(|n| sent("d1", START_MS + (batch * 64 + n) * 180_000, celsius(n))).collect();
        handler.invoke("score_telemetry", Envelope::new(batch * 64, events).body()).await;
    }
    let spike = vec![sent("d1", START_MS + 1088 * 180_000, 35.0)];
    let answer = handler.invoke("score_telemetry", Envelope::new(1088, spike).body()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let documents = documents(&answer);
    let row = &of_type(&documents, "results")[0]["readings"]["d1"][0];
    assert!(row[7].as_f64().unwrap() > 1.0, "{row}");
    let flags = row[8].as_u64().unwrap();
    assert_eq!(flags & 1, 0, "past learning: {row}");
    assert_ne!((flags >> 3) & 15, 0, "a channel noticed it: {row}");
    let device = &of_type(&documents, "devices")[0]["devices"]["d1"];
    assert_eq!(device[6], START_MS + 1088 * 180_000, "{device}");
    assert_eq!(device[7][0], 1088, "the alert of this reading is open: {device}");
    // In front of the rows: whoever finds the row stored need not ask for the alert.
    let alert = &documents[0];
    assert_eq!((alert["type"].as_str(), alert["step"].as_str()), (Some("alert"), Some("opened")));
    assert_eq!((alert["deviceId"].as_str(), alert["temperature"].as_f64()), (Some("d1"), Some(35.0)));
    assert_eq!(alert["readings"].as_array().unwrap().len(), 16);
    assert_eq!(alert["readings"][15], json!([START_MS + 1088 * 180_000, 35.0]));
}

/// A replayed series as the trainer's `backtest` wrote it; a test of the trainer holds that it still does.
const BACKTESTED: &str = include_str!("../fixtures/backtested.csv");

#[tokio::test]
async fn what_is_served_is_what_was_backtested() {
    let handler = Handler::new(&[]);
    let rows: Vec<Vec<&str>> = BACKTESTED.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let (mut served, mut alerts) = (Vec::new(), Vec::new());
    // Batches of another size than the backtest's.
    for (n, rows) in (0_i64..).zip(rows.chunks(100)) {
        let event = |row: &Vec<&str>| {
            let (at, celsius) = (row[0].replace(' ', "T"), row[1]);
            text("d1", &format!(r#"{{"temperature":{celsius},"timestamp":"{at}Z"}}"#))
        };
        let envelope = Envelope::new(n * 100, rows.iter().map(event).collect());
        let answer = handler.invoke("score_telemetry", envelope.body()).await.json();
        let documents = documents(&answer);
        let answered = of_type(&documents, "results")[0]["readings"]["d1"].as_array().unwrap().clone();
        let opened = of_type(&documents, "alert").into_iter().filter(|alert| alert["step"] == "opened");
        alerts.extend(opened.map(|alert| (alert["at"].as_i64().unwrap(), alert["kind"].clone())));
        served.extend(answered.into_iter().map(|row| [row[5].as_f64(), row[7].as_f64()]));
    }
    let number = |cell: &str| (!cell.is_empty()).then(|| cell.parse::<f64>().unwrap());
    let backtested: Vec<_> = rows.iter().map(|row| [number(row[2]), number(row[3])]).collect();
    assert_eq!(served, backtested);
    let time = |text: &str| format!("{}Z", text.replace(' ', "T")).parse::<jiff::Timestamp>().unwrap();
    let opened = rows.iter().filter(|row| !row[5].is_empty());
    let expected: Vec<_> = opened.map(|row| (time(row[0]).as_millisecond(), json!(row[5]))).collect();
    assert!(!expected.is_empty(), "the series has an alert");
    assert_eq!(alerts, expected);
}

#[tokio::test]
async fn the_original_rule_judges_from_the_first_reading_on() {
    let handler = Handler::new(&[("DETECTION_POLICY", "fixed"), ("FIXED_THRESHOLD", "0.01")]);
    let is_hot = |n: i64| n % 17 == 3;
    let celsius = |n: i64| if is_hot(n) { 40.0 } else { 24.8 + 0.1 * (n % 5) as f64 };
    let events = (0..200).map(|n| sent("d1", START_MS + n * 1000, celsius(n))).collect();
    let answer = handler.invoke("score_telemetry", Envelope::new(0, events).body()).await.json();
    let documents = documents(&answer);
    let rows = of_type(&documents, "results")[0]["readings"]["d1"].as_array().unwrap();
    for (n, row) in (0..).zip(rows) {
        assert_eq!(row[7].as_f64().unwrap() > 1.0, is_hot(n), "{n}: {row}");
    }
}

#[tokio::test]
async fn huge_events_become_documents_that_cosmos_takes() {
    let handler = Handler::new(&[]);
    let huge = |event: i64| {
        let filler = "x".repeat(400);
        let at = |n: i64| START_MS + (event * 500 + n) * 1000;
        let readings: Vec<Value> = (0..500)
            .map(|n| json!({ "temperature": 20.123_456_789, "timestamp": at(n), "note": filler }))
            .collect();
        text("d1", &Value::Array(readings).to_string())
    };
    let reply = handler.invoke("score_telemetry", Envelope::new(0, (0..16).map(huge).collect()).body()).await;
    let documents = documents(&reply.json());
    let results = of_type(&documents, "results");
    assert!(results.len() > 1);
    let mut next = 0;
    for document in results {
        assert!(document.to_string().len() < 256 * 1024);
        assert_eq!(document["firstSequence"], next);
        next = document["lastSequence"].as_i64().unwrap() + 1;
    }
    assert_eq!(next, 16);
}

#[tokio::test]
async fn a_full_batch_of_duplicates_is_no_burden() {
    let handler = Handler::new(&[]);
    let pack = format!(
        "[{}]",
        vec![json!({ "temperature": 20.0, "timestamp": START_MS }).to_string(); 500].join(",")
    );
    let events = (0..512).map(|_| text("d1", &pack)).collect();
    let reply = handler.invoke("score_telemetry", Envelope::new(0, events).body()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let documents = documents(&reply.json());
    let n_skips: usize = of_type(&documents, "rejects")
        .iter()
        .map(|document| document["skips"].as_array().unwrap().len())
        .sum();
    assert_eq!(n_skips, 512 * 500 - 1);
}

#[tokio::test]
async fn a_huge_reject_is_cut_and_says_so() {
    let handler = Handler::new(&[]);
    let events = vec![text("d1", &"\u{0}\u{1}é".repeat(50_000)), sent("d1", START_MS, 20.0)];
    let answer = handler.invoke("score_telemetry", Envelope::new(0, events).body()).await.json();
    let documents = documents(&answer);
    let reject = &of_type(&documents, "rejects")[0]["rejects"][0];
    assert_eq!((&reject["cut"], &reject["reason"]), (&json!(true), &json!("malformed")));
    assert!(reject["text"][0].as_str().unwrap().len() <= 16 * 1024);
    assert_eq!(of_type(&documents, "results").len(), 1);
}

#[tokio::test]
async fn recorded_batches_are_answered_as_the_host_accepts() {
    for id in [
        "01-batch3-score_telemetry",
        "03-batch1-score_telemetry",
        "04-admin-ok-score_telemetry",
        "04-admin-empty-input",
    ] {
        let handler = Handler::new(&[]);
        let reply = handler.invoke("score_telemetry", recorded_body("event_hub.jsonl", id)).await;
        assert_eq!(reply.status, 200, "{id}: {}", reply.text());
        assert!(reply.json().is_object(), "{id}");
        // The recorded devices wrote `t` in place of `temperature`.
        let rejects = &of_type(&documents(&reply.json()), "rejects")[0]["rejects"].clone();
        assert!(!rejects.as_array().unwrap().is_empty(), "{id}");
    }
}

#[tokio::test]
async fn an_admin_call_is_stored_beside_the_streams() {
    let handler = Handler::new(&[]);
    let call = String::from_utf8(recorded_body("event_hub.jsonl", "04-admin-ok-score_telemetry")).unwrap();
    let call =
        call.replace(r#"\\\"t\\\":21.5"#, r#"\\\"temperature\\\":21.5,\\\"timestamp\\\":1767000000000"#);
    let answer = handler.invoke("score_telemetry", call.clone().into_bytes()).await.json();
    assert_eq!(answer["Outputs"]["documents"][0]["bucket"], "manual");
    assert_eq!(answer["Outputs"]["documents"][0]["readings"]["d1"][0][4], 21.5);
    let again = handler.invoke("score_telemetry", call.into_bytes()).await.json();
    assert_eq!(documents(&answer), documents(&again));
}

#[tokio::test]
async fn what_cannot_be_placed_or_read_fails_with_a_reason() {
    let handler = Handler::new(&[]);
    let whole = String::from_utf8(Envelope::new(0, vec![sent("d1", START_MS, 20.0)]).body()).unwrap();
    let unplaced = whole.replace("SequenceNumber", "Unknown").replace("x-opt-sequence-number", "unknown");
    for body in ["", "{}", "null", "[]", "\u{0}", r#"{"Data":{}}"#, r#"{"Data":{"events":"x"}}"#, &unplaced] {
        let reply = handler.invoke("score_telemetry", body.as_bytes().to_vec()).await;
        assert_eq!(reply.status, 500, "{body}: {}", reply.text());
        assert!(
            reply.json()["error"]["message"].as_str().is_some_and(|message| message.len() > 10),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_empty_batch_is_answered_with_an_empty_object() {
    let handler = Handler::new(&[]);
    let reply = handler.invoke("score_telemetry", Envelope::new(0, vec![]).body()).await;
    assert_eq!((reply.status, reply.text()), (200, "{}".to_owned()));
}

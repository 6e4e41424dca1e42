//! Rejected events sent again.

use crate::harness::run;
use crate::hub::{Call, Hub, status};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

fn reject(sequence: i64, device_id: Option<&str>, reason: &str, text: &str) -> Value {
    json!({ "enqueuedAt": 1_767_323_045_000_i64 + sequence, "deviceId": device_id, "reason": reason,
        "detail": reason, "hub": "telemetry", "partition": "0", "sequence": sequence, "index": 0, "count": 1,
        "text": text, "cut": false })
}

fn part(mut reject: Value, index: u32, count: u32) -> Value {
    reject["index"] = json!(index);
    reject["count"] = json!(count);
    if index > 1 {
        reject["text"] = Value::Null;
    }
    reject
}

/// Newest first, as the app lists them; the event of number 5 lies on two pages.
fn pages() -> [Value; 2] {
    let mixed = "[{\"temperature\":1.50,\"timestamp\":1},5,6]";
    let mut cut = reject(7, Some("d1"), "malformed", "{\"temper");
    cut["cut"] = json!(true);
    [
        json!({ "next": "cursor~1", "rejects": [
            reject(9, Some("d2"), "clock-ahead", "{\"temperature\":1}"),
            reject(8, Some("d1"), "spoofed-device-id", "{\"deviceId\":\"other\"}"),
            cut,
            reject(6, None, "malformed", "nobody knows"),
            part(reject(5, Some("d1"), "not-an-object", mixed), 1, 3),
        ]}),
        json!({ "next": null, "rejects": [
            part(reject(5, Some("d1"), "not-an-object", mixed), 2, 3),
            reject(4, Some("d1"), "clock-ahead", "{\"temperature\":2}"),
            reject(3, None, "clock-ahead", "{\"deviceId\":\"d3\",\"temperature\":3}"),
        ]}),
    ]
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://app{uri}")).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// An app with a key that asks for patience first, and a hub that takes what is sent.
fn answer(n: usize, call: &Call) -> Response {
    if call.uri.path() != "/api/rejects" {
        return status(204);
    }
    if n == 0 {
        return status(503);
    }
    if call.header("x-api-key") != "the key" {
        return status(401);
    }
    let page = usize::from(parameter(&call.uri, "after").is_some_and(|after| after == "cursor~1"));
    axum::Json(pages()[page].clone()).into_response()
}

fn sent(hub: &Hub) -> Vec<(String, String)> {
    let calls = hub.calls().into_iter().filter(|call| call.uri.path().starts_with("/devices/"));
    let device = |call: &Call| call.uri.path().split('/').nth(2).unwrap().to_owned();
    calls.map(|call| (device(&call), String::from_utf8(call.body).unwrap())).collect()
}

#[test]
fn what_can_be_sent_again_is_and_the_rest_is_accounted_for() {
    let hub = Hub::start(answer);
    let url = format!("http://{}", hub.host);
    let run = run(&["--url", &url, "--replay-rejects", &url], &[("API_KEY", "the key")]).succeeded();
    let mut messages = sent(&hub);
    let of_d1: Vec<_> =
        messages.iter().filter(|(device, _)| device == "d1").map(|(_, body)| body.clone()).collect();
    assert_eq!(of_d1, ["{\"temperature\":2}", "[5,6]"], "oldest first");
    messages.sort();
    let others = [("d2", "{\"temperature\":1}"), ("d3", "{\"deviceId\":\"d3\",\"temperature\":3}")];
    assert_eq!(messages[2..], others.map(|(device, body)| (device.to_owned(), body.to_owned())));
    for line in [
        "7 rejected events are listed",
        "1 not sent: cut when it was stored",
        "1 not sent: claims to be another device",
        "1 not sent: neither the hub nor the text names a device",
        "4 events were sent again",
    ] {
        assert!(run.stderr.contains(line), "{line}:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("the key"));
}

#[test]
fn the_list_can_be_narrowed_down() {
    let hub = Hub::start(answer);
    let url = format!("http://{}", hub.host);
    let args = [
        ["--url", &url, "--replay-rejects", &url, "--reject-reason", "clock-ahead", "--reject-device", "a&b"],
        [
            "--rejects-from",
            "2026-01-02T03:04:05Z",
            "--rejects-to",
            "1767323046000",
            "--concurrency",
            "1",
            "--seed",
            "1",
        ],
    ];
    let run = run(&args.concat(), &[("API_KEY", "the key")]).succeeded();
    assert_eq!(sent(&hub).len(), 3);
    assert!(run.stderr.contains("4 not sent: rejected for another reason"), "{}", run.stderr);
    let asked = hub.calls()[0].uri.clone();
    for (name, value) in [("deviceId", "a&b"), ("from", "1767323045000"), ("to", "1767323046000")] {
        assert_eq!(parameter(&asked, name).as_deref(), Some(value));
    }
}

#[test]
fn an_app_that_refuses_ends_the_run() {
    let hub = Hub::start(answer);
    let url = format!("http://{}", hub.host);
    let refused = run(&["--replay-rejects", &url], &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("the rejects cannot be listed"), "{}", refused.stderr);
    let elsewhere = Hub::start(|_, _| "<html>".into_response());
    let strange = run(&["--replay-rejects", &format!("http://{}", elsewhere.host)], &[]);
    assert_eq!(strange.code, 1);
    assert!(strange.stderr.contains("does not answer as this app does"), "{}", strange.stderr);
}

#[test]
fn a_call_that_makes_no_sense_is_refused() {
    for (args, complaint) in [
        (["--replay-rejects", "ftp://127.0.0.1"], "neither http nor https"),
        (["--replay-rejects", "nowhere"], "is no address"),
        (["--reject-reason", "malformed"], "--replay-rejects"),
    ] {
        let run = run(&args, &[]);
        assert_eq!(run.code, 64, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(complaint), "{args:?}: {}", run.stderr);
    }
}

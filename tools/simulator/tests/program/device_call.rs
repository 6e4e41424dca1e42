//! The local host: IoT Hub's device call without signatures.

use crate::harness::run;
use crate::hub::{Hub, status};
use axum::response::IntoResponse;
use std::collections::HashMap;

#[test]
fn a_history_arrives_whole_and_in_order() {
    let hub = Hub::start(|_, _| status(204));
    let url = format!("http://{}", hub.host);
    let args = ["--url", &url, "--devices", "5", "--history", "2h", "--fault-rate", "0", "--duration", "0"];
    let run = run(&args, &[]).succeeded();
    assert!(run.stderr.contains("600 readings sent, 0 failed"), "{}", run.stderr);
    let mut newest: HashMap<String, String> = HashMap::new();
    let mut n = 0;
    for call in hub.calls() {
        let device = call.uri.path().split('/').nth(2).unwrap().to_owned();
        assert_eq!(call.uri.path(), format!("/devices/{device}/messages/events"));
        assert_eq!(call.uri.query(), Some("api-version=2020-03-13"));
        assert_eq!(call.header("iothub-contenttype"), "application/json");
        assert!(call.readings().len() <= 20);
        for reading in call.readings() {
            assert_eq!(reading["deviceId"], device.as_str());
            let timestamp = reading["timestamp"].as_str().unwrap().to_owned();
            assert!(newest.get(&device).is_none_or(|newest| *newest < timestamp));
            newest.insert(device.clone(), timestamp);
            n += 1;
        }
    }
    assert_eq!((n, newest.len()), (600, 5));
}

#[test]
fn no_device_runs_far_ahead_of_the_others() {
    let hub = Hub::start(|_, _| status(204));
    let url = format!("http://{}", hub.host);
    run(&["--url", &url, "--devices", "4", "--history", "6h", "--fault-rate", "0", "--duration", "0"], &[])
        .succeeded();
    let mut n_sent: HashMap<String, usize> = HashMap::new();
    for call in hub.calls() {
        *n_sent.entry(call.uri.path().to_owned()).or_default() += call.readings().len();
        let behind = if n_sent.len() == 4 { n_sent.values().min().copied().unwrap_or(0) } else { 0 };
        let ahead = n_sent.values().max().copied().unwrap_or(0);
        assert!(ahead - behind <= 20, "{n_sent:?}");
    }
}

#[test]
fn what_can_be_tried_again_is_tried_again() {
    let codes = [429, 500, 503];
    let hub = Hub::start(move |n, _| codes.get(n).map_or_else(|| status(204), |code| status(*code)));
    let url = format!("http://{}", hub.host);
    let args = ["--url", &url, "--devices", "1", "--history", "10m", "--fault-rate", "0", "--duration", "0"];
    let run = run(&args, &[]).succeeded();
    let calls = hub.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| call.body == calls[0].body));
    assert!(run.stderr.contains("answered 429 Too Many Requests; trying again"), "{}", run.stderr);
    assert!(run.stderr.contains("takes messages again"), "{}", run.stderr);
    assert!(run.stderr.contains("10 readings sent, 0 failed"), "{}", run.stderr);
}

#[test]
fn a_target_that_asks_for_time_gets_it() {
    let hub = Hub::start(|n, _| {
        if n == 0 { (status(429).status(), [("retry-after", "1")]).into_response() } else { status(204) }
    });
    let url = format!("http://{}", hub.host);
    let args =
        ["--url", &url, "--devices", "1", "--history", "5m", "--duration", "0", "--give-up-after", "500ms"];
    let run = run(&args, &[]);
    // One second is more patience than half a second: the wish was heard, not the program's own shorter pause.
    assert_eq!(run.code, 1);
    assert_eq!(hub.calls().len(), 1);
}

#[test]
fn a_refused_message_is_counted_and_the_rest_goes_on() {
    let hub = Hub::start(|n, _| {
        if n == 0 { (status(400).status(), "no\nsuch field").into_response() } else { status(204) }
    });
    let url = format!("http://{}", hub.host);
    let args = ["--url", &url, "--devices", "2", "--history", "10m", "--fault-rate", "0", "--duration", "0"];
    let run = run(&args, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("was not taken: answered 400 Bad Request (nosuch field)"), "{}", run.stderr);
    assert!(run.stderr.contains("10 readings sent, 10 failed"), "{}", run.stderr);
}

#[test]
fn a_target_that_is_not_there_ends_the_run() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let run = run(&["--url", &url, "--history", "10m", "--give-up-after", "300ms"], &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("cannot be reached"), "{}", run.stderr);
    assert!(run.stderr.contains("gave up after 0 s of trying"), "{}", run.stderr);
    assert!(run.stderr.contains("0 readings sent"), "{}", run.stderr);
}

//! Batches that come again, otherwise cut, twice or not again, and calls that are cut short.

use std::time::Duration;

use local_host::LocalHost;
use serde_json::{Value, json};

use crate::faults::{DOCUMENT, SCORE, faults_url, happen, is_stored, retry_count, send, set_faults, stored};
use crate::handler::{Answer, Recorder, Request, json as answer};
use crate::{Place, read, until};

/// The numbers in the bodies of a request's events.
fn bodies(request: &Request) -> String {
    let events: Vec<String> =
        serde_json::from_str(request.json()["Data"]["events"].as_str().unwrap()).unwrap();
    events.join("")
}

/// Sends the numbers 0 to 4 in one message, so that batches of two lie ready at once.
async fn send_five(host: &LocalHost) {
    let batch: Vec<Value> =
        (0..5).map(|number| json!({ "body": number.to_string(), "base64Encoded": false })).collect();
    let sent = reqwest::Client::new()
        .post(format!("http://{}/devices/d1/messages/events", host.addresses().http))
        .header("content-type", "application/vnd.microsoft.iothub.json")
        .body(json!(batch).to_string());
    assert_eq!(sent.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn batches_come_as_ordered() {
    for (does, fails, expected) in [
        (json!("repeat"), false, "01 01 23 4"),
        (json!({ "recut": { "skip": 1, "size": 1 } }), false, "01 1 23 4"),
        (json!({ "recut": { "size": 1 } }), false, "01 0 12 34"),
        (json!({ "goBack": 1 }), false, "01 12 34"),
        (json!({ "goBack": 100 }), false, "01 01 23 4"),
        (json!("loseAnswer"), false, "01 01 23 4"),
        (json!("twice"), false, "01 01 23 4"),
        (json!("passOver"), true, "01 23 4"),
    ] {
        let place = Place::new(&[SCORE]);
        let failure = [Answer::Reply(500, "Content-Type: application/json", "{}")];
        let (host, recorder) = place.start_with(if fails { &failure } else { &[] }).await;
        happen(&host, json!({ "batch": { "partition": 0, "does": does } })).await;
        send_five(&host).await;
        let n_requests = expected.split(' ').count();
        let requests = recorder.wait_for(n_requests).await;
        let seen: Vec<String> = requests.iter().map(bodies).collect();
        assert_eq!(seen.join(" "), expected, "{does}");
        assert!(requests.iter().all(|request| retry_count(request) == 0), "{does}: a new series each");
        let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
        until(|| read(&checkpoint).filter(|text| text.contains(r#""nextSequenceNumber":5"#))).await;
        assert_eq!(recorder.requests().len(), n_requests, "{does}");
        host.stop().await;
    }
}

#[tokio::test]
async fn a_batch_that_is_cut_longer_takes_what_has_come_meanwhile() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place.start_with(&[answer(DOCUMENT)]).await;
    set_faults(&host, json!({ "cosmos": { "condition": "silent" } })).await;
    happen(&host, json!({ "batch": { "does": { "recut": { "size": 2 } } } })).await;
    send(&host, "0").await;
    recorder.wait_for(1).await;
    send(&host, "1").await;
    set_faults(&host, json!({})).await;
    let seen: Vec<String> = recorder.wait_for(2).await.iter().map(bodies).collect();
    assert_eq!(seen, ["0", "01"]);
    host.stop().await;
}

#[tokio::test]
async fn the_handler_is_killed_where_ordered_and_the_batch_comes_again() {
    for (fault, is_lost) in [
        (json!({ "killAtRequestByte": 10 }), false),
        (json!({ "killAtAnswerByte": 0 }), true),
        (json!({ "killAtAnswerByte": 5 }), true),
        (json!({ "killAtAnswerByte": 1_000_000 }), false),
        (json!({ "killAfterUpserts": 0 }), false),
        (json!({ "killAfterUpserts": 9 }), false),
    ] {
        let place = Place::new(&[SCORE]);
        let (host, recorder) = place.start_with(&[answer(DOCUMENT)]).await;
        happen(&host, json!({ "call": fault })).await;
        send(&host, "1").await;
        until(|| (place.process_starts() == 2).then_some(())).await;
        if is_lost {
            // What the recording handler answered did not reach the host.
            let requests = recorder.wait_for(2).await;
            assert_eq!(retry_count(&requests[1]), 1, "{fault}");
            assert!(!is_stored(&host).await.unwrap(), "{fault}");
        } else {
            stored(&host).await;
            assert_eq!(recorder.requests().len(), 1, "{fault}");
        }
        host.stop().await;
    }
}

#[tokio::test]
async fn upserts_fail_are_lost_or_late_as_ordered() {
    for (outcome, n_requests) in
        [(json!({ "fail": 503 }), 2), (json!("loseReply"), 2), (json!({ "delayMs": 50 }), 1)]
    {
        let place = Place::new(&[SCORE]);
        let (host, recorder) = place.start_with(&[answer(DOCUMENT)]).await;
        happen(&host, json!({ "upsert": { "nth": 1, "outcome": outcome } })).await;
        send(&host, "1").await;
        recorder.wait_for(n_requests).await;
        if outcome == json!({ "fail": 503 }) {
            assert!(!is_stored(&host).await.unwrap());
        } else {
            stored(&host).await;
        }
        assert_eq!(recorder.requests().len(), n_requests, "{outcome}");
        host.stop().await;
    }
}

#[tokio::test]
async fn upserts_of_an_abandoned_call_go_on_later() {
    const THREE: &str = r#"{"Outputs":{"documents":[{"id":"x","bucket":"b"},{"id":"y","bucket":"b"},{"id":"a","bucket":"b"}]}}"#;
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place.start_with(&[answer(THREE)]).await;
    happen(&host, json!({ "call": { "abandon": { "afterUpserts": 1, "laterMs": 500 } } })).await;
    send(&host, "1").await;
    let requests = recorder.wait_for(2).await;
    assert_eq!(retry_count(&requests[1]), 1);
    assert_eq!(place.process_starts(), 2, "the handler has paid for it");
    stored(&host).await;
    host.stop().await;
}

#[tokio::test]
async fn a_partition_moves_while_a_call_is_in_flight_and_back() {
    let mut place = Place::new(&[SCORE]);
    place.instances = 2;
    place.script = "echo $FUNCTIONS_CUSTOMHANDLER_PORT >> ports; exec sleep 600";
    let host = place.start().await;
    let ports = until(|| {
        let ports: Vec<u16> =
            read(&place.path("ports"))?.lines().filter_map(|line| line.parse().ok()).collect();
        Some(ports).filter(|ports| ports.len() == 2)
    })
    .await;
    let recorders = [
        Recorder::listen(ports[0], &[answer(DOCUMENT)]).await,
        Recorder::listen(ports[1], &[answer(DOCUMENT)]).await,
    ];
    host.wait_ready(Duration::from_secs(30)).await.unwrap();
    set_faults(&host, json!({ "cosmos": { "condition": "silent" } })).await;
    send(&host, "1").await;
    let first = until(|| recorders.iter().position(|recorder| !recorder.requests().is_empty())).await;
    let (old, new) = (&recorders[first], &recorders[1 - first]);
    happen(&host, json!({ "move": { "partition": 0, "to": 1 } })).await;
    let again = new.wait_for(1).await;
    assert_eq!((bodies(&again[0]), retry_count(&again[0])), ("1".to_owned(), json!(0)));
    assert_eq!(old.requests().len(), 1, "its call is still in flight");
    set_faults(&host, json!({})).await;
    stored(&host).await;
    send(&host, "2").await;
    new.wait_for(2).await;
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    until(|| read(&checkpoint).filter(|text| text.contains(r#""nextSequenceNumber":2"#))).await;
    happen(&host, json!({ "move": { "partition": 0, "to": 0 } })).await;
    send(&host, "3").await;
    assert_eq!(bodies(&old.wait_for(2).await[1]), "3");
    let shown: Value = reqwest::get(faults_url(&host)).await.unwrap().json().await.unwrap();
    assert_eq!(shown["owners"], json!([0]));
    host.stop().await;
}

#[tokio::test]
async fn stale_reads_see_the_past_until_they_are_fresh_again() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place.start_with(&[answer(DOCUMENT)]).await;
    set_faults(&host, json!({ "cosmos": { "staleByMs": 600_000 } })).await;
    send(&host, "1").await;
    recorder.wait_for(1).await;
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    until(|| read(&checkpoint)).await;
    assert!(!is_stored(&host).await.unwrap());
    set_faults(&host, json!({})).await;
    stored(&host).await;
    let url = format!("http://{}/local-host/figures", host.addresses().http);
    let figures: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(figures["cosmos"]["upsert"]["requests"], 1);
    assert_eq!(figures["cosmos"]["upsert"]["bytesSent"], r#"{"id":"a","bucket":"b"}"#.len());
    assert!(figures["cosmos"]["upsert"]["requestUnits"].as_f64().unwrap() > 1.0);
    assert!(figures["cosmos"]["pointRead"]["requests"].as_u64().unwrap() >= 2);
    assert_eq!(figures["partitions"], json!([{ "next": 1, "checkpoint": 1 }]));
    host.stop().await;
}

#[tokio::test]
async fn documents_with_a_time_to_live_end_by_order() {
    const MORTAL: &str = r#"{"Outputs":{"documents":{"id":"a","bucket":"b","ttl":86400}}}"#;
    let place = Place::new(&[SCORE]);
    let (host, _recorder) = place.start_with(&[answer(MORTAL)]).await;
    send(&host, "1").await;
    stored(&host).await;
    happen(&host, json!({ "expire": { "olderThanMs": 3_600_000 } })).await;
    assert!(is_stored(&host).await.unwrap(), "it is not so old");
    happen(&host, json!({ "expire": {} })).await;
    for _ in 0..3000 {
        if !is_stored(&host).await.unwrap() {
            return host.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the document is still there");
}

#[tokio::test]
async fn handlers_killed_again_and_again_never_stop_the_host() {
    let mut place = Place::new(&[SCORE]);
    place.faults = r#"{"killEveryMs":100}"#.parse().unwrap();
    let (host, recorder) = place.start_with(&[]).await;
    until(|| (place.process_starts() > 5).then_some(())).await;
    set_faults(&host, json!({})).await;
    send(&host, "1").await;
    recorder.wait_for(1).await;
    host.stop().await;
}

#[tokio::test]
async fn a_partition_whose_listener_fails_is_started_again() {
    let place = Place::new(&[SCORE]);
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    std::fs::create_dir_all(checkpoint.parent().unwrap()).unwrap();
    std::fs::write(&checkpoint, "damaged").unwrap();
    let (host, recorder) = place.start_with(&[]).await;
    send(&host, "1").await;
    assert!(recorder.requests().is_empty());
    std::fs::remove_file(&checkpoint).unwrap();
    assert_eq!(bodies(&recorder.wait_for(1).await[0]), "1");
    host.stop().await;
}

//! Services that are down: what callers of their ports and the outputs of an answer meet, switched while the host runs.

use std::time::Duration;

use serde_json::json;

use crate::faults::{BOTH, DOCUMENT, SCORE, retry_count, send, set_faults, stored};
use crate::handler::json as answer;
use crate::{Place, until};

#[tokio::test]
async fn a_service_that_refuses_has_no_port_and_cuts_what_is_open() {
    let place = Place::new(&[SCORE]);
    let (host, _recorder) = place.start_with(&[]).await;
    let client = reqwest::Client::new();
    let url = format!("http://{}/", host.addresses().cosmos);
    assert!(client.get(&url).send().await.is_ok());
    set_faults(&host, json!({ "cosmos": { "condition": "refuses" } })).await;
    let error = client.get(&url).send().await.unwrap_err();
    assert!(error.is_connect() || error.is_request(), "{error:?}");
    assert!(reqwest::get(&url).await.unwrap_err().is_connect());
    set_faults(&host, json!({})).await;
    until_ok(&url).await;
    host.stop().await;
}

#[tokio::test]
async fn a_silent_service_answers_when_it_is_up_again() {
    let place = Place::new(&[SCORE]);
    let (host, _recorder) = place.start_with(&[]).await;
    let url = format!("http://{}/api/health", host.addresses().signalr);
    set_faults(&host, json!({ "signalR": { "condition": "silent" } })).await;
    let waiting = tokio::spawn(reqwest::get(url.clone()));
    let impatient = reqwest::Client::builder().timeout(Duration::from_millis(300)).build().unwrap();
    assert!(impatient.get(&url).send().await.unwrap_err().is_timeout());
    assert!(!waiting.is_finished());
    set_faults(&host, json!({})).await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    host.stop().await;
}

#[tokio::test]
async fn a_signalr_service_that_refuses_fails_the_call_whose_document_is_written() {
    let mut place = Place::new(&[SCORE]);
    place.faults = r#"{"signalR":{"condition":"refuses"}}"#.parse().unwrap();
    let (host, recorder) = place.start_with(&[answer(BOTH), answer(DOCUMENT)]).await;
    send(&host, "1").await;
    let requests = recorder.wait_for(2).await;
    assert_eq!(retry_count(&requests[1]), 1);
    stored(&host).await;
    // Without a message the service is not contacted: the second answer succeeded.
    send(&host, "2").await;
    assert_eq!(retry_count(&recorder.wait_for(3).await[2]), 0);
    host.stop().await;
}

#[tokio::test]
async fn upserts_of_a_call_that_was_given_up_land_when_the_service_is_back() {
    let mut place = Place::new(&[SCORE]);
    place.environment.insert("AzureFunctionsJobHost__functionTimeout", "00:00:00.5");
    // A client that has worked before does not give up.
    let first = answer(r#"{"Outputs":{"documents":{"id":"before","bucket":"b"}}}"#);
    let (host, recorder) = place.start_with(&[first, answer(DOCUMENT)]).await;
    send(&host, "1").await;
    recorder.wait_for(1).await;
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    until(|| crate::read(&checkpoint)).await;
    set_faults(&host, json!({ "cosmos": { "condition": "refuses" } })).await;
    send(&host, "2").await;
    let requests = recorder.wait_for(3).await;
    assert_eq!(retry_count(&requests[2]), 1, "the second attempt, which answers without documents");
    until(|| (place.process_starts() == 2).then_some(())).await;
    set_faults(&host, json!({})).await;
    stored(&host).await;
    host.stop().await;
}

async fn until_ok(url: &str) {
    for _ in 0..3000 {
        if reqwest::get(url).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{url} does not answer");
}

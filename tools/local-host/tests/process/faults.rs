//! Services that are down: what callers of their ports and the outputs of an answer meet, switched while the host runs.

use std::time::Duration;

use local_host::LocalHost;
use serde_json::{Value, json};

use crate::handler::{Request, json as answer};
use crate::{Place, until};

const SCORE: (&str, &str) = (
    "score",
    r#"{ "bindings": [
        { "type": "eventHubTrigger", "direction": "in", "name": "events", "eventHubName": "%HUB%", "cardinality": "many", "dataType": "string" },
        { "type": "cosmosDB", "direction": "out", "name": "documents", "connection": "Cosmos", "databaseName": "AnomalyDB", "containerName": "Results" },
        { "type": "signalR", "direction": "out", "name": "live", "hubName": "telemetry", "connectionStringSetting": "SignalR" } ],
      "retry": { "strategy": "fixedDelay", "maxRetryCount": -1, "delayInterval": "00:00:00.01" } }"#,
);
const BOTH: &str =
    r#"{"Outputs":{"documents":{"id":"a","bucket":"b"},"live":[{"target":"t","arguments":[]}]}}"#;
const DOCUMENT: &str = r#"{"Outputs":{"documents":{"id":"a","bucket":"b"},"live":[]}}"#;

fn faults_url(host: &LocalHost) -> String {
    format!("http://{}/local-host/faults", host.addresses().http)
}

async fn set_faults(host: &LocalHost, faults: Value) {
    let answer = reqwest::Client::new().put(faults_url(host)).json(&faults).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{faults}");
}

async fn send(host: &LocalHost, body: &str) {
    let url = format!("http://{}/devices/d1/messages/events", host.addresses().http);
    let answer = reqwest::Client::new().post(url).body(body.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// Asks the account for the document `a`; an error when it cannot be reached.
async fn is_stored(host: &LocalHost) -> Result<bool, reqwest::Error> {
    let url = format!("http://{}/dbs/AnomalyDB/colls/Results/docs/a", host.addresses().cosmos);
    let request = reqwest::Client::new().get(url).header("x-ms-documentdb-partitionkey", "[\"b\"]");
    Ok(request.send().await?.status().is_success())
}

async fn stored(host: &LocalHost) {
    for _ in 0..3000 {
        if is_stored(host).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the document is not stored");
}

fn retry_count(request: &Request) -> Value {
    request.json()["Metadata"]["RetryContext"]["RetryCount"].clone()
}

#[tokio::test]
async fn faults_are_shown_changed_and_refused_with_a_reason() {
    let place = Place::new(&[SCORE]);
    let (host, _recorder) = place.start_with(&[]).await;
    set_faults(
        &host,
        json!({ "signalR": { "condition": "silent" }, "cosmos": { "throttle": { "share": 0.5 } } }),
    )
    .await;
    let shown: Value = reqwest::get(faults_url(&host)).await.unwrap().json().await.unwrap();
    assert_eq!(shown["signalR"]["condition"], "silent");
    assert_eq!(shown["cosmos"]["condition"], "up");
    assert_eq!(shown["cosmos"]["throttle"]["share"], 0.5);
    let wrong = reqwest::Client::new().put(faults_url(&host)).json(&json!({ "cosmos": { "dead": true } }));
    let refused = wrong.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("dead"));
    set_faults(&host, json!({})).await;
    let shown: Value = reqwest::get(faults_url(&host)).await.unwrap().json().await.unwrap();
    assert_eq!(shown["signalR"]["condition"], "up");
    host.stop().await;
}

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

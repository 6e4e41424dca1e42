//! The switches themselves, and what the tests of faults share.

use std::time::Duration;

use local_host::LocalHost;
use serde_json::{Value, json};

use crate::Place;
use crate::handler::Request;

pub(crate) const SCORE: (&str, &str) = (
    "score",
    r#"{ "bindings": [
        { "type": "eventHubTrigger", "direction": "in", "name": "events", "eventHubName": "%HUB%", "connection": "EventHub", "cardinality": "many", "dataType": "string" },
        { "type": "cosmosDB", "direction": "out", "name": "documents", "connection": "Cosmos", "databaseName": "AnomalyDB", "containerName": "Results" },
        { "type": "signalR", "direction": "out", "name": "live", "hubName": "telemetry", "connectionStringSetting": "SignalR" } ],
      "retry": { "strategy": "fixedDelay", "maxRetryCount": -1, "delayInterval": "00:00:00.01" } }"#,
);
pub(crate) const BOTH: &str =
    r#"{"Outputs":{"documents":{"id":"a","bucket":"b"},"live":[{"target":"t","arguments":[]}]}}"#;
pub(crate) const DOCUMENT: &str = r#"{"Outputs":{"documents":{"id":"a","bucket":"b"},"live":[]}}"#;

pub(crate) fn faults_url(host: &LocalHost) -> String {
    format!("http://{}/local-host/faults", host.addresses().http)
}

pub(crate) async fn set_faults(host: &LocalHost, faults: Value) {
    let answer = reqwest::Client::new().put(faults_url(host)).json(&faults).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{faults}");
}

pub(crate) async fn send(host: &LocalHost, body: &str) {
    let url = format!("http://{}/devices/d1/messages/events", host.addresses().http);
    let answer = reqwest::Client::new().post(url).body(body.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// Asks the account for the document `a`; an error when it cannot be reached.
pub(crate) async fn is_stored(host: &LocalHost) -> Result<bool, reqwest::Error> {
    let url = format!("http://{}/dbs/AnomalyDB/colls/Results/docs/a", host.addresses().cosmos);
    let request = reqwest::Client::new().get(url).header("x-ms-documentdb-partitionkey", "[\"b\"]");
    Ok(request.send().await?.status().is_success())
}

pub(crate) async fn stored(host: &LocalHost) {
    for _ in 0..3000 {
        if is_stored(host).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the document is not stored");
}

pub(crate) fn retry_count(request: &Request) -> Value {
    request.json()["Metadata"]["RetryContext"]["RetryCount"].clone()
}

/// Lets something happen once.
pub(crate) async fn happen(host: &LocalHost, fault: Value) {
    let answer = reqwest::Client::new().post(faults_url(host)).json(&fault).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{fault}");
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

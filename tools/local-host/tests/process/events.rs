//! Events: from the ways in to the handler, its outputs, retries, timeouts, crashes and restarts.

use local_host::LocalHost;
use serde_json::{Value, json};

use crate::handler::{Answer, json};
use crate::{Place, read, until};

const SCORE: (&str, &str) = (
    "score",
    r#"{ "bindings": [
        { "type": "eventHubTrigger", "direction": "in", "name": "events", "eventHubName": "%HUB%", "cardinality": "many", "dataType": "string" },
        { "type": "cosmosDB", "direction": "out", "name": "documents", "connection": "Cosmos", "databaseName": "AnomalyDB", "containerName": "Results" } ],
      "retry": { "strategy": "fixedDelay", "maxRetryCount": -1, "delayInterval": "00:00:00.01" } }"#,
);

async fn send(host: &LocalHost, device: &str, body: &str) -> u16 {
    let url =
        format!("http://{}/devices/{device}/messages/events?api-version=2020-03-13", host.addresses().http);
    reqwest::Client::new().post(url).body(body.to_owned()).send().await.unwrap().status().as_u16()
}

async fn stored(host: &LocalHost, id: &str) -> Option<Value> {
    let url = format!("http://{}/dbs/AnomalyDB/colls/Results/docs/{id}", host.addresses().cosmos);
    let request = reqwest::Client::new().get(url).header("x-ms-documentdb-partitionkey", "[\"b\"]");
    let response = request.send().await.unwrap();
    if response.status().is_success() { Some(response.json().await.unwrap()) } else { None }
}

fn strings(request: &Value) -> Vec<String> {
    serde_json::from_str(request["Data"]["events"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_event_reaches_the_handler_and_its_document_the_account() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place
        .start_with(&[json(
            r#"{"Outputs":{"documents":{"id":"a","bucket":"b","t":"2024-01-01T02:00:00.000Z"}}}"#,
        )])
        .await;
    assert_eq!(send(&host, "d1", r#"{"temperature":21.5}"#).await, 204);
    let request = recorder.wait_for(1).await.remove(0);
    assert_eq!(request.line, "POST /score HTTP/1.1");
    assert_eq!(request.header("transfer-encoding"), Some("chunked"));
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(request.header("accept"), None);
    let envelope = request.json();
    assert_eq!(strings(&envelope), [r#"{"temperature":21.5}"#]);
    let system: Value =
        serde_json::from_str(envelope["Metadata"]["SystemPropertiesArray"].as_str().unwrap()).unwrap();
    assert_eq!(system[0]["iothub-connection-device-id"], "d1");
    assert_eq!(envelope["Metadata"]["RetryContext"]["MaxRetryCount"], -1);
    for _ in 0..500 {
        if stored(&host, "a").await.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(stored(&host, "a").await.unwrap()["t"], "2024-01-01T02:00:00Z", "the host rewrites dates");
    let environment = read(&place.path("environment")).unwrap();
    for name in [
        "FUNCTIONS_HTTPWORKER_PORT=",
        "FUNCTIONS_CUSTOMHANDLER_WORKER_ID=",
        "FUNCTIONS_APP_ROOT_PATH=",
        "HUB=telemetry",
        "Cosmos=AccountEndpoint=http://127.0.0.1:",
    ] {
        assert!(environment.lines().any(|line| line.starts_with(name)), "{name} is missing");
    }
    host.stop().await;
}

#[tokio::test]
async fn a_failed_batch_comes_again_whole_with_the_same_id() {
    let place = Place::new(&[SCORE]);
    let fails = [
        Answer::Reply(500, "Content-Type: application/json", "{}"),
        Answer::Reply(200, "Content-Type: text/plain", "ok"),
        Answer::Drop,
    ];
    let (host, recorder) = place.start_with(&fails).await;
    send(&host, "d1", "1").await;
    let requests = recorder.wait_for(4).await;
    for (count, request) in requests.iter().enumerate() {
        let envelope = request.json();
        assert_eq!(envelope["Metadata"]["RetryContext"]["RetryCount"], count);
        assert_eq!(envelope["Metadata"]["RetryContext"]["Exception"].is_null(), count == 0);
        assert_eq!(strings(&envelope), ["1"]);
        let name = "x-azure-functions-invocationid";
        assert_eq!(request.header(name), requests[0].header(name));
    }
    host.stop().await;
}

#[tokio::test]
async fn batches_are_cut_at_the_limit_and_kept_in_order() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place.start_with(&[]).await;
    let batch: Vec<Value> =
        (0..5).map(|number| json!({ "body": number.to_string(), "base64Encoded": false })).collect();
    let url = format!("http://{}/devices/d1/messages/events", host.addresses().http);
    let sent = reqwest::Client::new()
        .post(&url)
        .header("content-type", "application/vnd.microsoft.iothub.json")
        .body(json!(batch).to_string());
    assert_eq!(sent.send().await.unwrap().status(), 204);
    let url = format!("http://{}/telemetry/messages", host.addresses().http);
    let sent =
        reqwest::Client::new().post(&url).header("BrokerProperties", r#"{"PartitionKey":"d1"}"#).body("5");
    assert_eq!(sent.send().await.unwrap().status(), 201);
    let count = |requests: &[crate::handler::Request]| {
        requests.iter().map(|request| strings(&request.json()).len()).sum::<usize>()
    };
    let requests = until(|| Some(recorder.requests()).filter(|requests| count(requests) == 6)).await;
    let all: Vec<String> = requests.iter().flat_map(|request| strings(&request.json())).collect();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5"]);
    assert!(requests.iter().all(|request| strings(&request.json()).len() <= 2));
    host.stop().await;
}

#[tokio::test]
async fn refused_messages_say_why() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) = place.start_with(&[]).await;
    assert_eq!(send(&host, "a%20b", "1").await, 400);
    assert_eq!(send(&host, "d1", &"x".repeat(256 * 1024 + 1)).await, 413);
    assert_eq!(send(&host, "d1", &"x".repeat(256 * 1024)).await, 204);
    assert_eq!(strings(&recorder.wait_for(1).await[0].json())[0].len(), 256 * 1024);
    host.stop().await;
}

#[tokio::test]
async fn an_empty_answer_holds_until_the_timeout_which_costs_the_process() {
    let mut place = Place::new(&[SCORE]);
    place.environment.insert("AzureFunctionsJobHost__functionTimeout", "00:00:00.2");
    let (host, recorder) =
        place.start_with(&[Answer::Reply(200, "Content-Type: application/json", "")]).await;
    send(&host, "d1", "1").await;
    let requests = recorder.wait_for(2).await;
    assert_eq!(requests[1].json()["Metadata"]["RetryContext"]["RetryCount"], 1);
    until(|| (place.process_starts() == 2).then_some(())).await;
    host.stop().await;
}

#[tokio::test]
async fn the_third_crash_stops_the_host() {
    let mut place = Place::new(&[SCORE]);
    place.script = "echo $$ >> pids; exit 3";
    let host = place.start().await;
    let error = host.run(std::future::pending()).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("third"), "{error}");
    assert_eq!(place.process_starts(), 3);
}

#[tokio::test]
async fn a_restart_goes_on_after_the_checkpoint_and_keeps_documents() {
    let place = Place::new(&[SCORE]);
    let (host, recorder) =
        place.start_with(&[json(r#"{"Outputs":{"documents":{"id":"a","bucket":"b"}}}"#)]).await;
    send(&host, "d1", "first").await;
    recorder.wait_for(1).await;
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    until(|| read(&checkpoint)).await;
    host.stop().await;
    let (host, recorder) = place.start_with(&[]).await;
    assert!(stored(&host, "a").await.is_some());
    send(&host, "d1", "second").await;
    let requests = recorder.wait_for(1).await;
    assert_eq!(strings(&requests[0].json()), ["second"]);
    let numbers: Value =
        serde_json::from_str(requests[0].json()["Metadata"]["SequenceNumberArray"].as_str().unwrap())
            .unwrap();
    assert_eq!(numbers, json!([1]));
    host.stop().await;
}

#[tokio::test]
async fn a_stop_waits_ten_seconds_for_a_call_in_flight_and_kills_then() {
    let mut place = Place::new(&[SCORE]);
    // The call hangs after the handler has answered.
    place.faults = r#"{"cosmos":{"condition":"silent"}}"#.parse().unwrap();
    let (host, recorder) =
        place.start_with(&[json(r#"{"Outputs":{"documents":{"id":"a","bucket":"b"}}}"#)]).await;
    send(&host, "d1", "1").await;
    recorder.wait_for(1).await;
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    host.stop().await;
    assert!(start.elapsed() >= std::time::Duration::from_secs(10));
    let pid = read(&place.path("pids")).unwrap();
    assert!(read(std::path::Path::new(&format!("/proc/{}/stat", pid.trim()))).is_none(), "the handler lives");
    let checkpoint = place.folder.path().join("data/event_hub/telemetry._Default.0.checkpoint");
    assert!(!checkpoint.exists(), "the batch must come again");
}

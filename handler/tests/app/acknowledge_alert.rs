//! Acknowledging: each alert by itself, once, in the name of whoever proves or says who they are.

use handler::functions::acknowledge_alert;
use serde_json::{Value, json};

use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;
use crate::{Handler, post, response};

const NOW: i64 = 1_767_323_090_000;
const ACKNOWLEDGED: &str = "1a2b3c4d.0.3.14.0.other";
const SHIFT: &str = "1a2b3c4d.1.5.38.0.shift";
const SILENCE: &str = "1a2b3c4d.1.5.30.0.silence";

async fn act(handler: &Handler, body: &Value, headers: &[(&str, &str)]) -> Value {
    let answer = acknowledge_alert::handle(&handler.app, &post(body, headers), NOW).await;
    assert_eq!(answer.status(), 200, "an enveloped answer is a success for the host");
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn an_alert_is_acknowledged_once() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let body = json!({ "alertIds": [SHIFT], "note": " on my way ", "by": "anna" });
    let first = act(&handler, &body, &[]).await;
    insta::assert_json_snapshot!(first);
    cosmos.store(&first);
    let later = json!({ "alertIds": [SHIFT], "note": "me too", "by": "berta" });
    for repeat in [body, later] {
        let answer = act(&handler, &repeat, &[]).await;
        assert_eq!(answer["Outputs"].get("documents"), None, "{answer}");
        let (status, body) = response(&answer);
        let acknowledged = json!({ "by": "anna", "at": NOW, "note": "on my way" });
        assert_eq!(
            (status, body),
            (
                200,
                json!({ "results": [{ "alertId": SHIFT, "result": "unchanged", "acknowledged": acknowledged }] })
            )
        );
    }
    let listed = handler.get("/api/alerts?acknowledged=false", &[]).await.json();
    assert_eq!(listed["alerts"], json!([]));
    assert_eq!(handler.get("/api/summary", &[]).await.json()["unacknowledgedAlerts"], 0);
}

#[tokio::test]
async fn what_was_acknowledged_is_taken_back_and_acknowledged_anew() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let waiting = async || {
        let listed = handler.get("/api/alerts?acknowledged=false", &[]).await.json();
        listed["alerts"].as_array().unwrap().len()
    };
    let note = json!({ "alertIds": [SHIFT], "by": "anna" });
    let take_back = json!({ "alertIds": [SHIFT], "acknowledged": false, "note": "not mine", "by": "berta" });
    // All by a clock that stands still.
    for (body, result, n_documents, n_waiting) in [
        (&take_back, "unchanged", 0, 1),
        (&note, "acknowledged", 1, 0),
        (&take_back, "withdrawn", 1, 1),
        (&take_back, "unchanged", 0, 1),
        (&note, "acknowledged", 1, 0),
    ] {
        let answer = act(&handler, body, &[]).await;
        let documents = answer["Outputs"]["documents"].as_array().map_or(0, Vec::len);
        let (status, body) = response(&answer);
        assert_eq!((status, &body["results"][0]["result"], documents), (200, &json!(result), n_documents));
        cosmos.store(&answer);
        assert_eq!(waiting().await, n_waiting, "{body}");
    }
    let closed = json!({ "alertIds": [SILENCE], "acknowledged": false });
    assert_eq!(response(&act(&handler, &closed, &[]).await).0, 409);
}

#[tokio::test]
async fn of_many_alerts_each_has_its_own_outcome() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let ids = [ACKNOWLEDGED, SHIFT, SILENCE, "1a2b3c4d.1.5.99.0.shift", "nonsense", SHIFT];
    let answer = act(&handler, &json!({ "alertIds": ids }), &[]).await;
    let (status, body) = response(&answer);
    assert_as_documented("POST /api/alerts/acknowledge", &body);
    let outcomes: Vec<&str> =
        body["results"].as_array().unwrap().iter().map(|result| result["result"].as_str().unwrap()).collect();
    assert_eq!((status, outcomes), (200, vec!["unchanged", "acknowledged", "closed", "unknown", "unknown"]));
    let documents = answer["Outputs"]["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 1);
    assert_eq!((&documents[0]["by"], &documents[0]["bucket"]), (&json!("anonymous"), &json!("1a2b3c4d.1.5")));
}

#[tokio::test]
async fn a_single_alert_is_refused_by_name() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (alert_id, expected) in [("1a2b3c4d.1.5.99.0.shift", 404), ("<nonsense>", 404), (SILENCE, 409)] {
        let answer = act(&handler, &json!({ "alertIds": [alert_id] }), &[]).await;
        let (status, body) = response(&answer);
        assert_eq!(status, expected, "{body}");
        assert!(body["error"]["message"].as_str().unwrap().contains(alert_id), "{body}");
        assert_eq!(answer["Outputs"].get("documents"), None);
    }
}

#[tokio::test]
async fn a_wrong_body_is_refused_by_its_field() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (body, parameter) in [
        (json!({ "alertIds": [] }), "alertIds"),
        (json!({ "alertIds": vec![SHIFT; 1001] }), "alertIds"),
        (json!({ "alertIds": [SHIFT], "note": "x".repeat(501) }), "note"),
        (json!({ "alertIds": [SHIFT], "note": "a\nb" }), "note"),
        (json!({ "alertIds": [SHIFT], "note": "2026-01-02T03:04:05Z" }), "note"),
        (json!({ "alertIds": [SHIFT], "by": "x".repeat(101) }), "by"),
        (json!({ "alertIds": [SHIFT], "by": "anna\u{202e}" }), "by"),
        (json!({ "alertIds": [SHIFT], "why": "x" }), "body"),
        (json!({ "alertIds": SHIFT }), "body"),
        (json!("x".repeat(300_000)), "body"),
    ] {
        let (status, answer) = response(&act(&handler, &body, &[]).await);
        assert_eq!((status, &answer["error"]["parameter"]), (400, &json!(parameter)), "{answer}");
    }
    let form = act(&handler, &json!({ "alertIds": [SHIFT] }), &[("Content-Type", "text/plain")]).await;
    assert_eq!(response(&form).0, 415);
}

#[tokio::test]
async fn only_those_who_may_and_in_the_name_that_is_proven() {
    let cosmos = Cosmos::with_fixture().await;
    let connection = cosmos.connection();
    let principal = [("x-ms-client-principal-id", "u1"), ("x-ms-client-principal-name", "carla@example.org")];
    for (settings, headers, expected) in [
        (vec![("API_KEY", "right")], vec![("x-api-key", "right")], Some("anna")),
        (vec![("API_KEY", "right")], vec![("x-api-key", "wrong")], None),
        (vec![("API_KEY", "right")], principal.to_vec(), None),
        (vec![("ALLOW_ANONYMOUS", "true")], principal.to_vec(), Some("anna")),
        (vec![("WEBSITE_AUTH_ENABLED", "True")], principal.to_vec(), Some("carla@example.org")),
    ] {
        let settings: Vec<_> = [vec![("CosmosDBConnection", connection.as_str())], settings].concat();
        let handler = Handler::new(&settings);
        let answer = act(&handler, &json!({ "alertIds": [SHIFT], "by": "anna" }), &headers).await;
        let by = answer["Outputs"]["documents"][0]["by"].as_str();
        assert_eq!((by, response(&answer).0), (expected, if expected.is_some() { 200 } else { 401 }));
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_said() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    let answer = act(&handler, &json!({ "alertIds": [SHIFT] }), &[]).await;
    assert_eq!(response(&answer).0, 503);
}

#[tokio::test]
async fn through_the_router() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let answer = handler.invoke("acknowledge_alert", post(&json!({ "alertIds": [SHIFT] }), &[])).await;
    let outputs = &answer.json()["Outputs"];
    assert_eq!(outputs["documents"].as_array().unwrap().len(), 1);
    assert_eq!(outputs.get("live"), None, "a live service that is away must not fail it");
}

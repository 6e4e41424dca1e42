//! Muting: a document an order, the same order once.

use handler::functions::mute_devices;
use serde_json::{Value, json};

use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;
use crate::{Handler, post, response};

const NOW: i64 = 1_767_323_030_000;

async fn act(handler: &Handler, body: &Value, now: i64) -> Value {
    let answer = mute_devices::handle(&handler.app, &post(body, &[]), now).await;
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn an_order_is_one_mute_however_often_it_comes() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let body = json!({ "devices": "a/*", "minutes": 60, "reason": "moving house", "by": "anna" });
    let first = act(&handler, &body, NOW).await;
    insta::assert_json_snapshot!(first);
    cosmos.store(&first);
    assert_as_documented("POST /api/mutes", &response(&first).1);
    let repeat = act(&handler, &body, NOW + 5_000).await;
    assert_eq!(repeat["Outputs"].get("documents"), None);
    assert_eq!(response(&repeat), response(&first));
    let later = act(&handler, &body, NOW + 600_000).await;
    assert_eq!(later["Outputs"]["documents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_alert_opened_in_the_time_is_muted_and_waits_for_nobody() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let waiting =
        async || handler.get("/api/alerts?acknowledged=false", &[]).await.json()["alerts"][0].clone();
    assert_eq!(waiting().await["muted"], false);
    // Opened ten seconds later.
    let answer = act(&handler, &json!({ "devices": "a/b?c#d", "minutes": 1, "reason": "x" }), NOW).await;
    cosmos.store(&answer);
    assert_eq!(waiting().await["muted"], true);
    assert_eq!(handler.get("/api/summary", &[]).await.json()["unacknowledgedAlerts"], 0);
}

#[tokio::test]
async fn a_wrong_order_is_refused_by_its_field() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (body, parameter) in [
        (json!({ "devices": "", "minutes": 1, "reason": "x" }), "devices"),
        (json!({ "devices": "*", "minutes": 1, "reason": " " }), "reason"),
        (json!({ "devices": "*", "minutes": 1, "reason": "x".repeat(501) }), "reason"),
        (json!({ "devices": "*", "reason": "x" }), "until"),
        (json!({ "devices": "*", "minutes": 0, "reason": "x" }), "minutes"),
        (json!({ "devices": "*", "hours": 1, "reason": "x" }), "body"),
    ] {
        let (status, answer) = response(&act(&handler, &body, NOW).await);
        assert_eq!((status, &answer["error"]["parameter"]), (400, &json!(parameter)), "{answer}");
    }
}

#[tokio::test]
async fn only_so_many_at_the_same_time() {
    let mute = |n: usize| {
        json!({
            "id": format!("mute-{n}"), "type": "mute", "bucket": "people", "ttl": 1, "devices": format!("d{n}"),
            "from": NOW, "until": NOW + 60_000, "reason": "x", "by": "anna", "at": NOW
        })
    };
    let cosmos = Cosmos::start((0..1000).map(mute).collect()).await;
    let handler = Handler::reading(&cosmos);
    let body = json!({ "devices": "*", "minutes": 1, "reason": "x" });
    assert_eq!(response(&act(&handler, &body, NOW).await).0, 409);
    assert_eq!(response(&act(&handler, &body, NOW + 60_000).await).0, 200);
}

//! Mutes: those that hold, those that are planned, those that are over.

use handler::functions::list_mutes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

/// While the first is ended and the second planned.
const NOW: i64 = 1_767_323_090_000;

async fn list(handler: &Handler, query: &str, now: i64) -> Value {
    let response = list_mutes::handle(&handler.app, query, now).await.unwrap();
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn as_they_are_now() {
    let cosmos = Cosmos::with_fixture().await;
    let page = list(&Handler::reading(&cosmos), "", NOW).await;
    assert_as_documented("GET /api/mutes", &page);
    insta::assert_json_snapshot!(page);
}

#[tokio::test]
async fn by_state_and_time() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (query, now, expected) in [
        ("state=planned", NOW, vec!["freezer-*"]),
        ("state=past", NOW, vec!["d2"]),
        ("state=active", NOW, vec![]),
        ("state=active", 1_767_330_000_000, vec!["freezer-*"]),
        ("state=past", 1_767_337_200_000, vec!["freezer-*", "d2"]),
        ("limit=1", NOW, vec!["freezer-*"]),
        ("from=1767322960001", NOW, vec!["freezer-*"]),
        ("from=1767322960000", NOW, vec!["freezer-*", "d2"]),
        ("", NOW + 40 * 24 * 3_600_000, vec![]),
    ] {
        let page = list(&handler, query, now).await;
        let devices: Vec<&str> =
            page["mutes"].as_array().unwrap().iter().map(|mute| mute["devices"].as_str().unwrap()).collect();
        assert_eq!((devices, &page["truncated"]), (expected, &json!(query == "limit=1")), "{query} at {now}");
    }
}

#[tokio::test]
async fn through_the_router() {
    let cosmos = Cosmos::with_fixture().await;
    let reply = Handler::reading(&cosmos).get("/api/mutes?from=0", &[]).await;
    assert_eq!((reply.status, reply.json()["mutes"].as_array().unwrap().len()), (200, 2));
}

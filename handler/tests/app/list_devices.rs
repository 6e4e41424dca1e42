//! The fleet, page by page, put together from tables and the results that are later than they.

use serde_json::{Value, json};

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

fn ids(page: &Value) -> Vec<&str> {
    page["devices"].as_array().unwrap().iter().map(|device| device["deviceId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_device_with_its_newest_reading() {
    let cosmos = Cosmos::with_fixture().await;
    let page = Handler::reading(&cosmos).get("/api/devices", &[]).await.json();
    assert_as_documented("GET /api/devices", &page);
    insta::assert_json_snapshot!(page);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let first = handler.get("/api/devices?limit=3", &[]).await.json();
    assert_eq!((ids(&first), &first["next"]), (vec!["..", "a/b?c#d", "d1"], &json!("d1")));
    let second = handler.get("/api/devices?limit=3&after=d1", &[]).await.json();
    assert_eq!((ids(&second), &second["next"]), (vec!["d2"], &json!(null)));
}

#[tokio::test]
async fn status_and_prefix_narrow_the_list_down() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (query, expected) in [
        ("status=learning", vec!["d2"]),
        ("status=normal", vec!["a/b?c#d"]),
        ("status=silent", vec![".."]),
        ("status=anomaly", vec!["d1"]),
        ("prefix=d", vec!["d1", "d2"]),
        ("prefix=a%2Fb%3F", vec!["a/b?c#d"]),
        ("prefix=d&status=learning", vec!["d2"]),
    ] {
        let page = handler.get(&format!("/api/devices?{query}"), &[]).await.json();
        assert_eq!((ids(&page), &page["next"]), (expected, &json!(null)), "{query}");
    }
}

//! Alerts: newest first, each once however many steps it took, open as long as its device's row knows it.

use serde_json::{Value, json};

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

fn ids(page: &Value) -> Vec<&str> {
    page["alerts"].as_array().unwrap().iter().map(|alert| alert["alertId"].as_str().unwrap()).collect()
}

const OF_D1: &str = "1a2b3c4d.0.3.14.0.other";
const SHIFT: &str = "1a2b3c4d.1.5.38.0.shift";
const OVERRULED: &str = "1a2b3c4d.1.5.35.0.noise";
const SILENCE: &str = "1a2b3c4d.1.5.30.0.silence";

#[tokio::test]
async fn each_once_as_its_newest_step_says() {
    let cosmos = Cosmos::with_fixture().await;
    let page = Handler::reading(&cosmos).get("/api/alerts?state=all", &[]).await.json();
    assert_as_documented("GET /api/alerts", &page);
    insta::assert_json_snapshot!(page);
}

#[tokio::test]
async fn parameters_narrow_the_list_down() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (query, expected) in [
        ("", vec![OF_D1, SHIFT]),
        ("state=closed", vec![OVERRULED, SILENCE]),
        ("state=all&deviceId=d2", vec![OVERRULED, SILENCE]),
        ("state=all&kind=silence", vec![SILENCE]),
        ("severity=critical", vec![OF_D1, SHIFT]),
        ("state=all&severity=warning", vec![OVERRULED, SILENCE]),
        ("from=1767323059000", vec![OF_D1]),
        ("state=all&to=1767323000000", vec![SILENCE]),
        ("deviceId=nobody", vec![]),
        ("state=all&prefix=d", vec![OF_D1, OVERRULED, SILENCE]),
        ("prefix=a/", vec![SHIFT]),
        ("prefix=d&deviceId=a/b?c%23d", vec![]),
        ("acknowledged=true", vec![OF_D1]),
        ("acknowledged=false", vec![SHIFT]),
        ("state=all&acknowledged=false&limit=3", vec![OVERRULED, SHIFT, SILENCE]),
    ] {
        let page = handler.get(&format!("/api/alerts?{query}"), &[]).await.json();
        assert_eq!((ids(&page), &page["next"]), (expected, &json!(null)), "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let page = handler.get(&format!("/api/alerts?state=all&limit=1&after={after}"), &[]).await.json();
        listed.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(listed, [OF_D1, OVERRULED, SHIFT, SILENCE]);
}

#[tokio::test]
async fn one_by_its_id_whatever_its_state() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (alert_id, expected) in [
        (OF_D1, vec![OF_D1]),
        (SILENCE, vec![SILENCE]),
        ("1a2b3c4d.1.5.99.0.silence", vec![]),
        ("nonsense", vec![]),
    ] {
        let page = handler.get(&format!("/api/alerts?alertId={alert_id}"), &[]).await.json();
        assert_as_documented("GET /api/alerts", &page);
        assert_eq!((ids(&page), &page["next"]), (expected, &json!(null)), "{alert_id}");
    }
}

#[tokio::test]
async fn what_people_decided_stands_beside_it() {
    let cosmos = Cosmos::with_fixture().await;
    let page = Handler::reading(&cosmos).get("/api/alerts?state=all", &[]).await.json();
    let alerts = page["alerts"].as_array().unwrap();
    let decided = |id: &str| {
        let alert = alerts.iter().find(|alert| alert["alertId"] == id).unwrap();
        (alert["acknowledged"]["by"].as_str(), alert["muted"].as_bool().unwrap())
    };
    assert_eq!(decided(OF_D1), (Some("anna"), false), "the earliest counts");
    assert_eq!(decided(SILENCE), (None, true), "opened while its device was muted");
    assert_eq!(decided(OVERRULED), (None, false), "opened after the mute was ended");
}

#[tokio::test]
async fn a_device_shows_its_open_alert() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let page = handler.get("/api/devices", &[]).await.json();
    let of = |id: &str| {
        let devices = page["devices"].as_array().unwrap();
        devices.iter().find(|device| device["deviceId"] == id).unwrap()["alert"]["alertId"].clone()
    };
    // The first is in its table, the second in a row that is later than its table.
    assert_eq!((of("a/b?c#d"), of("d1"), of("d2")), (json!(SHIFT), json!(OF_D1), Value::Null));
    assert_eq!(handler.get("/api/summary", &[]).await.json()["openAlerts"], 2);
}

//! A device's readings: each position once, by time, as JSON or CSV.

use serde_json::{Value, json};

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

const ENDPOINT: &str = "GET /api/devices/{deviceId}/readings";

fn temperatures(answer: &Value) -> Vec<f64> {
    let readings = answer["readings"].as_array().unwrap();
    readings.iter().map(|reading| reading["temperature"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn what_the_higher_term_says_and_late_readings_where_they_belong() {
    let cosmos = Cosmos::with_fixture().await;
    let answer = Handler::reading(&cosmos).get("/api/devices/d1/readings", &[]).await.json();
    assert_as_documented(ENDPOINT, &answer);
    insta::assert_json_snapshot!(answer);
}

#[tokio::test]
async fn a_span_a_limit_and_what_lies_outside() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    for (query, expected, truncated) in [
        ("from=0", vec![20.0, 22.0, 21.5, 38.25], false),
        ("limit=2", vec![21.5, 38.25], true),
        ("from=2026-01-02T03:04:16Z&to=2026-01-02T03:04:19.000Z", vec![21.5, 38.25], false),
        ("from=1767323056000&to=1767323056000", vec![21.5], false),
        ("from=2027-01-01T00:00:00Z", vec![], false),
        ("to=1", vec![], false),
    ] {
        let answer = handler.get(&format!("/api/devices/d1/readings?{query}"), &[]).await.json();
        assert_eq!((temperatures(&answer), &answer["truncated"]), (expected, &json!(truncated)), "{query}");
        assert_as_documented(ENDPOINT, &answer);
    }
}

#[tokio::test]
async fn a_table_for_those_who_want_one() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let by_header = handler.get("/api/devices/d1/readings", &[("accept", "text/csv")]).await;
    let by_parameter = handler.get("/api/devices/d1/readings?format=csv", &[]).await;
    assert_eq!(by_header.text(), by_parameter.text());
    assert_eq!(by_header.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        by_header.text(),
        "timestamp,temperature,expected,error,score,anomaly\n\
         2026-01-02T03:04:13Z,20,,,,false\n\
         2026-01-02T03:04:15.5Z,22,,,,false\n\
         2026-01-02T03:04:16Z,21.5,21.25,0.02,0.4,false\n\
         2026-01-02T03:04:19Z,38.25,24.5,1.84,6.2,true\n"
    );
    let json = handler.get("/api/devices/d1/readings?format=json", &[("accept", "text/csv")]).await;
    assert_eq!(json.headers["content-type"], "application/json");
}

#[tokio::test]
async fn nobody_of_that_name() {
    let cosmos = Cosmos::with_fixture().await;
    let reply = Handler::reading(&cosmos).get("/api/devices/d9/readings", &[]).await;
    assert_eq!(reply.status, 404);
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains("`d9`"));
}

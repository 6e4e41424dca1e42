//! Rejected events: newest first, each position once, with the text that the host delivered.

use serde_json::{Value, json};

use crate::Handler;
use crate::cosmos::Cosmos;
use crate::documented::assert_as_documented;

fn texts(page: &Value) -> Vec<Option<&str>> {
    page["rejects"].as_array().unwrap().iter().map(|reject| reject["text"].as_str()).collect()
}

#[tokio::test]
async fn what_the_higher_term_says_newest_first() {
    let cosmos = Cosmos::with_fixture().await;
    let page = Handler::reading(&cosmos).get("/api/rejects", &[]).await.json();
    assert_as_documented("GET /api/rejects", &page);
    insta::assert_json_snapshot!(page);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let whole = handler.get("/api/rejects", &[]).await.json();
    let mut listed = Vec::new();
    let mut after = String::new();
    loop {
        let page = handler.get(&format!("/api/rejects?limit=1&after={after}"), &[]).await.json();
        listed.extend(page["rejects"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    let positions = |rejects: &[Value]| -> Vec<_> {
        rejects
            .iter()
            .map(|reject| (reject["partition"].clone(), reject["sequence"].clone(), reject["index"].clone()))
            .collect()
    };
    assert_eq!(positions(&listed), positions(whole["rejects"].as_array().unwrap()));
}

#[tokio::test]
async fn parameters_narrow_the_list_down() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let long = "x".repeat(40);
    let array = "[5,{},{\"temperature\":1,\"timestamp\":1}]";
    for (query, expected) in [
        ("deviceId=d2", vec![Some(long.as_str())]),
        ("reason=missing-temperature", vec![Some(array)]),
        ("reason=empty", vec![Some("[]")]),
        ("deviceId=d1&reason=malformed", vec![Some("{\"temperature\":21.5,")]),
        ("deviceId=d9", vec![]),
        ("from=1767323065000", vec![Some("2026-01-02")]),
        ("from=2026-01-02T03:04:18Z&to=1767323058000", vec![Some(array), None]),
    ] {
        let page = handler.get(&format!("/api/rejects?{query}"), &[]).await.json();
        assert_eq!((texts(&page), &page["next"]), (expected, &json!(null)), "{query}");
    }
}

#[tokio::test]
async fn a_table_for_those_who_want_one() {
    let cosmos = Cosmos::with_fixture().await;
    let handler = Handler::reading(&cosmos);
    let reply = handler.get("/api/rejects?deviceId=d1&limit=1&format=csv", &[]).await;
    assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(reply.headers["x-next"], "1767323058000~13~0~1a2b3c4d.0.x");
    assert_eq!(
        reply.text(),
        "enqueuedAt,deviceId,reason,detail,hub,partition,sequence,index,count,cut,text\n\
         2026-01-02T03:04:18Z,d1,not-an-object,not-an-object: a reading is a JSON object,telemetry,0,13,0,3,false,\
         \"[5,{},{\"\"temperature\"\":1,\"\"timestamp\"\":1}]\"\n"
    );
    let last = handler.get("/api/rejects?reason=empty", &[("accept", "text/csv")]).await;
    assert!(!last.headers.contains_key("x-next"));
}

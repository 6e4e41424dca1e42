//! Announcing: a message to the page and nothing else, for those who may act.

use serde_json::{Value, json};

use crate::documented::{assert_as_documented, example};
use crate::{Handler, post, response};

#[tokio::test]
async fn the_page_is_told_that_there_is_something_to_look_at() {
    let handler = Handler::new(&[("ALLOW_ANONYMOUS", "true")]);
    let answer = handler.invoke("announce_act", post(&json!({}), &[])).await.json();
    let (status, body) = response(&answer);
    assert_eq!(status, 200);
    assert_as_documented("POST /api/acts/announce", &body);
    assert_eq!(answer["Outputs"].get("documents"), None);
    let news = &answer["Outputs"]["live"][0];
    assert_eq!(news["target"], "people");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&news["arguments"][0]), names(&example("people")));
}

#[tokio::test]
async fn who_may_not_act_announces_nothing() {
    let handler = Handler::new(&[("API_KEY", "right")]);
    let form = [("x-api-key", "right"), ("Content-Type", "text/plain")];
    for (body, headers, status) in [
        (json!({}), vec![], 401),
        (json!({}), vec![("x-api-key", "right")], 200),
        (json!({}), form.to_vec(), 415),
        (json!({ "act": "forged" }), vec![("x-api-key", "right")], 400),
    ] {
        let answer = handler.invoke("announce_act", post(&body, &headers)).await.json();
        assert_eq!(response(&answer).0, status, "{body} {headers:?}");
        assert_eq!(answer["Outputs"].get("live").is_some(), status == 200);
    }
}

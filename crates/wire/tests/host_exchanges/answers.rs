use serde_json::{Value, json};
use wire::invocation::{
    Answer, Audience, Damage, GroupChange, HttpResponse, LiveItem, Outputs, RawObject, check_undamaged,
};

use crate::recordings::{self, Exchange};

/// What the host made of a recorded answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It arrived as it was meant.
    Accepted,
    /// It failed, hung, or arrived as something else.
    Refused,
    /// Something else than the answer decided.
    Unknown,
}

/// Exchanges whose outcome was not the answer's doing: a killed or silenced handler, a host that stopped, a dead service.
fn is_about_something_else(exchange: &Exchange) -> bool {
    let response = &exchange.json["response"];
    let has = |key: &str| response.get(key).is_some();
    has("drop")
        || has("exit")
        || has("sigkill")
        || has("sleep")
        || exchange.id.starts_with("06-")
        || exchange.id.starts_with("10-")
        || exchange.id.contains("then-200")
        || exchange.id == "outputs-signalr-service-down"
}

fn fate(exchange: &Exchange) -> Fate {
    let outcome = &exchange.json["outcome"];
    if is_about_something_else(exchange) {
        return Fate::Unknown;
    }
    let judged = |is_accepted| if is_accepted { Fate::Accepted } else { Fate::Refused };
    if let Some(is_success) = outcome["succeeded"].as_bool() {
        return judged(is_success);
    }
    if let Some(log) = outcome["log"].as_array() {
        return judged(log.iter().any(|line| line.as_str().is_some_and(|line| line.contains("(Succeeded"))));
    }
    // Without `res` there is nothing that the caller was meant to get.
    let has_res = !body_of(exchange)["Outputs"]["res"].is_null();
    if let (Some(reply), true) = (outcome.get("reply_to_caller"), has_res) {
        return judged(reply_is_as_meant(&body_of(exchange), reply));
    }
    Fate::Unknown
}

/// Whether the caller got the status and the body that `res` asked for.
fn reply_is_as_meant(answer: &Value, reply: &Value) -> bool {
    let res = &answer["Outputs"]["res"];
    let wanted = if res["status"].is_null() { &res["statusCode"] } else { &res["status"] };
    res.is_object() && &reply["status"] == wanted && reply["body"] == *res.get("body").unwrap_or(&json!(""))
}

fn body_of(exchange: &Exchange) -> Value {
    exchange.json["response"]["body"]
        .as_str()
        .and_then(|body| serde_json::from_str(body).ok())
        .unwrap_or_default()
}

/// Why a recorded answer cannot be built.
#[derive(Debug)]
struct CannotBuild;

/// Builds the recorded answer out of our own types, if they can express it.
fn rebuild(exchange: &Exchange) -> Result<Answer, CannotBuild> {
    let response = &exchange.json["response"];
    let content_type = response["headers"]["Content-Type"].as_str().ok_or(CannotBuild)?;
    if content_type != Answer::CONTENT_TYPE {
        return Err(CannotBuild);
    }
    match response["status"].as_u64() {
        Some(200) => {}
        _ => return Err(CannotBuild),
    }
    let Value::Object(answer) = body_of(exchange) else {
        return Err(CannotBuild);
    };
    let mut outputs = Outputs::default();
    for (key, value) in &answer {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("Outputs", Value::Object(values)) => rebuild_outputs(values, &mut outputs)?,
            ("Logs", Value::Array(lines)) => {
                for line in lines {
                    outputs.logs.push(line.as_str().ok_or(CannotBuild)?.to_owned());
                }
            }
            _ => return Err(CannotBuild),
        }
    }
    outputs.into_answer().map_err(|_| CannotBuild)
}

fn rebuild_outputs(
    values: &serde_json::Map<String, Value>,
    outputs: &mut Outputs,
) -> Result<(), CannotBuild> {
    for (name, value) in values {
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("documents", Value::Array(documents)) => {
                for document in documents {
                    outputs.documents.push(object(document)?);
                }
            }
            ("live", Value::Array(items)) => {
                for item in items {
                    outputs.live.push(live_item(item)?);
                }
            }
            ("res", Value::Object(_)) => outputs.response = Some(response(value)?),
            _ => return Err(CannotBuild),
        }
    }
    Ok(())
}

fn object(value: &Value) -> Result<RawObject, CannotBuild> {
    RawObject::new(value.to_string()).map_err(|_| CannotBuild)
}

fn live_item(item: &Value) -> Result<LiveItem, CannotBuild> {
    let target = item["target"].as_str().ok_or(CannotBuild)?;
    let arguments = item["arguments"].as_array().ok_or(CannotBuild)?;
    let arguments: Result<Vec<_>, _> = arguments.iter().map(object).collect();
    let audience = match item["groupName"].as_str() {
        Some(group) => Audience::Group(group.to_owned()),
        None => Audience::Everyone,
    };
    LiveItem::message(audience, target, arguments?).map_err(|_| CannotBuild)
}

fn response(value: &Value) -> Result<HttpResponse, CannotBuild> {
    let status_code =
        value["statusCode"].as_u64().and_then(|code| u16::try_from(code).ok()).ok_or(CannotBuild)?;
    let body = match &value["body"] {
        Value::Null => String::new(),
        Value::String(body) => body.clone(),
        _ => return Err(CannotBuild),
    };
    let mut headers = Vec::new();
    for (name, value) in value["headers"].as_object().into_iter().flatten() {
        headers.push((name.clone(), value.as_str().ok_or(CannotBuild)?.to_owned()));
    }
    Ok(HttpResponse { status_code, headers, body })
}

#[test]
fn what_the_host_refused_or_damaged_cannot_be_built() {
    let mut n_refused = 0;
    for exchange in recordings::all() {
        if exchange.is_forwarded() || fate(&exchange) != Fate::Refused {
            continue;
        }
        // Refused for what the host was asked to bind, with an answer that was fine.
        let is_unbound = exchange.bodies().is_empty() || exchange.requests().is_empty();
        if is_unbound {
            continue;
        }
        let built = rebuild(&exchange);
        assert!(built.is_err(), "{}: {:?}", exchange.id, exchange.json["response"]);
        n_refused += 1;
    }
    assert!(n_refused >= 60, "{n_refused}");
}

#[test]
fn what_can_be_built_was_accepted_and_says_the_same() {
    let mut n_rebuilt = 0;
    for exchange in recordings::all() {
        if exchange.is_forwarded() || fate(&exchange) != Fate::Accepted {
            continue;
        }
        let Ok(answer) = rebuild(&exchange) else {
            continue;
        };
        assert_eq!(answer.status(), 200);
        let built: Value = serde_json::from_slice(answer.body()).expect("json");
        assert_eq!(without_nothing(built), without_nothing(body_of(&exchange)), "{}", exchange.id);
        n_rebuilt += 1;
    }
    assert!(n_rebuilt >= 100, "{n_rebuilt}");
}

/// The answer without what says nothing: nulls, empty lists and empty objects.
fn without_nothing(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let rest = map.into_iter().map(|(key, value)| (key, without_nothing(value)));
    let is_something = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    Value::Object(rest.filter(|(_, value)| is_something(value)).collect())
}

#[test]
fn a_failure_looks_like_those_that_were_retried() {
    let answer = Answer::failure("cosmos db is not reachable:\n\"x\" \u{1}");
    assert_eq!(answer.status(), 500);
    let body: Value = serde_json::from_slice(answer.body()).expect("json");
    assert_eq!(body["error"]["message"], "cosmos db is not reachable:\n\"x\" \u{1}");
    let retried = recordings::read("event_hub.jsonl").into_iter().any(|exchange| {
        exchange.json["response"]["status"] == 500
            && exchange.json["response"]["headers"]["Content-Type"] == Answer::CONTENT_TYPE
            && exchange.json["outcome"]["posts"].as_u64() > Some(1)
    });
    assert!(retried);
}

fn document(json: &str) -> RawObject {
    RawObject::new(json).expect(json)
}

#[test]
fn everything_in_one_answer() {
    let outputs = Outputs {
        documents: vec![document(r#"{"id":"r-1","bucket":"a.0.1"}"#), document(r#"{"id":"d-1"}"#)],
        live: vec![
            LiveItem::message(Audience::Everyone, "update", vec![document(r#"{"readings":2}"#)])
                .expect("a message"),
            LiveItem::message(Audience::User("u\"1".to_owned()), "update", Vec::new()).expect("a message"),
            LiveItem::message(Audience::Group("g".to_owned()), "update", Vec::new()).expect("a message"),
            LiveItem::group(GroupChange::Add, "u1", "g").expect("a change"),
            LiveItem::group(GroupChange::Remove, "u1", "g").expect("a change"),
        ],
        response: Some(HttpResponse::json(200, r#"{"url":"x"}"#.to_owned())),
        logs: vec!["stored 2 readings".to_owned()],
    };
    let answer = outputs.into_answer().expect("an answer");
    check_undamaged(std::str::from_utf8(answer.body()).expect("utf-8")).expect("undamaged");
    insta::assert_snapshot!(String::from_utf8(answer.into_body()).expect("utf-8"), @r#"{"Outputs":{"documents":[{"id":"r-1","bucket":"a.0.1"},{"id":"d-1"}],"live":[{"target":"update","arguments":[{"readings":2}]},{"target":"update","arguments":[],"userId":"u\"1"},{"target":"update","arguments":[],"groupName":"g"},{"action":"add","userId":"u1","groupName":"g"},{"action":"remove","userId":"u1","groupName":"g"}],"res":{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\"url\":\"x\"}"}},"Logs":["stored 2 readings"]}"#);
}

#[test]
fn saying_nothing_is_an_empty_object() {
    assert_eq!(Answer::empty().body(), b"{}");
    assert_eq!(Outputs::default().into_answer().expect("an answer"), Answer::empty());
}

#[test]
fn documents_that_cosmos_db_refuses_for_ever() {
    let answer =
        |json: String| Outputs { documents: vec![document(&json)], ..Outputs::default() }.into_answer();
    assert_eq!(answer(r#"{"bucket":1}"#.to_owned()), Err(Damage::DocumentId { index: 0 }));
    assert_eq!(answer(format!(r#"{{"id":"{}"}}"#, "x".repeat(1024))), Err(Damage::DocumentId { index: 0 }));
    let large = format!(r#"{{"id":"x","pad":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    assert!(matches!(answer(large), Err(Damage::DocumentSize { index: 0, .. })));
}

#[test]
fn live_messages_that_would_reach_everyone_or_no_one() {
    let message = |audience, target: &str| LiveItem::message(audience, target, Vec::new());
    assert_eq!(message(Audience::Everyone, ""), Err(Damage::EmptyName { part: "target" }));
    assert_eq!(message(Audience::User(String::new()), "t"), Err(Damage::EmptyName { part: "user" }));
    assert_eq!(message(Audience::Group(String::new()), "t"), Err(Damage::EmptyName { part: "group" }));
    let date = "2024-01-01T02:00:00Z".to_owned();
    assert_eq!(message(Audience::User(date), "t"), Err(Damage::DateIn { part: "user" }));
    assert!(RawObject::new(r#"{"n":9007199254740993}"#).is_err());
}

#[test]
fn responses_that_the_host_would_not_send_so() {
    let respond = |status_code, headers: &[(&str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer::respond(HttpResponse { status_code, headers, body: body.to_owned() })
    };
    assert!(respond(404, &[("X-A", "b")], "{}").is_ok());
    assert!(respond(204, &[], "").is_ok());
    for (status_code, body) in [(0, ""), (101, ""), (600, ""), (204, "x"), (304, "x")] {
        assert!(matches!(respond(status_code, &[], body), Err(Damage::Status { .. })), "{status_code}");
    }
    for (name, value) in
        [("", "x"), ("a b", "x"), ("a", "x\r\nb: c"), ("a", "\u{e9}"), ("Content-Length", "3")]
    {
        assert!(matches!(respond(200, &[(name, value)], ""), Err(Damage::Header { index: 0, .. })), "{name}");
    }
    assert!(matches!(respond(200, &[("a", "1"), ("A", "2")], ""), Err(Damage::Header { index: 1, .. })));
    assert_eq!(respond(200, &[], "2024-01-01T02:00:00.000Z"), Err(Damage::DateIn { part: "response body" }));
}

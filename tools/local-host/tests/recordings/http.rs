//! HTTP functions: enveloped with further bindings, and forwarded.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use local_host::config::{Function, Trigger};
use local_host::cosmos::{Account, OutputClient, ResourceNames};
use local_host::http_front::{Inbound, Route, enveloped_body, forwarded_request, resolve_expression};
use local_host::invoke::{Reading, Work, http_reply, plan, read_answer};
use local_host::json_net::{self, Json};
use local_host::signalr;
use serde_json::Value;

use crate::{Recording, assert_same_head, body, recorded_headers, recordings};

const SIGNALR: &str =
    "Endpoint=http://localhost;Port=8888;AccessKey=some-key-for-the-comparison;Version=1.0;";

#[test]
fn the_same_envelope_for_the_same_call() {
    let mut held = 0;
    for recording in recordings("http_enveloped.jsonl") {
        let request = &recording.requests()[0];
        let name = request["path"].as_str().unwrap().trim_start_matches('/');
        let function = recording.function(name);
        let recorded = body(request);
        let attempt = recording.attempt(&function, recorded.get("Metadata").unwrap());
        let inbound = inbound(&recording, &function, Some(&recorded));
        let inputs = inputs(&function, &inbound, &recorded);
        let built = enveloped_body(&inbound, &function.trigger_name, inputs, &attempt);
        assert_same_head(&recording.id, name, request);
        assert_eq!(with_plain_header_names(built), with_plain_header_names(recorded), "{}", recording.id);
        held += 1;
    }
    assert_eq!(held, 26);
}

#[tokio::test]
async fn the_same_reply_for_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let base = "http://127.0.0.1:1/".parse().unwrap();
    let account = Arc::new(Account::open(base, &folder.path().join("journal")).await.unwrap());
    let client = OutputClient::new(Arc::clone(&account), Arc::default());
    let names = ResourceNames { database: "AnomalyDB".into(), container: "Results".into() };
    account.ensure_container(&names, "/bucket").await.unwrap();
    for recording in recordings("http_enveloped.jsonl") {
        let function = recording.function("f");
        let reply = match read_answer(&recording.answer().unwrap()) {
            Reading::Accepted(answer) => {
                let mut outcome = http_reply(&function, &answer);
                for (_, work) in plan(&function, &answer).work {
                    let Work::Upsert(documents) = work else { panic!("{}: {work:?}", recording.id) };
                    let texts: Vec<String> = documents.iter().map(Json::to_text).collect();
                    if let Err(error) = client.upsert_all(&names, &texts).await {
                        outcome = Err(error.to_string());
                    }
                }
                outcome
            }
            other => Err(format!("{other:?}")),
        };
        let recorded = &recording.whole["outcome"]["reply_to_caller"];
        match reply {
            Err(reason) => assert_eq!(recorded["status"], 500, "{}: {reason}", recording.id),
            Ok(reply) => {
                assert_eq!(recorded["status"], reply.status, "{}", recording.id);
                assert_eq!(recorded["body"], reply.body, "{}", recording.id);
                let own = ["date", "server", "transfer-encoding"];
                let mut recorded: Vec<(String, String)> = pairs(&recorded["headers"]);
                recorded.retain(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
                assert_eq!(recorded, reply.headers, "{}", recording.id);
            }
        }
    }
}

#[test]
fn the_same_forwarded_request_for_the_same_call() {
    let mut held = 0;
    for recording in recordings("http_forwarded.jsonl") {
        let function = recording.function("f");
        let Trigger::Http(trigger) = &function.trigger else { panic!("{}", recording.id) };
        let inbound = inbound(&recording, &function, None);
        let takes = trigger.methods.iter().any(|method| method == inbound.method.as_str());
        let is_own = ["/admin/", "/runtime/"].iter().any(|start| inbound.path.starts_with(start));
        assert_eq!(!recording.requests().is_empty(), takes && !is_own, "{}", recording.id);
        for request in recording.requests() {
            let headers = recorded_headers(request);
            let id = &headers.iter().find(|(name, _)| name == "x-azure-functions-invocationid").unwrap().1;
            let built = forwarded_request(&inbound, id.parse().unwrap());
            assert_eq!(request["method"], built.method.as_str(), "{}", recording.id);
            assert_eq!(request["path"], built.path_and_query, "{}", recording.id);
            let skipped = ["host", "content-length"];
            let built_headers: Vec<(String, String)> = built
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
                .filter(|(name, _)| !skipped.contains(&name.as_str()))
                .collect();
            assert_eq!(sorted(built_headers), sorted(headers), "{}", recording.id);
            let recorded_body = match request["body_base64"].as_str() {
                Some(text) => STANDARD.decode(text).unwrap(),
                None => request["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
            };
            assert_eq!(built.body, recorded_body, "{}", recording.id);
            held += 1;
        }
    }
    assert!(held >= 23, "only {held} requests were compared");
}

/// The call as it was sent: the recording client's own headers, then those of the stimulus.
fn inbound(recording: &Recording, function: &Function, recorded: Option<&Json>) -> Inbound {
    let call = &recording.whole["stimulus"]["http"];
    let target = call["path"].as_str().unwrap();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let kind = call["headers"]["Content-Type"].as_str().unwrap_or_default();
    let text = call["body"].as_str().unwrap_or_default();
    let body = if kind == "application/octet-stream" {
        STANDARD.decode(text).unwrap()
    } else {
        text.as_bytes().to_vec()
    };
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        headers
            .insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    };
    match recorded {
        // The order in which the host's web server lists headers is its own; the values are the call's.
        Some(recorded) => {
            let Json::Object(fields) =
                recorded.get("Data").unwrap().get("req").unwrap().get("Headers").unwrap()
            else {
                panic!("{}", recording.id)
            };
            for (name, _) in fields {
                let value = match (name.as_str(), call["headers"][name].as_str()) {
                    (_, Some(value)) => value.to_owned(),
                    ("Host", _) => "127.0.0.1:7071".to_owned(),
                    ("Accept-Encoding", _) => "identity".to_owned(),
                    ("Content-Length", _) => body_length(recorded, &body),
                    (other, _) => panic!("{}: header {other} is not in the stimulus", recording.id),
                };
                add(name, &value);
            }
        }
        None => {
            add("Host", "127.0.0.1:7071");
            add("Accept-Encoding", "identity");
            for (name, value) in call["headers"].as_object().unwrap() {
                add(name, value.as_str().unwrap());
            }
        }
    }
    let Trigger::Http(trigger) = &function.trigger else { panic!("{}", recording.id) };
    let body = match recorded.and_then(|recorded| latin_1_body(recorded, text)) {
        Some(body) => body,
        None => body,
    };
    Inbound {
        method: Method::from_bytes(call["method"].as_str().unwrap().as_bytes()).unwrap(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers,
        body: Bytes::from(body),
        params: Route::new("", &trigger.route, "f").matches(path).unwrap_or_default(),
    }
}

/// The recording client sent one text in Latin-1; the replaced letter in the recording shows it.
fn latin_1_body(recorded: &Json, text: &str) -> Option<Vec<u8>> {
    let shown = recorded.get("Data")?.get("req")?.get("Body")?.as_str()?;
    let was_latin_1 = shown.contains('\u{fffd}');
    was_latin_1.then(|| text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect())
}

fn body_length(recorded: &Json, body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default();
    latin_1_body(recorded, text).map_or(body.len(), |body| body.len()).to_string()
}

/// The further inputs; an access token is compared by its claims and then takes the recorded one's place.
fn inputs(function: &Function, inbound: &Inbound, recorded: &Json) -> Vec<(String, Json)> {
    let mut inputs = Vec::new();
    for input in &function.inputs {
        let user =
            input.user_id.as_deref().map(|expression| resolve_expression(expression, inbound).unwrap());
        let hub = input.hub.clone().unwrap();
        let info = signalr::connection_info(SIGNALR, &hub, user.as_deref(), jiff::Timestamp::now()).unwrap();
        let value = recorded.get("Data").unwrap().get(&input.name).unwrap();
        let text: String = serde_json::from_str(value.as_str().unwrap()).unwrap();
        let recorded_info = json_net::read(&text).unwrap();
        assert_eq!(info.get("url"), recorded_info.get("url"));
        assert_eq!(claims(&info), claims(&recorded_info));
        inputs.push((input.name.clone(), Json::String(recorded_info.to_indented_text()).encoded()));
    }
    inputs
}

/// Claims of a token without its times, and its life.
fn claims(info: &Json) -> (Value, i64) {
    let token = info.get("accessToken").unwrap().as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    for time in ["exp", "nbf", "iat"] {
        claims[time] = Value::Null;
    }
    (claims, life)
}

/// Header names reach this host in lower case; the real one keeps the caller's.
fn with_plain_header_names(envelope: Json) -> String {
    fn visit(value: Json, in_headers: bool) -> Json {
        match value {
            Json::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| {
                        let below = name == "Headers";
                        (if in_headers { name.to_lowercase() } else { name }, visit(value, below))
                    })
                    .collect(),
            ),
            other => other,
        }
    }
    visit(envelope, false).to_text()
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned()))
        .collect()
}

fn sorted(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.sort();
    headers
}

#[test]
fn only_functions_with_http_alone_are_forwarded() {
    for (file, forwarded) in [("http_forwarded.jsonl", true), ("http_enveloped.jsonl", false)] {
        for recording in recordings(file) {
            let function: Arc<Function> = recording.function("f");
            assert_eq!(function.is_http_only(), forwarded, "{}", recording.id);
        }
    }
}

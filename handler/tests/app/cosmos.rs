//! A stand-in of the Cosmos DB service: the real client connects to it and asks the handler's real questions.
//!
//! It knows the conditions that those questions consist of and no others: a question that it does not understand is
//! answered by 400, so that a test fails which would otherwise pass on an empty answer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A running stand-in; it ends with the test's runtime.
pub(crate) struct Cosmos {
    pub(crate) endpoint: String,
    account: Arc<Account>,
}

struct Account {
    endpoint: String,
    documents: Mutex<Vec<Value>>,
}

impl Cosmos {
    /// Starts one that holds these documents.
    pub(crate) async fn start(documents: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let account = Arc::new(Account { endpoint: endpoint.clone(), documents: documents.into() });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&account));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { endpoint, account }
    }

    /// Starts one that holds the documents of `tests/fixtures/stored.jsonl`.
    pub(crate) async fn with_fixture() -> Self {
        let lines = include_str!("../fixtures/stored.jsonl").lines();
        Self::start(lines.map(|line| serde_json::from_str(line).unwrap()).collect()).await
    }

    /// Stores the documents of an answer, as the host's binding would.
    pub(crate) fn store(&self, answer: &Value) {
        let new = answer["Outputs"]["documents"].as_array().cloned().unwrap_or_default();
        let mut documents = self.account.documents.lock().unwrap();
        documents.retain(|old| new.iter().all(|new| new["id"] != old["id"]));
        documents.extend(new);
    }

    /// The setting that leads to it.
    pub(crate) fn connection(&self) -> String {
        format!("AccountEndpoint={};AccountKey=a2V5;", self.endpoint)
    }
}

async fn answer(
    State(account): State<Arc<Account>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let json = |value: Value| ([("content-type", "application/json")], value.to_string()).into_response();
    match (method.as_str(), uri.path()) {
        ("GET", "/") => json(account.properties()),
        ("GET", "/dbs/AnomalyDB/colls/Results") => json(json!({
            "id": "Results", "_rid": "AAAAAYAAAAE=", "_self": "dbs/AAAAAQ==/colls/AAAAAYAAAAE=/", "_etag": "\"1\"",
            "partitionKey": { "kind": "Hash", "paths": ["/bucket"], "version": 2 }
        })),
        ("GET", "/dbs/AnomalyDB/colls/Results/pkranges") if headers.contains_key("if-none-match") => {
            StatusCode::NOT_MODIFIED.into_response()
        }
        ("GET", "/dbs/AnomalyDB/colls/Results/pkranges") => {
            let ranges = json!([{ "id": "0", "_rid": "AAAAAYAAAAEAAAAAAAAAUA==", "minInclusive": "", "maxExclusive": "FF", "status": "online", "parents": [] }]);
            let body = json!({ "_rid": "AAAAAYAAAAE=", "PartitionKeyRanges": ranges, "_count": 1 });
            ([("content-type", "application/json"), ("etag", "\"1\"")], body.to_string()).into_response()
        }
        ("POST", "/dbs/AnomalyDB/colls/Results/docs") => match account.query(&headers, &body) {
            Ok(rows) => {
                let n_rows = rows.len();
                json(json!({ "_rid": "AAAAAYAAAAE=", "Documents": rows, "_count": n_rows }))
            }
            Err(error) => {
                (StatusCode::BAD_REQUEST, json!({ "code": "BadRequest", "message": error }).to_string())
                    .into_response()
            }
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Account {
    fn properties(&self) -> Value {
        let here = json!([{ "name": "Here", "databaseAccountEndpoint": self.endpoint }]);
        json!({
            "id": "here", "_rid": "here", "_self": "", "writableLocations": here, "readableLocations": here,
            "enableMultipleWriteLocations": false, "queryEngineConfiguration": "{}",
            "userConsistencyPolicy": { "defaultConsistencyLevel": "Strong" }
        })
    }

    fn query(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Value>, String> {
        let question: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let text = question["query"].as_str().unwrap_or_default();
        let (select, rest) = text.split_once(" FROM c WHERE ").ok_or_else(|| format!("no WHERE: {text}"))?;
        let (conditions, order) = rest.split_once(" ORDER BY ").unwrap_or((rest, ""));
        let parameter = |name: &str| {
            let known = question["parameters"].as_array().into_iter().flatten();
            known.clone().find(|parameter| parameter["name"] == name).map(|parameter| &parameter["value"])
        };
        let bucket = headers.get("x-ms-documentdb-partitionkey").and_then(|key| key.to_str().ok());
        let bucket = bucket.map(|key| serde_json::from_str::<Value>(key).map_err(|error| error.to_string()));
        let bucket = bucket.transpose()?.map(|key| key[0].clone());
        let documents = self.documents.lock().unwrap();
        let mut rows = Vec::new();
        for document in documents.iter() {
            let is_there = bucket.as_ref().is_none_or(|bucket| document["bucket"] == *bucket);
            if is_there && holds(conditions, document, &parameter)? {
                rows.push(document);
            }
        }
        match order {
            "" => {}
            "c.enqueuedTo DESC" => rows.sort_by_key(|row| std::cmp::Reverse(row["enqueuedTo"].as_i64())),
            "c.openedAt DESC" => rows.sort_by_key(|row| std::cmp::Reverse(row["openedAt"].as_i64())),
            other => return Err(format!("unknown order: {other}")),
        }
        rows.into_iter().map(|row| project(select, row, &parameter)).collect()
    }
}

/// Whether all conditions hold; each is one that the handler is known to write.
fn holds<'a>(
    conditions: &str,
    document: &Value,
    parameter: &impl Fn(&str) -> Option<&'a Value>,
) -> Result<bool, String> {
    let number = |name: &str| parameter(name).and_then(Value::as_i64).ok_or_else(|| format!("no {name}"));
    let text = |name: &str| parameter(name).and_then(Value::as_str).ok_or_else(|| format!("no {name}"));
    let column = |name: &str| document[name].as_i64();
    let kind = document["type"].as_str().unwrap_or_default();
    // An `ORDER BY` comes in brackets and with a further condition that always holds.
    let conditions =
        conditions.strip_suffix(" AND true").map_or(conditions, |inner| &inner[1..inner.len() - 1]);
    for condition in conditions.split(" AND ") {
        let holds = match condition {
            "c.type = 'devices'" => kind == "devices",
            "c.type = 'results'" => kind == "results",
            "c.type = 'rejects'" => kind == "rejects",
            "c.type = 'alert'" => kind == "alert",
            "c.type = 'acknowledgement'" => kind == "acknowledgement",
            "c.type IN ('mute', 'unmute')" => kind == "mute" || kind == "unmute",
            "c.until >= @from" => column("until") >= Some(number("@from")?),
            "ARRAY_CONTAINS(@ids, c.alertId)" => {
                let ids = parameter("@ids").and_then(Value::as_array).ok_or("no @ids")?;
                ids.contains(&document["alertId"])
            }
            "STARTSWITH(c.deviceId, @prefix)" => document["deviceId"]
                .as_str()
                .is_some_and(|id| text("@prefix").is_ok_and(|prefix| id.starts_with(prefix))),
            "c.deviceId = @id" => document["deviceId"] == text("@id")?,
            "c.openedAt >= @from" => column("openedAt") >= Some(number("@from")?),
            "c.openedAt <= @to" => {
                column("openedAt").is_some_and(|at| number("@to").is_ok_and(|to| at <= to))
            }
            "STARTSWITH(c.bucket, @prefix)" => document["bucket"]
                .as_str()
                .is_some_and(|bucket| text("@prefix").is_ok_and(|prefix| bucket.starts_with(prefix))),
            "IS_DEFINED(c.devices[@id])" => document["devices"].get(text("@id")?).is_some(),
            "c.lastSequence > @after" => column("lastSequence") > Some(number("@after")?),
            "c.lastSequence >= @first" => column("lastSequence") >= Some(number("@first")?),
            "c.firstSequence <= @last" => {
                column("firstSequence").is_some_and(|first| number("@last").is_ok_and(|last| first <= last))
            }
            "c['to'] >= @from" => column("to") >= Some(number("@from")?),
            "c['from'] <= @to" => column("from").is_some_and(|from| number("@to").is_ok_and(|to| from <= to)),
            "c.enqueuedTo >= @from" => column("enqueuedTo") >= Some(number("@from")?),
            "ARRAY_LENGTH(c.rejects) > 0" => {
                document["rejects"].as_array().is_some_and(|rejects| !rejects.is_empty())
            }
            "(IS_NULL(c.rejects[0].enqueuedAt) OR c.rejects[0].enqueuedAt <= @to)" => document["rejects"][0]
                ["enqueuedAt"]
                .as_i64()
                .is_none_or(|at| number("@to").is_ok_and(|to| at <= to)),
            other => return Err(format!("unknown condition: {other}")),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn project<'a>(
    select: &str,
    document: &Value,
    parameter: &impl Fn(&str) -> Option<&'a Value>,
) -> Result<Value, String> {
    let columns = match select {
        "SELECT *" => return Ok(document.clone()),
        "SELECT VALUE c.bucket" => return Ok(document["bucket"].clone()),
        _ if select.contains("\"payload\": c}") => {
            let by = if document["type"] == "alert" { "openedAt" } else { "enqueuedTo" };
            let items = json!([{ "item": document[by] }]);
            let rid = format!("{}-{}", document["bucket"], document["id"]);
            return Ok(json!({ "_rid": rid, "orderByItems": items, "payload": document }));
        }
        _ => select.strip_prefix("SELECT ").ok_or_else(|| format!("unknown projection: {select}"))?,
    };
    let mut row = serde_json::Map::new();
    for column in columns.split(", ") {
        let (name, value) = match column {
            "c.readings[@id] AS rows" => {
                let id = parameter("@id").and_then(Value::as_str).ok_or("no @id")?;
                ("rows", document["readings"].get(id))
            }
            "c['from']" => ("from", document.get("from")),
            "c['to']" => ("to", document.get("to")),
            plain => match plain.strip_prefix("c.") {
                Some(name) => (name, document.get(name)),
                None => return Err(format!("unknown column: {plain}")),
            },
        };
        row.extend(value.map(|value| (name.to_owned(), value.clone())));
    }
    Ok(Value::Object(row))
}

//! Requests that change documents: a request enters, what the journal must keep of it leaves once the answer is known. Pure.

use azure_core::http::Method;
use serde_json::Value;

use super::account::{Exchange, ResourceNames};
use super::journal::Entry;

const PARTITION_KEY: &str = "x-ms-documentdb-partitionkey";
const IS_QUERY: [&str; 2] = ["x-ms-documentdb-isquery", "x-ms-documentdb-query"];
const IS_QUERY_PLAN: &str = "x-ms-cosmos-is-query-plan-request";
const IS_BATCH: &str = "x-ms-cosmos-is-batch-request";
const CONTENT_ON_WRITE: &str = "x-ms-cosmos-populate-content-response-on-write";
const FORMATS: &str = "x-ms-cosmos-supported-serialization-formats";

/// A request that changes documents, with what the journal needs of it.
pub(super) enum Write {
    Put { names: ResourceNames },
    Delete { names: ResourceNames, partition_key: String, id: String },
    Batch { names: ResourceNames, partition_key: String, operations: Vec<Value> },
}

impl Write {
    pub(super) fn of(exchange: &Exchange) -> Option<Self> {
        let path = exchange.path_and_query.split('?').next().unwrap_or_default();
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let [dbs, database, colls, container, docs, rest @ ..] = segments.as_slice() else { return None };
        if dbs != "dbs" || colls != "colls" || docs != "docs" {
            return None;
        }
        let names = ResourceNames { database: database.clone(), container: container.clone() };
        let header = |name: &str| header(exchange, name);
        match (exchange.method, rest) {
            (Method::Post, []) => {
                let reads = IS_QUERY.iter().chain([&IS_QUERY_PLAN]).any(|name| is_true(header(name)));
                if reads {
                    None
                } else if is_true(header(IS_BATCH)) {
                    Some(Self::Batch {
                        names,
                        partition_key: header(PARTITION_KEY).unwrap_or_default().to_owned(),
                        operations: serde_json::from_slice(&exchange.body).unwrap_or_default(),
                    })
                } else {
                    Some(Self::Put { names })
                }
            }
            (Method::Put | Method::Patch, [_]) => Some(Self::Put { names }),
            (Method::Delete, [id]) => Some(Self::Delete {
                names,
                partition_key: header(PARTITION_KEY).unwrap_or_default().to_owned(),
                id: id.clone(),
            }),
            _ => None,
        }
    }

    /// The changes that a successful answer stands for; `at` is the present, in seconds since 1970.
    pub(super) fn entries(&self, answer: &[u8], at: i64) -> Vec<Entry> {
        match self {
            Self::Put { names } => match serde_json::from_slice(answer) {
                Ok(document) => vec![Entry::Put { names: names.clone(), document: user_part(document), at }],
                Err(_) => Vec::new(),
            },
            Self::Delete { names, partition_key, id } => vec![Entry::Delete {
                names: names.clone(),
                partition_key: partition_key.clone(),
                id: id.clone(),
            }],
            Self::Batch { names, partition_key, operations } => {
                let results: Vec<Value> = serde_json::from_slice(answer).unwrap_or_default();
                operations
                    .iter()
                    .zip(results)
                    .filter_map(|(operation, result)| {
                        batch_entry(names, partition_key, operation, &result, at)
                    })
                    .collect()
            }
        }
    }
}

fn batch_entry(
    names: &ResourceNames,
    partition_key: &str,
    operation: &Value,
    result: &Value,
    at: i64,
) -> Option<Entry> {
    let succeeded = result["statusCode"].as_u64().is_some_and(|status| (200..300).contains(&status));
    if !succeeded {
        return None;
    }
    match operation["operationType"].as_str()? {
        "Delete" => Some(Entry::Delete {
            names: names.clone(),
            partition_key: partition_key.to_owned(),
            id: operation["id"].as_str()?.to_owned(),
        }),
        "Read" => None,
        _ => {
            let document = result.get("resourceBody").or_else(|| operation.get("resourceBody"))?;
            Some(Entry::Put { names: names.clone(), document: user_part(document.clone()), at })
        }
    }
}

/// The document without what the service adds to it; a replay makes these anew.
fn user_part(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        for system in ["_rid", "_self", "_etag", "_ts", "_attachments", "_lsn"] {
            fields.remove(system);
        }
    }
    document
}

/// Makes the emulator answer a write with the stored document as JSON text, whatever the client asked for: the journal records that.
pub(super) fn with_text_content(mut exchange: Exchange) -> Exchange {
    exchange.headers.retain(|(name, _)| name != CONTENT_ON_WRITE && name != FORMATS && name != "prefer");
    exchange.headers.push((CONTENT_ON_WRITE.to_owned(), "true".to_owned()));
    exchange
}

pub(super) fn wants_no_content(exchange: &Exchange) -> bool {
    match header(exchange, CONTENT_ON_WRITE) {
        Some(value) => !value.eq_ignore_ascii_case("true"),
        None => header(exchange, "prefer").is_some_and(|value| value.contains("return=minimal")),
    }
}

fn header<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    exchange.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
}

fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

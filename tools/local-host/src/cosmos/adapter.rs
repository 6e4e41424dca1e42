//! The account's door for real clients: HTTP requests enter, the account's answers leave with status, headers and body unchanged.
//!
//! It checks no keys: the door is on the loopback interface only, and the key in a local connection string is a formality.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use azure_core::http::Method;

use super::account::{Account, AccountError, Exchange, Reply};
use crate::faults::CosmosFaults;

/// Largest request body; Cosmos DB itself ends at 2 MB a document and 2 MB a batch.
const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;

#[derive(Clone)]
struct Entrance {
    account: Arc<Account>,
    faults: Arc<CosmosFaults>,
}

/// The routes of the account: every path and method goes to the emulator.
pub fn router(account: Arc<Account>, faults: Arc<CosmosFaults>) -> Router {
    Router::new().fallback(forward).with_state(Entrance { account, faults })
}

async fn forward(State(Entrance { account, faults }): State<Entrance>, request: Request) -> Response {
    // What is asked about the account and its containers is never throttled.
    let of_documents = request.uri().path().contains("/docs");
    if of_documents && let Some(retry_after) = faults.throttling.retry_after() {
        return too_many(retry_after);
    }
    match read(request).await {
        Ok(exchange) => match off_the_async_threads(account, exchange).await {
            Ok(reply) => respond(reply.status, reply.headers, reply.body),
            Err(error) => {
                tracing::error!(error = %error, "the local cosmos account could not carry out a request");
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
        },
        Err(refusal) => refusal,
    }
}

/// The answer to a request that is one too many.
fn too_many(retry_after: Duration) -> Response {
    let headers = vec![
        ("x-ms-retry-after-ms".to_owned(), retry_after.as_millis().to_string()),
        ("x-ms-substatus".to_owned(), "3200".to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    respond(429, headers, br#"{"code":"429","message":"request rate is large"}"#.to_vec())
}

/// A query walks all documents, which takes tens of milliseconds of a processor.
async fn off_the_async_threads(account: Arc<Account>, exchange: Exchange) -> Result<Reply, AccountError> {
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || runtime.block_on(account.execute(exchange)));
    work.await.unwrap_or_else(|error| Err(AccountError::Emulator(error.to_string())))
}

async fn read(request: Request) -> Result<Exchange, Response> {
    let (parts, body) = request.into_parts();
    let method = method(parts.method.as_str()).ok_or_else(|| {
        (StatusCode::METHOD_NOT_ALLOWED, format!("method {} is not known here", parts.method)).into_response()
    })?;
    let body = to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|error| {
        (StatusCode::PAYLOAD_TOO_LARGE, format!("cannot read the request body: {error}")).into_response()
    })?;
    let headers = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Exchange { method, path_and_query, headers, body: body.to_vec() })
}

fn method(name: &str) -> Option<Method> {
    Some(match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return None,
    })
}

fn respond(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        // The web server computes these two for the body it sends.
        if name == "content-length" || name == "transfer-encoding" {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

//! Creating a container: its address with a signature enters; that it is there leaves.

use std::time::Duration;

use axum::http::{Method, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep, timeout};

/// Pause between tries.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// An answer that says more is not read to its end.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Creates the container unless it exists, trying until somebody listens, at most `limit` long.
///
/// # Errors
///
/// Why it is not there.
pub(super) async fn create_container(url: &str, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    loop {
        let failure = match timeout(ANSWER_LIMIT, put(url)).await {
            Ok(Ok((201 | 409, _))) => return Ok(()),
            Ok(Ok((status, body))) => return Err(format!("status {status}: {body}")),
            Ok(Err(failure)) => failure,
            Err(_) => format!("no answer within {} s", ANSWER_LIMIT.as_secs()),
        };
        if Instant::now() >= deadline {
            return Err(failure);
        }
        sleep(PAUSE).await;
    }
}

async fn put(url: &str) -> Result<(u16, String), String> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("{url}&restype=container"))
        .header("content-length", "0")
        .body(Full::default())
        .map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), BODY_LIMIT_BYTES).collect().await;
    let body = body.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

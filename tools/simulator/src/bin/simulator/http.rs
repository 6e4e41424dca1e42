//! One HTTP call and what its answer means for what comes next.
//!
//! A request enters; success, or an error that says whether to try again, leaves.

use anyhow::{Context, Result};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use std::time::Duration;

/// Longest a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most that is read of an answer.
const MOST_ANSWER_BYTES: usize = 64 * 1024;
/// A server's wish to wait is granted up to here.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// Another attempt may succeed.
    #[error("{reason}")]
    Transient {
        reason: String,
        /// Time that the target asked for.
        wait: Option<Duration>,
    },
    /// This message will never be taken; others may.
    #[error("{0}")]
    Refused(String),
    /// Nothing will be taken.
    #[error("{0}")]
    Hopeless(String),
}

/// The client for all calls to targets; on this machine it does not go through a proxy.
///
/// # Errors
///
/// When the platform's certificates cannot be loaded.
pub(crate) fn client(loopback: bool) -> Result<Client> {
    let mut builder = Client::builder()
        .timeout(CALL_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("simulator/", env!("CARGO_PKG_VERSION")));
    if loopback {
        builder = builder.no_proxy();
    }
    builder.build().context("the HTTP client could not be set up")
}

/// Sends a request and gives the body of a successful answer, or of one with the status `also`.
///
/// # Errors
///
/// As the answer's status says; a connection that fails may be tried again.
pub(crate) async fn call(request: RequestBuilder, also: Option<StatusCode>) -> Result<Answer, SendError> {
    call_up_to(request, also, MOST_ANSWER_BYTES).await
}

/// Sends a request and gives the body of a successful answer of up to `most_bytes`.
///
/// # Errors
///
/// As [`call`].
pub(crate) async fn call_for(request: RequestBuilder, most_bytes: usize) -> Result<Answer, SendError> {
    call_up_to(request, None, most_bytes).await
}

async fn call_up_to(
    request: RequestBuilder,
    also: Option<StatusCode>,
    most_bytes: usize,
) -> Result<Answer, SendError> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let wait = retry_after(&response);
    let body = read(response, most_bytes).await;
    if status.is_success() || Some(status) == also {
        return Ok(Answer { status, body });
    }
    Err(judge(status, wait, &body))
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

/// What a status other than success means.
fn judge(status: StatusCode, wait: Option<Duration>, body: &[u8]) -> SendError {
    let said = excerpt(body);
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            SendError::Transient { reason: format!("answered {status}{said}"), wait }
        }
        _ if status.is_server_error() => {
            SendError::Transient { reason: format!("answered {status}{said}"), wait }
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SendError::Hopeless(format!(
            "answered {status}{said}: check the connection string's key and rights, and this machine's clock"
        )),
        StatusCode::NOT_FOUND => SendError::Hopeless(format!(
            "answered {status}{said}: check the address, the hub's name and that the device is registered"
        )),
        _ => SendError::Refused(format!("answered {status}{said}")),
    }
}

fn unreachable(error: reqwest::Error) -> SendError {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else if error.is_builder() {
        return SendError::Hopeless(format!("is no usable address: {}", root(&error)));
    } else {
        "broke the connection"
    };
    SendError::Transient { reason: format!("{what} ({})", root(&error.without_url())), wait: None }
}

/// The innermost cause, which alone says what happened.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// Reads an answer up to a limit; what a broken connection cuts off is not missed.
async fn read(mut response: Response, most_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = most_bytes - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == most_bytes {
            break;
        }
    }
    body
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if text.trim().is_empty() { String::new() } else { format!(" ({})", text.trim()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_say_whether_to_try_again() {
        let judged = |status: u16| judge(StatusCode::from_u16(status).unwrap(), None, b"");
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(judged(status), SendError::Transient { .. }), "{status}");
        }
        for status in [401, 403, 404] {
            assert!(matches!(judged(status), SendError::Hopeless(_)), "{status}");
        }
        for status in [302, 400, 413] {
            assert!(matches!(judged(status), SendError::Refused(_)), "{status}");
        }
    }

    #[test]
    fn answers_are_quoted_in_one_short_line() {
        assert_eq!(excerpt(b"bad\n\x1b[31mrequest"), " (bad[31mrequest)");
        assert_eq!(excerpt(b" \n"), "");
        assert_eq!(excerpt("ä".repeat(400).as_bytes()).chars().count(), 203);
    }
}

//! The connection to the handler: HTTP/1.1 on the loopback interface, pooled, with the host's headers and nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thiserror::Error;
use uuid::Uuid;

use super::kill_point::{KillPoint, read_answer, request_body};

/// The host that the recordings were made on.
pub(crate) const HOST_VERSION: &str = "4.1037.0.0";
/// Answers above this are refused; the real host buffers up to 2 GB.
const ANSWER_LIMIT_BYTES: usize = 512 * 1024 * 1024;
/// The real host closes idle connections after about this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(67);

/// The handler did not answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No connection: nothing was sent.
    #[error("the handler refused the connection: {0}")]
    Connect(String),
    /// The connection ended before the answer did.
    #[error("the handler's answer ended prematurely: {0}")]
    Cut(String),
    /// The request cannot be expressed.
    #[error("the request cannot be sent: {0}")]
    Request(String),
}

/// A request to the handler.
#[derive(Debug, Clone)]
pub struct ToHandler {
    /// Method.
    pub method: Method,
    /// Path and query, raw.
    pub path_and_query: String,
    /// Headers in order, without those of the connection.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body.
    pub body: Bytes,
    /// Whether the body is sent in chunks, its length untold.
    pub chunked: bool,
}

/// A client for the handler's port.
#[derive(Debug, Clone)]
pub struct HandlerClient {
    client: Client<HttpConnector, UnsyncBoxBody<Bytes, Infallible>>,
    port: Arc<AtomicU16>,
}

impl HandlerClient {
    /// A client for 127.0.0.1 at this port.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http1_title_case_headers(true)
            .build(connector);
        Self { client, port: Arc::new(AtomicU16::new(port)) }
    }

    /// Sends a request and collects the answer.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when there is no whole answer; there is no deadline here, the caller has one.
    pub async fn send(&self, request: ToHandler) -> Result<Response<Bytes>, ClientError> {
        self.exchange(request, None).await
    }

    /// Sends a request and collects the answer, unless the handler is killed meanwhile.
    pub(super) async fn exchange(
        &self,
        request: ToHandler,
        kill: Option<KillPoint>,
    ) -> Result<Response<Bytes>, ClientError> {
        let port = self.port.load(Ordering::Relaxed);
        let uri = Uri::builder()
            .scheme("http")
            .authority(format!("127.0.0.1:{port}"))
            .path_and_query(request.path_and_query)
            .build()
            .map_err(|error| ClientError::Request(error.to_string()))?;
        let length = request.body.len();
        let body = match request_body(request.body.clone(), kill.as_ref()) {
            Some(dying) => dying,
            None => body(request.body, request.chunked),
        };
        let mut outgoing = Request::new(body);
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = uri;
        for (name, value) in request.headers {
            outgoing.headers_mut().append(name, value);
        }
        if kill.is_some() && !request.chunked {
            outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let response = self.client.request(outgoing).await.map_err(|error| {
            if error.is_connect() {
                ClientError::Connect(chain(&error))
            } else {
                ClientError::Cut(chain(&error))
            }
        })?;
        read_answer(response, ANSWER_LIMIT_BYTES, kill).await.map_err(ClientError::Cut)
    }
}

/// The three headers of the host and its user agent, which follows the caller's if there is one.
pub(crate) fn host_headers(
    invocation_id: Uuid,
    caller_agent: Option<&HeaderValue>,
) -> Vec<(HeaderName, HeaderValue)> {
    let agent = format!("Azure-Functions-Host/{HOST_VERSION}");
    let agent = match caller_agent.and_then(|caller| caller.to_str().ok()) {
        Some(caller) => format!("{caller} {agent}"),
        None => agent,
    };
    let mut headers = vec![(
        HeaderName::from_static("x-azure-functions-hostversion"),
        HeaderValue::from_static(HOST_VERSION),
    )];
    for (name, text) in [("x-azure-functions-invocationid", invocation_id.to_string()), ("user-agent", agent)]
    {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.push((HeaderName::from_static(name), value));
        }
    }
    headers
}

/// The request of an enveloped invocation.
#[must_use]
pub fn invocation_request(function: &str, invocation_id: Uuid, body: String, chunked: bool) -> ToHandler {
    let mut headers = host_headers(invocation_id, None);
    headers.push((
        HeaderName::from_static("content-type"),
        HeaderValue::from_static("application/json; charset=utf-8"),
    ));
    ToHandler {
        method: Method::POST,
        path_and_query: format!("/{function}"),
        headers,
        body: Bytes::from(body),
        chunked,
    }
}

/// Text of a header, if it is there and text.
pub(crate) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn body(bytes: Bytes, chunked: bool) -> UnsyncBoxBody<Bytes, Infallible> {
    if chunked {
        let frame = hyper::body::Frame::data(bytes);
        StreamBody::new(futures::stream::iter([Ok(frame)])).boxed_unsync()
    } else {
        Full::new(bytes).boxed_unsync()
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

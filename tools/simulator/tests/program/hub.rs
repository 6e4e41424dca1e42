//! A stand-in of IoT Hub and Event Hubs: keeps what is sent, and answers as it was told.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex};

/// One call that arrived.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// A header's text, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The readings in the body.
    pub(crate) fn readings(&self) -> Vec<serde_json::Value> {
        match serde_json::from_slice(&self.body).expect("a body is JSON") {
            serde_json::Value::Array(readings) => readings,
            reading => vec![reading],
        }
    }
}

type Answer = dyn Fn(usize, &Call) -> Response + Send + Sync;

/// A hub on a free port of this machine; ends with its runtime.
pub(crate) struct Hub {
    /// Host and port.
    pub(crate) host: String,
    calls: Arc<Mutex<Vec<Call>>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Shared {
    calls: Arc<Mutex<Vec<Call>>>,
    answer: Arc<Answer>,
}

impl Hub {
    /// Starts a hub that answers call number n (from 0) as `answer` says.
    pub(crate) fn start(answer: impl Fn(usize, &Call) -> Response + Send + Sync + 'static) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared { calls: Arc::clone(&calls), answer: Arc::new(answer) };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let app = Router::new().fallback(take).with_state(shared);
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { host, calls, _runtime: runtime }
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn take(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { method, uri, headers, body: body.to_vec() };
    let mut calls = shared.calls.lock().unwrap();
    let response = (shared.answer)(calls.len(), &call);
    calls.push(call);
    response
}

/// An answer without body.
pub(crate) fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}

/// The signature's parts, and whether it was made with `key` for these parts.
pub(crate) fn is_signed(token: &str, resource: &str, policy: Option<&str>, key: &[u8]) -> bool {
    use base64::Engine;
    use hmac::{Hmac, KeyInit, Mac};
    let Some(fields) = token.strip_prefix("SharedAccessSignature ") else { return false };
    let field = |name: &str| {
        let found = fields.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.map(|value| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    let raw = |name: &str| fields.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let (Some(sr), Some(se)) = (raw("sr"), raw("se")) else { return false };
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{sr}\n{se}").as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let alive = se.parse::<i64>().is_ok_and(|se| se > jiff::Timestamp::now().as_second());
    field("sr").as_deref() == Some(resource)
        && field("sig") == Some(expected)
        && field("skn").as_deref() == policy
        && alive
}

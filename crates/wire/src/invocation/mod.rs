//! The conversation between the Functions host and the handler.
//!
//! Enters: the body of a `POST /<function>`, as the host sent it.
//! Leaves: the trigger's input ([`EventBatchRequest`], [`HttpRequest`], [`TimerRequest`]), and on the way back an
//! [`Answer`] that the host accepts undamaged.
//! It refuses to know what an event's text means, which function is called, and anything about sockets.
//!
//! The host writes an *envelope* `{"Data": {..}, "Metadata": {..}}` in which every array and string is JSON text inside a
//! JSON string ("double encoding"): see
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers#request-payload>.

mod answer;
mod batch_metadata;
mod batch_texts;
mod checker;
mod damage;
mod escaped;
mod event_batch;
mod http;
mod http_response;
mod lenient;
mod live_item;
mod properties;
mod push;
mod raw_object;
mod scan;
mod timer;
mod unescape;
mod writing;

pub use answer::{Answer, Outputs};
pub use batch_metadata::PartitionContext;
pub use damage::{Damage, MAX_DEPTH, check_undamaged, looks_like_date};
pub use event_batch::{Event, EventBatchRequest};
pub use http::{AccessToken, ConnectionInfo, HttpRequest};
pub use http_response::HttpResponse;
pub use live_item::{Audience, GroupChange, LiveItem};
pub use raw_object::RawObject;
pub use timer::{ScheduleStatus, TimerRequest};

use serde::Deserialize;

/// Header with which the host marks every request that belongs to an invocation, forwarded ones included.
pub const INVOCATION_ID_HEADER: &str = "x-azure-functions-invocationid";

/// Header that carries the host's version; informative only.
pub const HOST_VERSION_HEADER: &str = "x-azure-functions-hostversion";

/// Header that carries the W3C trace context when the host's own telemetry is on.
pub const TRACE_PARENT_HEADER: &str = "traceparent";

/// Tells the host's readiness probe and latency pings from a browser's request for the start page.
///
/// Both are `GET /`. The probe carries no header but `Host`, while a forwarded request always carries
/// [`INVOCATION_ID_HEADER`]: every forwarded recording in `fixtures/host-exchanges` has it. The probe must be answered at
/// once, whatever the state of the handler; its status does not matter to the host.
#[must_use]
pub fn is_readiness_probe(method: &str, path: &str, has_invocation_id: bool) -> bool {
    method == "GET" && path == "/" && !has_invocation_id
}

/// Where an invocation stands in its retry policy.
///
/// The default, first attempt and no retries, is what a function without a retry policy gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub struct Retry {
    /// Attempts before this one.
    #[serde(rename = "RetryCount", default)]
    pub count: u32,
    /// Retries that the policy allows; -1 means without end.
    #[serde(rename = "MaxRetryCount", default)]
    pub max: i32,
}

/// Why a request of the host cannot be read.
///
/// None of these can be cured by a retry: they mean that `function.json` and handler disagree, or that the host changed.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// The body is not UTF-8.
    #[error("the request body is not utf-8 after {valid_up_to} bytes")]
    NotUtf8 {
        /// Bytes before the first bad one.
        valid_up_to: usize,
    },
    /// The body is not a JSON envelope.
    #[error("the request body is not an invocation envelope: {reason}")]
    NotAnEnvelope {
        /// What the JSON reader said, without the text it read.
        reason: String,
    },
    /// `Data` has no input of that name.
    #[error("the envelope has no input `{binding}`: check the binding's name in function.json")]
    MissingInput {
        /// Name of the binding.
        binding: String,
    },
    /// The input has another encoding than the one we ask for in function.json.
    #[error("input `{binding}`: expected {expected}, got {found}: {cure}")]
    Encoding {
        /// Name of the binding.
        binding: String,
        /// What our function.json asks for.
        expected: &'static str,
        /// What came.
        found: String,
        /// The key of function.json to look at.
        cure: &'static str,
    },
    /// The partition context lacks a field, so that the batch cannot be given a place in the stream.
    #[error("the partition context has no `{field}`: the event hubs extension is too old or too new")]
    PartitionContext {
        /// Name of the missing field.
        field: &'static str,
    },
}

impl InvocationError {
    /// An [`InvocationError::NotAnEnvelope`] that does not quote the body, which may hold secrets.
    fn unreadable(part: &str, error: &serde_json::Error) -> Self {
        let kind = format!("{:?}", error.classify()).to_lowercase();
        Self::NotAnEnvelope { reason: format!("{part}: {kind} error at column {}", error.column()) }
    }
}

impl From<scan::BadJson> for InvocationError {
    fn from(bad: scan::BadJson) -> Self {
        Self::NotAnEnvelope { reason: format!("broken json at byte {}", bad.at) }
    }
}

/// The body as text.
fn text_of(body: &[u8]) -> Result<&str, InvocationError> {
    std::str::from_utf8(body).map_err(|error| InvocationError::NotUtf8 { valid_up_to: error.valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_get_of_the_root_is_the_probe() {
        assert!(is_readiness_probe("GET", "/", false));
        assert!(!is_readiness_probe("GET", "/", true));
        assert!(!is_readiness_probe("HEAD", "/", false));
        assert!(!is_readiness_probe("POST", "/", false));
        assert!(!is_readiness_probe("GET", "/index.html", false));
    }
}

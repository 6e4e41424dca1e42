//! Answers to people and pages: JSON, or an error that says what failed and what to do.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use wire::api::{ErrorDetail, ErrorView};

/// Why a request is not answered as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    parameter: Option<String>,
}

impl ApiError {
    /// A parameter is wrong.
    #[must_use]
    pub fn parameter(name: &str, complaint: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: format!("parameter `{name}`: {complaint}"),
            parameter: Some(name.to_owned()),
        }
    }

    /// Whoever asks has not shown who they are.
    #[must_use]
    pub fn unauthorized() -> Self {
        let message = "send the header x-api-key, sign in, or set ALLOW_ANONYMOUS=true for local use";
        Self { status: StatusCode::UNAUTHORIZED, message: message.to_owned(), parameter: None }
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into(), parameter: None }
    }

    /// What is asked for does not fit what is there.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, message: message.into(), parameter: None }
    }

    /// The body is of another kind than the function reads.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message: message.into(), parameter: None }
    }

    /// A service that the answer needs is away.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into(), parameter: None }
    }

    /// A fault of this program.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, message: message.into(), parameter: None }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer's JSON text.
    #[must_use]
    pub fn body(&self) -> String {
        let error = ErrorDetail { message: self.message.clone(), parameter: self.parameter.clone() };
        serde_json::to_string(&ErrorView { error }).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        with_body(self.status, "application/json", self.body())
    }
}

/// A JSON answer.
#[must_use]
pub fn json(view: &impl Serialize) -> Response {
    match serde_json::to_string(view) {
        Ok(body) => with_body(StatusCode::OK, "application/json", body),
        Err(error) => ApiError::internal(format!("the answer cannot be written: {error}")).into_response(),
    }
}

/// An answer with a body that nobody may keep.
#[must_use]
pub fn with_body(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! Serves the built page to everybody: it holds no data.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::app::App;

/// Answers a GET or HEAD of any path that no other function takes.
#[must_use]
pub fn handle(app: &App, path: &str, headers: &HeaderMap) -> Response {
    app.page.serve(path, headers)
}

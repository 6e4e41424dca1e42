//! Lets a page connect to SignalR: hands on what the input binding made.

use wire::invocation::{Answer, Damage, HttpRequest, HttpResponse};

use crate::access;
use crate::app::App;
use crate::reply::ApiError;

/// Answers with address and token, or 401.
pub fn handle(app: &App, body: &[u8]) -> Answer {
    let answer = match connect(app, body) {
        Ok(connection) => respond(200, connection),
        Err(refusal) => respond(refusal.status().as_u16(), refusal.body()),
    };
    answer.unwrap_or_else(|damage| {
        tracing::error!(error = %damage, "negotiation failed");
        Answer::failure("the connection's address or token cannot be sent")
    })
}

fn connect(app: &App, body: &[u8]) -> Result<String, ApiError> {
    let unreadable = |error: wire::invocation::InvocationError| {
        tracing::error!(error = %error, "negotiation failed");
        ApiError::internal(error.to_string())
    };
    let request = HttpRequest::parse(body, "req").map_err(unreadable)?;
    access::check(&app.settings.access, |name| request.header(name))?;
    Ok(request.connection_info("connectionInfo").map_err(unreadable)?.to_json())
}

fn respond(status: u16, body: String) -> Result<Answer, Damage> {
    let mut response = HttpResponse::json(status, body);
    response.headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
    Answer::respond(response)
}

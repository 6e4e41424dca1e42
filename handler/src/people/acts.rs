//! What all acts of people have in common: who may act, what they wrote, and how the answer leaves.
//!
//! Enters: an enveloped POST. Leaves: the act as a document, and the answer to the caller. It refuses to know what the act
//! is about.
//!
//! The host stores the document after the answer and before the caller hears of it. When that fails, the caller gets 500
//! and does it again: an act that is stored already is a success that changes nothing. No act carries a message for the
//! page: a SignalR service that is away would fail it although it is stored.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::invocation::{
    Answer, Damage, HttpRequest, HttpResponse, LiveItem, Outputs, RawObject, looks_like_date,
};

use crate::access;
use crate::app::App;
use crate::mail::misleads;
use crate::reply::ApiError;

/// Characters of a note, a reason or a name.
const MAX_TEXT_CHARS: usize = 500;
/// Characters of who acts.
const MAX_NAME_CHARS: usize = 100;
/// Bytes of a body: a thousand alerts' ids and a note.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// Header by which App Service Authentication tells a signed-in person's name.
const NAME_HEADER: &str = "x-ms-client-principal-name";
/// Who acts when nobody says.
const NOBODY: &str = "anonymous";

/// An act that was asked for.
#[derive(Debug)]
pub struct Asked<T> {
    /// The body.
    pub body: T,
    /// Who is signed in.
    signed_in: Option<String>,
}

/// An act that is done, once its documents are stored.
#[derive(Debug)]
pub struct Done {
    /// The answer's JSON text.
    body: String,
    documents: Vec<RawObject>,
    live: Vec<LiveItem>,
}

impl<T: DeserializeOwned> Asked<T> {
    /// Reads an enveloped POST of somebody who may act.
    ///
    /// The content type must be JSON's: a page of another site cannot send that in a visitor's name.
    ///
    /// # Errors
    ///
    /// [`ApiError`] for everybody else, and for a body that is not as documented.
    pub fn read(app: &App, body: &[u8]) -> Result<Self, ApiError> {
        let request = HttpRequest::parse(body, "req").map_err(|error| {
            tracing::error!(error = %error, "an act cannot be read");
            ApiError::internal(error.to_string())
        })?;
        let settings = &app.settings.access;
        access::check(settings, |name| request.header(name))?;
        let content_type = request.header("content-type").unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::unsupported("send the header content-type: application/json"));
        }
        let text = request.body.as_deref().unwrap_or_default();
        if text.len() > MAX_BODY_BYTES {
            return Err(ApiError::parameter("body", &format!("has more than {MAX_BODY_BYTES} bytes")));
        }
        let body = serde_json::from_str(text).map_err(|error| {
            let why: String = error.to_string().chars().take(MAX_TEXT_CHARS).collect();
            ApiError::parameter("body", &format!("is not as documented: {why}"))
        })?;
        let signed_in = request.header(NAME_HEADER).filter(|_| settings.platform_authenticates);
        Ok(Self { body, signed_in: signed_in.map(name).filter(|name| !name.is_empty()) })
    }
}

impl<T> Asked<T> {
    /// Who acts: the person who is signed in, else who the body says, which proves nothing.
    ///
    /// # Errors
    ///
    /// Names the field when it cannot be a name.
    pub fn by(&self, said: Option<&str>) -> Result<String, ApiError> {
        if let Some(name) = &self.signed_in {
            return Ok(name.clone());
        }
        let said = plain("by", said.unwrap_or_default(), MAX_NAME_CHARS)?;
        if said.chars().any(misleads) {
            let fault = "holds a character that is not seen, or that turns the direction of writing";
            return Err(ApiError::parameter("by", fault));
        }
        Ok(if said.is_empty() { NOBODY.to_owned() } else { said })
    }
}

impl Done {
    /// An act whose outcome is this, with nothing to store.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when the outcome cannot be written.
    pub fn nothing(outcome: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(outcome).map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Self { body, documents: Vec::new(), live: Vec::new() })
    }

    /// An act whose outcome is this once the documents are stored.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when one of them cannot be written.
    pub fn storing(outcome: &impl Serialize, documents: &[impl Serialize]) -> Result<Self, ApiError> {
        let documents: Result<Vec<RawObject>, Damage> = documents.iter().map(RawObject::of).collect();
        let documents = documents.map_err(|damage| ApiError::internal(damage.to_string()))?;
        Ok(Self { documents, ..Self::nothing(outcome)? })
    }

    /// Nothing but a message to the page, which fails the invocation where the service is away.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when the outcome cannot be written.
    pub fn telling(outcome: &impl Serialize, live: Option<LiveItem>) -> Result<Self, ApiError> {
        Ok(Self { live: live.into_iter().collect(), ..Self::nothing(outcome)? })
    }
}

/// Answers the host within the app's deadline.
pub async fn answer(app: &App, act: impl Future<Output = Result<Done, ApiError>>) -> Answer {
    let late = || Err(ApiError::unavailable("the stored documents took too long to read"));
    let done = tokio::time::timeout(app.settings.deadline, act).await.unwrap_or_else(|_| late());
    // Who acted stands in the document, and not in a log.
    let (status, n_documents) = match &done {
        Ok(done) => (200, done.documents.len()),
        Err(refusal) => (refusal.status().as_u16(), 0),
    };
    tracing::info!(status, n_documents, "act answered");
    let outputs = match done {
        Ok(done) => Outputs {
            live: done.live,
            documents: done.documents,
            response: Some(respond(200, done.body)),
            logs: Vec::new(),
        },
        Err(refusal) => {
            let response = Some(respond(refusal.status().as_u16(), refusal.body()));
            Outputs { response, ..Outputs::default() }
        }
    };
    outputs.into_answer().unwrap_or_else(|damage| {
        tracing::error!(error = %damage, "an act cannot be answered");
        Answer::failure("the act cannot be stored as it is")
    })
}

fn respond(status: u16, body: String) -> HttpResponse {
    let mut response = HttpResponse::json(status, body);
    response.headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
    response
}

/// A text that people write: at most 500 characters in one line.
///
/// # Errors
///
/// Names the field, and what is wrong with it.
pub fn text(field: &str, text: &str) -> Result<String, ApiError> {
    plain(field, text, MAX_TEXT_CHARS)
}

fn plain(field: &str, text: &str, max_chars: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.chars().count() > max_chars {
        return Err(ApiError::parameter(field, &format!("has more than {max_chars} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::parameter(field, "holds a line break or another control character"));
    }
    if looks_like_date(text) {
        return Err(ApiError::parameter(
            field,
            "is a date and nothing else, which would be rewritten: add a word",
        ));
    }
    Ok(text.to_owned())
}

/// A name as the platform tells it, made fit to be stored.
fn name(told: &str) -> String {
    let name: String = told.trim().chars().filter(|c| !misleads(*c)).take(MAX_NAME_CHARS).collect();
    if looks_like_date(&name) { String::new() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_platform_is_made_fit_to_be_stored() {
        assert_eq!(name(" ada\u{202e}@example\r\n.com\u{200b} "), "ada@example.com");
        assert_eq!(name(&"\u{e9}".repeat(200)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(name("2026-01-01T00:00:00Z"), "");
    }
}

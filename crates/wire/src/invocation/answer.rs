//! What the handler answers an invocation with.
//!
//! Enters: documents, live messages, a response for the caller, log lines. Leaves: an [`Answer`], status, content type and
//! body, that the host takes as it is. It refuses to know what is in a document.
//!
//! The host is strict: an empty body or `null` hangs the invocation until its timeout, another content type fails it, a
//! status beyond 2xx discards everything, `status` in the place of `statusCode` is ignored. None of these can be built here.
//! See `DefaultHttpWorkerService.cs` and `HttpBinding.cs` in <https://github.com/Azure/azure-functions-host>.

use super::damage::Damage;
use super::http_response::HttpResponse;
use super::live_item::LiveItem;
use super::push::{push_key, push_list, push_string};
use super::raw_object::RawObject;

/// Largest document that Cosmos DB takes.
const MAX_DOCUMENT_BYTES: usize = 2 * 1024 * 1024;

/// A complete answer to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// What an invocation has to say, by our bindings' names.
#[derive(Debug, Default)]
pub struct Outputs {
    /// For Cosmos DB: written one after another, in this order.
    pub documents: Vec<RawObject>,
    /// For SignalR: sent one after another, in this order.
    pub live: Vec<LiveItem>,
    /// For the caller of an enveloped HTTP function.
    pub response: Option<HttpResponse>,
    /// Lines for the invocation's log, at information level.
    pub logs: Vec<String>,
}

impl Answer {
    /// The content type of every answer.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// Success without outputs: `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: 200, body: b"{}".to_vec() }
    }

    /// Failure: the host discards the body, and retries if the function has a policy.
    ///
    /// The message is for whoever calls the handler by hand; log it before answering.
    #[must_use]
    pub fn failure(message: &str) -> Self {
        let mut body = br#"{"error":{"message":"#.to_vec();
        push_string(&mut body, message);
        body.extend_from_slice(b"}}");
        Self { status: 500, body }
    }

    /// Success with nothing but a response for the caller.
    ///
    /// # Errors
    ///
    /// [`Damage`] when the response cannot be sent as it is.
    pub fn respond(response: HttpResponse) -> Result<Self, Damage> {
        Outputs { response: Some(response), ..Outputs::default() }.into_answer()
    }

    /// HTTP status: 200, or 500 for a failure.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body, never empty.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, to be sent.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

impl Outputs {
    /// Writes the answer into one buffer.
    ///
    /// # Errors
    ///
    /// [`Damage`] when a document has no usable `id` or is too large, or the response or a log line cannot be sent.
    pub fn into_answer(self) -> Result<Answer, Damage> {
        check_documents(&self.documents)?;
        if let Some(response) = &self.response {
            response.check()?;
        }
        let mut body = Vec::with_capacity(self.estimated_bytes());
        body.push(b'{');
        if !self.documents.is_empty() || !self.live.is_empty() || self.response.is_some() {
            body.extend_from_slice(b"\"Outputs\":{");
            self.push_outputs(&mut body);
            body.push(b'}');
        }
        if !self.logs.is_empty() {
            push_key(&mut body, "Logs");
            push_list(&mut body, &self.logs, |out, line| push_string(out, line));
        }
        body.push(b'}');
        Ok(Answer { status: 200, body })
    }

    fn push_outputs(&self, body: &mut Vec<u8>) {
        if !self.documents.is_empty() {
            push_key(body, "documents");
            push_list(body, &self.documents, |out, document| {
                out.extend_from_slice(document.json().as_bytes());
            });
        }
        if !self.live.is_empty() {
            push_key(body, "live");
            push_list(body, &self.live, |out, item| item.push(out));
        }
        if let Some(response) = &self.response {
            push_key(body, "res");
            response.push(body);
        }
    }

    fn estimated_bytes(&self) -> usize {
        let documents: usize = self.documents.iter().map(|document| document.json().len() + 1).sum();
        let response = self.response.as_ref().map_or(0, |response| response.body.len() * 5 / 4 + 256);
        documents
            + response
            + self.live.len() * 2048
            + self.logs.iter().map(|line| line.len() + 8).sum::<usize>()
            + 64
    }
}

fn check_documents(documents: &[RawObject]) -> Result<(), Damage> {
    for (index, document) in documents.iter().enumerate() {
        if !document.has_id() {
            return Err(Damage::DocumentId { index });
        }
        let n_bytes = document.json().len();
        if n_bytes > MAX_DOCUMENT_BYTES {
            return Err(Damage::DocumentSize { index, n_bytes });
        }
    }
    Ok(())
}
